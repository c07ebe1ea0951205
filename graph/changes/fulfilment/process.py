"""The steps of an item that is carried out by itself, and how the item moves with them.

    reserve (TRUNKLINE)  ->  activate (NETWORK)  ->  correlate (TRUNKLINE)  ->  tell (each other system)

They are undone in reverse, as steps of their own: activate, which has the network take the service away, and reserve, which gives back
what it holds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from graph.changes.alarms.consequences import OURSELVES
from graph.changes.fulfilment.failures import Failure
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.orders import states
from graph.changes.orders.known import Order, write_moved
from graph.changes.orders.states import Item, Phase
from graph.processes import steps
from graph.processes.steps import Ended, OpenStep, Step
from graph.store.store import Transaction

RESERVE: Final = "reserve"
ACTIVATE: Final = "activate"
CORRELATE: Final = "correlate"
TELL: Final = "tell"

_FAIL: Final = "MATCH (i:OrderItem {id: $item}) SET i.failure = $word, i.failureDetail = $detail"


def begun(node: str) -> Step:
    """Make the step by which an item begins."""
    return Step(about=node, name=RESERVE, boundary="START", system="TRUNKLINE", stage=0)


def further(node: str) -> tuple[Step, Step]:
    """Make the steps that follow when it is reserved: the network's, and ours when that has confirmed it."""
    return (
        Step(about=node, name=ACTIVATE, boundary="START", system="NETWORK", stage=1),
        Step(about=node, name=CORRELATE, boundary="START", system="TRUNKLINE", stage=2),
    )


def telling(node: str, policy: FulfilmentPolicy) -> tuple[Step, ...]:
    """Make the steps by which others are told, when it is in use: by the settings as they are then, as the deliveries are."""
    return tuple(Step(about=node, name=TELL, boundary="START", system=each, stage=3) for each in policy.told)


def undone(node: str) -> tuple[Step, Step]:
    """Make the steps by which what was reserved is taken back."""
    return (
        Step(about=node, name=ACTIVATE, boundary="RETURN", system="NETWORK", stage=0),
        Step(about=node, name=RESERVE, boundary="RETURN", system="TRUNKLINE", stage=1),
    )


async def open_steps(transaction: Transaction, node: str) -> tuple[Step, ...]:
    """Give the steps of an item that are open."""
    found: tuple[OpenStep, ...] = await steps.open_steps(transaction, [node])
    return tuple(each.step for each in found)


async def skip(transaction: Transaction, order: Order, node: str, *names: str) -> None:
    """Skip the open steps of these names by which an item would have been carried out: nothing has to be done any more."""
    found = await open_steps(transaction, node)
    over = [each.id for each in found if each.boundary == "START" and each.name in names]
    steps.end(transaction, (Ended(id=each, state="SKIPPED") for each in over), at=order.now)


def done(transaction: Transaction, order: Order, of: Iterable[Step], receipt: str) -> None:
    """Write that steps of ours are done."""
    steps.end(transaction, (Ended(id=each.id, state="DONE", receipt=receipt) for each in of), at=order.now)


def item_of(order: Order, item: str) -> Item:
    """Give an item of an order."""
    return next(each for each in order.items if each.id == item)


def move(transaction: Transaction, order: Order, item: str, to: str, *, phase: Phase) -> None:
    """Move an item, with the events of it; `phase` is how far it is then."""
    moved = states.move(order.items, to, only=item)
    write_moved(
        transaction, OURSELVES, order, tuple(replace(each, phase=phase) if each.id == item else each for each in moved)
    )


def note_failure(transaction: Transaction, node: str, failure: Failure) -> None:
    """Keep why an item fails, for whoever asks."""
    transaction.later(_FAIL, {"item": node, "word": failure.word, "detail": failure.detail})


def note_detail(transaction: Transaction, node: str, detail: str) -> None:
    """Keep for operators what there is to say of an item that has not failed."""
    transaction.later(_FAIL, {"item": node, "word": None, "detail": detail})
