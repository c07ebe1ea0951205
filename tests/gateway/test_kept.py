"""What a process really holds stays near what it says, while large documents come that nobody brought before."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import pytest

from gateway.areas import KNOWLEDGE, federation_of
from gateway.errors import Code, Refused
from gateway.federation.subgraph import Operation
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Limits, Settings
from graph.compiler.allowance import Meter
from graph.compiler.cursor import CursorKey
from graph.compiler.read import Cache, Reads
from graph.errors import Throttled
from graph.model.scope import Principal, Role
from resolvers.errors import answer_for
from resolvers.knowledge.schema import knowledge_schema
from tests.gateway.allowances import preparing as allowed
from tests.gateway.large import large_document

ADA = Principal(subject="ada", role=Role.CUSTOMER, customers=("customer-1",))
FAR = frozenset({"Ticket.notes", "Ticket.history", "Customer.bills"})
"""What other systems answer: with any of it an operation is planned, without it the graph answers alone."""
BOUND = 1_500_000


class Compiling:
    """The graph without a database: it compiles what it is asked, and finds nothing."""

    name = "knowledge"

    def __init__(self, cache: Cache, meter: Meter) -> None:
        schema = knowledge_schema()
        self.sdl = schema.sdl
        self.reads = Reads(
            schema=schema.graphql,
            mappings=schema.mappings,
            cursor_key=CursorKey(bytes(32)),
            cache=cache,
            meter=meter,
        )

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, _deadline: float
    ) -> dict[str, Any]:
        try:
            self.reads.prepared(operation, variables, principal)
        except Throttled as error:
            return answer_for(error)
        return {"data": {"services": {"nodes": []}}}


def gateway(*, new_documents_per_minute: int, cache_bytes: int = 256_000_000) -> tuple[Preparing, Pipeline]:
    """All areas, of which the graph is there; with a bound below what an operator may set."""
    settings = Settings(limits=Limits(new_documents_per_minute=new_documents_per_minute))
    preparing = allowed(new_documents_per_minute, cache_bytes=cache_bytes)
    graph = Compiling(preparing.cache.table(), preparing.new_work)
    return preparing, Pipeline(federation_of({KNOWLEDGE: graph}, settings, preparing), settings, None, preparing)


async def ask(pipeline: Pipeline, text: str, **variables: Any) -> dict[str, Any]:
    request = GraphRequest(query=text, variables=variables, operation_name=None, queries_only=True)
    prepared = await pipeline.prepare(request, ADA)
    return await pipeline.answer(prepared, request, ADA, time.monotonic() + 30)


def document(pipeline: Pipeline, number: int, *, tokens: int) -> str:
    hidden = pipeline.schema.operator_only | (FAR if number % 2 else frozenset())
    return large_document(
        pipeline.schema.public, number, tokens=tokens - number, allowed=lambda each: each not in hidden
    )


async def test_what_is_held_of_large_documents_is_what_the_cache_says() -> None:
    preparing, pipeline = gateway(new_documents_per_minute=1_000_000, cache_bytes=BOUND)
    assert await ask(pipeline, document(pipeline, 40, tokens=340)) == {"data": {"services": {"nodes": []}}}
    gc.collect()
    tracemalloc.start()
    try:
        for number in range(14):
            await ask(pipeline, document(pipeline, number, tokens=300))
            assert preparing.cache.bytes <= BOUND
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert preparing.cache.bytes > 0.8 * BOUND, "it was filled, and more than once"
    assert 0.5 * BOUND < held < 1.2 * BOUND


async def test_documents_plans_statements_and_introspection_take_from_one_allowance() -> None:
    filters = "query ($f: ServiceFilter) { services(filter: $f) { nodes { id } } }"
    preparing, pipeline = gateway(new_documents_per_minute=40)
    await ask(pipeline, filters)
    begun = preparing.new_work._account(ADA.subject).left
    shapes = [{"name": {key: "a"}} for key in ("eq", "contains", "in")]
    for shape in shapes:
        assert "errors" not in await ask(
            pipeline, filters, f=shape if "in" not in shape["name"] else {"name": {"in": ["a"]}}
        )
    spent = begun - preparing.new_work._account(ADA.subject).left
    assert spent >= 2.9, "each other structure of filters counts like a document"
    for shape in shapes[:2] * 5:
        assert "errors" not in await ask(pipeline, filters, f=shape)
    assert begun - preparing.new_work._account(ADA.subject).left <= spent, "and a known one as nothing"
    preparing.new_work.settle(ADA.subject, 0.0, 1e9)
    refused = await ask(pipeline, filters, f={"kind": {"eq": "ETHERNET"}})
    assert refused["errors"][0]["extensions"]["code"] == Code.TOO_MANY_NEW_DOCUMENTS
    assert refused["errors"][0]["extensions"]["retryAfter"] > 1
    for text in ("{ __schema { types { name } } }", "{ services { totalCount } }"):
        with pytest.raises(Refused) as error:
            await ask(pipeline, text)
        assert error.value.problems[0].code is Code.TOO_MANY_NEW_DOCUMENTS


async def test_a_customer_brings_a_few_large_documents_a_minute_and_many_small_ones() -> None:
    _, pipeline = gateway(new_documents_per_minute=30)
    answered = 0
    for number in range(12):
        with suppress(Refused):
            answered += "errors" not in await ask(pipeline, document(pipeline, number, tokens=1_000))
    assert 1 <= answered <= 9
    _, pipeline = gateway(new_documents_per_minute=30)
    for number in range(12):
        assert "errors" not in await ask(pipeline, f"{{ a{number}: services {{ nodes {{ id name }} }} }}")
