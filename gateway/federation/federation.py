"""Many subgraphs must look like one: whoever asks sees one schema, and never how it is put together.

`Federation` is a subgraph like any other to the pipeline in front of it. Behind its port, a plan for the operation is found
(plans.py) and run over the subgraphs of a supergraph.

Where sharing is on, a query that is being answered is not answered again for others who ask the same in the meantime: the same
operation, variables, principal and forwarded headers. What they get is one answer, which nobody may change.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import orjson
from graphql import GraphQLSchema, OperationType

from gateway.errors import Code
from gateway.federation.execution.forwarding import Pairs, collecting, current
from gateway.federation.execution.running import Asking, Run, ms
from gateway.federation.execution.sharing import Sharing
from gateway.federation.planning import Budget, PlanningFailed
from gateway.federation.plans import Plans
from gateway.federation.subgraph import Answer, Operation, Subgraph
from gateway.federation.supergraph import Graph, Supergraph
from gateway.syntax import definition_of
from graph.model.scope import Principal, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """An answer for several who ask the same, and the headers that came with it."""

    answer: Answer
    returned: Pairs


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
        whole: Mapping[Graph, GraphQLSchema] = MappingProxyType({}),
    ) -> None:
        """Take the subgraphs that answer; those in `whole`, with their schemas, need no second look at their answers."""
        self.sdl = supergraph.public.sdl
        self._whole = frozenset(whole)
        self.plans = Plans(supergraph, budget, most=most_plans, whole=whole)
        self.subgraphs = subgraphs
        self._share = share
        self._answers: Sharing[Shared] = Sharing()

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Answer, or wait for the answer to the same question."""
        if (
            not self._share
            or operation.explain
            or definition_of(operation.document).operation is not OperationType.QUERY
        ):
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
        begun = time.monotonic()
        known = await self.plans.find(operation, variables)
        planned = time.monotonic()
        if isinstance(known.found, PlanningFailed):
            return {"errors": [{"message": str(known.found), "extensions": {"code": Code.NOT_PLANNED.value}}]}
        asking = Asking(
            subgraphs=self.subgraphs,
            principal=principal,
            deadline=deadline,
            fetched=[] if operation.explain else None,
            whole=self._whole,
        )
        if known.alone is not None:
            answer = await asking.ask(known.alone, operation, variables)
        else:
            answer = await Run(prepared=known.found, asking=asking, variables=variables).answer()
        if asking.fetched is not None:
            told = [each.told(begun) for each in asking.fetched]
            explained = {"plan": str(known.found.plan), "planMs": ms(planned - begun), "fetches": told}
            return {**answer, "extensions": {"queryPlan": explained}}
        return answer


def open_to_all(supergraph: Supergraph) -> Supergraph:
    """Open every mutation that does not say to whom to every role: its subgraph decides."""
    name = supergraph.roots.get("mutation")
    if name is None or name not in supergraph.types:
        return supergraph
    roles = ", ".join(f'"{each.value}"' for each in Role)
    sdl = supergraph.public.with_directive(name, f"@allowedRoles(roles: [{roles}])")
    return replace(supergraph, public=replace(supergraph.public, sdl=sdl))
