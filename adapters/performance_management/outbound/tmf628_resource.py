"""What is written into a measurement job of TMF628, and what is believed of one that comes back.

TMF628 v4.0.0 has no place for a threshold: its events are of jobs and of files. So the job is of a type of ours, and what the
contract promises is in its `serviceLevelObjective`, in the shape of TMF657 v4.0.0 (ServiceLevelObjective); the present rate is in
its `characteristic`, in the shape of TMF628's own Characteristic. The rest is as published (MeasurementCollectionJob_Create).

The published names differ: a MeasurementCollectionJob has `granularity`, an OnDemandCollection `granulatiry`. What comes back may
have either.

Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from adapters.errors import Nonsense
from adapters.performance_management import US, MeasurementOrder

TYPE: Final = "ServiceMeasurementJob"
FILES: Final = "fileTransferData"
"""The member that TMF628 requires of every job, in a change too (MeasurementCollectionJob_Update)."""
_GRANULARITIES: Final = ("granularity", "granulatiry")
_LOAD: Final = "load"
_AVAILABILITY: Final = "availability"
_INDICATORS: Final = (
    {"id": _LOAD, "name": _LOAD, "indicatorUnit": "Mbit/s", "collectionType": "gauge", "indicatorType": "float"},
    {
        "id": _AVAILABILITY,
        "name": _AVAILABILITY,
        "indicatorUnit": "percent",
        "collectionType": "status_inspection",
        "indicatorType": "float",
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measuring:
    """How often is measured, and where the files go; an operator decides."""

    granularity: str = "g_5mn"
    """a word of TMF628's Granularity."""
    reporting: str = "r_15mn"
    """a word of TMF628's ReportingPeriod."""
    files: str = ""
    """a URI for the files of measurements; empty: wherever the system puts them."""

    @property
    def transfer(self) -> dict[str, str]:
        """Make the entry of `fileTransferData`."""
        if not self.files:
            return {"fileFormat": "JSON", "transportProtocol": "HTTPS"}
        protocol = self.files.partition(":")[0].upper()
        return {"fileFormat": "JSON", "fileLocation": self.files, "transportProtocol": protocol}


def job_body(order: MeasurementOrder, measuring: Measuring) -> dict[str, Any]:
    """Make the body that makes a job (MeasurementCollectionJob_Create)."""
    return {
        "@type": TYPE,
        "@baseType": "MeasurementCollectionJob",
        "jobId": order.job_id,
        "consumingApplicationId": US,
        "adminState": "locked" if order.is_over else "unlocked",
        "granularity": measuring.granularity,
        "reportingPeriod": measuring.reporting,
        FILES: [measuring.transfer],
        "monitoredClassCriteria": {
            "monitoredObjectClass": "Service",
            "objectInstanceFilter": f"id={order.service.id}",
        },
        "performanceIndicatorSpecification": [dict(each) for each in _INDICATORS],
        "characteristic": [
            {"name": "rateMbps", "valueType": "integer", "value": order.mbps},
            {"name": "committedMbps", "valueType": "integer", "value": order.committed_mbps},
        ],
        "serviceLevelObjective": _objectives(order),
    }


def job_patch(there: object, order: MeasurementOrder, measuring: Measuring) -> dict[str, Any]:
    """Make the merge patch that brings a job to what the order says; empty: it says so already."""
    job, wanted = an_object(there), job_body(order, measuring)
    transfer = wanted.pop(FILES)
    patch = {name: value for name, value in wanted.items() if _held(job, name) != value}
    held = job.get(FILES)
    is_held = isinstance(held, list) and any(_says(each, transfer[0]) for each in held)
    if not patch and is_held:
        return {}
    # Required in a change: what is there stays, so that files go on to where they went.
    return {**patch, FILES: held if is_held else transfer}


def is_ours(answer: object, order: MeasurementOrder) -> bool:
    """Tell whether a job that was answered bears our id."""
    return isinstance(answer, dict) and answer.get("jobId") == order.job_id


def id_of_ours(answer: object, order: MeasurementOrder, where: str = "") -> str:
    """Read what a job that must be ours is called there."""
    found = an_object(answer, where).get("id")
    if not isinstance(found, str) or found in ("", ".", ".."):
        raise Nonsense("A job that was answered has no id that is a string", where=f"{where}.id".lstrip("."))
    if not is_ours(answer, order):
        raise Nonsense(
            "A job that was answered bears another jobId than ours: it belongs to someone else",
            hint="Look whether its address leads to the right system",
            where=f"{where}.jobId".lstrip("."),
        )
    return found


def an_object(answer: object, where: str = "") -> Mapping[str, Any]:
    """Take what must be a JSON object."""
    if not isinstance(answer, dict):
        raise Nonsense("Performance monitoring answered what is no job", where=where or "body")
    return answer


def _objectives(order: MeasurementOrder) -> list[dict[str, Any]]:
    found = [_objective(_LOAD, "above", str(order.load_mbps))]
    if order.availability_percent is not None:
        found.append(_objective(_AVAILABILITY, "below", f"{order.availability_percent:g}"))
    return found


def _objective(name: str, violated: str, target: str) -> dict[str, Any]:
    """Make a ServiceLevelObjective_Create of TMF657, which is violated above or below its target."""
    return {
        "name": name,
        "conformanceComparator": violated,
        "conformanceTarget": target,
        "serviceLevelObjectiveParameter": {"name": name, "parameterType": "KPI"},
    }


def _held(job: Mapping[str, Any], name: str) -> Any:
    """Give a member of a job that is there, by either spelling."""
    names = _GRANULARITIES if name in _GRANULARITIES else (name,)
    return next((job[each] for each in names if each in job), None)


def _says(there: object, wanted: Mapping[str, str]) -> bool:
    """Tell whether an object that is there says what is wanted; it may say more, such as a place that its server chose."""
    return isinstance(there, dict) and all(there.get(name) == value for name, value in wanted.items())
