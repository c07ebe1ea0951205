"""A performance monitoring system to try things with: TMF628, version 4, as a server that keeps the jobs it is told.

Every change that is acted upon gets its line in the journal (time, method, id, jobId, idempotencyKey) before it is answered. A test,
or a demonstration, says what a service carries: `measure`, and that can be listed: `performanceMeasurement`, in the manner of TMF v4
(outbound/tmf628_measurement.py says whose names its members have). What crosses the threshold of its job is the alarm that TMF642 has for it
(`qualityOfServiceAlarm`, `crossedThresholdInformation`), for whoever tells a fault manager's door of it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Unpack

from adapters.simulator.api import Api, Changed, Life, Living, Resource, serving_api
from adapters.simulator.faults import Faults
from adapters.simulator.journal import Journal
from adapters.simulator.performance.jobs import UPDATE, Jobs, targets
from adapters.tmf.tmf630 import write_time

SOURCE: Final = "performance"
"""The source of its alarms."""


def _event_of(changed: Changed) -> str:
    same = changed.before.get("executionState") == changed.after.get("executionState")
    return f"MeasurementCollectionJob{'AttributeValueChange' if same else 'ExecutionStateChange'}Event"


API: Final = Api(
    base="/tmf-api/performance/v4",
    resource="measurementCollectionJob",
    update=UPDATE,
    journal=("id", "jobId", "characteristic", "serviceLevelObjective"),
    created="MeasurementCollectionJobCreateEvent",
    changed=_event_of,
)


MEASUREMENT: Final = "performanceMeasurement"
PERIOD_MS: Final = 300_000
"""for how long each measurement is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What was measured of a service in a period."""

    service: str
    value: float
    at: int
    """when it begins, in epoch milliseconds."""
    indicator: str = "load"

    def shown(self, number: int) -> Resource:
        """Give it as it is listed."""
        return {
            "id": f"M-{number:08d}",
            "service": {"id": self.service, "@referredType": "Service"},
            "performanceIndicatorSpecification": {"id": self.indicator},
            "collectionPeriod": {
                "startDateTime": write_time(self.at),
                "endDateTime": write_time(self.at + PERIOD_MS),
            },
            "observedValue": f"{self.value:g}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceSystem:
    """A performance monitoring system that is being served."""

    address: str
    """of the API: what a client of TMF628 is given."""
    jobs: Jobs
    faults: Faults
    measured: list[Measurement] = field(default_factory=list)
    """in the order in which it was measured."""

    def observe(self, measurement: Measurement) -> None:
        """Take note of a measurement, of whatever indicator."""
        self.measured.append(measurement)

    def measure(self, service_id: str, mbps: float, *, at: int) -> list[dict[str, Any]]:
        """Take note of what a service carries; gives the alarm of each job of it whose threshold that crosses, by TMF642."""
        self.observe(Measurement(service=service_id, value=mbps, at=at))
        found = [(job, targets(job).get("load")) for job in self.jobs.of_service(service_id)]
        return [
            _crossing(job, service_id, mbps, limit, at) for job, limit in found if limit is not None and mbps > limit
        ]


@asynccontextmanager
async def serving(**life: Unpack[Living]) -> AsyncIterator[PerformanceSystem]:
    """Serve one in the running loop while the block runs; with `state`, what an earlier life with that file has kept."""

    def make(kept: Journal) -> Jobs:
        return Jobs(kept, path=API.path, clock=_now)

    measured: list[Measurement] = []

    def shown() -> list[Resource]:
        return [each.shown(number) for number, each in enumerate(measured, 1)]

    async with serving_api(API, make, Life(**life), {MEASUREMENT: shown}) as served:
        yield PerformanceSystem(address=served.address, jobs=served.shelf, faults=served.faults, measured=measured)


def _crossing(job: dict[str, Any], service_id: str, mbps: float, limit: float, at: int) -> dict[str, Any]:
    """Make the Alarm_Create of TMF642 v4.0.0 of a threshold that is crossed."""
    said = f"{mbps:g} Mbit/s are more than {limit:g} Mbit/s"
    return {
        "externalAlarmId": f"{job['id']}:load",
        "sourceSystemId": SOURCE,
        "alarmType": "qualityOfServiceAlarm",
        "perceivedSeverity": "minor",
        "probableCause": "thresholdCrossed",
        "specificProblem": said,
        "alarmedObject": {"id": service_id},
        "alarmedObjectType": "service",
        "state": "raised",
        "alarmRaisedTime": write_time(at),
        "crossedThresholdInformation": {
            "direction": "up",
            "granularity": job.get("granularity", "na"),
            "indicatorName": "load",
            "indicatorUnit": "Mbit/s",
            "observedValue": f"{mbps:g}",
            "threshold": {"id": str(job["id"]), "name": f"{limit:g}"},
            "thresholdCrossingDescription": said,
        },
    }


def _now() -> int:
    return time.time_ns() // 1_000_000
