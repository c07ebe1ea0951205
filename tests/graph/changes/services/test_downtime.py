from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from graph.changes.alarms.alarms import amend_alarm
from graph.changes.alarms.occurrence import Known
from graph.changes.policy import AlarmPolicy
from graph.model.alarm import Alarm
from graph.store.open_alarms import differing
from graph.store.store import Store
from tests.graph.changes.network import AT, SYSTEM, Laid, lay, report, soon

BILLED = AlarmPolicy(billing="billing")
MINUTE = 60_000


@pytest.fixture
async def laid(empty_store: Store) -> AsyncIterator[Laid]:
    await lay(empty_store)
    yield Laid(store=empty_store)
    assert await differing(empty_store, deadline=soon()) == [], "an alarm says that it is open on something else"


async def down(laid: Laid, target: str, number: int = 1, at: int = AT) -> str:
    return await laid.raise_(report(target, number, raised_at=at), policy=BILLED)


async def cleared(laid: Laid, target: str, number: int, at: int) -> None:
    alarm = report(target, number, cleared=True, cleared_at=at, changed_at=at)
    await laid.raise_(replace(alarm, record={"at": at}), policy=BILLED)


async def intervals(laid: Laid, service: str) -> list[list[Any]]:
    text = (
        "MATCH (d:Downtime)-[:INTERRUPTS]->(s:Service {id: $service}) "
        "RETURN d.effect, d.from, d.to, d.alarms ORDER BY d.from, d.id"
    )
    return [
        [effect, start, end, orjson.loads(alarms)]
        for effect, start, end, alarms in await laid.rows(text, service=service)
    ]


async def told(laid: Laid, service: str) -> list[tuple[int, dict[str, Any]]]:
    text = (
        "MATCH (d:Delivery {orderKey: $service})-[:TELLS]->(e:Event) WHERE d.system = 'billing' AND d.subject = $service "
        "RETURN d.version, d.payload ORDER BY d.version"
    )
    return [(version, orjson.loads(payload)) for version, payload in await laid.rows(text, service=service)]


async def test_an_interval_is_open_while_the_effect_lasts_and_closed_when_it_ends(laid: Laid) -> None:
    alarm = await down(laid, "port-b")
    assert await intervals(laid, "service-b") == [["down", AT, None, [alarm]]]
    await cleared(laid, "port-b", 1, AT + MINUTE)
    assert await intervals(laid, "service-b") == [["down", AT, AT + MINUTE, [alarm]]]
    assert await intervals(laid, "service-a") == []


async def test_billing_is_told_when_it_begins_and_when_it_ends(laid: Laid) -> None:
    await laid.run("MATCH (c:Customer {id: 'customer-b'}) SET c.accountRef = 'acc-b'")
    await laid.run("MATCH (l:Sla {id: 'sla-service-b'}) SET l.availabilityPercent = 99.9")
    alarm = await down(laid, "port-b")
    await cleared(laid, "port-b", 1, AT + MINUTE)
    (first, begun), (second, ended) = await told(laid, "service-b")
    assert (first, second) == (1, 2)
    assert begun == {
        "telling": "downtime",
        "id": begun["id"],
        "service": {"id": "service-b", "name": "service-b"},
        "customer": {"id": "customer-b", "name": "b", "account": "acc-b"},
        "effect": "down",
        "from": AT,
        "to": None,
        "alarms": [alarm],
        "availabilityPercent": 99.9,
    }
    assert ended == {**begun, "to": AT + MINUTE}
    assert [(of, kind) for of, _, kind, _ in await laid.events() if of == "service-b"] == [
        ("service-b", "DowntimeBegan"),
        ("service-b", "DowntimeEnded"),
    ]


async def test_another_effect_is_another_interval(laid: Laid) -> None:
    working = await down(laid, "trunk-1", 1)
    protecting = await down(laid, "trunk-2", 2, AT + MINUTE)
    await cleared(laid, "trunk-1", 1, AT + 3 * MINUTE)
    await cleared(laid, "trunk-2", 2, AT + 5 * MINUTE)
    assert await intervals(laid, "service-a") == [
        ["degraded", AT, AT + MINUTE, [working]],
        ["down", AT + MINUTE, AT + 3 * MINUTE, sorted([working, protecting])],
        ["atRisk", AT + 3 * MINUTE, AT + 5 * MINUTE, [protecting]],
    ]
    ends = await laid.rows("MATCH (e:Event {type: 'DowntimeEnded', aggregateId: 'service-a'}) RETURN e.payload")
    assert {(said["effect"], said["becomes"]) for said in (orjson.loads(str(row[0])) for row in ends)} == {
        ("degraded", "down"),
        ("down", "atRisk"),
        ("atRisk", None),
    }
    said = await told(laid, "service-a")
    assert [version for version, _ in said] == [1, 2, 3, 4, 5, 6]
    assert [(each["effect"], each["to"] is None) for _, each in said] == [
        ("degraded", True),
        ("degraded", False),
        ("down", True),
        ("down", False),
        ("atRisk", True),
        ("atRisk", False),
    ]


async def test_all_alarms_that_took_part_are_named_also_those_that_are_over_before_the_end(laid: Laid) -> None:
    first = await down(laid, "port-b", 1)
    second = await down(laid, "card-2", 2, AT + MINUTE)
    assert await intervals(laid, "service-b") == [["down", AT, None, sorted([first, second])]]
    await cleared(laid, "card-2", 2, AT + 2 * MINUTE)
    await cleared(laid, "port-b", 1, AT + 3 * MINUTE)
    assert await intervals(laid, "service-b") == [["down", AT, AT + 3 * MINUTE, sorted([first, second])]]
    assert len(await told(laid, "service-b")) == 2


async def test_intervals_of_a_service_do_not_overlap_whatever_the_sources_say(laid: Laid) -> None:
    await down(laid, "port-b", 1)
    await cleared(laid, "port-b", 1, AT + 5 * MINUTE)
    await down(laid, "card-2", 2, AT + MINUTE)
    await cleared(laid, "card-2", 2, AT + 2 * MINUTE)
    spans = [(start, end) for _, start, end, _ in await intervals(laid, "service-b")]
    assert spans == [(AT, AT + 5 * MINUTE), (AT + 5 * MINUTE, AT + 5 * MINUTE)]


async def test_nothing_begins_in_the_future(laid: Laid) -> None:
    far = 4_000_000_000_000
    await down(laid, "port-b", 1, far)
    [[_, start, _, _]] = await intervals(laid, "service-b")
    assert AT < start < far


async def test_without_billing_intervals_are_kept_and_nobody_is_told(laid: Laid) -> None:
    await laid.raise_(report("port-b"), policy=AlarmPolicy())
    assert len(await intervals(laid, "service-b")) == 1
    assert await told(laid, "service-b") == []


async def test_the_end_of_an_effect_from_before_intervals_were_kept_is_no_interval(laid: Laid) -> None:
    await down(laid, "port-b", 1)
    await laid.run(
        "MATCH (s:Service {id: 'service-b'}) SET s._downtime = null, s._suffers = null, s._blamed = null, s._effectAt = null"
    )
    await laid.run("MATCH (d:Downtime) DETACH DELETE d")
    await cleared(laid, "port-b", 1, AT + MINUTE)
    assert await intervals(laid, "service-b") == []


async def test_an_alarm_that_changes_no_effect_begins_no_interval(laid: Laid) -> None:
    await laid.raise_(report("port-b", perceived_severity="minor"), policy=BILLED)
    assert await intervals(laid, "service-b") == []


async def test_a_fault_that_returns_begins_when_its_source_says_and_never_before_its_last_end(laid: Laid) -> None:
    await down(laid, "port-b", 1)
    await cleared(laid, "port-b", 1, AT + MINUTE)
    again = report("port-b", 1, raised_at=AT, changed_at=AT + 3 * MINUTE, record={"again": 1})
    await laid.raise_(again, policy=BILLED)
    spans = [(start, end) for _, start, end, _ in await intervals(laid, "service-b")]
    assert spans == [(AT, AT + MINUTE), (AT + 3 * MINUTE, None)]


async def test_a_time_that_is_of_an_earlier_change_is_not_that_of_this_one(laid: Laid) -> None:
    early = report("port-b", 1, perceived_severity="minor", changed_at=AT + MINUTE, record={"first": 1})
    alarm = await laid.raise_(early, policy=BILLED)

    def worse(known: Known) -> Alarm:
        return replace(known.value, perceived_severity="critical", changed_at=AT + MINUTE, record={"second": 2})

    await amend_alarm(laid.store, SYSTEM, BILLED, alarm_id=alarm, amend=worse, deadline=soon())
    [[_, start, _, _]] = await intervals(laid, "service-b")
    assert start > AT + MINUTE


async def test_an_interval_whose_effect_somebody_else_has_ended_ends_with_the_next_change(laid: Laid) -> None:
    await down(laid, "port-b", 1)
    await laid.run("MATCH (s:Service {id: 'service-b'}) SET s.effect = null")
    await laid.run("MATCH (:Alarm)-[r:AFFECTS]->(:Service {id: 'service-b'}) DELETE r")
    await down(laid, "trunk-1", 2, AT + MINUTE)
    spans = [(effect, end) for effect, _, end, _ in await intervals(laid, "service-b")]
    assert spans == [("down", None)]
    await cleared(laid, "trunk-1", 2, AT + 2 * MINUTE)
    assert [end for _, _, end, _ in await intervals(laid, "service-b")] == [AT + 2 * MINUTE]


async def test_a_clock_that_was_never_set_costs_nobody_years(laid: Laid) -> None:
    [[before]] = await laid.rows("RETURN timestamp()")
    await down(laid, "port-b", 1, at=0)
    [[_, start, _, _]] = await intervals(laid, "service-b")
    assert before - MINUTE <= start
    assert await laid.rows("MATCH (a:Alarm) RETURN a.raisedAt") == [[0]], "what it says is kept as said"
    await cleared(laid, "port-b", 1, AT + 2 * MINUTE)
    [[_, start, end, _]] = await intervals(laid, "service-b")
    assert start == end, "cleared as of before we heard of it"


@pytest.mark.parametrize(
    ("told_ago", "is_believed"),
    [(0, True), (30 * 86_400_000, True), (32 * 86_400_000, False), (-3_000_000, False), (-4_000_000, False)],
)
async def test_a_time_is_believed_within_bounds(laid: Laid, told_ago: int, *, is_believed: bool) -> None:
    """Ahead of our clock it may be in order for the source's own reports; no interval begins in the future."""
    [[now]] = await laid.rows("RETURN timestamp()")
    assert isinstance(now, int)
    await down(laid, "port-b", 1, at=now - told_ago)
    [[_, start, _, _]] = await intervals(laid, "service-b")
    assert (start == now - told_ago) is is_believed


async def test_a_clear_of_a_clock_that_was_reset_is_of_now(laid: Laid) -> None:
    await down(laid, "port-b", 1)
    alarm = report("port-b", 1, cleared=True, raised_at=1_000, cleared_at=2_000, changed_at=2_000, record={"r": 1})
    await laid.raise_(alarm, policy=BILLED)
    [[_, start, end, _]] = await intervals(laid, "service-b")
    assert (start, end is not None and end > AT + MINUTE) == (AT, True)


async def test_a_clock_in_the_far_future_makes_no_later_report_old(laid: Laid) -> None:
    far = 4_000_000_000_000
    await down(laid, "port-b", 1, at=far)
    [[now]] = await laid.rows("RETURN timestamp()")
    assert isinstance(now, int)
    await laid.run("MATCH (s:Service) SET s._effectAt = s._effectAt - 10")
    await cleared(laid, "port-b", 1, now)
    assert await laid.rows("MATCH (a:Alarm) RETURN a.state") == [["cleared"]]
    await laid.run("MATCH (a:Alarm) SET a._endedAt = 0")
    again = await laid.raise_(report("port-b", 1, raised_at=now + 5, record={"again": 1}), policy=BILLED)
    update = report("port-b", 1, raised_at=now + 5, changed_at=now + 6, record={"again": 2})
    assert await laid.raise_(update, policy=BILLED) == again, (
        "the open one, not the one that says it is of the year 2096"
    )
    assert len(await laid.rows("MATCH (a:Alarm) RETURN a.id")) == 2


async def test_events_of_one_thing_never_go_back_in_time(laid: Laid) -> None:
    """Each waits for what another has locked, and is of the time after that."""
    targets = ("port-b", "card-2", "trunk-1", "networkelement-1")
    for number in range(3):
        reports = [report(each, 10 * number + n) for n, each in enumerate(targets)]
        await asyncio.gather(*(laid.raise_(each, policy=BILLED) for each in reports))
        ended = [replace(each, cleared=True, record={"over": number}) for each in reports]
        await asyncio.gather(*(laid.raise_(each, policy=BILLED) for each in ended))
    rows = await laid.rows("MATCH (e:Event) RETURN e.aggregateId, e.at ORDER BY e.aggregateId, e.aggregateVersion")
    assert len(rows) > 24
    for (of, earlier), (next_of, later) in itertools.pairwise(rows):
        assert of != next_of or earlier <= later, of
