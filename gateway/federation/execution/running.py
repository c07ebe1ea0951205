"""The requests of a plan wait for one another, and whatever one of them lacks must not cost the others.

Each request is a task that is begun when those before it have ended, and writes what it got into one tree; only the event
loop's thread writes, between two awaits, so the tree needs no lock. A request of which no entity is known is not made. A
subgraph that fails leaves its fields out and its faults in the list; what an answer is made of is decided at the end.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog
from graphql import GraphQLSchema

from gateway.errors import MOST_ERRORS
from gateway.federation.execution.completing import complete
from gateway.federation.execution.entities import Asked, Object, collect, merge, put_back
from gateway.federation.execution.faults import Fault, Telling, together, untold
from gateway.federation.execution.projection import Irregular, Project
from gateway.federation.execution.representing import EntityReader, entity_reader, gather
from gateway.federation.planning.plan import QueryPlan, Request
from gateway.federation.query_graph import QueryGraph
from gateway.federation.subgraph import Answer, Operation, Subgraph
from gateway.federation.supergraph import Graph
from gateway.telemetry.tracing import span
from graph.model.scope import Principal

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A plan, and all that can be made of it once for all its runs."""

    graph: QueryGraph
    schema: GraphQLSchema
    plan: QueryPlan
    operations: tuple[Operation, ...]
    """of the requests, in their order."""
    project: Project
    readers: tuple[tuple[EntityReader, ...], ...] = field(init=False)
    """of each request's calls."""

    def __post_init__(self) -> None:
        """Compile the reading of entities."""
        readers = (tuple(entity_reader(self.graph, call) for call in each.calls) for each in self.plan.requests)
        object.__setattr__(self, "readers", tuple(readers))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """How one request went."""

    subgraph: str
    entities: int
    """how many were asked for."""
    begun: float
    ended: float
    """by time.monotonic()."""
    answer: Answer

    def told(self, since: float) -> dict[str, Any]:
        """Give it for an answer's extensions; times are milliseconds."""
        begun, taken = self.begun - since, self.ended - self.begun
        told = {"subgraph": self.subgraph, "entities": self.entities, "beganMs": ms(begun), "ms": ms(taken)}
        return {**told, **(self.answer.get("extensions") or {})}


def ms(seconds: float) -> float:
    """Give seconds as milliseconds."""
    return round(seconds * 1_000, 3)


@dataclass(slots=True, kw_only=True)
class Asking:
    """Who asks subgraphs, until when, and, where that is to be told, how it went."""

    subgraphs: Mapping[Graph, Subgraph]
    principal: Principal
    deadline: float
    fetched: list[Fetched] | None
    """None: it is not to be told."""
    show_subgraphs: bool = False
    """whether errors name the subgraph."""
    whole: Container[Graph] = ()
    """the subgraphs that say themselves when nothing was run: what they refuse is refused."""

    def shown(self, graph: Graph) -> str:
        """Give a subgraph's name as errors have it; empty where they must not."""
        return self.subgraphs[graph].name if self.show_subgraphs else ""

    async def ask(self, graph: Graph, operation: Operation, values: Mapping[str, Any], entities: int = 0) -> Answer:
        """Ask one."""
        subgraph = self.subgraphs[graph]
        with span("fetch", subgraph=subgraph.name, entities=entities):
            if self.fetched is None:
                return await subgraph.execute(operation, values, self.principal, self.deadline)
            begun = time.monotonic()
            answer = await subgraph.execute(replace(operation, explain=True), values, self.principal, self.deadline)
            told = Fetched(
                subgraph=subgraph.name, entities=entities, begun=begun, ended=time.monotonic(), answer=answer
            )
            self.fetched.append(told)
            return answer


@dataclass(slots=True, kw_only=True)
class Run:
    """One run of a plan."""

    prepared: Prepared
    asking: Asking
    variables: Mapping[str, Any]
    root: Object = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unknown: set[int] = field(default_factory=set)
    """ids of objects that some subgraph knows nothing of: what it would have told is missing by right."""
    refused: Answer | None = None
    """what a subgraph said instead of running the operation."""
    given: Mapping[int, Answer] = field(default_factory=dict)
    """answers that are there already, by the number of their request: an event of a subscription."""

    async def answer(self) -> Answer:
        """Make the requests and the answer."""
        requests = self.prepared.plan.requests
        if len(requests) == 1:
            await self._ask(0)
        elif requests:
            missing = [len(each.after) for each in requests]
            async with asyncio.TaskGroup() as group:
                for number, before in enumerate(missing):
                    if not before:
                        group.create_task(self._in_turn(number, missing, group))
        return self._completed() if self.refused is None or self.root else self.refused

    async def _in_turn(self, number: int, missing: list[int], group: asyncio.TaskGroup) -> None:
        """Make a request, and begin those that waited for it and for no other any more."""
        await self._ask(number)
        for later, each in enumerate(self.prepared.plan.requests):
            if number in each.after:
                missing[later] -= 1
                if not missing[later]:
                    group.create_task(self._in_turn(later, missing, group))

    async def _ask(self, number: int) -> None:
        request = self.prepared.plan.requests[number]
        asked = {each.call.key: gather(each, self.root) for each in self.prepared.readers[number]}
        self._tell_unusable(asked)
        into = None if request.root is None else collect(self.root, request.root)
        if not into and not any(each.sent for each in asked.values()):
            return
        values = {name: self.variables[name] for name in request.variables if name in self.variables}
        values |= {each.call.variable: each.sent for each in asked.values()}
        entities = sum(len(each.sent) for each in asked.values())
        answer = self.given.get(number)
        if answer is None:
            answer = await self.asking.ask(request.graph, self.prepared.operations[number], values, entities)
        if request.graph in self.asking.whole and request.root is not None and "data" not in answer:
            self.refused = answer
        data, errors = answer.get("data"), answer.get("errors") or ()
        unanswered = self._write(request, asked, into or [], data)
        name = self.asking.shown(request.graph)
        if errors or not isinstance(data, dict):
            self.faults += self._telling().faults(request, asked, name, errors or ({},))
        for each, objects in unanswered:
            log.warning("a subgraph left out entities", subgraph=request.graph, entities=len(objects))
            message = "A subgraph left out what it was asked of this."
            self.faults += untold(self._telling().lost(each, objects, name, message), self.faults)

    def _tell_unusable(self, asked: Mapping[str, Asked]) -> None:
        for each in asked.values():
            broken = [one for one in each.unusable if id(one) not in self.unknown]
            if broken:
                log.warning("no subgraph gave what stands for entities", asked=each.call.fields, entities=len(broken))
                message = "What this is made of was left out or broken by a subgraph."
                self.faults += untold(self._telling().lost(each, broken, "", message), self.faults)

    def _telling(self) -> Telling:
        return Telling(graph=self.prepared.graph, plan=self.prepared.plan, root=self.root)

    def _write(
        self, request: Request, asked: Mapping[str, Asked], into: list[Object], data: Any
    ) -> list[tuple[Asked, list[Object]]]:
        """Write an answer into the tree; give the entities that it should have told of and did not."""
        if not isinstance(data, dict):
            return []
        unanswered = []
        for call in asked.values():
            numbers = put_back(call, data.pop(call.call.key, None)) if call.sent else []
            self.unknown.update(map(id, call.unknown))
            if numbers:
                objects = [each for number in numbers for same in call.objects[number] for each in same]
                unanswered.append((call, objects))
        if request.root is not None:
            for each in into:
                merge(each, {key: data[key] for key in request.fields if key in data})  # and nothing that was not asked
        return unanswered

    def _completed(self) -> Answer:
        prepared = self.prepared
        with span("project"):
            try:
                data: Object | None = prepared.project(self.root)
            except Irregular:
                data, more = complete(prepared.graph, prepared.schema, prepared.plan, self.root, self.faults)
                self.faults += more
                if more:
                    found = [(*each.place, each.message) for each in more[:MOST_ERRORS]]
                    log.warning("values do not fit the schema", found=found)
        if not self.faults:
            return {"data": data}
        return {"data": data, "errors": [each.printed() for each in together(self.faults)[:MOST_ERRORS]]}
