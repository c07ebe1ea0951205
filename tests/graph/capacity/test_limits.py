from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.capacity.curve import availability
from graph.capacity.limits import (
    PORT_LAYER,
    BrokenOverbooking,
    Headroom,
    Limit,
    LimitKind,
    Overbooking,
    headroom,
    read_overbooking,
)
from graph.capacity.steps import NotAnInterval, StepFunction
from tests.graph.capacity.brute import HORIZON, intervals, some_limits, values

Limits = tuple[list[Limit], list[list[int]]]


@given(some_limits(), intervals())
def test_headroom_is_the_least_that_any_instant_has_left(found: Limits, interval: tuple[int, int]) -> None:
    limits, left = found
    least = [min(each[slice(*interval)]) for each in left]
    first = limits[least.index(min(least))]
    assert headroom(limits, *interval) == Headroom(mbps=max(0, min(least)), limiting=first.kind, thing=first.thing)


@given(some_limits(), intervals())
def test_the_curve_is_the_headroom_of_each_instant(found: Limits, interval: tuple[int, int]) -> None:
    limits, left = found
    curve = availability(limits, *interval)
    wanted = [max(0, min(each)) for each in zip(*left, strict=True)]
    inside = range(*interval)
    assert values(curve) == [rate if instant in inside else 0 for instant, rate in enumerate(wanted)]
    assert all(one != other for one, other in zip((0, *curve.totals), curve.totals, strict=False))
    assert list(curve.instants) == sorted(set(curve.instants))


def test_without_limits_nothing_is_left() -> None:
    assert headroom([], 0, 9) == Headroom(mbps=0, limiting=None, thing=None)
    assert availability([], 0, 9) == StepFunction()


def test_an_interval_that_is_none_is_refused() -> None:
    with pytest.raises(NotAnInterval):
        headroom([], 9, 9)
    with pytest.raises(NotAnInterval):
        availability([], 9, 9)


@given(st.integers(0, 10**7), st.fractions(min_value=Fraction(1, 100), max_value=10))
def test_a_limit_is_rounded_down(capacity: int, factor: Fraction) -> None:
    limit = Overbooking(by_layer={}, otherwise=factor).limit(capacity, PORT_LAYER)
    assert limit <= capacity * factor < limit + 1


def test_a_layer_has_its_own_factor() -> None:
    policy = read_overbooking({"ODU4": "1.1", PORT_LAYER: "4/5"}, "1")
    assert [policy.limit(10, layer) for layer in ("ODU4", PORT_LAYER, "ODU2")] == [11, 8, 10]
    assert policy.limit(100_010, "ODU4") == 110_011  # 110011.00000000001 as a float


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "1/0", "", "much"])
def test_a_factor_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BrokenOverbooking, match="ODU4"):
        read_overbooking({"ODU4": text}, "1")
    with pytest.raises(BrokenOverbooking, match="any other"):
        read_overbooking({}, text)


def test_a_load_beyond_the_limit_leaves_nothing_and_not_less() -> None:
    full = Limit(thing="port-1", kind=LimitKind.PORT, mbps=5, load=StepFunction(instants=(0,), totals=(9,)))
    assert headroom([full], 0, HORIZON).mbps == 0
