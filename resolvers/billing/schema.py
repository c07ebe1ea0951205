"""The billing subgraph's schema, which Strawberry executes."""

from __future__ import annotations

from functools import cache

import strawberry

from resolvers.billing.types import Customer
from resolvers.elsewhere import executed_schema
from resolvers.moments import MOMENT, Moment
from resolvers.money import LARGE, Large


@cache
def billing_schema() -> strawberry.federation.Schema:
    """Assemble the schema."""
    return executed_schema([Customer], {Moment: MOMENT, Large: LARGE})
