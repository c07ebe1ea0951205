"""Several areas as one schema, on a real graph and beside a real ticketing system: what is asked where, and how often."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import httpx
import pytest
from graphql import DocumentNode, parse
from graphql.language import print_ast

from adapters.simulator.faults import Kind, Rule
from adapters.simulator.ticketing.ticketing import TicketingSystem, serving
from adapters.ticketing import TicketHistory
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.transport.transport import Answer, Call, System, Transport
from gateway.areas import BILLING, KNOWLEDGE, LEDGER, TICKETING, federation_of
from gateway.errors import Refused
from gateway.federation.federation import Federation
from gateway.federation.planning import Budget
from gateway.federation.plans import Alone
from gateway.federation.subgraph import Operation, Subgraph
from gateway.federation.supergraph import Graph, Supergraph
from gateway.federation.supergraph_sdl import read_supergraph
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.settings.settings import Limits, Settings
from graph.changes.policy import AlarmPolicy
from graph.ledger.lanes import take_lanes
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction
from resolvers.billing.subgraph import BillingSubgraph
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from resolvers.ledger.subgraph import LedgerSubgraph
from resolvers.supergraph import SUPERGRAPH
from resolvers.ticketing.subgraph import TicketingSubgraph
from tests.resolvers.caller import Counting

OPERATOR = Principal(subject="operator", role=Role.OPERATOR)
ADA = Principal(subject="ada", role=Role.CUSTOMER, customers=("customer-a",))
BOB = Principal(subject="bob", role=Role.CUSTOMER, customers=("customer-b",))
SYSTEM = "ticketing"

GRAPH = """
CREATE (a:Customer {id: 'customer-a', name: 'Ada', segment: 'business', status: 'active'})
CREATE (b:Customer {id: 'customer-b', name: 'Bob', segment: 'business', status: 'active'})
WITH a, b
UNWIND $tickets AS t
CREATE (n:Ticket {id: t.id, system: t.system, externalId: t.external, orderKey: t.key, status: 'acknowledged', severity: 'major'})
WITH a, b, t, n, CASE WHEN t.customer = 'a' THEN a ELSE b END AS c
CREATE (n)-[:OPENED_FOR]->(c)
"""


class CountingTransport(Transport):
    """Remembers what was asked."""

    asked: list[str]

    async def exchange(self, call: Call, *, deadline: float) -> Answer:
        self.asked.append(str(call))
        return await super().exchange(call, deadline=deadline)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """All areas, and what they were asked."""

    federation: Federation
    pipeline: Pipeline
    store: Counting
    transport: CountingTransport
    system: TicketingSystem

    async def ask(self, query: str, principal: Principal = ADA, *, explain: bool = False, **given: Any) -> Any:
        self.store.texts.clear()
        self.transport.asked.clear()
        request = GraphRequest(query=query, variables=given, operation_name=None, queries_only=False, explain=explain)
        try:
            prepared = await self.pipeline.prepare(request, principal)
            return await self.pipeline.answer(prepared, request, principal, time.monotonic() + 30)
        except Refused as refused:
            return {"refused": [each.code.value for each in refused.problems]}

    @property
    def counts(self) -> tuple[int, int]:
        """Statements in the graph, and calls to the ticketing system."""
        return len(self.store.texts), len(self.transport.asked)


async def opened_there(system: TicketingSystem, key: str, note: str) -> str:
    body = {
        "externalId": key,
        "description": "A fault",
        "severity": "major",
        "ticketType": "fault",
        "note": [{"text": note, "author": "desk"}],
    }
    async with httpx.AsyncClient(base_url=system.address) as client:
        answer = (await client.post("/troubleTicket", json=body)).raise_for_status().json()
        if note == "second":
            (await client.patch(f"/troubleTicket/{answer['id']}", json={"status": "inProgress"})).raise_for_status()
    return str(answer["id"])


def ticket(
    number: int, customer: str, external: str | None, key: str | None, system: str = SYSTEM
) -> dict[str, object]:
    return {"id": f"ticket-{number}", "customer": customer, "external": external, "key": key, "system": system}


@pytest.fixture
async def product(empty_store: Store) -> AsyncIterator[Product]:
    async with serving() as system, aiohttp.ClientSession() as session:
        theirs = {key: await opened_there(system, key, note) for key, note in NOTES.items()}
        tickets = [
            ticket(1, "a", theirs["alarm-1:customer-a"], "alarm-1:customer-a"),
            ticket(2, "a", theirs["alarm-2:customer-a"], "alarm-2:customer-a"),
            ticket(3, "a", None, "alarm-3:customer-a"),
            ticket(4, "a", theirs["alarm-1:customer-a"], "alarm-1:customer-a", system="another"),
            ticket(5, "b", theirs["alarm-1:customer-b"], "alarm-1:customer-b"),
        ]

        async def write(transaction: Transaction) -> None:
            await transaction.run(GRAPH, {"tickets": tickets})

        await empty_store.write(write, deadline=time.monotonic() + 30)
        store = Counting(empty_store)
        transport = CountingTransport(System(name=SYSTEM, address=system.address), session)
        transport.asked = []
        ticketing = TicketingSubgraph(SYSTEM, seconds=5.0)
        areas: Mapping[Any, Subgraph] = {
            KNOWLEDGE: KnowledgeSubgraph(store, b"k" * 32, AlarmPolicy()),
            LEDGER: (waiting := LedgerSubgraph()),
            TICKETING: ticketing,
            BILLING: BillingSubgraph(seconds=0.0),
        }
        settings = Settings(limits=Limits(new_documents_per_minute=100_000))
        federation = federation_of(areas, settings)
        with ticketing.reaching(Tmf621(transport)), waiting.reading(empty_store):
            yield Product(
                federation=federation,
                pipeline=Pipeline(federation, settings),
                store=store,
                transport=transport,
                system=system,
            )


NOTES = {"alarm-1:customer-a": "first", "alarm-2:customer-a": "second", "alarm-1:customer-b": "of Bob"}
TICKETS = """{ customer(id: "customer-a") { name tickets(orderBy: [{field: ID}]) { nodes { id status
    notes { author text } history { status } } } } }"""


async def test_notes_of_many_tickets_are_one_statement_and_one_call(product: Product) -> None:
    answer = await product.ask(TICKETS)
    assert answer == {
        "data": {
            "customer": {
                "name": "Ada",
                "tickets": {
                    "nodes": [
                        {
                            "id": "ticket-1",
                            "status": "ACKNOWLEDGED",
                            "notes": [{"author": "desk", "text": "first"}],
                            "history": [{"status": "ACKNOWLEDGED"}],
                        },
                        {
                            "id": "ticket-2",
                            "status": "ACKNOWLEDGED",
                            "notes": [{"author": "desk", "text": "second"}],
                            "history": [{"status": "ACKNOWLEDGED"}, {"status": "IN_PROGRESS"}],
                        },
                        {"id": "ticket-3", "status": "ACKNOWLEDGED", "notes": None, "history": None},
                        {"id": "ticket-4", "status": "ACKNOWLEDGED", "notes": None, "history": None},
                    ]
                },
            }
        }
    }
    assert product.counts == (1, 1)


async def test_what_the_graph_answers_alone_goes_through_as_it_is(product: Product) -> None:
    query = 'query($n: Boolean!) { a: customer(id: "customer-a") { name tickets { nodes { notes @include(if: $n) { text } id } } } }'
    answer = await product.ask('{ a: customer(id: "customer-a") { name __typename } }')
    assert answer == {"data": {"a": {"name": "Ada", "__typename": "Customer"}}}
    assert product.counts == (1, 0)
    kept = product.federation.plans.known()
    assert [isinstance(each, Alone) and each.graph for each in kept] == [KNOWLEDGE]
    without = await product.ask(query, n=False)
    assert len(without["data"]["a"]["tickets"]["nodes"]) == 4
    assert product.counts == (1, 0)
    assert "notes" in (await product.ask(query, n=True))["data"]["a"]["tickets"]["nodes"][0]
    assert product.counts == (1, 1)


async def test_a_customer_reads_notes_of_its_own_tickets_only(product: Product) -> None:
    query = "query($id: ID!) { ticket(id: $id) { notes { text } } }"
    assert await product.ask(query, ADA, id="ticket-5") == {"data": {"ticket": None}}
    assert product.counts == (1, 0)
    assert await product.ask(query, BOB, id="ticket-5") == {"data": {"ticket": {"notes": [{"text": "of Bob"}]}}}


async def test_a_ticket_that_is_somebody_elses_over_there_is_not_shown(product: Product) -> None:
    text = "MATCH (t:Ticket {id: 'ticket-1'}) MATCH (o:Ticket {id: 'ticket-5'}) SET t.externalId = o.externalId"

    async def write(transaction: Transaction) -> None:
        await transaction.run(text, {})

    await product.store.write(write, deadline=time.monotonic() + 30)
    answer = await product.ask('{ ticket(id: "ticket-1") { id notes { text } } }')
    assert answer["data"] == {"ticket": {"id": "ticket-1", "notes": None}}
    assert [(each["path"], each["extensions"]) for each in answer["errors"]] == [
        (["ticket", "notes"], {"code": "SUBGRAPH_FAILED"})
    ]


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.DOWN, "SUBGRAPH_UNAVAILABLE"),
        (Kind.ERROR, "SUBGRAPH_UNAVAILABLE"),
        (Kind.TOO_MANY, "SUBGRAPH_UNAVAILABLE"),
        (Kind.TRUNCATED, "SUBGRAPH_UNAVAILABLE"),
        (Kind.HTML, "SUBGRAPH_FAILED"),
        (Kind.FOREIGN, "SUBGRAPH_FAILED"),
    ],
)
async def test_a_ticketing_system_that_fails_costs_its_own_fields(product: Product, kind: Kind, code: str) -> None:
    product.system.faults.order(Rule(kind=kind))
    answer = await product.ask(TICKETS)
    nodes = answer["data"]["customer"]["tickets"]["nodes"]
    assert [(each["status"], each["notes"], each["history"]) for each in nodes] == [("ACKNOWLEDGED", None, None)] * 4
    assert {each["extensions"]["code"] for each in answer["errors"]} == {code}
    assert ["customer", "tickets", "nodes", 0, "notes"] in [each["path"] for each in answer["errors"]]
    assert "TT-" not in str(answer["errors"])


async def test_without_a_ticketing_system_the_graph_goes_on(product: Product) -> None:
    alone = federation_of({**product.federation.subgraphs, TICKETING: TicketingSubgraph("", seconds=5.0)}, Settings())
    pipeline = Pipeline(alone, Settings())
    request = GraphRequest(query=TICKETS, variables={}, operation_name=None, queries_only=True)
    answer = await pipeline.answer(await pipeline.prepare(request, ADA), request, ADA, time.monotonic() + 30)
    # A ticket of a system that we do not reach is not asked for, and so nothing failed.
    assert [each["notes"] for each in answer["data"]["customer"]["tickets"]["nodes"]] == [None] * 4
    assert "errors" not in answer


async def test_a_note_that_makes_no_sense_costs_its_own_ticket(product: Product) -> None:
    [first] = await histories(product)
    ticket = product.system.tickets.get(first.id)
    assert ticket is not None
    ticket["note"] = [{"text": ["bad"]}]
    answer = await product.ask(TICKETS)
    told = [each["notes"] for each in answer["data"]["customer"]["tickets"]["nodes"]]
    assert told == [None, [{"author": "desk", "text": "second"}], None, None]
    assert {tuple(each["path"]) for each in answer["errors"]} == {
        ("customer", "tickets", "nodes", 0, "notes"),
        ("customer", "tickets", "nodes", 0, "history"),
    }


@pytest.mark.parametrize("notes", ["", "notes { text }"])
@pytest.mark.parametrize(
    ("query", "principal", "code"),
    [
        ("{ tickets(first: -1) { nodes { id %s } } other: customers { totalCount } }", OPERATOR, "BAD_USER_INPUT"),
        ("{ tickets { nodes { id %s } } }", Principal(subject="s", role=Role.SYSTEM, system="s"), "FORBIDDEN"),
    ],
)
async def test_what_is_refused_is_refused_whoever_else_is_asked(
    product: Product, query: str, principal: Principal, code: str, notes: str
) -> None:
    answer = await product.ask(query % notes, principal)
    assert [each["extensions"]["code"] for each in answer["errors"]] == [code]
    assert "data" not in answer
    assert product.counts == (0, 0)


async def test_a_customer_asks_any_node_for_its_id(product: Product) -> None:
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert await product.ask(query, ADA, id="ticket-1") == {"data": {"node": {"id": "ticket-1"}}}
    assert await product.ask(query, ADA, id="ticket-5") == {"data": {"node": None}}
    assert await product.ask(query, ADA, id="delivery-1") == {"data": {"node": None}}


@pytest.mark.sampled(3)
@pytest.mark.parametrize("type_", [["Card"], {"a": 1}, 7, None, "Card"])
async def test_what_stands_for_an_entity_is_checked(product: Product, type_: Any) -> None:
    graph = Pipeline(product.federation.subgraphs[KNOWLEDGE], Settings())
    router = Principal(subject="router", role=Role.ROUTER, acts_for=Role.CUSTOMER, customers=("customer-a",))
    query = "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    given = {"r": [{"__typename": type_, "id": "card-1"}]}
    request = GraphRequest(query=query, variables=given, operation_name=None, queries_only=True)
    answer = await graph.answer(await graph.prepare(request, router), request, router, time.monotonic() + 30)
    if type_ == "Card":
        assert answer == {"data": {"_entities": [None]}}
    else:
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]


async def test_a_condition_cannot_be_null(product: Product) -> None:
    query = "query($n: Boolean = true) { tickets @include(if: $n) { totalCount } }"
    assert await product.ask(query, n=None) == {"refused": ["BAD_USER_INPUT"]}
    assert await product.ask(query) == {"data": {"tickets": {"totalCount": 4}}}


async def test_what_the_graph_tells_the_gateway_of_a_ticket_stays_there(product: Product) -> None:
    assert await product.ask('{ ticket(id: "ticket-1") { orderKey } }') == {"refused": ["FORBIDDEN"]}
    answer = await product.ask('{ ticket(id: "ticket-1") { notes { text } } }')
    assert answer == {"data": {"ticket": {"notes": [{"text": "first"}]}}}


async def test_an_operator_is_told_how_an_answer_was_made(product: Product) -> None:
    answer = await product.ask(TICKETS, OPERATOR, explain=True)
    told = answer["extensions"]["queryPlan"]
    assert told["plan"].startswith("#0 KNOWLEDGE\n")
    graph, ticketing = told["fetches"]
    assert (graph["subgraph"], graph["entities"]) == ("knowledge", 0)
    assert [each["cypher"] for each in graph["statements"]] == product.store.texts
    assert 0 < graph["statements"][0]["ms"] <= graph["ms"]
    assert (ticketing["subgraph"], ticketing["entities"]) == ("ticketing", 4)
    assert ticketing["beganMs"] >= graph["beganMs"] + graph["ms"] - 0.01


async def test_an_answer_that_one_area_gives_alone_is_explained_too(product: Product) -> None:
    answer = await product.ask('{ customer(id: "customer-a") { name } }', OPERATOR, explain=True)
    assert answer["data"] == {"customer": {"name": "Ada"}}
    [fetch] = answer["extensions"]["queryPlan"]["fetches"]
    assert [each["cypher"] for each in fetch["statements"]] == product.store.texts


@pytest.mark.parametrize(
    "principal",
    [
        ADA,
        Principal(subject="analyst", role=Role.ANALYST),
        Principal(subject="router", role=Role.ROUTER, acts_for=Role.OPERATOR),
    ],
)
async def test_nobody_else_is_told(product: Product, principal: Principal) -> None:
    assert await product.ask("{ viewer { role } }", principal, explain=True) == {"refused": ["FORBIDDEN"]}
    assert product.counts == (0, 0)


class Letters:
    """An area that knows whose a letter is, and nothing else of customers."""

    name = "post"
    sdl = ""

    async def execute(
        self,
        operation: Operation,  # noqa: ARG002 - the port's signature
        variables: Mapping[str, Any],  # noqa: ARG002
        principal: Principal,  # noqa: ARG002
        deadline: float,  # noqa: ARG002
    ) -> Any:
        letters = [{"customer": {"id": each}} for each in ("customer-a", "customer-b", "customer-a")]
        return {"data": {"letters": letters}}


def with_letters() -> Supergraph:
    """The product's supergraph with one area more."""
    document = parse(SUPERGRAPH.read_text(encoding="utf-8"), no_location=True)
    more = parse(
        """
        enum join__Graph { POST @join__graph(name: "post", url: "") }
        type Query @join__type(graph: POST) { letters: [Letter!] @join__field(graph: POST) }
        type Customer @join__type(graph: POST, key: "id") { id: ID! }
        type Letter @join__type(graph: POST) { customer: Customer }
        """,
        no_location=True,
    )
    added: dict[str, Any] = {each.name.value: each for each in more.definitions}  # type: ignore[attr-defined]  # all have one
    of_graph = parse("type T { f: Int @join__field(graph: KNOWLEDGE) }", no_location=True).definitions[0]
    [mark] = of_graph.fields[0].directives  # type: ignore[attr-defined]  # it is the type in the text above
    made = []
    for each in document.definitions:
        node: Any = each
        extra = added.pop(getattr(getattr(node, "name", None), "value", ""), None)
        if extra is not None and hasattr(extra, "values"):
            node = replace(node, values=(*node.values, *extra.values))
        elif extra is not None:
            known = {field.name.value for field in extra.fields}
            fields = [one if one.name.value in known else with_mark(one, mark) for one in node.fields]
            fields += [one for one in extra.fields if one.name.value != "id"]
            node = replace(node, directives=(*node.directives, *extra.directives), fields=tuple(fields))
        made.append(node)
    return read_supergraph(print_ast(DocumentNode(definitions=(*made, *added.values()))))


def with_mark(field: Any, mark: Any) -> Any:
    if any(each.name.value == mark.name.value for each in field.directives or ()):
        return field
    return replace(field, directives=(*(field.directives or ()), mark))


@pytest.mark.parametrize(("principal", "names"), [(ADA, ["Ada", None, "Ada"]), (OPERATOR, ["Ada", "Bob", "Ada"])])
async def test_entities_of_the_graph_are_one_scoped_statement(
    product: Product, principal: Principal, names: list[str | None]
) -> None:
    areas = {**product.federation.subgraphs, Graph("POST"): Letters()}
    federation = Federation(with_letters(), areas, budget=Budget(), share=False)
    pipeline = Pipeline(federation, Settings())
    query = "{ letters { customer { name tickets(first: 1) { totalCount } } } }"
    request = GraphRequest(query=query, variables={}, operation_name=None, queries_only=True)
    answer = await pipeline.answer(
        await pipeline.prepare(request, principal), request, principal, time.monotonic() + 30
    )
    found = [each["customer"] and each["customer"]["name"] for each in answer["data"]["letters"]]
    assert found == names
    assert product.counts == (1, 0)


async def test_a_history_is_never_taken_for_another(product: Product) -> None:
    # What the stand-in keeps is what is read: a second look gives what was written meanwhile.
    [first] = await histories(product)
    async with httpx.AsyncClient(base_url=product.system.address) as client:
        notes = [{"text": "first"}, {"text": "and more"}]
        (await client.patch(f"/troubleTicket/{first.id}", json={"note": notes})).raise_for_status()
    answer = await product.ask('{ ticket(id: "ticket-1") { notes { text } } }')
    assert answer["data"]["ticket"]["notes"] == notes


async def histories(product: Product) -> list[TicketHistory]:
    found = await Tmf621(product.transport).find("alarm-1:customer-a", deadline=time.monotonic() + 5)
    assert found is not None
    told = await Tmf621(product.transport).histories([found.id], deadline=time.monotonic() + 5)
    return [each for each in told.values() if isinstance(each, TicketHistory)]


LANES = "{ lanes { id system shard owner waiting oldestSeconds oldestAt attempts lastError parked parkedKeys held } }"


async def test_operators_see_what_waits_and_customers_do_not(product: Product, empty_store: Store) -> None:
    await take_lanes(empty_store, "desk", owner="process-1", ttl_ms=60_000, deadline=time.monotonic() + 30)
    answer = await product.ask(LANES, OPERATOR)
    assert [each["id"] for each in answer["data"]["lanes"]] == [f"desk#{shard}" for shard in range(16)]
    first = answer["data"]["lanes"][0]
    assert first == {
        "id": "desk#0",
        "system": "desk",
        "shard": 0,
        "owner": "process-1",
        "waiting": 0,
        "oldestSeconds": 0.0,
        "oldestAt": None,
        "attempts": 0,
        "lastError": None,
        "parked": 0,
        "parkedKeys": [],
        "held": 0,
    }
    assert await product.ask(LANES) == {"refused": ["FORBIDDEN"]}
    both = await product.ask("query($x: ID!) { lanes { shard } customer(id: $x) { name } }", OPERATOR, x="customer-a")
    assert (len(both["data"]["lanes"]), both["data"]["customer"]) == (16, {"name": "Ada"})


PARKED = """
query($reason: ParkingReason, $after: ID) {
  parkedDeliveries(system: "desk", reason: $reason, first: 1, after: $after) { id orderKey reason error answer attempts held createdAt }
}
"""
PARK = """
UNWIND [['a', 'refused'], ['b', 'fault'], ['c', null]] AS one
CREATE (:Delivery {
  id: 'delivery-' + one[0], system: 'desk', subject: 's', lane: 'desk#1', parked: 'desk#1', parkedFor: one[1], orderKey: one[0],
  openKey: one[0], version: 1, state: 'DEAD', attempts: 3, createdAt: 0, since: 0, nextAt: 0, lastError: 'desk answered 422',
  lastAnswer: 'no such customer', payload: '{}'
})
"""


async def test_operators_see_what_is_parked_and_why_and_customers_do_not(product: Product, empty_store: Store) -> None:
    await take_lanes(empty_store, "desk", owner="process-1", ttl_ms=60_000, deadline=time.monotonic() + 30)
    await empty_store.write(lambda transaction: transaction.run(PARK, {}), deadline=time.monotonic() + 30)
    answer = await product.ask(PARKED, OPERATOR)
    assert answer["data"]["parkedDeliveries"] == [
        {
            "id": "delivery-a",
            "orderKey": "a",
            "reason": "REFUSED",
            "error": "desk answered 422",
            "answer": "no such customer",
            "attempts": 3,
            "held": 0,
            "createdAt": "1970-01-01T00:00:00.000Z",
        }
    ]
    [fault] = (await product.ask(PARKED, OPERATOR, reason="FAULT"))["data"]["parkedDeliveries"]
    assert (fault["orderKey"], fault["reason"]) == ("b", "FAULT")
    [last] = (await product.ask(PARKED, OPERATOR, after="delivery-b"))["data"]["parkedDeliveries"]
    assert (last["orderKey"], last["reason"]) == ("c", None)
    assert await product.ask(PARKED) == {"refused": ["FORBIDDEN"]}
    for first in (-5, 1_001):
        refused = await product.ask(PARKED.replace("first: 1", f"first: {first}"), OPERATOR)
        assert [each["extensions"]["code"] for each in refused["errors"]] == ["BAD_USER_INPUT"]


async def test_a_ledger_whose_database_is_away_says_so() -> None:
    federation = federation_of({LEDGER: LedgerSubgraph()}, Settings())
    pipeline = Pipeline(federation, Settings())
    request = GraphRequest(query="{ lanes { id } }", variables={}, operation_name=None, queries_only=False)
    answer = await pipeline.answer(await pipeline.prepare(request, OPERATOR), request, OPERATOR, time.monotonic() + 30)
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["STORE_UNAVAILABLE"]
    assert "data" not in answer
