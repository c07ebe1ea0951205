"""The performance subgraph's schema, which Strawberry executes."""

from __future__ import annotations

from functools import cache

import strawberry

from resolvers.elsewhere import executed_schema
from resolvers.moments import Moment
from resolvers.performance.types import MOMENT, Service


@cache
def performance_schema() -> strawberry.federation.Schema:
    """Assemble the schema."""
    return executed_schema([Service], {Moment: MOMENT})
