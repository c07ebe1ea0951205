"""Whoever wants to know which equipment there is asks as any inventory is asked, and sees its own slice of it.

TMF639 v4 under `/tmf-api/resourceInventoryManagement/v4`: `resource`, one or a list. It is read here only: an inventory
sends its feeds elsewhere (inventory_feeds.py), and what differs is settled by a person.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.edge import Action, Call, Edge, answer, routes
from adapters.endpoint.errors import Refusal
from adapters.errors import Malformed
from adapters.inventory.inbound.codec import encode
from adapters.inventory.inbound.reads import ResourceReads, wanted_of
from adapters.tmf.tmf630 import Page, page_headers, read_query, select
from graph.model.scope import Role

BASE: Final = "/tmf-api/resourceInventoryManagement/v4"
PLACE: Final = f"{BASE}/resource"
PAGE: Final = 50
LONGEST_PAGE: Final = 100
LAST_OFFSET: Final = 100_000
"""An offset is walked; who wants more of a list asks for one category after the other."""
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
    asked = read_query(call.pairs, limit=PAGE, most=LONGEST_PAGE)
    if asked.offset > LAST_OFFSET:
        raise Malformed(f"is more than {LAST_OFFSET}; filter by category instead", field="offset")
    found = await _reads(call).page(wanted_of(asked.filters), asked.offset, asked.limit)
    first = min(asked.offset, found.total)
    page = Page(total=found.total, first=first, end=first + len(found.rows), limit=asked.limit)
    body = [select(encode(kind, row, PLACE), asked.fields) for kind, row in found.rows]
    return answer(page.status, body, page_headers(page, PLACE, call.pairs))


async def _retrieve(call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    found = await _reads(call).one(call.id)
    if found is None:
        raise Refusal("NOT_FOUND")
    return answer(200, select(encode(*found, PLACE), asked.fields))


def _reads(call: Call) -> ResourceReads:
    return ResourceReads(port=call.port, principal=call.principal, deadline=call.deadline)
