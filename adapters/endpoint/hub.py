"""Other systems ask to be told of alarms, tickets or any event, by the hub of TM Forum's APIs: where they want to hear, and of which.

`POST hub` with a `callback`, and a `query` in the grammar of a list's filters, to which `eventType` is added, as the API calls its
events, and `kind`, which tells some apart that bear one name there (`graph.model.event_kinds`); `DELETE hub/{id}`.
Each is told only what whoever registered it may read. Where callbacks may lead, the settings say (`adapters.webhooks.outward`).
A `Topic` says what is different between the APIs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from starlette.responses import Response

from adapters.endpoint.body import JSON
from adapters.endpoint.edge import Action, Call, Resources, answer
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.errors import Malformed
from adapters.event_words import TMF
from adapters.tmf.shape import Text, Thing, faults
from adapters.tmf.tmf630 import Filter, read_query
from adapters.webhooks.outward import check_callback
from graph.ledger import hubs
from graph.ledger.hubs import Hub, TooMany, Wish
from graph.model.event_kinds import EventKind
from graph.model.scope import Principal, Role

PATH: Final = "/hub"
_TYPE: Final = "eventType"
_KIND: Final = "kind"
_LONGEST_QUERY: Final = 2_000
_SHAPE: Final = Thing(fields={"callback": Text(), "query": Text()}, required=("callback",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """What the hubs of one API are about."""

    name: str
    """what it is kept under."""
    tellers: frozenset[Role]
    """who may register."""
    kinds: tuple[EventKind, ...]
    """what it tells of;"""
    check: Callable[[tuple[Filter, ...]], object]
    """raises Malformed for filters that no list of it takes."""
    words: Mapping[str, str] = field(default_factory=lambda: TMF)
    """the API's event for each kind, by its name;"""
    members: Mapping[str, str] = field(default_factory=dict)
    """and what such an event calls what it is about, where that is another thing than in the others."""

    @property
    def events(self) -> frozenset[str]:
        """The names of the API's events, as an `eventType` has them."""
        return frozenset(self.words[each.name] for each in self.kinds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a query asks for."""

    kinds: frozenset[str]
    """the names of the kinds of events,"""
    filters: tuple[Filter, ...]
    """and which alarms, tickets, ..."""


def hub_resources(topic: Topic) -> Resources:
    """Make the actions of a hub."""
    return {
        PATH: {
            "GET": Action(name="listHub", roles=topic.tellers, run=partial(listed, topic)),
            "POST": Action(name="createHub", roles=topic.tellers, run=partial(register, topic)),
        },
        f"{PATH}/{{id}}": {
            "GET": Action(name="retrieveHub", roles=topic.tellers, run=partial(retrieve, topic)),
            "DELETE": Action(name="deleteHub", roles=topic.tellers, run=partial(remove, topic)),
        },
    }


async def register(topic: Topic, call: Call) -> Response:
    """Tell somebody from now on."""
    rules = call.port.outward
    if not (rules.hosts or rules.loopback):
        raise Refusal("FORBIDDEN", "Nobody is told here: the setting `hubs` allows no hosts.")
    document = await call.body(JSON)
    if found := faults(_SHAPE, document):
        raise MalformedBody(found)
    assert isinstance(document, dict), "its shape says so"
    query = str(document.get("query") or "")
    read_wanted(topic, query)
    wish = Wish(
        topic=topic.name,
        principal=call.principal.subject,
        reads=written(call.principal),
        callback=check_callback(document["callback"], rules),
        query=query,
    )
    try:
        if not await hubs.register(call.port.store, wish, deadline=call.deadline):
            raise Refusal("CONFLICT", "There is a hub with this callback and query already.")
    except TooMany as error:
        whose = " of this caller" if error.most == hubs.MOST_OF_ONE else ""
        raise Refusal("CONFLICT", f"There are {error.most} hubs{whose} already.") from None
    href = f"{call.request.scope['path'].rstrip('/')}/{wish.id}"  # starlette's URL is made of the client's Host, too
    return answer(201, _shown_wish(wish), {"Location": href})


async def listed(topic: Topic, call: Call) -> Response:
    """Give the caller's own, with how each fares; an operator sees all."""
    found = await hubs.listed(call.port.store, principal=_of(call), deadline=call.deadline, topic=topic.name)
    return answer(200, [_shown(each) for each in found])


async def retrieve(topic: Topic, call: Call) -> Response:
    """Give one."""
    return answer(200, _shown(await _there(topic, call)))


async def remove(topic: Topic, call: Call) -> Response:
    """Tell it no more."""
    found = await _there(topic, call)
    await hubs.remove(call.port.store, found.id, deadline=call.deadline)
    return Response(status_code=204)


def read_wanted(topic: Topic, query: str) -> Wanted:
    """Read which events a query asks for, and of which alarms or tickets, or raise Malformed."""
    if len(query) > _LONGEST_QUERY:
        raise Malformed(f"has more than {_LONGEST_QUERY} characters", field="query")
    filters = read_query(parse_qsl(query.removeprefix("?"), keep_blank_values=True)).filters
    types = _values(filters, _TYPE, topic.events)
    names = _values(filters, _KIND, frozenset(each.name for each in topic.kinds))
    rest = tuple(each for each in filters if each.path not in ((_TYPE,), (_KIND,)))
    topic.check(rest)
    kinds = (each.name for each in topic.kinds if topic.words[each.name] in types and each.name in names)
    return Wanted(kinds=frozenset(kinds), filters=rest)


def _values(filters: Sequence[Filter], name: str, known: frozenset[str]) -> frozenset[str]:
    """Give the words that filters of this name ask for, of those that there are; all, where there is none."""
    given = [each for each in filters if each.path == (name,)]
    values = frozenset(value for each in given for value in each.values)
    if unknown := values - known:
        raise Malformed(f"{name} is {min(unknown)}, and none of {', '.join(sorted(known))}", field="query")
    return values if given else known


def written(principal: Principal) -> str:
    """Write down as what somebody reads."""
    said: dict[str, object] = {"role": principal.effective.value, "system": principal.system}
    said |= {"sources": list(principal.sources)}
    said |= {"customers": list(principal.customers)} if principal.customers else {}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode()


def reader(hub: Hub) -> Principal:
    """Read it again."""
    said: dict[str, Any] = orjson.loads(hub.reads)
    return Principal(
        subject=hub.principal,
        role=Role(said["role"]),
        system=said["system"],
        sources=tuple(said["sources"]),
        customers=tuple(said.get("customers", ())),
    )


def _of(call: Call) -> str:
    return "" if call.principal.effective is Role.OPERATOR else call.principal.subject


async def _there(topic: Topic, call: Call) -> Hub:
    found = await hubs.hub_of(call.port.store, call.id, deadline=call.deadline, topic=topic.name)
    if found is None or _of(call) not in ("", found.principal):
        raise Refusal("NOT_FOUND")
    return found


def _shown_wish(wish: Wish) -> dict[str, object]:
    return {"id": wish.id, "callback": wish.callback, **({"query": wish.query} if wish.query else {})}


def _shown(hub: Hub) -> dict[str, object]:
    query = {"query": hub.query} if hub.query else {}
    reason = {"reason": hub.reason} if hub.reason else {}
    return {"id": hub.id, "callback": hub.callback, **query, "state": hub.state, "skipped": hub.skipped, **reason}
