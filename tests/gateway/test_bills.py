"""A customer's bills beside the graph, on a real graph and a real billing system: what is asked where, and what is shown."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest

from adapters.billing.outbound.tmf678 import Tmf678
from adapters.simulator.billing.billing import BillingSystem, serving
from adapters.simulator.faults import Kind, Rule
from adapters.transport.transport import System
from gateway.areas import BILLING, KNOWLEDGE, TICKETING, federation_of
from gateway.federation.subgraph import Subgraph
from gateway.federation.supergraph import Graph
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.settings.settings import Limits, Settings
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal, Role
from graph.store.store import Store, Transaction
from resolvers.billing.subgraph import BillingSubgraph
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from resolvers.ticketing.subgraph import TicketingSubgraph
from tests.gateway.test_areas import ADA, BOB, OPERATOR, CountingTransport
from tests.resolvers.caller import Counting

GRAPH = """
UNWIND ['a', 'b', 'c'] AS n
CREATE (:Customer {id: 'customer-' + n, name: n, segment: 's', status: 'active', accountRef: 'acc-' + n})
"""
JANUARY: dict[str, Any] = {
    "billNo": "1",
    "state": "settled",
    "billDate": "2026-02-01T00:00:00Z",
    "amountDue": {"unit": "EUR", "value": 42_949_672.96},
}
RATE = {"name": "Bandwidth", "taxExcludedAmount": {"unit": "EUR", "value": 0.29}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """The areas, and what they were asked."""

    areas: Mapping[Graph, Subgraph]
    pipeline: Pipeline
    store: Counting
    transport: CountingTransport
    system: BillingSystem

    async def ask(self, query: str, principal: Principal = ADA, *, seconds: float = 30.0, **given: Any) -> Any:
        self.store.texts.clear()
        self.transport.asked.clear()
        request = GraphRequest(query=query, variables=given, operation_name=None, queries_only=False)
        prepared = await self.pipeline.prepare(request, principal)
        return await self.pipeline.answer(prepared, request, principal, time.monotonic() + seconds)

    @property
    def counts(self) -> tuple[int, int]:
        """Statements in the graph, and calls to billing."""
        return len(self.store.texts), len(self.transport.asked)


@pytest.fixture
async def product(empty_store: Store) -> AsyncIterator[Product]:
    async def write(transaction: Transaction) -> None:
        await transaction.run(GRAPH, {})

    await empty_store.write(write, deadline=time.monotonic() + 30)
    async with serving() as system, aiohttp.ClientSession() as session:
        store = Counting(empty_store)
        transport = CountingTransport(System(name="billing", address=system.address, failures=100), session)
        transport.asked = []
        billing = BillingSubgraph(seconds=1.0)
        areas: Mapping[Graph, Subgraph] = {
            KNOWLEDGE: KnowledgeSubgraph(store, b"k" * 32, AlarmPolicy()),
            TICKETING: TicketingSubgraph("", seconds=0.0),
            BILLING: billing,
        }
        settings = Settings(limits=Limits(new_documents_per_minute=100_000))
        with billing.reaching(Tmf678(transport)):
            pipeline = Pipeline(federation_of(areas, settings), settings)
            yield Product(areas=areas, pipeline=pipeline, store=store, transport=transport, system=system)


async def test_bills_of_many_customers_are_one_statement_and_one_call(product: Product) -> None:
    for account in ("acc-a", "acc-b"):
        product.system.bill(account, JANUARY)
    answer = await product.ask("{ customers(orderBy: [{field: ID}]) { nodes { name bills { number } } } }", OPERATOR)
    assert answer == {
        "data": {
            "customers": {
                "nodes": [
                    {"name": "a", "bills": [{"number": "1"}]},
                    {"name": "b", "bills": [{"number": "1"}]},
                    {"name": "c", "bills": []},
                ]
            }
        }
    }
    assert product.counts == (1, 1)


async def test_a_bill_is_shown_with_what_it_is_made_of(product: Product) -> None:
    product.system.bill("acc-a", JANUARY, [RATE, RATE])
    query = """{ customer(id: "customer-a") { name bills {
        id number state datedAt from amountDue { amount currency } remaining { amount }
        rates { name taxExcluded { amount currency } } } } }"""
    rate = {"name": "Bandwidth", "taxExcluded": {"amount": "29", "currency": "EUR"}}
    assert await product.ask(query) == {
        "data": {
            "customer": {
                "name": "a",
                "bills": [
                    {
                        "id": "BILL-00000001",
                        "number": "1",
                        "state": "SETTLED",
                        "datedAt": "2026-02-01T00:00:00.000Z",
                        "from": None,
                        "amountDue": {"amount": "4294967296", "currency": "EUR"},
                        "remaining": None,
                        "rates": [rate, rate],
                    }
                ],
            }
        }
    }
    assert product.counts == (1, 2)


async def test_a_customer_reads_its_own_bills_only(product: Product) -> None:
    product.system.bill("acc-a", JANUARY)
    query = '{ customer(id: "customer-a") { bills { number } } }'
    assert await product.ask(query, BOB) == {"data": {"customer": None}}
    assert product.counts == (1, 0)
    listed = await product.ask("{ customers { nodes { id bills { number } } } }", BOB)
    assert listed == {"data": {"customers": {"nodes": [{"id": "customer-b", "bills": []}]}}}
    assert (await product.ask(query, ADA))["data"]["customer"]["bills"] == [{"number": "1"}]


async def test_as_many_as_asked_for_the_latest_first(product: Product) -> None:
    for month in range(1, 4):
        product.system.bill("acc-a", {**JANUARY, "billNo": str(month), "billDate": f"2026-0{month}-01T00:00:00Z"})
    query = 'query($n: Int!) { customer(id: "customer-a") { bills(first: $n) { number } } }'
    assert (await product.ask(query, n=2))["data"]["customer"]["bills"] == [{"number": "3"}, {"number": "2"}]
    for refused in (0, 101):
        answer = await product.ask(query, n=refused)
        assert answer["data"] == {"customer": {"bills": None}}
        [error] = answer["errors"]
        assert (error["extensions"]["code"], error["message"]) == ("BAD_USER_INPUT", "first is 1 to 100.")


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.DOWN, "SUBGRAPH_UNAVAILABLE"),
        (Kind.ERROR, "SUBGRAPH_UNAVAILABLE"),
        (Kind.TRUNCATED, "SUBGRAPH_UNAVAILABLE"),
        (Kind.UNAUTHORIZED, "SUBGRAPH_UNAVAILABLE"),
        (Kind.FORBIDDEN, "SUBGRAPH_UNAVAILABLE"),
        (Kind.NOT_FOUND, "SUBGRAPH_UNAVAILABLE"),
        (Kind.HTML, "SUBGRAPH_FAILED"),
        (Kind.SLOW, "DEADLINE_EXCEEDED"),
    ],
)
async def test_a_billing_that_fails_costs_its_own_fields(product: Product, kind: Kind, code: str) -> None:
    product.system.bill("acc-a", JANUARY)
    product.system.faults.order(Rule(kind=kind, seconds=5.0))
    began = time.monotonic()
    answer = await product.ask('{ customer(id: "customer-a") { name bills { number } } }')
    assert time.monotonic() - began < 4.0
    assert answer["data"] == {"customer": {"name": "a", "bills": None}}
    assert [(each["path"], each["extensions"]["code"]) for each in answer["errors"]] == [(["customer", "bills"], code)]
    assert "acc-a" not in str(answer["errors"])
    is_closed = kind in (Kind.UNAUTHORIZED, Kind.FORBIDDEN, Kind.NOT_FOUND)
    assert ("does not let us in" in str(answer["errors"])) is is_closed


async def test_a_bill_of_another_account_is_shown_to_nobody(product: Product) -> None:
    product.system.bill("acc-a", JANUARY)
    [bill] = product.system.records.all("customerBill")
    bill["billingAccount"] = [{"id": "acc-a"}, {"id": "acc-b"}]  # found by either, and nobody can say whose it is
    answer = await product.ask('{ customer(id: "customer-a") { name bills { number } } }')
    assert answer == {"data": {"customer": {"name": "a", "bills": []}}}


async def test_one_value_that_cannot_be_read_is_missing_at_its_place_and_nowhere_else(product: Product) -> None:
    for account in ("acc-a", "acc-b"):
        product.system.bill(account, JANUARY, [RATE, {**RATE, "taxExcludedAmount": {"unit": "\u20ac", "value": 1}}])
    product.system.bill("acc-c", {**JANUARY, "state": "disputed", "amountDue": {"unit": "EUR", "value": "much"}})
    answer = await product.ask(
        """{ customers(orderBy: [{field: ID}]) { nodes {
          name bills { state number amountDue { value } rates { taxExcluded { amount value } } }
        } } }""",
        OPERATOR,
    )
    rates = [{"taxExcluded": {"amount": "29", "value": "0.29"}}, {"taxExcluded": None}]
    good = {"state": "SETTLED", "number": "1", "amountDue": {"value": "42949672.96"}, "rates": rates}
    odd: dict[str, Any] = {"state": None, "number": "1", "amountDue": None, "rates": []}
    nodes = answer["data"]["customers"]["nodes"]
    assert [each["bills"] for each in nodes] == [[good], [good], [odd]]
    at = ["customers", "nodes"]
    assert sorted(map(str, (each["path"] for each in answer["errors"]))) == sorted(
        map(
            str,
            [
                [*at, 0, "bills", 0, "rates", 1, "taxExcluded"],
                [*at, 2, "bills", 0, "state"],
                [*at, 2, "bills", 0, "amountDue"],
            ],
        )
    )
    assert {each["extensions"]["code"] for each in answer["errors"]} == {"SUBGRAPH_FAILED"}
    assert [each["extensions"].get("count", 1) for each in answer["errors"] if "rates" in each["path"]] == [2]


async def test_a_rate_below_a_cent_is_shown_exactly(product: Product) -> None:
    product.system.bill("acc-a", JANUARY, [{**RATE, "taxExcludedAmount": {"unit": "EUR", "value": 0.0125}}])
    answer = await product.ask(
        '{ customer(id: "customer-a") { bills { rates { taxExcluded { amount value currency } } } } }'
    )
    [bill] = answer["data"]["customer"]["bills"]
    assert "errors" not in answer
    assert bill["rates"] == [{"taxExcluded": {"amount": None, "value": "0.0125", "currency": "EUR"}}]


async def test_rates_that_cannot_be_had_leave_the_bill(product: Product) -> None:
    product.system.bill("acc-a", JANUARY, [RATE])

    product.system.faults.order(Rule(kind=Kind.HTML, probability=0.8))  # by its seed the second request, not the first
    answer = await product.ask('{ customer(id: "customer-a") { bills { number rates { name } } } }')
    assert answer["data"] == {"customer": {"bills": [{"number": "1", "rates": None}]}}
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["SUBGRAPH_FAILED"]


async def test_without_billing_there_are_no_bills_and_nothing_failed(product: Product) -> None:
    areas = {**product.areas, BILLING: BillingSubgraph(seconds=0.0)}
    pipeline = Pipeline(federation_of(areas, Settings()), Settings())
    request = GraphRequest(
        query='{ customer(id: "customer-a") { name bills { number } } }',
        variables={},
        operation_name=None,
        queries_only=True,
    )
    answer = await pipeline.answer(await pipeline.prepare(request, ADA), request, ADA, time.monotonic() + 30)
    assert answer == {"data": {"customer": {"name": "a", "bills": None}}}


async def test_a_system_is_asked_nothing_for(product: Product) -> None:
    answer = await product.ask(
        "{ customers { nodes { bills { number } } } }", Principal(subject="s", role=Role.SYSTEM, system="s")
    )
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
    assert product.counts == (0, 0)
