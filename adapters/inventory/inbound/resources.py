"""Whoever wants to know which equipment there is asks as any inventory is asked, and sees its own slice of it.

TMF639 v4 under `/tmf-api/resourceInventoryManagement/v4`: `resource`, one or a list. It is read here only: an inventory
sends its feeds elsewhere (inventory_feeds.py), and what differs is settled by a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.edge import Action, Call, Edge, answer, routes
from adapters.endpoint.errors import Refusal
from adapters.endpoint.listing import Listing, Part, answer_list
from adapters.inventory.inbound.codec import encode
from adapters.inventory.inbound.reads import FILTERABLE, PUBLISHED, ResourceReads, is_told, wanted_of
from adapters.tmf.tmf630 import Filter, Sort, read_query, select
from graph.model.scope import Role

BASE: Final = "/tmf-api/resourceInventoryManagement/v4"
PLACE: Final = f"{BASE}/resource"
_LISTING: Final = Listing(
    place=PLACE,
    published=PUBLISHED,
    is_told=is_told,
    told=FILTERABLE,
    orders={},  # the list is one kind after the other
    narrowed_by="category and name",
)
_READERS: Final = frozenset({Role.OPERATOR, Role.ANALYST, Role.CUSTOMER})


def resource_routes(edge: Edge) -> list[Route]:
    """Make the routes, relative to `BASE`."""
    return routes(
        edge,
        {
            "/resource": {"GET": Action(name="listResource", roles=_READERS, run=_list)},
            "/resource/{id}": {"GET": Action(name="retrieveResource", roles=_READERS, run=_retrieve)},
        },
    )


async def _list(call: Call) -> Response:
    reads = _reads(call)

    async def load(filters: Sequence[Filter], _: Sequence[Sort], offset: int, limit: int) -> Part:
        found = await reads.page(wanted_of(filters), offset, limit)
        return Part(total=found.total, resources=[encode(kind, row, PLACE) for kind, row in found.rows])

    return await answer_list(call, _LISTING, load)


async def _retrieve(call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    found = await _reads(call).one(call.id)
    if found is None:
        raise Refusal("NOT_FOUND")
    return answer(200, select(encode(*found, PLACE), asked.fields))


def _reads(call: Call) -> ResourceReads:
    return ResourceReads(port=call.port, principal=call.principal, deadline=call.deadline)
