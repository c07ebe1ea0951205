"""Whoever calls us passes the same gates whatever is called: the method, the role, the time, and one way to be told no.

An endpoint is a table of paths; each path has actions by method, each action says who may ask for it. What goes wrong on the way
becomes one error body here (`Told` decides its form); what nobody foresaw goes up, to whoever logs it.

In: `Edge`, what stands round all endpoints: who is calling, until when, whom to tell what happened. Out: routes.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol, TypeAlias

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from adapters.endpoint.body import read_json
from adapters.endpoint.errors import Refusal, refusal_of
from adapters.errors import Malformed
from adapters.webhooks.outward import Rules
from graph.changes.policy import AlarmPolicy
from graph.errors import GraphError
from graph.model.scope import Principal, Role
from graph.store.store import Store

BODY_BYTES: Final = 1_000_000
READERS: Final = frozenset({Role.OPERATOR, Role.ANALYST, Role.CUSTOMER, Role.SYSTEM})
WRITERS: Final = frozenset({Role.OPERATOR, Role.SYSTEM})
_HEADERS: Final = {
    "Content-Type": "application/json; charset=utf-8",
    "Cache-Control": "no-store",
    "Vary": "Authorization",
}


class Port(Protocol):
    """What endpoints need of the rest: questions to the graph, and what changes are made with."""

    async def ask(
        self, text: str, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> dict[str, Any]:
        """Give a GraphQL answer: `data`, and `errors` with a code in their extensions; raises nothing foreseeable."""
        ...

    @property
    def store(self) -> Store:
        """The open store; raises graph.errors.StoreUnavailable while it is away."""
        ...

    @property
    def policy(self) -> AlarmPolicy:
        """What the operator has decided about alarms."""
        ...

    @property
    def outward(self) -> Rules:
        """What the operator has decided about callbacks that others name."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request of a caller that may make it."""

    request: Request
    port: Port
    principal: Principal
    deadline: float
    """by `time.monotonic()`."""
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
        """Read the body as JSON."""
        return await read_json(self.request, media, self.most_bytes, self.deadline)


Handler: TypeAlias = Callable[[Call], Awaitable[Response]]
Note: TypeAlias = Callable[[Scope, str, str], None]
"""Told of every request: the name of what was asked, and the code of what went wrong, empty when nothing did."""
Told: TypeAlias = Callable[[Refusal], Response]
"""Makes the answer that says no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """What stands round the endpoints."""

    port: Port
    caller: Callable[[Scope], Principal]
    deadline: Callable[[Scope], float]
    """of a request, by `time.monotonic()`."""
    note: Note
    pressure: Callable[[], float]
    """seconds after which to bring new work again; 0: now."""
    body_bytes: int = BODY_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What one method does to a resource, who may ask for it, and what it is called in the log."""

    name: str
    roles: frozenset[Role]
    run: Handler
    is_work: bool = False
    """whether it obliges us to tell others, and so is refused while too much of that waits."""


Resources: TypeAlias = Mapping[str, Mapping[str, Action]]
"""Actions by method, by path."""


def refused(refusal: Refusal) -> Response:
    """Say no in the words of TM Forum's APIs."""
    return answer(refusal.status, refusal.body, refusal.headers)


def answer(status: int, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(orjson.dumps(body), status, {**_HEADERS, **(headers or {})})


def routes(edge: Edge, resources: Resources, told: Told = refused) -> list[Route]:
    """Make the routes of an endpoint; every other path below it is refused in the same words."""
    known: Resources = {**resources, "/{rest:path}": {}}
    return [Route(path, Resource(edge, actions, told)) for path, actions in known.items()]


def unknown_routes(edge: Edge) -> list[Route]:
    """Make the route of what no endpoint has: it is refused like what an endpoint has not."""
    return routes(edge, {})


class Resource:
    """The ASGI application behind one path."""

    def __init__(self, edge: Edge, actions: Mapping[str, Action], told: Told) -> None:
        self._edge = edge
        self._told = told
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
            response, code = self._told(refusal), refusal.code
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
        wait = self._edge.pressure() if action.is_work and principal.effective is not Role.OPERATOR else 0.0
        if wait:
            raise Refusal("OVERLOADED", headers={"Retry-After": str(math.ceil(wait))})
        return Call(
            request=Request(scope, receive),
            port=self._edge.port,
            principal=principal,
            deadline=self._edge.deadline(scope),
            most_bytes=self._edge.body_bytes,
        )
