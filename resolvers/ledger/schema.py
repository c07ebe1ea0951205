"""The ledger's schema, which Strawberry executes."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLError, GraphQLSchema
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from resolvers.ledger.types import MOMENT, Moment, Query

MOST_TEXTS = 100
"""of operations, whose parsing and validation is remembered."""


class _Schema(strawberry.federation.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave them to subgraph.py."""


@cache
def ledger_schema() -> strawberry.federation.Schema:
    """Assemble the schema."""
    return _Schema(
        query=Query,
        config=StrawberryConfig(scalar_map={Moment: MOMENT}, disable_field_suggestions=True),
        extensions=[lambda: ParserCache(maxsize=MOST_TEXTS), lambda: ValidationCache(maxsize=MOST_TEXTS)],
    )


def ledger_graphql() -> GraphQLSchema:
    """Give the schema as graphql-core has it."""
    return ledger_schema()._schema  # noqa: SLF001 - Strawberry gives it no other name
