"""What Strawberry executes, it also logs: every error as one of ours, whoever made the mistake, with what the caller has sent.

So the schemas of all areas are of this class, and each area logs what matters of its errors: not what a caller got wrong.
"""

from __future__ import annotations

import strawberry
from graphql import GraphQLError
from strawberry.types import ExecutionContext


class ExecutedSchema(strawberry.federation.Schema):
    """A schema whose errors are its area's to judge."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Leave them to the area."""
