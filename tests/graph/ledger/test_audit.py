from __future__ import annotations

from dataclasses import replace

import pytest

from graph.ledger.audit import START, AuditReport, ChainedEvent, Head, chain, head_of, link, verify
from graph.ledger.positions import place
from graph.ledger.retention import sweep
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import run
from tests.graph.ledger.test_positions import written

EVENT = ChainedEvent(position=1, id="event-1", type="A", about="x", version=1, at=5, principal="p", payload="{}")


async def chained(store: Store, *, first: int = 1, count: int = 5) -> None:
    for number in range(first, first + count):
        await written(store, "a", number, number)
    await place(store, owner="one", renew=True, deadline=soon())


async def looked(store: Store, noted: Head | None = None) -> AuditReport:
    return await verify(store, noted=noted, deadline=soon)


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, position=2),
        replace(EVENT, id="event-2"),
        replace(EVENT, type="B"),
        replace(EVENT, about="y"),
        replace(EVENT, version=2),
        replace(EVENT, at=6),
        replace(EVENT, principal="q"),
        replace(EVENT, payload="[]"),
        replace(EVENT, type="Ax", about=""),
        replace(EVENT, principal="p{}", payload=""),
    ],
)
def test_whatever_is_changed_of_an_event_changes_its_hash(other: ChainedEvent) -> None:
    assert link(START, other).hash != link(START, EVENT).hash


def test_a_hash_is_of_all_that_came_before() -> None:
    second = replace(EVENT, position=2)
    one, other = chain(START, [EVENT, second]), chain(START, [replace(EVENT, payload="[]"), second])
    assert one[1].previous == one[0].hash
    assert one[1].hash != other[1].hash


async def test_what_nobody_has_touched_is_whole(empty_store: Store) -> None:
    assert (await looked(empty_store)).faults == ()
    await chained(empty_store)
    noted = await head_of(empty_store, deadline=soon())
    await chained(empty_store, first=6)
    report = await looked(empty_store, noted)
    assert (report.events, report.first, report.faults) == (10, 1, ())
    assert report.head == await head_of(empty_store, deadline=soon())
    assert noted.position == 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("MATCH (e:Event {position: 3}) SET e.payload = '{\"x\":1}'", "position 3: event-"),
        ("MATCH (e:Event {position: 3}) SET e.principal = 'nobody'", "is not what it was"),
        ("MATCH (e:Event {position: 3}) DETACH DELETE e", "position 3 is missing, and retention has come to 0"),
        ("MATCH (e:Event) WHERE e.position > 3 DETACH DELETE e", "positions 4 to 5 are missing"),
        ("MATCH (e:Event {position: 1}) DETACH DELETE e", "position 1 is missing"),
        ("MATCH (e:Event {position: 3}) REMOVE e.hash", "has no hash"),
        (
            "MATCH (a:Event {position: 2}) MATCH (b:Event {position: 3}) SET a.position = 3, b.position = 2",
            "is not what it was",
        ),
        ("MATCH (s:Sequence) SET s.head = 'x'", "the end of the chain has another hash"),
    ],
)
async def test_what_somebody_has_changed_is_said(empty_store: Store, change: str, said: str) -> None:
    await chained(empty_store)
    await run(empty_store, change)
    assert said in "\n".join((await looked(empty_store)).faults)


async def test_a_chain_that_is_written_anew_has_no_longer_the_head_that_was_noted(empty_store: Store) -> None:
    await chained(empty_store)
    noted = await head_of(empty_store, deadline=soon())
    await run(
        empty_store,
        "MATCH (e:Event) WITH e ORDER BY e.position SET e.payload = '[]', e.unplaced = e.at REMOVE e.position, e.hash, e.previousHash",
    )
    await run(empty_store, "MATCH (s:Sequence) SET s.next = 1, s.head = $start", start=START)
    await place(empty_store, owner="one", renew=True, deadline=soon())
    assert (await looked(empty_store)).faults == ()
    assert (await looked(empty_store, noted)).faults == ("position 5: the hash that was noted is not there",)


async def test_what_retention_has_taken_away_is_not_missed(empty_store: Store) -> None:
    await chained(empty_store)
    noted = await head_of(empty_store, deadline=soon())

    async def work(transaction: Transaction) -> int:
        return await sweep(transaction, "events", before=4, most=100)

    assert await empty_store.write(work, deadline=soon()) == 3
    report = await looked(empty_store, noted)
    assert (report.events, report.swept, report.faults) == (2, 3, ())
    await run(empty_store, "MATCH (e:Event {position: 4}) DETACH DELETE e")
    assert (await looked(empty_store)).faults == ("position 4 is missing, and retention has come to 3",)


async def test_events_of_before_the_chain_are_no_fault_of_it(empty_store: Store) -> None:
    await chained(empty_store)
    await run(empty_store, "MATCH (e:Event) REMOVE e.hash, e.previousHash")
    await run(empty_store, "MATCH (s:Sequence) REMOVE s.head, s.chainedFrom")
    assert (await looked(empty_store)).faults == ()
    await chained(empty_store, first=6)
    report = await looked(empty_store)
    assert (report.events, report.first, report.faults) == (10, 6, ())
