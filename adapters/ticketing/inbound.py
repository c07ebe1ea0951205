"""People change tickets in the ticketing system, and it tells us of it, as TMF621 v4 says: an event to a listener.

`POST /tmf-api/troubleTicketManagement/v4/listener/<event>`, by the ticketing system itself, with a token of its own
(`system:<name>`, the name that the settings give it), or by an operator. What is told is believed as far as what it
answers to a question is; unlike there, a time must be one of RFC 3339 and a status one that is known. A ticket of somebody else's that refers to a service of ours is kept, for that service's customer;
of any other that we have not opened nothing is, and the answer is the same.

`GET .../troubleTicket` gives the tickets that the caller sees, as far as they are known here (`reads.py`).

Customers' own systems have all of TMF621 under the address that the standard publishes, `/tmf-api/troubleTicket/v4`: they read their
tickets there, report (`POST`), comment, reopen and close (`PATCH`, `changes.py`), and ask to be told (`hub.py`).
"""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.body import JSON, PATCH
from adapters.endpoint.edge import READERS, WRITERS, Action, Call, Edge, Resources, answer, routes
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.endpoint.hub import hub_resources
from adapters.endpoint.listening import take_once
from adapters.endpoint.listing import answer_list
from adapters.errors import Nonsense
from adapters.ticketing.changes import amend, create, has_known_notes
from adapters.ticketing.hearing import take
from adapters.ticketing.hub import TICKETS
from adapters.ticketing.reads import TicketReads, listing_at
from adapters.ticketing.tmf621_resource import Statuses, check_explained, reported_of
from adapters.tmf.shape import Text, Thing, Time, faults
from adapters.tmf.tmf630 import read_query, select
from graph.model.scope import Role

BASE: Final = "/tmf-api/troubleTicketManagement/v4"
PLACE: Final = f"{BASE}/troubleTicket"
DESK_BASE: Final = "/tmf-api/troubleTicket/v4"
DESK_PLACE: Final = f"{DESK_BASE}/troubleTicket"
ASKERS: Final = frozenset({Role.OPERATOR, Role.CUSTOMER})
"""Who may report and change: a customer with a token that says so."""
EVENTS: Final = (
    "troubleTicketCreateEvent",
    "troubleTicketAttributeValueChangeEvent",
    "troubleTicketStatusChangeEvent",
    "troubleTicketDeleteEvent",
    "troubleTicketResolvedEvent",
    "troubleTicketInformationRequiredEvent",
)
"""The listeners of TMF621 v4.0.0."""
_EVENT: Final = Thing(
    fields={"event": Thing(fields={"troubleTicket": Thing(fields={"lastUpdate": Time(), "status": Text(least=1)})})}
)


def ticket_routes(edge: Edge, statuses: Statuses) -> list[Route]:
    """Make the routes, relative to `BASE`; `statuses` are those of the ticketing system's own lifecycle."""
    listen = Action(name="listenToTroubleTicket", roles=WRITERS, run=partial(_heard, statuses))
    return routes(edge, {**_read(PLACE), "/listener/{event}": {"POST": listen}})


def desk_routes(edge: Edge) -> list[Route]:
    """Make the routes of what customers' systems call, relative to `DESK_BASE`."""
    read = _read(DESK_PLACE)
    tickets, one = "/troubleTicket", "/troubleTicket/{id}"
    made = Action(name="createTroubleTicket", roles=ASKERS, run=_create, is_work=True)
    amended = Action(name="patchTroubleTicket", roles=ASKERS, run=_patch, is_work=True)
    changed = {tickets: {**read[tickets], "POST": made}, one: {**read[one], "PATCH": amended}}
    return routes(edge, {**changed, **hub_resources(TICKETS)})


def _read(place: str) -> Resources:
    listed = Action(name="listTroubleTicket", roles=READERS, run=partial(_list, place))
    retrieved = Action(name="retrieveTroubleTicket", roles=READERS, run=partial(_retrieve, place))
    return {"/troubleTicket": {"GET": listed}, "/troubleTicket/{id}": {"GET": retrieved}}


def _reads(place: str, call: Call) -> TicketReads:
    return TicketReads(port=call.port, principal=call.principal, deadline=call.deadline, place=place)


async def _list(place: str, call: Call) -> Response:
    return await answer_list(call, listing_at(place), _reads(place, call).part)


async def _retrieve(place: str, call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    reads = _reads(place, call)
    shown = await reads.one(call.id)
    if shown is None:
        raise Refusal("NOT_FOUND")
    wants_story = not asked.fields or {"note", "statusChange"} & set(asked.fields)
    story = await reads.story(call.id) if wants_story and call.principal.effective is not Role.SYSTEM else {}
    return answer(200, select({**shown, **story}, asked.fields))


async def _create(call: Call) -> Response:
    ticket = await create(call, await call.body(JSON))
    href = f"{DESK_PLACE}/{ticket}"
    shown = None
    with contextlib.suppress(Refusal):  # the ticket is opened, whatever keeps us from reading it
        shown = await _reads(DESK_PLACE, call).one(ticket)
    return answer(201, shown or {"id": ticket, "href": href}, {"Location": href})


async def _patch(call: Call) -> Response:
    body, reads = await call.body(PATCH), _reads(DESK_PLACE, call)
    shown = await reads.one(call.id)
    if shown is None:
        raise Refusal("NOT_FOUND")
    story = await reads.story(call.id) if has_known_notes(body) else {}
    await amend(call, body, {**shown, **story})
    return answer(200, await reads.one(call.id) or shown)


async def _heard(statuses: Statuses, call: Call) -> Response:
    principal, port = call.principal, call.port
    system = port.policy.ticketing
    if principal.effective is Role.SYSTEM and principal.system != system:
        raise Refusal("FORBIDDEN", "Only the ticketing system tells of its tickets.")
    if call.request.path_params["event"] not in EVENTS:
        raise Refusal("NOT_FOUND")
    document = await call.body(JSON)
    told = document.get("event") if isinstance(document, dict) else None
    ticket, where = told.get("troubleTicket") if isinstance(told, dict) else None, "event.troubleTicket"
    if isinstance(ticket, dict) and (found := faults(_EVENT, document)):
        raise MalformedBody(found)
    try:
        reported = reported_of(ticket, statuses, where)
        check_explained(reported.state, where)
    except Nonsense as error:
        raise Refusal("BAD_USER_INPUT", f"{error.where}: {error.message}") from error
    if system:
        taking = partial(take, port.store, port.policy, reported, deadline=call.deadline)
        await take_once(call, document, taking)
    return Response(status_code=204)
