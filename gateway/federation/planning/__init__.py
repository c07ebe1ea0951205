"""Planning: an operation over the whole supergraph becomes requests to subgraphs. Pure, synchronous, and printable.

In: a valid operation, and the values of the variables that its `@skip` and `@include` use. Out: a `QueryPlan`, or
`PlanningFailed`. Words: a *state* is a type in a subgraph (gateway/federation/query_graph.py); a *position* is a value and the states
at which it is at hand; an *entry* is a state at which fields are fetched; to *open* an entry is to make a fetch for it.

    normalize.py        conditions decided, fragments in their places: one way to write an operation
    items.py            what is wanted of a value as seen from a type, each field once
    costs.py            what is compared: missing fields, then fetches, then fields
    positions.py        values, and how one follows from another
    choosing.py         where the fields of one value are taken from
    paths.py            what can be reached, and the choices for a whole operation
    names.py            under which key of the merged object a field lies
    fetches.py          the choices become questions to subgraphs, one after what it needs
    representations.py  what stands for an entity when it is asked for
    plan.py             questions become requests: few, with texts; printing.py prints what is before them
    errors.py           why there is no plan

Invariants
1. The same operation gives the same plan, in every process: nothing depends on the order of a set.
2. A plan asks a subgraph only for what it resolves, and only for entities by a key that it resolves.
3. No two threads share what planning remembers beyond one operation.
4. Planning ends: the steps that it may take and the fields that it may write are counted.

Example: of `{ product { name reviews { text } } }`, with the reviews in a subgraph of their own, come two requests: the
second sends `{"__typename": "Product", "id": ...}` and is made after the first.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from graphql import DocumentNode

from gateway.federation.planning.errors import NotServed, PlanningFailed
from gateway.federation.planning.fetches import Fetch, Fetching
from gateway.federation.planning.items import Items
from gateway.federation.planning.names import Names
from gateway.federation.planning.normalize import Normalized, normalize
from gateway.federation.planning.paths import Paths
from gateway.federation.planning.plan import QueryPlan, make_plan
from gateway.federation.planning.printing import print_fetches, print_paths
from gateway.federation.query_graph import QueryGraph

__all__ = ["Budget", "Planner", "PlanningFailed", "QueryPlan"]


MOST_REACHED: Final = 100_000
"""What is remembered of positions beyond one operation; strange operations lead to many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How far planning may go."""

    steps: int = 200_000
    fields: int = 20_000
    """in all requests together."""


class Planner:
    """Plan operations over one supergraph, in any thread.

    A query graph remembers what it has found, without a lock. Therefore each thread that plans has one of its own, and
    nothing that changes is seen by two threads: planning a large operation never makes the event loop wait.
    """

    def __init__(self, graph: QueryGraph, budget: Budget) -> None:
        self._supergraph = graph.supergraph
        self._budget = budget
        self._of_thread = threading.local()
        self._of_thread.graph = graph

    def _graph(self) -> QueryGraph:
        """Give the query graph of the thread that asks."""
        found: QueryGraph | None = getattr(self._of_thread, "graph", None)
        if found is None:
            found = self._of_thread.graph = QueryGraph(self._supergraph)
        if len(found.reached) > MOST_REACHED:
            found.reached.clear()
        return found

    def plan(self, operation: Normalized) -> QueryPlan:
        """Plan a normalized operation, or raise PlanningFailed."""
        graph = self._graph()
        items = Items(graph)
        paths = Paths(graph, items, self._budget.steps)
        fetches, names = self._fetches(paths, operation)
        return make_plan(graph, items, operation, fetches, names)

    def _fetches(self, paths: Paths, operation: Normalized) -> tuple[list[Fetch], Names]:
        fetching = Fetching(paths, self._budget.fields)
        names = fetching.run(operation)
        if operation.kind == "subscription" and sum(each.kind == "subscription" for each in fetching.fetches) != 1:
            raise NotServed("What the subscription asks at its root is not of one subgraph.")
        return fetching.fetches, names

    def stages(self, document: DocumentNode, conditions: Mapping[str, Any]) -> dict[str, str]:
        """Print every stage of an operation."""
        operation = normalize(document, conditions)
        printed = {"normalize": str(operation)}
        graph = self._graph()
        items = Items(graph)
        paths = Paths(graph, items, self._budget.steps)
        printed["paths"] = print_paths(paths, operation)
        fetches, names = self._fetches(paths, operation)
        printed["fetches"] = print_fetches(fetches)
        printed["plan"] = str(make_plan(graph, items, operation, fetches, names))
        return printed
