"""People carry orders out and say how far they are: items move, the order follows, and whoever has placed it hears of each state.

Operators only. What is moved is one item, some, or all that people carry out and that are not over; nothing is moved where one of them may not move so
(`states.py`). An operator also answers here whether an order that somebody wants to cancel is cancelled: it becomes pendingCancellation
or goes on.

    outcome = await advance_order(store, operator, Advance(order="order-1", moves=(Move(to="inProgress"),)), idempotency_key="k", deadline=soon)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from graph.changes.idempotency import Asked, once
from graph.changes.orders import states
from graph.changes.orders.known import Order, locked, wait_for_people, write_moved
from graph.changes.orders.requests import check_text
from graph.changes.orders.rules import ITEM_NOT_FOUND, ORDER_STATE, check_operator, no_order, not_done
from graph.changes.orders.states import Item, NotAllowed
from graph.changes.outcome import Outcome
from graph.model.scope import Principal
from graph.store.store import Store, Transaction

ADVANCE: Final = "advanceOrder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What becomes of an item."""

    to: str
    """a state."""
    item: str = ""
    """its id within the order; empty: of all that people carry out and that are not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advance:
    """What becomes of an order."""

    order: str
    """its id."""
    moves: tuple[Move, ...]
    """one after the other; all of them are made, or none."""
    reason: str = ""

    def __post_init__(self) -> None:
        check_text(self.reason, "reason")


async def advance_order(
    store: Store, principal: Principal, advance: Advance, *, idempotency_key: str, deadline: float
) -> Outcome:
    """Move items of an order; the outcome has the id of the `order`. What is so already is no change."""
    check_operator(principal)
    moves = [[each.item, each.to] for each in advance.moves]
    given = {"orderId": advance.order, "moves": moves, "reason": advance.reason}
    asked = Asked(subject=principal.subject, client_key=idempotency_key, operation=ADVANCE, input=given)

    async def change(transaction: Transaction) -> Outcome:
        order = await locked(transaction, principal, advance.order)
        if order is None:
            return no_order()
        items = items_after(order, advance)
        if isinstance(items, Outcome):
            return items
        write_advanced(transaction, principal, order, advance, items)
        return Outcome(ids={"order": order.id})

    return await once(store, asked, change, deadline=deadline)


def items_after(order: Order, advance: Advance) -> tuple[Item, ...] | Outcome:
    """Give what the items of an order, which is locked, become; the refusal where one may not. Nothing is written."""
    unknown = next((each for each in advance.moves if each.item and each.item not in order.nodes), None)
    if unknown is not None:
        return not_done(f"The order has no item {unknown.item}", ITEM_NOT_FOUND, "itemId")
    try:
        items = moved(order.items, advance.moves)
    except NotAllowed as problem:
        return not_done(str(problem), ORDER_STATE, "state")
    pairs = zip(items, order.items, strict=True)
    if any(was.is_under_way and each.state != was.state for each, was in pairs):
        return not_done("It is being carried out by itself: it can only be cancelled", ORDER_STATE, "state")
    return items


def write_advanced(
    transaction: Transaction, principal: Principal, order: Order, advance: Advance, items: Sequence[Item]
) -> None:
    """Write what the items of an order have become; what was carried out by itself, and is moved by people, is theirs."""
    items, before = _taken_over(order, items), order.items
    if any(each.to == "inProgress" for each in advance.moves):
        order.begin()
    write_moved(transaction, principal, order, items, reason=advance.reason)
    if any(was.phase and each.is_of_people for each, was in zip(items, before, strict=True)):
        wait_for_people(transaction, order)


def _taken_over(order: Order, items: Sequence[Item]) -> tuple[Item, ...]:
    pairs = zip(items, order.items, strict=True)
    return tuple(each if each.state == was.state else replace(each, phase="") for each, was in pairs)


def moved(items: Sequence[Item], moves: Sequence[Move]) -> tuple[Item, ...]:
    """Make moves one after the other; raises NotAllowed at the first that may not be."""
    for each in moves:
        items = states.move(items, each.to, only=each.item) if each.item else _moved_of_people(items, each.to)
    return tuple(items)


def _moved_of_people(items: Sequence[Item], to: str) -> Sequence[Item]:
    """Move all that people carry out; what is carried out by itself is only theirs where they name it."""
    theirs = [each for each in items if not each.phase]
    if any(each.phase for each in items) and all(each.is_over for each in theirs):
        raise NotAllowed("It is carried out by itself: name the item that you move")
    after = {each.id: each for each in states.move(theirs, to)}
    return [after.get(each.id, each) for each in items]
