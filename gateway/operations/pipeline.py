"""One request passes one gate after another, and the first that says no ends it.

    known document? -> (new: allowance, parse, limits, validate) -> choose the operation -> its kind -> method -> caller
    -> (a change: what waits already) -> coerce variables -> what they hold -> cost -> introspection, subgraph -> one answer

The gates stand in the order of what they cost us: everything up to the caller's rights is looked up for a document that
is known. After the last gate the subgraph is asked; what it answers is passed on as it is. A subscription passes the same gates,
and has a stream of events where a query has an answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson
from graphql import DocumentNode

from gateway.errors import Code, Refused, refuse
from gateway.federation.subgraph import NOT_STREAMED, Answer, Heard, StreamingSubgraph, Subgraph
from gateway.operations.cost import amount
from gateway.operations.documents import Documents, NotValid, Prepared
from gateway.operations.excess import Advice, advise
from gateway.operations.introspection import SchemaAnswer, declared_variables, introspect, merge
from gateway.operations.permissions import check_caller, check_values
from gateway.operations.pressure import Pressure
from gateway.operations.schema import PublicSchema, read_schema
from gateway.operations.variables import coerce
from gateway.preparing.cache import Table
from gateway.preparing.new_work import Work
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Settings
from gateway.telemetry.tracing import span
from graph.model.scope import Principal, Role

HOW_TO_STREAM: Final = (
    "Send `Accept: text/event-stream`, or ask over a WebSocket with the sub-protocol graphql-transport-ws."
)
LARGE: Final = 16_000
"""bytes of a request from which on reading it is metered: about 0.3 ms."""
_UNMETERED: Final = contextlib.nullcontext()


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRequest:
    """What a client asks, in the shape that every transport brings it into."""

    query: str
    variables: Mapping[str, Any]
    operation_name: str | None
    queries_only: bool
    """for GET, which must not change anything."""
    explain: bool = False
    """whether the caller wants to know how the answer was made: for operators."""
    size: int = 0
    """bytes in which it came, with what came just before over the same WebSocket; what a large one costs is metered."""
    can_stream: bool = False
    """whether the transport can bring more than one answer."""
    after: str | None = None
    """the cursor that a subscription goes on from, where the transport has a place for it."""


class Pipeline:
    """From a request to an answer."""

    def __init__(
        self,
        subgraph: Subgraph,
        settings: Settings,
        pressure: Pressure | None = None,
        preparing: Preparing | None = None,
    ) -> None:
        """Take what answers, and what all of the process keep and may do anew; without it this pipeline has its own."""
        preparing = preparing or Preparing.of(settings.limits)
        self.schema: PublicSchema = read_schema(subgraph.sdl)
        self._subgraph = subgraph
        self._streaming = subgraph if isinstance(subgraph, StreamingSubgraph) else None
        self._limits = settings.limits
        self._introspection = frozenset(settings.introspection)
        self._documents = Documents(self.schema, settings.limits, preparing.cache.table())
        self._schema_answers: Table[SchemaAnswer] = preparing.cache.table()
        self._new_work = preparing.new_work
        self._pressure = pressure

    def metered(self, principal: Principal, size: int) -> AbstractContextManager[None]:
        """Meter what the event loop does with a request of so many bytes, where that is much; raises Refused as new work does.

        Reading a megabyte of JSON and coercing it takes as long as hundreds of ordinary requests, also where it is refused then.
        """
        return self._new_work.metered(principal.subject, 0.0) if size > LARGE else _UNMETERED

    async def prepare(self, request: GraphRequest, principal: Principal) -> Prepared:
        """Pass the gates that need no variables."""
        document = self._documents.known(request.query)
        if document is None:
            with span("parse"):
                document = await self._new_work.do(principal.subject, self._documents.learning(request.query))
        if isinstance(document, NotValid):
            raise Refused(*document.problems)
        prepared = document.choose(request.operation_name)
        if prepared.is_subscription:
            self._check_stream(request)
        elif request.queries_only and not prepared.is_query:
            message = "GET runs queries only."
            raise refuse(Code.METHOD_NOT_ALLOWED, message, headers=((b"allow", b"POST"),))
        check_caller(prepared.demands, principal, self.schema.allowed)
        if prepared.schema_part is not None and principal.effective.value not in self._introspection:
            raise refuse(Code.FORBIDDEN, f"The role {principal.effective.value} may not ask for the schema.")
        if not (prepared.is_query or prepared.is_subscription):
            self._admit(principal)
        if request.explain and principal.role is not Role.OPERATOR:
            raise refuse(Code.FORBIDDEN, "`extensions.queryPlan` is for operators only.", "Leave it out.")
        return prepared

    def _check_stream(self, request: GraphRequest) -> None:
        """Refuse a subscription that nobody serves, or that comes over a transport which brings one answer only."""
        if self._streaming is None:
            raise refuse(Code.OPERATION_RESOLUTION_FAILURE, "Subscriptions are not served.", NOT_STREAMED)
        if not request.can_stream:
            message = "A subscription has more than one answer, and this request has room for one."
            raise refuse(Code.OPERATION_RESOLUTION_FAILURE, message, HOW_TO_STREAM)

    def _admit(self, principal: Principal) -> None:
        """Let a change through, unless too much waits already; operators are the ones who mend that."""
        wait = self._pressure.retry_after() if self._pressure else 0.0
        if wait and principal.effective is not Role.OPERATOR:
            raise refuse(Code.OVERLOADED, "Other systems have not been told of earlier changes yet.", retry_after=wait)

    async def answer(self, prepared: Prepared, request: GraphRequest, principal: Principal, deadline: float) -> Answer:
        """Pass the remaining gates and ask."""
        with self.metered(principal, request.size):
            values = self.values(prepared, request.variables, principal)
        operation = prepared.operation
        if operation is not None and request.explain:
            operation = replace(operation, explain=True)
        if prepared.schema_part is None:
            assert operation is not None, "an operation without introspection has a part for the subgraph"
            return await self._subgraph.execute(operation, values, principal, deadline)
        of_schema = await self._introspected(prepared.key, prepared.schema_part, values, principal)
        if operation is None:
            return {"data": dict(of_schema.data)}
        answer = await self._subgraph.execute(operation, values, principal, deadline)
        if answer.get("data") is None:
            return answer
        return {**answer, "data": merge(prepared.root, answer["data"], of_schema.data, values)}

    async def subscribe(
        self, prepared: Prepared, request: GraphRequest, principal: Principal, deadline: float
    ) -> AsyncGenerator[Heard, None] | Answer:
        """Pass the remaining gates and begin a subscription; an answer with errors where it cannot begin.

        What it costs is the cost of one event. Beginning it is work that no cache saves, so that all of it is metered: here, where it is
        planned, and where it is compiled.
        """
        assert self._streaming is not None, "one that nobody serves was refused"
        assert prepared.operation is not None, "validation lets no subscription ask the schema"
        with self._new_work.metered(principal.subject, 0.0):
            values = self.values(prepared, request.variables, principal)
        return await self._streaming.subscribe(prepared.operation, values, principal, request.after, deadline)

    async def _introspected(
        self, operation: str, document: DocumentNode, values: Mapping[str, Any], principal: Principal
    ) -> SchemaAnswer:
        """Find what the schema answers, or make it: new work, which the document covers where it has no variables."""
        given = {name: values[name] for name in declared_variables(document) if name in values}
        key = (operation, orjson.dumps(given))
        answer = self._schema_answers.get(key)
        if answer is not None:
            return answer
        work = Work(
            key=(self, key),
            units=1.0 if given else 0.0,
            short=False,
            make=lambda: introspect(self.schema.public, document, given),
            found=lambda: self._schema_answers.get(key),
            keep=lambda made: self._schema_answers.__setitem__(key, made),
        )
        return await self._new_work.do(principal.subject, work)

    def values(self, prepared: Prepared, given: Mapping[str, Any], principal: Principal) -> dict[str, Any]:
        """Pass the gates that need the variables; give their values."""
        values: dict[str, Any] = {}
        if prepared.variables:
            values = coerce(prepared.variables, given, self.schema.served, prepared.node, self._limits)
            check_values(prepared.variables, values, principal, self.schema.operator_only)
        for name in prepared.decisive:
            if name in values and values[name] is None:  # an absent one means the default of its argument
                message = f"The variable `${name}` decides what is asked, and cannot be null."
                raise refuse(Code.BAD_USER_INPUT, message)
        cost = amount(prepared.cost, values)
        if cost > self._limits.cost:
            raise self._too_costly(prepared, values, cost, principal)
        return values

    def _too_costly(self, prepared: Prepared, values: Mapping[str, Any], cost: int, principal: Principal) -> Refused:
        """Say which list to cut. That is work, which the caller's allowance pays; without any left the cost is told alone."""
        most = self._limits.cost
        advice = Advice(where="", hint="")
        with contextlib.suppress(Refused), self._new_work.metered(principal.subject, 0.0):
            advice = advise(prepared.document, self.schema, values, most)
        message = f"The operation costs {cost}; at most {most} is allowed{advice.where}."
        return refuse(Code.COST_LIMIT_EXCEEDED, message, advice.hint)
