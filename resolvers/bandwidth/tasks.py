"""What people do with what waits for them: graph/changes/tasks.py does it, once for each key."""

from __future__ import annotations

from typing import Annotated

import strawberry

from graph.changes import tasks
from graph.changes.outcome import Outcome
from resolvers.bandwidth.asked import Info
from resolvers.bandwidth.booking import Key
from resolvers.bandwidth.payloads import CancelTaskPayload, RetryTaskPayload, SkipTaskPayload
from resolvers.bandwidth.types import Task
from resolvers.user_errors import shown

TaskId = Annotated[strawberry.ID, strawberry.argument(description="The task.")]
Reason = Annotated[
    str,
    strawberry.argument(description=f"Why, for whoever reads it later; at most {tasks.LONGEST_REASON:,} characters."),
]


async def retry_task(info: Info, task_id: TaskId, idempotency_key: Key) -> RetryTaskPayload:
    """Try again."""
    asked = info.context
    outcome = await tasks.retry_task(
        asked.store,
        asked.principal,
        asked.policy,
        task_id,
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return RetryTaskPayload(task=_task(outcome), user_errors=shown(outcome))


async def skip_task(info: Info, task_id: TaskId, reason: Reason, idempotency_key: Key) -> SkipTaskPayload:
    """Say that it need not be done."""
    asked = info.context
    outcome = await tasks.skip_task(
        asked.store,
        asked.principal,
        asked.policy,
        tasks.Settling(task=task_id, reason=reason),
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return SkipTaskPayload(task=_task(outcome), user_errors=shown(outcome))


async def cancel_task(info: Info, task_id: TaskId, reason: Reason, idempotency_key: Key) -> CancelTaskPayload:
    """End what it is about."""
    asked = info.context
    outcome = await tasks.cancel_task(
        asked.store,
        asked.principal,
        asked.policy,
        tasks.Settling(task=task_id, reason=reason),
        idempotency_key=idempotency_key,
        deadline=asked.deadline,
    )
    return CancelTaskPayload(task=_task(outcome), user_errors=shown(outcome))


def _task(outcome: Outcome) -> Task | None:
    found = outcome.ids.get("task")
    return None if found is None else Task(id=strawberry.ID(found))
