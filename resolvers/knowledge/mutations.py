"""The mutations: Strawberry checks and converts the arguments, graph.changes does the change, the payload is compiled.

A resolver here returns the payload without its graph-typed fields and leaves the ids that the change returned with the
request (`resolvers.context.Asked`); resolvers/knowledge/subgraph.py compiles those fields from the payload's own
selection, in the caller's scope, after the commit.
"""

from __future__ import annotations

import strawberry

from graph.changes import alarms
from graph.mapping import Changed
from resolvers.context import Asked
from resolvers.knowledge.directives import AllowedRoles
from resolvers.knowledge.fields import mapped
from resolvers.knowledge.types import Alarm


@strawberry.type(description="Why a change was not made; the request itself was in order.")
class UserError:
    """Shown to the person who asked."""

    message: str
    code: str
    path: list[str]


@strawberry.type(description="What became of acknowledgeAlarm.")
class AcknowledgeAlarmPayload:
    """The alarm as it is after the change, as far as the caller sees it."""

    alarm: Alarm | None = mapped(Changed(label="Alarm"))
    user_errors: list[UserError]


@strawberry.type
class Mutation:
    """Every one takes an idempotency key: asked again with it, the same outcome is given and nothing is done twice."""

    @strawberry.mutation(  # type: ignore[untyped-decorator]  # Strawberry types the field, not the function
        description="Take note of an alarm (TMF642 ackAlarms).",
        directives=[AllowedRoles(roles=["operator", "system"])],
    )
    async def acknowledge_alarm(
        self, info: strawberry.Info[Asked, None], alarm_id: strawberry.ID, idempotency_key: str
    ) -> AcknowledgeAlarmPayload:
        """Run the change."""
        asked = info.context
        outcome = await alarms.acknowledge_alarm(
            asked.store,
            asked.principal,
            alarm_id=alarm_id,
            idempotency_key=idempotency_key,
            deadline=asked.deadline,
        )
        asked.outcomes[str(info.path.key)] = outcome.ids
        errors = [UserError(message=each.message, code=each.code, path=list(each.path)) for each in outcome.user_errors]
        return AcknowledgeAlarmPayload(alarm=None, user_errors=errors)
