from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from itertools import islice
from typing import Final, TypeVar

import pytest

from graph.errors import DeadlineExceeded
from graph.load import BadLines, LoadReport, NodeRecord, Record, as_line, grow, load_lines, load_topology, read_topology
from graph.load.batches import Batch
from graph.load.statements import How
from graph.load.write import Target, drop_marks, write_records
from graph.model.identity import loaded_id
from graph.store.link import Work
from graph.store.store import Store, Transaction

T = TypeVar("T")

SMALL: Final = "sndlib/abilene"
SCALE: Final = 1_000
NODES: Final = "MATCH (n) WHERE NOT n:SchemaVersion AND NOT n:LoadMark RETURN labels(n)[0], n.id, properties(n)"
RELATIONSHIPS: Final = "MATCH (a)-[r]->(b) RETURN type(r), a.id, b.id, properties(r)"


def soon() -> float:
    return time.monotonic() + 120


def silent(stage: str, done: int, total: int) -> None:
    """Take no note."""


@cache
def records() -> tuple[Record, ...]:
    return tuple(grow(read_topology(SMALL), SCALE, 1, alarms=5))


def some() -> tuple[Record, ...]:
    """A piece of the network that is complete in itself: a relationship comes after its ends."""
    return records()[:700]


def expected(records: Iterable[Record]) -> list[str]:
    every = tuple(records)
    raised_on = {
        each.start: each.end for each in every if not isinstance(each, NodeRecord) and each.type == "RAISED_ON"
    }
    return sorted(
        repr((each.label, each.id, sorted({"id": each.id, **each.properties, **_derived(each, raised_on)}.items())))
        if isinstance(each, NodeRecord)
        else repr((each.type, each.start, each.end, sorted(each.properties.items())))
        for each in every
    )


def _derived(node: NodeRecord, raised_on: Mapping[str, str]) -> dict[str, str]:
    """What an alarm is open on, which is written beside what a file says."""
    is_open = node.label == "Alarm" and node.properties["state"] != "cleared" and node.id in raised_on
    return {"openOn": raised_on[node.id]} if is_open else {}


async def graph_of(store: Store) -> list[str]:
    rows = [
        *await store.rows(NODES, {}, deadline=soon()),
        *await store.rows(RELATIONSHIPS, {}, deadline=soon()),
    ]
    return sorted(repr((*row[:-1], _shown(row[-1]))) for row in rows)


def _shown(properties: object) -> list[tuple[str, object]]:
    """What anybody can ask for: not what the graph notes beside it."""
    assert isinstance(properties, Mapping)
    return sorted((name, value) for name, value in properties.items() if not name.startswith("_"))


async def marks(store: Store) -> list[list[object]]:
    return await store.rows("MATCH (m:LoadMark) RETURN m.done", {}, deadline=soon())


async def load_small(store: Store) -> LoadReport:
    return await load_topology(store, topology=SMALL, scale=SCALE, alarms=5, progress=silent, deadline=soon())


async def test_a_topology_is_written_as_it_was_grown_and_twice_is_once(empty_store: Store) -> None:
    first = await load_small(empty_store)
    there = await graph_of(empty_store)
    assert there == expected(records())
    assert first.nodes + first.relationships == len(there)
    assert first.written
    await names_whom_to_look_at_it_as(empty_store, first)
    again = await load_small(empty_store)
    assert await graph_of(empty_store) == there
    assert not again.written
    assert (again.labels, again.types, again.principals) == (first.labels, first.types, first.principals)


async def names_whom_to_look_at_it_as(store: Store, report: LoadReport) -> None:
    operator, premium, standard = report.principals
    assert (operator.role, operator.customers) == ("operator", ())
    assert [(each.role, each.tier) for each in (premium, standard)] == [
        ("customer", "PREMIUM"),
        ("customer", "STANDARD"),
    ]
    text = "MATCH (c:Customer {id: $id})-[:SUBSCRIBES_TO]->(:Service)-[:GOVERNED_BY]->(s:Sla) RETURN DISTINCT c.name, s.tier"
    for each in (premium, standard):
        assert await store.rows(text, {"id": each.customers[0]}, deadline=soon()) == [[each.name, each.tier]]
    assert report.topology is not None
    assert (report.topology.cities, report.topology.links, report.topology.bridges) == (12, 15, 1)


async def test_a_topology_that_is_there_without_its_marks_is_there_once_after_it_is_loaded(empty_store: Store) -> None:
    await load_small(empty_store)
    there = await graph_of(empty_store)

    async def forget(transaction: Transaction) -> None:
        await transaction.run("MATCH (m:LoadMark) DELETE m", {})

    await empty_store.write(forget, deadline=soon())
    assert (await load_small(empty_store)).written
    assert await graph_of(empty_store) == there
    assert await marks(empty_store) == []


class Behind(Store):
    """A store in which a commit comes through just after the first look at the marks."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.product)
        self._store = store
        self._looked = False

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:
        """Give nothing the first time."""
        looked, self._looked = self._looked, True
        return await self._store.rows(text, parameters, deadline=deadline) if looked else []

    async def write(self, work: Work[T], *, deadline: float, quiet: bool = False) -> T:
        """Write."""
        return await self._store.write(work, deadline=deadline, quiet=quiet)


async def test_a_commit_that_comes_through_late_is_found(empty_store: Store) -> None:
    target = Target(store=empty_store, how=How.CREATE, key="late", deadline=soon(), size=30)
    await write_records(target, some(), lambda _: None)
    await write_records(replace(target, store=Behind(empty_store)), some(), lambda _: None)
    assert await graph_of(empty_store) == expected(some())


@pytest.mark.sampled(2)
@pytest.mark.parametrize(("how", "through"), [(How.CREATE, 1), (How.CREATE, 4), (How.MERGE, 2)])
async def test_a_load_that_was_cut_goes_on_where_it_stopped(empty_store: Store, how: How, through: int) -> None:
    target = Target(store=empty_store, how=how, key="cut", deadline=soon(), size=30)

    async def cut() -> None:
        seen = 0

        def count(_: Batch) -> None:
            nonlocal seen
            seen += 1
            if seen == through:
                task.cancel()

        task = asyncio.create_task(write_records(target, some(), count))
        await task

    with pytest.raises(asyncio.CancelledError):
        await cut()
    part = await graph_of(empty_store)
    assert set(part) < set(expected(some()))
    rest = await write_records(target, some(), lambda _: None)
    assert rest.passed_over >= through
    assert await graph_of(empty_store) == expected(some())


async def test_marks_that_are_dropped_are_gone(empty_store: Store) -> None:
    target = Target(store=empty_store, how=How.CREATE, key="k", deadline=soon())
    await write_records(target, some()[:50], lambda _: None)
    assert await marks(empty_store) == [[1]] * 3
    await drop_marks(target)
    assert await marks(empty_store) == []


async def test_lines_give_the_same_graph_as_the_topology_that_they_were_printed_from(empty_store: Store) -> None:
    lines = list(map(as_line, reversed(some())))
    report = await load_lines(empty_store, lines, progress=silent, deadline=soon())
    assert await graph_of(empty_store) == expected(some())
    assert await marks(empty_store) == []
    assert report.nodes + report.relationships == len(lines)
    again = await load_lines(empty_store, iter(lines), progress=silent, deadline=soon())
    assert again.written, "a file is written whenever it is given, since it may change what another one changed"
    assert await graph_of(empty_store) == expected(some())


async def test_a_file_can_add_to_what_is_there_and_change_it(empty_store: Store) -> None:
    (customer,) = islice((each for each in records() if isinstance(each, NodeRecord) and each.label == "Customer"), 1)
    await load_lines(empty_store, [as_line(customer)], progress=silent, deadline=soon())
    renamed = replace(customer, properties={**customer.properties, "name": "New", "words": "new"})
    order = NodeRecord(
        label="Order",
        id=loaded_id("Order", "test", "1"),
        properties={"externalId": "1", "system": "s", "state": "pending"},
    )
    placed = b'{"type": "PLACED_BY", "start": "%s", "end": "%s"}' % (order.id.encode(), customer.id.encode())
    await load_lines(empty_store, [placed, as_line(renamed), as_line(order)], progress=silent, deadline=soon())
    text = "MATCH (o:Order {id: $id})-[:PLACED_BY]->(c:Customer) RETURN c.name"
    assert await empty_store.rows(text, {"id": order.id}, deadline=soon()) == [["New"]]


async def test_what_events_are_loaded_of_has_their_last_version(empty_store: Store) -> None:
    site = next(each for each in records() if isinstance(each, NodeRecord) and each.label == "Site")
    events = [
        NodeRecord(
            label="Event",
            id=loaded_id("Event", "test", str(version)),
            properties={
                "type": "moved",
                "aggregateId": site.id,
                "aggregateVersion": version,
                "at": version,
                "principal": "somebody",
                "payload": "{}",
            },
        )
        for version in (3, 7, 5)
    ]
    for lines in ([*events, site], events[:1]):  # the second file knows less, and takes nothing away
        await load_lines(empty_store, [as_line(each) for each in lines], progress=silent, deadline=soon())
        assert await empty_store.rows("MATCH (n:Site) RETURN n._version", {}, deadline=soon()) == [[7]]


async def test_of_a_file_with_a_fault_nothing_is_written(empty_store: Store) -> None:
    lines = [as_line(each) for each in records()]
    nowhere = loaded_id("Customer", "test", "nobody")
    lines[3] = b'{"label": "Lorry"}'
    lines.append(b'{"type": "SUBSCRIBES_TO", "start": "%s", "end": "%s"}' % (nowhere.encode(), nowhere.encode()))
    lost = loaded_id("Service", "test", "lost")
    lines.append(b'{"type": "SUBSCRIBES_TO", "start": "%s", "end": "%s"}' % (nowhere.encode(), lost.encode()))
    with pytest.raises(BadLines) as caught:
        await load_lines(empty_store, lines, progress=silent, deadline=soon())
    assert await graph_of(empty_store) == []
    by_line = {fault.line: fault.problem for fault in caught.value.faults}
    assert by_line[4].startswith("a node has")
    assert by_line[len(lines) - 1].startswith("its end must be the id of a Service")
    assert by_line[len(lines)] in {f"{each} is neither in the file nor in the store" for each in (nowhere, lost)}


async def test_progress_rises_to_its_total(empty_store: Store) -> None:
    told: list[tuple[str, int, int]] = []
    lines = list(map(as_line, some()[:200]))
    await load_lines(empty_store, lines, progress=lambda *news: told.append(news), deadline=soon())
    assert told[-1] == ("write", len(lines), len(lines))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


async def test_a_load_that_takes_longer_than_it_may_says_so(empty_store: Store) -> None:
    with pytest.raises(DeadlineExceeded):
        await load_topology(empty_store, topology=SMALL, scale=SCALE, progress=silent, deadline=time.monotonic() - 1)
