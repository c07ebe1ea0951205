"""A boost costs the same in whatever parts it is ordered: the tariff is asked once, for all rates that it had."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Final

import pytest

from graph.capacity.steps import Booking
from graph.capacity.tariff import Rounding, Tariff, Tier, price
from graph.changes.bandwidth import asking
from graph.changes.bandwidth.boosts import Boost
from graph.changes.bandwidth.policy import BandwidthPolicy, NoTariff
from graph.changes.bandwidth.pricing import as_confirmed, intervals_of, owed_for, priced, share_of, with_rate
from graph.changes.outcome import UserError

HOUR: Final = 3_600_000
TARIFF: Final = Tariff(
    currency="EUR",
    step_mbps=50,
    tiers=(Tier(name="M", mbps=500, per_mbps_hour=Decimal("0.02")),),
    minimum=Decimal(5),
    rounding=Rounding.HALF_UP,
)
POLICY: Final = BandwidthPolicy(tariffs={"any": TARIFF})


def boost(mbps: int, hours: float) -> Boost:
    """Make one that runs since the beginning of time."""
    end = int(hours * HOUR)
    cost = price(TARIFF, mbps, 0, end).minor
    return Boost(
        id="b",
        mbps=mbps,
        start=0,
        end=end,
        status="ACTIVATED",
        price=cost,
        currency="EUR",
        ordered_at=0,
        ordered_by="x",
    )


def changed(before: Boost, *, mbps: int | None = None, end: int | None = None, now: int = 0) -> Boost:
    """Give a boost after a change that the tariff prices."""
    after = before if mbps is None else with_rate(before, mbps, now)
    after = replace(after, end=before.end if end is None else end)
    found = priced(POLICY, before, after, None)
    assert isinstance(found, Boost)
    return found


def test_what_is_extended_again_and_again_costs_what_it_would_in_one() -> None:
    one = boost(100, 2.5)
    for _ in range(4):
        one = changed(one, end=one.end + int(2.4 * HOUR))
    assert (one.price, one.end / HOUR) == (2_420, 12.1)


def test_what_is_shortened_costs_its_time() -> None:
    assert changed(boost(500, 4), end=2 * HOUR + 60_000).price == 2_017


def test_each_rate_is_owed_for_its_time() -> None:
    faster = replace(changed(boost(100, 10), mbps=500, now=5 * HOUR), before=None)
    assert faster.price == 1_000 + 5_000
    assert intervals_of(faster) == [
        Booking(start=0, end=5 * HOUR, mbps=100),
        Booking(start=5 * HOUR, end=10 * HOUR, mbps=500),
    ]
    second_later = 5 * HOUR + 1_000
    assert owed_for(POLICY, faster, second_later) == 1_000
    assert owed_for(POLICY, faster, second_later + 5_000) == 1_002
    assert share_of(faster, second_later) == 1_001  # begun seconds, rounded up
    slower = replace(changed(boost(500, 10), mbps=100, now=5 * HOUR), before=None)
    assert owed_for(POLICY, slower, second_later) == 5_000


def test_a_rate_that_is_not_confirmed_is_not_owed() -> None:
    faster = changed(boost(100, 10), mbps=500, now=5 * HOUR)
    assert owed_for(POLICY, faster, 6 * HOUR) == 1_200
    assert as_confirmed(faster).price == 2_000
    assert intervals_of(as_confirmed(faster)) == [Booking(start=0, end=10 * HOUR, mbps=100)]


def test_what_was_extended_while_a_faster_rate_was_asked_for_costs_its_time_where_that_is_refused() -> None:
    faster = changed(boost(100, 10), mbps=500, now=5 * HOUR)
    longer = changed(faster, end=20 * HOUR)
    assert longer.price == 1_000 + 15_000
    assert (as_confirmed(longer).mbps, as_confirmed(longer).price) == (100, 4_000)


def test_without_a_tariff_the_price_is_shared_by_rate_and_time() -> None:
    before = boost(100, 10)
    after = replace(with_rate(before, 500, 5 * HOUR), end=20 * HOUR)
    found = priced(BandwidthPolicy(), before, after, 9_000)
    assert isinstance(found, Boost)
    assert (found.price, as_confirmed(found).price) == (9_000, 4_000)


def test_what_costs_more_than_can_be_told_is_not_sold() -> None:
    dear = replace(TARIFF, tiers=(Tier(name="M", mbps=500, per_mbps_hour=Decimal(1_000_000)),))
    one = boost(100, 2)
    found = priced(BandwidthPolicy(tariffs={"any": dear}), one, replace(one, end=3 * HOUR), None)
    assert isinstance(found, UserError)
    assert found.code == asking.PRICE_TOO_HIGH


def sold_at(per_mbps_hour: str) -> BandwidthPolicy:
    """Give a policy whose tariff is another one since."""
    tier = Tier(name="M", mbps=1_000, per_mbps_hour=Decimal(per_mbps_hour))
    return BandwidthPolicy(tariffs={"any": replace(TARIFF, tiers=(tier,))})


UNREAD: Final = BandwidthPolicy(tariffs={"any": NoTariff.NOT_READ})
SINCE: Final = pytest.mark.parametrize(
    "since", [sold_at("0.04"), sold_at("0.002"), UNREAD], ids=["rise", "fall", "unread"]
)


def by(policy: BandwidthPolicy, before: Boost, after: Boost) -> int | str:
    found = priced(policy, before, after, None)
    return found.price if isinstance(found, Boost) else found.code


@SINCE
def test_what_is_given_back_is_owed_as_it_was_agreed(since: BandwidthPolicy) -> None:
    assert owed_for(since, boost(500, 2), HOUR) == 1_000
    assert owed_for(since, boost(500, 2), 2 * HOUR - 1_000) == 2_000


@SINCE
def test_what_stays_of_a_boost_keeps_its_price(since: BandwidthPolicy) -> None:
    one = boost(500, 2)
    assert by(since, one, with_rate(one, 500, HOUR)) == 2_000, "the same plan"
    assert by(since, one, replace(one, end=HOUR)) == 1_000, "shorter"
    assert by(since, one, with_rate(one, 250, HOUR)) == 1_500, "slower from now on"


@SINCE
def test_a_faster_rate_that_is_refused_leaves_the_price_what_it_was(since: BandwidthPolicy) -> None:
    one = boost(500, 2)
    after = priced(since, one, with_rate(one, 700, HOUR), None)
    if isinstance(after, UserError):
        assert after.code == asking.PRICES_UNAVAILABLE
    else:
        assert (as_confirmed(after).mbps, as_confirmed(after).price) == (500, 2_000)


@pytest.mark.parametrize(("since", "hour"), [("0.04", 2_000), ("0.002", 100)])
def test_what_is_added_costs_what_the_tariff_of_now_says(since: str, hour: int) -> None:
    one, policy = boost(500, 2), sold_at(since)
    assert by(policy, one, replace(one, end=3 * HOUR)) == 2_000 + hour
    assert by(policy, one, with_rate(one, 1_000, HOUR)) == 2_000 + hour, "500 more for an hour"
    swapped = replace(with_rate(one, 1_000, HOUR), start=HOUR, end=3 * HOUR)
    assert by(policy, one, swapped) == 1_000 + hour + 2 * hour, "half of it stays"
    again = replace(one, end=3 * HOUR, price=2_000 + hour)
    assert by(policy, again, replace(again, end=2 * HOUR)) == -(-(2_000 + hour) * 2 // 3)


def test_nothing_is_added_without_a_price() -> None:
    one = boost(500, 2)
    assert by(UNREAD, one, replace(one, end=3 * HOUR)) == asking.PRICES_UNAVAILABLE
    assert by(BandwidthPolicy(), one, replace(one, end=3 * HOUR)) == asking.NO_TARIFF
    assert by(sold_at("0.04"), one, with_rate(one, 5_000, HOUR)) == asking.RATE_NOT_OFFERED


def test_parts_of_seconds_are_lost_once() -> None:
    one = boost(500, 1)
    for number in range(1, 61):
        one = replace(changed(one, mbps=450 if number % 2 else 500, now=number * 59_999), before=None)
    seconds = sum((each.end - each.start) / 1_000 for each in intervals_of(one) if each.end is not None)
    assert seconds == 3_600
    assert all((each.end or 0) % 1_000 == 0 for each in intervals_of(one))
