"""What the network says of a new service is known in the transaction in which its delivery is settled.

Rules. 1. Only what the network has confirmed is in use; at another rate than it was asked for it is taken away again, and the item fails.
2. What it has refused was never there: what is reserved is free at once. 3. Where nobody knows what became of it, it is taken away first.
4. What the network carries counts, where that is more than was asked for, until it is taken away. 5. What is being taken away since somebody has cancelled it is not put into use, whatever the network says of making it.
"""

from __future__ import annotations

from typing import Final

from graph import membership
from graph.changes.alarms.consequences import By
from graph.changes.fulfilment import process, undoing
from graph.changes.fulfilment.correlating import correlate
from graph.changes.fulfilment.failures import Failure
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.fulfilment.sending import Asked
from graph.changes.orders import known
from graph.changes.orders.known import Order
from graph.processes import steps, tasks
from graph.processes.steps import Ended
from graph.store.store import Transaction

_CARRIES: Final = "MATCH (s:Service {id: $service}) WHERE s.state = 'reserved' SET s._mayCarry = $mbps"
_DOUBT: Final = "MATCH (s:Service {id: $service}) WHERE s.state = 'reserved' SET s._doubt = $doubt"


async def hold(transaction: Transaction, asked: Asked) -> Order | None:
    """Lock what a new service is about, before its delivery is settled: its order, its ports and trunks, and the gate of slices."""
    order = await known.take(transaction, asked.order)
    await undoing.hold(transaction, asked.service)
    await membership.hold(transaction)
    return order


async def confirmed(  # noqa: PLR0913 - what an answer says
    transaction: Transaction,
    policy: FulfilmentPolicy,
    by: By,
    order: Order,
    asked: Asked,
    *,
    mbps: int,
    asked_mbps: int,
) -> None:
    """Take note that the network carries a new service at a rate (Mbit/s); `asked_mbps` is the one that it was asked for."""
    if not _is_activating(order, asked):
        return
    if mbps != asked_mbps:
        said = f"The network carries {mbps} Mbit/s, and was asked for {asked_mbps}"
        if mbps > asked_mbps:
            transaction.later(_CARRIES, {"service": asked.service, "mbps": mbps})
        await _fail(transaction, policy, order, asked, Failure(word="PROVISIONING", detail=said))
    elif (failure := await correlate(transaction, policy, by, order, asked)) is not None:
        await _fail(transaction, policy, order, asked, failure)


async def refused(transaction: Transaction, order: Order, asked: Asked, *, reason: str) -> None:
    """Take note that the network has not made a new service, and will not."""
    _end(transaction, order, asked, reason)
    if _is_activating(order, asked):
        await undoing.give_up(transaction, order, asked, Failure(word="PROVISIONING", detail=reason))


async def unknown(
    transaction: Transaction, policy: FulfilmentPolicy, order: Order, asked: Asked, *, reason: str, may_come: bool
) -> None:
    """Take note that nobody knows whether the network has made a new service; `may_come`: it may still do so."""
    _end(transaction, order, asked, reason)
    if may_come:
        transaction.later(_DOUBT, {"service": asked.service, "doubt": reason})
    if _is_activating(order, asked):
        await _fail(transaction, policy, order, asked, Failure(word="PROVISIONING", detail=reason))


async def removed(transaction: Transaction, order: Order, asked: Asked) -> None:
    """Take note that a service is not in the network any more."""
    if process.item_of(order, asked.item).phase == "removing":
        await undoing.given_back(transaction, order, asked, "taken away")
        tasks.close_task(transaction, kind=undoing.NOT_REMOVED, about=asked.node, at=order.now)


def not_removed(transaction: Transaction, order: Order, asked: Asked, *, reason: str) -> None:
    """Take note that the network has not taken a service away."""
    if process.item_of(order, asked.item).phase == "removing":
        undoing.keep_held(transaction, order, asked, reason)


def _is_activating(order: Order, asked: Asked) -> bool:
    """Tell whether an item is still to be carried out; one that somebody wants to cancel is taken back by its timer."""
    item = process.item_of(order, asked.item)
    return item.phase == "activating" and item.state == "inProgress"


async def _fail(
    transaction: Transaction, policy: FulfilmentPolicy, order: Order, asked: Asked, failure: Failure
) -> None:
    await undoing.take_back(transaction, policy, order, asked, failure)


def _end(transaction: Transaction, order: Order, asked: Asked, reason: str) -> None:
    steps.end(transaction, [Ended(id=asked.step, state="REFUSED", error=reason, is_final=True)], at=order.now)
