"""What a performance monitoring system keeps: jobs as TMF628 has them, and what it has measured of each service.

A body is checked by the published shape (MeasurementCollectionJob_Create and _Update of TMF628 v4.0.0, ServiceLevelObjective_Create
of TMF657 v4.0.0): `fileTransferData` is required in a change too. Either spelling of the granularity is taken, and the published one
is answered. Two POSTs are two jobs, whatever their `jobId`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from adapters.errors import Malformed
from adapters.simulator.api import Changed, Entries, Resource
from adapters.simulator.journal import Journal
from adapters.simulator.published import MEASUREMENT_JOB, check
from adapters.tmf.tmf630 import merge_patch, write_time

UPDATE: Final = frozenset(
    {
        *("adminState", "consumingApplicationId", "executionState", "fileTransferData", "granularity", "granulatiry"),
        *("jobId", "jobPriority", "lastModifiedTime", "monitoredClassCriteria", "monitoredInstancesCriteria"),
        *("outputFormat", "performanceIndicatorGroupSpecification", "performanceIndicatorSpecification"),
        *("producingApplicationId", "reportingPeriod", "scheduleDefinition", "trackingRecord", "creationTime"),
        *("characteristic", "serviceLevelObjective"),
    }
)
"""The members of MeasurementCollectionJob_Update, the other spelling, and those of the type that it is told of."""
_TYPO: Final = "granulatiry"
_FILTER: Final = "id="


class Jobs:
    """All jobs, by id, in the order in which they were told."""

    def __init__(self, kept: Journal, *, path: str, clock: Callable[[], int]) -> None:
        self._kept = kept
        self._path = path
        self._clock = clock
        self.held: dict[str, Resource] = {}

    def restore(self, entries: Entries) -> None:
        """Take over what an earlier life has kept; of each job the last that was said."""
        for entry in entries:
            if isinstance(job := entry.get("job"), dict):
                self.held[str(job["id"])] = job

    def all(self) -> list[Resource]:
        """Give them all."""
        return list(self.held.values())

    def get(self, known_as: str) -> Resource | None:
        """Give one, or None."""
        return self.held.get(known_as)

    def create(self, body: object) -> Resource:
        """Take a job in, or raise Malformed."""
        told = _checked(body)
        known_as = f"PM-{len(self.held) + 1:08d}"
        made = {"executionState": "inProgress", "creationTime": write_time(self._clock()), **told}
        return self._keep({**made, "id": known_as, "href": f"{self._path}/{known_as}"})

    def change(self, known_as: str, patch: object) -> Changed:
        """Apply a merge patch, or raise Malformed, KeyError."""
        if isinstance(patch, dict) and "fileTransferData" not in patch:
            raise Malformed("fileTransferData is missing: it is required in a change too", field="fileTransferData")
        before = self.held[known_as]
        after = _checked(merge_patch(before, _spelled(patch)))
        return Changed(before=before, after=self._keep(after))

    def of_service(self, service_id: str) -> list[Resource]:
        """Give the jobs by which a service is measured."""
        return [each for each in self.held.values() if _is_measured(each, service_id)]

    def _keep(self, job: Resource) -> Resource:
        kept = {**job, "lastModifiedTime": write_time(self._clock())}
        self.held[str(job["id"])] = kept
        self._kept.write({"job": kept})
        return kept


def targets(job: Mapping[str, Any]) -> dict[str, float]:
    """Give the target of each objective that is violated above it, by the name of its parameter."""
    return {
        str(each["serviceLevelObjectiveParameter"]["name"]): float(each["conformanceTarget"])
        for each in job.get("serviceLevelObjective") or ()
        if each["conformanceComparator"] == "above"
    }


def _is_measured(job: Mapping[str, Any], service_id: str) -> bool:
    criteria = job.get("monitoredClassCriteria") or {}
    is_on = job.get("adminState", "unlocked") == "unlocked"
    return is_on and criteria.get("objectInstanceFilter") == f"{_FILTER}{service_id}"


def _checked(body: object) -> Resource:
    return check(MEASUREMENT_JOB, _spelled(body))


def _spelled(body: object) -> object:
    """Take either spelling of the granularity for the published one."""
    if not isinstance(body, dict) or _TYPO not in body:
        return body
    return {**{name: value for name, value in body.items() if name != _TYPO}, "granularity": body[_TYPO]}
