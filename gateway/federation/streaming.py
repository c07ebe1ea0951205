"""A subscription is of one subgraph, and what it asks may be of several: the rest is fetched for each event.

The first request of a subscription's plan is a subscription itself, to the subgraph that has the root field. It gives events.
Each event is taken for the answer of that request, and the other requests of the plan run over it: entity fetches, one batch
for each subgraph, as after the first request of a query. What one subgraph answers alone is passed on as it is.

Events of one stream are completed one after another, so that their order stays. The fetches of an event have as much time as the
beginning of the subscription had, however much of it was used.

Limit: a plan is made once, when the subscription begins. `@skip` and `@include` are decided then.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

from gateway.errors import Refused
from gateway.federation.execution.entities import copied
from gateway.federation.execution.running import Prepared, Run
from gateway.federation.federation import Federation, answer_of, not_planned
from gateway.federation.planning import PlanningFailed
from gateway.federation.plans import Alone
from gateway.federation.subgraph import (
    Answer,
    Heard,
    Heartbeat,
    Operation,
    StreamingSubgraph,
    not_streamed,
)
from gateway.federation.supergraph import Graph
from graph.model.scope import Principal

FIRST: Final = 0
"""The number of the request that is a subscription: the plan of a subscription begins with it."""

Events = AsyncGenerator[Heard, None]


class StreamingFederation(Federation):
    """A supergraph of which some subgraphs answer subscriptions."""

    async def subscribe(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
        after: str | None,
        deadline: float,
    ) -> Events | Answer:
        """Plan, begin the subscription in the subgraph that has its root field, and complete each of its events."""
        seconds = deadline - time.monotonic()
        try:
            found = await self.plans.find(operation, variables, principal.subject)
        except Refused as refused:
            return answer_of(refused)
        if isinstance(found, PlanningFailed):
            return not_planned(str(found))
        if isinstance(found, Alone):
            return await self._begin(found.graph, operation, variables, principal, after, deadline)
        request = found.plan.requests[FIRST]
        values = {name: variables[name] for name in request.variables if name in variables}
        begun = await self._begin(request.graph, found.operations[FIRST], values, principal, after, deadline)
        if isinstance(begun, dict):
            return begun
        return self._completed(begun, found, variables, principal, seconds)

    async def _begin(
        self,
        graph: Graph,
        operation: Operation,
        values: Mapping[str, Any],
        principal: Principal,
        after: str | None,
        deadline: float,
    ) -> Events | Answer:
        subgraph = self.subgraphs[graph]
        if not isinstance(subgraph, StreamingSubgraph):
            return not_streamed("The subgraph of this field serves no subscriptions.")
        return await subgraph.subscribe(operation, values, principal, after, deadline)

    async def _completed(
        self, events: Events, prepared: Prepared, variables: Mapping[str, Any], principal: Principal, seconds: float
    ) -> Events:
        """Give each event with all that was asked; `seconds` are for the fetches of one event."""
        async with aclosing(events):
            async for event in events:
                if isinstance(event, Heartbeat):
                    yield event
                    continue
                asking = self.asking(principal, time.monotonic() + seconds)
                # Subscribers who ask the same share an event, and what is fetched is written into it.
                given = {FIRST: copied(event.answer)}
                run = Run(prepared=prepared, asking=asking, variables=variables, given=given)
                yield replace(event, answer=await run.answer())
