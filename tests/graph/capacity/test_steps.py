from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.capacity.steps import Booking, BrokenSteps, NotAnInterval, Segment, StepFunction, read_steps
from tests.graph.capacity.brute import HORIZON, counted, intervals, some_bookings, values

YEAR = 366 * 86_400_000


def of(*taken: tuple[int, int | None, int]) -> StepFunction:
    return StepFunction.of(Booking(start=start, end=end, mbps=mbps) for start, end, mbps in taken)


def test_two_equal_bookings_count_twice_and_one_taken_away_leaves_the_other() -> None:
    twice = of((2, 5, 7), (2, 5, 7))
    assert twice.peak(0, 10) == 14
    assert twice.minus(of((2, 5, 7))) == of((2, 5, 7))
    assert twice.minus(twice) == StepFunction()


def test_intervals_that_touch_do_not_overlap() -> None:
    touching = of((0, 5, 7), (5, 9, 7))
    assert touching.peak(0, None) == 7
    assert touching.instants == (0, 9)
    assert (touching.peak(9, 20), touching.peak(8, 9), touching.value_at(-1)) == (0, 7, 0)


@pytest.mark.parametrize(("start", "end"), [(5, 5), (5, 4)], ids=["of no length", "that ends before it begins"])
def test_an_interval_that_is_none_is_refused(start: int, end: int) -> None:
    with pytest.raises(NotAnInterval):
        Booking(start=start, end=end, mbps=1)
    for ask in (StepFunction().peak, StepFunction().lowest, StepFunction().segments):
        with pytest.raises(NotAnInterval):
            ask(start, end)


@given(some_bookings(lowest=-6))
def test_a_function_is_the_sum_of_its_bookings_at_each_instant(taken: list[Booking]) -> None:
    assert values(StepFunction.of(taken)) == counted(taken)


@given(some_bookings(lowest=-6), some_bookings(lowest=-6))
def test_sums_and_differences_are_those_of_the_bookings(some: list[Booking], others: list[Booking]) -> None:
    left, right = StepFunction.of(some), StepFunction.of(others)
    assert left.plus(right) == right.plus(left) == StepFunction.of([*some, *others])
    assert left.plus(right).minus(right) == left
    assert left.minus(left.plus(right)) == StepFunction().minus(right)


@given(some_bookings(lowest=-6), intervals())
def test_peaks_and_segments_are_those_of_the_instants(taken: list[Booking], interval: tuple[int, int]) -> None:
    function, (start, end) = StepFunction.of(taken), interval
    rates = counted(taken)[start:end]
    assert (function.peak(start, end), function.lowest(start, end)) == (max(rates), min(rates))
    segments = function.segments(start, end)
    assert [each.mbps for each in segments for _ in range(each.start, each.end or 0)] == rates
    assert all(one.mbps != other.mbps and one.end == other.start for one, other in pairwise(segments))


@given(some_bookings(lowest=-6), st.integers(-1, HORIZON - 1))
def test_folding_the_past_changes_nothing_from_then_on(taken: list[Booking], instant: int) -> None:
    function = StepFunction.of(taken)
    folded = function.from_(instant)
    assert values(folded)[max(0, instant) :] == values(function)[max(0, instant) :]
    assert all(each >= instant for each in folded.instants)
    assert set(folded.totals) <= set(function.totals)
    assert 0 not in folded.totals[:1]


@given(some_bookings(lowest=-6))
def test_what_is_written_is_read(taken: list[Booking]) -> None:
    function = StepFunction.of(taken)
    assert read_steps(function.as_text()) == function


@pytest.mark.parametrize(
    "taken",
    [
        [(0, None, 1)],
        [(-(2**40), 2**40, 1)],
        [(1_800_000_000_123, 1_800_000_000_124, 2**40), (1_900_000_000_000, None, 2**40)],
        [(0, 65_535, 32_767), (65_535, 2 * 65_535, -32_768)],
        [(0, 65_536, 32_768), (65_536, 2**33, -32_769)],
    ],
    ids=["for ever", "before 1970", "of large rates", "as long as two bytes say", "a little longer"],
)
def test_any_length_and_rate_is_written(taken: list[tuple[int, int | None, int]]) -> None:
    assert read_steps(of(*taken).as_text()) == of(*taken)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no version"),
        ("2Hhxxxx", "no version"),
        ("1hhAAAA", "no version"),
        ("1Hh!", "base64|padding|data|base 64"),
        (of((0, 9, 1)).as_text()[:-4], "whole steps"),
        ("1HhAAAAAAAAAAA=", "whole steps"),
        ("1HhAAAAAAAAAAAAAAEAAQA=", "one instant"),
        ("1HhAAAAAAAAAAABAAEAAAA=", "changes nothing"),
    ],
    ids=[
        "empty",
        "of a later version",
        "of other codes",
        "no base64",
        "cut off",
        "without steps",
        "with two steps at once",
        "with an idle step",
    ],
)
def test_a_text_that_is_none_is_refused(text: str, why: str) -> None:
    with pytest.raises(BrokenSteps, match=f"(?i){why}"):
        read_steps(text)


def test_ten_thousand_steps_are_a_small_text() -> None:
    rnd = random.Random(7)
    starts = [rnd.randrange(0, YEAR, 1_000) for _ in range(5_000)]
    function = StepFunction.of(
        Booking(start=each, end=each + rnd.randrange(900_000, 86_400_000), mbps=100) for each in starts
    )
    assert len(function.instants) > 9_900
    assert len(function.as_text()) < 11 * len(function.instants)
    assert read_steps(function.as_text()) == function


def test_segments_for_ever_end_with_one_that_has_no_end() -> None:
    assert of((5, 9, 3)).segments(0, None) == (
        Segment(start=0, end=5, mbps=0),
        Segment(start=5, end=9, mbps=3),
        Segment(start=9, end=None, mbps=0),
    )
