"""Asking the compiled subgraph as a gateway would: the document parsed and validated, the variables coerced."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from graphql import (
    DocumentNode,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableValues,
    get_variable_values,
    parse,
    validate,
)

from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal, Role
from graph.store.link import Work
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.resolvers.answers import Answered, answered
from tests.resolvers.tenants import A, B

T = TypeVar("T")

KEY = b"k" * 32
SECONDS = 300

OPERATOR = Principal(subject="op", role=Role.OPERATOR)
CUSTOMER_A = Principal(subject="a", role=Role.CUSTOMER, customers=(A,))
CUSTOMER_B = Principal(subject="b", role=Role.CUSTOMER, customers=(B,))
BOTH = Principal(subject="ab", role=Role.CUSTOMER, customers=(A, B))
ROUTER_FOR_A = Principal(subject="router", role=Role.ROUTER, acts_for=Role.CUSTOMER, customers=(A,))
PRINCIPALS = (OPERATOR, CUSTOMER_A, CUSTOMER_B, BOTH, ROUTER_FOR_A)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """A document as the subgraph takes it."""

    key: str
    document: DocumentNode
    name: str | None = None
    explain: bool = False


class Counting(Store):
    """A store that remembers which statements were read."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.product)
        self._store = store
        self.texts: list[str] = []

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Run it, and remember its text."""
        self.texts.append(text)
        return await self._store.read(text, parameters, deadline=deadline)

    async def write(self, work: Work[T], *, deadline: float, quiet: bool = False) -> T:
        """Run it; writes are not counted."""
        return await self._store.write(work, deadline=deadline, quiet=quiet)


def operation(schema: GraphQLSchema, text: str) -> Operation:
    """Parse and validate; a test that asks nonsense fails here."""
    document = parse(text)
    problems = validate(schema, document)
    assert not problems, problems[0].message + "\n" + text
    return Operation(key=text, document=document)


def coerced(schema: GraphQLSchema, asked: Operation, variables: Mapping[str, Any]) -> dict[str, Any]:
    """Coerce the variables of the document's only operation."""
    definition = next(each for each in asked.document.definitions if isinstance(each, OperationDefinitionNode))
    found = get_variable_values(schema, definition.variable_definitions or (), dict(variables))
    assert isinstance(found, VariableValues), found
    return found.coerced


@dataclass(slots=True, kw_only=True)
class Caller:
    """The compiled subgraph over a store."""

    subgraph: KnowledgeSubgraph = field(repr=False)
    _parsed: dict[str, Operation] = field(default_factory=dict, repr=False)

    @property
    def schema(self) -> GraphQLSchema:
        """The schema that requests are coerced and validated against."""
        return self.subgraph.reads.schema

    async def response(
        self, text: str, variables: Mapping[str, Any] | None = None, principal: Principal = OPERATOR
    ) -> dict[str, Any]:
        """The whole response."""
        asked = self._parsed.get(text) or self._parsed.setdefault(text, operation(self.schema, text))
        values = coerced(self.schema, asked, variables or {})
        return await self.subgraph.execute(asked, values, principal, time.monotonic() + SECONDS)

    async def ask(
        self, text: str, variables: Mapping[str, Any] | None = None, principal: Principal = OPERATOR
    ) -> Answered:
        """The response, as what is compared."""
        return answered(await self.response(text, variables, principal))


def caller(store: Store) -> Caller:
    """A subgraph of its own, with empty caches and no bound on new texts."""
    return Caller(subgraph=KnowledgeSubgraph(store, KEY, AlarmPolicy()))
