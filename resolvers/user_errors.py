"""Why a change was not made is told alike by every area that changes anything.

return SomePayload(user_errors=shown(outcome))
"""

from __future__ import annotations

import strawberry

from graph.changes.outcome import Outcome
from graph.changes.outcome import UserError as Problem


@strawberry.type(description="Why a change was not made; the request itself was in order.")
class UserError:
    """Shown to the person who asked."""

    message: str = strawberry.field(description="What is wrong, in a sentence, and what would work instead.")
    code: str = strawberry.field(description="A word for it; the payload's `userErrors` lists those that there are.")
    path: list[str] = strawberry.field(description="The argument that it is about.")

    @classmethod
    def of(cls, problem: Problem) -> UserError:
        """Show a problem."""
        return cls(message=problem.message, code=problem.code, path=list(problem.path))


def shown(outcome: Outcome) -> list[UserError]:
    """Show what went wrong in a change."""
    return [UserError.of(each) for each in outcome.user_errors]
