"""Order management places orders and follows them: `productOrder` and `serviceOrder` with all that TMF622 and TMF641 publish, but to delete.

`POST` places, `GET` lists and reads, `PATCH` changes what is not begun and, for operators, moves; `cancelProductOrder` and `cancelServiceOrder`
ask to cancel; `hub` tells of what happens. By a system that the settings name (`orders.systems`), by operators for anyone, and by customers'
own systems with a token that says so.

Whoever places what it has placed already is answered as before. An order is not deleted here: it is cancelled, and its history stays.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.body import JSON, PATCH
from adapters.endpoint.edge import READERS, Action, Call, Edge, Resources, answer, routes
from adapters.endpoint.errors import Refusal
from adapters.endpoint.hub import hub_resources
from adapters.endpoint.listing import answer_list
from adapters.order_management.api import Api
from adapters.order_management.changes import amend, cancel, create
from adapters.order_management.hub import topic_of
from adapters.order_management.reads import OrderReads, cancellations_listing, orders_listing
from adapters.tmf.tmf630 import read_query, select
from graph.model.scope import Role

ASKERS: Final = frozenset({Role.OPERATOR, Role.CUSTOMER, Role.SYSTEM})
"""Who may place, change and cancel: a system that the settings name, and a customer with a token that says so."""


def order_routes(api: Api, edge: Edge) -> list[Route]:
    """Make the routes of one API, relative to its base."""
    return routes(edge, {**_orders(api), **_cancellations(api), **hub_resources(topic_of(api))})


def _orders(api: Api) -> Resources:
    return {
        f"/{api.order}": {
            "GET": Action(name=f"list{api.type}", roles=READERS, run=partial(_list, api)),
            "POST": Action(name=f"create{api.type}", roles=ASKERS, run=partial(_create, api), is_work=True),
        },
        f"/{api.order}/{{id}}": {
            "GET": Action(name=f"retrieve{api.type}", roles=READERS, run=partial(_retrieve, api)),
            "PATCH": Action(name=f"patch{api.type}", roles=ASKERS, run=partial(_patch, api), is_work=True),
        },
    }


def _cancellations(api: Api) -> Resources:
    name = f"Cancel{api.type}"
    return {
        f"/{api.cancel}": {
            "GET": Action(name=f"list{name}", roles=READERS, run=partial(_list_cancellations, api)),
            "POST": Action(name=f"create{name}", roles=ASKERS, run=partial(_cancel, api), is_work=True),
        },
        f"/{api.cancel}/{{id}}": {
            "GET": Action(name=f"retrieve{name}", roles=READERS, run=partial(_retrieve_cancellation, api)),
        },
    }


def _reads(api: Api, call: Call) -> OrderReads:
    return OrderReads(api=api, port=call.port, principal=call.principal, deadline=call.deadline)


async def _list(api: Api, call: Call) -> Response:
    return await answer_list(call, orders_listing(api), _reads(api, call).part)


async def _list_cancellations(api: Api, call: Call) -> Response:
    return await answer_list(call, cancellations_listing(api), _reads(api, call).cancellations)


async def _retrieve(api: Api, call: Call) -> Response:
    return _one(call, await _reads(api, call).one(call.id))


async def _retrieve_cancellation(api: Api, call: Call) -> Response:
    return _one(call, await _reads(api, call).cancellation(call.id))


def _one(call: Call, shown: Mapping[str, Any] | None) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    if shown is None:
        raise Refusal("NOT_FOUND")
    return answer(200, select(shown, asked.fields))


async def _create(api: Api, call: Call) -> Response:
    order = await create(api, call, await call.body(JSON))
    shown = None
    with contextlib.suppress(Refusal):  # the order is placed, whatever keeps us from reading it
        shown = await _reads(api, call).one(order)
    return _made(api.place, order, shown)


async def _cancel(api: Api, call: Call) -> Response:
    cancellation = await cancel(api, call, await call.body(JSON))
    shown = None
    with contextlib.suppress(Refusal):
        shown = await _reads(api, call).cancellation(cancellation)
    return _made(api.cancel_place, cancellation, shown)


def _made(place: str, made: str, shown: Mapping[str, Any] | None) -> Response:
    href = f"{place}/{made}"
    return answer(201, shown or {"id": made, "href": href}, {"Location": href})


async def _patch(api: Api, call: Call) -> Response:
    body, reads = await call.body(PATCH), _reads(api, call)
    shown = await reads.one(call.id)
    if shown is None:
        raise Refusal("NOT_FOUND")
    await amend(api, call, body, shown)
    return answer(200, await reads.one(call.id) or shown)
