"""A lane as operators see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType, Self

import strawberry
from strawberry.types import Info

from graph.compiler.leaves import rfc3339
from graph.ledger.backlog import LaneState, lane_states
from graph.store.store import Store
from resolvers.directives import ListSize, OperatorOnly

Moment = NewType("Moment", int)
"""Epoch milliseconds."""
MOMENT = strawberry.scalar(name="DateTime", serialize=rfc3339, description="Date with time (isoformat)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a resolver knows of the request it runs in."""

    store: Store
    deadline: float
    """`time.monotonic()` seconds."""


@strawberry.type(description="A part of what one system must be told, by order key.")
class Lane:
    """graph.ledger.backlog.LaneState."""

    id: strawberry.ID = strawberry.field(description="`system#shard`, as deliveries name it.")
    system: str
    shard: int
    owner: str | None = strawberry.field(description="The process that tells it; null where nobody does.")
    until: Moment | None = strawberry.field(description="When its lease runs out.")
    waiting: int = strawberry.field(description="Deliveries that are still to be told.")
    oldest_at: Moment | None = strawberry.field(description="Since when the oldest of them waits.")
    oldest_seconds: float = strawberry.field(description="For how long, in seconds; 0 where nothing waits.")
    attempts: int = strawberry.field(description="How often the oldest was tried.")
    last_error: str | None = strawberry.field(description="What came of it last.")
    parked: int = strawberry.field(
        description="Deliveries that a person must look at: `replayDelivery` tells them again."
    )
    parked_keys: list[str] = strawberry.field(
        description="The order keys that they hold up; a hundred at most.", directives=[ListSize(assumed_size=100)]
    )

    @classmethod
    def of(cls, state: LaneState) -> Self:
        """Show a lane."""
        return cls(
            id=strawberry.ID(state.id),
            system=state.system,
            shard=state.shard,
            owner=state.owner,
            until=_moment(state.until),
            waiting=state.waiting,
            oldest_at=_moment(state.oldest_at),
            oldest_seconds=state.oldest_seconds,
            attempts=state.attempts,
            last_error=state.last_error,
            parked=state.parked,
            parked_keys=list(state.parked_keys),
        )


async def _lanes(info: Info[Asked]) -> list[Lane]:
    return [Lane.of(each) for each in await lane_states(info.context.store, deadline=info.context.deadline)]


@strawberry.type
class Query:
    """The root fields."""

    lanes: list[Lane] = strawberry.field(
        resolver=_lanes,
        description="What surrounding systems are still to be told, a sixteenth of a system each, and who tells it.",
        directives=[OperatorOnly(), ListSize(assumed_size=128)],
    )


def _moment(milliseconds: int | None) -> Moment | None:
    return None if milliseconds is None else Moment(milliseconds)
