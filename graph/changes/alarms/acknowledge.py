"""Several people look at the same alarm, and each of them must know whether another has already taken note of it.

An alarm is acknowledged once: whoever comes second is told that it is, and nothing is written or announced again. A
cleared alarm can still be acknowledged, since someone has to have seen it. An acknowledgement can be taken back.

A fault management system tells of its own people's: what it says is older than what it has yet to be told of that alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.changes.alarms import hearing
from graph.changes.alarms.hearing import Happened
from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.changes.sources import Sources, not_found, sources_of
from graph.model.event_kinds import ALARM_KINDS
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

# One statement: lock, then look, then write. `_version` counts the changes of the alarm, for the order of its events.
# The clock is read after the lock: timestamp() is when the statement began, and it may have waited since.
_ACKNOWLEDGE: Final = """
MATCH (a:Alarm {id: $alarm})
WHERE $everyone OR a.sourceSystemId IN $sources
SET a._lock = true
REMOVE a._lock
WITH a, a.ackState <> $ack AS due, datetime.realtime().epochMillis AS now
SET a.ackState = $ack,
    a.changedAt = CASE WHEN due THEN now ELSE a.changedAt END,
    a._version = coalesce(a._version, 0) + CASE WHEN due THEN 1 ELSE 0 END
RETURN due, a._version, now, COLLECT {
  MATCH (a)-[:AFFECTS]->(:Service)<-[:SUBSCRIBES_TO]-(c:Customer)
  RETURN DISTINCT c.id ORDER BY c.id
}
"""


# Sorted by id, as all who lock several alarms do. While something is to be told that says otherwise, or may just be being told,
# what they say is older than that.
_NEWS: Final = """
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
WITH a, datetime.realtime().epochMillis AS now
WHERE a.ackState <> $ack AND NOT EXISTS {
  MATCH (d:Delivery {openKey: a.id})-[:TELLS]->(e:Event)
  WHERE d.system = $system AND e.type IN $events AND (d.state = 'READY' OR d.nextAt > now)
}
RETURN a.id ORDER BY a.id
"""
_IN_STATE: Final = """
UNWIND $batch.alarms AS id
MATCH (a:Alarm {id: id})
WHERE a.ackState = $ack
RETURN a.id
"""
_SAYS_OTHERWISE: Final = {"acknowledged": ("AlarmUnacknowledged", "AlarmReopened"), "unacknowledged": ALARM_KINDS}
"""By what is heard: the events that tell the opposite. Most tell that somebody has taken note, when somebody has."""
_EVENTS: Final = {"acknowledged": "AlarmAcknowledged", "unacknowledged": "AlarmUnacknowledged"}


async def acknowledge_alarm(
    store: Store, principal: Principal, policy: AlarmPolicy, *, alarm_id: str, idempotency_key: str, deadline: float
) -> Outcome:
    """Take note of an alarm in the name of the caller; the outcome has the id of the `alarm`."""
    taking = _Taking(store=store, principal=principal, policy=policy, state="acknowledged")
    return await _once(taking, "acknowledgeAlarm", alarm_id, idempotency_key, deadline)


async def unacknowledge_alarm(
    store: Store, principal: Principal, policy: AlarmPolicy, *, alarm_id: str, idempotency_key: str, deadline: float
) -> Outcome:
    """Take that back, whoever has taken note."""
    taking = _Taking(store=store, principal=principal, policy=policy, state="unacknowledged")
    return await _once(taking, "unacknowledgeAlarm", alarm_id, idempotency_key, deadline)


async def hear_acknowledged(
    store: Store, policy: AlarmPolicy, alarms: Sequence[str], *, state: str = "acknowledged", deadline: float
) -> frozenset[str]:
    """Believe the fault management system what its people did; give the alarms that are in that state now.

    What is no alarm of ours is passed over.
    """
    hearing_ = policy.fault_management
    assert hearing_ is not None, "nobody else is heard"
    principal = Principal(subject=f"system:{hearing_.name}", role=Role.SYSTEM, system=hearing_.name)
    taking = _Taking(store=store, principal=principal, policy=policy, state=state)

    async def work(transaction: Transaction) -> frozenset[str]:
        events = list(_SAYS_OTHERWISE[state])
        given = {"ack": state, "batch": {"alarms": sorted(set(alarms))}}
        for row in await transaction.run(_NEWS, {**given, "system": hearing_.name, "events": events}):
            await _take(transaction, taking, str(row[0]), Sources(everyone=True))
        return frozenset(str(row[0]) for row in await transaction.run(_IN_STATE, given))

    return await store.write(work, deadline=deadline) if alarms else frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Taking:
    """Who takes note, or takes it back."""

    store: Store
    principal: Principal
    policy: AlarmPolicy
    state: str


async def _once(taking: _Taking, operation: str, alarm_id: str, key: str, deadline: float) -> Outcome:
    sources, subject = sources_of(taking.principal), taking.principal.subject
    asked = Asked(subject=subject, client_key=key, operation=operation, input={"alarmId": alarm_id})

    async def change(transaction: Transaction) -> Outcome:
        if not await _take(transaction, taking, alarm_id, sources):
            return Outcome(ids={}, user_errors=(not_found(),))
        return Outcome(ids={"alarm": alarm_id})

    return await once(taking.store, asked, change, deadline=deadline)


async def _take(transaction: Transaction, taking: _Taking, alarm_id: str, sources: Sources) -> bool:
    """Do it, and tell of it; False when there is no such alarm."""
    given = {"alarm": alarm_id, "ack": taking.state, **sources.parameters()}
    rows = await transaction.run(_ACKNOWLEDGE, given)
    if not rows:
        return False
    due, version, now, customers = cast("tuple[bool, int, int, list[str]]", tuple(rows[0]))
    if due:
        event = Event(
            type=_EVENTS[taking.state],
            aggregate_id=alarm_id,
            aggregate_version=version,
            at=now,
            principal=taking.principal.subject,
            payload={"alarm": alarm_id, "ackState": taking.state},
            customers=customers,
        )
        append(transaction, event)
        told = [Happened(event=event, touches=False)]
        await hearing.tell(transaction, taking.policy.fault_management, taking.principal.system, told)
    return True
