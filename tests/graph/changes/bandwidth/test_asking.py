"""What a customer is told of a lack of room: by whole quarter hours of others, and to the second of its own."""

from __future__ import annotations

from typing import Final

from graph.capacity.limits import Limit, LimitKind
from graph.capacity.steps import Booking, StepFunction
from graph.changes.bandwidth import asking
from graph.changes.bandwidth.boosts import Boost
from graph.store.store import Store
from tests.graph.changes.bandwidth.network import ANNA, BOB, HOUR, OPERATOR, laid_out

QUARTER: Final = 900_000
MIDDLE: Final = 10 * QUARTER + 453_000


def limit(thing: str, kind: LimitKind, *load: Booking) -> Limit:
    return Limit(thing=thing, kind=kind, mbps=1_000, load=StepFunction.of(load))


def own(start: int, end: int, *things: str) -> Boost:
    return Boost(
        id="b",
        mbps=600,
        start=start,
        end=end,
        status="SCHEDULED",
        price=0,
        currency="EUR",
        ordered_at=0,
        ordered_by="x",
        reserves=things,
    )


async def test_which_thing_is_full_tells_nothing_to_the_second(empty_store: Store) -> None:
    """Bob ends on the port where he begins on the trunk: Anna hears the same on both sides of that moment."""
    booked = await laid_out(empty_store)
    now = await booked.now()
    start = now + HOUR - (now + HOUR) % QUARTER
    turn = start + 453_000
    first, then = (
        StepFunction.of([Booking(start=start, end=turn, mbps=900)]),
        StepFunction.of([Booking(start=turn, end=start + QUARTER, mbps=900)]),
    )
    await booked.book(service="service-b", mbps=50, start=start - now, by=BOB)  # so that there are profiles
    for kind, load in (("port-", first), ("trunk-", then)):
        await booked.run(
            "MATCH (c:CapacityProfile) WHERE c.id STARTS WITH $kind SET c.deltas = $load",
            kind=f"capacityprofile-{kind}",
            load=load.as_text(),
        )
    told = set()
    for second in (-2_000, 2_000):
        outcome = await booked.book(mbps=500, start=turn + second - await booked.now(), hours=1)
        told |= {(each.code, each.message) for each in outcome.user_errors}
    assert [code for code, _ in told] == [asking.NO_CAPACITY]


def test_own_boosts_of_the_same_quarter_are_known_to_the_second() -> None:
    full = limit("port-1", LimitKind.PORT, Booking(start=10 * QUARTER, end=MIDDLE, mbps=600))
    wanted = [Booking(start=MIDDLE, end=12 * QUARTER, mbps=600)]
    mine = own(10 * QUARTER, MIDDLE, "port-1")
    assert asking.problem_as_shown(ANNA, [full], wanted, [], [mine], 0) is None
    anothers = asking.problem_as_shown(ANNA, [full], wanted, [], [], 0)
    assert anothers is not None
    elsewhere = asking.problem_as_shown(ANNA, [full], wanted, [], [own(10 * QUARTER, MIDDLE, "port-2")], 0)
    assert elsewhere == anothers
    assert asking.problem_as_shown(OPERATOR, [full], wanted, [], [], 0) is None


def test_own_and_others_of_one_quarter_do_not_fit_together_beside_more() -> None:
    full = limit(
        "port-1",
        LimitKind.PORT,
        Booking(start=10 * QUARTER, end=MIDDLE, mbps=600),
        Booking(start=MIDDLE, end=11 * QUARTER, mbps=500),
    )
    wanted = [Booking(start=MIDDLE, end=11 * QUARTER, mbps=600)]
    assert asking.problem_as_shown(ANNA, [full], wanted, [], [own(10 * QUARTER, MIDDLE, "port-1")], 0) is not None
