"""The ledger's schema, which Strawberry executes."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLSchema
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from resolvers.executed import ExecutedSchema
from resolvers.ledger.types import Query
from resolvers.moments import MOMENT, Moment

MOST_TEXTS = 100
"""of operations, whose parsing and validation is remembered."""


@cache
def ledger_schema() -> strawberry.federation.Schema:
    """Assemble the schema."""
    return ExecutedSchema(
        query=Query,
        config=StrawberryConfig(scalar_map={Moment: MOMENT}, disable_field_suggestions=True),
        extensions=[lambda: ParserCache(maxsize=MOST_TEXTS), lambda: ValidationCache(maxsize=MOST_TEXTS)],
    )


def ledger_graphql() -> GraphQLSchema:
    """Give the schema as graphql-core has it."""
    return ledger_schema()._schema  # noqa: SLF001 - Strawberry gives it no other name
