"""People change tickets in the ticketing system, and it tells us of it, as TMF621 v4 says: an event to a listener.

`POST /tmf-api/troubleTicketManagement/v4/listener/<event>`, by the ticketing system itself, with a token of its own
(`system:<name>`, the name that the settings give it), or by an operator. What is told is believed as far as what it
answers to a question is. A ticket of somebody else's that refers to a service of ours is kept, for that service's customer;
of any other that we have not opened nothing is, and the answer is the same.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.body import JSON
from adapters.endpoint.edge import WRITERS, Action, Call, Edge, routes
from adapters.endpoint.errors import Refusal
from adapters.errors import Nonsense
from adapters.ticketing.hearing import take
from adapters.ticketing.tmf621_resource import reported_of
from graph.model.scope import Role

BASE: Final = "/tmf-api/troubleTicketManagement/v4"
EVENTS: Final = (
    "troubleTicketCreateEvent",
    "troubleTicketAttributeValueChangeEvent",
    "troubleTicketStatusChangeEvent",
    "troubleTicketDeleteEvent",
    "troubleTicketInformationRequiredEvent",
)


def ticket_routes(edge: Edge) -> list[Route]:
    """Make the routes, relative to `BASE`."""
    listen = Action(name="listenToTroubleTicket", roles=WRITERS, run=_heard)
    return routes(edge, {"/listener/{event}": {"POST": listen}})


async def _heard(call: Call) -> Response:
    principal, port = call.principal, call.port
    system = port.policy.ticketing
    if principal.effective is Role.SYSTEM and principal.system != system:
        raise Refusal("FORBIDDEN", "Only the ticketing system tells of its tickets.")
    if call.request.path_params["event"] not in EVENTS:
        raise Refusal("NOT_FOUND")
    document = await call.body(JSON)
    told = document.get("event") if isinstance(document, dict) else None
    try:
        reported = reported_of(told.get("troubleTicket") if isinstance(told, dict) else None, "event.troubleTicket")
    except Nonsense as error:
        raise Refusal("BAD_USER_INPUT", f"{error.where}: {error.message}") from error
    if system:
        await take(port.store, system, reported, deadline=call.deadline)
    return Response(status_code=204)
