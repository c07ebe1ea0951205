"""A service may be terminated, or run another way, while bandwidth is booked for it: nothing may stay reserved where it does not run.

Ways are changed by loads and feeds, which know nothing of bookings. So whoever turns to a service looks whether its boosts hold just what
it runs over; and a timer looks for services that nobody has turned to (`looking`).

Rules. 1. On another way a boost holds what is new of it, where there is room; what it does not run over any more is given back. 2. Where
there is no room, or the service is terminated, the boost is lost (NETWORK_TERMINATED), and a person is told: what has not begun is
free, and what runs is charged for the time it ran. 3. The network is asked nothing about a service that is terminated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from graph.capacity.holds import shortfall
from graph.capacity.limits import Limit
from graph.capacity.steps import Booking, StepFunction
from graph.changes.bandwidth.boosts import KIND, Boost
from graph.changes.bandwidth.pricing import give_back
from graph.changes.bandwidth.profiles import lock_limits
from graph.changes.bandwidth.turning import Asked, Turn
from graph.ledger import timers
from graph.ledger.timers import Due, Work
from graph.store.store import Transaction

LOOKING: Final = "bookedWays"
"""The kind of the timer that looks for services whose boosts hold what they do not run over."""
ABOUT: Final = "bandwidth"
EVERY_MS: Final = 60_000
_MOST: Final = 500

_MOVED: Final = """
MATCH (b:Boost)-[:BOOSTS]->(s:Service) WHERE b.status IN ['REQUESTED', 'SCHEDULED', 'ACTIVATED']
WITH DISTINCT s, b
WHERE s.state = 'terminated' OR EXISTS {
  MATCH (b)-[:RESERVES]->(t) WHERE NOT EXISTS { MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) }
} OR EXISTS {
  MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) WHERE NOT EXISTS { MATCH (b)-[:RESERVES]->(t) }
}
RETURN DISTINCT s.id LIMIT $most
"""


def looking() -> Work:
    """Make the work of the timer that has the timers of moved services come."""

    async def work(transaction: Transaction, due: Due) -> int | None:
        for (service,) in await transaction.run(_MOVED, {"most": _MOST}):
            await timers.hold(transaction, kind=KIND, about=str(service))
            timers.arm(transaction, kind=KIND, about=str(service), due_at=due.now)
        return due.now + EVERY_MS

    return work


async def follow(transaction: Transaction, turn: Turn) -> None:
    """Let the boosts of a service hold what it runs over now, or be lost."""
    if turn.service.state == "terminated":
        for each in turn.boosts:
            _lose(turn, each, "the service is terminated")
        return
    moved = [each for each in turn.boosts if not each.is_over and set(each.reserves) != set(turn.service.way)]
    if not moved:
        return
    limits = await lock_limits(transaction, turn.service.id, turn.policy.overbooking)
    held: list[Booking] = []
    for each in sorted(moved, key=lambda each: (each.status != "ACTIVATED", each.ordered_at, each.id)):
        held += _move(turn, each, limits, held)


def _move(turn: Turn, boost: Boost, limits: Sequence[Limit], held: Sequence[Booking]) -> list[Booking]:
    """Let one boost hold the new way, beside what others of the service have got of it; give what it takes."""
    start = max(boost.start, turn.now)
    if start >= boost.end:
        turn.put(replace(boost, reserves=turn.service.way))
        return []
    new = [each for each in limits if each.thing not in boost.reserves]
    loaded = [replace(each, load=each.load.plus(StepFunction.of(held))) for each in new]
    wanted = Booking(start=start, end=boost.end, mbps=boost.mbps)
    if shortfall(loaded, StepFunction.of([wanted])) is None:
        turn.put(replace(boost, reserves=turn.service.way))
        return [wanted]
    _lose(turn, boost, "the service runs another way, which has no room for its boost")
    return []


def _lose(turn: Turn, boost: Boost, reason: str) -> None:
    if boost.is_over or boost.ending_at is not None:
        if not boost.is_over and turn.service.state == "terminated":
            turn.end_over(boost, boost.ends)
            turn.skip_all(boost.id)
        return
    give_back(turn, boost, "NETWORK_TERMINATED", None)
    if turn.service.state == "terminated" and not turn.service.boosts[boost.id].is_over:
        turn.end_over(turn.service.boosts[boost.id], "NETWORK_TERMINATED")
        turn.skip_all(boost.id)
    turn.tasks.append(Asked(kind="serviceChanged", reason=f"{reason}: {boost.id}"))
