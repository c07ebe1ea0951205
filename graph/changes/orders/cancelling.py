"""Somebody asks to cancel an order: at once where nobody has begun, else somebody has to say whether that can be.

What is asked for is kept, with what becomes of it: `done`, or `terminatedWithError` where the order goes on.

Rules. 1. An order that waits, and was never begun, is cancelled with the request. 2. Of any other it is assessed: a task is open until an
operator has answered by moving the order (`moving.py`). 3. An order that is over is not cancelled, and neither is one that is being
cancelled. 4. A date that is asked for is kept; the request counts from now.

    request = Cancellation(order="order-1", reason="The office moves")
    outcome = await cancel_order(store, customer, policy, request, idempotency_key="k", deadline=soon)
    outcome.ids                    # {"order": "order-1", "cancellation": "ordercancellation-..."}
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import uuid_utils

from graph.changes import events
from graph.changes.idempotency import Asked, once
from graph.changes.orders import states
from graph.changes.orders.known import Order, locked, write_moved
from graph.changes.orders.requests import check_text
from graph.changes.orders.rules import ORDER_STATE, check_may, no_order, not_done
from graph.changes.orders.states import NotAllowed
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.model.model import LABELS
from graph.model.scope import Principal
from graph.store.store import Store, Transaction

_ASK: Final = """
MATCH (o:Order {id: $order})
CREATE (x:OrderCancellation {
  id: $id, kind: $kind, system: $system, state: 'accepted', reason: $reason, requestedFor: $requestedFor, askedAt: $now,
  _items: $items
})
CREATE (x)-[:CANCELS]->(o)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancellation:
    """That an order is to be cancelled."""

    order: str
    """its id."""
    reason: str = ""
    requested_for: int | None = None
    """epoch milliseconds."""
    kind: str = ""
    """of what the order must be; empty: of anything. An order of the other API is one that is not there."""

    def __post_init__(self) -> None:
        check_text(self.reason, "reason")


async def cancel_order(
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    asked_for: Cancellation,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Ask to cancel an order; the outcome has the ids of the `order` and of the `cancellation`."""
    check_may(principal, policy, "cancelOrder")
    given = {
        "orderId": asked_for.order,
        "reason": asked_for.reason,
        "requestedFor": asked_for.requested_for,
        "kind": asked_for.kind,
    }
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="cancelOrder", input=given)

    async def change(transaction: Transaction) -> Outcome:
        order = await locked(transaction, principal, asked_for.order)
        if order is None or asked_for.kind not in ("", order.kind):
            return no_order()
        return _cancel(transaction, principal, order, asked_for)

    return await once(store, asked, change, deadline=deadline)


def _cancel(transaction: Transaction, principal: Principal, order: Order, asked_for: Cancellation) -> Outcome:
    try:
        items = states.move(order.items, states.cancelling(order.items, has_begun=order.has_begun))
    except NotAllowed as problem:
        return not_done(str(problem), ORDER_STATE, "orderId")
    cancellation = f"{LABELS['OrderCancellation'].id_prefix}{uuid_utils.uuid7()}"
    open_items = sorted(each.id for each in order.items if not each.is_over)
    given = {
        "id": cancellation,
        "items": open_items,
        "reason": asked_for.reason or None,
        "requestedFor": asked_for.requested_for,
    }
    transaction.later(_ASK, {"order": order.id, "kind": order.kind, "system": order.system, "now": order.now, **given})
    order.cancellation = (cancellation, "accepted", frozenset(open_items))
    said = order.said(cancellation=cancellation, cancellationState="accepted", reason=asked_for.reason or None)
    events.append(transaction, order.event("OrderCancellationRequested", principal, said))
    write_moved(transaction, principal, order, items, reason=asked_for.reason)
    return Outcome(ids={"order": order.id, "cancellation": cancellation})
