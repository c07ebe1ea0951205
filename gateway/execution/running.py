"""The requests of a plan wait for one another, and whatever one of them lacks must not cost the others.

Each request is a task that begins when those before it have ended, and writes what it got into one tree; only the event
loop's thread writes, between two awaits, so the tree needs no lock. A request of which no entity is known is not made. A
subgraph that fails leaves its fields out and its faults in the list; what an answer is made of is decided at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLSchema

from gateway.errors import MOST_ERRORS
from gateway.execution import Answer, Operation, Subgraph
from gateway.execution.completing import complete
from gateway.execution.entities import Asked, Object, collect, gather, merge, put_back
from gateway.execution.faults import Fault, Telling
from gateway.execution.projection import Irregular, Project
from gateway.planning.plan import QueryPlan, Request
from gateway.query_graph import QueryGraph
from gateway.supergraph import Graph
from graph.scope import Principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan, and all that can be made of it once for all its runs."""

    graph: QueryGraph
    schema: GraphQLSchema
    plan: QueryPlan
    operations: tuple[Operation, ...]
    """of the requests, in their order."""
    project: Project


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of a plan."""

    prepared: Prepared
    subgraphs: Mapping[Graph, Subgraph]
    variables: Mapping[str, Any]
    principal: Principal
    deadline: float
    root: Object = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    async def answer(self) -> Answer:
        """Make the requests and the answer."""
        requests = self.prepared.plan.requests
        if len(requests) == 1:
            await self._ask(0)
        elif requests:
            ended = [asyncio.Event() for _ in requests]
            async with asyncio.TaskGroup() as group:
                for number in range(len(requests)):
                    group.create_task(self._in_turn(number, ended))
        return self._completed()

    async def _in_turn(self, number: int, ended: list[asyncio.Event]) -> None:
        for before in self.prepared.plan.requests[number].after:
            await ended[before].wait()
        await self._ask(number)
        ended[number].set()

    async def _ask(self, number: int) -> None:
        request = self.prepared.plan.requests[number]
        asked = {each.key: gather(each, self.root) for each in request.calls}
        into = None if request.root is None else collect(self.root, request.root)
        if not into and not any(each.sent for each in asked.values()):
            return
        values = {name: self.variables[name] for name in request.variables if name in self.variables}
        values |= {each.call.variable: each.sent for each in asked.values()}
        subgraph = self.subgraphs[request.graph]
        answer = await subgraph.execute(self.prepared.operations[number], values, self.principal, self.deadline)
        self._write(request, asked, into or [], answer.get("data"))
        errors = answer.get("errors") or ()
        if errors or not isinstance(answer.get("data"), dict):
            telling = Telling(graph=self.prepared.graph, plan=self.prepared.plan, root=self.root)
            self.faults += telling.faults(request, asked, subgraph.name, errors or ({},))

    def _write(self, request: Request, asked: Mapping[str, Asked], into: list[Object], data: Any) -> None:
        if not isinstance(data, dict):
            return
        for call in asked.values():
            answers = data.pop(call.call.key, None)
            if isinstance(answers, list):
                put_back(call, answers)
        if request.root is not None:
            for each in into:
                merge(each, data)

    def _completed(self) -> Answer:
        prepared = self.prepared
        try:
            data: Object | None = prepared.project(self.root)
        except Irregular:
            data, more = complete(prepared.graph, prepared.schema, prepared.plan, self.root, self.faults)
            self.faults += more
        if not self.faults:
            return {"data": data}
        return {"data": data, "errors": [each.printed() for each in self.faults[:MOST_ERRORS]]}
