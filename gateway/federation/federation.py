"""Many subgraphs must look like one: whoever asks sees one schema, and never how it is put together.

`Federation` is a subgraph like any other to the pipeline in front of it. Behind its port, a plan for the operation is found
(plans.py) and run over the subgraphs of a supergraph.

Where sharing is on, a query that is being answered is not answered again for others who ask the same in the meantime: the same
operation, variables, principal and forwarded headers. What they get is one answer, which nobody may change. Headers that
subgraphs send back are for one client, so nothing is shared where a setting lets any through.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

import orjson
from graphql import GraphQLSchema, OperationType

from gateway import exact_json
from gateway.errors import Code, Refused
from gateway.federation.execution.forwarding import current
from gateway.federation.execution.running import Asking, Run, ms
from gateway.federation.execution.sharing import Sharing
from gateway.federation.planning import Budget, PlanningFailed
from gateway.federation.plans import Alone, Plans
from gateway.federation.subgraph import Answer, Operation, Subgraph
from gateway.federation.supergraph import Graph, Supergraph
from gateway.preparing.cache import SharedCache
from gateway.preparing.new_work import UNMETERED, NewWork
from gateway.preparing.preparing import Preparing
from gateway.syntax import definition_of
from graph.model.scope import Principal, Role

UNMETERED_BYTES: Final = 64_000_000
TOLERANCE: Final = 0.05
"""seconds; who has no more time left than this does not ask again after an answer that ran out of time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """An answer for several who ask the same, and until when it was worked on."""

    answer: Answer
    deadline: float

    def ran_out(self) -> bool:
        """Tell whether more time would have given more."""
        codes = (each.get("extensions", {}).get("code") for each in self.answer.get("errors", ()))
        return Code.DEADLINE_EXCEEDED in codes


class Federation:
    """A supergraph that answers."""

    name = "federation"

    def __init__(  # noqa: PLR0913 - a composition root chooses all of it
        self,
        supergraph: Supergraph,
        subgraphs: Mapping[Graph, Subgraph],
        *,
        budget: Budget,
        share: bool,
        preparing: Preparing | None = None,
        show_subgraphs: bool = False,
        whole: Mapping[Graph, GraphQLSchema] = MappingProxyType({}),
    ) -> None:
        """Take the subgraphs that answer, and what the process keeps; without it this federation has its own, unmetered.

        Answers of the subgraphs in `whole`, given with their schemas, need no second look.
        """
        self.sdl = supergraph.public.sdl
        self._whole = frozenset(whole)
        self.plans = Plans(supergraph, budget, preparing=preparing or _unmetered(), whole=whole)
        self.subgraphs = subgraphs
        self._share = share
        self._show_subgraphs = show_subgraphs
        self._answers: Sharing[Shared] = Sharing()

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Answer, or wait for the answer to the same question. A subscription has no one answer: streaming.py has events."""
        kind = definition_of(operation.document).operation
        if kind is OperationType.SUBSCRIPTION:
            return not_planned("Subscriptions are not served.")

        async def answering() -> Answer:
            return await self._answer(operation, variables, principal, deadline)

        if not self._share or operation.explain or kind is not OperationType.QUERY:
            return await answering()
        try:
            key = (operation.key, exact_json.dumps(variables, option=orjson.OPT_SORT_KEYS), principal, current().onward)
        except TypeError:  # the subgraph that they are for says so, at the fields
            return await answering()
        while True:
            if self._answers.ends(key, otherwise=deadline) > deadline + TOLERANCE:
                return await answering()  # it must not wait that long
            shared = await self._answers.ask(key, lambda: _to_share(answering, deadline), ends=deadline)
            # Who joined late may have time left that whoever asked first had not.
            if not shared.ran_out() or deadline - max(shared.deadline, time.monotonic()) < TOLERANCE:
                return shared.answer

    async def _answer(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Plan, or find the plan, and run it."""
        begun = time.monotonic()
        try:
            found = await self.plans.find(operation, variables, principal.subject)
        except Refused as refused:
            return answer_of(refused)
        planned = time.monotonic()
        if isinstance(found, PlanningFailed):
            return not_planned(str(found))
        asking = self.asking(principal, deadline, explain=operation.explain)
        if isinstance(found, Alone):
            answer = await asking.ask(found.graph, operation, variables)
        else:
            answer = await Run(prepared=found, asking=asking, variables=variables).answer()
        if asking.fetched is not None:
            told = [each.told(begun) for each in asking.fetched]
            plan = found.printed if isinstance(found, Alone) else str(found.plan)
            explained = {"plan": plan, "planMs": ms(planned - begun), "fetches": told}
            return {**answer, "extensions": {"queryPlan": explained}}
        return answer

    def asking(self, principal: Principal, deadline: float, *, explain: bool = False) -> Asking:
        """Give who asks the subgraphs."""
        return Asking(
            subgraphs=self.subgraphs,
            principal=principal,
            deadline=deadline,
            fetched=[] if explain else None,
            show_subgraphs=self._show_subgraphs,
            whole=self._whole,
        )


async def _to_share(answering: Callable[[], Awaitable[Answer]], deadline: float) -> Shared:
    return Shared(answer=await answering(), deadline=deadline)


def _unmetered() -> Preparing:
    return Preparing(cache=SharedCache(UNMETERED_BYTES), new_work=NewWork(UNMETERED))


def not_planned(message: str) -> Answer:
    """Answer that there is no plan, and why."""
    return {"errors": [{"message": message, "extensions": {"code": Code.NOT_PLANNED.value}}]}


def answer_of(refused: Refused) -> Answer:
    """Answer with the reason for which nothing was planned."""
    problem = refused.problems[0]
    extensions = {"code": problem.code.value, "retryAfter": refused.retry_after}
    return {"errors": [{"message": problem.message, "extensions": extensions}]}


def open_to_all(supergraph: Supergraph) -> Supergraph:
    """Open every mutation that does not say to whom to every role: its subgraph decides."""
    name = supergraph.roots.get("mutation")
    if name is None or name not in supergraph.types:
        return supergraph
    roles = ", ".join(f'"{each.value}"' for each in Role)
    sdl = supergraph.public.with_directive(name, f"@allowedRoles(roles: [{roles}])")
    return replace(supergraph, public=replace(supergraph.public, sdl=sdl))
