"""Customers are made, renamed and given up in customer management, and it tells us of it, as TMF629 v4 says: an event to a listener.

`POST /tmf-api/customerManagement/v4/listener/<event>`, by customer management itself, with a token of its own (`system:<name>`, the name
that the settings give it), or by an operator. What is told is believed as far as what it answers to a question is. An event says when it was
(`eventTime`); without that it is taken to be of now. A customer that is deleted there is marked here, and nothing of it is deleted.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.customer_management.looking import subject_of
from adapters.customer_management.tmf629_resource import gone_of, record_of
from adapters.endpoint.body import JSON
from adapters.endpoint.edge import WRITERS, Action, Call, Edge, routes
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.endpoint.listening import take_once
from adapters.errors import Nonsense
from adapters.tmf.shape import Text, Thing, faults
from adapters.tmf.tmf630 import time_in_answer
from graph.changes.customers.records import CustomerRecord, clock_of, take_records
from graph.model.scope import Role

BASE: Final = "/tmf-api/customerManagement/v4"
DELETED: Final = "customerDeleteEvent"
EVENTS: Final = (
    "customerCreateEvent",
    "customerAttributeValueChangeEvent",
    "customerStateChangeEvent",
    DELETED,
)
"""The listeners of TMF629 v4.0.0."""
_EVENT: Final = Thing(fields={"event": Thing(fields={"customer": Thing(fields={"id": Text(least=1)})})})


def customer_routes(edge: Edge, segment: str) -> list[Route]:
    """Make the routes, relative to `BASE`; `segment` is the characteristic that is the segment."""
    listen = Action(name="listenToCustomer", roles=WRITERS, run=partial(_heard, segment))
    return routes(edge, {"/listener/{event}": {"POST": listen}})


async def _heard(segment: str, call: Call) -> Response:
    principal, port = call.principal, call.port
    system, event = port.policy.customer_management, call.request.path_params["event"]
    if principal.effective is Role.SYSTEM and principal.system != system:
        raise Refusal("FORBIDDEN", "Only customer management tells of its customers.")
    if event not in EVENTS:
        raise Refusal("NOT_FOUND")
    document = await call.body(JSON)
    now = await clock_of(port.store, deadline=call.deadline)
    record = _record(document, event, segment, now)

    async def take() -> None:
        await take_records(port.store, port.policy, [record], subject=subject_of(system), deadline=call.deadline)

    await take_once(call, document, take)
    return Response(status_code=204)


def _record(document: Any, event: str, segment: str, now: int) -> CustomerRecord:
    """Read what an event says of its customer; one without a time is of now, by the database's clock."""
    told = document.get("event") if isinstance(document, dict) else None
    customer, where = told.get("customer") if isinstance(told, dict) else None, "event.customer"
    if isinstance(customer, dict) and (found := faults(_EVENT, document)):
        raise MalformedBody(found)
    moment = time_in_answer(document.get("eventTime")) if isinstance(document, dict) else None
    at = now if moment is None else moment
    try:
        if event == DELETED:
            return gone_of(customer, at=at, where=where)
        return record_of(customer, at=at, segment=segment, where=where)
    except Nonsense as error:
        raise Refusal("BAD_USER_INPUT", f"{error.where}: {error.message}") from error
