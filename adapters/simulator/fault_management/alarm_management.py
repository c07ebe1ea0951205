"""A central fault management system to try things with: TMF642, version 4, as a server that keeps the alarms it is told.

Every change that is acted upon gets its line in the journal (time, method, id, externalAlarmId, state, ackState,
idempotencyKey) before it is answered. Two POSTs are two alarms, whatever their names. People take note of alarms through
the same API, and whoever has asked at the hub is told.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Unpack

from adapters.errors import Malformed
from adapters.simulator.api import Api, Changed, Entries, Life, Living, Resource, serving_api
from adapters.simulator.faults import Faults
from adapters.simulator.journal import Journal
from adapters.tmf.tmf630 import merge_patch

REQUIRED: Final = (
    "alarmType",
    "perceivedSeverity",
    "probableCause",
    "alarmedObject",
    "sourceSystemId",
    "state",
    "alarmRaisedTime",
)
UPDATE: Final = frozenset(
    {
        *("ackState", "ackSystemId", "ackUserId", "affectedService", "alarmChangedTime", "alarmClearedTime"),
        *("alarmDetails", "alarmEscalation", "alarmReportingTime", "alarmType", "alarmedObject", "alarmedObjectType"),
        *("clearSystemId", "clearUserId", "comment", "correlatedAlarm", "crossedThresholdInformation"),
        *("externalAlarmId", "isRootCause", "parentAlarm", "perceivedSeverity", "place", "plannedOutageIndicator"),
        *("probableCause", "proposedRepairedActions", "reportingSystemId", "serviceAffecting", "specificProblem"),
        "state",
    }
)
"""The members of Alarm_Update."""
_STATES: Final = ("raised", "updated", "cleared")
_ACK_STATES: Final = ("acknowledged", "unacknowledged")
API: Final = Api(
    base="/tmf-api/alarmManagement/v4",
    resource="alarm",
    update=UPDATE,
    journal=("id", "externalAlarmId", "state", "ackState"),
    created="AlarmCreateEvent",
    changed=lambda _: "AlarmAttributeValueChangeEvent",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmManagement:
    """A fault management system that is being served."""

    address: str
    """of the API."""
    alarms: Mapping[str, dict[str, Any]]
    """by id, in the order in which they were told."""
    faults: Faults


class Alarms:
    """All alarms, by id, in the order in which they were told."""

    def __init__(self, kept: Journal) -> None:
        self._kept = kept
        self.held: dict[str, Resource] = {}

    def restore(self, entries: Entries) -> None:
        """Take over what an earlier life has kept; of each alarm the last that was said."""
        for entry in entries:
            if isinstance(alarm := entry.get("alarm"), dict):
                self.held[str(alarm["id"])] = alarm

    def all(self) -> list[Resource]:
        """Give them all."""
        return list(self.held.values())

    def get(self, known_as: str) -> Resource | None:
        """Give one, or None."""
        return self.held.get(known_as)

    def create(self, body: object) -> Resource:
        """Take an alarm in, or raise Malformed."""
        told = _checked(body)
        known_as = f"FM-{len(self.held) + 1:08d}"
        return self._keep({"ackState": "unacknowledged", **told, "id": known_as, "href": f"{API.path}/{known_as}"})

    def change(self, known_as: str, patch: object) -> Changed:
        """Apply a merge patch, or raise Malformed, KeyError."""
        before = self.held[known_as]
        return Changed(before=before, after=self._keep(_checked(merge_patch(before, patch))))

    def _keep(self, alarm: Resource) -> Resource:
        self.held[str(alarm["id"])] = alarm
        self._kept.write({"alarm": alarm})
        return alarm


@asynccontextmanager
async def serving(**life: Unpack[Living]) -> AsyncIterator[AlarmManagement]:
    """Serve one in the running loop while the block runs; with `state`, what an earlier life with that file has kept."""
    async with serving_api(API, Alarms, Life(**life)) as served:
        yield AlarmManagement(address=served.address, alarms=served.shelf.held, faults=served.faults)


def _checked(alarm: object) -> Resource:
    if not isinstance(alarm, dict):
        raise Malformed("The body is no JSON object", field="")
    for name in REQUIRED:
        if name not in alarm:
            raise Malformed(f"{name} is missing", field=name)
    for name, words in (("state", _STATES), ("ackState", _ACK_STATES)):
        if alarm.get(name, words[0]) not in words:
            raise Malformed(f"{name} is none of the words", field=name)
    return alarm
