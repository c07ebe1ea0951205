"""What follows from a boost beside its rate: alarms, tasks, credits, leads, and what becomes of it where its service changes."""

from __future__ import annotations

from dataclasses import replace

import orjson
import pytest

from graph.changes.bandwidth.comparing import compare
from graph.changes.bandwidth.consequences import moved, returns
from graph.changes.bandwidth.policy import LeadRule
from graph.changes.policy import AlarmPolicy
from graph.changes.tasks import (
    TASK_NOT_CANCELLABLE,
    TASK_NOT_FOUND,
    TASK_SETTLED,
    Settling,
    cancel_task,
    retry_task,
    skip_task,
)
from graph.errors import Refused
from graph.ledger.outcomes import Dead, settle
from graph.ledger.timers import arm_once, ring
from graph.load.statements import NODES, How
from graph.store.store import Store, Transaction
from tests.graph.changes.bandwidth.network import ANNA, BOB, HOUR, OPERATOR, POLICY, Booked, laid_out
from tests.graph.changes.network import soon


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    return await laid_out(empty_store)


async def alarms(booked: Booked) -> list[tuple[str, str, str]]:
    works = {returns.KIND: returns.alarming(AlarmPolicy(ticketing="desk"))}
    await ring(booked.store, works, most=10, deadline=soon())
    rows = await booked.rows(
        "MATCH (a:Alarm)-[:RAISED_ON]->(o) RETURN a.externalAlarmId, a.state, o.id ORDER BY a.externalAlarmId"
    )
    return [(external, state, on) for external, state, on in rows]


async def park(booked: Booked, system: str) -> None:
    """Let what a system is told be parked."""
    dead = [Dead(claim=each, error="it is not understood", reason="refused") for each in await booked.claimed(system)]

    async def work(transaction: Transaction) -> None:
        await settle(transaction, dead)

    await booked.store.write(work, deadline=soon())


async def tasks(booked: Booked) -> list[tuple[str, str, str]]:
    rows = await booked.rows("MATCH (t:Task) RETURN t.id, t.kind, t.state ORDER BY t.openedAt, t.id")
    return [(key, kind, state) for key, kind, state in rows]


async def test_an_alarm_is_raised_of_a_service_that_does_not_return_and_cleared_when_it_has(booked: Booked) -> None:
    await booked.book()
    await booked.answer()
    assert await alarms(booked) == []
    await booked.shift(2 * HOUR)
    await booked.tick()
    await booked.answer(refuse="busy")
    assert await alarms(booked) == [("rate:service-a", "raised", "port-a")]
    [[effect]] = await booked.rows("MATCH (s:Service {id: 'service-a'}) RETURN s.effect")
    assert effect is None
    await booked.shift(5_000)
    await booked.tick()
    await booked.answer()
    assert await alarms(booked) == [("rate:service-a", "cleared", "port-a")]


async def test_a_parked_step_is_a_task_that_is_closed_when_it_is_done(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer()
    await park(booked, "pm")
    assert (await booked.steps(boost))["START PERFORMANCE"][0] == "FAILED"
    [(task, kind, state)] = await tasks(booked)
    assert (kind, state) == ("stepParked", "OPEN")
    with pytest.raises(Refused, match="Only operators"):
        await retry_task(booked.store, ANNA, POLICY, task, idempotency_key="k", deadline=soon())
    for _ in range(2):
        outcome = await retry_task(booked.store, OPERATOR, POLICY, task, idempotency_key="k", deadline=soon())
        assert (outcome.ids, outcome.user_errors) == ({"task": task}, ())
    assert (await booked.steps(boost))["START PERFORMANCE"][0] == "PENDING"
    assert len(await booked.tell("pm")) == 1
    assert await tasks(booked) == [(task, "stepParked", "DONE")]
    assert (await booked.steps(boost))["START PERFORMANCE"][0] == "DONE"
    outcome = await retry_task(booked.store, OPERATOR, POLICY, task, idempotency_key="k2", deadline=soon())
    assert outcome.user_errors[0].code == TASK_SETTLED
    outcome = await retry_task(booked.store, OPERATOR, POLICY, "task-9", idempotency_key="k3", deadline=soon())
    assert outcome.user_errors[0].code == TASK_NOT_FOUND
    assert [each for each in await booked.events() if each.startswith("Task")] == ["TaskOpened", "TaskSettled"]


async def test_a_step_that_is_skipped_lets_what_is_behind_it_go_on(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer()
    await park(booked, "pm")
    await booked.shift(2 * HOUR)
    await booked.tick()
    await booked.answer()
    assert await booked.claimed("pm") == []
    [(task, *_)] = await tasks(booked)
    given = Settling(task=task, reason="told by hand")
    outcome = await skip_task(booked.store, OPERATOR, POLICY, given, idempotency_key="k", deadline=soon())
    assert outcome.user_errors == ()
    assert (await booked.steps(boost))["START PERFORMANCE"][0] == "SKIPPED"
    assert [each["mbps"] for each in await booked.tell("pm")] == [100]
    assert [state for *_, state in await tasks(booked)] == ["SKIPPED"]
    with pytest.raises(Refused, match="A reason has"):
        Settling(task=task, reason=" ")


async def test_a_start_that_is_parked_is_cancelled_with_its_boost(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await park(booked, "provisioning")
    [(task, *_)] = await tasks(booked)
    given = Settling(task=task, reason="the customer has gone")
    outcome = await cancel_task(booked.store, OPERATOR, POLICY, given, idempotency_key="k", deadline=soon())
    assert outcome.user_errors == ()
    await booked.answer()
    found = await booked.boost(boost)
    assert (found["status"], found["statusReason"]) == ("TERMINATED", "BOOKING_REVOKED")
    assert (await booked.rates(), await booked.reserved()) == ((100, 100), 0)
    assert [state for *_, state in await tasks(booked)] == ["CANCELLED"]


async def test_a_start_that_is_parked_and_skipped_is_declined(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await park(booked, "provisioning")
    [(task, *_)] = await tasks(booked)
    given = Settling(task=task, reason="no")
    await skip_task(booked.store, OPERATOR, POLICY, given, idempotency_key="k", deadline=soon())
    assert (await booked.boost(boost))["statusReason"] == "BOOKING_DECLINED"
    assert (await booked.rates(), await booked.answer()) == ((100, 100), [])


async def test_a_return_is_asked_for_at_once_or_believed_by_an_operator_and_never_cancelled(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer()
    await booked.shift(2 * HOUR)
    await booked.tick()
    await booked.answer(refuse="busy")
    [(task, *_)] = await tasks(booked)
    given = Settling(task=task, reason="set by hand")
    outcome = await cancel_task(booked.store, OPERATOR, POLICY, given, idempotency_key="c", deadline=soon())
    assert outcome.user_errors[0].code == TASK_NOT_CANCELLABLE
    assert await booked.answer() == []
    await retry_task(booked.store, OPERATOR, POLICY, task, idempotency_key="r", deadline=soon())
    assert await booked.answer(refuse="still busy") == ["service-a"]
    await skip_task(booked.store, OPERATOR, POLICY, given, idempotency_key="s", deadline=soon())
    assert (await booked.boost(boost))["status"] == "TERMINATED"
    assert await booked.rates() == (100, 100)
    assert [state for *_, state in await tasks(booked)] == ["SKIPPED"]


async def test_an_outage_leaves_the_usage_and_makes_one_credit(booked: Booked) -> None:
    boost = (await booked.book(price=1_000)).ids["boost"]
    await booked.answer()
    await booked.shift(2 * HOUR)
    found = await booked.boost(boost)
    for number, (start, end) in enumerate(((0.5, 0.75), (1.75, 3.0))):
        await booked.run(
            "MATCH (s:Service {id: 'service-a'}) "
            "CREATE (:Downtime {id: $id, effect: 'down', from: $from, to: $to, alarms: '[]'})-[:INTERRUPTS]->(s)",
            **{
                "id": f"downtime-{number}",
                "from": found["startAt"] + int(start * HOUR),
                "to": found["startAt"] + int(end * HOUR),
            },
        )
    await booked.tick()
    await booked.answer()
    assert [mbps for _, _, mbps in await booked.usage()] == [500]
    [[start, end, record]] = await booked.rows("MATCH (u:Usage {kind: 'boostCredit'}) RETURN u.from, u.to, u.record")
    late = found["startAt"] + 2 * HOUR - found["endAt"]  # a start that is now is a little later than it was asked for
    assert (start, end - start) == (found["startAt"] + HOUR // 2, HOUR // 2 - late)
    assert (orjson.loads(record)["amount"], orjson.loads(record)["currency"]) == (-250, "EUR")
    told = {each["kind"]: each for each in await booked.tell("billing")}
    assert set(told) == {"boost", "boostCredit"}
    assert told["boostCredit"]["credit"]["amount"] == -250


async def test_the_third_boost_makes_one_lead_that_sales_hears_of(booked: Booked) -> None:
    booked.policy = replace(POLICY, sales="sales", leads=(LeadRule(boosts=3, days=30),))
    for number in range(5):
        boost = (await booked.book(mbps=100 + number)).ids["boost"]
        await booked.answer()
        assert len(await booked.rows("MATCH (l:Lead) RETURN l.id")) == int(number >= 2)
        await booked.cancel(boost)
        await booked.answer()
    [told] = await booked.tell("sales")
    assert (told["telling"], told["reason"], told["service"]["id"]) == ("lead", "repeatedBoosts", "service-a")
    assert (told["evidence"][0], len(told["evidence"])) == ("3 boosts in 30 days", 4)
    assert (await booked.events()).count("LeadOpened") == 1
    await booked.run("MATCH (l:Lead) SET l.state = 'rejected', l.at = 0")
    await booked.book(mbps=100)
    await booked.answer()
    assert len(await booked.rows("MATCH (l:Lead) RETURN l.id")) == 2


async def look(booked: Booked, *, most: int = 100) -> None:
    works = {moved.LOOKING: moved.looking(POLICY, most=most)}
    await arm_once(booked.store, kind=moved.LOOKING, about=moved.ABOUT, deadline=soon())
    await booked.run("MATCH (t:Timer {kind: 'bookedWays'}) SET t.dueAt = 1")
    await ring(booked.store, works, most=10, deadline=soon())
    await booked.tick()


async def test_a_service_that_is_terminated_loses_its_boosts_and_gives_back_what_they_hold(booked: Booked) -> None:
    running = (await booked.book(price=1_000)).ids["boost"]
    later = (await booked.book(mbps=200, start=5 * HOUR)).ids["boost"]
    await booked.answer()
    await booked.shift(HOUR)
    await look(booked)
    assert (await booked.boost(running))["status"] == "ACTIVATED"
    await booked.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'terminated'")
    await look(booked)
    found = [await booked.boost(each) for each in (running, later)]
    assert {each["statusReason"] for each in found} == {"NETWORK_TERMINATED"}
    assert (500 <= found[0]["price"] < 520, found[1]["price"]) == (True, 0)
    assert (await booked.reserved(), await booked.answer()) == (0, [])
    assert [mbps for _, _, mbps in await booked.usage()] == [500]
    assert [kind for _, kind, _ in await tasks(booked)] == ["serviceChanged"] * 2
    assert (await compare(booked.store, deadline=soon())).differing == ()


async def test_a_service_on_another_way_holds_that_where_there_is_room(booked: Booked) -> None:
    boost = (await booked.book(service="service-b", mbps=400, by=BOB)).ids["boost"]
    await booked.answer()
    await booked.run(
        "MATCH (s:Service {id: 'service-b'})-[r:ROUTED_OVER]->(:Trunk {id: 'trunk-1'}) MATCH (t:Trunk {id: 'trunk-2'}) "
        "DELETE r CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)"
    )
    await look(booked)
    held = "MATCH (b:Boost {id: $id})-[:RESERVES]->(t:Trunk) RETURN t.id"
    assert await booked.rows(held, id=boost) == [["trunk-2"]]
    assert (await compare(booked.store, deadline=soon())).differing == ()
    assert (await booked.boost(boost))["status"] == "ACTIVATED"
    full = (await booked.book(mbps=300, start=HOUR, hours=0.5)).ids["boost"]  # both trunks are its ways
    await booked.run(
        "MATCH (s:Service {id: 'service-b'})-[r:ROUTED_OVER]->(:Trunk {id: 'trunk-2'}) MATCH (t:Trunk {id: 'trunk-1'}) "
        "SET t.capacityMbps = 600 DELETE r CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)"
    )
    await look(booked)
    assert (await booked.boost(full))["status"] == "SCHEDULED"
    await booked.answer()
    found = await booked.boost(boost)
    assert (found["status"], found["statusReason"]) == ("TERMINATED", "NETWORK_TERMINATED")
    assert [kind for _, kind, _ in await tasks(booked)] == ["serviceChanged"]
    assert (await compare(booked.store, deadline=soon())).differing == ()


async def test_who_books_on_a_new_way_finds_there_what_was_booked_before(booked: Booked) -> None:
    await booked.run("MATCH (t:Trunk {id: 'trunk-2'}) SET t.capacityMbps = 700")
    first = (await booked.book(service="service-b", mbps=300, start=5 * HOUR, by=BOB)).ids["boost"]
    await booked.run(
        "MATCH (s:Service {id: 'service-b'})-[r:ROUTED_OVER]->(:Trunk {id: 'trunk-1'}) MATCH (t:Trunk {id: 'trunk-2'}) "
        "DELETE r CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)"
    )
    second = await booked.book(service="service-b", mbps=300, start=5 * HOUR, by=BOB)
    assert [each.code for each in second.user_errors] == ["NO_CAPACITY"]
    assert (await booked.boost(first))["status"] == "SCHEDULED"
    held = "MATCH (b:Boost {id: $id})-[:RESERVES]->(t:Trunk) RETURN t.id"
    assert await booked.rows(held, id=first) == [["trunk-2"]]
    more = await booked.change(first, mbps=600, by=BOB)
    assert [each.code for each in more.user_errors] == ["NO_CAPACITY"]
    assert (await compare(booked.store, deadline=soon())).differing == ()


async def test_what_never_began_is_free_where_its_service_is_terminated_after_its_end(booked: Booked) -> None:
    boost = (await booked.book(hours=1)).ids["boost"]
    await booked.shift(HOUR)
    await booked.tick()
    await booked.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'terminated'")
    await look(booked)
    found = await booked.boost(boost)
    assert (found["statusReason"], found["price"]) == ("BOOKING_DECLINED", 0)


async def test_each_boost_that_is_lost_has_a_task_of_its_own(booked: Booked) -> None:
    made = [(await booked.book(mbps=100, start=hour * HOUR, hours=1)).ids["boost"] for hour in (2, 4)]
    await booked.run("MATCH (s:Service {id: 'service-a'}) SET s.state = 'terminated'")
    await look(booked)
    assert await booked.rows("MATCH (t:Task {kind: 'serviceChanged'}) RETURN t.about ORDER BY t.about") == [
        [each] for each in sorted(made)
    ]


async def test_services_are_looked_at_page_by_page(booked: Booked) -> None:
    made = [
        (await booked.book(service=each, mbps=100, start=2 * HOUR, by=OPERATOR)).ids["boost"]
        for each in ("service-a", "service-b")
    ]
    await booked.run("MATCH (s:Service) SET s.state = 'terminated'")
    for over in (1, 2):
        await look(booked, most=1)
        assert [(await booked.boost(each))["status"] for each in made].count("TERMINATED") == over


async def test_a_load_leaves_alone_what_is_booked_and_what_the_network_carries(booked: Booked) -> None:
    boost = (await booked.book()).ids["boost"]
    await booked.answer()
    service = {"id": "service-a", "properties": {"effectiveMbps": 100, "bookedMbps": 100, "name": "another"}}
    other = {"id": "service-c", "properties": {"effectiveMbps": 70}}
    await booked.run(NODES[How.MERGE, "Service"], batch={"rows": [service, other]})
    row = {"id": boost, "properties": {"status": "SCHEDULED", "price": 1, "mbps": 1}}
    await booked.run(NODES[How.MERGE, "Boost"], batch={"rows": [row]})
    assert (await booked.rates(), (await booked.rates("service-c"))[1]) == ((600, 600), 70)
    found = await booked.boost(boost)
    assert (found["status"], found["price"], found["mbps"]) == ("ACTIVATED", 1_000, 500)
    assert await booked.rows("MATCH (s:Service {id: 'service-a'}) RETURN s.name") == [["another"]]


async def test_a_boost_that_was_loaded_is_charged_since_it_was_looked_at(booked: Booked) -> None:
    now = await booked.now()
    await booked.run(
        "MATCH (s:Service {id: 'service-a'}) SET s.effectiveMbps = 600 CREATE (b:Boost {id: 'boost-1', mbps: 500, startAt: $start, "
        "endAt: $end, status: 'ACTIVATED', price: 1000, currency: 'EUR', openOf: s.id})-[:BOOSTS]->(s)",
        start=now - HOUR,
        end=now + HOUR,
    )
    await booked.run(
        "MATCH (b:Boost)-[:BOOSTS]->(s:Service)-[:ACCESSED_AT|ROUTED_OVER]->(t) WITH DISTINCT b, t CREATE (b)-[:RESERVES]->(t)"
    )
    await booked.cancel("boost-1", by=OPERATOR)
    await booked.answer()
    found = await booked.boost("boost-1")
    assert (found["status"], found["statusReason"]) == ("TERMINATED", "DELETE_REQUESTED")
    assert 500 <= found["price"] < 600
    assert all(start >= now for start, *_ in await booked.usage())
    assert (await booked.rates())[1] == 100
