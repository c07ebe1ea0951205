"""The billing subgraph's schema, which Strawberry executes."""

from __future__ import annotations

from functools import cache

import strawberry
from graphql import GraphQLError
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from resolvers.billing.types import LARGE, MOMENT, Customer, Large, Moment

MOST_TEXTS = 500
"""of plans, whose parsing and validation is remembered."""


class _Schema(strawberry.federation.Schema):
    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave them to subgraph.py, which logs what matters of them."""


@cache
def billing_schema() -> strawberry.federation.Schema:
    """Assemble the schema."""
    return _Schema(
        types=[Customer],
        config=StrawberryConfig(scalar_map={Moment: MOMENT, Large: LARGE}, disable_field_suggestions=True),
        extensions=[lambda: ParserCache(maxsize=MOST_TEXTS), lambda: ValidationCache(maxsize=MOST_TEXTS)],
    )
