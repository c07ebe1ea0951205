"""What is written into a TMF621 trouble ticket, and what is believed of one that comes back.

A ticketing system may be a proxy's login page, another tenant, or a system that ignores a filter: an answer that is not
about our ticket must not move ours. And a ticket is not ours alone: people write notes there and set it on hold. A
merge patch (RFC 7396) replaces lists as a whole, so what we change in a list is put between what others have in it.

Which ticket it is must be sure. All else of it may be odd: a status of a lifecycle of its own is what the settings say of
it, or unknown; a time that cannot be read is none.

Pure: bodies out of orders, `TicketState` out of answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, TypeAlias

from adapters.errors import Nonsense
from adapters.ticketing import (
    FINAL,
    ReportedTicket,
    StatusChange,
    TicketHistory,
    TicketNote,
    TicketOrder,
    TicketState,
    TicketUpdate,
    is_kept,
)
from adapters.tmf.tmf630 import time_in_answer, write_time
from graph.model.model import LABELS
from graph.model.vocabulary import EFFECTS, TICKET_STATES

FIELDS: Final = ("id", "externalId", "status", "severity", "lastUpdate", "creationDate")
"""What is asked for of a ticket that is only looked at."""
HISTORY: Final = ("id", "externalId", "note", "statusChange")
"""What is asked for of a ticket whose story is wanted."""
REPORT: Final = (*FIELDS, "relatedEntity", "relatedParty")
"""What is asked for of a ticket that may be about a service of ours."""
SERVICE: Final = "Service"
CUSTOMER: Final = "Customer"
TICKET_TYPE: Final = "fault"
AUTHOR: Final = "trunkline"
CAUSE: Final = "cause"
"""The role of the alarm. The role of a service is what the alarm does to it."""
_OURS: Final = frozenset({CAUSE, *EFFECTS})
_LONGEST_REASON: Final = 250
_CLOCKS_DIFFER_MS: Final = 5_000
"""theirs from ours; and a date may have whole seconds only."""
_DELIVERY: Final = re.compile(rf"{LABELS['Event'].id_prefix}[0-9a-f-]+:.*")
"""The id of a delivery: whoever shows it keeps the ids of notes."""


Statuses: TypeAlias = Mapping[str, str]
"""Statuses of a lifecycle of their own, each with the word of TMF621 for it."""


def creation(order: TicketOrder, delivery_id: str, at: int) -> dict[str, object]:
    """Make the body that opens a ticket; `at` is now, in epoch milliseconds."""
    return {
        "externalId": order.external_id,
        "ticketType": order.ticket_type,
        "severity": order.severity,
        "status": order.status,
        "name": order.name,
        "description": order.description,
        "relatedParty": [
            {
                "id": order.customer.id,
                "name": order.customer.name,
                "role": "customer",
                "@referredType": CUSTOMER,
            }
        ],
        "relatedEntity": _entities(order),
        **({"note": [_note(AUTHOR, order.note, delivery_id, at)]} if order.note else {}),
    }


def change(
    ticket: Mapping[str, object], order: TicketOrder, delivery_id: str, at: int, statuses: Statuses
) -> dict[str, object]:
    """Make the merge patch that brings a ticket, as it stands there now, to what the order says.

    A list that is as it should be is not in it: who writes into it meanwhile loses nothing.
    """
    patch: dict[str, object] = {"severity": order.severity}
    if not is_kept(_status(ticket, statuses), order.status):
        patch["status"] = order.status
        if order.note:
            patch["statusChangeReason"] = order.note[:_LONGEST_REASON]
    notes = _list_in(ticket, "note")
    # The delivery's id is the note's: when it is told again, it does not appear twice.
    if order.note and not _is_noted(ticket, delivery_id, AUTHOR, order.note, order.repeated_since):
        patch["note"] = [*notes, _note(AUTHOR, order.note, delivery_id, at)]
    if order.status != "resolved" or order.services:  # a ticket that is over goes on to say what it was about
        theirs = [each for each in _list_in(ticket, "relatedEntity") if _member(each, "role") not in _OURS]
        if (entities := [*theirs, *_entities(order)]) != ticket.get("relatedEntity"):
            patch["relatedEntity"] = entities
    return patch


def is_noted(ticket: Mapping[str, object], wanted: TicketUpdate, delivery_id: str) -> bool:
    """Tell whether a ticket has the note of a delivery."""
    return _is_noted(ticket, delivery_id, wanted.author, wanted.text, wanted.repeated_since)


def _is_noted(
    ticket: Mapping[str, object], delivery_id: str, author: str, text: str, repeated_since: int | None
) -> bool:
    """Look for the id of a delivery; a system that gives notes ids of its own has the text of what is repeated."""
    is_last = repeated_since is not None and _is_last_said(ticket, author, text, repeated_since)
    return is_last or _has_note(ticket, delivery_id)


def _has_note(ticket: Mapping[str, object], delivery_id: str) -> bool:
    return any(_member(each, "id") == delivery_id for each in _list_in(ticket, "note"))


def _is_last_said(ticket: Mapping[str, object], author: str, text: str, since: int) -> bool:
    """Tell whether the last note of an author has this text, and is not from before: then it is of something else."""
    notes = _list_in(ticket, "note")
    last = next((each for each in reversed(notes) if _member(each, "author") == author), None)
    if last is None or _member(last, "text") != text or _DELIVERY.fullmatch(str(_member(last, "id"))):
        return False
    said_at = time_in_answer(_member(last, "date"))
    return said_at is None or said_at >= since - _CLOCKS_DIFFER_MS


def update(
    ticket: Mapping[str, object], wanted: TicketUpdate, delivery_id: str, at: int, statuses: Statuses
) -> dict[str, object]:
    """Make the merge patch that does to a ticket, as it stands there now, what somebody asks of it; empty: it is done.

    Note and status go together: whoever finds the note by its id knows that the status was set, whatever it is by now. A note that is
    found by its text may be an earlier one: it is not written twice, and the status is set where it is not. A ticket that people
    have opened again already stays as they have it.
    """
    if _has_note(ticket, delivery_id):
        return {}
    patch: dict[str, object] = {}
    if not is_noted(ticket, wanted, delivery_id):
        patch["note"] = [*_list_in(ticket, "note"), _note(wanted.author, wanted.text, delivery_id, at)]
    status = _status(ticket, statuses)
    if (wanted.status == "closed" and status not in FINAL) or (wanted.status and status == "resolved"):
        patch |= {"status": wanted.status, "statusChangeReason": wanted.text[:_LONGEST_REASON]}
    return patch


def state_of(answer: object, statuses: Statuses, where: str = "") -> TicketState:
    """Read one ticket, whosever it is; `where` is its place in the answer."""
    ticket = an_object(answer, where)
    their_id, external_id = _ids(ticket, where)
    return TicketState(
        id=their_id,
        external_id=external_id,
        status=_status(ticket, statuses),
        severity=_word(ticket.get("severity")),
        changed_at=time_in_answer(ticket.get("lastUpdate")),
    )


def check_explained(state: TicketState, where: str = "") -> TicketState:
    """Give a state whose status is one of TMF621's; raises Nonsense for one that nobody has explained."""
    if state.status is None:
        raise Nonsense(
            "A ticket that the ticketing system answered has a status that is none of TMF621",
            hint="Say in the setting ticketing.statuses which of TMF621's it is",
            where=f"{where}.status".lstrip("."),
        )
    return state


def reported_of(answer: object, statuses: Statuses, where: str = "") -> ReportedTicket:
    """Read which services a ticket names, and for which customer it says that it is, if it names one only."""
    ticket = an_object(answer, where)
    services = _referred(ticket, "relatedEntity", SERVICE, where) if "relatedEntity" in ticket else None
    customers = set(_referred(ticket, "relatedParty", CUSTOMER, where))
    customer = customers.pop() if len(customers) == 1 else None
    return ReportedTicket(state=state_of(answer, statuses, where), services=services, customer=customer)


def id_of(answer: object, where: str = "") -> str:
    """Read which ticket an answer is about."""
    return _ids(an_object(answer, where), where)[0]


def history_of(answer: object, statuses: Statuses, where: str = "") -> TicketHistory:
    """Read what has happened to one ticket; `where` is its place in the answer."""
    ticket = an_object(answer, where)
    their_id, external_id = _ids(ticket, where)
    notes = [_read_note(each, f"{where}.note[{n}]") for n, each in enumerate(_list_in(ticket, "note", where))]
    changes = _list_in(ticket, "statusChange", where)
    made = [_read_change(each, statuses, f"{where}.statusChange[{n}]") for n, each in enumerate(changes)]
    return TicketHistory(
        id=their_id,
        external_id=external_id,
        notes=tuple(sorted(notes, key=lambda each: each.at or 0)),
        changes=tuple(sorted(made, key=lambda each: each.at or 0)),
    )


def state_of_ours(answer: object, external_id: str, statuses: Statuses, where: str = "") -> TicketState:
    """Read one ticket that must be the one with this key."""
    state = state_of(answer, statuses, where)
    if state.external_id != external_id:
        raise _nonsense(
            "has another external id than the one asked for: it belongs to someone else", where, "externalId"
        )
    return state


def created_at(answer: object, where: str = "") -> int:
    """Read when a ticket was opened there; one that does not say counts as the last."""
    moment = time_in_answer(an_object(answer, where).get("creationDate"))
    return 2**63 if moment is None else moment


def an_object(answer: object, where: str = "") -> Mapping[str, object]:
    """Take what must be a JSON object."""
    if not isinstance(answer, dict):
        raise Nonsense("The ticketing system answered what is no ticket", where=where or "body")
    return answer


def _entities(order: TicketOrder) -> list[object]:
    alarms = [{"id": order.alarm_id, "role": CAUSE, "@referredType": "Alarm"}] if order.alarm_id else []
    services = [{"id": each.id, "role": each.effect, "@referredType": SERVICE} for each in order.services]
    return [*alarms, *services]


def _note(author: str, text: str, delivery_id: str, at: int) -> dict[str, str]:
    return {"id": delivery_id, "author": author, "date": write_time(at), "text": text}


def _read_note(value: object, where: str) -> TicketNote:
    note = an_object(value, where)
    return TicketNote(
        author=_text(note, "author", where), text=_text(note, "text", where), at=time_in_answer(note.get("date"))
    )


def _read_change(value: object, statuses: Statuses, where: str) -> StatusChange:
    change = an_object(value, where)
    return StatusChange(
        status=_status(change, statuses),
        word=_word(change.get("status")),
        reason=_text(change, "changeReason", where),
        at=time_in_answer(change.get("changeDate")),
    )


def _ids(ticket: Mapping[str, object], where: str) -> tuple[str, str | None]:
    their_id, external_id = _word(ticket.get("id")), ticket.get("externalId")
    if their_id in ("", ".", ".."):
        raise _nonsense("has no id that is a string", where, "id")
    return their_id, None if external_id is None else _word(external_id)


def _status(ticket: Mapping[str, object], statuses: Statuses) -> str | None:
    word = _word(ticket.get("status"))
    return statuses.get(word) or (word if word in TICKET_STATES else None)


def _word(value: object) -> str:
    """Read a word or a number as text; what is neither is none."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _text(value: Mapping[str, object], name: str, where: str) -> str:
    text = value.get(name)
    if not isinstance(text, str | None):
        raise _nonsense(f"has a {name} that is no string", where, name)
    return text or ""


def _list_in(ticket: Mapping[str, object], name: str, where: str = "") -> list[object]:
    value = ticket.get(name)
    if not isinstance(value, list | None):
        raise _nonsense(f"has a {name} that is no list", where, name)
    return value or []


def _referred(ticket: Mapping[str, object], name: str, kind: str, where: str) -> tuple[str, ...]:
    """Give the ids of those that are referred to as of this kind, each once."""
    found = [each for each in _list_in(ticket, name, where) if _member(each, "@referredType") == kind]
    ids = [each_id for each in found if isinstance(each_id := _member(each, "id"), str) and each_id]
    return tuple(dict.fromkeys(ids))


def _member(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _nonsense(what: str, where: str, member: str) -> Nonsense:
    return Nonsense(
        f"A ticket that the ticketing system answered {what}",
        hint="Look whether its address leads to the right system",
        where=f"{where}.{member}".lstrip("."),
    )
