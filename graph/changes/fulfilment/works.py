"""The timer of an order comes whenever anything of it has changed, or its time has come: what is next is done, one item at a time.

    works = {KIND: working(policy)}          # for graph.ledger.timers.keep_ringing

Whoever is there does it. The work is worked out from the order as it is then; a timer says only that it is time to look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, assert_never, cast

from graph.changes.alarms.consequences import OURSELVES
from graph.changes.bandwidth.boosts import NEVER
from graph.changes.fulfilment import process, undoing
from graph.changes.fulfilment.failures import Failure
from graph.changes.fulfilment.lines import Line, demand_of, read_line, relies
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.fulfilment.process import ACTIVATE
from graph.changes.fulfilment.reserving import decide, reserve
from graph.changes.fulfilment.sending import Asked, ask
from graph.changes.fulfilment.turns import Begin, GiveUp, Leave, Wait, next_turn
from graph.changes.orders.known import Order, take, wait_for_people, write_phases
from graph.changes.orders.rules import FULFILMENT as KIND
from graph.ledger.timers import Due, Work
from graph.processes import steps
from graph.processes.steps import Ended
from graph.store.store import Transaction

__all__ = ["KIND", "working", "works_of"]

_OF_ITEM: Final = "MATCH (:OrderItem {id: $node})-[:PROVISIONS]->(s:Service) RETURN s.id"


def working(policy: FulfilmentPolicy) -> Work:
    """Make the work of the timers of orders."""
    wanted: dict[str, set[str]] = {}
    """By order, what an attempt that was in another's way has found that it needs."""

    async def work(transaction: Transaction, due: Due) -> int | None:
        order = await take(transaction, due.about)
        if order is None or not any(each.phase and not each.is_over for each in order.items):
            wanted.pop(due.about, None)
            return None
        needed = await relies(transaction, order.id)
        start = cast("int | None", order.values["requestedStartAt"])
        turn = next_turn(order.items, needed, start=start, now=order.now)
        match turn:
            case Begin(item=item):
                await _begin(transaction, policy, order, item, wanted.setdefault(order.id, set()))
            case Leave(item=item):
                await _leave(transaction, policy, order, item)
            case GiveUp(item=item, other=other):
                reason = Failure(word="ITEM", detail=f"It relies on item {other}, which is not there")
                await _refuse(transaction, order, await read_line(transaction, order, item), reason)
            case Wait(until=until):
                wanted.pop(order.id, None)
                return NEVER if until is None else until
            case never:
                assert_never(never)
        wanted.pop(order.id, None)
        return order.now

    return work


async def _begin(transaction: Transaction, policy: FulfilmentPolicy, order: Order, item: str, wanted: set[str]) -> None:
    """Design and reserve an item, and have the network make it; or say why that cannot be."""
    line = await read_line(transaction, order, item)
    product = policy.products.get(line.product)
    if product is None:  # it was taken out of the catalogue meanwhile
        _leave_to_people(transaction, order, item)
        return
    demand = await demand_of(transaction, policy.alarms, order, line, product)
    if isinstance(demand, Failure):
        await _refuse(transaction, order, line, demand)
        return
    found = await decide(transaction, demand, policy.selling.overbooking, wanted)
    if found is None:  # there may be a way, and there may be none
        _leave_to_people(transaction, order, item)
        return
    if isinstance(found, Failure):
        await _refuse(transaction, order, line, found)
        return
    reserved = reserve(transaction, line, product, found, order.external_id, demand.mbps)
    first, further = process.begun(line.node), process.further(line.node, policy)
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
    """Take back an item that somebody wants to cancel; one that has not begun holds nothing, and one that fails is being taken back."""
    phase = process.item_of(order, item).phase
    process.move(transaction, order, item, "pendingCancellation", phase=phase)
    if phase == "waits":
        process.move(transaction, order, item, "cancelled", phase="")
    if phase != "activating":
        return
    node = order.nodes[item]
    [[service]] = await transaction.run(_OF_ITEM, {"node": node})
    asked = Asked(order=order.id, item=item, node=node, service=str(service), step="")
    await undoing.take_back(transaction, policy, order, asked, None)


def _leave_to_people(transaction: Transaction, order: Order, item: str) -> None:
    items = (replace(each, phase="") if each.id == item else each for each in order.items)
    write_phases(transaction, order, tuple(items))
    wait_for_people(transaction, order)


def works_of(policy: FulfilmentPolicy) -> Mapping[str, Work]:
    """Give the work of each kind of timer; none where no network can be asked."""
    return {KIND: working(policy)} if policy.selling.provisioning else {}
