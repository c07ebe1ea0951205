"""What is stored of a slice is what a walk finds, whatever has changed, in which order, and at the same time."""

from __future__ import annotations

import ast
import asyncio
import importlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph import membership
from graph.membership import ways
from graph.model.identity import membership_id
from graph.model.mapping import Hop
from graph.model.scope import is_shared, slice_paths
from graph.store.migrate import migrate
from graph.store.store import Store, Transaction
from tests.conftest import wipe
from tests.graph.membership.network import (
    CARDS,
    CUSTOMERS,
    ELEMENTS,
    OWN,
    PORTS,
    SERVICES,
    SITES,
    SLAS,
    TRUNKS,
    Net,
    access,
    id_of,
    route,
    service,
    soon,
)
from tests.selection import is_full


@pytest.fixture
async def net(empty_store: Store) -> Net:
    """The network, with the slice of customer a stored and that of b walked."""
    made = Net(store=empty_store)
    await made.lay()
    await made.build("a")
    return made


def of(customer: str, *nodes: str) -> set[str]:
    return {membership_id(id_of(customer), id_of(each)) for each in nodes}


async def test_a_slice_is_stored_with_all_shared_nodes_and_no_other(net: Net) -> None:
    equipment = ("t1", "p1", "p5", "p3", "k1", "k3", "k2", "e1", "e2", "x1")
    assert await net.memberships("a") == of("a", "plain", *equipment)
    assert await net.memberships("b") == set()
    await net.compare()


async def test_a_service_that_is_loaded_forgets_the_slice_until_it_is_built_again(net: Net) -> None:
    await net.build("b")
    await net.load(*service("s9", "a", "gold"), route("s9", "t3"))
    assert await net.stored() == {"b"}
    await net.build("a")
    assert await net.memberships("a") >= of("a", "t3", "gold", "k5", "e3", "x2")
    await net.compare()


async def test_what_is_loaded_of_others_forgets_nothing(net: Net) -> None:
    await net.load(route("s3", "t2"), route("s4", "t1"))
    assert await net.stored() == {"a"}
    await net.compare()


async def test_a_cable_that_moves_takes_slices_with_it(net: Net) -> None:
    await net.build("b")
    await net.move("t2", "p4", "p12")
    assert await net.stored() == {"a", "b"}, "nobody has a service there"
    await net.move("k1", "e3")
    assert await net.stored() == set()
    await net.build("a")
    assert await net.memberships("a") >= of("a", "e1", "e3", "x2"), "the service at p3 is on e1 still"
    await net.move("k2", "e2")
    await net.build("a")
    assert not await net.memberships("a") & of("a", "e1")
    await net.compare()


async def test_an_alarm_is_a_member_while_it_affects_a_service_of_the_customer(net: Net) -> None:
    one = await net.raise_("t1", 1)
    two = await net.raise_("p3", 2)
    mine = {membership_id(id_of("a"), each) for each in (one, two)}
    assert await net.memberships("a") >= mine
    assert await net.memberships("b") == set(), "a slice that is walked has none"
    await net.compare()
    await net.clear(one, "k")
    assert mine - await net.memberships("a") == {membership_id(id_of("a"), one)}
    assert await net.stored() == {"a"}
    await net.compare()


async def test_an_alarm_that_leaves_one_of_two_services_stays_a_member(net: Net) -> None:
    await net.load(route("s2", "t1"))
    await net.build("a")
    alarm = await net.raise_("t1", 1)
    pair = (id_of("a"), alarm)

    async def spare(transaction: Transaction) -> None:
        text = "MATCH (:Alarm {id: $alarm})-[r:AFFECTS]->(:Service {id: $service}) DELETE r"
        await transaction.run(text, {"alarm": alarm, "service": id_of("s1")})
        membership.drop(transaction, [pair])

    await net.store.write(spare, deadline=soon())
    assert membership_id(*pair) in await net.memberships("a")
    await net.compare()


async def test_a_check_names_what_is_wrong_and_what_is_missing(net: Net) -> None:
    await net.store.write(_spoil, deadline=soon())
    found = await membership.check(net.store, deadline=soon())
    assert (set(found.wrong), set(found.missing)) == (of("a", "t3"), of("a", "t1"))
    assert (found.customers, found.differing) == (1, (id_of("a"),))


async def test_what_is_wrong_or_missing_is_mended(net: Net) -> None:
    await net.store.write(_spoil, deadline=soon())
    await membership.mend(net.store, deadline=soon())
    await net.compare()
    assert await net.stored() == {"a"}


async def _spoil(transaction: Transaction) -> None:
    membership.add(transaction, [(id_of("a"), id_of("t3"))])
    await transaction.run("MATCH (m:Membership {id: $id}) DELETE m", {"id": membership_id(id_of("a"), id_of("t1"))})


async def test_slices_of_customers_with_many_services_are_stored_and_no_others(net: Net) -> None:
    await net.load(*(each for number in range(3) for each in service(f"s2{number}", "b", "gold")))
    assert await membership.build_missing(net.store, many=4, deadline=soon()) == 1
    assert await net.stored() == {"a", "b"}
    await net.compare()


async def test_a_large_slice_is_stored_in_parts(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.membership.building._AT_ONCE", 3)
    await net.build("b")
    await net.compare()
    assert await net.stored() == {"a", "b"}


async def test_whoever_serves_stores_the_slices_that_are_missing(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.membership.building.MANY_SERVICES", 1)
    building = asyncio.create_task(membership.keep_building(net.store))
    try:
        async with asyncio.timeout(30):
            while await net.stored() != {"a", "b"}:  # noqa: ASYNC110  # nobody is told when a slice is stored
                await asyncio.sleep(0.02)
    finally:
        building.cancel()
    await net.compare()


async def test_a_store_of_the_version_before_is_walked_until_its_slices_are_stored(net: Net) -> None:
    """What version 4 had: no memberships, no constraint or index of theirs, nobody with a stored slice."""
    await net.run("MATCH (m:Membership) DELETE m")
    await net.run("MATCH (c:Customer) REMOVE c._sliceStored")
    await net.run("DROP CONSTRAINT membership_id IF EXISTS")
    await net.run("DROP INDEX membership_customer IF EXISTS")
    await net.run("MATCH (v:SchemaVersion) SET v.version = 4")
    before = await migrate(net.store, deadline=soon())
    assert (before.version, set(before.missing)) == (4, {"membership_id", "membership_customer"})
    assert await net.stored() == set()
    assert await membership.build_missing(net.store, many=1, deadline=soon()) == 2
    await net.compare()


WRITERS = {
    "graph/changes/fulfilment/correlating.py": "forgets the slice of whose service it becomes",
    "graph/changes/services/affected.py": "adds and drops what an alarm changes",
    "graph/inventory/equipment.py": "forgets what is behind a thing that moves",
}
"""Modules that write relationships of slices by name; what a load writes is made of the model (graph/load/statements.py)."""

OF_NOBODY = {
    "graph/changes/fulfilment/reserving.py": "what is reserved is in nobody's slice: correlating.py puts it into one"
}
"""Modules that write relationships which are in no slice yet."""


def test_every_module_that_writes_a_relationship_of_slices_keeps_memberships() -> None:
    top = Path(__file__).parents[3]
    found = {
        str(path.relative_to(top))
        for room in ("graph", "resolvers", "adapters", "gateway")
        for path in (top / room).rglob("*.py")
        if any(_writes(each) for each in _texts(path))
    }
    assert found == {*WRITERS, *OF_NOBODY}
    for each in (*WRITERS, "graph/load/write.py"):
        assert re.search(
            r"\bmembership\.(add|forget_behind)\(|\bforget_behind\(transaction", (top / each).read_text()
        ), each


def _texts(path: Path) -> list[str]:
    nodes = ast.walk(ast.parse(path.read_text()))
    return [each.value for each in nodes if isinstance(each, ast.Constant) and isinstance(each.value, str)]


def _writes(text: str) -> bool:
    types = "|".join(ways.FROM_END)
    made = re.search(rf"\b(CREATE|MERGE)\b[^\n]*\[\w*:({types})\b", text)
    gone = re.search(rf"\[(\w+):({types})\b", text)
    return bool(made or (gone and re.search(rf"\bDELETE\b.*\b{gone[1]}\b", text)))


def test_every_shared_label_and_every_step_to_it_is_kept() -> None:
    steps = {(before, hop.type) for label in ways.SHARED for path in slice_paths(label) for before, hop in _pairs(path)}
    assert {(each.near, each.hop.type) for each in ways.STEPS} == steps
    assert set(ways.SHARED) == set(OWN)
    assert all(is_shared(each) for each in ways.SHARED)
    reached = {"Customer"}
    for each in ways.STEPS:
        assert each.near in reached, "what leads to a label comes before what leads on"
        reached.add(each.hop.label)


def _pairs(path: tuple[Hop, ...]) -> list[tuple[str, Hop]]:
    return list(zip(("Customer", *(each.label for each in path)), path, strict=False))


# At the same time ----------------------------------------------------------------------------------------------------


async def _load(net: Net) -> None:
    await net.load(route("s4", "t2"))


async def _move(net: Net) -> None:
    await net.move("k1", "e3")


async def _raise(net: Net) -> None:
    await net.raise_("t1", 1)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        pytest.param(_load, "graph.load.write.forget_behind", id="a load"),
        pytest.param(_move, "graph.membership.forget_behind", id="a move"),
        pytest.param(_raise, "graph.changes.services.affected.lock", id="an alarm"),
    ],
)
async def test_a_slice_that_is_stored_while_a_change_has_looked_and_not_committed_is_right(
    net: Net, monkeypatch: pytest.MonkeyPatch, change: Callable[[Net], Awaitable[None]], where: str
) -> None:
    """Neo4j lets the builder wait, the embedded database sends one of the two back: either way one sees the other."""
    module, _, name = where.rpartition(".")
    real = getattr(importlib.import_module(module), name)
    building: list[asyncio.Task[None]] = []

    async def looked(transaction: Transaction, about: Iterable[str], *more: Any) -> Any:
        ids = list(about)
        found = await real(transaction, ids, *more)
        if ids and not building:
            building.append(asyncio.create_task(net.build("b")))
            await asyncio.wait(building, timeout=0.3)  # it may wait for us
        return found

    monkeypatch.setattr(where, looked)
    await change(net)
    await building[0]
    await net.compare()


# Whatever happens ----------------------------------------------------------------------------------------------------

_NAMES = st.sampled_from
OPERATIONS = st.one_of(
    st.tuples(st.just("route"), _NAMES(sorted(SERVICES)), _NAMES(sorted(TRUNKS))),
    st.tuples(st.just("access"), _NAMES(sorted(SERVICES)), _NAMES(sorted(PORTS))),
    st.tuples(st.just("sell"), _NAMES(CUSTOMERS), _NAMES(SLAS)),
    st.tuples(st.just("raise"), _NAMES([*TRUNKS, *CARDS, *ELEMENTS]), st.none()),
    st.tuples(st.just("clear"), st.none(), st.none()),
    st.tuples(st.just("move"), _NAMES(sorted(ELEMENTS)), _NAMES(SITES)),
    st.tuples(st.just("move"), _NAMES(sorted(CARDS)), _NAMES(sorted(ELEMENTS))),
    st.tuples(st.just("move"), _NAMES(sorted(PORTS)), _NAMES(sorted(CARDS))),
    st.tuples(st.just("end"), _NAMES(sorted(TRUNKS)), st.tuples(_NAMES(sorted(PORTS)), _NAMES(sorted(PORTS)))),
    st.tuples(st.just("build"), _NAMES(CUSTOMERS), st.none()),
    st.tuples(st.just("build"), _NAMES(CUSTOMERS), st.none()),
)


class Doing:
    """Does what is drawn, and remembers which alarms are open."""

    def __init__(self, net: Net) -> None:
        self.net = net
        self.count = 0
        self.open: list[str] = []

    async def do(self, what: str, one: str, two: object) -> None:
        self.count += 1
        number = self.count
        match what:
            case "route":
                await self.net.load(route(one, str(two)))
            case "access":
                await self.net.load(access(one, str(two)))
            case "sell":
                await self.net.load(*service(f"s{100 + number}", one, str(two)), route(f"s{100 + number}", "t3"))
            case "raise":
                self.open.append(await self.net.raise_(one, number))
            case "clear":
                if self.open:
                    await self.net.clear(self.open.pop(0), f"{number}")
            case "move":
                await self.net.move(one, str(two))
            case "end":
                await self.net.move(one, *two)  # type: ignore[misc]
            case _:
                await self.net.build(one)


@pytest.fixture(scope="module")
async def shared_store(store: Store) -> AsyncIterator[Store]:
    """The session's store, left empty."""
    yield store
    await wipe(store)


@pytest.mark.long
@settings(
    max_examples=40 if is_full() else 3,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
)
@given(rounds=st.lists(st.lists(OPERATIONS, min_size=1, max_size=4), min_size=6, max_size=10))
async def test_whatever_happens_at_once_a_stored_slice_is_what_a_walk_finds(
    shared_store: Store, rounds: list[list[tuple[str, str, object]]]
) -> None:
    await wipe(shared_store)
    net = Net(store=shared_store)
    await net.lay()
    await net.build("a")
    doing = Doing(net)
    for some in rounds:
        work: list[Awaitable[None]] = [doing.do(*each) for each in some]
        await asyncio.gather(*work)
        await net.compare()
    for customer in CUSTOMERS:
        await net.build(customer)
    await net.compare()
