"""What was measured is performance monitoring's alone: it is read there, for many services at once, and nothing of it is kept here.

A system may ignore what it was asked for, so each measurement is looked at for whose it is: one of a service that was not asked for
spoils the whole answer, since the next may be wrong too. One of another indicator or time is left out, and one that cannot be read is
passed over.

How much a call may bring is bounded: the longer the time, the fewer services are asked about at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from adapters.errors import Nonsense
from adapters.passed_over import PassedOver, known_as
from adapters.performance_management import Measurement, MeasurementRequest
from adapters.performance_management.outbound.tmf628_measurement import (
    FIELDS,
    INDICATOR,
    SERVICE,
    START,
    indicator_of,
    measurement_of,
    service_of,
)
from adapters.tmf.tmf630 import quote_value, write_time
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

RESOURCE: Final = "performanceMeasurement"
MOST_SERVICES: Final = 50
"""that are asked about at once;"""
MOST_POINTS: Final = 10_000
"""and measurements that such a call may bring."""
_PAGE: Final = 500
_PAGES: Final = 3 * MOST_POINTS // _PAGE
"""A system may measure more often than it was told, and cut its pages shorter than it was asked."""


class Tmf628Measurements:
    """`adapters.performance_management.Measurements` over a transport whose address ends in `/tmf-api/performance/v4`."""

    def __init__(self, transport: Transport, *, period_ms: int, passed_over: PassedOver | None = None) -> None:
        """Take how often is measured, in milliseconds: by that it is known how much there will be."""
        self._client = TmfClient(transport)
        self._period_ms = period_ms
        self._passed_over = passed_over or PassedOver(transport.name)

    async def measured(self, request: MeasurementRequest, *, deadline: float) -> Mapping[str, Sequence[Measurement]]:
        """GET them, some services at a time."""
        wanted = list(dict.fromkeys(request.services))
        size = services_at_once(request.end - request.start, self._period_ms)
        found = defaultdict[str, list[Measurement]](list)
        for first in range(0, len(wanted), size):
            for each in await self._of(wanted[first : first + size], request, deadline):
                found[each.service].append(each)
        return {service: sorted(of, key=_earliest_first)[: request.most] for service, of in found.items()}

    async def _of(self, services: Sequence[str], request: MeasurementRequest, deadline: float) -> Sequence[Measurement]:
        query = (
            (SERVICE, ",".join(map(quote_value, services))),
            (INDICATOR, request.indicator.value),
            (f"{START}.gte", write_time(request.start)),
            (f"{START}.lt", write_time(request.end)),
            ("fields", ",".join(FIELDS)),
        )
        items = await self._client.listed((RESOURCE,), query, size=_PAGE, most=_PAGES, deadline=deadline)
        read = [self._read(each, where, services, request) for where, each in items]
        return [each for each in read if each is not None]

    def _read(
        self, item: object, where: str, services: Sequence[str], request: MeasurementRequest
    ) -> Measurement | None:
        """Read one item; None: it is not what was asked for, or cannot be read."""
        try:
            service, indicator = service_of(item, where), indicator_of(item, where)
            read = measurement_of(item, where)
        except Nonsense as nonsense:  # of this one, which costs the others nothing
            self._passed_over.note(known_as(item, where), str(nonsense))
            return None
        if service not in services:
            raise Nonsense(
                f"{self._client.name} answered what is of nobody who was asked for", where=f"{where}.service"
            )
        is_wanted = indicator == request.indicator.value and request.start <= read.start < request.end
        return read if is_wanted else None


def services_at_once(length_ms: int, period_ms: int) -> int:
    """Give how many services are asked about at once.

    >>> services_at_once(3_600_000, 300_000), services_at_once(31 * 86_400_000, 300_000)
    (50, 1)
    """
    points = max(1, -(-length_ms // period_ms))
    return max(1, min(MOST_SERVICES, MOST_POINTS // points))


def _earliest_first(each: Measurement) -> tuple[int, float]:
    return each.start, each.value
