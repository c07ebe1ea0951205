"""What a customer may ask of the ticketing system, as values, and what is said of it where it is refused.

Both kinds of request need these: a problem that is reported (`problems.py`), and a change of a ticket (`requests.py`). Both tell the
ticketing system and the fault management system in the same way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias

from graph.changes import notices
from graph.changes.events import Event
from graph.changes.notices import TicketEvent
from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy
from graph.errors import Refused
from graph.ledger.outbox import Told, write_down
from graph.model.event_kinds import kind_of
from graph.model.scope import Principal, Role
from graph.model.vocabulary import SEVERITIES
from graph.store.store import Transaction

MOST_CHARACTERS: Final = 10_000
"""of a description or a comment."""
MOST_OF_A_NAME: Final = 255
"""characters of a type or a reference."""
MOST_WAITING: Final = 100
"""deliveries of one ticket, and reports of one customer, that the ticketing system has not taken yet."""
SERVICE_NOT_FOUND: Final = "SERVICE_NOT_FOUND"
SERVICE_TERMINATED: Final = "SERVICE_TERMINATED"
SERVICE_NOT_OWNED: Final = "SERVICE_NOT_OWNED"
TICKET_NOT_FOUND: Final = "TICKET_NOT_FOUND"
TICKET_CLOSED: Final = "TICKET_CLOSED"
TICKET_NOT_RESOLVED: Final = "TICKET_NOT_RESOLVED"
NO_TICKETING: Final = "NO_TICKETING"
TOO_MANY_WAITING: Final = "TOO_MANY_WAITING"
TICKET_TYPE: Final = "problem"
"""of what is reported without one."""
REPORTABLE: Final = tuple(each for each in SEVERITIES if each != "cleared")
_UNFIT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""What no protocol carries: control characters, and halves of characters."""

Doing: TypeAlias = Literal["commentTicket", "reopenTicket", "closeTicket"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What somebody reports of a service."""

    service: str
    description: str
    severity: str = "minor"
    """one of `REPORTABLE`."""
    ticket_type: str = TICKET_TYPE
    reference: str | None = None
    """what whoever reports it calls it."""
    note: str = ""
    """what is noted beside the description."""

    def __post_init__(self) -> None:
        _check_text(self.description, "description")
        _check_text(self.ticket_type, "ticketType", most=MOST_OF_A_NAME)
        if self.reference is not None:
            _check_text(self.reference, "reference", most=MOST_OF_A_NAME)
        if self.note:
            _check_text(self.note, "note")
        if self.severity not in REPORTABLE:
            raise Refused(f"It is none of {', '.join(REPORTABLE)}", code="BAD_USER_INPUT", path=("severity",))


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketRequest:
    """What somebody asks of a ticket."""

    doing: Doing
    ticket: str
    """its id."""
    comment: str = ""
    """what is written on it; only a comment must have one."""
    patch: Mapping[str, Any] | None = field(default=None, compare=False)
    """the document that it was read from, if any: that is what makes a repetition one, since it may read otherwise by then."""

    def __post_init__(self) -> None:
        if self.comment or self.doing == "commentTicket":
            _check_text(self.comment, "comment")


def check_may(principal: Principal, change: str) -> None:
    """Raise Refused where a token does not allow this change."""
    if not principal.may(change):
        raise Refused(
            f"This token may not do {change}",
            code="FORBIDDEN",
            hint="Ask as an operator, or as a customer with a token that names it in its claim `changes`",
        )


def _check_text(text: str, path: str, *, most: int = MOST_CHARACTERS) -> None:
    problem = ""
    if not text.strip():
        problem = "It is empty"
    elif len(text) > most:
        problem = f"It has {len(text)} characters, and at most {most} are taken"
    elif _UNFIT.search(text):
        problem = "It has characters that are no text"
    if problem:
        raise Refused(problem, code="BAD_USER_INPUT", path=(path,))


def scope_of(principal: Principal) -> dict[str, object]:
    """Give the parameters by which a statement finds what is the caller's: `everyone`, or the ids of its `customers`."""
    return {"everyone": principal.effective is Role.OPERATOR, "customers": list(principal.customers)}


def is_mine(principal: Principal, owners: Mapping[str, str]) -> bool:
    """Tell whether the caller is an operator, or one of the owners (names, by id)."""
    return principal.effective is Role.OPERATOR or bool(owners.keys() & set(principal.customers))


def no_ticket() -> Outcome:
    """Say it also of another's ticket: whoever may not see it must not learn that it exists."""
    return Outcome(ids={}, user_errors=(refusal("There is no such ticket", TICKET_NOT_FOUND),))


def refusal(message: str, code: str) -> UserError:
    """Give what is wrong with the `ticketId`."""
    return UserError(message=message, code=code, path=("ticketId",))


def not_done(message: str, code: str, path: str) -> Outcome:
    """Give the outcome of what was not done, for one reason."""
    return Outcome(ids={}, user_errors=(UserError(message=message, code=code, path=(path,)),))


def tell_ticketing(
    transaction: Transaction, policy: AlarmPolicy, told: Event, subject: str, key: str, said: Mapping[str, object]
) -> None:
    """Write the delivery to the ticketing system down; `subject` is the customer, `key` the order key."""
    write_down(
        transaction,
        [Told(event=told.id, system=policy.ticketing, subject=subject, order_key=key, payload=said)],
    )


async def notify(
    transaction: Transaction, principal: Principal, policy: AlarmPolicy, told: Event, order_key: str
) -> None:
    """Write down what the fault management system is to be told of a ticket; an alarm's is in order by the ticket's key."""
    kind, ticket = kind_of(told.type), str(told.payload["ticket"])
    if kind is None:
        return
    key = ticket if told.aggregate_id == ticket else order_key
    happened = TicketEvent(event=told, kind=kind, ticket=ticket, order_key=key)
    await notices.tell_tickets(transaction, policy.fault_management, [happened], principal.system)
