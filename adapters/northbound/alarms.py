"""Fault managers, operators and customers call one address for alarms, each with other rights, and all read one protocol.

TMF642 v4 under `/tmf-api/alarmManagement/v4`: `alarm`, `ackAlarms`, `clearAlarms`. `alarm_routes` makes the routes; who is
calling, until when, and whom to tell what happened is given to it. A request passes, in this order: the method, the
caller's role, the body's type and size, its shape. Everything that goes wrong on the way becomes one error body here;
what nobody foresaw goes up, to whoever logs it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, TypeAlias

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapters.errors import Malformed
from adapters.northbound.alarm_changes import Changing
from adapters.northbound.alarm_codec import encode
from adapters.northbound.alarm_query import filter_of
from adapters.northbound.alarm_reads import AlarmPort, AlarmReads
from adapters.northbound.alarm_tasks import ACK, CLEAR, Task, perform
from adapters.northbound.body import JSON, PATCH, read_json
from adapters.northbound.errors import Refusal, refusal_of
from adapters.tmf import Page, page_headers, read_query, select
from graph.errors import GraphError
from graph.scope import Principal, Role

BASE: Final = "/tmf-api/alarmManagement/v4"
BODY_BYTES: Final = 1_000_000
PAGE: Final = 50
LONGEST_PAGE: Final = 100
LAST_OFFSET: Final = 100_000
"""An offset is walked; who wants more of a list asks for what was raised after the last that it has."""
READERS: Final = frozenset({Role.OPERATOR, Role.ANALYST, Role.CUSTOMER, Role.SYSTEM})
WRITERS: Final = frozenset({Role.OPERATOR, Role.SYSTEM})
_HEADERS: Final = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    "Vary": "Authorization",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a caller that may make it."""

    request: Request
    reads: AlarmReads
    most_bytes: int

    @property
    def id(self) -> str:
        """The id in the address."""
        return str(self.request.path_params["id"])

    @property
    def key(self) -> str | None:
        """What the caller calls this change, so that it is made once."""
        return self.request.headers.get("idempotency-key")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query in the address."""
        return self.request.query_params.multi_items()

    async def body(self, media: tuple[str, ...]) -> object:
        """Read the body."""
        return await read_json(self.request, media, self.most_bytes, self.reads.deadline)


Handler: TypeAlias = Callable[[Call], Awaitable[Response]]
Note: TypeAlias = Callable[[Scope, str, str], None]
"""Told of every request: the name of what was asked, and the code of what went wrong, empty when nothing did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What stands round the endpoint."""

    port: AlarmPort
    caller: Callable[[Scope], Principal]
    deadline: Callable[[Scope], float]
    """of a request, by `time.monotonic()`."""
    note: Note
    body_bytes: int = BODY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What one method does to a resource, who may ask for it, and what it is called in the log."""

    name: str
    roles: frozenset[Role]
    run: Handler


def alarm_routes(edge: Edge) -> list[Route]:
    """Make the routes, relative to `BASE`."""
    resources = {
        "/alarm": {
            "GET": Action(name="listAlarm", roles=READERS, run=_list),
            "POST": Action(name="createAlarm", roles=WRITERS, run=_create),
        },
        "/alarm/{id}": {
            "GET": Action(name="retrieveAlarm", roles=READERS, run=_retrieve),
            "PATCH": Action(name="patchAlarm", roles=WRITERS, run=_patch),
        },
        **_of_task(ACK),
        **_of_task(CLEAR),
        "/{rest:path}": {},
    }
    return [Route(path, Resource(edge, actions)) for path, actions in resources.items()]


def _of_task(task: Task) -> dict[str, dict[str, Action]]:
    async def run(call: Call) -> Response:
        answer = await perform(task, call.reads, await call.body(JSON), call.key)
        href = f"{BASE}/{task.name}/{answer['id']}"
        return _answer(201, {**answer, "href": href}, {"Location": href})

    create = Action(name=f"create{task.name[0].upper()}{task.name[1:]}", roles=WRITERS, run=run)
    gone = Action(name=f"retrieve{create.name.removeprefix('create')}", roles=READERS, run=_gone)
    return {f"/{task.name}": {"GET": gone, "POST": create}, f"/{task.name}/{{id}}": {"GET": gone}}


class Resource:
    """The ASGI application behind one path."""

    def __init__(self, edge: Edge, actions: Mapping[str, Action]) -> None:
        self._edge = edge
        self._actions = actions
        self._allow = ", ".join([*actions, *(["HEAD"] if "GET" in actions else []), "OPTIONS"])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        name = ""
        try:
            if scope["method"] == "OPTIONS" and self._actions:
                await Response(status_code=204, headers={"Allow": self._allow})(scope, receive, send)
                return
            action = self._action(scope["method"])
            name = action.name
            response = await action.run(self._call(action, scope, receive))
            code = ""
        except (Refusal, GraphError, Malformed) as error:
            refusal = error if isinstance(error, Refusal) else refusal_of(error)
            if refusal.status == HTTPStatus.INTERNAL_SERVER_ERROR:
                raise  # a fault of ours: whoever stands round us logs it, and answers the same
            response, code = _answer(refusal.status, refusal.body, refusal.headers), refusal.code
        except ClientDisconnect:
            self._edge.note(scope, name, "CLIENT_GONE")
            return
        self._edge.note(scope, name, code)
        await response(scope, receive, send)

    def _action(self, method: str) -> Action:
        if not self._actions:
            raise Refusal("NOT_FOUND")
        action = self._actions.get("GET" if method == "HEAD" else method)
        if action is None:
            raise Refusal("METHOD_NOT_ALLOWED", f"It has {self._allow}.", headers={"Allow": self._allow})
        return action

    def _call(self, action: Action, scope: Scope, receive: Receive) -> Call:
        principal = self._edge.caller(scope)
        if principal.effective not in action.roles:
            raise Refusal("FORBIDDEN", f"The role {principal.effective.value} may not do this.")
        deadline = self._edge.deadline(scope)
        reads = AlarmReads(port=self._edge.port, principal=principal, deadline=deadline, place=f"{BASE}/alarm")
        return Call(request=Request(scope, receive), reads=reads, most_bytes=self._edge.body_bytes)


async def _list(call: Call) -> Response:
    asked = read_query(call.pairs, limit=PAGE, most=LONGEST_PAGE)
    if asked.offset > LAST_OFFSET:
        raise Malformed(f"is more than {LAST_OFFSET}; filter by alarmRaisedTime.gt instead", field="offset")
    wanted = filter_of(asked.filters, customer=call.reads.is_customer)
    found = await call.reads.page(wanted, asked.offset, asked.limit)
    first = min(asked.offset, found.total)
    page = Page(total=found.total, first=first, end=first + len(found.alarms), limit=asked.limit)
    body = [select(encode(each), asked.fields) for each in found.alarms]
    return _answer(page.status, body, page_headers(page, call.reads.place, call.pairs))


async def _retrieve(call: Call) -> Response:
    asked = read_query([pair for pair in call.pairs if pair[0] == "fields"])
    seen = await call.reads.one(call.id)
    if seen is None:
        raise Refusal("NOT_FOUND")
    return _answer(200, select(encode(seen), asked.fields))


async def _create(call: Call) -> Response:
    changing = Changing(reads=call.reads, most_bytes=call.most_bytes)
    alarm = await changing.create(await call.body(JSON), call.key)
    return _answer(201, alarm, {"Location": alarm["href"]})


async def _patch(call: Call) -> Response:
    changing = Changing(reads=call.reads, most_bytes=call.most_bytes)
    return _answer(200, await changing.amend(call.id, await call.body(PATCH)))


async def _gone(_: Call) -> Response:
    raise Refusal("NOT_FOUND")


def _answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, {**_HEADERS, **(headers or {})})
