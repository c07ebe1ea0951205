"""The ticketing subgraph's schema, which Strawberry executes."""

from __future__ import annotations

from functools import cache

import strawberry

from resolvers.elsewhere import executed_schema
from resolvers.moments import MOMENT, Moment
from resolvers.ticketing.types import Ticket


@cache
def ticketing_schema() -> strawberry.federation.Schema:
    """Assemble the schema."""
    return executed_schema([Ticket], {Moment: MOMENT})
