"""Several people look at the same alarm, and each of them must know whether another has already taken note of it.

An alarm is acknowledged once: whoever comes second is told that it is, and nothing is written or announced again. A
cleared alarm can still be acknowledged, since someone has to have seen it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, cast

from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome, UserError
from graph.errors import Refused
from graph.scope import Principal, Role
from graph.store import Store, Transaction

ALARM_NOT_FOUND: Final = "ALARM_NOT_FOUND"

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
    allowed = _allowed(principal)
    subject = principal.subject
    asked = Asked(
        subject=subject, client_key=idempotency_key, operation="acknowledgeAlarm", input={"alarmId": alarm_id}
    )

    async def change(transaction: Transaction) -> Outcome:
        done = await _acknowledge(transaction, alarm_id, allowed)
        if done is None:
            return Outcome(ids={}, user_errors=(_not_found(),))
        if done.due:
            await append(transaction, _event(alarm_id, subject, done))
        return Outcome(ids={"alarm": alarm_id})

    return await once(store, asked, change, deadline=deadline)


def _allowed(principal: Principal) -> dict[str, object]:
    """Give the sources whose alarms a caller may touch, as parameters."""
    match principal.effective:
        case Role.OPERATOR:
            return {"everyone": True, "sources": []}
        case Role.SYSTEM if principal.sources:
            return {"everyone": False, "sources": list(principal.sources)}
        case _:
            raise Refused(
                "Only operators and surrounding systems acknowledge alarms",
                code="FORBIDDEN",
                hint="Ask with a token that has the role operator, or system:<name>",
            )


async def _acknowledge(transaction: Transaction, alarm_id: str, allowed: Mapping[str, object]) -> _Acknowledged | None:
    rows = await transaction.run(_ACKNOWLEDGE, {"alarm": alarm_id, **allowed})
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


def _not_found() -> UserError:
    # Also said of an alarm of another source: whoever may not touch it must not learn that it exists.
    return UserError(message="There is no such alarm", code=ALARM_NOT_FOUND, path=("alarmId",))
