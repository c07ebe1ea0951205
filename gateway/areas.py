"""What this product itself answers lies in several areas; to clients it is one schema, by the same engine as any supergraph.

The areas are put together here, from `resolvers`: the supergraph that they are, the schema that clients see of it, and the
stages of a query over it. What answers for each of them is given by whoever opens it (`app.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

from graphql import print_ast

from gateway.errors import CommandFailed
from gateway.federation.planning import Budget, PlanningFailed
from gateway.federation.plans import Alone
from gateway.federation.streaming import StreamingFederation
from gateway.federation.subgraph import Operation, Subgraph
from gateway.federation.supergraph import Graph, Supergraph
from gateway.federation.supergraph_sdl import read_supergraph
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Settings
from gateway.stores import sentences
from graph.compiler.cursor import KEY_BYTES, CursorKey
from graph.compiler.read import Reads, explain
from graph.model.scope import Principal
from resolvers.bandwidth.schema import bandwidth_graphql
from resolvers.knowledge.schema import knowledge_schema
from resolvers.ledger.schema import ledger_graphql
from resolvers.supergraph import SUPERGRAPH

KNOWLEDGE: Final = Graph("KNOWLEDGE")
LEDGER: Final = Graph("LEDGER")
TICKETING: Final = Graph("TICKETING")
BILLING: Final = Graph("BILLING")
BANDWIDTH: Final = Graph("BANDWIDTH")
PERFORMANCE: Final = Graph("PERFORMANCE")


@cache
def product_supergraph() -> Supergraph:
    """Read what our own areas are together."""
    return read_supergraph(SUPERGRAPH.read_text(encoding="utf-8"))


def product_sdl() -> str:
    """Give the schema that clients see."""
    return product_supergraph().public.sdl


def federation_of(
    areas: Mapping[Graph, Subgraph], settings: Settings, preparing: Preparing | None = None
) -> StreamingFederation:
    """Give the areas as one."""
    return StreamingFederation(
        product_supergraph(),
        areas,
        budget=_budget(settings),
        share=False,
        preparing=preparing or Preparing.of(settings.limits),
        show_subgraphs=settings.federation.show_subgraphs,
        whole={KNOWLEDGE: knowledge_schema().graphql, LEDGER: ledger_graphql(), BANDWIDTH: bandwidth_graphql()},
    )


def _budget(settings: Settings) -> Budget:
    return Budget(steps=settings.federation.plan_steps, fields=settings.federation.plan_fields)


def stages_of(
    settings: Settings, text: str, variables: Mapping[str, Any], operation_name: str | None, principal: Principal
) -> dict[str, str]:
    """Print every stage of a query without a database: the same gates, the same planner, the same compiler."""
    return asyncio.run(_stages(settings, text, variables, operation_name, principal))


async def _stages(
    settings: Settings, text: str, variables: Mapping[str, Any], operation_name: str | None, principal: Principal
) -> dict[str, str]:
    request = GraphRequest(query=text, variables=variables, operation_name=operation_name, queries_only=False)
    federation = federation_of({}, settings)
    pipeline = Pipeline(federation, settings)
    with sentences():
        prepared = await pipeline.prepare(request, principal)
        values = pipeline.values(prepared, variables, principal)
        operation = prepared.operation
        if operation is None:
            raise CommandFailed("The operation asks the schema only.", "Ask for something that the graph holds.")
        if not prepared.is_query:
            raise CommandFailed("A mutation has no such stages: it runs as written.", "Give a query.")
        found = await federation.plans.find(operation, values, principal.subject)
        stages = {"operation": print_ast(operation.document)}
        if isinstance(found, PlanningFailed):
            raise CommandFailed(str(found))
        if isinstance(found, Alone):
            below = _compiled(operation, values, principal) if found.graph == KNOWLEDGE else {"plan": found.printed}
            return stages | below
        stages["plan"] = str(found.plan)
        for number, one in enumerate(found.plan.requests):
            if one.graph == KNOWLEDGE and not one.calls:
                below = _compiled(found.operations[number], values, principal)
                stages |= {f"#{number} {name}": text for name, text in below.items()}
        return stages


def _compiled(operation: Operation, values: Mapping[str, Any], principal: Principal) -> dict[str, str]:
    """Print what the graph makes of an operation."""
    schema = knowledge_schema()
    reads = Reads(schema=schema.graphql, mappings=schema.mappings, cursor_key=CursorKey(bytes(KEY_BYTES)))
    return explain(reads, operation, values, principal)
