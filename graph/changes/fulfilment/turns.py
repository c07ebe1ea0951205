"""What is done next for an order of which something is carried out by itself.

One item has its turn at a time, so that a transaction stays short. An item that relies on others waits until they are completed. Pure.

>>> items = [Item(id=each, action="add", state="acknowledged", phase="waits") for each in ("1", "2")]
>>> next_turn(items, {"1": ["2"]}, start=None, now=5)
Begin(item='2')
>>> next_turn(items, {}, start=9, now=5)
Wait(until=9)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from graph.changes.orders.states import FIRST, Item


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """An item is designed, and reserved."""

    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave:
    """An item that somebody wants to cancel is taken back."""

    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    """An item cannot be carried out, since one that it relies on is not there."""

    item: str
    other: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Nothing is to be done before a moment in epoch milliseconds; None: before anything changes."""

    until: int | None


Turn: TypeAlias = Begin | Leave | GiveUp | Wait


def next_turn(items: Sequence[Item], relies: Mapping[str, Sequence[str]], *, start: int | None, now: int) -> Turn:
    """Give what is done next; `relies` are the items that each relies on, `start` is when the order is wanted to begin."""
    leaving = next((each for each in items if each.phase and each.state == "assessingCancellation"), None)
    if leaving is not None:
        return Leave(item=leaving.id)
    states = {each.id: each for each in items}
    waiting = [each for each in items if each.phase == "waits" and each.state == FIRST]
    for each in waiting:
        others = [states[other] for other in relies.get(each.id, ())]
        if lost := _lost(others):
            return GiveUp(item=each.id, other=lost)
        if all(other.state == "completed" for other in others):
            return Begin(item=each.id) if start is None or start <= now else Wait(until=start)
    return Wait(until=None)


def _lost(others: Iterable[Item]) -> str | None:
    return next((each.id for each in others if each.is_over and each.state != "completed"), None)
