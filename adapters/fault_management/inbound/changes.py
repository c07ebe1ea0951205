"""A caller says what an alarm is now; what that makes of it, and of services and tickets, is decided in one transaction.

Here the words of HTTP become one call of `graph.changes`, and its outcome becomes an answer. A POST of an alarm that is
known is not a second one. A PATCH is merged into the alarm as it is inside the transaction, so that of two that come at
once neither undoes the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from adapters.endpoint.edge import Port
from adapters.endpoint.errors import MalformedBody, Refusal, TooLarge
from adapters.fault_management.inbound.codec import decode, encode, restated, seen_of
from adapters.fault_management.inbound.reads import AlarmReads
from adapters.tmf.shape import Fault
from adapters.tmf.tmf630 import merge_patch
from graph.changes.alarms.alarms import amend_alarm, raise_alarm
from graph.changes.alarms.occurrence import Known
from graph.errors import GraphError
from graph.model.alarm import Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Changing:
    """What one caller changes, until its deadline."""

    reads: AlarmReads
    most_bytes: int
    """of a record."""

    @property
    def _port(self) -> Port:
        return self.reads.port

    async def create(self, body: object, key: str | None) -> dict[str, Any]:
        """Take an alarm in and give it as it then is."""
        alarm = decode(body)
        outcome = await raise_alarm(
            self._port.store,
            self.reads.principal,
            self._port.policy,
            alarm,
            idempotency_key=key,
            deadline=self.reads.deadline,
        )
        alarm_id = outcome.ids["alarm"]
        if outcome.raised is not None:
            return encode(seen_of(outcome.raised, self.reads.place))
        try:
            seen = await self.reads.one(alarm_id)
        except (Refusal, GraphError):
            seen = None
        if seen is None:  # the alarm is in, whatever keeps us from reading it: an error would say that it is not
            return {**alarm.record, "id": alarm_id, "href": f"{self.reads.place}/{alarm_id}"}
        return encode(seen)

    async def amend(self, alarm_id: str, patch: object) -> dict[str, Any]:
        """Apply a merge patch to an alarm and give it as it then is."""
        changes = _checked(patch, {"id": alarm_id, "href": f"{self.reads.place}/{alarm_id}"})
        outcome = await amend_alarm(
            self._port.store,
            self.reads.principal,
            self._port.policy,
            alarm_id=alarm_id,
            amend=_amending(changes, self.most_bytes),
            deadline=self.reads.deadline,
        )
        seen = None if outcome.user_errors else await self.reads.one(alarm_id)
        if seen is None:
            raise Refusal("NOT_FOUND")
        return encode(seen)


def _checked(patch: object, own: Mapping[str, str]) -> dict[str, Any]:
    """Give what a patch changes; whoever sends a whole alarm back names its id and its address too."""
    if not isinstance(patch, dict):
        raise MalformedBody([Fault(path="", problem="is not an object")])
    changed = [_fixed(name) for name, value in own.items() if patch.get(name, value) != value]
    if changed:
        raise MalformedBody(changed)
    return {name: value for name, value in patch.items() if name not in own}


def _amending(patch: Mapping[str, Any], most_bytes: int) -> Callable[[Known], Alarm]:
    def amend(known: Known) -> Alarm:
        before = restated(known)
        merged = merge_patch(before, patch)
        assert isinstance(merged, dict)
        if merged == before:
            return known.value
        alarm = decode(_consistent(known, patch, merged))
        if len(orjson.dumps(alarm.record)) > most_bytes:
            raise TooLarge(most_bytes, "The alarm as it would be")
        moved = {"sourceSystemId": alarm.source_system_id != known.value.source_system_id}
        moved["externalAlarmId"] = alarm.external_alarm_id != known.value.external_alarm_id
        moved["alarmedObject.id"] = alarm.alarmed_object != known.value.alarmed_object
        if any(moved.values()):
            raise MalformedBody([_fixed(name) for name, is_moved in moved.items() if is_moved])
        return alarm

    return amend


def _consistent(known: Known, patch: Mapping[str, Any], merged: dict[str, Any]) -> dict[str, Any]:
    """See to it that an alarm that is opened again says so in every field: it says what it was before its clear."""
    if not known.is_cleared or patch.get("state") not in ("raised", "updated"):
        return merged
    opened = {name: value for name, value in merged.items() if name != "alarmClearedTime" or name in patch}
    if "perceivedSeverity" not in patch:
        opened["perceivedSeverity"] = known.value.record.get("perceivedSeverity")
    if opened["perceivedSeverity"] == "cleared":
        raise MalformedBody([Fault(path="perceivedSeverity", problem="is cleared, and the alarm is to be open again")])
    return opened


def _fixed(name: str) -> Fault:
    return Fault(path=name, problem="cannot be changed")
