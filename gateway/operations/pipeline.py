"""One request passes one gate after another, and the first that says no ends it.

    known document? -> (new: allowance, parse, limits, validate) -> choose the operation -> its kind -> method -> caller
    -> (a change: what waits already) -> coerce variables -> what they hold -> cost -> introspection, subgraph -> one answer

The gates stand in the order of what they cost us: everything up to the caller's rights is looked up for a document that
is known. After the last gate the subgraph is asked; what it answers is passed on as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson
from graphql import DocumentNode, OperationType

from gateway.errors import Code, Refused, refuse
from gateway.federation.subgraph import Answer, Subgraph
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
        self._limits = settings.limits
        self._introspection = frozenset(settings.introspection)
        self._documents = Documents(self.schema, settings.limits, preparing.cache.table())
        self._schema_answers: Table[SchemaAnswer] = preparing.cache.table()
        self._new_work = preparing.new_work
        self._pressure = pressure

    async def prepare(self, request: GraphRequest, principal: Principal) -> Prepared:
        """Pass the gates that need no variables."""
        document = self._documents.known(request.query)
        if document is None:
            with span("parse"):
                document = await self._new_work.do(principal.subject, self._documents.learning(request.query))
        if isinstance(document, NotValid):
            raise Refused(*document.problems)
        prepared = document.choose(request.operation_name)
        if prepared.node.operation is OperationType.SUBSCRIPTION:
            message = "Subscriptions are not served."
            raise refuse(Code.OPERATION_RESOLUTION_FAILURE, message, "Ask by a query, again where that is needed.")
        if request.queries_only and not prepared.is_query:
            message = "GET runs queries only."
            raise refuse(Code.METHOD_NOT_ALLOWED, message, headers=((b"allow", b"POST"),))
        check_caller(prepared.demands, principal, self.schema.allowed)
        if prepared.schema_part is not None and principal.effective.value not in self._introspection:
            raise refuse(Code.FORBIDDEN, f"The role {principal.effective.value} may not ask for the schema.")
        if not prepared.is_query:
            self._admit(principal)
        if request.explain and principal.role is not Role.OPERATOR:
            raise refuse(Code.FORBIDDEN, "`extensions.queryPlan` is for operators only.", "Leave it out.")
        return prepared

    def _admit(self, principal: Principal) -> None:
        """Let a change through, unless too much waits already; operators are the ones who mend that."""
        wait = self._pressure.retry_after() if self._pressure else 0.0
        if wait and principal.effective is not Role.OPERATOR:
            raise refuse(Code.OVERLOADED, "Other systems have not been told of earlier changes yet.", retry_after=wait)

    async def answer(self, prepared: Prepared, request: GraphRequest, principal: Principal, deadline: float) -> Answer:
        """Pass the remaining gates and ask."""
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
