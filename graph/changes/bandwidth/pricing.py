"""What is owed for a boost that ends before its time: nothing before it began, else in proportion to the time, to the second.

Whoever asks may have worked the price out by a tariff (graph/capacity/tariff.py); without that the price of the whole is shared.
"""

from __future__ import annotations

from dataclasses import replace

from graph.changes.bandwidth.boosts import Boost, Reason
from graph.changes.bandwidth.turning import Turn

_SECOND_MS = 1_000


def give_back(turn: Turn, boost: Boost, reason: Reason, price: int | None) -> None:
    """End a boost now; what the network may know of it is over when it has confirmed that. `price`: None shares its own."""
    if boost.asked_at is None:
        turn.end_over(boost, reason, price=0)
        return
    owed = (share_of(boost, turn.now) if price is None else price) if boost.activated_at is not None else 0
    turn.put(replace(boost, end=max(turn.now, boost.start + 1), ends=reason, price=owed))


def share_of(boost: Boost, now: int) -> int:
    """Give the part of a price that is owed for the time until now: begun seconds of all seconds, rounded up to a minor unit."""
    seconds, whole = (-(-(end - boost.start) // _SECOND_MS) for end in (now, boost.end))
    return -(-boost.price * min(seconds, whole) // whole)
