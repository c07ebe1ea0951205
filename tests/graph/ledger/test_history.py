"""After years of history everything costs what it did on the first day: records are counted, no clock is asked.

A small network has its story: alarms of the same objects, that came and went, with their tickets, deliveries, usage and
downtime, so many of each. Then whatever happens day by day is done once, and each statement that runs is profiled. It is done
twice, with twenty times as much history the second time, and no statement may touch more for it. On Neo4j only, whose profiles
can be read; the embedded database has the same statements and the same indexes.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from graph.changes.alarms.acknowledge import hear_acknowledged
from graph.changes.alarms.awaiting import find_all_awaiting
from graph.changes.alarms.reassessment import reassess_all
from graph.changes.policy import AlarmPolicy, Hearing
from graph.changes.services.owners import OWNERS
from graph.changes.tickets.ticketing import Answered, Heard, note_tickets, open_tickets, settle_deliveries
from graph.changes.usage.usage import join_usage, record_usage
from graph.inventory.feeds import sweep_stale
from graph.inventory.reconcile import reconcile_next
from graph.ledger.backlog import lane_states, parked_deliveries, system_backlogs
from graph.ledger.claims import claim
from graph.ledger.hubs import Span, events_after, latest
from graph.ledger.lanes import lane_of, take_lanes
from graph.ledger.outcomes import Dead, Done
from graph.ledger.positions import place
from graph.ledger.retention import KINDS, sweep
from graph.ledger.sequence import Interest, all_between, end_of, wanted_between
from graph.model.alarm import key_of_stored
from graph.model.event_kinds import ALARM_KINDS, kind_of
from graph.model.usage import Usage
from graph.store.link import Link, Transaction
from graph.store.store import Store
from tests.conftest import wipe
from tests.graph.changes.network import AT, SOURCE, SYSTEM, Laid, lay, report, soon
from tests.graph.compiler.plans import hits
from tests.graph.ledger.asking import run

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("TRUNKLINE_TEST_STORE") != "neo4j", reason="profiles are what the run on Neo4j reads"
    ),
    pytest.mark.timeout(600),
    pytest.mark.long,
]

FEW, TIMES = 40, 20
SLACK = 60
"""records: batches of other sizes, a record more or less that was just settled."""
HOUR = 3_600_000
POLICY = AlarmPolicy(
    ticketing="desk",
    billing="billing",
    fault_management=Hearing(name="umbrella", sources=frozenset({"umbrella"}), events=frozenset(ALARM_KINDS)),
)
SYSTEMS = ("desk", "billing", "umbrella")
COUNTS_THE_BACKLOG = "RETURN l.id, datetime.realtime().epochMillis,\n  COUNT { MATCH (d:Delivery {waiting: l.id}) },"
"""How that look begins which counts what waits: it grows with what waits, never with what was."""

DELIVERIES = """
UNWIND range(1, $count) AS n
CREATE (e:Event {
  id: 'event-' + $key + toString(n), type: 'AlarmUpdated', aggregateId: $key, aggregateVersion: n - $count, at: $at + n,
  position: $first + n, principal: 'p', payload: '{}'
})
CREATE (:Delivery {
  id: 'delivery-' + $key + toString(n), system: $system, subject: 's', lane: $lane, orderKey: $key, version: n - $count,
  state: 'DONE', attempts: 1, createdAt: $at + n, since: $at + n, nextAt: $at + n, payload: '{}'
})-[:TELLS]->(e)
"""
ALARMS = """
MATCH (o:Trunk {id: 'trunk-1'})
UNWIND range(1, $count) AS n
CREATE (a:Alarm {
  id: 'alarm-old' + toString(n), sourceSystemId: 'ems', alarmedObjectRef: 'trunk-1', alarmType: 'equipmentAlarm',
  externalAlarmId: CASE WHEN n % 2 = 0 THEN 'X1' END, probableCause: 'replaceableUnitProblem', specificProblem: $problem,
  perceivedSeverity: 'critical', state: 'cleared', ackState: 'acknowledged', raisedAt: $at + n, changedAt: $at + n,
  clearedAt: $at + n, record: '{}', _endedAt: $at + n
})-[:RAISED_ON]->(o)
CREATE (:Alarm {
  id: 'alarm-nobodys' + toString(n), sourceSystemId: 'ems', alarmedObjectRef: 'nobody', alarmType: 'equipmentAlarm',
  probableCause: 'replaceableUnitProblem', perceivedSeverity: 'critical', state: 'cleared', ackState: 'acknowledged',
  raisedAt: $at + n, changedAt: $at + n, clearedAt: $at + n, record: '{}', awaits: 'nobodys', _endedAt: $at + n
})
CREATE (t:Ticket {
  id: 'ticket-old' + toString(n), system: 'desk', orderKey: 'alarm-old' + toString(n) + ':customer-a', externalId: 'T' + toString(n),
  status: 'closed', severity: 'major', changedAt: $at + n
})-[:REPORTS]->(a)
WITH t MATCH (c:Customer {id: 'customer-a'}) CREATE (t)-[:OPENED_FOR]->(c)
"""
USAGE = """
MATCH (s:Service {id: 'service-a'})
UNWIND range(1, $count) AS n
CREATE (:Usage {
  id: 'usage-old' + toString(n), source: 'ems', externalId: 'O' + toString(n), from: $at + n, to: $at + n + 1, octets: 1, mbps: 1,
  kind: 'bandwidth', state: 'received', serviceRef: 'service-a'
})-[:USED_BY]->(s)
CREATE (:Usage {
  id: 'usage-nobodys' + toString(n), source: 'ems', externalId: 'N' + toString(n), from: $at + n, to: $at + n + 1, octets: 1, mbps: 1,
  kind: 'bandwidth', state: 'received', serviceRef: 'nobody', awaits: 'nobodys'
})
CREATE (:Downtime {id: 'downtime-old' + toString(n), effect: 'down', from: $at + n, to: $at + n + 1, alarms: '[]'})-[:INTERRUPTS]->(s)
"""
INVENTORY = """
UNWIND range(1, $count) AS n
CREATE (:InventoryFeed {
  id: 'inventoryfeed-' + toString(n), system: 'inventory', name: toString(n), kind: 'full', state: 'compared', startedAt: $at + n
})
CREATE (:InventoryDifference {
  id: 'inventorydifference-' + toString(n), system: 'inventory', feed: 'inventoryfeed-' + toString(n), kind: 'property',
  state: 'taken', resource: 'card-1', settledAt: $at + n
})
"""


@contextmanager
def profiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """Count the records that each statement touches while the block runs, at most by one run of it."""
    touched: Counter[str] = Counter()

    async def fetch(link: Link, text: str, parameters: Mapping[str, object], _deadline: float) -> list[Any]:
        async with link._driver.session(database="neo4j") as session:
            result = await session.run(f"PROFILE {text}", dict(parameters))
            records = [record async for record in result]
            note(text, await result.consume())
            return records

    async def ran(transaction: Transaction, text: str, parameters: Mapping[str, object]) -> list[list[object]]:
        result = await transaction._inner.run(f"PROFILE {text}", dict(parameters))
        rows = await result.values()
        note(text, await result.consume())
        return rows

    def note(text: str, summary: Any) -> None:
        touched[text] = max(touched[text], hits(summary.profile))

    with monkeypatch.context() as patch:
        patch.setattr(Link, "fetch", fetch)
        patch.setattr(Transaction, "_run", ran)
        yield touched


async def remember(store: Store, alarm: str, count: int) -> None:
    """Lay the network, with a past: so much of everything that comes day by day."""
    await run(store, ALARMS, count=count, at=AT - count, problem="")
    known = {"sourceSystemId": SOURCE, "externalAlarmId": None, "alarmedObjectRef": "trunk-1"}
    known |= {"alarmType": "equipmentAlarm", "probableCause": "replaceableUnitProblem"}
    latest_one = "MATCH (a:Alarm {id: 'alarm-old1'}) SET a.identity = $key"
    await run(store, latest_one, key=key_of_stored(known))
    await run(store, USAGE, count=count, at=AT - count)
    await run(store, INVENTORY, count=count, at=AT - count)
    keys = [("desk", f"{alarm}:customer-a"), ("umbrella", alarm), ("billing", "service-a")]
    for number, (system, key) in enumerate(keys):
        given = {"count": count, "key": key, "system": system, "lane": lane_of(system, key), "at": AT - count}
        await run(store, DELIVERIES, first=number * count, **given)
    await run(
        store,
        "MERGE (s:Sequence {id: 'sequence-events'}) SET s.owner = '', s.until = 0, s.next = $next",
        next=3 * count + 1,
    )


async def follow(store: Store) -> None:
    """Read what is new as subscribers' reader does, and as who comes back."""
    end = (await end_of(store, deadline=soon())).position
    found = await all_between(store, end - 2, end, list(ALARM_KINDS), deadline=soon())
    assert [each.position for each in found] == [end - 1, end]
    heard = frozenset(ALARM_KINDS)
    await wanted_between(store, end - 2, end, Interest(types=heard), deadline=soon())
    mine = Interest(types=heard, customers=frozenset({"customer-a"}))
    await wanted_between(store, end - 2, end, mine, deadline=soon())
    await store.rows(
        OWNERS, {"batch": {"rows": [{"number": 0, "services": ["service-a", "service-b"]}]}}, deadline=soon()
    )


async def tell_all(store: Store) -> None:
    """Send what waits for each system; billing refuses something."""
    for system in SYSTEMS:
        leases = await take_lanes(store, system, owner="one", ttl_ms=60_000, deadline=soon())
        claims = await claim(store, leases, most=16, hold_ms=0, deadline=soon())
        answered = [Answered(outcome=Done(claim=each)) for each in claims]
        if system == "billing" and claims:
            answered[0] = Answered(outcome=Dead(claim=claims[0], error="no", reason="refused"))
        await settle_deliveries(store, POLICY, answered, subject="p", deadline=soon())


async def a_day(laid: Laid, alarm: str) -> None:
    """Do whatever happens day by day, once."""
    store = laid.store
    unnamed = report("trunk-1", None, raised_at=AT + 1)
    await laid.raise_(unnamed, policy=POLICY)
    await laid.raise_(report("trunk-1", 1, raised_at=AT + 2), policy=POLICY)
    await tell_all(store)
    await laid.raise_(replace(unnamed, record={"told": "other"}, specific_problem=None), policy=POLICY)
    await hear_acknowledged(store, POLICY, [alarm], deadline=soon())
    key = f"{alarm}:customer-a"
    heard = Heard(order_key=key, their_id="T-known", status="inProgress", changed_at=AT)
    await note_tickets(store, POLICY, [heard], subject="p", deadline=soon())
    await open_tickets(store, "desk", after="", most=50, deadline=soon())
    await laid.clear(alarm, policy=POLICY)
    measured = Usage(source=SOURCE, external_id="new", service="service-a", start=AT, end=AT + HOUR, octets=1, mbps=1)
    await record_usage(store, SYSTEM, POLICY, [measured], deadline=soon())
    await tell_all(store)
    await join_usage(store, POLICY, deadline=soon)
    await find_all_awaiting(store, POLICY, deadline=soon)
    await reassess_all(store, POLICY, deadline=soon())
    await place(store, owner="one", renew=True, deadline=soon())
    end = await latest(store, deadline=soon())
    await events_after(
        store,
        Span(after=end - 1, upto=end),
        [found for each in ALARM_KINDS if (found := kind_of(each))],
        deadline=soon(),
    )
    await follow(store)
    await system_backlogs(store, deadline=soon())
    await lane_states(store, deadline=soon())
    await parked_deliveries(store, most=100, deadline=soon())
    await sweep_stale(store, deadline=soon())
    await reconcile_next(store, POLICY, owner="one")
    for kind in KINDS:
        await store.write(lambda transaction, kind=kind: sweep(transaction, kind, before=1, most=500), deadline=soon())  # type: ignore[misc]  # the loop's own


async def touched_with(store: Store, count: int, monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    await wipe(store)
    await lay(store)
    laid = Laid(store=store)
    alarm = await laid.raise_(report("trunk-1", 7), policy=POLICY)
    await tell_all(store)
    await remember(store, alarm, count)
    await store.rows("CALL db.awaitIndexes(60)", {}, deadline=time.monotonic() + 60)
    await store.rows("CALL db.resampleOutdatedIndexes()", {}, deadline=time.monotonic() + 60)
    with profiled(monkeypatch) as touched:
        await a_day(laid, alarm)
    return touched


async def test_no_statement_touches_more_after_years(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    few = await touched_with(store, FEW, monkeypatch)
    many = await touched_with(store, FEW * TIMES, monkeypatch)
    assert len(few) > 40, "a day is more than that"
    grown = {text: (few[text], many[text]) for text in many if many[text] > few[text] * 1.3 + SLACK}
    assert grown == {}, "\n\n".join(f"{counts}\n{text}" for text, counts in grown.items())
    await wipe(store)
