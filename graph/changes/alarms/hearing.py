"""A central fault management system must hear of every alarm and what it does to customers, and never its own news.

Whatever happens to an alarm is an event; which of them are heard is the policy's. What is told is the alarm as it is after
the change, all of it, so that each delivery stands for itself. It is read in the transaction of the change, and the
delivery is written there.

Rules. 1. Subject and order key are the alarm's id. 2. What that system did itself is not told to it, except what it does to
services. 3. Of an alarm that came from one of its own sources it is told only what we add: the effect on services, and who
has taken note.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from graph.changes.events import Event
from graph.changes.policy import Hearing
from graph.ledger.outbox import Told, write_down
from graph.store.store import Transaction

ADDED: Final = ("AlarmAcknowledged", "AlarmUnacknowledged")
"""What is told of an alarm even to whoever has raised it."""

_READ: Final = """
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
RETURN a.id,
  [a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.alarmType, a.probableCause, a.specificProblem,
   a.perceivedSeverity, a.state, a.ackState, a.raisedAt, a.changedAt, a.clearedAt],
  a.record, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }),
  COUNT { MATCH (a)-[:AFFECTS]->(s:Service) RETURN s },
  COLLECT {
    MATCH (a)-[r:AFFECTS]->(s:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
    RETURN [s.id, s.name, r.effect, r.severity, c.id, c.name] ORDER BY s.id LIMIT 1000
  }
"""
_VALUES: Final = (
    "sourceSystemId",
    "externalAlarmId",
    "alarmedObjectRef",
    "alarmType",
    "probableCause",
    "specificProblem",
    "perceivedSeverity",
    "state",
    "ackState",
    "raisedAt",
    "changedAt",
    "clearedAt",
)
_AFFECTED: Final = ("id", "name", "effect", "severity", "customer", "customerName")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What happened to one alarm."""

    event: Event
    touches: bool
    """whether it changed what the alarm does to services."""


async def tell(transaction: Transaction, hearing: Hearing | None, by_system: str, happened: Sequence[Happened]) -> None:
    """Write down what the fault management system is to be told; `by_system` is the system that made the change."""
    if hearing is None:
        return
    heard = {each.event.aggregate_id: each for each in happened if _is_heard(hearing, by_system, each)}
    if not heard:
        return
    rows = await transaction.run(_READ, {"batch": {"alarms": sorted(heard)}})
    told = (_told(hearing, heard[str(row[0])], row) for row in rows)
    write_down(transaction, [each for each in told if each is not None])


def _is_heard(hearing: Hearing, by_system: str, happened: Happened) -> bool:
    return happened.event.type in hearing.events and (happened.touches or by_system != hearing.name)


def _told(hearing: Hearing, happened: Happened, row: Sequence[object]) -> Told | None:
    alarm, values, record, target, count, affected = cast("tuple[str, list[Any], str, Any, Any, list[Any]]", tuple(row))
    said = dict(zip(_VALUES, values, strict=True))
    is_theirs = said["sourceSystemId"] in hearing.sources
    if is_theirs and not happened.touches and happened.event.type not in ADDED:
        return None
    kept: Mapping[str, Any] = orjson.loads(record) if record else {}
    payload = {
        "event": happened.event.type,
        "alarm": alarm,
        "isTheirs": is_theirs,
        "values": said,
        "record": kept,
        "object": target,
        "affectedCount": count,
        "affected": [dict(zip(_AFFECTED, each, strict=True)) for each in affected],
    }
    return Told(event=happened.event.id, system=hearing.name, subject=alarm, order_key=alarm, payload=payload)
