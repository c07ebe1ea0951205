"""Several people look at the same alarm, and each of them must know whether another has already taken note of it.

An alarm is acknowledged once: whoever comes second is told that it is, and nothing is written or announced again. A
cleared alarm can still be acknowledged, since someone has to have seen it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome
from graph.changes.sources import Sources, not_found, sources_of
from graph.scope import Principal
from graph.store import Store, Transaction

# One statement: lock, then look, then write. `_version` counts the changes of the alarm, for the order of its events.
# The clock is read after the lock: timestamp() is when the statement began, and it may have waited since.
_ACKNOWLEDGE: Final = """
MATCH (a:Alarm {id: $alarm})
WHERE $everyone OR a.sourceSystemId IN $sources
SET a._lock = true
REMOVE a._lock
WITH a, a.ackState <> 'acknowledged' AS due, datetime.realtime().epochMillis AS now
SET a.ackState = 'acknowledged',
    a.changedAt = CASE WHEN due THEN now ELSE a.changedAt END,
    a._version = coalesce(a._version, 0) + CASE WHEN due THEN 1 ELSE 0 END
RETURN due, a._version, now, COLLECT {
  MATCH (a)-[:AFFECTS]->(:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
  RETURN DISTINCT c.id ORDER BY c.id
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Acknowledged:
    """What the database says of an alarm that is there."""

    due: bool
    """it had not been acknowledged before."""
    version: int
    at: int
    customers: tuple[str, ...]


async def acknowledge_alarm(
    store: Store, principal: Principal, *, alarm_id: str, idempotency_key: str, deadline: float
) -> Outcome:
    """Take note of an alarm in the name of the caller; the outcome has the id of the `alarm`."""
    sources = sources_of(principal)
    subject = principal.subject
    asked = Asked(
        subject=subject, client_key=idempotency_key, operation="acknowledgeAlarm", input={"alarmId": alarm_id}
    )

    async def change(transaction: Transaction) -> Outcome:
        done = await _acknowledge(transaction, alarm_id, sources)
        if done is None:
            return Outcome(ids={}, user_errors=(not_found(),))
        if done.due:
            append(transaction, _event(alarm_id, subject, done))
        return Outcome(ids={"alarm": alarm_id})

    return await once(store, asked, change, deadline=deadline)


async def _acknowledge(transaction: Transaction, alarm_id: str, sources: Sources) -> _Acknowledged | None:
    rows = await transaction.run(_ACKNOWLEDGE, {"alarm": alarm_id, **sources.parameters()})
    if not rows:
        return None
    due, version, now, customers = cast("tuple[bool, int, int, list[str]]", tuple(rows[0]))
    return _Acknowledged(due=due, version=version, at=now, customers=tuple(customers))


def _event(alarm_id: str, subject: str, done: _Acknowledged) -> Event:
    return Event(
        type="AlarmAcknowledged",
        aggregate_id=alarm_id,
        aggregate_version=done.version,
        at=done.at,
        principal=subject,
        payload={"alarm": alarm_id, "ackState": "acknowledged"},
        customers=done.customers,
    )
