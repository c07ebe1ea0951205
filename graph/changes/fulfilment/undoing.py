"""What was reserved is taken back: first in the network, where something may have been made, and then what it holds is free.

Rules. 1. Nothing is given back before the network has said that nothing is there. 2. Where it does not say so, a person is asked by a task,
and all stays held. 3. An item that somebody wants to cancel becomes cancelled, any other failed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, cast

from graph.changes.alarms.consequences import OURSELVES
from graph.changes.bandwidth.boosts import hold_things
from graph.changes.fulfilment import process
from graph.changes.fulfilment.failures import Failure
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.fulfilment.process import ACTIVATE, CORRELATE, RESERVE, TELL
from graph.changes.fulfilment.sending import Asked, ask
from graph.changes.orders import known
from graph.changes.orders.known import Order, write_phases
from graph.changes.orders.states import LEAVING
from graph.processes import steps, tasks
from graph.processes.steps import Ended
from graph.processes.tasks import Opened
from graph.store.store import Transaction

NOT_REMOVED: Final = "serviceNotRemoved"
"""The kind of the task for a service that the network did not take away."""

_HELD: Final = """
MATCH (:Service {id: $service})-[:ACCESSED_AT|ROUTED_OVER]->(t)
RETURN DISTINCT t.id
"""
_END_CONTRACT: Final = (
    "MATCH (s:Service {id: $service})-[:GOVERNED_BY]->(l:Sla) WHERE s.state = 'reserved' DETACH DELETE l"
)
_RELEASE: Final = "MATCH (s:Service {id: $service}) WHERE s.state = 'reserved' DETACH DELETE s"
_OF_ITEM: Final = """
MATCH (o:Order)-[:HAS_ITEM]->(i:OrderItem {id: $node})
RETURN o.id, i.externalId, HEAD(COLLECT { MATCH (i)-[:PROVISIONS]->(s:Service) RETURN s.id })
"""


async def hold(transaction: Transaction, service: str) -> None:
    """Lock the ports and trunks of a service, before it is given back."""
    rows = await transaction.run(_HELD, {"service": service})
    await hold_things(transaction, (str(row[0]) for row in rows))


async def give_up(transaction: Transaction, order: Order, asked: Asked, failure: Failure) -> None:
    """Let an item fail of which nothing is in the network; what it holds, which is locked, is free."""
    process.note_failure(transaction, asked.node, failure)
    await process.skip(transaction, order, asked.node, ACTIVATE, CORRELATE, TELL)
    release(transaction, asked.service)
    process.move(transaction, order, asked.item, "failed", phase="")


async def take_back(
    transaction: Transaction, policy: FulfilmentPolicy, order: Order, asked: Asked, failure: Failure | None
) -> None:
    """Have the network take a service away; without a failure, since somebody wants to cancel the item."""
    if failure is not None:
        process.note_failure(transaction, asked.node, failure)
    await process.skip(transaction, order, asked.node, CORRELATE, TELL)
    first, second = process.undone(asked.node)
    steps.begin(transaction, [first, second], at=order.now)
    items = (replace(each, phase="removing") if each.id == asked.item else each for each in order.items)
    write_phases(transaction, order, tuple(items))
    await _ask_to_remove(transaction, policy, order, replace(asked, step=first.id))


async def _ask_to_remove(transaction: Transaction, policy: FulfilmentPolicy, order: Order, asked: Asked) -> None:
    """Ask the network to take a service away; a person, where it cannot be asked."""
    provisioning = policy.selling.provisioning
    if not provisioning:
        keep_held(transaction, order, asked, "no system is known any more that makes services")
    elif not await ask(transaction, provisioning, asked, "delete", subject=OURSELVES.subject):
        keep_held(transaction, order, asked, "the service is not in the graph any more")


async def given_back(transaction: Transaction, order: Order, asked: Asked, receipt: str) -> None:
    """Let an item be over whose service is not in the network any more; what it holds, which is locked, is free."""
    found = await process.open_steps(transaction, asked.node)
    waiting = [each for each in found if each.boundary == "RETURN" and each.name == ACTIVATE]
    process.done(transaction, order, waiting, receipt)
    process.done(transaction, order, (each for each in found if each.name == RESERVE), "given back")
    await process.skip(transaction, order, asked.node, ACTIVATE)
    release(transaction, asked.service)
    item = process.item_of(order, asked.item)
    if item.state == "assessingCancellation":  # the network was quicker than whoever looks at it
        process.move(transaction, order, asked.item, "pendingCancellation", phase=item.phase)
    is_cancelled = item.state in LEAVING
    process.move(transaction, order, asked.item, "cancelled" if is_cancelled else "failed", phase="")


def keep_held(transaction: Transaction, order: Order, asked: Asked, reason: str) -> None:
    """Ask a person, since the network did not take a service away; all that it holds stays held."""
    refused = Ended(id=asked.step, state="REFUSED", error=reason)
    steps.end(transaction, [refused], at=order.now)
    said = f"The network did not take the service {asked.service} away, and what it holds stays held: {reason}"
    tasks.open_task(transaction, Opened(kind=NOT_REMOVED, about=asked.node, reason=said), at=order.now)


def release(transaction: Transaction, service: str) -> None:
    """Give back what a service holds that is reserved: it is no more."""
    transaction.later(_END_CONTRACT, {"service": service})
    transaction.later(_RELEASE, {"service": service})


async def try_again(transaction: Transaction, policy: FulfilmentPolicy, node: str) -> None:
    """Have the network take a service away once more, since a person says so."""
    found = await _removing(transaction, node)
    if found is not None:
        await _ask_to_remove(transaction, policy, *found)


async def believe(transaction: Transaction, node: str) -> None:
    """Give back what a service holds, since a person says that it is not in the network any more."""
    found = await _removing(transaction, node)
    if found is not None:
        order, asked = found
        await hold(transaction, asked.service)
        await given_back(transaction, order, asked, "a person has seen to it")


async def _removing(transaction: Transaction, node: str) -> tuple[Order, Asked] | None:
    """Lock the order of an item whose service is being taken away; None: it is not."""
    rows = cast("list[tuple[str, str, str | None]]", await transaction.run(_OF_ITEM, {"node": node}))
    for of, item, service in rows:
        order = await known.take(transaction, of)
        if order is None or process.item_of(order, item).phase != "removing":
            return None
        open_ = await process.open_steps(transaction, node)
        step = next(each.id for each in open_ if each.boundary == "RETURN" and each.name == ACTIVATE)
        return order, Asked(order=of, item=item, node=node, service=service or "", step=step)
    return None
