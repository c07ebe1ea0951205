"""One request passes one gate after another, and the first that says no ends it.

    known document? -> (new: allowance, parse, limits, validate) -> choose the operation -> method -> caller
    -> (a change: what waits already) -> coerce variables -> what they hold -> cost -> introspection, subgraph -> one answer

The gates stand in the order of what they cost us: everything up to the caller's rights is looked up for a document that
is known. After the last gate the subgraph is asked; what it answers is passed on as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from gateway.errors import Code, Refused, refuse
from gateway.federation.subgraph import Answer, Subgraph
from gateway.operations.cost import amount
from gateway.operations.documents import Documents, Prepared
from gateway.operations.introspection import introspect, merge
from gateway.operations.limits import NewDocuments
from gateway.operations.permissions import check_caller, check_values
from gateway.operations.pressure import Pressure
from gateway.operations.schema import PublicSchema, read_schema
from gateway.operations.variables import coerce
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

    def __init__(self, subgraph: Subgraph, settings: Settings, pressure: Pressure | None = None) -> None:
        self.schema: PublicSchema = read_schema(subgraph.sdl)
        self._subgraph = subgraph
        self._limits = settings.limits
        self._documents = Documents(
            self.schema, settings.limits, most=settings.documents, most_bytes=settings.documents_bytes
        )
        self._pressure = pressure
        self._newcomers = NewDocuments(settings.limits.new_documents_per_minute)

    def prepare(self, request: GraphRequest, principal: Principal) -> Prepared:
        """Pass the gates that need no variables."""
        document = self._documents.known(request.query)
        if document is None:
            self._newcomers.admit(principal.subject)
            with span("parse"):
                document = self._documents.learn(request.query)
        if isinstance(document, Refused):
            raise Refused(*document.problems)
        prepared = document.choose(request.operation_name)
        if request.queries_only and not prepared.is_query:
            message = "GET runs queries only."
            raise refuse(Code.METHOD_NOT_ALLOWED, message, headers=((b"allow", b"POST"),))
        check_caller(prepared.demands, principal, self.schema.allowed_roles)
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
        data = introspect(self.schema.public, prepared.schema_part, request.variables)
        if operation is None:
            return {"data": data}
        answer = await self._subgraph.execute(operation, values, principal, deadline)
        if answer.get("data") is None:
            return answer
        return {**answer, "data": merge(prepared.root, answer["data"], data, values)}

    def values(self, prepared: Prepared, given: Mapping[str, Any], principal: Principal) -> dict[str, Any]:
        """Pass the gates that need the variables; give their values."""
        values: dict[str, Any] = {}
        if prepared.variables:
            values = coerce(prepared.variables, given, self.schema.served, prepared.node, self._limits)
            check_values(prepared.variables, values, principal, self.schema.operator_only)
        for name in prepared.conditions:
            if values.get(name) is None:
                message = f"The variable `${name}` decides what is asked, and cannot be null."
                raise refuse(Code.BAD_USER_INPUT, message)
        cost = amount(prepared.cost, values)
        if cost > self._limits.cost:
            message = f"The operation costs {cost}; at most {self._limits.cost} is allowed."
            raise refuse(Code.COST_LIMIT_EXCEEDED, message)
        return values
