"""A patch may change what an order asks for and move it: both are done in one transaction, or neither is.

A repetition is known by the patch as it came, and never by the difference that it would make by then: whoever asks again for what somebody has
changed meanwhile is told what came of the first time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graph.changes.idempotency import Asked, once, remembered
from graph.changes.orders.changing import OrderChange, check_may_change, refused_change, write_changed
from graph.changes.orders.known import locked
from graph.changes.orders.moving import Advance, items_after, write_advanced
from graph.changes.orders.rules import check_operator, no_order
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal
from graph.store.store import Store, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Amendment:
    """What a patch asks of an order."""

    change: OrderChange
    """without values: nothing."""
    advance: Advance
    """without moves: nothing."""
    patch: Mapping[str, Any]
    """as it came: that is what makes a repetition one."""


async def amend_order(
    store: Store,
    principal: Principal,
    policy: AlarmPolicy,
    amendment: Amendment,
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome:
    """Change and move an order; the outcome has the id of the `order`. All of it is checked before anything is written."""
    change, advance = amendment.change, amendment.advance
    if change.values:
        check_may_change(principal, policy, change)
    if advance.moves:
        check_operator(principal)

    async def work(transaction: Transaction) -> Outcome:
        order = await locked(transaction, principal, change.order)
        if order is None:
            return no_order()
        if (refused := refused_change(order, change, policy)) is not None:
            return refused
        items = items_after(order, advance)
        if isinstance(items, Outcome):
            return items
        write_changed(transaction, principal, order, change)
        write_advanced(transaction, principal, order, advance, items)
        return Outcome(ids={"order": order.id})

    return await once(store, _asked(principal, change.order, amendment.patch, idempotency_key), work, deadline=deadline)


async def amended_before(
    store: Store,
    principal: Principal,
    order: str,
    patch: Mapping[str, Any],
    *,
    idempotency_key: str,
    deadline: float,
) -> Outcome | None:
    """Give what came of this very patch, asked for under this key before; None: it was not."""
    return await remembered(store, _asked(principal, order, patch, idempotency_key), deadline=deadline)


def _asked(principal: Principal, order: str, patch: Mapping[str, Any], key: str) -> Asked:
    given = {"orderId": order, "patch": patch}
    return Asked(subject=principal.subject, client_key=key, operation="patchOrder", input=given)
