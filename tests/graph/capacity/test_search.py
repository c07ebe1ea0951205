from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.capacity.curve import availability
from graph.capacity.limits import Limit, LimitKind
from graph.capacity.rounding import QUARTER_HOUR, shown_curve, shown_headroom, shown_left, whole_quarters
from graph.capacity.search import Offer, SlotRequest, earliest_slot
from graph.capacity.steps import Booking, NotAnInterval, StepFunction
from tests.graph.capacity.brute import HORIZON, counted, intervals, some_bookings, some_limits, values

Limits = tuple[list[Limit], list[list[int]]]


def left_of(found: Limits) -> list[int]:
    return [max(0, min(each)) for each in zip(*found[1], strict=True)]


@given(some_limits(), intervals(), st.integers(0, 20), st.integers(1, HORIZON))
def test_the_earliest_slot_is_the_first_that_fits(
    found: Limits, window: tuple[int, int], mbps: int, length: int
) -> None:
    left = left_of(found)
    fitting = (at for at in range(window[0], window[1] - length + 1) if min(left[at : at + length]) >= mbps)
    wanted = SlotRequest(mbps=mbps, length=length, start=window[0], end=window[1])
    assert earliest_slot(availability(found[0], *window), wanted) == next(fitting, None)


def test_a_slot_of_no_length_is_refused() -> None:
    with pytest.raises(NotAnInterval):
        earliest_slot(StepFunction(), SlotRequest(mbps=1, length=0, start=0, end=9))


@given(st.integers(1, 50), st.integers(0, 500), st.integers(-10, 1_000))
def test_the_nearest_rate_is_the_highest_on_offer_that_fits(step: int, most: int, free: int) -> None:
    rates = [each for each in range(0, most + 1, step) if each <= free]
    assert Offer(step=step, most=most).nearest(free) == max(rates, default=0)


@pytest.mark.parametrize(("step", "most"), [(0, 9), (-1, 9), (1, -1)])
def test_an_offer_of_nothing_is_refused(step: int, most: int) -> None:
    with pytest.raises(ValueError, match="are none"):
        Offer(step=step, most=most)


# What a customer may learn ------------------------------------------------------------------------------------------------

PART = QUARTER_HOUR // 4
"""Instants of these tests are four to a quarter hour."""


def slowed(limits: list[Limit]) -> list[Limit]:
    def later(load: StepFunction) -> StepFunction:
        return StepFunction(instants=tuple(each * PART for each in load.instants), totals=load.totals)

    return [Limit(thing=each.thing, kind=each.kind, mbps=each.mbps, load=later(each.load)) for each in limits]


@given(some_limits(), intervals(), st.integers(1, 7), st.integers(0, 20))
def test_a_customer_learns_rates_on_offer_by_the_quarter_hour(
    found: Limits, interval: tuple[int, int], step: int, most: int
) -> None:
    limits, left = slowed(found[0]), left_of(found)
    first, last = interval[0] // 4 * 4, -(-interval[1] // 4) * 4
    wanted = [
        min(most, *left[at // 4 * 4 : at // 4 * 4 + 4]) // step * step if first <= at < last else 0
        for at in range(HORIZON)
    ]
    offer, asked = Offer(step=step, most=most), (interval[0] * PART, interval[1] * PART)
    shown = shown_curve(limits, {}, offer, asked, 0)
    assert [shown.value_at(at * PART) for at in range(HORIZON)] == wanted
    assert all(each % QUARTER_HOUR == 0 for each in shown.instants)
    quoted = shown_headroom(limits, {}, offer, asked, 0)
    assert quoted.mbps == min(wanted[first:last])
    assert quoted.thing is None
    exact = min(left[first:last])
    assert (quoted.limiting is LimitKind.CONTRACT) == (most <= exact)


@given(some_limits(), intervals(), st.integers(0, PART - 1), st.integers(0, PART - 1))
def test_to_move_a_question_within_a_quarter_hour_tells_nothing(
    found: Limits, interval: tuple[int, int], later: int, sooner: int
) -> None:
    limits, offer = slowed(found[0]), Offer(step=3, most=18)
    start, end = whole_quarters(interval[0] * PART, interval[1] * PART)
    asked = (start + later, end - sooner)
    assert shown_curve(limits, {}, offer, asked, 0) == shown_curve(limits, {}, offer, (start, end), 0)
    assert shown_headroom(limits, {}, offer, asked, 0) == shown_headroom(limits, {}, offer, (start, end), 0)


@given(some_bookings(), some_bookings())
def test_what_is_shown_always_fits(taken: list[Booking], more: list[Booking]) -> None:
    limits = slowed([Limit(thing="trunk-1", kind=LimitKind.NETWORK, mbps=20, load=StepFunction.of([*taken, *more]))])
    shown = shown_curve(limits, {}, Offer(step=2, most=20), (0, HORIZON * PART), 0)
    exact = availability(limits, 0, HORIZON * PART)
    assert all(low <= high for low, high in zip(values(shown), values(exact), strict=True))


@given(some_bookings(), some_bookings(), intervals(), st.integers(0, HORIZON), st.integers(1, 9))
def test_own_bookings_are_known_to_the_second_and_others_by_the_quarter_hour(
    own: list[Booking], others: list[Booking], interval: tuple[int, int], now: int, step: int
) -> None:
    """By brute force: in each quarter hour others count with their highest load, own ones with that of the part that is asked for."""
    [limit] = slowed([Limit(thing="trunk-1", kind=LimitKind.NETWORK, mbps=40, load=StepFunction.of([*own, *others]))])
    [mine] = [each.load for each in slowed([replace(limit, load=StepFunction.of(own))])]
    mine_at, others_at = counted(own), counted(others)
    start, end = interval
    least = 40
    for first in range(start // 4 * 4, -(-end // 4) * 4, 4):
        quarter = range(max(first, now), first + 4)
        if not quarter:
            continue
        part = range(max(first, start), min(first + 4, end))
        together = max(mine_at[at] + others_at[at] for at in quarter)
        apart = max(others_at[at] for at in quarter) + max(mine_at[at] for at in part)
        least = min(least, 40 - min(together, apart))
    asked = (start * PART, end * PART)
    assert shown_left(limit, mine, asked, now * PART) == least
    offer = Offer(step=step, most=40)
    quoted = shown_headroom([limit], {limit.thing: mine}, offer, asked, now * PART)
    assert quoted.mbps == offer.nearest(least)
    curve = shown_curve([limit], {limit.thing: mine}, offer, asked, now * PART)
    assert curve.lowest(*whole_quarters(*asked)) <= quoted.mbps, "what the curve shows can be booked"
