"""People change tickets in the ticketing system, and it tells us of it, as TMF621 v4 says: an event to a listener.

`POST /tmf-api/troubleTicketManagement/v4/listener/<event>`, by the ticketing system itself, with a token of its own
(`system:<name>`, the name that the settings give it), or by an operator. What is told is believed as far as what it
answers to a question is; unlike there, a time must be one of RFC 3339 and a status one that is known. A ticket of somebody else's that refers to a service of ours is kept, for that service's customer;
of any other that we have not opened nothing is, and the answer is the same.

`GET .../troubleTicket` gives the tickets that the caller sees, as far as they are known here (`reads.py`).
"""

from __future__ import annotations

from functools import partial
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.body import JSON
from adapters.endpoint.edge import READERS, WRITERS, Action, Call, Edge, answer, routes
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.endpoint.listing import answer_list
from adapters.errors import Nonsense
from adapters.ticketing.hearing import take
from adapters.ticketing.reads import listing_at, part_of
from adapters.ticketing.tmf621_resource import Statuses, check_explained, reported_of
from adapters.tmf.shape import Text, Thing, Time, faults
from adapters.tmf.tmf630 import Filter, read_query, select
from graph.model.scope import Role

BASE: Final = "/tmf-api/troubleTicketManagement/v4"
PLACE: Final = f"{BASE}/troubleTicket"
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
    tickets = {"GET": Action(name="listTroubleTicket", roles=READERS, run=_list)}
    one = {"GET": Action(name="retrieveTroubleTicket", roles=READERS, run=_retrieve)}
    return routes(edge, {"/troubleTicket": tickets, "/troubleTicket/{id}": one, "/listener/{event}": {"POST": listen}})


async def _list(call: Call) -> Response:
    return await answer_list(call, listing_at(PLACE), partial(part_of, call, PLACE))


async def _retrieve(call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    part = await part_of(call, PLACE, (Filter(path=("id",), values=(call.id,)),), (), 0, 1)
    if not part.resources:
        raise Refusal("NOT_FOUND")
    return answer(200, select(part.resources[0], asked.fields))


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
        await take(port.store, port.policy, reported, deadline=call.deadline)
    return Response(status_code=204)
