"""A boost is changed, given back, approved and taken back; what does not fit leaves it as it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graph.changes.bandwidth import asking
from graph.changes.bandwidth.changing import approve_boost, decline_boost, revoke_boost
from graph.changes.bandwidth.policy import SpendCap
from graph.errors import Refused
from graph.store.store import Store
from tests.graph.changes.bandwidth.network import ANNA, BOB, BOSS, HOUR, OPERATOR, POLICY, Booked, laid_out
from tests.graph.changes.network import soon


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    return await laid_out(empty_store)


async def test_a_boost_is_extended_where_there_is_room(booked: Booked) -> None:
    boost = (await booked.book(mbps=500)).ids["boost"]
    await booked.answer()
    other = await booked.book(service="service-b", mbps=400, start=3 * HOUR, by=BOB)
    assert other.user_errors == ()
    outcome = await booked.change(boost, extend=2 * HOUR)
    assert [each.code for each in outcome.user_errors] == [asking.NO_CAPACITY]
    before = await booked.boost(boost)
    assert (await booked.change(boost, extend=HOUR // 2, price=1_250)).user_errors == ()
    after = await booked.boost(boost)
    assert (after["endAt"] - before["endAt"], after["price"]) == (HOUR // 2, 1_250)
    await booked.shift(2 * HOUR)
    await booked.tick()
    assert await booked.answer() == []
    await booked.shift(HOUR // 2)
    await booked.tick()
    await booked.answer()
    [(start, end, mbps)] = await booked.usage()  # one interval, however often it was extended
    assert (mbps, end) == (500, (await booked.boost(boost))["endAt"])
    assert end - start > 2.4 * HOUR


async def test_a_boost_that_runs_is_faster_once_the_network_has_confirmed(booked: Booked) -> None:
    boost = (await booked.book(mbps=300)).ids["boost"]
    await booked.answer()
    await booked.shift(HOUR)
    assert (await booked.change(boost, mbps=500, price=1_500)).user_errors == ()
    assert await booked.rates() == (600, 400)
    assert (await booked.boost(boost))["chargedMbps"] == 300
    await booked.answer()
    assert (await booked.boost(boost))["chargedMbps"] == 500
    assert (await booked.steps(boost))["CHANGE NETWORK"] == ("DONE", "R-600")
    assert (await booked.change(boost, mbps=200, price=900)).user_errors == ()
    assert (await booked.boost(boost))["chargedMbps"] == 200  # never more than is ordered
    outcome = await booked.book(service="service-b", mbps=500, by=BOB)  # what the network carries is still held
    assert [each.code for each in outcome.user_errors] == [asking.NO_CAPACITY]
    await booked.answer()
    assert await booked.rates() == (300, 300)
    assert (await booked.book(service="service-b", mbps=500, by=BOB)).user_errors == ()
    assert [mbps for _, _, mbps in await booked.usage()] == [300, 500]


async def test_a_faster_rate_that_is_refused_leaves_the_boost_as_it_was(booked: Booked) -> None:
    boost = (await booked.book(mbps=300)).ids["boost"]
    await booked.answer()
    assert (await booked.change(boost, mbps=500, price=1_500)).user_errors == ()
    await booked.answer(refuse="no")
    after = await booked.boost(boost)
    assert (after["mbps"], after["price"], after["status"]) == (300, 1_000, "ACTIVATED")
    assert await booked.rates() == (400, 400)
    assert (await booked.steps(boost))["CHANGE NETWORK"][0] == "REFUSED"
    assert (await booked.change(boost, mbps=400, price=1_200)).user_errors == ()
    await booked.answer()
    assert (await booked.rates(), await booked.usage() != []) == ((500, 500), True)


async def test_what_cannot_be_changed_has_a_reason(booked: Booked) -> None:
    boost = (await booked.book(mbps=500)).ids["boost"]

    async def code(**given: object) -> str:
        outcome = await booked.change(boost, **given)  # type: ignore[arg-type]  # what a test says
        return outcome.user_errors[0].code

    assert await code(mbps=0) == asking.RATE_TOO_LOW
    assert await code(mbps=701) == asking.BEYOND_CONTRACT
    assert await code(extend=-3 * HOUR) == asking.END_IN_THE_PAST
    assert await code(extend=400 * 24 * HOUR) == asking.BEYOND_HORIZON
    assert await code(mbps=600, by=BOB) == asking.BOOST_NOT_FOUND
    assert (await booked.cancel("boost-9")).user_errors[0].code == asking.BOOST_NOT_FOUND
    await booked.answer()
    await booked.shift(2 * HOUR)
    assert await code(extend=HOUR) == asking.BOOST_OVER
    assert (await booked.cancel(boost)).user_errors[0].code == asking.BOOST_OVER
    await booked.tick()
    await booked.answer()
    assert (await booked.cancel(boost)).user_errors[0].code == asking.BOOST_OVER


async def test_what_is_cancelled_before_it_begins_is_free_and_given_back(booked: Booked) -> None:
    boost = (await booked.book(mbps=700, start=HOUR)).ids["boost"]
    assert (await booked.cancel(boost)).user_errors == ()
    found = await booked.boost(boost)
    assert (found["status"], found["statusReason"], found["price"]) == ("TERMINATED", "DELETE_REQUESTED", 0)
    assert (await booked.reserved(), await booked.answer()) == (0, [])
    assert (await booked.book(mbps=700, start=HOUR)).user_errors == ()


async def test_what_is_cancelled_while_it_runs_is_charged_for_the_time_it_ran(booked: Booked) -> None:
    boost = (await booked.book(mbps=700)).ids["boost"]
    await booked.answer()
    await booked.shift(HOUR)
    assert (await booked.cancel(boost)).user_errors == ()
    await booked.answer()
    found = await booked.boost(boost)
    assert (found["status"], found["statusReason"]) == ("TERMINATED", "DELETE_REQUESTED")
    assert 500 <= found["price"] < 520
    [(_, end, mbps)] = await booked.usage()
    assert (end, mbps) == (found["endAt"], 700)
    assert await booked.rates() == (100, 100)


async def test_who_may_approve_lets_a_boost_be_and_others_may_not(booked: Booked) -> None:
    booked.policy = replace(POLICY, cap=SpendCap(amount=10, currency="EUR"))
    first, second = [(await booked.book(mbps=100, start=HOUR)).ids["boost"] for _ in range(2)]
    given = {"deadline": soon()}
    with pytest.raises(Refused, match="approveBoost"):
        await approve_boost(booked.store, ANNA, booked.policy, first, idempotency_key="a", **given)
    outcome = await approve_boost(booked.store, BOSS, booked.policy, first, idempotency_key="a", **given)
    assert outcome.user_errors == ()
    assert (await booked.boost(first))["status"] == "SCHEDULED"
    outcome = await approve_boost(booked.store, BOSS, booked.policy, first, idempotency_key="b", **given)
    assert outcome.user_errors[0].code == asking.BOOST_NOT_REQUESTED
    outcome = await decline_boost(booked.store, BOSS, booked.policy, second, idempotency_key="c", **given)
    assert (await booked.boost(second))["statusReason"] == "BOOKING_DECLINED"
    assert await booked.reserved() == 4
    outcome = await booked.change(first, mbps=150, price=2_000)
    assert [each.code for each in outcome.user_errors] == [asking.SPEND_CAP]
    assert (await booked.change(first, mbps=150, price=2_000, by=BOSS)).user_errors == ()


async def test_what_was_held_for_too_long_is_not_approved(booked: Booked) -> None:
    booked.policy = replace(POLICY, cap=SpendCap(amount=10, currency="EUR"), hold_ms=1)
    boost = (await booked.book(mbps=100, start=HOUR)).ids["boost"]
    outcome = await approve_boost(booked.store, BOSS, booked.policy, boost, idempotency_key="a", deadline=soon())
    assert [each.code for each in outcome.user_errors] == [asking.BOOST_OVER]
    await booked.tick()
    assert (await booked.boost(boost))["statusReason"] == "BOOKING_DECLINED"


async def test_an_operator_takes_a_boost_back(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer()
    with pytest.raises(Refused, match="Only operators"):
        await revoke_boost(booked.store, BOSS, POLICY, boost, idempotency_key="r", deadline=soon())
    outcome = await revoke_boost(booked.store, OPERATOR, POLICY, boost, idempotency_key="r", deadline=soon())
    assert outcome.user_errors == ()
    await booked.answer()
    assert (await booked.boost(boost))["statusReason"] == "BOOKING_REVOKED"


async def test_a_boost_that_runs_has_so_many_rates(booked: Booked, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them are kept with it."""
    monkeypatch.setattr("graph.changes.bandwidth.changing.MOST_RATES", 2)
    boost = (await booked.book(mbps=300)).ids["boost"]
    await booked.answer()
    for mbps in (200, 100):
        await booked.shift(60_000)
        assert (await booked.change(boost, mbps=mbps)).user_errors == ()
        await booked.answer()
    outcome = await booked.change(boost, mbps=150)
    assert [(each.code, each.path) for each in outcome.user_errors] == [(asking.TOO_MANY, ("boostId",))]
    assert (await booked.change(boost, extend=HOUR)).user_errors == (), "its end may be another one"
