"""What a boost has cost so far is worked out of what billing is told, and an estimate is what is settled, runs and is booked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any, Final
from unittest.mock import ANY

import pytest

from graph.capacity.steps import Booking
from graph.capacity.tariff import Rounding, Tariff, Tier, price, price_of
from graph.changes.bandwidth.boosts import Boost
from graph.changes.bandwidth.consequences.charges import charged_until, cost_of, expected_of
from graph.changes.bandwidth.costs import Cost, Estimate, estimates_of, read_costs
from graph.changes.bandwidth.policy import BandwidthPolicy, NoTariff
from graph.changes.bandwidth.rates import Charged, Meter
from graph.store.store import Store
from tests.graph.changes.bandwidth.network import ANNA, BOB, HOUR, OPERATOR, Booked, laid_out
from tests.graph.changes.network import soon

TARIFF: Final = Tariff(
    currency="EUR",
    step_mbps=50,
    tiers=(Tier(name="M", mbps=500, per_mbps_hour=Decimal("0.02")),),
    minimum=Decimal(5),
    rounding=Rounding.HALF_UP,
)
POLICY: Final = BandwidthPolicy(tariffs={"any": TARIFF})
UNSOLD: Final = BandwidthPolicy()
MONTH: Final = (0, 31 * 24 * HOUR)


def boost(**values: Any) -> Boost:
    """Make one of 500 Mbit/s for two hours that the network carries since it began."""
    given: dict[str, Any] = {
        "id": "b",
        "mbps": 500,
        "start": 0,
        "end": 2 * HOUR,
        "status": "ACTIVATED",
        "price": price(TARIFF, 500, 0, 2 * HOUR).minor,
        "currency": "EUR",
        "ordered_at": 0,
        "ordered_by": "x",
        "activated_at": 0,
        "meter": Meter(mbps=500, since=0),
    }
    return Boost(**{**given, **values})


def so_far(one: Boost, now: int, policy: BandwidthPolicy = POLICY) -> int:
    return cost_of(policy, one, charged_until(one, now))


def expected(one: Boost, now: int, policy: BandwidthPolicy = POLICY) -> int:
    return cost_of(policy, one, expected_of(policy, one, now))


@pytest.mark.parametrize(
    ("now", "minor"),
    [
        pytest.param(0, 0, id="nothing yet"),
        pytest.param(999, 0, id="no second yet"),
        pytest.param(1_000, 500, id="the minimum"),
        pytest.param(HOUR, 1_000, id="half of it"),
        pytest.param(HOUR + 1_800_000, 1_500, id="more of it"),
        pytest.param(3 * HOUR, 2_000, id="no longer than it was ordered"),
    ],
)
def test_a_boost_that_runs_costs_its_time_to_the_second(now: int, minor: int) -> None:
    assert so_far(boost(), now) == minor
    assert expected(boost(), min(now, 2 * HOUR)) == 2_000


def test_intervals_that_are_over_and_the_one_that_lasts_have_one_minimum_and_one_rounding() -> None:
    parts = (Charged(boost="b", start=500, end=4_900, mbps=500), Charged(boost="b", start=4_900, end=9_100, mbps=250))
    one = boost(settled=parts, meter=Meter(mbps=500, since=9_100))
    told = [
        Booking(start=0, end=4_000, mbps=500),
        Booking(start=4_000, end=9_000, mbps=250),
        Booking(start=9_000, end=HOUR, mbps=500),
    ]
    assert charged_until(one, HOUR) == told
    assert so_far(one, HOUR) == price_of(TARIFF, told).minor


def test_what_the_network_confirmed_late_is_not_charged_and_what_is_booked_costs_its_price() -> None:
    late = boost(meter=Meter(mbps=500, since=HOUR))
    assert (so_far(late, 2 * HOUR), expected(late, HOUR + 1)) == (1_000, 1_000)
    booked = boost(status="SCHEDULED", activated_at=None, meter=Meter(), start=HOUR, end=3 * HOUR)
    assert (so_far(booked, 0), expected(booked, 0)) == (0, 2_000)
    assert expected(booked, 2 * HOUR) == 1_000  # it was to begin an hour ago
    ordered = replace(POLICY, charge="ordered")
    assert expected(booked, 2 * HOUR, ordered) == 2_000
    over = boost(status="TERMINATED", price=0, activated_at=None, meter=Meter())
    assert (so_far(over, HOUR), expected(over, HOUR)) == (0, 0)


def test_where_the_tariff_is_another_by_now_the_price_is_shared() -> None:
    assert [so_far(boost(price=1_999), each) for each in (1_000, HOUR, 2 * HOUR)] == [1, 1_000, 1_999]
    assert so_far(boost(), HOUR, UNSOLD) == 1_000
    dearer = replace(TARIFF, tiers=(Tier(name="M", mbps=500, per_mbps_hour=Decimal(1)),))
    assert so_far(boost(), HOUR, BandwidthPolicy(tariffs={"any": dearer})) == 1_000


def test_an_estimate_tells_apart_what_is_settled_runs_and_is_booked_by_currency() -> None:
    def cost(name: str, *, settled: bool = False, **values: Any) -> Cost:
        given = {"currency": "EUR", "credit": 0, **values}
        return Cost(boost=name, is_settled=settled, at=HOUR, **given)

    costs = [
        cost("over", so_far=1_000, expected=1_000, credit=-250, settled=True),
        cost("runs", so_far=700, expected=2_000, credit=-5),
        cost("booked", so_far=0, expected=300),
        cost("other", so_far=0, expected=9, currency="CHF"),
    ]
    francs, euros = estimates_of(costs, MONTH, HOUR)
    assert (francs.currency, francs.total, francs.boosts) == ("CHF", 9, 1)
    assert euros == Estimate(
        currency="EUR",
        start=0,
        end=MONTH[1],
        at=HOUR,
        boosts=3,
        settled=1_000,
        running=700,
        upcoming=1_600,
        credits=-255,
    )
    assert euros.total == 3_045
    assert estimates_of([], MONTH, HOUR) == ()


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    return await laid_out(empty_store)


async def read(booked: Booked, one: str, by: Any = ANNA) -> Cost | None:
    return (await read_costs(booked.store, by, POLICY, [one, "boost-zip"], deadline=soon())).get(one)


async def test_what_is_settled_is_what_billing_was_told(booked: Booked) -> None:
    one = (await booked.book(mbps=500, price=2_000)).ids["boost"]
    await booked.answer()
    await booked.shift(HOUR)
    await booked.change(one, mbps=200, price=1_400)
    await booked.answer()
    running = await read(booked, one)
    assert running is not None
    assert (1_000 <= running.so_far < 1_010, running.is_settled, running.expected > running.so_far) == (
        True,
        False,
        True,
    )
    await booked.shift(HOUR)
    await booked.tick()
    await booked.answer()
    over = await read(booked, one, OPERATOR)
    assert over is not None
    told = [each for each in await booked.tell("billing") if each["kind"] == "boost"]
    intervals = [Booking(start=each["from"], end=each["to"], mbps=each["mbps"]) for each in told]
    assert [each.mbps for each in intervals] == [500, 200]
    amount = sum(each.mbps * ((each.end or 0) - each.start) for each in intervals)
    ordered = 500 * HOUR + 200 * HOUR
    assert over.is_settled
    assert over.so_far == over.expected
    assert abs(over.so_far - 1_400 * amount / ordered) < 3
    assert await read(booked, one, BOB) is None


@pytest.mark.parametrize("later", [UNSOLD, BandwidthPolicy(tariffs={"any": NoTariff.NOT_READ})])
async def test_what_is_over_costs_what_it_cost_whatever_is_known_of_prices_later(
    booked: Booked, later: BandwidthPolicy
) -> None:
    booked.policy = replace(booked.policy, tariffs={"any": TARIFF})
    one = (await booked.book(mbps=50, price=500)).ids["boost"]  # the minimum
    await booked.shift(HOUR)
    await booked.answer()  # late: its share of the price is half of that
    await booked.shift(HOUR)
    await booked.tick()
    await booked.answer()
    over = await read(booked, one)
    assert over is not None
    assert (over.is_settled, over.so_far) == (True, 500)
    assert await read_costs(booked.store, ANNA, later, [one], deadline=soon()) == {one: replace(over, at=ANY)}


async def test_what_ends_while_prices_cannot_be_read_costs_what_it_cost_once_they_are(booked: Booked) -> None:
    booked.policy = replace(booked.policy, tariffs={"any": TARIFF})
    one = (await booked.book(mbps=50, price=500)).ids["boost"]
    await booked.shift(HOUR)
    await booked.answer()  # late: its share of the price is half of that
    await booked.shift(HOUR)
    booked.policy = replace(booked.policy, tariffs={"any": NoTariff.NOT_READ})
    await booked.tick()
    await booked.answer()
    over = await read(booked, one)
    assert over is not None
    assert (over.is_settled, over.so_far) == (True, 500)
    [[kept]] = await booked.rows("MATCH (b:Boost {id: $id}) RETURN b._cost", id=one)
    assert kept is None


async def test_an_outage_is_an_estimate_until_its_boost_is_over(booked: Booked) -> None:
    one = (await booked.book(price=1_000)).ids["boost"]
    await booked.answer()
    await booked.shift(HOUR)
    found = await booked.boost(one)
    times = {"from": found["startAt"] + HOUR // 2, "to": found["startAt"] + 3 * HOUR}
    await booked.run(
        "MATCH (s:Service {id: 'service-a'}) "
        "CREATE (:Downtime {id: 'downtime-1', effect: 'down', from: $from, to: $to, alarms: '[]'})-[:INTERRUPTS]->(s)",
        **times,
    )
    running = await read(booked, one)
    assert running is not None
    assert (-260 < running.credit <= -250, running.is_settled) == (True, False)
    await booked.shift(HOUR)
    await booked.tick()
    await booked.answer()
    over = await read(booked, one)
    assert over is not None
    [[record]] = await booked.rows("MATCH (u:Usage {kind: 'boostCredit'}) RETURN u.record")
    assert f'"amount":{over.credit}' in record
    assert over.is_settled


async def test_what_was_over_when_it_was_loaded_has_no_cost(booked: Booked) -> None:
    one = (await booked.book()).ids["boost"]
    await booked.run("MATCH (b:Boost {id: $id}) SET b.status = 'TERMINATED', b._turned = null", id=one)
    assert await read(booked, one) is None


async def test_what_a_version_left_that_kept_no_intervals_costs_its_price(booked: Booked) -> None:
    one = (await booked.book(price=1_000)).ids["boost"]
    await booked.answer()
    await booked.shift(2 * HOUR)
    await booked.tick()
    await booked.answer()
    await booked.run("MATCH (b:Boost {id: $id}) SET b._settled = null, b._cost = null", id=one)
    over = await read(booked, one)
    assert over is not None
    [[price_of_it]] = await booked.rows("MATCH (b:Boost {id: $id}) RETURN b.price", id=one)
    assert (over.so_far, over.is_settled) == (price_of_it, True)


async def test_a_faster_rate_that_was_never_confirmed_has_no_part_in_what_a_boost_cost(booked: Booked) -> None:
    one = (await booked.book(mbps=200, price=800)).ids["boost"]
    await booked.answer()
    await booked.shift(HOUR // 2)
    await booked.change(one, mbps=400, price=1_400)
    await booked.shift(HOUR // 6)
    await booked.cancel(one)
    await booked.answer()
    await booked.tick()
    await booked.answer()
    found, over = await booked.boost(one), await read(booked, one)
    assert over is not None
    assert (found["mbps"], found["status"], over.is_settled) == (200, "TERMINATED", True)
    assert abs(over.so_far - found["price"]) <= 2
