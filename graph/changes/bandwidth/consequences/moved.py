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
from graph.changes.bandwidth.boosts import KIND, Boost, Service
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.pricing import give_back
from graph.changes.bandwidth.profiles import lock_limits
from graph.changes.bandwidth.turning import NewTask, Turn
from graph.ledger import timers
from graph.ledger.timers import Due, Work
from graph.store.store import Transaction

LOOKING: Final = "bookedWays"
"""The kind of the timer that looks for services whose boosts hold what they do not run over."""
ABOUT: Final = "bandwidth"
EVERY_MS: Final = 60_000
_MOST: Final = 2_000
"""boosts that are looked at together;"""
_NEXT_MS: Final = 1_000
"""after which the next are."""

_MOVED: Final = """
UNWIND $batch.boosts AS id
MATCH (b:Boost {id: id})-[:BOOSTS]->(s:Service)
WHERE s.state = 'terminated' OR EXISTS {
  MATCH (b)-[:RESERVES]->(t) WHERE NOT EXISTS { MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) }
} OR EXISTS {
  MATCH (s)-[:ACCESSED_AT|ROUTED_OVER]->(t) WHERE NOT EXISTS { MATCH (b)-[:RESERVES]->(t) }
}
RETURN DISTINCT s.id ORDER BY s.id
"""
# By the index of what is open, whatever else there was: `coalesce` keeps a planner from that of ids.
_PAGE: Final = """
MATCH (b:Boost) WHERE b.openOf > '' AND coalesce(b.id, '') > $after
RETURN b.id ORDER BY b.id LIMIT $most
"""
_AFTER: Final = "MATCH (t:Timer {id: $timer}) RETURN coalesce(t._after, '')"
_GO_ON: Final = "MATCH (t:Timer {id: $timer}) SET t._after = $after"


def looking(policy: BandwidthPolicy, *, most: int = _MOST) -> Work:
    """Make the work of the timer that has the timers of moved services come; where nothing can be booked, nothing is looked at.

    It looks at `most` boosts at a time, by their ids, and then at the next ones: services whose turn fails keep nobody waiting.
    """

    async def work(transaction: Transaction, due: Due) -> int | None:
        if not policy.provisioning:
            return due.now + EVERY_MS
        timer = {"timer": timers.timer_id(LOOKING, due.about)}
        rows = await transaction.run(_AFTER, timer)
        after = str(rows[0][0]) if rows else ""
        page = [str(each) for (each,) in await transaction.run(_PAGE, {"after": after, "most": most})]
        for (service,) in await transaction.run(_MOVED, {"batch": {"boosts": page}}):
            await timers.hold(transaction, kind=KIND, about=str(service))
            timers.arm(transaction, kind=KIND, about=str(service), due_at=due.now)
        is_last = len(page) < most
        transaction.later(_GO_ON, {**timer, "after": "" if is_last else page[-1]})
        return due.now + (EVERY_MS if is_last else _NEXT_MS)

    return work


def is_moved(service: Service) -> bool:
    """Tell whether a boost of a service does not hold just what that runs over."""
    kept = [each for each in service.boosts.values() if not each.is_over]
    return any(service.state == "terminated" or set(each.reserves) != set(service.way) for each in kept)


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


def _end_unheard(turn: Turn, boost: Boost) -> None:
    """End a boost whose end was worked out, and which the network is not asked about any more: what never began is free."""
    if boost.activated_at is not None:
        turn.end_over(boost, boost.ends)
    else:
        turn.end_over(boost, "BOOKING_DECLINED" if boost.ends == "DURATION_EXPIRED" else boost.ends, price=0)


def _lose(turn: Turn, boost: Boost, reason: str) -> None:
    if boost.is_over or boost.ending_at is not None:
        if not boost.is_over and turn.service.state == "terminated":
            _end_unheard(turn, boost)
            turn.skip_all(boost.id)
        return
    give_back(turn, boost, "NETWORK_TERMINATED", None)
    if turn.service.state == "terminated" and not turn.service.boosts[boost.id].is_over:
        turn.end_over(turn.service.boosts[boost.id], "NETWORK_TERMINATED")
        turn.skip_all(boost.id)
    turn.tasks.append(NewTask(kind="serviceChanged", about=boost.id, reason=f"{reason}: {turn.service.id}"))
