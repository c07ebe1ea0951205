"""A mutation leaves the ids that its change returned with the request, so that its payload is compiled from them after the commit."""

from __future__ import annotations

from typing import TypeAlias

import strawberry

from graph.changes.outcome import Outcome
from resolvers.context import Asked
from resolvers.user_errors import UserError, shown

Info: TypeAlias = strawberry.Info[Asked, None]


def noted(info: Info, outcome: Outcome) -> list[UserError]:
    """Leave the ids that a change returned with the request; give what went wrong."""
    info.context.outcomes[str(info.path.key)] = outcome.ids
    return shown(outcome)
