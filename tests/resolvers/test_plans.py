"""What a customer asks is planned from the customer: in a network of many nodes nothing of it reads a whole label.

And what one may not see costs what is not there costs, and a shared thing costs the same whatever others have on it: records
are counted, so no clock is needed. On Neo4j only, whose plans can be read.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from neo4j import AsyncGraphDatabase

from graph.compiler.bind import Names, ScopeIds, bind
from graph.compiler.clauses import Const, Get, Query, Return
from graph.compiler.cypher import text as printed
from graph.compiler.pages import order_name
from graph.compiler.read import Prepared
from graph.compiler.slice import everything
from graph.load import load_topology
from graph.membership import build_missing
from graph.model.mapping import Everything, enum_name
from graph.model.model import LABELS, Kind
from graph.model.scope import Principal, Role, ScopeKind, is_exclusive, is_shared, slice_paths
from graph.store.store import Store, Transaction
from tests.graph.compiler.compiling import asked, known, reads
from tests.graph.compiler.plans import Plans, hits, statements
from tests.resolvers.breakages import BREAKAGES, Breakage
from tests.resolvers.caller import SECONDS
from tests.resolvers.every_path import Question, paths
from tests.resolvers.tenants import tenants
from tests.selection import is_full, sample

pytestmark = [
    pytest.mark.skipif(
        os.environ.get("TRUNKLINE_TEST_STORE") != "neo4j", reason="plans are what the run on Neo4j reads"
    ),
    pytest.mark.timeout(2400),
    pytest.mark.long,
]

NODES = 100_000 if is_full() else 20_000
A_FEW = 30
"""Records by which a forbidden node may differ from an unknown one where it is found by its index: Neo4j keeps up to fifty
relationships of a node in one chain, which is as long as that node's own. They take microseconds."""
A_CHAIN = 100
"""Records that a statement may spare where a node has so many relationships that Neo4j keeps them apart, by type: two walks over such a
chain. What it must not look at are hundreds."""


def _questions() -> list[Question]:
    """One of each text; the ids in it are of the small graph, and a plan does not look at them."""
    ways = paths(known(), tenants(), depth=1)
    found = (*ways.questions(), *_searched_by_index())
    return list({each.text: each for each in found if each.about != "PathField"}.values())


def _searched_by_index() -> Iterator[Question]:
    """Filters and orders by what has an index, which a planner might rather begin with."""
    for (owner, name), mapping in known().mappings.fields.items():
        if owner == "Query" and isinstance(mapping, Everything):
            label = LABELS[mapping.label]
            for each in label.properties:
                if each.indexed and not each.internal and each.kind is Kind.STRING and each.name != "id":
                    value = enum_name(each.words[0]) if each.words else '"a"'
                    if each.required and not each.words:  # nothing is sorted by a word
                        filtered = f'{{{each.name}: {{contains: "a"}}}}, orderBy: [{{field: {order_name(each.name)}}}]'
                        text = f"{{ {name}(filter: {filtered}) {{ totalCount nodes {{ id }} }} }}"
                        yield Question(about="arguments", text=text)
                    text = f"{{ {name}(filter: {{{each.name}: {{eq: {value}}}}}) {{ totalCount nodes {{ id }} }} }}"
                    yield Question(about="arguments", text=text)


ALL = _questions()
QUESTIONS = sample(ALL, 120, about="plans")


@dataclass(frozen=True, slots=True, kw_only=True)
class City:
    """A network with customers."""

    store: Store
    plans: Plans
    principal: Principal

    def compiled(self, text: str, variables: Mapping[str, Any]) -> tuple[Prepared, dict[str, Any]]:
        """A statement of the customer's, and its parameters."""
        compiler = reads()
        operation, values = asked(text, variables)
        made = compiler.prepared(operation, values, self.principal)
        return made, bind(made.parameters, compiler.request(made, values, self.principal, {}))

    async def scans(self, question: Question) -> list[str]:
        """What the plans of a question's parts read wholly."""
        _, parameters = self.compiled(question.text, question.variables)
        query = reads().compiled(*asked(question.text, question.variables), self.principal).query
        return [each for text in statements(query) for each in await self.plans.scans(text, parameters)]

    async def forbidden(self, label: str) -> list[str]:
        """Some objects of a label that are there and that the customer does not see."""
        text = f"MATCH (n:{label}) RETURN n.id ORDER BY n.id LIMIT 60"
        rows = await self.store.rows(text, {}, deadline=time.monotonic() + SECONDS)
        return [str(row[0]) for row in rows if await self._read(one(label), str(row[0])) == [None]][:5]

    async def _read(self, text: str, key: str) -> object:
        made, parameters = self.compiled(text, {"id": key})
        return await self.store.read(made.text, parameters, deadline=time.monotonic() + SECONDS)

    async def cost(self, text: str, key: str) -> tuple[str, int]:
        """The statement of an operation about one object, and how many records it touches."""
        made, parameters = self.compiled(text, {"id": key})
        return made.text, hits(await self.plans.planned("PROFILE", made.text, parameters))

    async def a_trunk(self) -> str:
        """One that the customer shares with others."""
        text = "MATCH (:Customer {id: $id})-[:SUBSCRIBES_TO]->()-[:ROUTED_OVER]->(t) RETURN t.id ORDER BY t.id LIMIT 1"
        rows = await self.store.rows(text, {"id": self.principal.customers[0]}, deadline=time.monotonic() + SECONDS)
        return str(rows[0][0])

    async def write(self, text: str, key: str) -> None:
        """Change the graph about one object."""

        async def change(transaction: Transaction) -> None:
            await transaction.run(text, {"id": key})

        await self.store.write(change, deadline=time.monotonic() + SECONDS)

    async def own(self, label: str) -> str:
        """An object of a shared label that the customer sees."""
        names = Names(parameters=[("scope", ScopeIds())])
        found = everything(names, ScopeKind.CUSTOMERS, label)
        text = printed(Query((*found.clauses, Return(Get(found.node, "id"), limit=Const(1)))))
        scope = {"scope": list(self.principal.customers)}
        rows = await self.store.rows(text, scope, deadline=time.monotonic() + SECONDS)
        return str(rows[0][0])


def one(label: str) -> str:
    """An operation that asks for one object."""
    return f"query($id: ID!) {{ node(id: $id) {{ ... on {label} {{ id }} }} }}"


SHARED = [each for each in LABELS if is_shared(each)]


@pytest.fixture(scope="module")
async def city(store: Store, store_address: str) -> AsyncIterator[City]:
    """A grown network and one customer of it; gone again afterwards."""
    await _wipe(store)
    until = time.monotonic() + 1200
    report = await load_topology(store, scale=NODES, seed=1, alarms=20, progress=lambda *_: None, deadline=until)
    assert report.written
    few = "MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WITH c.id AS id, count(s) AS n RETURN id ORDER BY n, id LIMIT 1"
    [[customer]] = await store.rows(few, {}, deadline=until)
    async with AsyncGraphDatabase.driver(store_address) as driver:
        yield City(
            store=store,
            plans=Plans(driver),
            principal=Principal(subject="c", role=Role.CUSTOMER, customers=(str(customer),)),
        )
    await _wipe(store)


@pytest.fixture(scope="module")
async def large(city: City) -> City:
    """The same network and its largest customer, whose slice is stored."""
    until = time.monotonic() + 300
    assert await build_missing(city.store, deadline=until) == 1
    [[customer]] = await city.store.rows("MATCH (c:Customer) WHERE c._sliceStored RETURN c.id", {}, deadline=until)
    principal = Principal(subject="l", role=Role.CUSTOMER, customers=(str(customer),))
    return City(store=city.store, plans=city.plans, principal=principal)


async def _wipe(store: Store) -> None:
    async def some(transaction: Transaction) -> bool:
        text = "MATCH (n) WHERE NOT n:SchemaVersion WITH n LIMIT 10000 DETACH DELETE n RETURN count(*) > 0"
        return bool((await transaction.run(text, {}))[0][0])

    while await store.write(some, deadline=time.monotonic() + 600):
        pass


async def test_no_question_of_a_customer_reads_a_whole_label(city: City) -> None:
    found = {each.text: await city.scans(each) for each in QUESTIONS}
    assert found
    assert not {text: operators for text, operators in found.items() if operators}


LISTS = [each for each in BREAKAGES if each.name in {"a list of everything", "a search"}]


@pytest.mark.parametrize("breakage", LISTS, ids=lambda each: each.name)
async def test_a_list_that_starts_at_its_label_is_noticed(city: City, breakage: Breakage) -> None:
    of_kind = [each for each in ALL if each.about == breakage.about][:3]
    with breakage.made():
        assert any([await city.scans(each) for each in of_kind])


@pytest.mark.parametrize("label", [name for name, each in LABELS.items() if not each.internal])
async def test_what_one_may_not_see_costs_what_is_not_there_costs_by_the_same_text(city: City, label: str) -> None:
    unknown = f"{label.lower()}-00000000-0000-5000-8000-000000000000"
    text, wanted = await city.cost(one(label), unknown)
    spared = 0 if slice_paths(label) and not is_exclusive(label) and label != "Event" else A_FEW
    for each in await city.forbidden(label):
        same, cost = await city.cost(one(label), each)
        assert same == text
        assert abs(cost - wanted) <= spared, label


@pytest.mark.parametrize("label", SHARED)
async def test_a_shared_node_costs_a_large_customer_the_same_few_records_whether_it_is_there_or_not(
    large: City, label: str
) -> None:
    text, wanted = await large.cost(one(label), f"{label.lower()}-00000000-0000-5000-8000-000000000000")
    assert wanted <= A_FEW, "nothing of the slice is walked"
    assert {await large.cost(one(label), each) for each in await large.forbidden(label)} <= {(text, wanted)}
    assert (await large.cost(one(label), await large.own(label)))[1] <= A_FEW


@pytest.mark.parametrize("label", SHARED)
async def test_entities_cost_a_large_customer_as_many_records_as_are_asked_for(large: City, label: str) -> None:
    text = "query($of: [_Any!]!) { _entities(representations: $of) { ... on " + label + " { id } } }"
    made, parameters = large.compiled(text, {"of": [{"__typename": label, "id": await large.own(label)}]})
    assert hits(await large.plans.planned("PROFILE", made.text, parameters)) <= A_FEW


ABOUT_A_TRUNK = (
    "query($id: ID!) { trunk(id: $id) { name } }",
    "query($id: ID!) { trunk(id: $id) { services { totalCount } } }",
    "query($id: ID!) { trunk(id: $id) { services(first: 5, orderBy: [{field: NAME}]) { nodes { id } } } }",
    "query($id: ID!) { trunk(id: $id) { alarms { totalCount } terminations { port { card { ports { totalCount } } } } } }",
    "query($id: ID!) { impact(of: [$id]) { totalServices counts { services } } }",
)
_OTHERS = (
    "MATCH (t:Trunk {id: $id}) UNWIND range(1, 500) AS i "
    "CREATE (:Service {id: 'service-of-others-' + toString(i)})-[:ROUTED_OVER {path: 'WORKING', position: 0}]->(t)"
)
_GONE = (
    "MATCH (t:Trunk {id: $id})<-[:ROUTED_OVER]-(s:Service) WHERE s.id STARTS WITH 'service-of-others-' DETACH DELETE s"
)


async def test_what_others_have_on_a_shared_trunk_costs_a_customer_nothing(city: City) -> None:
    trunk = await city.a_trunk()
    before = [(await city.cost(text, trunk))[1] for text in ABOUT_A_TRUNK]
    await city.write(_OTHERS, trunk)
    try:
        after = [(await city.cost(text, trunk))[1] for text in ABOUT_A_TRUNK]
    finally:
        await city.write(_GONE, trunk)
    assert max(abs(now - then) for now, then in zip(after, before, strict=True)) <= A_CHAIN
