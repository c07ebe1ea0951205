"""What is written into a ticket of Request Tracker 5, and what is believed of one that comes back.

Its words are not TM Forum's, its numbers are sometimes strings, and the same member is an object in one answer and a
string in another. A custom field that it does not know, or that we may not set, is left out without a word: so what
was written is read back before it is believed.

Pure: bodies out of orders, `TicketState` out of answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from adapters.errors import Nonsense
from adapters.ticketing import ReportedTicket, TicketOrder, TicketState, TicketUpdate, is_kept
from adapters.tmf.tmf630 import time_in_answer

FIELDS: Final = ("Status", "Priority", "LastUpdated", "Created", "EffectiveId", "CustomFields")
"""What is asked for of a ticket that is only looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pairing:
    """A status there and one of TMF621's."""

    theirs: str
    ours: str
    why: str


PAIRINGS: Final = (
    Pairing(theirs="new", ours="acknowledged", why="it is there, and nobody works on it yet"),
    Pairing(theirs="open", ours="inProgress", why="somebody works on it"),
    Pairing(theirs="stalled", ours="pending", why="it waits for something outside; that is what RT says of the word"),
    Pairing(theirs="stalled", ours="held", why="RT has one word for both; TMF621 keeps this for a decision to wait"),
    Pairing(theirs="resolved", ours="resolved", why="the work is done; both can be opened again"),
    Pairing(theirs="resolved", ours="closed", why="RT has nothing after it; we never order it"),
    Pairing(theirs="rejected", ours="rejected", why="it will not be worked on"),
    Pairing(theirs="deleted", ours="cancelled", why="it should not have been; RT finds it by its number only"),
)
"""Of a word that stands here twice the first row counts."""
MERGED: Final = "closed"
"""What a ticket is that was merged into another, whatever its own status: it is not changed any more."""

PRIORITIES: Final[Mapping[str, int]] = MappingProxyType(
    {"critical": 100, "major": 75, "minor": 50, "warning": 25, "indeterminate": 10, "cleared": 0}
)
"""RT's priorities are 0 to 100, the higher the worse; by its own words 100 is High and 50 Medium."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RtDesk:
    """Where tickets are in a Request Tracker, as its administrator has laid it out."""

    queue: str
    """where ours are opened."""
    key_field: str
    """the custom field that holds our order key."""
    service_field: str = ""
    """the custom field, of many values, that holds ids of services; empty: there is none."""
    statuses: Mapping[str, str] = field(default_factory=dict)
    """statuses of a lifecycle of its own, each with the word of TMF621 for it."""

    def status_of(self, theirs: str) -> str | None:
        """Give TMF621's word for a status; None for one that nobody has explained."""
        return self.statuses.get(theirs) or next((each.ours for each in PAIRINGS if each.theirs == theirs), None)

    def word_of(self, status: str) -> str:
        """Give the status that means one of TMF621's: the first that the settings name for it, or else RT's own."""
        own = next((theirs for theirs, ours in self.statuses.items() if ours == status), None)
        return own or next(each.theirs for each in PAIRINGS if each.ours == status)


@dataclass(frozen=True, slots=True, kw_only=True)
class RtTicket:
    """A ticket as it was answered."""

    id: str
    is_merged: bool
    status: str
    """in RT's words."""
    priority: str
    key: str | None
    services: tuple[str, ...]
    changed_at: int | None
    created_at: int | None


def creation(order: TicketOrder, desk: RtDesk) -> dict[str, object]:
    """Make the body that opens a ticket. It names no requestor: RT would write mail to whoever is one."""
    named = "\n".join(f"{each.effect}: {each.id}" for each in order.services)
    alarm = f"\nAlarm: {order.alarm_id}" if order.alarm_id else ""
    about = f"Customer: {order.customer.name} ({order.customer.id}){alarm}"
    note = f"\n\n{order.note}" if order.note else ""
    return {
        "Queue": desk.queue,
        "Subject": " ".join(order.name.split())[:200],
        "Content": f"{order.description}\n\n{about}\n{named}{note}",
        "ContentType": "text/plain",
        "Status": desk.word_of(order.status),
        "Priority": PRIORITIES[order.severity],
        "CustomFields": {desk.key_field: order.external_id, **_services(order, desk)},
    }


def change(ticket: RtTicket, order: TicketOrder, desk: RtDesk) -> dict[str, object]:
    """Make the body that brings a ticket, as it stands there now, to what the order says; empty: it is so already."""
    body: dict[str, object] = {}
    if not is_kept(desk.status_of(ticket.status), order.status):
        body["Status"] = desk.word_of(order.status)
    if ticket.priority != str(PRIORITIES[order.severity]):
        body["Priority"] = PRIORITIES[order.severity]
    wanted = _services(order, desk)
    if order.services and any(set(each) != set(ticket.services) for each in wanted.values()):
        body["CustomFields"] = wanted
    return body


def status_for(ticket: RtTicket, wanted: TicketUpdate, desk: RtDesk) -> str | None:
    """Give the word of RT's that a ticket gets, as it stands there now; None: it stays.

    It is opened again from resolved only: else people were quicker. RT itself has nothing after resolved, so that is what closed
    means there, unless the settings name a status of its own for it.
    """
    if wanted.status == "inProgress" and desk.status_of(ticket.status) == "resolved":
        return desk.word_of("inProgress")
    if wanted.status == "closed":
        word = desk.word_of("closed")
        return None if ticket.status == word else word
    return None


def severity_of(priority: str) -> str:
    """Give our word for a priority, or the number as people have put it."""
    return next((word for word, number in PRIORITIES.items() if str(number) == priority), priority)


def state_of(ticket: RtTicket, desk: RtDesk) -> TicketState:
    """Give what it says."""
    return TicketState(
        id=ticket.id,
        external_id=ticket.key,
        status=MERGED if ticket.is_merged else desk.status_of(ticket.status),
        severity=severity_of(ticket.priority),
        changed_at=ticket.changed_at,
    )


def check_explained(state: TicketState, where: str = "") -> TicketState:
    """Give a state whose status is one of TMF621's; raises Nonsense for one that nobody has explained."""
    if state.status is None:
        raise Nonsense(
            "A ticket of Request Tracker has a status of its own",
            hint="Say in the setting rt.statuses which word of TMF621 it is",
            where=f"{where}.Status".lstrip("."),
        )
    return state


def reported_of(ticket: RtTicket, desk: RtDesk, where: str = "") -> ReportedTicket:
    """Give what it says of services; RT has no customers of ours. Its status must be explained."""
    state = check_explained(state_of(ticket, desk), where)
    return ReportedTicket(state=state, services=ticket.services, customer=None)


def ticket_of(answer: object, desk: RtDesk, where: str = "") -> RtTicket:
    """Read one ticket: a record, or an item of a list; `where` is its place in the answer."""
    found = an_object(answer, where)
    their_id = id_in(found, "id", where)
    effective = found.get("EffectiveId")
    merged_into = id_in(effective, "id", f"{where}.EffectiveId") if isinstance(effective, dict) else effective
    return RtTicket(
        id=their_id,
        is_merged=str(merged_into or their_id) != their_id,
        status=text_in(found, "Status", where),
        priority=str(found.get("Priority") or "0"),
        key=next(iter(_values(found, desk.key_field, where)), None),
        services=_values(found, desk.service_field, where) if desk.service_field else (),
        changed_at=time_in(found, "LastUpdated", where),
        created_at=time_in(found, "Created", where),
    )


def items_of(answer: object) -> list[object]:
    """Take the items of a list."""
    items = an_object(answer, "").get("items")
    if not isinstance(items, list):
        raise Nonsense("Request Tracker answered a list without items", where="items")
    return items


def total_of(answer: object) -> int | None:
    """Read how many there are; None when RT does not say, since it looks at each whether we may see it."""
    total = an_object(answer, "").get("total")
    return total if isinstance(total, int) else None


def an_object(answer: object, where: str) -> Mapping[str, object]:
    """Take what must be a JSON object."""
    if not isinstance(answer, dict):
        raise Nonsense("Request Tracker answered what is no object", where=where or "body")
    return answer


def id_in(value: Mapping[str, object], name: str, where: str) -> str:
    """Read a number; RT writes some as strings."""
    number = str(value.get(name, ""))
    if not (number.isascii() and number.isdigit()):
        raise Nonsense("Request Tracker answered what has no number", where=f"{where}.{name}".lstrip("."))
    return number


def text_in(value: Mapping[str, object], name: str, where: str) -> str:
    """Read a string; null and nothing are the empty one."""
    text = value.get(name)
    if not isinstance(text, str | None):
        raise Nonsense(f"Request Tracker answered a {name} that is no string", where=f"{where}.{name}".lstrip("."))
    return text or ""


def time_in(value: Mapping[str, object], name: str, where: str) -> int | None:
    """Read a time; what was never set is in 1970 there, and what cannot be read is none."""
    return time_in_answer(text_in(value, name, where)) or None


def _services(order: TicketOrder, desk: RtDesk) -> dict[str, list[str]]:
    return {desk.service_field: [each.id for each in order.services]} if desk.service_field else {}


def _values(found: Mapping[str, object], name: str, where: str) -> tuple[str, ...]:
    """Read the values of a custom field; none when there is no such field. It is an empty string when there is no field."""
    fields = found.get("CustomFields") or []
    if not isinstance(fields, list):
        raise Nonsense("Request Tracker answered no list of custom fields", where=f"{where}.CustomFields".lstrip("."))
    values = [each.get("values") for each in fields if isinstance(each, dict) and each.get("name") == name]
    return tuple(one for each in values if isinstance(each, list) for one in each if isinstance(one, str) and one)
