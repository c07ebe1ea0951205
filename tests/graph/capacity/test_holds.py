"""Random schedules: what is booked is always within the limits, and what is refused would not have been."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.schedules import LENGTH, Counts, a_schedule, play
from graph.capacity.holds import Shortfall, difference, shortfall
from graph.capacity.limits import Headroom, Limit, LimitKind
from graph.capacity.steps import Booking, Segment, StepFunction
from tests.graph.capacity.brute import HORIZON, counted, some_bookings, values


def limit(mbps: int, *taken: Booking) -> Limit:
    return Limit(thing="trunk-1", kind=LimitKind.NETWORK, mbps=mbps, load=StepFunction.of(taken))


@given(st.randoms(use_true_random=False))
def test_a_schedule_is_never_over_booked_and_never_refused_in_vain(rnd: object) -> None:
    counts = play(a_schedule(rnd))  # type: ignore[arg-type]  # hypothesis gives a random.Random
    assert (counts.over_bookings, counts.false_refusals, counts.drifts) == (0, 0, 0)
    assert counts.accepted + counts.refused == LENGTH


def test_the_count_would_see_each_fault() -> None:
    """With a check that always says yes there are over-bookings, with one that always says no there are refusals in vain."""
    for answer, fault in ((True, "over_bookings"), (False, "false_refusals")):
        counts = Counts()
        for seed in range(20):
            counts += play(a_schedule(seed), lambda *_, answer=answer: answer)
        assert getattr(counts, fault) > 0


def test_to_extend_takes_what_is_after_the_old_end_only() -> None:
    old, other = Booking(start=0, end=10, mbps=6), Booking(start=12, end=20, mbps=6)
    trunk = limit(10, old, other)
    touching = difference([old], [Booking(start=0, end=12, mbps=6)], 5)
    assert shortfall([trunk], touching) is None
    into = difference([old], [Booking(start=0, end=13, mbps=6)], 5)
    assert shortfall([trunk], into) == Shortfall(
        wanted=Segment(start=10, end=13, mbps=6), left=Headroom(mbps=4, limiting=LimitKind.NETWORK, thing="trunk-1")
    )


def test_less_always_fits_even_where_too_much_is_booked_already() -> None:
    old = Booking(start=0, end=10, mbps=6)
    full = limit(3, old)
    assert shortfall([full], difference([old], [Booking(start=0, end=10, mbps=4)], 5)) is None
    assert shortfall([full], difference([old], [], 5)) is None
    assert shortfall([full], difference([old], [old], 5)) is None


@pytest.mark.parametrize("now", [-1, 0, 5, HORIZON])
@given(old=some_bookings(), new=some_bookings())
def test_a_difference_is_that_of_each_instant_from_now_on(old: list[Booking], new: list[Booking], now: int) -> None:
    wanted = [b - a if at >= now else 0 for at, (a, b) in enumerate(zip(counted(old), counted(new), strict=True))]
    assert values(difference(old, new, now)) == wanted
