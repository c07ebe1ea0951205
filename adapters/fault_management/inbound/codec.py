"""An alarm goes in as its source wrote it and comes out years later, and in between other people have changed it.

`decode` makes one Alarm value of a TMF642 body, or says all that is wrong with it. `encode` makes a TMF642 alarm of what
the graph holds: the record, as it came, with the current values over it (`adapters.fault_management.alarms.record`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.endpoint.errors import MalformedBody
from adapters.fault_management.alarms.record import SAME, TIMES, Record, object_of, over, reference_to
from adapters.fault_management.alarms.words import ALARM_TYPES, PUBLISHED_TYPES
from adapters.fault_management.inbound.shape import ALARM
from adapters.tmf.shape import faults
from adapters.tmf.tmf630 import read_time, write_time
from graph.changes.alarms.occurrence import Known
from graph.changes.outcome import Raised
from graph.compiler.leaves import rfc3339
from graph.model.alarm import Alarm
from graph.model.mapping import enum_name
from graph.model.model import LABELS

_WORDS: Final = {enum_name(word): word for each in LABELS["Alarm"].properties for word in each.words}


def decode(body: object) -> Alarm:
    """Make an alarm of a body that has been read as JSON; raises MalformedBody with every fault."""
    found = faults(ALARM, body)
    if found or not isinstance(body, dict):
        raise MalformedBody(found)
    return Alarm(
        source_system_id=body["sourceSystemId"],
        external_alarm_id=body.get("externalAlarmId"),
        alarmed_object=object_of(body["alarmedObject"]),
        alarm_type=ALARM_TYPES[body["alarmType"]],
        probable_cause=body["probableCause"],
        specific_problem=body.get("specificProblem"),
        perceived_severity=body["perceivedSeverity"],
        cleared="cleared" in (body["state"], body["perceivedSeverity"]),
        acknowledged=body.get("ackState") == "acknowledged",
        raised_at=read_time(body["alarmRaisedTime"], "alarmRaisedTime"),
        changed_at=_moment(body, "alarmChangedTime"),
        cleared_at=_moment(body, "alarmClearedTime"),
        record=body,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the graph holds of an alarm, as far as whoever asks may see it."""

    row: Mapping[str, Any]
    """the fields of the GraphQL type Alarm."""
    services: Sequence[str]
    """the ids of the services it affects."""
    href: str


def encode(seen: Seen) -> dict[str, Any]:
    """Write an alarm as TMF642 does."""
    shown = over(seen.row.get("record") or {}, _values(seen.row))
    shown.pop("affectedService", None)  # what a source thinks it affects is not what it affects
    if seen.services:
        shown["affectedService"] = [{"id": each} for each in seen.services]
    return {**shown, "id": seen.row["id"], "href": seen.href}


def seen_of(raised: Raised, place: str) -> Seen:
    """Give a new alarm as reading it would."""
    alarm = raised.value
    cleared = alarm.cleared_at or raised.at
    row = {
        "id": raised.id,
        "sourceSystemId": alarm.source_system_id,
        "externalAlarmId": alarm.external_alarm_id,
        "alarmType": alarm.alarm_type,
        "probableCause": alarm.probable_cause,
        "specificProblem": alarm.specific_problem,
        "perceivedSeverity": "cleared" if alarm.cleared else alarm.perceived_severity,
        "state": raised.state,
        "ackState": "acknowledged" if alarm.acknowledged else "unacknowledged",
        "raisedAt": rfc3339(alarm.raised_at),
        "changedAt": rfc3339(raised.at),
        "clearedAt": rfc3339(cleared) if alarm.cleared else None,
        "alarmedObjectRef": alarm.alarmed_object,
        "record": alarm.record,
    }
    return Seen(row=row, services=raised.services, href=f"{place}/{raised.id}")


def restated(known: Known) -> dict[str, Any]:
    """Write an alarm as its source would have to now: what a patch is merged into.

    The time of the last change stays the source's own, since later reports are compared with it.
    """
    alarm, record = known.value, known.value.record
    values = {
        "sourceSystemId": alarm.source_system_id,
        "externalAlarmId": alarm.external_alarm_id,
        "alarmType": PUBLISHED_TYPES[alarm.alarm_type],
        "probableCause": alarm.probable_cause,
        "specificProblem": alarm.specific_problem,
        "perceivedSeverity": alarm.perceived_severity,
        "state": known.state,
        "ackState": "acknowledged" if alarm.acknowledged else "unacknowledged",
        "alarmedObject": reference_to(alarm.alarmed_object),
        "alarmRaisedTime": write_time(alarm.raised_at),
        "alarmChangedTime": record.get("alarmChangedTime"),
        "alarmClearedTime": None if known.cleared_at is None else write_time(known.cleared_at),
    }
    return over(record, {name: value for name, value in values.items() if value is not None})


def _values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the graph says, under the published names; what it does not say is absent."""
    values = {name: _WORDS.get(row[name], row[name]) for name in SAME if row.get(name) is not None}
    values["alarmType"] = PUBLISHED_TYPES[values["alarmType"]]
    values |= {name: row[ours] for name, ours in TIMES.items() if row.get(ours) is not None}
    if "alarmedObjectRef" in row:
        return {**values, "alarmedObject": reference_to(row["alarmedObjectRef"])}
    if row.get("alarmedObject"):  # of the caller's slice: by our id, since the source's name for it may tell more
        seen = row["alarmedObject"]
        return {**values, "alarmedObject": {"id": seen["id"], "@type": seen["__typename"]}}
    return values


def _moment(body: Record, name: str) -> int | None:
    return read_time(body[name], name) if name in body else None
