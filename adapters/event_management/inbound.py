"""Whoever wants to hear of all that happens asks at one hub, TMF688's, and finds there which topics there are.

TMF688 v4 under `/tmf-api/event/v4`: `hub` as everywhere, and `topic`, one for each sort of thing that events are about. A topic is the
events of one `domain`; it is not made or deleted, and its events are not kept here to be read: they are told.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from adapters.endpoint.edge import Action, Call, Edge, answer, routes
from adapters.endpoint.errors import Refusal
from adapters.endpoint.hub import hub_resources
from adapters.event_management.hub import EVENTS
from adapters.event_words import MEMBERS
from adapters.tmf.tmf630 import page_headers, page_of, read_query, select

BASE: Final = "/tmf-api/event/v4"
TOPICS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        each: {
            "id": each,
            "href": f"{BASE}/topic/{each}",
            "name": each,
            "headerQuery": f"domain={each}",
            "@type": "Topic",
        }
        for each in MEMBERS.values()
    }
)
"""By id."""


def event_routes(edge: Edge) -> list[Route]:
    """Make the routes, relative to `BASE`."""
    roles = EVENTS.tellers
    return routes(
        edge,
        {
            **hub_resources(EVENTS),
            "/topic": {"GET": Action(name="listTopic", roles=roles, run=_list)},
            "/topic/{id}": {"GET": Action(name="retrieveTopic", roles=roles, run=_retrieve)},
        },
    )


async def _list(call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] in ("fields", "offset", "limit")])
    page = page_of(len(TOPICS), asked)
    shown = [select(dict(each), asked.fields) for each in [*TOPICS.values()][page.first : page.end]]
    headers = page_headers(page, f"{BASE}/topic", call.pairs)
    return answer(200 if len(shown) == len(TOPICS) else 206, shown, headers)


async def _retrieve(call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    if call.id not in TOPICS:
        raise Refusal("NOT_FOUND")
    return answer(200, select(dict(TOPICS[call.id]), asked.fields))
