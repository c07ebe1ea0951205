"""How orders and their items move, as TM Forum publishes it (TMF622 and TMF641, version 4): written once, for whoever moves them.

An item moves from state to state; an order does not move by itself: its state follows from those of its items.

Rules. 1. What is rejected, cancelled, completed or failed stays so. 2. Before anything has begun an order may be rejected, and is cancelled as
soon as that is asked for. 3. Once something has begun, to cancel is first assessed: the answer is that it goes on, or that it is
cancelled, which takes its time (pendingCancellation). 4. An order is over when all of its items are: it has the state that they share,
and is partial where some are completed and others are not. 5. Until then it says what somebody has to look at first. 6. Items with the
action noChange are only there for the others: they are completed from the start, and count for nothing.

Pure.

>>> items = [Item(id="1", action="add", state="inProgress"), Item(id="2", action="add", state="failed")]
>>> moved = move(items, "completed", only="1")
>>> [each.state for each in moved], order_state(moved)
(['completed', 'failed'], 'partial')
>>> move(moved, "inProgress", only="2")
Traceback (most recent call last):
    ...
graph.changes.orders.states.NotAllowed: An item that is failed stays so
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from graph.model.vocabulary import ORDER_ACTIONS, ORDER_STATES

Cancelling: TypeAlias = Literal["cancelled", "assessingCancellation"]
Phase: TypeAlias = Literal["", "waits", "activating", "removing"]
"""Of an item that is carried out by itself (graph/changes/fulfilment): it waits for its time, its service is being made in the network, or is
being taken away there. Of one that is over it says nothing."""

FIRST: Final = "acknowledged"
ITEM_STATES: Final = tuple(each for each in ORDER_STATES if each != "partial")
"""What items become."""
FINAL: Final = frozenset({"rejected", "cancelled", "completed", "failed", "partial"})
"""States of what is over; `partial` is what orders become."""
WAITING: Final = frozenset({"acknowledged", "pending", "held"})
"""States of what nobody works on."""
LEAVING: Final = frozenset({"assessingCancellation", "pendingCancellation"})
"""States of what somebody wants to cancel."""
NEXT: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "acknowledged": frozenset(
            {"rejected", "pending", "held", "inProgress", "assessingCancellation", "cancelled"},
        ),
        "pending": frozenset({"held", "inProgress", "failed", "assessingCancellation", "cancelled"}),
        "held": frozenset({"pending", "inProgress", "failed", "assessingCancellation", "cancelled"}),
        "inProgress": frozenset({"pending", "held", "completed", "failed", "assessingCancellation"}),
        "assessingCancellation": frozenset({"pending", "held", "inProgress", "pendingCancellation"}),
        "pendingCancellation": frozenset({"cancelled", "failed"}),
    }
)
"""State of an item -> those that may follow; what is over has none."""
_FIRST_TO_LOOK_AT: Final = ("assessingCancellation", "pendingCancellation", "held", "pending")
"""What makes an order wait for somebody, the most urgent first."""
_KEPT: Final = "noChange"


class NotAllowed(ValueError):
    """A state that may not follow; the message says which, and what may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One item of an order, as far as rules look at it."""

    id: str
    """within the order."""
    action: str
    """one of `graph.model.vocabulary.ORDER_ACTIONS`."""
    state: str
    """one of `graph.model.vocabulary.ORDER_STATES`; one that was loaded may be partial."""
    phase: Phase = ""
    """how far we are that carry it out by ourselves; empty: people do."""

    def __post_init__(self) -> None:
        if self.action not in ORDER_ACTIONS or self.state not in ORDER_STATES:
            raise ValueError(f"no item of an order: {self.action}, {self.state}")

    @property
    def is_over(self) -> bool:
        """Whether it stays as it is."""
        return self.state in FINAL

    @property
    def is_of_people(self) -> bool:
        """Whether people carry it out, and it is not over."""
        return not self.phase and not self.is_over

    @property
    def is_under_way(self) -> bool:
        """Whether it is carried out by itself, and that has begun: nobody else moves it, but for asking to cancel it."""
        return self.phase in ("activating", "removing") and not self.is_over


def first_state(action: str) -> str:
    """Give the state of a new item."""
    return "completed" if action == _KEPT else FIRST


def order_state(items: Iterable[Item]) -> str:
    """Give the state of an order with these items.

    >>> order_state([Item(id="1", action="add", state="held"), Item(id="2", action="noChange", state="completed")])
    'held'
    """
    every = list(items)
    states = {each.state for each in every if each.action != _KEPT} or {each.state for each in every}
    if not states:
        raise ValueError("an order has items")
    if len(states) == 1:
        return states.pop()
    return _over(states) if states <= FINAL else _open(states)


def _over(states: set[str]) -> str:
    """Give the state of an order whose items are over in several ways."""
    if states & {"completed", "partial"}:
        return "partial"
    return "failed" if "failed" in states else "cancelled"


def _open(states: set[str]) -> str:
    """Give the state of an order some of whose items are not over; where nothing has to be looked at, it goes on."""
    first = next((each for each in _FIRST_TO_LOOK_AT if each in states), None)
    if first is not None:
        return first
    return FIRST if states <= {FIRST, "rejected", "cancelled"} else "inProgress"


def has_begun(items: Iterable[Item]) -> bool:
    """Tell whether somebody has worked on one of these items; those that are only there for others say nothing."""
    return any(each.state in ("inProgress", "completed") and each.action != _KEPT for each in items)


def may_follow(state: str, to: str) -> bool:
    """Tell whether an item may move so; to stay is no move."""
    return to in NEXT.get(state, ())


def move(items: Sequence[Item], to: str, *, only: str = "") -> tuple[Item, ...]:
    """Move an item, or without `only` all that are not over; raises NotAllowed where one of them may not, and nothing is moved."""
    if to not in ITEM_STATES:
        raise NotAllowed(f"An order becomes {to} by its items: move these")
    meant = [each for each in items if (each.id == only if only else not each.is_over)]
    if not meant:
        raise NotAllowed("There is no such item" if only else "The order is over, and stays so")
    for each in meant:
        _check(each, to)
    ids = {each.id for each in meant}
    return tuple(replace(each, state=to) if each.id in ids else each for each in items)


def _check(item: Item, to: str) -> None:
    if item.state == to or may_follow(item.state, to):
        return
    if item.is_over:
        raise NotAllowed(f"An item that is {item.state} stays so")
    allowed = ", ".join(each for each in ITEM_STATES if each in NEXT[item.state])
    raise NotAllowed(f"An item that is {item.state} becomes one of {allowed}, not {to}")


def cancelling(items: Sequence[Item], *, has_begun: bool) -> Cancelling:
    """Give what an order becomes that somebody asks to cancel; raises NotAllowed where that is over, or is being cancelled."""
    is_open = {each.state for each in items if not each.is_over}
    if not is_open:
        raise NotAllowed(f"The order is {order_state(items)}, and stays so")
    if is_open & LEAVING:
        raise NotAllowed("The order is being cancelled already")
    return "cancelled" if is_open <= WAITING and not has_begun else "assessingCancellation"


def may_be_changed(state: str) -> bool:
    """Tell whether what an order asks for may be another still: nobody works on it.

    >>> may_be_changed("held"), may_be_changed("inProgress")
    (True, False)
    """
    return state in WAITING


def cancellation_state(items: Iterable[Item]) -> str:
    """Give how far a request to cancel is, by the items that were open when it was asked (`graph.model.vocabulary.CANCELLATION_STATES`).

    >>> cancellation_state([Item(id="1", action="add", state="inProgress")])
    'terminatedWithError'
    """
    states = {each.state for each in items}
    if "assessingCancellation" in states:
        return "accepted"
    if "pendingCancellation" in states:
        return "inProgress"
    return "done" if states == {"cancelled"} else "terminatedWithError"
