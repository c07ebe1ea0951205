from __future__ import annotations

from statistics import linear_regression

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.capacity.limits import Limit, LimitKind
from graph.capacity.steps import Booking, StepFunction
from graph.capacity.trend import DAY, Crossing, Trend, crossing, daily_peaks, fit, full_from
from tests.graph.capacity.brute import HORIZON, counted, intervals, some_bookings


@given(st.lists(st.integers(0, 10_000), min_size=3, max_size=60))
def test_the_line_is_that_of_least_squares(peaks: list[int]) -> None:
    found = fit(peaks)
    assert found is not None
    wanted = linear_regression(range(len(peaks)), peaks)
    assert found.slope == pytest.approx(wanted.slope, abs=1e-6)
    assert found.level == pytest.approx(wanted.intercept + wanted.slope * (len(peaks) - 1), abs=1e-6)
    rest = sum((peak - wanted.intercept - wanted.slope * day) ** 2 for day, peak in enumerate(peaks))
    spread = sum((day - (len(peaks) - 1) / 2) ** 2 for day in range(len(peaks)))
    assert found.error**2 == pytest.approx(rest / (len(peaks) - 2) / spread, abs=1e-6)


def test_two_days_are_no_trend() -> None:
    assert fit([1, 2]) is None


@pytest.mark.parametrize(
    ("trend", "wanted"),
    [
        pytest.param((10.0, 0.0, 100.0), (10.0, 10.0, 10.0), id="without an error"),
        pytest.param((10.0, 2.5, 100.0), (6.7, 10.0, 20.0), id="with one"),
        pytest.param((10.0, 6.0, 100.0), (4.5, 10.0, None), id="that is so large that it may never be"),
        pytest.param((1.0, 3.0, 100.0), (14.3, None, None), id="expected after the days that were asked for"),
        pytest.param((-1.0, 0.1, 100.0), (None, None, None), id="it falls"),
        pytest.param((0.0, 0.0, 200.0), (0.0, 0.0, 0.0), id="it is full already"),
    ],
)
def test_a_line_meets_a_limit(trend: tuple[float, float, float], wanted: tuple[float | None, ...]) -> None:
    slope, error, level = trend
    found = crossing(Trend(slope=slope, error=error, level=level, days=30), 200, 30)
    assert found == Crossing(earliest=wanted[0], expected=wanted[1], latest=wanted[2])


def test_the_peak_of_each_day() -> None:
    load = StepFunction.of([Booking(start=DAY + 5, end=DAY + 6, mbps=7), Booking(start=2 * DAY, end=None, mbps=1)])
    assert daily_peaks(load, 4 * DAY, 4) == [0, 7, 1, 1]


@given(some_bookings(), intervals(), st.integers(0, 20), st.integers(1, 6))
def test_full_is_the_first_instant_without_room(
    taken: list[Booking], interval: tuple[int, int], mbps: int, room: int
) -> None:
    limit = Limit(thing="trunk-1", kind=LimitKind.NETWORK, mbps=mbps, load=StepFunction.of(taken))
    left = [mbps - each for each in counted(taken)]
    full = [at for at in range(HORIZON) if at in range(*interval) and left[at] < room]
    assert full_from(limit, *interval, room) == min(full, default=None)
