"""The timer of an order comes whenever anything of it has changed, or its time has come: what is next is done, one item at a time.

    works = {KIND: working(policy)}          # for graph.ledger.timers.keep_ringing

Whoever is there does it. The work is worked out from the order as it is then; a timer says only that it is time to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, assert_never, cast

from cachetools import LRUCache

from graph.changes.alarms.consequences import OURSELVES, By
from graph.changes.alarms.reassessment import reassess_some
from graph.changes.fulfilment import process, undoing
from graph.changes.fulfilment.failures import Failure
from graph.changes.fulfilment.lines import Line, demand_of, read_line, relies
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.fulfilment.process import ACTIVATE
from graph.changes.fulfilment.reserving import LeftToPeople, decide, reserve
from graph.changes.fulfilment.sending import Asked, ask
from graph.changes.fulfilment.turns import Begin, GiveUp, Leave, Wait, next_turn
from graph.changes.orders.known import Order, take, wait_for_people, write_phases
from graph.changes.orders.rules import FULFILMENT as KIND
from graph.ledger.timers import NEVER, Due, Work
from graph.processes import steps
from graph.processes.steps import Ended
from graph.store.store import Transaction

__all__ = ["KIND", "working", "works_of"]

MOST_FAILURES: Final = 8
"""attempts in a row to design one item, about twenty minutes; then people look."""
_MOST_REMEMBERED: Final = 1_000
"""orders that were in another's way."""
_NO_PRODUCT: Final = "its product is not in the catalogue any more"
_NO_NETWORK: Final = "no system is known any more that makes services"
_NOT_DESIGNED: Final = f"it could not be designed in {MOST_FAILURES} attempts"

_IN_USE: Final = """
MATCH (:Order {id: $order})-[:HAS_ITEM]->(i:OrderItem {action: 'add'})-[:PROVISIONS]->(s:Service {state: 'active'})
RETURN DISTINCT s.id ORDER BY s.id
"""
_OF_ITEM: Final = "MATCH (:OrderItem {id: $node})-[:PROVISIONS]->(s:Service) RETURN s.id"


def working(policy: FulfilmentPolicy) -> Work:
    """Make the work of the timers of orders."""
    wanted: LRUCache[str, set[str]] = LRUCache(_MOST_REMEMBERED)
    """By order, what an attempt that was in another's way has found that it needs."""

    async def work(transaction: Transaction, due: Due) -> int | None:
        order = await take(transaction, due.about)
        if order is None or not any(each.phase and not each.is_over for each in order.items):
            wanted.pop(due.about, None)
            await _look_again(transaction, policy, due.about)
            return None
        needed = await relies(transaction, order.id)
        start = cast("int | None", order.values["requestedStartAt"])
        turn = next_turn(order.items, needed, start=start, now=order.now)
        match turn:
            case Begin(item=item):
                if due.failures >= MOST_FAILURES:
                    _leave_to_people(transaction, order, item, _NOT_DESIGNED)
                else:
                    await _begin(transaction, policy, order, item, wanted.setdefault(order.id, set()))
            case Leave(item=item):
                await _leave(transaction, policy, order, item)
            case GiveUp(item=item, other=other):
                reason = Failure(word="ITEM", detail=f"It relies on item {other}, which is over and not completed")
                await _refuse(transaction, order, await read_line(transaction, order, item), reason)
            case Wait(until=until):
                wanted.pop(order.id, None)
                return NEVER if until is None else until
            case never:
                assert_never(never)
        wanted.pop(order.id, None)
        return order.now

    return work


async def _look_again(transaction: Transaction, policy: FulfilmentPolicy, order: str) -> None:
    """Find what has begun to hit a service of an order in the moment in which that was put into use."""
    services = [str(row[0]) for row in await transaction.run(_IN_USE, {"order": order})]
    if services:
        await reassess_some(transaction, By(principal=OURSELVES, policy=policy.alarms), services)


async def _begin(transaction: Transaction, policy: FulfilmentPolicy, order: Order, item: str, wanted: set[str]) -> None:
    """Design and reserve an item, and have the network make it; or say why that cannot be."""
    line = await read_line(transaction, order, item)
    product = policy.products.get(line.product)
    if product is None or not policy.selling.provisioning:  # the settings are others than when it was ordered
        _leave_to_people(transaction, order, item, _NO_NETWORK if product else _NO_PRODUCT)
        return
    demand = await demand_of(transaction, policy.alarms, order, line, product)
    if isinstance(demand, Failure):
        await _refuse(transaction, order, line, demand)
        return
    found = await decide(transaction, demand, policy.selling.overbooking, wanted)
    if isinstance(found, LeftToPeople):
        _leave_to_people(transaction, order, item, found.reason)
        return
    if isinstance(found, Failure):
        await _refuse(transaction, order, line, found)
        return
    reserved = reserve(transaction, line, product, found, order.external_id, demand.mbps)
    first, further = process.begun(line.node), process.further(line.node)
    steps.begin(transaction, [first, *further], at=order.now)
    process.done(transaction, order, [first], "reserved")
    process.move(transaction, order, item, "inProgress", phase="activating")
    step = next(each.id for each in further if each.name == ACTIVATE)
    asked = Asked(order=order.id, item=item, node=line.node, service=reserved.service, step=step)
    await ask(transaction, policy.selling.provisioning, asked, "create", subject=OURSELVES.subject)


async def _refuse(transaction: Transaction, order: Order, line: Line, failure: Failure) -> None:
    """Let an item fail that was looked at, and for which nothing is held."""
    first = process.begun(line.node)
    steps.begin(transaction, [first], at=order.now)
    refused = Ended(id=first.id, state="REFUSED", error=failure.detail, is_final=True)
    steps.end(transaction, [refused], at=order.now)
    process.note_failure(transaction, line.node, failure)
    process.move(transaction, order, line.item, "inProgress", phase="activating")
    process.move(transaction, order, line.item, "failed", phase="")


async def _leave(transaction: Transaction, policy: FulfilmentPolicy, order: Order, item: str) -> None:
    """Take back an item that somebody wants to cancel: one that has not begun holds nothing, and one that is taken back already waits for that."""
    if (
        process.item_of(order, item).phase == "activating"
    ):  # its service is locked before the customer, whom an event names
        node = order.nodes[item]
        rows = await transaction.run(_OF_ITEM, {"node": node})
        asked = Asked(order=order.id, item=item, node=node, service=str(rows[0][0]) if rows else "", step="")
        await undoing.take_back(transaction, policy, order, asked, None)
    phase = process.item_of(order, item).phase
    process.move(transaction, order, item, "pendingCancellation", phase=phase)
    if phase == "waits":
        process.move(transaction, order, item, "cancelled", phase="")


def _leave_to_people(transaction: Transaction, order: Order, item: str, why: str) -> None:
    """Let people carry out an item that waits; they are told why it is theirs."""
    items = (replace(each, phase="") if each.id == item else each for each in order.items)
    write_phases(transaction, order, tuple(items))
    process.note_detail(transaction, order.nodes[item], f"People carry it out: {why}")
    wait_for_people(transaction, order, f"item {item}: {why}")


def works_of(policy: FulfilmentPolicy) -> Mapping[str, Work]:
    """Give the work of each kind of timer; also where no network can be asked any more, since people must learn of what waits."""
    return {KIND: working(policy)}
