"""A boost begins, is charged and returns by itself, whatever the network answers, and everybody is told."""

from __future__ import annotations

import pytest

from graph.store.store import Store
from tests.graph.changes.bandwidth.network import BOB, HOUR, OPERATOR, Booked, laid_out


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    return await laid_out(empty_store)


async def test_a_boost_goes_its_way_and_everybody_is_told(booked: Booked) -> None:
    outcome = await booked.book()
    assert outcome.user_errors == ()
    boost = outcome.ids["boost"]
    assert (await booked.boost(boost))["status"] == "SCHEDULED"
    assert await booked.reserved() == 4  # two ports, two trunks
    assert await booked.rates() == (600, 100)
    assert await booked.answer() == ["service-a"]
    assert (await booked.boost(boost))["status"] == "ACTIVATED"
    assert await booked.rates() == (600, 600)
    [performance] = await booked.tell("pm")
    assert (performance["telling"], performance["mbps"], performance["boosts"]) == ("rate", 600, [boost])
    [notice] = await booked.tell("umbrella")
    assert (notice["kind"], notice["values"]["threshold"]) == ("ServiceRateChanged", 480)
    assert len(await booked.tell("inventory")) == 1
    assert await booked.tell("billing") == []
    done = await booked.steps(boost)
    assert set(done) == {"START NETWORK", "START PERFORMANCE", "START FAULT_MANAGEMENT", "START INVENTORY"}
    assert {state for state, _ in done.values()} == {"DONE"}
    assert done["START NETWORK"] == ("DONE", "R-600")
    await booked.shift(2 * HOUR)
    await booked.tick()
    assert await booked.rates() == (100, 600)
    assert (await booked.boost(boost))["status"] == "ACTIVATED"
    assert await booked.answer() == ["service-a"]
    after = await booked.boost(boost)
    assert (after["status"], after["statusReason"]) == ("TERMINATED", "DURATION_EXPIRED")
    assert await booked.rates() == (100, 100)
    assert await booked.reserved() == 0
    [(start, end, mbps)] = await booked.usage()
    assert (end, mbps) == (after["endAt"], 500)
    assert after["startAt"] <= start < after["startAt"] + 60_000
    [usage] = await booked.tell("billing")
    assert (usage["telling"], usage["kind"], usage["mbps"], usage["octets"]) == ("usage", "boost", 500, None)
    assert (usage["from"], usage["to"]) == (start - start % 1000, end - end % 1000)
    for system in ("pm", "umbrella", "inventory"):
        assert len(await booked.tell(system)) == 1
    done = await booked.steps(boost)
    assert {state for state, _ in done.values()} == {"DONE"}
    assert len(done) == 9
    assert await booked.events() == [
        "BoostScheduled",
        "ServiceRateRequested",
        "BoostActivated",
        "ServiceRateChanged",
        "UsageRecorded",
        "ServiceRateRequested",
        "BoostTerminated",
        "ServiceRateChanged",
    ]


async def ended(booked: Booked, boost: str) -> tuple[str, str | None]:
    found = await booked.boost(boost)
    return found["status"], found["statusReason"]


async def tasks(booked: Booked) -> list[tuple[str, str, str]]:
    rows = await booked.rows("MATCH (t:Task) RETURN t.kind, t.about, t.state ORDER BY t.openedAt, t.id")
    return [(kind, about, state) for kind, about, state in rows]


async def test_a_start_that_is_refused_leaves_the_old_rate_and_is_charged_nothing(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer(refuse="no such profile")
    assert await ended(booked, boost) == ("TERMINATED", "BOOKING_DECLINED")
    assert await booked.rates() == (100, 100)
    assert (await booked.reserved(), await booked.usage()) == (0, [])
    steps = await booked.steps(boost)
    assert steps["START NETWORK"][0] == "REFUSED"
    assert {state for name, (state, _) in steps.items() if name != "START NETWORK"} == {"SKIPPED"}
    assert (await booked.events())[-1] == "BoostDeclined"
    assert await booked.answer() == []
    assert (await booked.book(mbps=700)).user_errors == ()
    assert (await booked.boost(boost))["price"] == 0


async def test_a_return_that_is_refused_is_asked_for_again_and_charged_no_longer_than_ordered(booked: Booked) -> None:
    boost = (await booked.book(mbps=700)).ids["boost"]
    await booked.answer()
    await booked.shift(2 * HOUR)
    await booked.tick()
    for number in range(3):
        assert await booked.answer(refuse="busy") == ["service-a"], number
        assert await ended(booked, boost) == ("ACTIVATED", None)
        assert (await booked.steps(boost))["RETURN NETWORK"][0] == "REFUSED"
        assert await booked.answer() == []  # not before its pause
        await booked.shift(5_000 * 2**number)
        await booked.tick()
    assert await tasks(booked) == [("returnRefused", "service-a", "OPEN")]
    # what the network still carries is not sold again
    assert (await booked.book(service="service-b", mbps=200, by=OPERATOR)).user_errors != ()
    await booked.answer()
    assert await ended(booked, boost) == ("TERMINATED", "DURATION_EXPIRED")
    assert await tasks(booked) == [("returnRefused", "service-a", "DONE")]
    [(_, end, mbps)] = await booked.usage()
    assert (end, mbps) == ((await booked.boost(boost))["endAt"], 700)
    assert (await booked.steps(boost))["RETURN NETWORK"] == ("DONE", "R-100")
    assert (await booked.book(service="service-b", mbps=200, by=OPERATOR)).user_errors == ()


async def test_boosts_add_up_and_each_is_charged_for_itself(booked: Booked) -> None:
    first = (await booked.book(mbps=400, hours=2)).ids["boost"]
    second = (await booked.book(mbps=300, start=HOUR, hours=2)).ids["boost"]
    await booked.answer()
    assert await booked.rates() == (500, 500)
    await booked.shift(HOUR)
    await booked.tick()
    await booked.answer()
    assert await booked.rates() == (800, 800)
    await booked.shift(HOUR)
    await booked.tick()
    assert await booked.rates() == (400, 800)
    assert (await ended(booked, first))[0] == "ACTIVATED"
    await booked.answer()
    assert (await ended(booked, first))[0] == "TERMINATED"
    await booked.shift(HOUR)
    await booked.tick()
    await booked.answer()
    assert await ended(booked, second) == ("TERMINATED", "DURATION_EXPIRED")
    assert await booked.rates() == (100, 100)
    usage = await booked.usage()
    assert [mbps for _, _, mbps in usage] == [400, 300]
    assert all(abs((end - start) - 2 * HOUR) < 60_000 for start, end, _ in usage)


async def test_one_that_follows_another_at_once_needs_nothing_of_the_network(booked: Booked) -> None:
    first = (await booked.book(mbps=300, hours=1)).ids["boost"]
    [[end]] = await booked.rows("MATCH (b:Boost) RETURN b.endAt")
    second = (await booked.book(mbps=300, start=end - await booked.now(), hours=1)).ids["boost"]
    await booked.run("MATCH (b:Boost {id: $id}) SET b.startAt = $at", id=second, at=end)
    await booked.answer()
    await booked.shift(HOUR)
    await booked.tick()
    assert await booked.answer() == []
    assert (await ended(booked, first))[0] == "TERMINATED"
    assert (await ended(booked, second))[0] == "ACTIVATED"
    assert (await booked.steps(second))["START NETWORK"] == ("DONE", "the network carries it already")
    assert (await booked.boost(second))["chargedFrom"] == (await booked.boost(second))["startAt"]


async def test_what_nobody_was_there_for_is_declined_and_what_comes_late_is_done(booked: Booked) -> None:
    missed = (await booked.book(mbps=100, start=HOUR, hours=1)).ids["boost"]
    late = (await booked.book(mbps=200, start=HOUR, hours=5)).ids["boost"]
    await booked.shift(3 * HOUR)
    await booked.tick()
    assert await ended(booked, missed) == ("TERMINATED", "BOOKING_DECLINED")
    assert await booked.rates() == (300, 100)
    await booked.answer()
    assert await ended(booked, late) == ("ACTIVATED", None)
    found = await booked.boost(late)
    assert found["chargedFrom"] > found["startAt"] + HOUR  # since the network has confirmed it
    assert await booked.usage() == []


async def test_a_device_that_sets_less_is_charged_less_and_a_person_is_told(booked: Booked) -> None:
    boost = (await booked.book(mbps=500)).ids["boost"]
    await booked.answer(mbps=400)
    found = await booked.boost(boost)
    assert (found["status"], found["chargedMbps"]) == ("ACTIVATED", 300)
    assert await booked.rates() == (600, 400)
    assert await tasks(booked) == [("rateDiffers", "service-a", "OPEN")]
    assert await booked.answer() == []


async def test_a_device_that_does_nothing_declines(booked: Booked) -> None:
    boost = (await booked.book(mbps=500)).ids["boost"]
    await booked.answer(mbps=100)
    assert await ended(booked, boost) == ("TERMINATED", "BOOKING_DECLINED")
    assert (await booked.steps(boost))["START NETWORK"][0] == "REFUSED"
    assert await booked.rates() == (100, 100)


async def test_a_device_that_says_it_has_returned_and_has_not_is_asked_again(booked: Booked) -> None:
    boost = (await booked.book(mbps=500)).ids["boost"]
    await booked.answer()
    await booked.shift(2 * HOUR)
    await booked.tick()
    await booked.answer(mbps=600)
    assert await ended(booked, boost) == ("ACTIVATED", None)
    assert await tasks(booked) == [("returnRefused", "service-a", "OPEN")]
    await booked.shift(5_000)
    await booked.tick()
    await booked.answer()
    assert await ended(booked, boost) == ("TERMINATED", "DURATION_EXPIRED")
    assert [mbps for _, _, mbps in await booked.usage()] == [500]


async def test_an_answer_that_comes_after_a_cancellation_is_followed_by_the_return(booked: Booked) -> None:
    boost = (await booked.book(mbps=500)).ids["boost"]
    [claimed] = await booked.claimed("provisioning")
    assert (await booked.cancel(boost)).user_errors == ()
    assert (await ended(booked, boost))[0] == "SCHEDULED"
    await booked.settle(claimed, mbps=600)
    assert await booked.rates() == (100, 600)
    assert await booked.reserved() == 4
    assert await booked.answer() == ["service-a"]
    assert await ended(booked, boost) == ("TERMINATED", "DELETE_REQUESTED")
    assert (await booked.rates(), await booked.usage(), await booked.reserved()) == ((100, 100), [], 0)
    assert await tasks(booked) == []


async def test_a_customer_is_reminded_of_the_end_once_and_again_when_it_is_later(booked: Booked) -> None:
    boost = (await booked.book(mbps=500)).ids["boost"]
    await booked.answer()
    await booked.shift(2 * HOUR - 600_000)
    for _ in range(2):
        await booked.tick()
    assert (await booked.events()).count("BoostAboutToEnd") == 1
    assert (await booked.change(boost, extend=HOUR)).user_errors == ()
    await booked.shift(HOUR)
    await booked.tick()
    assert (await booked.events()).count("BoostAboutToEnd") == 2


async def test_a_start_of_which_nobody_knows_is_held_and_asked_for_until_the_network_says(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer(lose="it did not say")
    assert ((await booked.boost(boost))["status"], await booked.rates()) == ("SCHEDULED", (600, 100))
    assert (await booked.steps(boost))["START NETWORK"] == ("REFUSED", None)
    assert await tasks(booked) == [("rateUnknown", "service-a", "OPEN")]
    assert await booked.answer() == [], "it is asked again after a pause"
    await booked.shift(5_000)
    await booked.tick()
    await booked.answer()
    assert ((await booked.boost(boost))["status"], await booked.rates()) == ("ACTIVATED", (600, 600))
    assert (await booked.steps(boost))["START NETWORK"][0] == "DONE"
    assert await tasks(booked) == [("rateUnknown", "service-a", "DONE")]


async def test_what_the_network_may_carry_is_held_beyond_the_end_and_free(booked: Booked) -> None:
    boost = (await booked.book(hours=1)).ids["boost"]
    await booked.answer(lose="it did not say")
    await booked.shift(HOUR)
    await booked.tick()
    assert (await booked.boost(boost))["status"] == "SCHEDULED", "it may be carried"
    other = await booked.book(service="service-b", mbps=500, by=BOB)
    assert [each.code for each in other.user_errors] == ["NO_CAPACITY"], "what may be carried is not sold again"
    await booked.answer(lose="it did not say")
    await booked.shift(10_000)
    await booked.tick()
    await booked.answer()
    found = await booked.boost(boost)
    assert (found["status"], found["statusReason"], found["price"]) == ("TERMINATED", "BOOKING_DECLINED", 0)
    assert (await booked.rates(), await booked.usage()) == ((100, 100), [])
    assert (await booked.book(service="service-b", mbps=500, by=BOB)).ids


async def test_a_start_that_is_refused_in_doubt_is_over_once_the_network_has_said_what_it_carries(
    booked: Booked,
) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer(lose="it did not say")
    await booked.shift(5_000)
    await booked.tick()
    await booked.answer(refuse="no")
    assert (await booked.boost(boost))["status"] == "SCHEDULED"
    assert await booked.answer() == ["service-a"]
    found = await booked.boost(boost)
    assert (found["status"], found["statusReason"], found["price"]) == ("TERMINATED", "BOOKING_DECLINED", 0)
    assert (await booked.rates(), await booked.reserved()) == ((100, 100), 0)


async def test_an_answer_from_before_a_start_declines_nothing(booked: Booked) -> None:
    first = (await booked.book()).ids["boost"]
    second = (await booked.book(mbps=300, start=2 * HOUR)).ids["boost"]
    await booked.cancel(first)
    await booked.answer()
    [asked] = await booked.claimed("provisioning")
    await booked.shift(2 * HOUR)
    await booked.settle(asked, asked_mbps=100)
    assert (await booked.boost(second))["status"] == "SCHEDULED"
    assert await tasks(booked) == []
    assert await booked.answer() == ["service-a"]
    assert ((await booked.boost(second))["status"], await booked.rates()) == ("ACTIVATED", (400, 400))


async def test_an_answer_from_before_an_end_is_no_refusal_to_return(booked: Booked) -> None:
    await booked.book()
    [asked] = await booked.claimed("provisioning")
    await booked.shift(2 * HOUR)
    await booked.settle(asked, asked_mbps=600)
    assert await tasks(booked) == []
    assert await booked.answer() == ["service-a"]
    assert await booked.rates() == (100, 100)


async def test_a_decrease_that_is_refused_and_then_made_is_done(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer()
    await booked.change(boost, mbps=200)
    await booked.answer(refuse="busy")
    await booked.shift(5_000)
    await booked.tick()
    await booked.answer()
    assert await booked.rates() == (300, 300)
    assert (await booked.steps(boost))["CHANGE NETWORK"][0] == "DONE"


async def test_an_increase_that_is_refused_stays_refused(booked: Booked) -> None:
    boost = (await booked.book(mbps=200)).ids["boost"]
    await booked.answer()
    await booked.change(boost, mbps=500)
    await booked.answer(refuse="no")
    await booked.cancel(boost)
    await booked.answer()
    assert (await booked.steps(boost))["CHANGE NETWORK"][0] == "REFUSED"


async def test_a_task_of_another_rate_is_done_when_the_rate_is_as_booked(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer(mbps=300)
    await booked.cancel(boost)
    await booked.answer()
    assert await tasks(booked) == [("rateDiffers", "service-a", "DONE")]
