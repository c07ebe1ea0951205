"""What was measured of a service beside the graph, on a real graph and a real performance monitoring system: what is asked, and who sees it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp
import pytest

from adapters.performance_management.outbound.tmf628_measurements import Tmf628Measurements
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.performance.performance import PERIOD_MS, Measurement, PerformanceSystem, serving
from adapters.transport.transport import System
from gateway.areas import KNOWLEDGE, PERFORMANCE, federation_of
from gateway.errors import Refused
from gateway.federation.subgraph import Subgraph
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.settings.settings import Limits, Settings
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal, Role
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from resolvers.performance.subgraph import PerformanceSubgraph
from tests.gateway.test_areas import CountingTransport
from tests.graph.changes.network import lay
from tests.resolvers.caller import Counting

AT: Final = 1_772_362_800_000
TIMES: Final = {"from": "2026-03-01T11:00:00Z", "to": "2026-03-01T12:00:00Z"}
OPERATOR: Final = Principal(subject="operator", role=Role.OPERATOR)
ANNA: Final = Principal(subject="anna", role=Role.CUSTOMER, customers=("customer-a",))
BOB: Final = Principal(subject="bob", role=Role.CUSTOMER, customers=("customer-b",))
ONE: Final = """query($id: ID!, $from: DateTime!, $to: DateTime!, $first: Int = 300, $of: PerformanceIndicator! = LOAD) {
  service(id: $id) { name measurements(from: $from, to: $to, first: $first, indicator: $of) { from to value unit } } }"""
MANY: Final = """query($from: DateTime!, $to: DateTime!) {
  services(orderBy: [{field: ID}]) { nodes { id measurements(from: $from, to: $to) { value } } } }"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """The areas, and what they were asked."""

    pipeline: Pipeline
    store: Counting
    transport: CountingTransport
    system: PerformanceSystem

    async def ask(self, query: str, principal: Principal = ANNA, **given: Any) -> Any:
        self.store.texts.clear()
        self.transport.asked.clear()
        request = GraphRequest(query=query, variables={**TIMES, **given}, operation_name=None, queries_only=False)
        try:
            prepared = await self.pipeline.prepare(request, principal)
            return await self.pipeline.answer(prepared, request, principal, time.monotonic() + 30)
        except Refused as refused:
            return {"errors": [{"extensions": {"code": each.code.value}} for each in refused.problems]}

    @property
    def counts(self) -> tuple[int, int]:
        """Statements in the graph, and calls to performance monitoring."""
        return len(self.store.texts), len(self.transport.asked)


def pipeline_of(store: Any, performance: PerformanceSubgraph) -> Pipeline:
    areas: Mapping[Any, Subgraph] = {
        KNOWLEDGE: KnowledgeSubgraph(store, b"k" * 32, AlarmPolicy()),
        PERFORMANCE: performance,
    }
    settings = Settings(limits=Limits(new_documents_per_minute=100_000))
    return Pipeline(federation_of(areas, settings), settings)


@pytest.fixture
async def product(empty_store: Store) -> AsyncIterator[Product]:
    await lay(empty_store)
    async with serving() as system, aiohttp.ClientSession() as session:
        store = Counting(empty_store)
        transport = CountingTransport(System(name="performance", address=system.address, failures=100), session)
        transport.asked = []
        performance = PerformanceSubgraph(seconds=1.0)
        with performance.reaching(Tmf628Measurements(transport, period_ms=PERIOD_MS)):
            pipeline = pipeline_of(store, performance)
            for service, value in (("service-a", 80.5), ("service-b", 20.0)):
                for number in range(3):
                    system.observe(Measurement(service=service, value=value + number, at=AT + number * PERIOD_MS))
            yield Product(pipeline=pipeline, store=store, transport=transport, system=system)


async def test_measurements_of_many_services_are_one_statement_and_one_call(product: Product) -> None:
    nodes = (await product.ask(MANY, OPERATOR))["data"]["services"]["nodes"]
    found = {each["id"]: [one["value"] for one in each["measurements"]] for each in nodes}
    assert found["service-a"] == [80.5, 81.5, 82.5]
    assert found["service-b"] == [20.0, 21.0, 22.0]
    assert product.counts == (1, 1)


async def test_a_measurement_is_shown_with_its_period_and_unit(product: Product) -> None:
    answer = await product.ask(ONE, id="service-a", first=1)
    [told] = answer["data"]["service"]["measurements"]
    assert told == {
        "from": "2026-03-01T11:00:00.000Z",
        "to": "2026-03-01T11:05:00.000Z",
        "value": 80.5,
        "unit": "Mbit/s",
    }
    product.system.observe(Measurement(service="service-a", value=99.5, at=AT, indicator="availability"))
    answer = await product.ask(ONE, id="service-a", of="AVAILABILITY")
    assert [(each["value"], each["unit"]) for each in answer["data"]["service"]["measurements"]] == [(99.5, "percent")]


async def test_a_tenant_reads_what_was_measured_of_its_own_services_and_others_are_not_asked_about(
    product: Product,
) -> None:
    alone = await product.ask(MANY, ANNA)
    assert {each["id"] for each in alone["data"]["services"]["nodes"]} == {"service-a"}
    assert "service-b" not in " ".join(product.transport.asked)
    product.system.observe(Measurement(service="service-b", value=700, at=AT))
    assert await product.ask(MANY, ANNA) == alone
    assert await product.ask(ONE, ANNA, id="service-b") == {"data": {"service": None}}
    assert product.counts == (1, 0)
    assert await product.ask(ONE, ANNA, id="service-zip") == {"data": {"service": None}}
    seen = (await product.ask(ONE, BOB, id="service-b"))["data"]["service"]["measurements"]
    assert [each["value"] for each in seen] == [20.0, 700, 21.0, 22.0]


@dataclass(frozen=True, slots=True)
class Text:
    """An operation as an area is handed it."""

    text: str


async def test_a_service_that_the_graph_did_not_show_is_not_asked_about(product: Product) -> None:
    performance = PerformanceSubgraph(seconds=1.0)
    text = """query($of: [_Any!]!, $from: DateTime!, $to: DateTime!) {
      _entities(representations: $of) { ... on Service { measurements(from: $from, to: $to) { value } } } }"""
    for name, calls in ((None, 0), ("Anna's line", 1)):
        known = {"__typename": "Service", "id": "service-a", "name": name}
        with performance.reaching(Tmf628Measurements(product.transport, period_ms=PERIOD_MS)):
            answer = await performance.execute(Text(text), {**TIMES, "of": [known]}, ANNA, time.monotonic() + 30)
        [entity] = answer["data"]["_entities"]
        assert (entity["measurements"] is None) is (name is None)
        assert product.counts[1] == calls


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Kind.DOWN, "SUBGRAPH_UNAVAILABLE"),
        (Kind.ERROR, "SUBGRAPH_UNAVAILABLE"),
        (Kind.UNAUTHORIZED, "SUBGRAPH_UNAVAILABLE"),
        (Kind.HTML, "SUBGRAPH_FAILED"),
        (Kind.SLOW, "DEADLINE_EXCEEDED"),
    ],
)
async def test_a_system_that_fails_costs_its_own_fields(product: Product, kind: Kind, code: str) -> None:
    product.system.faults.order(Rule(kind=kind, seconds=5.0))
    began = time.monotonic()
    answer = await product.ask(ONE, id="service-a")
    assert time.monotonic() - began < 4.0
    assert answer["data"]["service"]["measurements"] is None
    assert answer["data"]["service"]["name"]
    [error] = answer["errors"]
    assert (error["path"], error["extensions"]["code"]) == (["service", "measurements"], code)
    assert "service-a" not in str(answer["errors"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param({"first": 0}, "first is 1 to 2000.", id="none"),
        pytest.param({"first": 2_001}, "first is 1 to 2000.", id="too many"),
        pytest.param({"to": TIMES["from"]}, "`to` is after `from`, and 31 days at most.", id="no time"),
        pytest.param({"to": "2026-04-02T11:00:00Z"}, "`to` is after `from`, and 31 days at most.", id="too long"),
    ],
)
async def test_what_cannot_be_asked_is_refused_at_its_place(product: Product, given: Any, message: str) -> None:
    answer = await product.ask(ONE, id="service-a", **given)
    [error] = answer["errors"]
    assert (error["extensions"]["code"], error["message"]) == ("BAD_USER_INPUT", message)
    assert error["path"] == ["service", "measurements"]
    assert product.counts[1] == 0


async def test_a_time_that_is_none_is_the_callers_mistake(product: Product) -> None:
    answer = await product.ask(ONE, id="service-a", to="tomorrow")
    assert [each["extensions"]["code"] for each in answer["errors"]] == ["BAD_USER_INPUT"]
    assert product.counts[1] == 0


async def test_without_a_system_nothing_was_measured_and_nothing_failed(product: Product) -> None:
    pipeline = pipeline_of(product.store, PerformanceSubgraph(seconds=0.0))
    request = GraphRequest(query=ONE, variables={**TIMES, "id": "service-a"}, operation_name=None, queries_only=True)
    answer = await pipeline.answer(await pipeline.prepare(request, ANNA), request, ANNA, time.monotonic() + 30)
    assert answer["data"]["service"]["measurements"] is None
    assert "errors" not in answer
