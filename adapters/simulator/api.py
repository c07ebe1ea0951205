"""A server of one resource of TM Forum's: it is made, listed, looked at and changed, and whoever has asked at the hub is told.

What the stand-ins for ticketing and for fault management have in common, which is all but what they keep. Every change that is
acted upon gets its line in the journal before it is answered.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Generic, Protocol, TypeAlias, TypedDict, TypeVar

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator import hub
from adapters.simulator.faults import Faults
from adapters.simulator.front import answer, authenticate, listed, malformed, read_json, refused, shown
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.manners import JSON, POLITE, Manners, tag_of
from adapters.simulator.serving import listening
from adapters.tmf.tmf630 import error_body, write_time

Entries: TypeAlias = list[dict[str, object]]
Resource: TypeAlias = dict[str, Any]


class Unchangeable(Exception):
    """The thing is in a state in which it is not changed any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A thing before and after."""

    before: Resource
    after: Resource


class Shelf(Protocol):
    """What a stand-in keeps, and what it makes of what it is told."""

    def restore(self, entries: Entries) -> None:
        """Take over what an earlier life has kept."""
        ...

    def all(self) -> Sequence[Resource]:
        """Give everything, in the order in which it was made."""
        ...

    def get(self, known_as: str) -> Resource | None:
        """Give one, or None."""
        ...

    def create(self, body: object) -> Resource:
        """Make one, or raise Malformed."""
        ...

    def change(self, known_as: str, patch: object) -> Changed:
        """Apply a merge patch, or raise Malformed, Unchangeable, KeyError."""
        ...


S = TypeVar("S", bound=Shelf)
NO_LISTS: Final[Mapping[str, Callable[[], Sequence[Resource]]]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """What is published of a resource."""

    base: str
    """such as /tmf-api/troubleTicket/v4;"""
    resource: str
    """its name, in paths and events;"""
    update: frozenset[str]
    """the members that a change may have: those of its `_Update`;"""
    journal: tuple[str, ...]
    """the members that a line of the journal has;"""
    created: str
    """the event when one is made,"""
    changed: Callable[[Changed], str]
    """and when one is changed."""

    @property
    def path(self) -> str:
        """Where things are."""
        return f"{self.base}/{self.resource}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """Where a stand-in is, and what it leaves behind."""

    listen: tuple[str, int] = ("127.0.0.1", 0)
    """the host and the port; port 0 is any that is free."""
    journal: Path | None = None
    """a line for each change that was received."""
    state: Path | None = None
    """where what it keeps outlives it."""
    bearer: SecretStr | None = None
    """what callers must bring."""
    callback_authorization: SecretStr | None = None
    """what events bring."""
    manners: Manners = POLITE


class Living(TypedDict, total=False):
    """The fields of a `Life` by their names, as `serving` of each stand-in takes them."""

    listen: tuple[str, int]
    journal: Path | None
    state: Path | None
    bearer: SecretStr | None
    callback_authorization: SecretStr | None
    manners: Manners


@dataclass(frozen=True, slots=True, kw_only=True)
class Served(Generic[S]):
    """A stand-in that is being served."""

    address: str
    """of the API: what a client of it is given."""
    shelf: S
    faults: Faults


@asynccontextmanager
async def serving_api(
    api: Api, make: Callable[[Journal], S], life: Life, lists: Mapping[str, Callable[[], Sequence[Resource]]] = NO_LISTS
) -> AsyncIterator[Served[S]]:
    """Serve a resource in the running loop while the block runs; `make` makes the shelf, which writes what it keeps.

    `lists` are resources beside it that are only listed, by their names.
    """
    entries = read_journal(life.state) if life.state else []
    with closing(Journal(life.journal)) as received, closing(Journal(life.state)) as kept:
        shelf = make(kept)
        shelf.restore(entries)
        async with hub.opened(life.callback_authorization, many=life.manners.hub == "many") as listeners:
            listeners.restore(entries)
            desk = _Desk(api=api, shelf=shelf, hub=listeners, received=received, kept=kept, life=life, lists=lists)
            faults = Faults(desk.application())
            host, port = life.listen
            async with listening(faults, host=host, port=port) as address:
                yield Served(address=f"{address}{api.base}", shelf=shelf, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoints."""

    api: Api
    shelf: Shelf
    hub: hub.Hub
    received: Journal
    kept: Journal
    life: Life
    lists: Mapping[str, Callable[[], Sequence[Resource]]]

    def application(self) -> Starlette:
        path, base = self.api.path, self.api.base
        routes = [
            Route(path, self.created, methods=["POST"], name="create"),
            Route(path, self.listed, methods=["GET"], name="list"),
            Route(f"{path}/{{id}}", self.one, methods=["GET"]),
            Route(f"{path}/{{id}}", self.changed, methods=["PATCH"]),
        ]
        routes += [Route(f"{base}/{name}", self._beside(name), methods=["GET"]) for name in self.lists]
        if self.life.manners.hub != "none":
            routes.append(Route(f"{base}/hub", self.subscribed, methods=["POST"]))
            routes.append(Route(f"{base}/hub/{{id}}", self.unsubscribed, methods=["DELETE"]))
        handlers: dict[Any, Any] = {HTTPException: refused, Malformed: malformed, Unchangeable: _unchangeable}
        return Starlette(routes=routes, exception_handlers=handlers)

    async def created(self, request: Request) -> Response:
        self._authenticate(request)
        made = self.shelf.create(self._read(await read_json(request, JSON)))
        self._receive(request, made)
        self._announce(self.api.created, made)
        return answer(201, self._shown(made), {"Location": str(made["href"]), **self._tag(made)})

    async def listed(self, request: Request) -> Response:
        self._authenticate(request)
        return listed(request, self.api.path, [self._shown(each) for each in self.shelf.all()], self.life.manners)

    def _beside(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """Give the endpoint of a list beside the resource."""

        async def answered(request: Request) -> Response:
            self._authenticate(request)
            found = [self._shown(each) for each in self.lists[name]()]
            return listed(request, f"{self.api.base}/{name}", found, self.life.manners)

        return answered

    async def one(self, request: Request) -> Response:
        self._authenticate(request)
        found = self._there(request)
        return shown(request, self._shown(found), self._tag(found))

    async def changed(self, request: Request) -> Response:
        self._authenticate(request)
        patch = self._read(await read_json(request, *self.life.manners.patches))
        self._check(request, patch)
        changed = self.shelf.change(str(self._there(request)["id"]), patch)
        self._receive(request, changed.after)
        self._announce(self.api.changed(changed), changed.after)
        if not self.life.manners.shows_changes:
            return Response(status_code=204)
        return answer(200, self._shown(changed.after), self._tag(changed.after))

    async def subscribed(self, request: Request) -> Response:
        self._authenticate(request)
        try:
            subscription = self.hub.subscribe(await read_json(request, JSON))
        except hub.AlreadyThere:
            raise HTTPException(409) from None
        self.kept.write({"subscription": subscription.shown()})
        return answer(201, subscription.shown(), {"Location": f"{self.api.base}/hub/{subscription.id}"})

    async def unsubscribed(self, request: Request) -> Response:
        self._authenticate(request)
        subscription = self.hub.unsubscribe(request.path_params["id"])
        if subscription is None:
            raise HTTPException(404)
        self.kept.write({"unsubscribed": subscription.id})
        return Response(status_code=204)

    def _authenticate(self, request: Request) -> None:
        authenticate(request, self.life.bearer)

    def _there(self, request: Request) -> Resource:
        found = self.shelf.get(request.path_params["id"])
        if found is None:
            raise HTTPException(404)
        return found

    def _check(self, request: Request, patch: object) -> None:
        """Refuse a change of what is not changed, or of what is another thing by now."""
        for name, value in patch.items() if isinstance(patch, dict) else ():
            if name not in self.api.update and not name.startswith("@"):
                raise Malformed(f"{name} is none of what a change may have", field=name)
            if value is None and not self.life.manners.nulls:
                raise Malformed(f"{name} is null", field=name)
        wanted = request.headers.get("if-match")
        if self.life.manners.tags and wanted not in (None, "*", tag_of(self._there(request))):
            raise HTTPException(412)

    def _read(self, body: object) -> object:
        if not isinstance(body, dict):
            return body
        if not self.life.manners.extensions:
            _check_references(body)
        return self.life.manners.read(body)

    def _shown(self, resource: Resource) -> Resource:
        return self.life.manners.shown(resource)

    def _tag(self, resource: Resource) -> dict[str, str]:
        return {"ETag": tag_of(resource)} if self.life.manners.tags else {}

    def _receive(self, request: Request, resource: Resource) -> None:
        told = {name: resource.get(name) for name in self.api.journal}
        key = request.headers.get("idempotency-key")
        self.received.write(
            {"time": resource.get("lastUpdate") or _now(), "method": request.method, **told, "idempotencyKey": key}
        )

    def _announce(self, event_type: str, resource: Resource) -> None:
        self.hub.announce(event_type, self.api.resource, self._shown(resource), _now())


_REFERENCE: Final = frozenset({"id", "href", "name", "role", "@baseType", "@schemaLocation", "@type", "@referredType"})
_REFERENCES: Final = ("affectedService",)


def _check_references(body: Mapping[str, Any]) -> None:
    for name in _REFERENCES:
        for number, each in enumerate(body.get(name) or ()):
            more = sorted(each.keys() - _REFERENCE) if isinstance(each, dict) else ["it"]
            if more:
                raise Malformed(f"{more[0]} is in no published schema", field=f"{name}[{number}].{more[0]}")


def _now() -> str:
    return write_time(time.time_ns() // 1_000_000)


async def _unchangeable(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Unchangeable)
    message = "What is closed or cancelled is not changed: make another"
    return answer(409, error_body("unchangeable", "It is closed or cancelled", message=message, status=409))
