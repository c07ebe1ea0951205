"""What is over and old goes, kind by kind; each thing that somebody still needs stays, however old it is."""

from __future__ import annotations

import asyncio
import time

import pytest

from graph.ledger.retention import KIND, KINDS, Kept, sweep, sweeping
from graph.ledger.sequence import end_of
from graph.ledger.timers import arm_once, ring
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import rows, run

DAY_MS = 86_400_000
OLD, YOUNG, BEFORE = 1_000, 9_000, 5_000

EVENT = """
CREATE (e:Event {id: $id, type: 'T', aggregateId: $id, aggregateVersion: 1, at: $at, principal: 'p', payload: '{}'})
WITH e UNWIND $states AS state
CREATE (:Delivery {id: $id + ':' + state, system: 'desk', orderKey: $id, openKey: $id, version: 1, state: state})-[:TELLS]->(e)
"""
ALARM = "CREATE (:Alarm {id: $id, state: $state, clearedAt: $at, identity: 'of ' + $id, _endedAt: $ended})"
TICKET = """
MATCH (a:Alarm {id: $alarm})
CREATE (:Ticket {id: $id, status: $status, changedAt: $at, orderKey: $alarm + ':c'})-[:REPORTS]->(a)
"""
SERVICE = "CREATE (:Service {id: $id})"
ABOUT_SERVICE = {
    "Usage": "MATCH (s:Service {id: $service}) CREATE (:Usage {id: $id, to: $to})-[:USED_BY]->(s)",
    "Downtime": "MATCH (s:Service {id: $service}) CREATE (:Downtime {id: $id, to: $to})-[:INTERRUPTS]->(s)",
}


async def swept(store: Store, kind: str, *, most: int = 100) -> int:
    async def work(transaction: Transaction) -> int:
        return await sweep(transaction, kind, before=BEFORE, most=most)

    return await store.write(work, deadline=soon())


async def left(store: Store, label: str) -> list[object]:
    return [each[0] for each in await rows(store, f"MATCH (n:{label}) RETURN n.id ORDER BY n.id")]


async def event(store: Store, name: str, *states: str, at: int = OLD) -> None:
    await run(store, EVENT, id=name, at=at, states=list(states))


async def alarm(store: Store, name: str, *, state: str = "cleared", at: int = OLD, ended: int | None = None) -> None:
    await run(store, ALARM, id=name, state=state, at=at, ended=ended)
    await run(store, "CREATE (:AlarmIdentity {key: 'of ' + $id})", id=name)


async def test_events_stay_until_everybody_was_told(empty_store: Store) -> None:
    await event(empty_store, "done", "DONE")
    await event(empty_store, "none")
    await event(empty_store, "waiting", "DONE", "READY")
    await event(empty_store, "parked", "DEAD")
    await event(empty_store, "young", "DONE", at=YOUNG)
    assert await swept(empty_store, "events") == 2
    assert await left(empty_store, "Event") == ["parked", "waiting", "young"]
    assert await left(empty_store, "Delivery") == ["parked:DEAD", "waiting:DONE", "waiting:READY", "young:DONE"]


async def test_up_to_where_events_have_gone_is_known(empty_store: Store) -> None:
    """A wrong clock takes what is young, and who resumes before it must be told."""
    await run(empty_store, "CREATE (:Sequence {id: 'sequence-events', next: 5})")
    for position, at in enumerate((OLD, YOUNG, OLD, YOUNG), 1):
        await event(empty_store, f"e{position}", at=at)
        await run(
            empty_store, "MATCH (e:Event {id: $id}) SET e.position = $position", id=f"e{position}", position=position
        )
    assert await swept(empty_store, "events", most=1) + await swept(empty_store, "events", most=1) == 2
    end = await end_of(empty_store, deadline=soon())
    assert (end.swept, end.position, end.event) == (3, 4, "e4")
    assert await swept(empty_store, "events") == 0
    assert (await end_of(empty_store, deadline=soon())).swept == 3


async def test_a_cleared_alarm_goes_with_its_tickets_and_its_identity(empty_store: Store) -> None:
    await alarm(empty_store, "alarm-a")
    await run(empty_store, TICKET, alarm="alarm-a", id="ticket-a", status="resolved", at=OLD)
    assert await swept(empty_store, "alarms") == 1
    assert await left(empty_store, "Alarm") == await left(empty_store, "Ticket") == []
    assert await rows(empty_store, "MATCH (k:AlarmIdentity) RETURN k.key") == []


@pytest.mark.parametrize(
    ("state", "at", "ended"),
    [
        pytest.param("raised", None, None, id="is open"),
        pytest.param("updated", OLD, OLD, id="is open again, and was cleared before"),
        pytest.param("cleared", YOUNG, None, id="was cleared lately"),
        pytest.param("cleared", OLD, YOUNG, id="was cleared lately, by a clock that is wrong"),
    ],
)
async def test_an_alarm_stays_that(empty_store: Store, state: str, at: int, ended: int | None) -> None:
    await alarm(empty_store, "alarm-a", state=state, at=at, ended=ended)
    assert await swept(empty_store, "alarms") == 0
    assert len(await rows(empty_store, "MATCH (a:Alarm) MATCH (k:AlarmIdentity {key: a.identity}) RETURN 1")) == 1


@pytest.mark.parametrize("state", ["READY", "DEAD"])
async def test_an_alarm_stays_whose_ticket_or_itself_is_still_to_be_told(empty_store: Store, state: str) -> None:
    await alarm(empty_store, "alarm-a")
    await alarm(empty_store, "alarm-b")
    await event(empty_store, "alarm-a", state)
    await run(empty_store, TICKET, alarm="alarm-b", id="ticket-b", status="resolved", at=OLD)
    await event(empty_store, "alarm-b:c", state)
    assert await swept(empty_store, "alarms") == 0
    await run(empty_store, "MATCH (d:Delivery) SET d.state = 'DONE'")
    assert await swept(empty_store, "alarms") == 2


@pytest.mark.parametrize(("status", "at"), [("inProgress", OLD), ("pending", None), ("closed", YOUNG)])
async def test_an_alarm_stays_whose_ticket_is_open_or_was_closed_lately(
    empty_store: Store, status: str, at: int | None
) -> None:
    await alarm(empty_store, "alarm-a")
    await run(empty_store, TICKET, alarm="alarm-a", id="ticket-a", status=status, at=at)
    assert await swept(empty_store, "alarms") == 0


async def test_tickets_of_others_go_by_their_last_change_and_ours_with_their_alarm(empty_store: Store) -> None:
    await alarm(empty_store, "alarm-a", state="raised")
    await run(empty_store, TICKET, alarm="alarm-a", id="ticket-ours", status="closed", at=OLD)
    text = "CREATE (:Ticket {id: $id, externalId: $id, status: $status, changedAt: $at})"
    for name, status, at in (("closed", "closed", OLD), ("open", "inProgress", OLD), ("young", "closed", YOUNG)):
        await run(empty_store, text, id=f"ticket-{name}", status=status, at=at)
    reported = "CREATE (:Ticket {id: $id, orderKey: $key, status: 'closed', changedAt: $at})"
    for name in ("reported", "waiting"):
        await run(empty_store, reported, id=f"ticket-{name}", key=f"problem-{name}", at=OLD)
    await event(empty_store, "problem-waiting", "READY")
    assert await swept(empty_store, "tickets") == 2
    assert await left(empty_store, "Ticket") == ["ticket-open", "ticket-ours", "ticket-waiting", "ticket-young"]


REOPENED = """
MATCH (a:Ticket|Alarm {id: $locked}) SET a._locked = coalesce(a._locked, 0) + 1
WITH a MATCH (t:Ticket {id: 'ticket-a'}) SET t.status = 'inProgress', t._locked = coalesce(t._locked, 0) + 1
RETURN t.id
"""


@pytest.mark.parametrize(("kind", "locked"), [("tickets", "ticket-a"), ("alarms", "alarm-a")])
async def test_a_ticket_that_is_reopened_at_this_moment_stays(empty_store: Store, kind: str, locked: str) -> None:
    if kind == "alarms":
        await alarm(empty_store, "alarm-a")
        await run(empty_store, TICKET, alarm="alarm-a", id="ticket-a", status="resolved", at=OLD)
    else:
        await run(empty_store, "CREATE (:Ticket {id: 'ticket-a', status: 'resolved', changedAt: 1})")
    held = asyncio.Event()

    async def reopening(transaction: Transaction) -> int:
        made = len(await transaction.run(REOPENED, {"locked": locked}))
        held.set()
        await asyncio.sleep(0.5)
        return made

    async def sweeping() -> int:
        await held.wait()
        return await swept(empty_store, kind)

    # Neo4j lets the sweep wait for the lock; the embedded database lets it pass, and sends one of the two back.
    made, gone = await asyncio.gather(empty_store.write(reopening, deadline=soon()), sweeping())
    assert made + gone == 1
    assert await left(empty_store, "Ticket") == ["ticket-a"] * made


@pytest.mark.parametrize(("kind", "label"), [("usage", "Usage"), ("downtime", "Downtime")])
async def test_what_billing_was_told_of_a_service_goes_when_it_is_old(
    empty_store: Store, kind: str, label: str
) -> None:
    for name in ("service-a", "service-b"):
        await run(empty_store, SERVICE, id=name)
    given = (("old", "service-a", OLD), ("young", "service-a", YOUNG), ("endless", "service-a", None))
    for name, service, to in (*given, ("unbilled", "service-b", OLD)):
        await run(empty_store, ABOUT_SERVICE[label], id=name, service=service, to=to)
    await event(empty_store, "service-a", "DONE")
    await event(empty_store, "service-b", "DEAD")
    assert await swept(empty_store, kind) == 1
    assert await left(empty_store, label) == ["endless", "unbilled", "young"]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("usage", "CREATE (:Usage {id: 'u', to: $old, _takenAt: $heard})"),
        ("tickets", "CREATE (:Ticket {id: 't', status: 'closed', changedAt: $old, _heardAt: $heard})"),
    ],
)
async def test_what_a_wrong_clock_dates_is_kept_from_when_we_heard_it(empty_store: Store, kind: str, text: str) -> None:
    await run(empty_store, text, old=OLD, heard=YOUNG)
    assert await swept(empty_store, kind) == 0
    await run(empty_store, "MATCH (n:Usage|Ticket) SET n._takenAt = $old, n._heardAt = $old", old=OLD)
    assert await swept(empty_store, kind) == 1


async def test_usage_that_nobody_was_billed_for_stays(empty_store: Store) -> None:
    await run(empty_store, "CREATE (:Usage {id: 'usage-a', to: 1, awaits: 'a name'})")
    assert await swept(empty_store, "usage") == 0


async def test_differences_go_when_they_are_settled_and_told(empty_store: Store) -> None:
    text = "CREATE (:InventoryDifference {id: $id, state: $state, settledAt: $at, resource: $resource, feed: 'f'})"
    for name, state, at, resource in (
        ("gone", "gone", OLD, "card-1"),
        ("held", "held", None, "card-1"),
        ("young", "taken", YOUNG, None),
        ("told", "told", OLD, None),
        ("waits", "told", OLD, "card-2"),
    ):
        await run(empty_store, text, id=name, state=state, at=at, resource=resource)
    await event(empty_store, "card-2", "READY")
    assert await swept(empty_store, "differences") == 2
    assert await left(empty_store, "InventoryDifference") == ["held", "waits", "young"]


async def test_feeds_go_when_they_are_compared_and_no_difference_names_them(empty_store: Store) -> None:
    text = "CREATE (:InventoryFeed {id: $id, state: $state, startedAt: $at})"
    for name, state, at in (
        ("compared", "compared", OLD),
        ("cut", "receiving", OLD),
        ("named", "compared", OLD),
        ("waits", "received", OLD),
        ("young", "failed", YOUNG),
    ):
        await run(empty_store, text, id=name, state=state, at=at)
    await run(empty_store, "CREATE (:InventoryDifference {id: 'd', feed: 'named', state: 'open'})")
    assert await swept(empty_store, "feeds") == 2
    assert await left(empty_store, "InventoryFeed") == ["named", "waits", "young"]


BOOST = """
MATCH (s:Service {id: $service})
CREATE (b:Boost {id: $id, status: $status, endAt: $end, endedAt: $ended})-[:BOOSTS]->(s)
CREATE (:ProcessStep {id: 'step of ' + $id, state: 'DONE'})-[:STEP_OF]->(b)
"""


async def test_boosts_go_with_their_steps_when_all_is_over_and_told(empty_store: Store) -> None:
    for name in ("service-a", "service-b"):
        await run(empty_store, SERVICE, id=name)
    for name, service, status, end, ended in (
        ("over", "service-a", "TERMINATED", OLD, OLD),
        ("loaded", "service-a", "TERMINATED", OLD, None),
        ("returns", "service-a", "ACTIVATED", OLD, None),
        ("returned late", "service-a", "TERMINATED", OLD, YOUNG),
        ("young", "service-a", "TERMINATED", YOUNG, OLD),
        ("asked about", "service-a", "TERMINATED", OLD, OLD),
        ("untold", "service-b", "TERMINATED", OLD, OLD),
    ):
        await run(empty_store, BOOST, id=name, service=service, status=status, end=end, ended=ended)
    await run(empty_store, "CREATE (:Task {id: 't', state: 'OPEN', about: 'asked about', openAbout: 'asked about'})")
    await event(empty_store, "service-b", "DEAD")
    assert await swept(empty_store, "boosts") == 2
    kept = ["asked about", "returned late", "returns", "untold", "young"]
    assert await left(empty_store, "Boost") == kept
    assert await left(empty_store, "ProcessStep") == [f"step of {each}" for each in kept]


async def test_tasks_go_when_they_are_settled_and_leads_when_sales_has_decided(empty_store: Store) -> None:
    task = "CREATE (:Task {id: $id, state: $state, settledAt: $at})"
    for name, state, at in (("done", "DONE", OLD), ("open", "OPEN", None), ("young", "SKIPPED", YOUNG)):
        await run(empty_store, task, id=name, state=state, at=at)
    lead = "CREATE (:Lead {id: $id, state: $state, at: $at})"
    leads: tuple[tuple[str, str | None, int], ...] = (
        ("sold", "accepted", OLD),
        ("open", "inProgress", OLD),
        ("new", None, OLD),
        ("untold", "rejected", OLD),
        ("young", "rejected", YOUNG),
    )
    for name, decided, opened in leads:
        await run(empty_store, lead, id=name, state=decided, at=opened)
    await event(empty_store, "untold", "READY")
    await event(empty_store, "new", "DEAD")
    await run(empty_store, lead, id="nobody's", state=None, at=OLD)  # there was no sales system
    assert (await swept(empty_store, "tasks"), await swept(empty_store, "leads")) == (1, 2)
    assert await left(empty_store, "Task") == ["open", "young"]
    assert await left(empty_store, "Lead") == ["new", "open", "untold", "young"]


async def test_so_many_go_at_a_time(empty_store: Store) -> None:
    for number in range(5):
        await event(empty_store, f"e{number}")
    assert [await swept(empty_store, "events", most=2) for _ in range(4)] == [2, 2, 1, 0]


async def test_a_timer_for_each_kind_takes_what_is_old_and_comes_again(empty_store: Store) -> None:
    now = int(time.time() * 1_000)
    kept = Kept(**dict.fromkeys(KINDS, DAY_MS))
    await event(empty_store, "old", at=now - 2 * DAY_MS)
    await event(empty_store, "young", at=now)
    for about in (*KINDS, "ledger"):  # the last is what an earlier version has set
        await arm_once(empty_store, kind=KIND, about=about, deadline=soon())
    assert await ring(empty_store, {KIND: sweeping(kept)}, most=99, deadline=soon()) == len(KINDS) + 1
    assert await left(empty_store, "Event") == ["young"]
    assert await ring(empty_store, {KIND: sweeping(kept)}, most=99, deadline=soon()) == 0, "the next is in an hour"
    timers = await rows(empty_store, "MATCH (t:Timer) RETURN t.aggregateId ORDER BY t.aggregateId")
    assert [each[0] for each in timers] == sorted(KINDS)
