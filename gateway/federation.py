"""Many subgraphs must look like one: whoever asks sees one schema, and never how it is put together.

`Federation` is a subgraph like any other to the pipeline in front of it. Behind its port, an operation is planned over
the subgraphs of a supergraph and the plan is run. Plans are kept: by the operation and the values that decide its `@skip`
and `@include`, and below that by the normalized operation, so that two ways to write one question share a plan. How many
are kept is bounded. A large operation is planned in a thread, and several requests for it wait for the same plan.

Where sharing is on, a query that is being answered is not answered again for others who ask the same in the meantime: the same
operation, variables, principal and forwarded headers. What they get is one answer, which nobody may change.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

import orjson
from graphql import GraphQLSchema, OperationType, parse

from gateway.errors import Code
from gateway.execution import Answer, Operation, Subgraph
from gateway.execution.forwarding import Pairs, collecting, current
from gateway.execution.projection import projection
from gateway.execution.running import Prepared, Run
from gateway.execution.sharing import Sharing
from gateway.planning import Budget, Planner, PlanningFailed
from gateway.planning.normalize import Normalized, conditions_of, definition_of, normalize
from gateway.query_graph import QueryGraph
from gateway.supergraph import Graph, Supergraph
from graph.scope import Principal, Role

LONG: Final = 150
"""fields of an operation; planning that many takes longer than the loop should wait."""

T = TypeVar("T")
Found = Prepared | PlanningFailed


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """An answer for several who ask the same, and the headers that came with it."""

    answer: Answer
    returned: Pairs


class Bounded(Generic[T]):
    """A table that forgets what was used longest ago."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, T] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

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


class Federation:
    """A supergraph that answers."""

    name = "federation"

    def __init__(
        self,
        supergraph: Supergraph,
        subgraphs: Mapping[Graph, Subgraph],
        *,
        budget: Budget,
        most_plans: int,
        share: bool,
    ) -> None:
        assert supergraph.public.schema is not None, "one with faults cannot be made"
        self.sdl = _open_to_all(supergraph)
        self._schema: GraphQLSchema = supergraph.public.schema
        self._graph = QueryGraph(supergraph)
        self._planner = Planner(self._graph, budget)
        self._subgraphs = subgraphs
        self._conditions: Bounded[tuple[str, ...]] = Bounded(most_plans)
        self._known: Bounded[Found] = Bounded(most_plans)
        self.plans: Bounded[Found] = Bounded(most_plans)
        """by the text of the normalized operation."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="planning")
        self._under_way: Sharing[Found] = Sharing()
        self._share = share
        self._answers: Sharing[Shared] = Sharing()

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Answer, or wait for the answer to the same question."""
        if not self._share or definition_of(operation.document).operation is not OperationType.QUERY:
            return await self._answer(operation, variables, principal, deadline)
        forwarded = current()
        key = (operation.key, orjson.dumps(variables, option=orjson.OPT_SORT_KEYS), principal, forwarded.onward)
        shared = await self._answers.ask(key, lambda: self._to_share(operation, variables, principal, deadline))
        forwarded.give_back(shared.returned)
        return shared.answer

    async def _to_share(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Shared:
        with collecting() as forwarded:
            answer = await self._answer(operation, variables, principal, deadline)
            return Shared(answer=answer, returned=tuple(forwarded.pairs))

    async def _answer(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Plan, or find the plan, and run it."""
        found = await self._found(operation, variables)
        if isinstance(found, PlanningFailed):
            return {"errors": [{"message": str(found), "extensions": {"code": Code.NOT_PLANNED.value}}]}
        run = Run(
            prepared=found,
            subgraphs=self._subgraphs,
            variables=variables,
            principal=principal,
            deadline=deadline,
        )
        return await run.answer()

    async def _found(self, operation: Operation, variables: Mapping[str, Any]) -> Found:
        names = self._conditions.get(operation.key)
        if names is None:
            names = self._conditions.put(operation.key, conditions_of(operation.document))
        values = {name: variables.get(name) for name in names}
        key = (operation.key, *values.values())
        found = self._known.get(key)
        if found is None:
            normalized = normalize(operation.document, values)
            found = self._known.put(key, await self._planned(normalized, str(normalized)))
        return found

    async def _planned(self, normalized: Normalized, text: str) -> Found:
        found = self.plans.get(text)
        if found is not None:
            return found
        if normalized.root.leaves < LONG:
            return self.plans.put(text, self._plan(normalized, text))
        loop = asyncio.get_running_loop()
        planned = await self._under_way.ask(
            text, lambda: loop.run_in_executor(self._thread, self._plan, normalized, text)
        )
        return self.plans.put(text, planned)

    def _plan(self, normalized: Normalized, text: str) -> Found:
        try:
            plan = self._planner.plan(normalized)
        except PlanningFailed as failed:
            return failed.with_traceback(None)
        digest = hashlib.sha256(text.encode()).hexdigest()
        operations = tuple(
            Operation(key=f"{digest}:{number}", document=parse(each.text, no_location=True), name=None, text=each.text)
            for number, each in enumerate(plan.requests)
        )
        project = projection(self._graph, self._schema, plan)
        return Prepared(graph=self._graph, schema=self._schema, plan=plan, operations=operations, project=project)


def _open_to_all(supergraph: Supergraph) -> str:
    """Give the public SDL, with every mutation open to every role: who may call it, its subgraph decides."""
    name = supergraph.roots.get("mutation")
    schema = supergraph.public.schema
    mutation = schema.get_type(name) if schema and name else None
    if mutation is None:
        return supergraph.public.sdl
    roles = ", ".join(f'"{each.value}"' for each in Role)
    return supergraph.public.with_directive(str(name), f"@allowedRoles(roles: [{roles}])")
