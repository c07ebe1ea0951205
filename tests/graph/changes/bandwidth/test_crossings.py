"""Whose load is too high again and again, or for long, is a lead with its evidence: one for each service and reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import orjson
import pytest

from graph.changes.alarms.alarms import take_report
from graph.changes.alarms.consequences import OURSELVES, By
from graph.changes.bandwidth.consequences import crossings
from graph.changes.bandwidth.consequences.crossings import Crossing, crossings_of, evidence_of, is_of_load
from graph.changes.bandwidth.policy import CrossingRule, UtilizationRule
from graph.changes.policy import AlarmPolicy
from graph.ledger.timers import arm_once, ring
from graph.model.alarm import Alarm
from graph.model.identity import external_key
from graph.store.store import Store, Transaction
from tests.graph.changes.bandwidth.network import HOUR, POLICY, Booked, laid_out
from tests.graph.changes.network import soon

OFTEN: Final = CrossingRule(crossings=3, days=30)
LONG: Final = UtilizationRule(hours=5, days=1)
SELLING: Final = replace(POLICY, sales="sales", leads=(OFTEN, LONG))
CROSSED: Final = {"direction": "up", "indicatorName": "load", "observedValue": "450", "threshold": {"id": "PM-1"}}


def crossing(start: float, end: float, alarm: str = "a") -> Crossing:
    return Crossing(alarm=alarm, start=int(start * HOUR), end=int(end * HOUR))


def test_crossings_are_what_became_of_their_alarms() -> None:
    turns = [
        ("a", "AlarmRaised", 1),
        ("a", "AlarmCleared", 3),
        ("a", "AlarmReopened", 5),
        ("b", "AlarmCleared", 6),
        ("b", "AlarmRaised", 7),
        ("b", "AlarmReopened", 8),
    ]
    assert list(crossings_of(turns, 9)) == [
        Crossing(alarm="a", start=1, end=3),
        Crossing(alarm="a", start=5, end=9),
        Crossing(alarm="b", start=7, end=9),
    ]


def test_a_rule_is_fulfilled_by_what_lies_within_its_days() -> None:
    now = 48 * HOUR
    often = CrossingRule(crossings=2, days=1)
    assert evidence_of(often, [crossing(1, 2), crossing(30, 31)], now) == []
    found = evidence_of(often, [crossing(25, 26), crossing(30, 31)], now)
    assert found == [
        "2 times above the threshold in 1 days",
        {"alarm": "a", "from": 30 * HOUR, "to": 31 * HOUR},
        {"alarm": "a", "from": 25 * HOUR, "to": 26 * HOUR},
    ]


def test_hours_count_once_and_only_within_the_days() -> None:
    now, five = 48 * HOUR, UtilizationRule(hours=5, days=1)
    within = [crossing(20, 26), crossing(30, 33), crossing(31, 32, "b")]
    assert evidence_of(five, within[:2], now)[0] == "5.0 hours above the threshold in 1 days"
    assert evidence_of(UtilizationRule(hours=6, days=1), within, now) == []
    assert len(evidence_of(five, [crossing(30 + each / 4, 30 + (each + 1) / 4) for each in range(40)], now)) == 21


@pytest.mark.parametrize(
    ("record", "is_one"),
    [
        pytest.param({"crossedThresholdInformation": CROSSED}, True, id="load"),
        pytest.param({"crossedThresholdInformation": {**CROSSED, "direction": "down"}}, False, id="below"),
        pytest.param({"crossedThresholdInformation": {**CROSSED, "indicatorName": "availability"}}, False, id="other"),
        pytest.param({"crossedThresholdInformation": "load"}, False, id="no object"),
        pytest.param({}, False, id="no crossing"),
    ],
)
def test_only_a_load_above_its_threshold_counts(record: dict[str, Any], is_one: bool) -> None:  # noqa: FBT001
    assert is_of_load(orjson.dumps(record).decode()) is is_one
    assert not is_of_load(None)


def test_a_rule_that_cannot_be_is_refused() -> None:
    for make in (lambda: CrossingRule(crossings=0), lambda: UtilizationRule(hours=25, days=1)):
        with pytest.raises(ValueError, match="A rule for leads"):
            make()


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    booked = await laid_out(empty_store)
    booked.policy = SELLING
    return booked


async def report(booked: Booked, *, about: str = "service-a", alarm: str = "load", cleared: bool = False) -> None:
    """Let performance monitoring say that the load of a service is too high, or is so no more."""
    now = await booked.now()
    told = Alarm(
        source_system_id="performance",
        external_alarm_id=f"{about}:{alarm}",
        alarmed_object=about,
        alarm_type="qualityOfServiceAlarm",
        probable_cause="thresholdCrossed",
        specific_problem="450 Mbit/s are more than 400 Mbit/s",
        perceived_severity="minor",
        cleared=cleared,
        raised_at=now,
        is_dated=False,
        cleared_at=now if cleared else None,
        record={"crossedThresholdInformation": CROSSED},
    )

    async def work(transaction: Transaction) -> None:
        await take_report(transaction, By(principal=OURSELVES, policy=AlarmPolicy(reopen_ms=0)), told)

    await booked.store.write(work, deadline=soon())


async def look(booked: Booked, *, most: int = 100) -> None:
    """Let the timers come that look for crossings, and those that judge services."""
    works = {crossings.LOOKING: crossings.looking(SELLING, most=most), crossings.KIND: crossings.judging(SELLING)}
    await arm_once(booked.store, kind=crossings.LOOKING, about=crossings.ABOUT, deadline=soon())
    await booked.run("MATCH (t:Timer {kind: 'crossings'}) SET t.dueAt = 1")
    for _ in range(2):
        await ring(booked.store, works, most=10, deadline=soon())


async def leads(booked: Booked) -> list[tuple[str, str]]:
    rows = await booked.rows(
        "MATCH (l:Lead)-[:SUGGESTED_FOR]->(s:Service) RETURN s.id, l.reason ORDER BY s.id, l.reason"
    )
    return [(service, reason) for service, reason in rows]


async def test_the_third_crossing_makes_one_lead_that_sales_hears_of(booked: Booked) -> None:
    for number in range(4):
        await report(booked, alarm=f"load-{number}")
        await report(booked, alarm=f"load-{number}", cleared=True)
        await look(booked)
        assert await leads(booked) == ([("service-a", "thresholdCrossings")] if number >= 2 else [])
    [told] = await booked.tell("sales")
    assert (told["telling"], told["reason"], told["service"]["id"]) == ("lead", "thresholdCrossings", "service-a")
    assert told["customer"]["id"] == "customer-a"
    assert (told["evidence"][0], len(told["evidence"])) == ("3 times above the threshold in 30 days", 4)
    assert (await booked.events()).count("LeadOpened") == 1
    await booked.run("MATCH (l:Lead) SET l.state = 'rejected', l.at = 0")
    await report(booked, alarm="load-9")
    await look(booked)
    assert len(await leads(booked)) == 2


async def test_a_load_that_stays_too_high_is_a_lead_of_its_own(booked: Booked) -> None:
    await report(booked)
    await look(booked)
    assert await leads(booked) == []
    await booked.run("MATCH (e:Event) WHERE e.type = 'AlarmRaised' SET e.at = e.at - $ms", ms=5 * HOUR)
    await look(booked)  # nothing has become of the alarm since: it is open
    await look(booked)
    assert await leads(booked) == [("service-a", "sustainedUtilization")]
    [told] = await booked.tell("sales")
    assert told["evidence"][0] == "5.0 hours above the threshold in 1 days"


async def test_a_service_is_known_by_the_name_that_the_source_has_for_it(booked: Booked) -> None:
    await booked.run(
        "MATCH (s:Service {id: 'service-b'}) "
        "CREATE (:ExternalName {id: 'externalname-line-7', system: 'performance', name: 'line 7', key: $key})-[:NAMES]->(s)",
        key=external_key("performance", "line 7"),
    )
    for number in range(3):
        await report(booked, about="line 7", alarm=f"load-{number}")
    await look(booked, most=1)
    for _ in range(4):  # page by page
        await look(booked, most=1)
    assert await leads(booked) == [("service-b", "thresholdCrossings")]
