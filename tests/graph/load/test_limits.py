"""What there may be one of stays one: beside what the store has, and where two write at once."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
import pytest

import graph
from graph.errors import GraphError
from graph.load import BadLines, Overtaken, load_lines, load_topology
from graph.load.check import OF_PEOPLE
from graph.load.limits import ones_of
from graph.load.records import RelationshipRecord
from graph.model.identity import loaded_id
from graph.model.kinds import Form
from graph.model.model import LABELS, RELATIONSHIPS, Kind, Property
from graph.store.cardinality import LIMITS, Limit, Violation, violations
from graph.store.store import Store, Transaction

limits = pytest.mark.parametrize(
    "limit",
    [each for each in LIMITS if not each.apart and each.type not in OF_PEOPLE],
    ids=lambda each: f"{each.label}{each.step}",
)
OTHER: Final[dict[str, str]] = {
    each.type: (each.ends if limit.outgoing else each.starts)[0]
    for limit in LIMITS
    for each in [RELATIONSHIPS[limit.type]]
}


def soon() -> float:
    return time.monotonic() + 120


def value(known: Property) -> Any:
    if known.words:
        return known.words[0]
    if known.form is Form.CURRENCY:
        return "EUR"
    of_kind: dict[Kind, Any] = {Kind.STRING: "x", Kind.FLOAT: 1.0, Kind.BOOLEAN: True, Kind.JSON: "{}"}
    return of_kind.get(known.kind, 1)


def node(label: str, name: str) -> dict[str, Any]:
    properties = {each.name: value(each) for each in LABELS[label].properties if each.required and each.name != "id"}
    if label == "ExternalName":
        properties |= {"name": name}
        del properties["key"]
    if interval := LABELS[label].interval:
        properties |= {interval.end: 2}
    if label == "Delivery":
        properties |= {"state": "DONE"}  # no file brings one that is still to be sent
    return {"label": label, "id": loaded_id(label, "test", name), "properties": properties}


def line(limit: Limit, other: str) -> dict[str, Any]:
    """A relationship of the node `one` with one of several others."""
    near, far = loaded_id(limit.label, "test", "one"), loaded_id(OTHER[limit.type], "test", other)
    start, end = (near, far) if limit.outgoing else (far, near)
    properties = {each.name: value(each) for each in RELATIONSHIPS[limit.type].properties}
    return {"type": limit.type, "start": start, "end": end, "properties": properties}


def nodes(limit: Limit, others: int) -> list[dict[str, Any]]:
    return [node(limit.label, "one"), *(node(OTHER[limit.type], f"{each}") for each in range(others))]


async def load(store: Store, *lines: dict[str, Any]) -> None:
    texts = [orjson.dumps(each) for each in lines]
    await load_lines(store, texts, progress=lambda *_: None, deadline=soon())


@pytest.mark.sampled(6)
@limits
async def test_a_file_may_not_add_a_second_one_to_what_the_store_has(empty_store: Store, limit: Limit) -> None:
    await load(empty_store, *nodes(limit, 2), line(limit, "0"))
    await load(empty_store, line(limit, "0"))  # the same again is no other
    with pytest.raises(BadLines) as caught:
        await load(empty_store, node(limit.label, "another"), line(limit, "1"))
    [fault] = caught.value.faults
    assert fault.line == 2
    assert loaded_id(OTHER[limit.type], "test", "0") in fault.problem
    assert "can have only one" in fault.problem
    another = "MATCH (n) WHERE n.id = $id RETURN count(n)"
    assert await empty_store.rows(another, {"id": loaded_id(limit.label, "test", "another")}, deadline=soon()) == [[0]]
    assert await violations(empty_store, seconds=60) == []


async def test_of_many_who_load_at_once_one_gives_a_service_its_customer(empty_store: Store) -> None:
    owned = next(each for each in LIMITS if each.type == "SUBSCRIBES_TO")
    held = next(each for each in LIMITS if each.type == "GOVERNED_BY")
    await load(empty_store, *nodes(owned, 6), *nodes(held, 6)[1:])

    async def attempt(number: int) -> str | None:
        try:
            await load(empty_store, line(owned, f"{number}"), line(held, f"{number}"))
        except (BadLines, Overtaken) as error:
            return type(error).__name__
        return None

    outcomes = await asyncio.gather(*(attempt(number) for number in range(6)))
    assert outcomes.count(None) == 1, outcomes
    assert await violations(empty_store, seconds=60) == []


class Late(Store):
    """A store in which another program writes just before our transactions do."""

    def __init__(self, store: Store, lines: list[dict[str, Any]]) -> None:
        super().__init__(store.product)
        self._store, self._lines = store, lines

    async def rows(self, text: str, parameters: Any, *, deadline: float) -> list[list[object]]:
        return await self._store.rows(text, parameters, deadline=deadline)

    async def write(self, work: Any, *, deadline: float, quiet: bool = False) -> Any:
        lines, self._lines = self._lines, []
        if lines:
            await load(self._store, *lines)
        return await self._store.write(work, deadline=deadline, quiet=quiet)


async def test_what_was_right_when_it_was_checked_is_looked_at_again(empty_store: Store) -> None:
    owned = next(each for each in LIMITS if each.type == "SUBSCRIBES_TO")
    await load(empty_store, *nodes(owned, 2))
    with pytest.raises(Overtaken) as caught:
        await load(Late(empty_store, [line(owned, "0")]), line(owned, "1"))
    assert loaded_id("Customer", "test", "0") in str(caught.value)
    assert isinstance(caught.value, GraphError)
    assert caught.value.hint
    assert await violations(empty_store, seconds=60) == []


@pytest.mark.sampled(6)
@limits
async def test_two_of_what_there_may_be_one_of_are_found(empty_store: Store, limit: Limit) -> None:
    await load(empty_store, *nodes(limit, 3), line(limit, "0"))

    async def by_hand(transaction: Transaction) -> None:
        given = line(limit, "1")
        start, end = (given["start"], given["end"])
        labels = (limit.label, OTHER[limit.type])
        a, b = labels if limit.outgoing else labels[::-1]
        text = f"MATCH (a:{a} {{id: $start}}) MATCH (b:{b} {{id: $end}}) CREATE (a)-[r:{limit.type}]->(b) SET r = $properties"
        await transaction.run(text, {"start": start, "end": end, "properties": given["properties"]})

    await empty_store.write(by_hand, deadline=soon())
    [found] = await violations(empty_store, seconds=60)
    assert isinstance(found, Violation)
    assert (found.limit, found.node) == (limit, loaded_id(limit.label, "test", "one"))
    assert found.others == tuple(sorted(loaded_id(OTHER[limit.type], "test", each) for each in "01"))
    assert f"{found}".startswith(f"{found.node} has {limit.type}")


async def test_a_grown_network_breaks_no_limit(empty_store: Store) -> None:
    topology = "sndlib/abilene"
    await load_topology(empty_store, topology=topology, scale=600, alarms=3, progress=lambda *_: None, deadline=soon())
    assert await violations(empty_store, seconds=60) == []


def ended(end: str, port: str) -> dict[str, Any]:
    start, other = loaded_id("Trunk", "test", "one"), loaded_id("Port", "test", port)
    return {"type": "TERMINATES_ON", "start": start, "end": other, "properties": {"end": end}}


async def test_a_file_may_not_end_a_trunk_where_it_begins_in_the_store(empty_store: Store) -> None:
    await load(empty_store, node("Trunk", "one"), node("Port", "a"), node("Port", "z"), ended("A", "a"))
    with pytest.raises(BadLines, match="must have another for each end") as caught:
        await load(empty_store, ended("Z", "a"))
    assert [fault.line for fault in caught.value.faults] == [1]
    await load(empty_store, ended("Z", "z"), ended("A", "a"))  # the same again is no other
    assert await violations(empty_store, seconds=60) == []


async def test_a_trunk_from_a_port_to_itself_is_never_written_by_two_at_once(empty_store: Store) -> None:
    await load(empty_store, node("Trunk", "one"), node("Port", "a"))
    with pytest.raises(Overtaken, match="must have another for each end"):
        await load(Late(empty_store, [ended("A", "a")]), ended("Z", "a"))
    assert await violations(empty_store, seconds=60) == []


async def test_a_trunk_from_a_port_to_itself_is_found(empty_store: Store) -> None:
    await load(empty_store, node("Trunk", "one"), node("Port", "a"), ended("A", "a"))

    async def by_hand(transaction: Transaction) -> None:
        text = "MATCH (t:Trunk {id: $trunk}) MATCH (p:Port {id: $port}) CREATE (t)-[:TERMINATES_ON {end: 'Z'}]->(p)"
        ends = {"trunk": loaded_id("Trunk", "test", "one"), "port": loaded_id("Port", "test", "a")}
        await transaction.run(text, ends)

    await empty_store.write(by_hand, deadline=soon())
    [found] = await violations(empty_store, seconds=60)
    assert isinstance(found, Violation)
    assert (found.node, found.others) == (loaded_id("Trunk", "test", "one"), (loaded_id("Port", "test", "a"),))
    assert f"{found}".endswith("more than once, and must have another for each end")


async def test_a_file_may_not_give_a_name_that_the_store_has_elsewhere(empty_store: Store) -> None:
    def named(name: str, id_: str) -> dict[str, Any]:
        properties = {"system": "nms", "name": name}
        return {"label": "ExternalName", "id": loaded_id("ExternalName", "test", id_), "properties": properties}

    await load(empty_store, named("KOL-1", "1"))
    await load(empty_store, named("KOL-1", "1"))  # the same again is no other
    with pytest.raises(BadLines) as caught:
        await load(empty_store, named("KOL-2", "2"), named("KOL-1", "3"))
    there = loaded_id("ExternalName", "test", "1")
    problem = f"the name 'KOL-1' of the system 'nms' is given already, as {there} in the store"
    assert [(fault.line, fault.problem) for fault in caught.value.faults] == [(2, problem)]
    with pytest.raises(BadLines) as caught:
        await load(empty_store, named("KOL-1", "1"), named("KOL-1", "3"))
    problem = "the name 'KOL-1' of the system 'nms' is given already, in the file (line 1)"
    assert [(fault.line, fault.problem) for fault in caught.value.faults] == [(2, problem)], "once, and not its owner"


def test_a_relationship_without_a_limit_is_the_only_one_of_nothing() -> None:
    service, port = loaded_id("Service", "t", "1"), loaded_id("Port", "t", "1")
    record = RelationshipRecord(type="ACCESSED_AT", start=service, end=port, properties={"end": "A"})
    assert list(ones_of(record)) == []


WRITERS: Final = {
    "changes/alarms/alarms.py": {"RAISED_ON"},  # the alarm is new, or locked and its old one is deleted
    "changes/bandwidth/boosts.py": {"BOOSTS"},  # the boost is new
    "changes/bandwidth/consequences/leads.py": {"ABOUT", "SUGGESTED_FOR"},  # the lead is new
    "changes/bandwidth/consequences/usage.py": {"USED_BY"},  # the record is new
    "changes/customers/moving.py": {"ABOUT"},  # in place of the one that it deletes, while both customers are locked
    "changes/customers/merging.py": {"MERGED_INTO"},  # both customers are locked, and neither is merged
    "changes/customers/records.py": {"NAMES"},  # the name's gate is held, and it names nothing
    "changes/fulfilment/billing.py": {"USED_BY"},  # the record is new
    "changes/fulfilment/correlating.py": {"SUBSCRIBES_TO"},  # the service is locked, and nobody's
    "changes/fulfilment/reserving.py": {"GOVERNED_BY", "PROVISIONS"},  # the service is new, and the item has none
    "changes/orders/cancelling.py": {"CANCELS"},  # the request is new
    "changes/orders/placing.py": {"HAS_ITEM", "PLACED_BY", "PROVISIONS"},  # the order and its items are new
    "changes/services/downtime.py": {"INTERRUPTS"},  # the interval is new
    "changes/tickets/reported.py": {"OPENED_FOR"},  # the ticket is locked, and others are deleted
    "changes/tickets/problems.py": {"OPENED_FOR"},  # the ticket is new
    "changes/tickets/tickets.py": {"OPENED_FOR"},  # the ticket is new
    "changes/usage/usage.py": {"USED_BY"},  # the record is locked, and still awaits its service
    "inventory/equipment.py": {"NAMES", "LOCATED_AT", "HOLDS", "HAS_PORT", "TERMINATES_ON"},  # locked; left before
    "inventory/naming.py": {"NAMES"},  # the name is locked, and names nothing
    "ledger/outbox.py": {"TELLS"},  # the delivery is new
    "processes/steps.py": {"STEP_OF"},  # the step is new
    "store/migrations/mtosi_names.py": {"NAMES"},  # the name is new
}
"""Who makes relationships with a limit, besides the loader, and how the limit is held there."""


def test_every_writer_of_what_there_may_be_one_of_is_known() -> None:
    room = Path(graph.__file__).parent
    found: dict[str, set[str]] = {}
    for path in room.rglob("*.py"):
        for type_ in made_in(path.read_text(encoding="utf-8")):
            found.setdefault(str(path.relative_to(room)), set()).add(type_)
    assert found == WRITERS


def made_in(source: str) -> Iterator[str]:
    """The limited relationships that texts in a module create or merge."""
    limited = {each.type for each in LIMITS}
    for statement in re.split(r"\b(?=(?:MATCH|CREATE|MERGE|UNWIND|RETURN|DELETE|WITH)\b)", source):
        if statement.startswith(("CREATE", "MERGE")):
            yield from limited & set(re.findall(r"\[\w*:(\w+)", statement))
