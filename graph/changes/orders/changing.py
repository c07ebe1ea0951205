"""What an order asks for may be another as long as nobody works on it: its description, its priority, when it is wanted.

Items are not changed here: they say what is ordered, and another is another order. Operators also say when an order is expected to be
completed, until it is over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from graph.changes import events
from graph.changes.idempotency import Asked, once
from graph.changes.orders.known import VALUES, Order, locked, write_start
from graph.changes.orders.requests import check_interval, check_text, past_problem
from graph.changes.orders.rules import (
    DATE_IN_THE_PAST,
    ORDER_STATE,
    check_may,
    check_operator,
    no_order,
    not_done,
)
from graph.changes.orders.states import FINAL, may_be_changed
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.model.kinds import LONGEST
from graph.model.scope import Principal
from graph.store.store import Store, Transaction

Value: TypeAlias = str | int | None

EXPECTED: Final = "expectedCompletionAt"
_CHANGE: Final = """
MATCH (o:Order {id: $order})
SET o.description = $description, o.category = $category, o.priority = $priority, o.requestedStartAt = $requestedStartAt,
    o.requestedCompletionAt = $requestedCompletionAt, o.expectedCompletionAt = $expectedCompletionAt, o._version = $version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderChange:
    """What of an order is to be another."""

    order: str
    """its id."""
    values: Mapping[str, Value]
    """by the names of properties, of `known.VALUES`; None takes one away."""

    def __post_init__(self) -> None:
        if unknown := self.values.keys() - set(VALUES):
            raise ValueError(f"{min(unknown)} of an order is not changed")
        for name, value in self.values.items():
            if isinstance(value, str):
                check_text(value, name, **({} if name == "description" else {"most": LONGEST}))


async def change_order(
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    change: OrderChange,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Change what an order asks for; the outcome has the id of the `order`. What is so already is no change."""
    check_may_change(principal, policy, change)
    given = {"orderId": change.order, "values": dict(change.values)}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation="changeOrder", input=given)

    async def work(transaction: Transaction) -> Outcome:
        order = await locked(transaction, principal, change.order)
        if order is None:
            return no_order()
        if (refused := refused_change(order, change, policy)) is not None:
            return refused
        write_changed(transaction, principal, order, change)
        return Outcome(ids={"order": order.id})

    return await once(store, asked, work, deadline=deadline)


def check_may_change(principal: Principal, policy: AlarmPolicy, change: OrderChange) -> None:
    """Raise Refused for whoever may not change this of any order."""
    check_may(principal, policy, "changeOrder")
    if EXPECTED in change.values:
        check_operator(principal)


def refused_change(order: Order, change: OrderChange, policy: AlarmPolicy) -> Outcome | None:
    """Say why an order, which is locked, may not be changed so; None: it may. Nothing is written."""
    changed = _changed(order, change)
    return _problem(order, changed, policy) if changed else None


def write_changed(transaction: Transaction, principal: Principal, order: Order, change: OrderChange) -> None:
    """Write what of an order is another now; what may not be was refused before."""
    changed = _changed(order, change)
    if not changed:
        return
    values = {**order.values, **changed}
    told = order.event("OrderChanged", principal, order.said(changed=changed))
    transaction.later(_CHANGE, {"order": order.id, "version": order.version, **values})
    events.append(transaction, told)
    if "requestedStartAt" in changed:
        write_start(transaction, order, _time(values["requestedStartAt"]))


def _changed(order: Order, change: OrderChange) -> dict[str, Value]:
    return {name: value for name, value in change.values.items() if value != order.values[name]}


def _problem(order: Order, changed: Mapping[str, Value], policy: AlarmPolicy) -> Outcome | None:
    """Say why an order may not be changed so; None: it may."""
    is_fixed = order.state in FINAL if changed.keys() == {EXPECTED} else not may_be_changed(order.state)
    if is_fixed:
        return not_done(f"The order is {order.state}: what it asks for is fixed", ORDER_STATE, "orderId")
    start, end = (_time(changed.get(name)) for name in ("requestedStartAt", "requestedCompletionAt"))
    if past := past_problem(start, end, now=order.now, skew=policy.skew_ms):
        return not_done(past.message, DATE_IN_THE_PAST, *map(str, past.path))
    values = {**order.values, **changed}
    check_interval(_time(values["requestedStartAt"]), _time(values["requestedCompletionAt"]))
    return None


def _time(value: object) -> int | None:
    return value if isinstance(value, int) else None
