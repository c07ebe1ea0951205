"""Trouble ticketing: where people work on what an alarm did to a customer. One ticket for each customer and alarm.

Ticketing systems differ in protocol and words, and what is owed to them is the same: a ticket that can be found again
under our own key, that says how bad it is, and that is resolved when the alarm clears. `Ticketing` says that much; each
dialect says it to one kind of system.

In: a `TicketOrder`, what a ticket should say, or a `TicketUpdate`, what somebody asks of one. Out: a `TicketState`, what the other system says of the ticket, or its
`TicketHistory`, what only the other system knows of it; or an `adapters.errors.AdapterError`.

Files, in order of flow: `telling.py` (a delivery becomes a ticket) · `hearing.py` (what people do there, with ours and
theirs) · this one (what every dialect does) · `outbound/` (the dialects) · `tmf621_resource.py` (TM Forum's ticket: what we
write into it, what we believe of it) · `inbound.py` (what the ticketing system and customers' systems call on us) · `reads.py`
(tickets as others read them here) · `changes.py` (what customers' systems ask of them) · `hub.py` (what they are told of).

Invariants
1. A ticket carries our order key as its external id, from its first moment on. Whoever does not know whether an order
   was heard looks for the key before ordering again: the other system is not trusted to notice.
2. No method tries twice. When and whether to ask again is the ledger's business.
3. An answer that is not about the ticket that was asked for is `Nonsense`, never believed.

Opening what may be there already:

    state = await ticketing.find("alarm-7:customer-3", deadline=soon)
    if state is None:
        state = await ticketing.open(order, delivery_id="event-9:ticketing:customer-3", deadline=soon)
    state.id                       # the other system's own: "TT-00000017"
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from adapters.errors import Nonsense
from graph.model.vocabulary import EFFECTS, SEVERITIES, TICKET_STATES

ORDERED: Final = ("acknowledged", "inProgress", "resolved")
"""The statuses that we order; the others are for the people who work there."""
OPEN: Final = ("acknowledged", "inProgress", "pending", "held")
"""The statuses of a ticket that somebody will still work on."""
FINAL: Final = ("closed", "cancelled")
"""A ticket with one of these is not changed again: what comes back needs another ticket."""
KEPT: Final[Mapping[str, tuple[str, ...]]] = {
    "acknowledged": ("inProgress", "pending", "held", "rejected"),
    "inProgress": ("pending", "held", "rejected"),
    "resolved": (),
}
"""By the status that we order: those that people have set in the meantime, and that say more."""


REPORTED: Final = "affected"
"""What a service of a ticket is where nobody knows what it suffers from: somebody has said that there is a problem."""


def is_kept(status: str | None, ordered: str) -> bool:
    """Tell whether a status that a ticket has there stays; None, which nobody has explained, may say more than ours."""
    return ordered != "resolved" if status is None else status in (ordered, *KEPT[ordered])


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketState:
    """What the other system says of one ticket."""

    id: str
    """the other system's own."""
    external_id: str | None
    """our order key, or whatever it was opened under."""
    status: str | None
    """one of `graph.model.vocabulary.TICKET_STATES`; None: a word of their own that nobody has explained."""
    severity: str
    """as they put it: people may have written there what is no word of ours; empty when nothing."""
    changed_at: int | None
    """epoch milliseconds by their clock; None where they do not say, or not so that it can be read."""

    def __post_init__(self) -> None:
        if self.status is not None:
            _check(self.status, TICKET_STATES, "status of a ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketNote:
    """What somebody has written on a ticket."""

    author: str
    """empty when nobody is named."""
    text: str
    at: int | None
    """epoch milliseconds by their clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """A status that a ticket got."""

    status: str | None
    """one of `graph.model.vocabulary.TICKET_STATES`; None: a word of their own that nobody has explained."""
    word: str
    """as they wrote it."""
    reason: str
    at: int | None
    """epoch milliseconds by their clock."""

    def __post_init__(self) -> None:
        if self.status is not None:
            _check(self.status, TICKET_STATES, "status of a ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketHistory:
    """What only the other system knows of a ticket; oldest first."""

    id: str
    """the other system's own."""
    external_id: str | None
    notes: tuple[TicketNote, ...]
    changes: tuple[StatusChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedTicket:
    """A ticket that names services, whoever opened it."""

    state: TicketState
    services: tuple[str, ...] | None
    """as it names them: by ids of ours, or by names of its own; None: this was not said."""
    customer: str | None
    """the id of the customer that it says it is for; None: it does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerRef:
    """Whose ticket it is."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AffectedService:
    """A service of that customer, and what the alarm does to it, if there is one."""

    id: str
    effect: str
    """one of `graph.model.vocabulary.EFFECTS`, or `REPORTED`."""

    def __post_init__(self) -> None:
        _check(self.effect, (*EFFECTS, REPORTED), "effect")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketOrder:
    """What a ticket should say."""

    external_id: str
    """our order key: stable over opening, changing and resolving."""
    severity: str
    status: str
    """one of `ORDERED`: resolved when the alarm has cleared or nothing of this customer is affected any more."""
    name: str
    description: str
    customer: CustomerRef
    alarm_id: str
    """empty for what somebody has reported."""
    services: tuple[AffectedService, ...]
    note: str = ""
    """what is new, for the people who work there; nothing is noted when it is empty."""
    ticket_type: str = "fault"
    repeated_since: int | None = None
    """from when on it may have been told before, and the answer was lost, in epoch milliseconds; None: it was not."""

    def __post_init__(self) -> None:
        if not self.external_id:
            raise ValueError("a ticket without our key could not be found again")
        _check(self.severity, SEVERITIES, "severity")
        _check(self.status, ORDERED, "status to order")


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketUpdate:
    """What somebody asks of a ticket, ours or one that people have opened there."""

    external_id: str | None
    """our order key; None for a ticket of theirs, which is known by their id only."""
    author: str
    text: str
    """what is noted, in the author's name: by this note it is known that all of it was done."""
    status: str | None = None
    """`inProgress` where a resolved ticket is opened again, `closed` where it is closed; None: it stays."""
    repeated_since: int | None = None
    """as of an order."""

    def __post_init__(self) -> None:
        if not self.text:
            raise ValueError("what is not noted could not be found again")
        if self.status is not None:
            _check(self.status, ("inProgress", "closed"), "status to ask for")


class Ticketing(Protocol):
    """One ticketing system. Every method raises `AdapterError` and nothing else of its own."""

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now. Until then each one is Unreachable."""
        ...

    async def find(self, external_id: str, *, deadline: float) -> TicketState | None:
        """Give the ticket with this key; where there are several, the one that was opened first."""
        ...

    async def open(self, order: TicketOrder, *, delivery_id: str, deadline: float) -> TicketState:
        """Open a ticket. Whether there is one already was asked before."""
        ...

    async def amend(self, their_id: str, order: TicketOrder, *, delivery_id: str, deadline: float) -> TicketState:
        """Bring a ticket to what the order says. One that is in a `FINAL` status is Rejected with 409, one that is gone with 404."""
        ...

    async def update(self, their_id: str, wanted: TicketUpdate, *, delivery_id: str, deadline: float) -> TicketState:
        """Note what somebody writes, and set the status that it asks for, once for each delivery.

        A ticket that is in a `FINAL` status is Rejected with 409, one that is gone with 404.
        """
        ...

    async def states(self, their_ids: Sequence[str], *, deadline: float) -> list[TicketState]:
        """Give the states of those of these tickets that are there and can be read, in no order.

        A ticket that cannot be read costs the others nothing: it is passed over (`adapters.passed_over`).
        """
        ...

    async def histories(self, their_ids: Sequence[str], *, deadline: float) -> Mapping[str, TicketHistory | Nonsense]:
        """Give, by id, what has happened to those of these tickets that are there, or why that cannot be read."""
        ...

    async def reported(self, *, since: int | None, deadline: float) -> list[ReportedTicket]:
        """Give tickets that name services: what has changed since then, by their clock; None: what is open.

        A ticket that cannot be read is passed over.
        """
        ...

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        """Ask to be told of changes at this address, once; gives what the registration is called there, or nothing."""
        ...

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """Take such a registration back."""
        ...


def _check(word: str, words: Sequence[str], what: str) -> None:
    if word not in words:
        raise ValueError(f"{word!r} is no {what}: it is one of {', '.join(words)}")
