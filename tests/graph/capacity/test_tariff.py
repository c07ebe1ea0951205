from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graph.capacity.steps import Booking, NotAnInterval
from graph.capacity.tariff import (
    BrokenTariff,
    NotOnOffer,
    Price,
    Rounding,
    Tariff,
    Tier,
    price,
    price_if_cancelled,
    price_of,
)

HOUR = 3_600_000
TIERS = (
    Tier(name="S", mbps=100, per_mbps_hour=Decimal("0.05")),
    Tier(name="M", mbps=500, per_mbps_hour=Decimal("0.02")),
    Tier(name="L", mbps=1_000, per_mbps_hour=Decimal("0.015")),
)


def tariff(**changes: Any) -> Tariff:
    parts: dict[str, Any] = {
        "currency": "EUR",
        "step_mbps": 50,
        "tiers": TIERS,
        "minimum": Decimal(5),
        "rounding": Rounding.HALF_UP,
    }
    return Tariff(**{**parts, **changes})


@pytest.mark.parametrize(
    ("mbps", "hours", "minor"),
    [
        pytest.param(100, 2, 1_000, id="the first tier"),
        pytest.param(150, 2, 600, id="the next tier, which is cheaper"),
        pytest.param(500, 2, 2_000, id="the end of a tier is in it"),
        pytest.param(1_000, 24, 36_000, id="the last tier"),
        pytest.param(50, 1, 500, id="the minimum"),
    ],
)
def test_a_price_is_of_rate_and_hours(mbps: int, hours: int, minor: int) -> None:
    assert price(tariff(), mbps, 0, hours * HOUR) == Price(minor=minor, currency="EUR")


@pytest.mark.parametrize(
    ("rounding", "minor"),
    [
        (Rounding.UP, 1_251),
        (Rounding.DOWN, 1_250),
        (Rounding.HALF_UP, 1_251),
        (Rounding.HALF_DOWN, 1_250),
        (Rounding.HALF_EVEN, 1_250),
    ],
)
def test_half_a_cent_is_rounded_as_the_tariff_says(rounding: Rounding, minor: int) -> None:
    tiers = (Tier(name="S", mbps=1, per_mbps_hour=Decimal("12.505")),)
    assert price(tariff(step_mbps=1, tiers=tiers, rounding=rounding), 1, 0, HOUR).minor == minor


@pytest.mark.parametrize(
    ("currency", "minor", "text"),
    [
        ("JPY", 13, "13 JPY"),
        ("EUR", 1_251, "12.51 EUR"),
        ("KWD", 12_505, "12.505 KWD"),
        ("CLF", 125_050, "12.5050 CLF"),
    ],
)
def test_a_price_is_in_the_smallest_unit_of_its_currency(currency: str, minor: int, text: str) -> None:
    tiers = (Tier(name="S", mbps=1, per_mbps_hour=Decimal("12.505")),)
    found = price(tariff(currency=currency, step_mbps=1, tiers=tiers), 1, 0, HOUR)
    assert (found, str(found)) == (Price(minor=minor, currency=currency), text)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        pytest.param({"currency": "XXX"}, "currency 'XXX'", id="no currency"),
        pytest.param({"currency": "eur"}, "currency 'eur'", id="a currency in small letters"),
        pytest.param({"currency": "BGN"}, "currency 'BGN'", id="a currency that is gone"),
        pytest.param({"tiers": ()}, "no tier", id="no tiers"),
        pytest.param({"tiers": TIERS[::-1]}, "ascend", id="tiers out of order"),
        pytest.param({"tiers": (Tier(name="S", mbps=0, per_mbps_hour=Decimal(1)),)}, "ascend", id="a tier of nothing"),
        pytest.param({"tiers": (*TIERS, Tier(name="S", mbps=2_000, per_mbps_hour=Decimal(1)))}, "one name", id="twice"),
        pytest.param({"step_mbps": 0}, "steps of 0", id="no steps"),
        pytest.param({"step_mbps": 75}, "no multiple of 75", id="tiers between steps"),
        pytest.param({"minimum": Decimal(-1)}, "amount -1", id="a negative minimum"),
        pytest.param({"minimum": Decimal("nan")}, "amount NaN", id="no number"),
    ],
)
def test_a_tariff_that_is_none_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(BrokenTariff, match=why):
        tariff(**changes)


def test_what_is_not_on_offer_has_no_price() -> None:
    for mbps in (0, -50, 1_001):
        with pytest.raises(NotOnOffer):
            price(tariff(), mbps, 0, HOUR)
    with pytest.raises(NotOnOffer, match="without an end"):
        price_of(tariff(), [Booking(start=0, end=None, mbps=50)])
    with pytest.raises(NotOnOffer, match="S, M, L"):
        tariff().tier("XL")
    with pytest.raises(NotAnInterval):
        price(tariff(), 50, HOUR, HOUR)


def test_a_tier_is_asked_for_by_its_name() -> None:
    assert (tariff().tier("M").mbps, tariff().most_mbps) == (500, 1_000)


rates = st.integers(1, 20).map(lambda each: each * 50)


@given(st.lists(st.tuples(rates, st.integers(1, 40 * HOUR)), min_size=1, max_size=5), st.sampled_from(Rounding))
def test_a_boost_that_changes_is_paid_to_the_second_and_rounded_once(
    parts: list[tuple[int, int]], rounding: Rounding
) -> None:
    used = tariff(rounding=rounding, minimum=Decimal(0))
    taken, at, exact = [], 0, Fraction(0)
    for mbps, length in parts:
        taken.append(Booking(start=at, end=at + length, mbps=mbps))
        at += length
        each = next(each for each in TIERS if mbps <= each.mbps).per_mbps_hour
        exact += Fraction(each) * mbps * (length // 1000) / 36  # in cents
    found = price_of(used, taken).minor
    match rounding:
        case Rounding.UP:
            assert found == -(-exact // 1)
        case Rounding.DOWN:
            assert found == exact // 1
        case _:
            assert abs(found - exact) <= Fraction(1, 2)


@given(rates, st.integers(1, 48 * HOUR), st.integers(-HOUR, 50 * HOUR))
def test_a_cancelled_boost_costs_what_was_used(mbps: int, length: int, at: int) -> None:
    booking = Booking(start=0, end=length, mbps=mbps)
    whole, found = price(tariff(), mbps, 0, length), price_if_cancelled(tariff(), [booking], at)
    if at <= 0:
        assert found.minor == 0
    else:
        assert found == price(tariff(), mbps, 0, min(at, length))
        assert 500 <= found.minor <= whole.minor


@given(rates, st.integers(HOUR, 48 * HOUR), st.integers(1, 48 * HOUR), st.integers(1, 48 * HOUR))
def test_a_longer_use_never_costs_less(mbps: int, length: int, one: int, other: int) -> None:
    assume(one <= other)
    booking = [Booking(start=0, end=length, mbps=mbps)]
    assert price_if_cancelled(tariff(), booking, one).minor <= price_if_cancelled(tariff(), booking, other).minor


def test_cancelling_between_two_rates_leaves_the_first_only() -> None:
    taken = [Booking(start=0, end=HOUR, mbps=500), Booking(start=HOUR, end=9 * HOUR, mbps=1_000)]
    assert price_if_cancelled(tariff(), taken, HOUR) == price(tariff(), 500, 0, HOUR)


def test_nothing_costs_nothing_and_not_the_minimum() -> None:
    assert price_of(tariff(), []).minor == 0
