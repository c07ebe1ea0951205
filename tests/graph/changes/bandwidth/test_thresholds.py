"""Whoever watches the network is told of every service what it carries and what is too much: once, and anew where one of both changes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from graph.changes.bandwidth.consequences import thresholds
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.ledger.timers import arm_once, ring
from graph.model.thresholds import Thresholds
from graph.store.store import Store
from tests.graph.changes.bandwidth.network import POLICY, Booked, laid_out
from tests.graph.changes.network import soon


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    return await laid_out(empty_store)


async def look(booked: Booked, policy: BandwidthPolicy = POLICY, times: int = 1, **sizes: Any) -> None:
    """Let the timer come so often, as if its time had come."""
    await arm_once(booked.store, kind=thresholds.LOOKING, about=thresholds.ABOUT, deadline=soon())
    for _ in range(times):
        await booked.run("MATCH (t:Timer {kind: $kind}) SET t.dueAt = 1", kind=thresholds.LOOKING)
        works = {thresholds.LOOKING: thresholds.looking(policy, **sizes)}
        assert await ring(booked.store, works, most=10, deadline=soon()) == 1


async def measured(booked: Booked) -> list[tuple[str, int, str, bool]]:
    """Let performance monitoring have what it is told; give of which services, which rates by which contract, and whether they are over."""
    told = await booked.tell("pm")
    return sorted((each["service"]["id"], each["mbps"], each["tier"], each.get("over", False)) for each in told)


async def heard(booked: Booked) -> list[tuple[str, int, int]]:
    """Let fault management have what it is told; give of which services, which rates and thresholds."""
    told = [each["values"] | {"about": each["about"]} for each in await booked.tell("umbrella")]
    return sorted((each["about"], each["effectiveMbps"], each["threshold"]) for each in told)


async def test_all_services_are_told_once_to_all_who_watch(booked: Booked) -> None:
    await look(booked, times=2)
    assert await measured(booked) == [
        ("service-a", 100, "PREMIUM", False),
        ("service-b", 100, "STANDARD", False),
        ("service-c", 50, "BASIC", False),
    ]
    assert await heard(booked) == [("service-a", 100, 80), ("service-b", 100, 90), ("service-c", 50, 47)]
    events = await booked.event_payloads("ServiceThresholdSet")
    assert events[0] == {
        "service": "service-a",
        "customer": "customer-a",
        "effectiveMbps": 100,
        "bookedMbps": 100,
        "committedMbps": 100,
        "threshold": 80,
    }
    await look(booked, times=2)
    assert await measured(booked) == []


@pytest.mark.parametrize(
    "change",
    [
        "MATCH (l:Sla {id: 'sla-service-b'}) SET l.tier = 'PREMIUM'",
        "MATCH (l:Sla {id: 'sla-service-b'}) SET l.availabilityPercent = 99.5",
        "MATCH (s:Service {id: 'service-b'}) SET s.committedMbps = 200",
        "MATCH (s:Service {id: 'service-b'}) SET s.effectiveMbps = 200",
        "MATCH (s:Service {id: 'service-b'}) SET s.name = 'another'",
    ],
)
async def test_what_changes_is_told_anew_and_nothing_else(booked: Booked, change: str) -> None:
    await look(booked)
    await measured(booked)
    await booked.run(change)
    await look(booked)
    assert [service for service, *_ in await measured(booked)] == ["service-b"]


async def test_other_shares_and_another_system_are_news_too(booked: Booked) -> None:
    await look(booked)
    await measured(booked)
    other = replace(POLICY, thresholds=Thresholds(premium=70))
    await look(booked, other)
    assert [service for service, *_ in await measured(booked)] == ["service-a"]
    await look(booked, replace(other, performance="pm2"))
    assert len(await booked.tell("pm2")) == 3


async def test_a_boost_tells_its_rate_itself(booked: Booked) -> None:
    await look(booked)
    await measured(booked)
    await booked.book(mbps=500)
    await booked.answer()
    assert await booked.rates() == (600, 600)
    await look(booked)
    assert [(service, mbps) for service, mbps, *_ in await measured(booked)] == [("service-a", 600)]


async def test_a_service_that_is_not_in_use_any_more_need_not_be_measured(booked: Booked) -> None:
    await booked.run("MATCH (s:Service {id: 'service-c'}) SET s.state = 'designed'")
    await look(booked)
    await measured(booked)
    await heard(booked)
    await booked.run("MATCH (s:Service) WHERE s.id <> 'service-a' SET s.state = 'terminated'")
    await look(booked, times=2)
    assert await measured(booked) == [("service-b", 100, "STANDARD", True)]
    assert await heard(booked) == [], "of what carries nothing there is no threshold"
    assert await booked.event_payloads("ServiceMonitoringEnded") == [{"service": "service-b"}]
    await booked.run("MATCH (s:Service {id: 'service-b'}) SET s.state = 'active'")
    await look(booked)
    assert await measured(booked) == [("service-b", 100, "STANDARD", False)]


async def test_what_is_told_of_a_rate_later_says_that_the_service_is_not_in_use(booked: Booked) -> None:
    await look(booked)
    one = (await booked.book(mbps=500)).ids["boost"]
    await booked.answer()
    await booked.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'inactive'")
    await look(booked)
    await booked.cancel(one)
    await booked.answer()
    told = [each for each in await booked.tell("pm") if each["service"]["id"] == "service-a"]
    assert [(each["mbps"], each["over"]) for each in told] == [(100, False), (600, False), (600, True), (100, True)]
    await look(booked)
    assert await measured(booked) == []


async def test_a_job_that_a_boost_has_made_ends_too(booked: Booked) -> None:
    await booked.book(mbps=500)
    await booked.answer()
    await booked.run("MATCH (s:Service) SET s.state = 'inactive'")
    await look(booked, times=2)
    assert await measured(booked) == [("service-a", 600, "PREMIUM", False), ("service-a", 600, "PREMIUM", True)]


async def test_a_service_whose_rate_nobody_knows_has_no_threshold(booked: Booked) -> None:
    await booked.run("MATCH (s:Service {id: 'service-a'}) SET s.committedMbps = null, s.effectiveMbps = null")
    await booked.run("MATCH (s:Service {id: 'service-b'}) SET s.committedMbps = 0, s.effectiveMbps = 0")
    await look(booked)
    assert [service for service, *_ in await measured(booked)] == ["service-c"]
    assert [service for service, *_ in await heard(booked)] == ["service-c"]


async def test_who_comes_later_is_told_and_nobody_else(booked: Booked) -> None:
    await look(booked, replace(POLICY, performance=""))
    assert len(await heard(booked)) == 3
    await look(booked)
    assert (len(await measured(booked)), await heard(booked)) == (3, [])


async def test_a_network_is_gone_through_in_pages(booked: Booked) -> None:
    await look(booked, most=2, at_once=1)
    assert len(await measured(booked)) == 1
    await look(booked, times=2, most=2, at_once=1)
    assert len(await measured(booked)) == 2
    [[due, now]] = await booked.rows(
        "MATCH (t:Timer {kind: $kind}) RETURN t.dueAt, datetime.realtime().epochMillis", kind=thresholds.LOOKING
    )
    assert due - now > 10_000, "all have been told: there is time"


async def test_who_takes_nothing_in_is_told_of_no_more(booked: Booked) -> None:
    await look(booked, most=2)
    await look(booked, times=3, most=2, most_waiting=2)
    assert len(await measured(booked)) == 2
    await heard(booked)
    await look(booked, most=2, most_waiting=2)
    assert len(await measured(booked)) == 1


async def test_a_load_has_all_looked_at_again(booked: Booked) -> None:
    await look(booked, most=2)
    await measured(booked)
    await booked.run("MATCH (s:Service {id: 'service-a'}) SET s.committedMbps = 300, s.effectiveMbps = 300")
    await thresholds.look_soon(booked.store, deadline=soon())
    works = {thresholds.LOOKING: thresholds.looking(POLICY, most=2)}
    await ring(booked.store, works, most=10, deadline=soon())
    assert [(service, mbps) for service, mbps, *_ in await measured(booked)] == [("service-a", 300)]


async def test_where_nobody_watches_nothing_is_written(booked: Booked) -> None:
    await look(booked, replace(POLICY, performance="", fault_management=None))
    assert await booked.events() == []
