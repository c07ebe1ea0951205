"""A ticket's notes and history are the ticketing system's; which ticket is meant, only the graph knows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.types import Info

from adapters.errors import Nonsense
from adapters.ticketing import StatusChange, TicketHistory
from adapters.ticketing import TicketNote as Note
from resolvers.directives import ListSize
from resolvers.moments import Moment
from resolvers.words import TicketStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What a resolver knows of the request it runs in."""

    system: str
    """the name under which the graph knows this ticketing system."""
    histories: DataLoader[str, TicketHistory | None]
    """by the ticketing system's own id; None for a ticket that is not there."""


@strawberry.type(description="What somebody has written on a ticket.")
class TicketNote:
    """TMF621 v4, Note."""

    author: str | None
    text: str
    at: Moment | None

    @classmethod
    def of(cls, note: Note) -> Self:
        """Show a note."""
        return cls(author=note.author or None, text=note.text, at=_moment(note.at))


@strawberry.type(description="A status that a ticket got.")
class TicketStatusChange:
    """TMF621 v4, StatusChange."""

    status: TicketStatus | None = strawberry.field(
        description="The status; null where the ticketing system has a word of its own that the settings do not explain."
    )
    word: str = strawberry.field(description="The status as the ticketing system wrote it.")
    reason: str | None
    at: Moment | None

    @classmethod
    def of(cls, change: StatusChange) -> Self:
        """Show a change."""
        status = None if change.status is None else TicketStatus(change.status)
        return cls(status=status, word=change.word, reason=change.reason or None, at=_moment(change.at))


KNOWN = ["system", "externalId", "orderKey"]
"""What the graph must tell of a ticket before the ticketing system can be asked."""
_FEW: Final = ListSize(assumed_size=10)


async def _notes(root: Ticket, info: Info[Desk]) -> list[TicketNote] | None:
    history = await _history(root, info.context)
    return None if history is None else [TicketNote.of(each) for each in history.notes]


async def _changes(root: Ticket, info: Info[Desk]) -> list[TicketStatusChange] | None:
    history = await _history(root, info.context)
    return None if history is None else [TicketStatusChange.of(each) for each in history.changes]


async def _history(ticket: Ticket, desk: Desk) -> TicketHistory | None:
    """Ask the ticketing system, together with all other tickets of the operation."""
    if ticket.external_id is None or ticket.system != desk.system:
        return None  # not heard of over there yet, or a ticket of another system
    history = await desk.histories.load(ticket.external_id)
    if history is not None and ticket.order_key is not None and history.external_id != ticket.order_key:
        raise Nonsense("The ticket over there is of another order key", where="externalId")
    return history


@strawberry.federation.type(keys=["id"], description="What we know of another system's ticket.")
class Ticket:
    """TMF621 v4, TroubleTicket, as far as only the ticketing system knows it."""

    id: strawberry.ID
    system: str = strawberry.federation.field(external=True)
    external_id: str | None = strawberry.federation.field(external=True)
    order_key: str | None = strawberry.federation.field(external=True)
    notes: list[TicketNote] | None = strawberry.federation.field(
        resolver=_notes,
        requires=KNOWN,
        description="What people have written there, oldest first; null when it cannot be had.",
        directives=[_FEW],
    )
    history: list[TicketStatusChange] | None = strawberry.federation.field(
        resolver=_changes,
        requires=KNOWN,
        description="The statuses that it got there, oldest first; null when they cannot be had.",
        directives=[_FEW],
    )

    @classmethod
    def resolve_reference(cls, **known: Any) -> Self:
        """Take what the gateway knows of a ticket."""
        return cls(
            id=known["id"],
            system=known.get("system") or "",
            external_id=known.get("externalId"),
            order_key=known.get("orderKey"),
        )


def _moment(milliseconds: int | None) -> Moment | None:
    return None if milliseconds is None else Moment(milliseconds)
