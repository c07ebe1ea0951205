"""A lane as operators see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Self

import strawberry
from strawberry.types import Info

from graph.compiler.bind import page_size
from graph.ledger.backlog import LaneState, lane_states, parked_deliveries
from graph.ledger.backlog import ParkedDelivery as Parked
from graph.store.store import Store
from resolvers.directives import ListSize, OperatorOnly
from resolvers.moments import Moment
from resolvers.words import ParkingReason

PAGE: Final = 100
"""parked deliveries in an answer."""


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
    held: int = strawberry.field(
        description="Deliveries that wait behind a parked one; they are not counted as waiting, and do not age."
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
            held=state.held,
        )


@strawberry.type(description="A delivery that waits for a person: nobody tries it again before it is replayed.")
class ParkedDelivery:
    """graph.ledger.backlog.ParkedDelivery."""

    id: strawberry.ID = strawberry.field(description="What `replayDelivery` and `node` know it by.")
    system: str = strawberry.field(description="The system that was to be told.")
    subject: str = strawberry.field(description="What that system keeps: a customer, a service, an alarm, a resource.")
    order_key: str = strawberry.field(description="What has the same order key waits behind it.")
    lane: str = strawberry.field(description="The lane that it lies in, as in `lanes`.")
    reason: ParkingReason | None = strawberry.field(
        description="Why it is parked; null where an earlier version parked it."
    )
    error: str | None = strawberry.field(description="What went wrong at the last attempt.")
    answer: str | None = strawberry.field(
        description="The start of what the system answered then (2,000 characters), without credentials."
    )
    attempts: int = strawberry.field(description="How often it was tried.")
    created_at: Moment = strawberry.field(description="When the change was made that it tells of.")
    held: int = strawberry.field(description="How many deliveries wait behind it.")

    @classmethod
    def of(cls, parked: Parked) -> Self:
        """Show a parked delivery."""
        return cls(
            id=strawberry.ID(parked.id),
            system=parked.system,
            subject=parked.subject,
            order_key=parked.order_key,
            lane=parked.lane,
            reason=ParkingReason(parked.reason) if parked.reason else None,
            error=parked.error,
            answer=parked.answer,
            attempts=parked.attempts,
            created_at=Moment(parked.created_at),
            held=parked.held,
        )


async def _lanes(info: Info[Asked]) -> list[Lane]:
    return [Lane.of(each) for each in await lane_states(info.context.store, deadline=info.context.deadline)]


async def _parked(
    info: Info[Asked],
    system: Annotated[str | None, strawberry.argument(description="Only what this system was to be told.")] = None,
    reason: Annotated[ParkingReason | None, strawberry.argument(description="Only what is parked for this.")] = None,
    first: Annotated[int, strawberry.argument(description="How many, at most 1,000.")] = PAGE,
    after: Annotated[
        strawberry.ID | None, strawberry.argument(description="Only those behind the one with this id.")
    ] = None,
) -> list[ParkedDelivery]:
    asked = info.context
    found = await parked_deliveries(
        asked.store,
        system=system or "",
        reason=str(reason.value) if reason else "",
        after=after or "",
        most=page_size({"first": first}),
        deadline=asked.deadline,
    )
    return [ParkedDelivery.of(each) for each in found]


@strawberry.type
class Query:
    """The root fields."""

    lanes: list[Lane] = strawberry.field(
        resolver=_lanes,
        description="What surrounding systems are still to be told, a sixteenth of a system each, and who tells it.",
        directives=[OperatorOnly(), ListSize(assumed_size=128)],
    )
    parked_deliveries: list[ParkedDelivery] = strawberry.field(
        resolver=_parked,
        description="Deliveries that wait for a person, by id.",
        directives=[OperatorOnly(), ListSize(assumed_size=PAGE, slicing_arguments=["first"])],
    )


def _moment(milliseconds: int | None) -> Moment | None:
    return None if milliseconds is None else Moment(milliseconds)
