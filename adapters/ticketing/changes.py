"""A customer's own system reports problems and changes tickets by TMF621, as people do by GraphQL: the same changes, said otherwise.

`POST troubleTicket` is reportProblem. `PATCH troubleTicket/{id}` is commentTicket, reopenTicket or closeTicket: notes that
are not shown are new, `status` becomes `inProgress` (reopened) or `closed`, and what is new goes together, in one change. Everything else of a
ticket is the ticketing system's, and stays.

A repetition is known by `Idempotency-Key`, and without it by `externalId`, which is the caller's name for the ticket: one that was
refused may then be posted again, mended or when the time has come.

Pure but for the changes: bodies become a `Problem` or a `TicketRequest`, and what a change says becomes an answer.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.endpoint.edge import Call
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.ticketing.tmf621_resource import SERVICE
from adapters.tmf.shape import Fault, Many, Shape, Text, Thing, Time, Word, faults
from graph.changes.outcome import Outcome
from graph.changes.tickets.problems import report_problem
from graph.changes.tickets.request_rules import (
    MOST_CHARACTERS,
    MOST_OF_A_NAME,
    REPORTABLE,
    SERVICE_NOT_FOUND,
    TICKET_NOT_FOUND,
    Doing,
    Problem,
    TicketRequest,
)
from graph.changes.tickets.requests import change_ticket, patched_before
from graph.model.vocabulary import TICKET_STATES

MOST_NOTES: Final = 100
MOST_OF_A_REFERENCE: Final = 200
"""characters of an externalId: it may become the key by which a repetition is known."""
_TEXT: Final = Text()
_LONG: Final = Text(least=1, most=MOST_CHARACTERS)
_NAME: Final = Text(least=1, most=MOST_OF_A_NAME)
_REFERENCE: Final[Mapping[str, Shape]] = {
    "id": _NAME,
    "href": _TEXT,
    "name": _TEXT,
    "role": _TEXT,
    "@referredType": _TEXT,
    "@type": _TEXT,
    "@baseType": _TEXT,
    "@schemaLocation": _TEXT,
}
_NOTE: Final = Thing(
    fields={"id": _TEXT, "author": _TEXT, "date": Time(), "text": _LONG, "@type": _TEXT}, required=("text",)
)
_UPDATED: Final[Mapping[str, Shape]] = MappingProxyType(
    {
        "description": _LONG,
        "expectedResolutionDate": Time(),
        "externalId": Text(least=1, most=MOST_OF_A_REFERENCE),
        "name": _TEXT,
        "priority": _TEXT,
        "requestedResolutionDate": Time(),
        "resolutionDate": Time(),
        "severity": Word(words=REPORTABLE),
        "statusChangeReason": _LONG,
        "ticketType": _NAME,
        "attachment": Many(of=Thing(), most=0),
        "channel": Thing(),
        "note": Many(of=_NOTE, most=MOST_NOTES),
        "relatedEntity": Many(of=Thing(fields=_REFERENCE, required=("@referredType", "id", "role"))),
        "relatedParty": Many(of=Thing(fields=_REFERENCE, required=("@referredType", "id"))),
        "status": Word(words=TICKET_STATES),
        "troubleTicketRelationship": Many(of=Thing()),
        "@baseType": _TEXT,
        "@schemaLocation": _TEXT,
        "@type": _TEXT,
    }
)
"""The members of TroubleTicket_Update; attachments are not taken."""
UPDATE: Final = Thing(fields=_UPDATED)
CREATE: Final = Thing(
    fields=MappingProxyType(
        {
            **_UPDATED,
            "creationDate": Time(),
            "lastUpdate": Time(),
            "statusChangeDate": Time(),
            "statusChange": Many(of=Thing()),
            "status": Word(words=("acknowledged",)),
        }
    ),
    required=("description", "severity", "ticketType"),
)
"""TroubleTicket_Create; a new ticket is acknowledged, whoever says so."""
_MOVES: Final[Mapping[str, Doing]] = MappingProxyType({"inProgress": "reopenTicket", "closed": "closeTicket"})
_CHANGED: Final = frozenset({"status", "note", "statusChangeReason"})
_OURS: Final = frozenset({"href", "lastUpdate", "statusChange"})
"""What we say of a ticket, and is passed over where it comes back with it: it may have changed since it was read."""


async def create(call: Call, body: object) -> str:
    """Report what a body says, and give the id of the ticket; raises Refusal and MalformedBody."""
    problem = problem_of(body)
    port = call.port
    outcome = await report_problem(
        port.store, call.principal, port.policy, problem, idempotency_key=call.key or None, deadline=call.deadline
    )
    return _ticket_of(outcome)


async def amend(call: Call, body: object, shown: Mapping[str, Any]) -> None:
    """Do to a ticket, which the caller is shown so, what a merge patch says; raises Refusal and MalformedBody.

    A repetition is known by the patch itself, before it is read: what it asks for, and whether it may, depends on the ticket, which
    may be another by then. The ticket must have been read before that, so that nothing happens between the two.
    """
    patch = _patch_of(body)
    outcome = await _patched_before(call, patch, shown["id"])
    if outcome is None and (request := request_of(patch, shown)) is not None:
        port, key = call.port, call.key or uuid.uuid4().hex
        outcome = await change_ticket(
            port.store, call.principal, port.policy, request, idempotency_key=key, deadline=call.deadline
        )
    if outcome is not None:
        _ticket_of(outcome)


async def _patched_before(call: Call, patch: Mapping[str, Any], ticket: str) -> Outcome | None:
    if not call.key:
        return None
    return await patched_before(
        call.port.store, call.principal, ticket, patch, idempotency_key=call.key, deadline=call.deadline
    )


def _patch_of(body: object) -> Mapping[str, Any]:
    found = faults(UPDATE, body)
    if found or not isinstance(body, dict):
        raise MalformedBody(found or [Fault(path="", problem="is not an object")])
    return body


def problem_of(body: object) -> Problem:
    """Read a report."""
    found = faults(CREATE, body)
    if found or not isinstance(body, dict):
        raise MalformedBody(found)
    services = [each["id"] for each in body.get("relatedEntity", ()) if each["@referredType"] == SERVICE]
    if len(set(services)) != 1:
        said = f"names {len(set(services))} of @referredType {SERVICE}; a problem is of one"
        raise MalformedBody([Fault(path="relatedEntity", problem=said)])
    return Problem(
        service=services[0],
        description=body["description"],
        severity=body["severity"],
        ticket_type=body["ticketType"],
        reference=body.get("externalId"),
        note=_joined([each["text"] for each in body.get("note", ())]),
    )


def request_of(body: Mapping[str, Any], shown: Mapping[str, Any]) -> TicketRequest | None:
    """Read what a patch, which has its shape, asks of a ticket; None: nothing."""
    fixed = [each for each in body if each not in _CHANGED | _OURS and body[each] != shown.get(each)]
    if fixed:
        raise MalformedBody([Fault(path=each, problem="cannot be changed") for each in fixed])
    status = body.get("status", shown["status"])
    if status not in (shown["status"], *_MOVES):
        words = " or ".join(_MOVES)
        raise MalformedBody([Fault(path="status", problem=f"becomes {words} here, and nothing else")])
    doing = "commentTicket" if status == shown["status"] else _MOVES[status]
    comment = _joined([*_reason(body), *_new_notes(body, shown)])
    if not comment and doing == "commentTicket":
        return None
    return TicketRequest(doing=doing, ticket=shown["id"], comment=comment, patch=body)


def has_known_notes(body: object) -> bool:
    """Tell whether a patch has notes that may be known: `request_of` must then be shown those of the ticket."""
    notes = body.get("note") if isinstance(body, dict) else None
    return isinstance(notes, list) and any(isinstance(each, dict) and each.get("id") for each in notes)


def _reason(body: Mapping[str, Any]) -> list[str]:
    """Give the reason of a status; where the ticket has that already, as when a patch comes again, it is a comment."""
    if "statusChangeReason" not in body:
        return []
    if body.get("status") not in _MOVES:
        said = f"is of a status that becomes {' or '.join(_MOVES)}; write a note"
        raise MalformedBody([Fault(path="statusChangeReason", problem=said)])
    return [body["statusChangeReason"]]


def _new_notes(body: Mapping[str, Any], shown: Mapping[str, Any]) -> list[str]:
    """Give the texts of notes that are not shown: an id alone may be the caller's own, or of another note by now."""
    known = {(each["id"], each["text"]) for each in shown.get("note", ())}
    return [each["text"] for each in body.get("note", ()) if (each.get("id"), each["text"]) not in known]


def _joined(texts: list[str]) -> str:
    return "\n\n".join(texts)


def _ticket_of(outcome: Outcome) -> str:
    for error in outcome.user_errors:
        if error.code == TICKET_NOT_FOUND:
            raise Refusal("NOT_FOUND")
        if error.code == SERVICE_NOT_FOUND:
            raise MalformedBody([Fault(path="relatedEntity", problem="names no service that there is")])
        raise Refusal("CONFLICT", f"{error.message}.")
    return outcome.ids["ticket"]
