"""What is believed of a measurement that a performance monitoring system answers.

TMF628 v4.0.0 publishes no resource for what was measured: it leaves that to files, whose content it does not define. So it is read as a
list in the manner of the other TMF v4 APIs, and each member has the name and the shape that a published swagger gives it: `service` (the
ServiceRef of TMF640), `performanceIndicatorSpecification` and `collectionPeriod` (TMF628, the latter of OnDemandCollection),
`observedValue` (the CrossedThresholdInformation of TMF642).

Pure.

>>> told = {"service": {"id": "service-1"}, "observedValue": "412.5", "collectionPeriod": {"startDateTime": "2026-03-01T12:00:00Z"}}
>>> measurement_of(told, "[0]")
Measurement(service='service-1', start=1772366400000, end=None, value=412.5)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from adapters.errors import Nonsense
from adapters.performance_management import Measurement
from adapters.tmf.tmf630 import time_in_answer

FIELDS: Final = ("id", "service", "performanceIndicatorSpecification", "collectionPeriod", "observedValue")
SERVICE: Final = "service.id"
INDICATOR: Final = "performanceIndicatorSpecification.id"
START: Final = "collectionPeriod.startDateTime"
_PERIOD: Final = "collectionPeriod"
_VALUE: Final = "observedValue"
_LONGEST: Final = 40


def service_of(answer: object, where: str) -> str:
    """Read of which service a measurement is."""
    found = _object(answer, where).get("service")
    known = _object(found, f"{where}.service").get("id")
    if not isinstance(known, str) or not known:
        raise _nonsense("has a service without an id", f"{where}.service.id")
    return known


def indicator_of(answer: object, where: str) -> str:
    """Read what was measured."""
    found = _object(answer, where).get("performanceIndicatorSpecification")
    known = _object(found, f"{where}.performanceIndicatorSpecification").get("id")
    return known if isinstance(known, str) else ""


def measurement_of(answer: object, where: str) -> Measurement:
    """Read a measurement; `where` is its place in the answer."""
    told = _object(answer, where)
    period = _object(told.get(_PERIOD), f"{where}.{_PERIOD}")
    start = time_in_answer(period.get("startDateTime"))
    if start is None:
        raise _nonsense("has a period without a begin that is a time with its zone", f"{where}.{START}")
    ends = period.get("endDateTime")
    end = None if ends is None else time_in_answer(ends)
    if end is None and ends is not None:
        raise _nonsense("has a period with an end that is no time with its zone", f"{where}.{_PERIOD}.endDateTime")
    return Measurement(service=service_of(told, where), start=start, end=end, value=_value(told.get(_VALUE), where))


def _value(value: object, where: str) -> float:
    """Read a number, which TMF642 writes as a text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > _LONGEST:
        raise _nonsense("has a value that is no number", f"{where}.{_VALUE}")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _nonsense("has a value that is no number", f"{where}.{_VALUE}")
    return number


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Nonsense("Performance monitoring answered what is no measurement", where=where)
    return value


def _nonsense(what: str, where: str) -> Nonsense:
    return Nonsense(f"A measurement that performance monitoring answered {what}", where=where)
