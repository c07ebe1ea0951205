"""A second subgraph beside the compiled one: its schema is small, its data a dict, its executor graphql-core's.

What the gateway does must not depend on which subgraph stands behind it, and some of it (a subgraph that is slow, that
breaks, that is away) no healthy one shows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from graphql import ExecutionResult, FieldNode, OperationDefinitionNode, execute

from gateway.federation.subgraph import Answer, Operation
from gateway.operations.schema import read_schema
from graph.model.scope import Principal

SDL: Final = """
schema @link(url: "https://specs.apollo.dev/federation/v2.11", import: ["@key"]) { query: Query mutation: Mutation }

directive @operatorOnly on FIELD_DEFINITION | ARGUMENT_DEFINITION | INPUT_FIELD_DEFINITION | ENUM_VALUE
directive @allowedRoles(roles: [String!]!, byClaim: [String!], claim: String) on FIELD_DEFINITION

interface Asset { id: ID! margin: Int }
type Query {
  hello(name: String = "world"): String!
  whoami: String!
  customer(id: ID!): Customer
  customers(first: Int = 10, filter: CustomerFilter, orderBy: CustomerOrder, rank: Int @operatorOnly): [Customer!]!
    @listSize(slicingArguments: ["first"], assumedSize: 10)
  named(names: [String!]!): [Customer!]! @listSize(slicingArguments: ["names"])
  asset: Asset
  slow: String
  broken: String
  failing: String
  away: String
  late: String
  echo(flag: Boolean!, number: Float, order: CustomerOrder): String
}
input CustomerFilter { or: [CustomerFilter!] name: String margin: Int @operatorOnly not: CustomerFilter }
enum CustomerOrder { NAME MARGIN @operatorOnly }
type Customer implements Asset @key(fields: "id") {
  id: ID!
  name: String!
  margin: Int @operatorOnly
  friends(first: Int): [Customer!]! @listSize(slicingArguments: ["first"], assumedSize: 20)
}
type Mutation {
  acknowledge(id: ID!): String @allowedRoles(roles: ["operator", "system"])
  report: String @allowedRoles(roles: ["operator"], byClaim: ["customer"])
  correct: String @allowedRoles(roles: ["operator"], byClaim: ["customer"], claim: "report")
  forgotten: String
}
"""

ADA: Final = {"id": "customer-1", "name": "Ada", "margin": 7, "__typename": "Customer"}


class DictSubgraph:
    """Answers from a dict."""

    name = "dict"
    sdl = SDL

    def __init__(self) -> None:
        self.asked: list[tuple[Operation, Mapping[str, Any]]] = []
        self.cancelled = asyncio.Event()
        self._schema = read_schema(SDL).served

    async def execute(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
        deadline: float,  # noqa: ARG002 - the port's signature
    ) -> Answer:
        self.asked.append((operation, variables))
        names = {each.name.value for each in root_fields(operation)}
        if names & {"away", "late"}:
            code = "STORE_UNAVAILABLE" if "away" in names else "DEADLINE_EXCEEDED"
            return {"errors": [{"message": "Not now.", "extensions": {"code": code, "retryAfter": 2.5}}]}
        if "broken" in names:
            raise RuntimeError("a secret of the inside")
        result = execute(self._schema, operation.document, self._values(principal), variable_values=dict(variables))
        found = result if isinstance(result, ExecutionResult) else await result
        return printed(found)

    def _values(self, principal: Principal) -> dict[str, Any]:
        async def slow(_: Any) -> str:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
            return "at last"

        def failing(_: Any) -> str:
            raise ValueError("it failed")

        return {
            "hello": lambda _, name: f"hello {name}",
            "whoami": f"{principal.effective.value} {' '.join(principal.customers)}".strip(),
            "customer": lambda _, **__: ADA,
            "customers": lambda _, **__: [ADA],
            "named": lambda _, names: [{**ADA, "name": name} for name in names],
            "asset": ADA,
            "slow": slow,
            "failing": failing,
            "echo": lambda _, **given: repr(sorted(given.items())),
            "acknowledge": lambda _, **__: "done",
            "report": "reported",
            "correct": "corrected",
            "_service": {"sdl": SDL},
            "_entities": lambda _, representations: [{**ADA, **each} for each in representations],
        }


def root_fields(operation: Operation) -> list[FieldNode]:
    (definition,) = (each for each in operation.document.definitions if isinstance(each, OperationDefinitionNode))
    return [each for each in definition.selection_set.selections if isinstance(each, FieldNode)]


def printed(result: ExecutionResult) -> Answer:
    if not result.errors:
        return {"data": result.data}
    errors = [
        {"message": each.message, "path": each.path, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
        for each in result.errors
    ]
    return {"data": result.data, "errors": errors}
