"""A booking is decided under its locks: what cannot be has a reason, and nothing of it is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from graph.changes.bandwidth import asking
from graph.changes.bandwidth.booking import BookingRequest, Occurrence, book, try_booking
from graph.changes.bandwidth.policy import SpendCap
from graph.errors import Refused
from graph.model.scope import Principal, Role
from graph.store.store import Store
from tests.graph.changes.bandwidth.network import ANNA, BOB, BOSS, HOUR, OPERATOR, POLICY, Booked, laid_out
from tests.graph.changes.network import soon


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    return await laid_out(empty_store)


async def nothing_is_written(booked: Booked) -> bool:
    [[boosts, events, deliveries]] = await booked.rows(
        "RETURN COUNT { MATCH (b:Boost) RETURN b }, COUNT { MATCH (e:Event) RETURN e }, COUNT { MATCH (d:Delivery) RETURN d }"
    )
    profiles = await booked.rows("MATCH (c:CapacityProfile) WHERE c.deltas IS NOT NULL RETURN c.id")
    return (boosts, events, deliveries, profiles) == (0, 0, 0, [])


async def code(booked: Booked, **given: object) -> tuple[str, tuple[str, ...]]:
    outcome = await booked.book(**given)  # type: ignore[arg-type]  # what a test says
    assert outcome.ids == {}
    [error] = outcome.user_errors
    return error.code, error.path


async def test_what_cannot_be_has_a_reason_and_nothing_is_written(booked: Booked) -> None:
    assert await code(booked, start=-HOUR) == (asking.START_IN_THE_PAST, ("startAt",))
    assert await code(booked, start=HOUR, hours=0) == (asking.NOT_AN_INTERVAL, ("endAt",))
    assert await code(booked, start=HOUR, hours=-2) == (asking.NOT_AN_INTERVAL, ("endAt",))
    assert await code(booked, hours=-1) == (asking.END_IN_THE_PAST, ("endAt",))
    assert await code(booked, hours=24 * 400) == (asking.BEYOND_HORIZON, ("endAt",))
    assert await code(booked, mbps=0) == (asking.RATE_TOO_LOW, ("mbps",))
    assert await code(booked, mbps=701) == (asking.BEYOND_CONTRACT, ("mbps",))
    assert await code(booked, service="service-9") == (asking.SERVICE_NOT_FOUND, ("serviceId",))
    assert await code(booked, service="service-b") == (asking.SERVICE_NOT_FOUND, ("serviceId",))
    await booked.run("MATCH (s:Service {id: 'service-a'}) SET s.maxMbps = 5000")
    assert await code(booked, mbps=801) == (asking.NO_CAPACITY, ("mbps",))  # service-b has 100 on trunk-1
    await booked.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'terminated'")
    assert await code(booked) == (asking.SERVICE_NOT_ACTIVE, ("serviceId",))
    booked.policy = replace(POLICY, provisioning="")
    assert await code(booked, service="service-b", by=OPERATOR) == (asking.NO_PROVISIONING, ("serviceId",))
    assert await nothing_is_written(booked)


async def test_who_has_not_the_claim_is_refused(booked: Booked) -> None:
    for who in (
        replace(ANNA, changes=("reportProblem",)),
        Principal(subject="s", role=Role.SYSTEM, system="ems"),
        Principal(subject="a", role=Role.ANALYST),
    ):
        with pytest.raises(Refused, match="may not do boostBandwidth"):
            await booked.book(by=who)


async def test_the_last_capacity_is_sold_once(booked: Booked) -> None:
    """trunk-1 has 1,000, of which 200 are committed: two of three bookings of 400 fit, at once or one after the other."""
    await booked.run("MATCH (s:Service) SET s.maxMbps = 5000")
    outcomes = await booked.together(
        *(
            booked.book(service=service, mbps=400, start=HOUR, by=OPERATOR, key=f"t{number}")
            for number, service in enumerate(("service-a", "service-b", "service-a"))
        )
    )
    assert sorted(len(each.user_errors) for each in outcomes) == [0, 0, 1]
    assert [each.user_errors[0].code for each in outcomes if each.user_errors] == [asking.NO_CAPACITY]
    [[ends]] = await booked.rows("MATCH (b:Boost) RETURN max(b.endAt)")
    after = (ends - await booked.now()) + 1
    assert (await booked.book(mbps=800, start=after, by=OPERATOR)).user_errors == ()


async def test_intervals_that_touch_do_not_overlap(booked: Booked) -> None:
    now = await booked.now()
    quarter = now - now % (HOUR // 4)  # what a customer is told is rounded to whole quarter hours
    for number in range(3):
        start = quarter + HOUR * (1 + number)
        wanted = BookingRequest(
            service="service-a",
            mbps=700,
            occurrences=(Occurrence(start=start, end=start + HOUR, price=1),),
            currency="EUR",
        )
        # To a customer the last quarter hour of one is not free for the next: only who sees everything books to the second.
        outcome = await book(booked.store, OPERATOR, POLICY, wanted, idempotency_key=f"n{number}", deadline=soon())
        assert outcome.user_errors == ()


async def test_the_same_key_books_once_and_another_input_is_refused(booked: Booked) -> None:
    now = await booked.now()
    wanted = BookingRequest(
        service="service-a",
        mbps=100,
        occurrences=(Occurrence(start=now + HOUR, end=now + 2 * HOUR, price=1),),
        currency="EUR",
    )
    first = await book(booked.store, ANNA, POLICY, wanted, idempotency_key="k", deadline=soon())
    assert await book(booked.store, ANNA, POLICY, wanted, idempotency_key="k", deadline=soon()) == first
    assert await booked.rows("MATCH (b:Boost) RETURN count(b)") == [[1]]
    with pytest.raises(Refused) as caught:
        await book(booked.store, ANNA, POLICY, replace(wanted, mbps=101), idempotency_key="k", deadline=soon())
    assert caught.value.code == "IDEMPOTENCY_CONFLICT"


EVERYTHING = "MATCH (n) RETURN count(n), sum(coalesce(n._locked, 0))"


async def test_a_dry_run_decides_and_writes_nothing(booked: Booked) -> None:
    now = await booked.now()
    wanted = BookingRequest(
        service="service-a",
        mbps=700,
        occurrences=(Occurrence(start=None, end=now + HOUR, price=1),),
        currency="EUR",
    )
    before = await booked.rows(EVERYTHING)
    outcome = await try_booking(booked.store, ANNA, POLICY, wanted, deadline=soon())
    assert (outcome.ids, outcome.user_errors) == ({}, ())
    assert await nothing_is_written(booked)
    assert await booked.rows(EVERYTHING) == before  # no timer, no profile, and no lock that was counted
    outcome = await try_booking(booked.store, ANNA, POLICY, replace(wanted, mbps=701), deadline=soon())
    assert [each.code for each in outcome.user_errors] == [asking.BEYOND_CONTRACT]


async def test_a_series_is_booked_together_or_not_at_all(booked: Booked) -> None:
    now = await booked.now()
    weekly = tuple(
        Occurrence(start=now + HOUR + 7 * 24 * HOUR * week, end=now + 2 * HOUR + 7 * 24 * HOUR * week, price=10)
        for week in range(4)
    )
    wanted = BookingRequest(service="service-a", mbps=700, occurrences=weekly, currency="EUR")
    [blocking] = (await booked.book(service="service-b", mbps=200, start=HOUR + 14 * 24 * HOUR, by=BOB),)
    assert blocking.user_errors == ()
    outcome = await book(booked.store, ANNA, POLICY, wanted, idempotency_key="k", deadline=soon())
    assert [each.code for each in outcome.user_errors] == [asking.NO_CAPACITY]
    assert await booked.rows("MATCH (b:Boost) RETURN count(b)") == [[1]]
    outcome = await book(booked.store, ANNA, POLICY, replace(wanted, mbps=600), idempotency_key="k2", deadline=soon())
    found = await booked.rows(
        "MATCH (b:Boost {series: $series}) RETURN b.startAt, b.mbps ORDER BY b.startAt", series=outcome.ids["series"]
    )
    assert [start for start, _ in found] == [each.start for each in weekly]
    await booked.run("MATCH (s:Service) SET s.maxMbps = 10000")
    twice = replace(wanted, mbps=450, occurrences=(weekly[0], weekly[0]))
    outcome = await book(booked.store, ANNA, POLICY, twice, idempotency_key="k3", deadline=soon())
    assert [each.code for each in outcome.user_errors] == [asking.NO_CAPACITY]
    none = replace(wanted, occurrences=())
    outcome = await book(booked.store, ANNA, POLICY, none, idempotency_key="k4", deadline=soon())
    assert [each.code for each in outcome.user_errors] == [asking.TOO_MANY]


async def test_what_is_above_the_spend_cap_waits_for_an_approval_and_holds_its_capacity_until_then(
    booked: Booked,
) -> None:
    booked.policy = replace(POLICY, cap=SpendCap(amount=1_500, currency="EUR"))
    first = await booked.book(mbps=100, start=HOUR)
    assert (await booked.boost(first.ids["boost"]))["status"] == "SCHEDULED"
    second = await booked.book(mbps=600, start=HOUR)
    assert (await booked.boost(second.ids["boost"]))["status"] == "REQUESTED"
    assert [
        each.code for each in (await booked.book(service="service-b", mbps=200, start=HOUR, by=BOB)).user_errors
    ] == [asking.NO_CAPACITY]
    await booked.shift(POLICY.hold_ms)
    await booked.tick()
    assert (await booked.boost(second.ids["boost"]))["statusReason"] == "BOOKING_DECLINED"
    assert (await booked.book(service="service-b", mbps=200, start=HOUR, by=BOB)).user_errors == ()
    by_boss = await booked.book(mbps=100, start=HOUR, by=BOSS)
    assert (await booked.boost(by_boss.ids["boost"]))["status"] == "SCHEDULED"


async def test_two_services_of_a_customer_do_not_pass_the_cap_together(booked: Booked) -> None:
    booked.policy = replace(POLICY, cap=SpendCap(amount=1_500, currency="EUR"))
    outcomes = await booked.together(
        booked.book(service="service-b", mbps=10, start=HOUR, by=BOB, key="x1"),
        booked.book(service="service-c", mbps=10, start=HOUR, by=BOB, key="x2"),
    )
    states = [(await booked.boost(each.ids["boost"]))["status"] for each in outcomes]
    assert sorted(states) == ["REQUESTED", "SCHEDULED"]
