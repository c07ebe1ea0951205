"""What a delivery says of an alarm is put into the one shape that all dialects are made from: TMF642's.

The record of the alarm with its current values over it, as our own endpoint shows it, but named by our id; and beside it
what we add: the services that it affects, how, and whose they are, each of them in an extension of TMF642's reference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from adapters.fault_management import US, Affected, AlarmOrder
from adapters.fault_management.alarms.record import object_of, over, reference_to
from adapters.fault_management.alarms.words import PUBLISHED_TYPES
from adapters.fault_management.alarms.x733 import MEMBER, SUBCLASS, extension_of
from adapters.soap.names import TYPES, Name, parts_of, spelled, type_of, within
from adapters.tmf.tmf630 import write_time
from graph.inventory.names import ObjectOfAlarm

_TAKEN_BACK: Final = frozenset({"AlarmRaised", "AlarmUnacknowledged", "AlarmReopened"})
"""The events whose news it is that nobody has taken note."""
_NAMING: Final = (
    "alarmType",
    "perceivedSeverity",
    "probableCause",
    "specificProblem",
    "alarmedObject",
    "sourceSystemId",
    "externalAlarmId",
    "state",
    "alarmRaisedTime",
    "alarmChangedTime",
    "alarmClearedTime",
    MEMBER,
    *SUBCLASS,
)
"""What an alarm is known by to whoever has raised it."""


def order_of(payload: Mapping[str, Any]) -> AlarmOrder:
    """Read what a delivery says."""
    values, is_theirs = payload["values"], bool(payload["isTheirs"])
    affected = tuple(_affected(each) for each in payload["affected"])
    is_acknowledged = values["ackState"] == "acknowledged"
    tells = is_acknowledged or payload["event"] in _TAKEN_BACK
    body = over(payload["record"], _values(values))
    if is_theirs:
        body = {name: body[name] for name in _NAMING if name in body}
    else:
        body = {**body, "externalAlarmId": payload["alarm"], "reportingSystemId": US}
    count = int(payload["affectedCount"])
    return AlarmOrder(
        id=payload["alarm"],
        body=_completed(body, affected, count, is_acknowledged if tells else None),
        is_new=payload["event"] == "AlarmRaised",
        is_theirs=is_theirs,
        their_id=_their_id(payload) if is_theirs else "",
        acknowledged=is_acknowledged if tells else None,
        source_changed=str(payload["record"].get("alarmChangedTime") or ""),
        is_cleared=values["state"] == "cleared",
        affected=affected,
        affected_count=count,
    )


def object_name(body: Mapping[str, Any], found: ObjectOfAlarm) -> Name:
    """Name the object of an alarm as MTOSI does: as its source did, where that was by MTOSI; else within its element.

    Empty where the source has named none (TMF642 v4.0.0, AlarmedObject requires neither id nor href).
    """
    text = object_of(body["alarmedObject"])
    if not text:
        return ()
    given = tuple((each["type"], each["value"]) for each in extension_of(body).get("objectName", ()))
    if given and spelled(given) == text:
        return given
    own = TYPES.get(found.kind) or type_of(text, str(body.get("alarmedObjectType", "")))
    name = parts_of(found.name or text, own)
    return within(parts_of(found.element, TYPES["NetworkElement"]), name) if found.element else name


def affected_services(affected: Sequence[Affected]) -> list[dict[str, Any]]:
    """Give services as TMF642 refers to them, with what happens to each."""
    return [
        {
            "id": each.id,
            "@type": "AffectedServiceEffect",
            "@baseType": "AffectedService",
            "name": each.name,
            "effect": each.effect,
            **({} if each.severity is None else {"severity": each.severity}),
            "customer": {"id": each.customer, "name": each.customer_name, "@referredType": "Customer"},
        }
        for each in affected
    ]


def _completed(
    body: Mapping[str, Any],
    affected: Sequence[Affected],
    count: int,
    acknowledged: bool | None,  # noqa: FBT001 - a value
) -> dict[str, Any]:
    told = {name: value for name, value in body.items() if name not in ("id", "href", "affectedService", "ackState")}
    told["affectedService"] = affected_services(affected)
    if count:
        told["serviceAffecting"] = True
    if count > len(affected):
        told["affectedServiceCount"] = count  # the list has the first thousand that are somebody's
    if acknowledged is not None:
        told["ackState"] = "acknowledged" if acknowledged else "unacknowledged"
    return told


def _values(values: Mapping[str, Any]) -> dict[str, Any]:
    times = {"alarmRaisedTime": "raisedAt", "alarmChangedTime": "changedAt", "alarmClearedTime": "clearedAt"}
    same = (
        "sourceSystemId",
        "externalAlarmId",
        "probableCause",
        "specificProblem",
        "perceivedSeverity",
        "state",
        "ackState",
    )
    return {
        "alarmType": PUBLISHED_TYPES[values["alarmType"]],
        "alarmedObject": reference_to(values["alarmedObjectRef"]),
        **{name: values[name] for name in same if values[name] is not None},
        **{name: write_time(values[ours]) for name, ours in times.items() if values[ours] is not None},
    }


def _their_id(payload: Mapping[str, Any]) -> str:
    found = payload["record"].get("id")
    return str(found) if isinstance(found, str | int) else ""


def _affected(each: Mapping[str, Any]) -> Affected:
    return Affected(
        id=each["id"],
        name=each["name"] or each["id"],
        effect=each["effect"],
        severity=each["severity"],
        customer=each["customer"],
        customer_name=each["customerName"] or each["customer"],
    )
