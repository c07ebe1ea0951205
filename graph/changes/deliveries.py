"""A delivery that was parked is told again when somebody says so, and it is known who did.

The reason for which it was parked may be gone: the other system was mended, a wrong answer explained. Replaying makes it
due at once, as if it had never been tried; that it may have been heard before is still known, since the other system is
asked by its order key first. What was held behind it waits for it again, and counts as waiting from now on.
"""

from __future__ import annotations

from typing import Final, cast

from graph.changes.events import Event, append
from graph.changes.idempotency import Asked, once
from graph.changes.outcome import Outcome, UserError
from graph.errors import Refused
from graph.ledger.outcomes import release
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction

DELIVERY_NOT_FOUND: Final = "DELIVERY_NOT_FOUND"

# One attempt is kept: whoever tells it then looks first whether the other system has it already.
_REPLAY: Final = """
MATCH (d:Delivery {id: $delivery})
SET d._lock = true
REMOVE d._lock
WITH d, d.state = 'DEAD' AS due, datetime.realtime().epochMillis AS now
SET d.state = CASE WHEN due THEN 'READY' ELSE d.state END,
    d.waiting = CASE WHEN due THEN d.lane ELSE d.waiting END,
    d.due = CASE WHEN due THEN d.lane ELSE d.due END,
    d.queued = CASE WHEN due THEN d.system + '#' + toString(now) ELSE d.queued END,
    d.parked = CASE WHEN due THEN null ELSE d.parked END,
    d.parkedFor = CASE WHEN due THEN null ELSE d.parkedFor END,
    d.attempts = CASE WHEN due THEN 1 ELSE d.attempts END,
    d._suspended = CASE WHEN due THEN null ELSE d._suspended END,
    d.since = CASE WHEN due THEN now ELSE d.since END,
    d.nextAt = CASE WHEN due THEN now ELSE d.nextAt END,
    d._version = coalesce(d._version, 0) + CASE WHEN due THEN 1 ELSE 0 END
RETURN due, now, d._version
"""


async def replay_delivery(
    store: Store, principal: Principal, *, delivery_id: str, idempotency_key: str, deadline: float
) -> Outcome:
    """Make a parked delivery due again; one that is not parked stays as it is. The outcome has the id of the `delivery`."""
    if principal.effective is not Role.OPERATOR:
        raise Refused(
            "Only operators replay deliveries", code="FORBIDDEN", hint="Ask with a token that has the role operator"
        )
    given = {"deliveryId": delivery_id}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="replayDelivery", input=given)

    async def change(transaction: Transaction) -> Outcome:
        if not await replay(transaction, delivery_id, principal.subject):
            return Outcome(ids={}, user_errors=(_not_found(),))
        return Outcome(ids={"delivery": delivery_id})

    return await once(store, asked, change, deadline=deadline)


async def replay(transaction: Transaction, delivery_id: str, subject: str) -> bool:
    """Make a parked delivery due again in a transaction; False: there is no such delivery."""
    rows = await transaction.run(_REPLAY, {"delivery": delivery_id})
    for due, now, version in cast("list[tuple[bool, int, int]]", rows):
        if due:
            release(transaction, delivery_id, now=now)
            append(transaction, _event(delivery_id, subject, now, version))
    return bool(rows)


def _event(delivery_id: str, subject: str, now: int, version: int) -> Event:
    return Event(
        type="DeliveryReplayed",
        aggregate_id=delivery_id,
        aggregate_version=version,
        at=now,
        principal=subject,
        payload={"delivery": delivery_id},
        customers=(),
    )


def _not_found() -> UserError:
    return UserError(message="There is no such delivery", code=DELIVERY_NOT_FOUND, path=("deliveryId",))
