"""Planning costs more than most answers do, and the same is asked again and again: plans are found rather than made.

They are kept by the operation and the values that decide its `@skip` and `@include`, and below that by the normalized
operation, so that two ways to write one question share a plan. How many are kept is bounded. A large operation is planned
in a thread, and several requests for it wait for the same plan.

An operation that one subgraph answers alone is handed to it as it is, if that subgraph is one of our own whose answers are
what the schema promises (`whole`): to take such an answer apart and put it together again would cost and change nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from graphql import FieldsOnCorrectTypeRule, GraphQLSchema, KnownTypeNamesRule, validate

from gateway.federation.execution.projection import projection
from gateway.federation.execution.running import Prepared
from gateway.federation.execution.sharing import Sharing
from gateway.federation.planning import Budget, Planner, PlanningFailed
from gateway.federation.planning.normalize import Normalized, normalize
from gateway.federation.query_graph import QueryGraph
from gateway.federation.subgraph import Operation, TextOperation
from gateway.federation.supergraph import Graph, Supergraph
from gateway.syntax import conditions_of
from gateway.telemetry.tracing import span

LONG: Final = 150
"""fields of an operation; planning that many takes longer than the loop should wait."""
NAMES: Final = (FieldsOnCorrectTypeRule, KnownTypeNamesRule)
"""What a document that is valid for the supergraph can still lack in a subgraph."""

T = TypeVar("T")
Found = Prepared | PlanningFailed


class Bounded(Generic[T]):
    """A table that forgets what was used longest ago."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def values(self) -> list[T]:
        """Give all; what was used longest ago comes first."""
        return list(self._kept.values())

    def get(self, key: Hashable) -> T | None:
        """Look up."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Hashable, value: T) -> T:
        """Keep."""
        self._kept[key] = value
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of an operation, for some values of its conditions."""

    found: Found
    alone: Graph | None
    """the subgraph that answers it as it is; None where there is a plan to run."""


class Plans:
    """The plans of one supergraph."""

    def __init__(
        self, supergraph: Supergraph, budget: Budget, *, most: int, whole: Mapping[Graph, GraphQLSchema]
    ) -> None:
        assert supergraph.public.schema is not None, "one with faults cannot be made"
        self._schema: GraphQLSchema = supergraph.public.schema
        self._graph = QueryGraph(supergraph)
        self._planner = Planner(self._graph, budget)
        self._whole = whole
        self._conditions: Bounded[tuple[str, ...]] = Bounded(most)
        self._known: Bounded[Known] = Bounded(most)
        self.made: Bounded[Found] = Bounded(most)
        """by the text of the normalized operation."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="planning")
        self._under_way: Sharing[Found] = Sharing()

    async def find(self, operation: Operation, variables: Mapping[str, Any]) -> Known:
        """Give the plan of an operation, whether it is kept or made now."""
        names = self._conditions.get(operation.key)
        if names is None:
            names = self._conditions.put(operation.key, conditions_of(operation.document))
        values = {name: variables.get(name) for name in names}
        key = (operation.key, *values.values())
        known = self._known.get(key)
        if known is None:
            with span("plan"):
                normalized = normalize(operation.document, values)
                found = await self._planned(normalized, str(normalized))
                known = self._known.put(key, Known(found=found, alone=self._alone(operation, found)))
        return known

    def known(self) -> list[Known]:
        """Give what is kept; what was used longest ago comes first."""
        return self._known.values()

    def _alone(self, operation: Operation, found: Found) -> Graph | None:
        if isinstance(found, PlanningFailed):
            return None
        requests = found.plan.requests
        if len({each.graph for each in requests}) != 1 or any(each.calls for each in requests):
            return None
        schema = self._whole.get(requests[0].graph)
        return None if schema is None or validate(schema, operation.document, NAMES) else requests[0].graph

    async def _planned(self, normalized: Normalized, text: str) -> Found:
        found = self.made.get(text)
        if found is not None:
            return found
        if normalized.root.leaves < LONG:
            return self.made.put(text, self._plan(normalized, text))
        loop = asyncio.get_running_loop()
        planned = await self._under_way.ask(
            text, lambda: loop.run_in_executor(self._thread, self._plan, normalized, text)
        )
        return self.made.put(text, planned)

    def _plan(self, normalized: Normalized, text: str) -> Found:
        try:
            plan = self._planner.plan(normalized)
        except PlanningFailed as failed:
            return failed.with_traceback(None)
        digest = hashlib.sha256(text.encode()).hexdigest()
        operations = tuple(
            TextOperation(key=f"{digest}:{number}", text=each.text) for number, each in enumerate(plan.requests)
        )
        project = projection(self._graph, self._schema, plan)
        return Prepared(graph=self._graph, schema=self._schema, plan=plan, operations=operations, project=project)
