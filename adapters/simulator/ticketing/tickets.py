"""What a ticketing system keeps: tickets with their notes and the history of their statuses, checked as TMF621 says.

What the server decides (id, times, history) a client cannot set. A ticket that is closed or cancelled is not changed
any more. Two tickets may have the same external id: whose fault that is, is for others to find out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
from uuid import uuid4

from adapters.errors import Malformed
from adapters.simulator.api import Changed, Unchangeable
from adapters.simulator.journal import Journal
from adapters.tmf.tmf630 import merge_patch, read_time, write_time

Ticket: TypeAlias = dict[str, object]

STATUSES: Final = ("acknowledged", "rejected", "pending", "held", "inProgress", "cancelled", "closed", "resolved")
UNCHANGEABLE: Final = ("closed", "cancelled")
REQUIRED: Final = ("description", "severity", "ticketType")
UPDATE: Final = frozenset(
    {
        *("attachment", "channel", "description", "expectedResolutionDate", "externalId", "name", "note", "priority"),
        *("relatedEntity", "relatedParty", "requestedResolutionDate", "resolutionDate", "severity", "status"),
        *("statusChangeReason", "ticketType", "troubleTicketRelationship"),
    }
)
"""The members of TroubleTicket_Update."""
_DECIDED_HERE: Final = ("id", "href", "creationDate", "lastUpdate", "statusChangeDate", "statusChange")
_STRINGS: Final = ("externalId", "name", "description", "severity", "ticketType", "priority", "statusChangeReason")
_TIMES: Final = ("expectedResolutionDate", "requestedResolutionDate", "resolutionDate")
_ITEMS: Final[Mapping[str, tuple[str, ...]]] = {
    "note": ("text",),
    "relatedParty": ("id", "@referredType"),
    "relatedEntity": ("id", "role", "@referredType"),
    "attachment": (),
    "troubleTicketRelationship": ("id", "relationshipType"),
}
"""Attributes that are lists of objects, and what each object must have, as a string."""


class Tickets:
    """All tickets, by id, in the order of their creation."""

    def __init__(self, state: Journal, *, path: str, clock: Callable[[], int]) -> None:
        self._state = state
        self._path = path
        self._clock = clock
        self._tickets: dict[str, Ticket] = {}

    def restore(self, entries: list[dict[str, object]]) -> None:
        """Take over what an earlier life has kept; of each ticket the last state counts."""
        for entry in entries:
            ticket = entry.get("ticket")
            if isinstance(ticket, dict):
                self._tickets[str(ticket["id"])] = ticket

    def all(self) -> list[Ticket]:
        """Give them all."""
        return list(self._tickets.values())

    def get(self, ticket_id: str) -> Ticket | None:
        """Give one, or None."""
        return self._tickets.get(ticket_id)

    def create(self, body: object) -> Ticket:
        """Open a ticket, or raise Malformed."""
        told = _checked(body)
        for name in REQUIRED:
            if told.get(name) is None:
                raise Malformed(f"{name} is missing", hint="A trouble ticket needs it", field=name)
        now = write_time(self._clock())
        ticket_id = f"TT-{len(self._tickets) + 1:08d}"
        decided = {"id": ticket_id, "href": f"{self._path}/{ticket_id}", "creationDate": now}
        rest = {name: value for name, value in told.items() if name not in _DECIDED_HERE and value is not None}
        ticket = {**decided, "status": "acknowledged", **rest}
        return self._keep(_with_status(ticket, None, now))

    def change(self, ticket_id: str, patch: object) -> Changed:
        """Apply a merge patch, or raise Malformed, Unchangeable, KeyError."""
        before = self._tickets[ticket_id]
        if before["status"] in UNCHANGEABLE:
            raise Unchangeable
        _checked(patch)
        after = merge_patch(before, patch)
        assert isinstance(after, dict)
        _checked(after)
        for name in (*REQUIRED, "status"):
            if name not in after:
                raise Malformed(f"{name} cannot be taken away", field=name)
        return Changed(
            before=before, after=self._keep(_with_status(after, before["status"], write_time(self._clock())))
        )

    def _keep(self, ticket: Ticket) -> Ticket:
        self._tickets[str(ticket["id"])] = ticket
        self._state.write({"ticket": ticket})
        return ticket


def _checked(body: object) -> Ticket:
    if not isinstance(body, dict):
        raise Malformed("The body is no JSON object", field="")
    for name in _STRINGS:
        if not isinstance(body.get(name), str | None):
            raise Malformed(f"{name} is no string", field=name)
    for name in _TIMES:
        if body.get(name) is not None:
            read_time(body[name], name)
    if body.get("status") is not None and body["status"] not in STATUSES:
        raise Malformed("status is none of the words", hint=f"One of {', '.join(STATUSES)}", field="status")
    for name, needed in _ITEMS.items():
        _check_items(name, body.get(name), needed)
    return body


def _check_items(name: str, value: object, needed: tuple[str, ...]) -> None:
    if not isinstance(value, list | None):
        raise Malformed(f"{name} is no list", field=name)
    for number, item in enumerate(value or ()):
        if not isinstance(item, dict):
            raise Malformed(f"{name}[{number}] is no object", field=f"{name}[{number}]")
        for each in needed:
            if not isinstance(item.get(each), str):
                raise Malformed(f"{name}[{number}].{each} is missing", field=f"{name}[{number}].{each}")


def _with_status(ticket: Ticket, before: object, now: str) -> Ticket:
    """Write down what goes by itself: times, the ids of notes, the history of statuses."""
    stamped = {**ticket, "lastUpdate": now}
    if isinstance(notes := ticket.get("note"), list):
        stamped["note"] = [{"id": uuid4().hex, "date": now, **each} for each in notes]
    if ticket["status"] == before:
        return stamped
    reason = ticket.get("statusChangeReason")
    entry = {"status": ticket["status"], "changeDate": now, **({"changeReason": reason} if reason else {})}
    history = ticket.get("statusChange")
    stamped["statusChange"] = [*(history if isinstance(history, list) else ()), entry]
    stamped["statusChangeDate"] = now
    if ticket["status"] == "resolved":
        stamped["resolutionDate"] = now
    return stamped
