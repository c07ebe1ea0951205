"""Meters and mediation systems tell what services have carried; each of them speaks one of two protocols.

TMF635 v4 under `/tmf-api/usageManagement/v4`: `usage`, a record at a time, lists, and its state by PATCH; `listener`, what
became of it, in events. IPDR under `/ipdr/3.5`: `document`, many records at a time, all of them or none. Behind the gates of edge.py each is one change, or a read in the caller's scope.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.billing.inbound import ipdr_codec
from adapters.billing.inbound.codec import USAGE, decode, encode
from adapters.billing.inbound.query import FILTERABLE, ORDERS, filter_of, is_told
from adapters.billing.inbound.reads import UsageReads
from adapters.billing.inbound.states import CREATED, EVENTS, STATE_EVENTS, event_of, move_of
from adapters.endpoint.body import JSON, PATCH, XML, read_body
from adapters.endpoint.edge import READERS, WRITERS, Action, Call, Edge, answer, routes
from adapters.endpoint.errors import Refusal
from adapters.endpoint.listing import Listing, Part, answer_list, orders_of
from adapters.tmf.tmf630 import Filter, Sort, read_query, select
from graph.changes.usage.states import Move, set_usage_state
from graph.changes.usage.usage import Taken, record_usage
from graph.compiler.leaves import rfc3339
from graph.model.mapping import enum_name
from graph.model.usage import Usage

BASE: Final = "/tmf-api/usageManagement/v4"
IPDR_BASE: Final = "/ipdr/3.5"
PLACE: Final = f"{BASE}/usage"
_LISTING: Final = Listing(
    place=PLACE,
    published=("id", "href", *USAGE.fields),
    is_told=is_told,
    told=FILTERABLE,
    orders=ORDERS,
    narrowed_by="usageDate.gt",
)


def usage_routes(edge: Edge) -> list[Route]:
    """Make the routes of TMF635, relative to `BASE`."""
    usages = {
        "GET": Action(name="listUsage", roles=READERS, run=_list),
        "POST": Action(name="createUsage", roles=WRITERS, run=_create, is_work=True),
    }
    one = {
        "GET": Action(name="retrieveUsage", roles=READERS, run=_retrieve),
        "PATCH": Action(name="patchUsage", roles=WRITERS, run=_patch, is_work=True),
    }
    heard = {"POST": Action(name="listenToUsage", roles=WRITERS, run=_heard, is_work=True)}
    return routes(edge, {"/usage": usages, "/usage/{id}": one, "/listener/{event}": heard})


def ipdr_routes(edge: Edge, names: Mapping[str, Mapping[str, str]] = MappingProxyType({})) -> list[Route]:
    """Make the routes of IPDR, relative to `IPDR_BASE`; `names` are what a system calls our fields, by system."""
    take = Action(name="createIpdrDocument", roles=WRITERS, run=partial(_take, names), is_work=True)
    return routes(edge, {"/document": {"POST": take}})


async def _list(call: Call) -> Response:
    reads = _reads(call)

    async def load(filters: Sequence[Filter], sorts: Sequence[Sort], offset: int, limit: int) -> Part:
        found = await reads.page(filter_of(filters), offset, limit, orders=orders_of(sorts, ORDERS))
        return Part(total=found.total, resources=[encode(each, PLACE) for each in found.rows])

    return await answer_list(call, _LISTING, load)


async def _retrieve(call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    row = await _reads(call).one(call.id)
    if row is None:
        raise Refusal("NOT_FOUND")
    return answer(200, select(encode(row, PLACE), asked.fields))


async def _patch(call: Call) -> Response:
    """Give a record another state; the rest of it is what was measured, and stays."""
    row = await _reads(call).one(call.id)
    # Billing need not be able to read what it was told of.
    shown = encode(row, PLACE) if row else {"id": call.id, "href": f"{PLACE}/{call.id}"}
    move = move_of(await call.body(PATCH), shown)
    if not await _moved(call, call.id, move):
        raise Refusal("NOT_FOUND")
    after = await _reads(call).one(call.id)
    unread = {**shown, **move.more, **({} if move.state is None else {"status": move.state})}
    return answer(200, encode(after, PLACE) if after else unread)


async def _heard(call: Call) -> Response:
    """Take what an event says of a record: its state, or of a new one from its source all of it."""
    event = call.request.path_params["event"]
    if event not in EVENTS:
        raise Refusal("NOT_FOUND")
    document = await call.body(JSON)
    if event in STATE_EVENTS:
        told = event_of(document)
        if event == CREATED and not told.is_ours:
            await _record(call, decode(told.body, call.principal.sources))
        elif told.usage and told.move is not None:
            await _moved(call, told.usage, told.move)
    return Response(status_code=204)


async def _record(call: Call, usage: Usage) -> Taken:
    port = call.port
    [taken] = await record_usage(port.store, call.principal, port.policy, [usage], deadline=call.deadline)
    return taken


async def _moved(call: Call, usage_id: str, move: Move) -> bool:
    port = call.port
    return await set_usage_state(port.store, call.principal, port.policy, usage_id, move, deadline=call.deadline)


async def _create(call: Call) -> Response:
    taken = await _record(call, decode(await call.body(JSON), call.principal.sources))
    shown = encode(_row(taken), PLACE)
    return answer(201, shown, {"Location": shown["href"]})


async def _take(names: Mapping[str, Mapping[str, str]], call: Call) -> Response:
    body = await read_body(call.request, XML, call.most_bytes, call.deadline)
    document, usages = ipdr_codec.decode(
        body, call.principal.sources, names=names.get(call.principal.system, {}), most_bytes=call.most_bytes
    )
    taken = await record_usage(call.port.store, call.principal, call.port.policy, usages, deadline=call.deadline)
    records = [{"id": each.usage.id, "usageId": each.usage.external_id, "href": _href(each)} for each in taken]
    return answer(201, {"docId": document, "count": len(records), "usage": records})


def _reads(call: Call) -> UsageReads:
    return UsageReads(port=call.port, principal=call.principal, deadline=call.deadline)


def _href(taken: Taken) -> str:
    return f"{PLACE}/{taken.usage.id}"


def _moment(at: int | None) -> str | None:
    return None if at is None else rfc3339(at)


def _row(taken: Taken) -> dict[str, object]:
    """Give what was taken as reading it would, but for the customer, whom its teller need not know."""
    usage = taken.usage
    return {
        "id": usage.id,
        "from": _moment(usage.start or usage.at),
        "to": _moment(usage.end or usage.at),
        "mbps": usage.mbps,
        "octets": usage.octets,
        "kind": usage.kind,
        "state": enum_name(usage.state),
        "source": usage.source,
        "externalId": usage.external_id,
        "serviceRef": usage.service,
        "service": {"id": taken.service} if taken.service else None,
        "record": usage.record,
    }
