"""A provisioning system to try things with: it makes services and sets rates by TMF640, and says later how it went, or never.

What the network has carried, and since when, can be looked at in Python (`services.carried`) and by HTTP (`/simulator/changes`), and
is in the journal. Services are laid out in Python, by POST of TMF640, or many at a time by PUT to `/simulator/services`
(`[{"id": "service-7", "mbps": 100}, ...]`), outside of the paths of what it stands in for.

    async with serving() as provisioning:
        provisioning.services.add("service-7", 100)
        provisioning.order(Behaviour(way=Way.LATE, seconds=0.2))
        provisioning.address     # "http://127.0.0.1:40123/tmf-api/ServiceActivationAndConfiguration/v4"
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator.faults import Faults
from adapters.simulator.front import answer, authenticate, listed, malformed, read_json, refused, shown
from adapters.simulator.hub import AlreadyThere, Hub, opened
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.manners import POLITE, Manners, tag_of
from adapters.simulator.provisioning.behaviour import Behaviour, Way, next_of
from adapters.simulator.provisioning.services import BASE, MONITOR, RATE, SERVICE, Resource, Services, with_rate
from adapters.simulator.provisioning.services import AlreadyThere as AlreadyHasId
from adapters.simulator.serving import listening
from adapters.tmf.tmf630 import error_body, write_time

CHANGES: Final = "/simulator/changes"
LAID_OUT: Final = "/simulator/services"
_LATER: Final = frozenset({Way.LATE, Way.TWICE, Way.FAILS, Way.ENDLESS, Way.SECRET})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ordered:
    """A behaviour as it comes over HTTP."""

    way: Way
    times: int | None = None
    seconds: float = 0.0
    service: str = ""

    def behaviour(self) -> Behaviour:
        return Behaviour(way=self.way, times=self.times, seconds=self.seconds, service=self.service)


@dataclass(frozen=True, slots=True, kw_only=True)
class _LaidOut:
    """A service as it comes over HTTP."""

    id: str
    mbps: int


_ORDERS: Final = TypeAdapter(list[_Ordered])
_SERVICES: Final = TypeAdapter(list[_LaidOut])


@dataclass(slots=True, kw_only=True)
class Network:
    """What carries the services: it makes changes at once or later, by what was ordered."""

    services: Services
    hub: Hub
    usual: Behaviour
    manners: Manners
    ordered: tuple[Behaviour, ...] = ()
    _under_way: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, service: str, patch: object, key: str) -> tuple[Behaviour, Resource, Resource | None]:
        """Take a change of a service, or raise; give what becomes of it, the service as it is answered, and the monitor."""
        after = self.services.patched(service, patch)
        behaviour = next_of(self.ordered, service, self.usual)
        if behaviour.way is Way.REFUSED:
            raise HTTPException(422, "The port has no room for it")
        if behaviour.way not in _LATER:
            return behaviour, self._made(behaviour.way, after, key), None
        before = self.services.get(SERVICE, service)
        assert before is not None
        monitor = None if behaviour.way is Way.SECRET else self.services.watch(before, patch)
        if behaviour.way is not Way.ENDLESS:
            self._later(self._end(behaviour, after, monitor, key))
        return behaviour, before, monitor

    def begin_new(self, body: object, key: str) -> tuple[Behaviour, Resource, Resource | None]:
        """Take a new service, or raise; give what becomes of it, the service, and the monitor."""
        new = self.services.new(body)
        behaviour = next_of(self.ordered, new["id"], self.usual)
        if behaviour.way is Way.REFUSED:
            raise HTTPException(422, "The port is not there")
        if behaviour.way not in _LATER:
            return behaviour, self._made(behaviour.way, new, key), None
        monitor = None if behaviour.way is Way.SECRET else self.services.watch(new, body, method="POST")
        if behaviour.way is not Way.ENDLESS:
            self._later(self._end(behaviour, new, monitor, key))
        return behaviour, new, monitor

    def end(self, service: str) -> None:
        """Take a service away, or raise."""
        if next_of(self.ordered, service, Behaviour(way=Way.DONE)).way is Way.REFUSED:
            raise HTTPException(422, "The service is in use")
        self.services.remove(service)

    async def close(self) -> None:
        """Leave what is under way."""
        for each in self._under_way:
            each.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def _made(self, way: Way, after: Resource, key: str) -> Resource:
        match way:
            case Way.OTHER_RATE:
                return self.services.carry(with_rate(after, _rate_of(after) // 2), key)
            case Way.OTHER_SERVICE:
                other = next(each for each in self.services.all(SERVICE) if each["id"] != after["id"])
                self.services.carry(with_rate(other, _rate_of(after)), key)
                return self.services.get(SERVICE, after["id"]) or after
            case Way.ECHOED:
                return after
            case _:
                return self.services.carry(after, key)

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _end(self, behaviour: Behaviour, after: Resource, monitor: Resource | None, key: str) -> None:
        await asyncio.sleep(behaviour.seconds)
        fails = behaviour.way is Way.FAILS
        if not fails:
            self.services.carry(after, key)
        if monitor is None:
            return
        if fails:
            body: dict[str, Any] = error_body("60", "The card does not answer", status=500)
            ended = self.services.end(monitor["id"], "InError", 500, body)
        else:
            ended = self.services.end(monitor["id"], "Completed", 200, after)
        for _ in range(2 if behaviour.way is Way.TWICE else 1):
            self.hub.announce("MonitorStateChangeEvent", MONITOR, self.manners.shown(ended), write_time(_now()))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningSystem:
    """A provisioning system that is being served."""

    address: str
    """of the API: what a client of TMF640 is given."""
    services: Services
    faults: Faults
    network: Network

    def order(self, *behaviours: Behaviour) -> None:
        """Let this become of the next changes, and nothing else."""
        self.network.ordered = behaviours


@asynccontextmanager
async def serving(  # noqa: PLR0913  # each by name
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Path | None = None,
    state: Path | None = None,
    bearer: SecretStr | None = None,
    manners: Manners = POLITE,
    usual: Behaviour | None = None,
) -> AsyncIterator[ProvisioningSystem]:
    """Serve one in the running loop while the block runs; `usual` is what becomes of changes that nothing was ordered for.

    With `state`, what it keeps is that of an earlier life with the same file; what was under way then never ends. With `bearer`,
    callers must bring it.
    """
    with closing(Journal(journal)) as received, closing(Journal(state)) as kept:
        services = Services(kept, received, clock=_now)
        services.restore(read_journal(state) if state else [])
        async with opened(None, many=manners.hub == "many") as hub:
            network = Network(services=services, hub=hub, usual=usual or Behaviour(way=Way.DONE), manners=manners)
            desk = _Desk(services=services, network=network, received=received, bearer=bearer, manners=manners)
            faults = Faults(desk.application())
            try:
                async with listening(faults, host=host, port=port) as address:
                    yield ProvisioningSystem(
                        address=f"{address}{BASE}", services=services, faults=faults, network=network
                    )
            finally:
                await network.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoints."""

    services: Services
    network: Network
    received: Journal
    bearer: SecretStr | None
    manners: Manners

    def application(self) -> Starlette:
        routes = [
            Route(CHANGES, self.changes, methods=["GET", "PUT", "DELETE"]),
            Route(LAID_OUT, self.laid_out, methods=["PUT"]),
            Route(f"{BASE}/{SERVICE}", self.listed, methods=["GET"]),
            Route(f"{BASE}/{SERVICE}", self.created, methods=["POST"]),
            Route(f"{BASE}/{SERVICE}/{{id}}", self.one, methods=["GET"]),
            Route(f"{BASE}/{SERVICE}/{{id}}", self.changed, methods=["PATCH"]),
            Route(f"{BASE}/{SERVICE}/{{id}}", self.ended, methods=["DELETE"]),
            Route(f"{BASE}/{MONITOR}", self.monitors, methods=["GET"]),
            Route(f"{BASE}/{MONITOR}/{{id}}", self.monitor, methods=["GET"]),
        ]
        if self.manners.hub != "none":
            routes.append(Route(f"{BASE}/hub", self.subscribed, methods=["POST"]))
            routes.append(Route(f"{BASE}/hub/{{id}}", self.unsubscribed, methods=["DELETE"]))
        return Starlette(routes=routes, exception_handlers={HTTPException: refused, Malformed: malformed})

    async def created(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        key = request.headers.get("idempotency-key", "")
        try:
            behaviour, made, monitor = self.network.begin_new(await read_json(request), key)
        except AlreadyHasId:
            raise HTTPException(409) from None
        self._receive(made["id"], behaviour, key)
        if behaviour.way in _LATER:
            return _accepted(made if monitor is None else self.manners.shown(monitor), monitor)
        return answer(201, made, {"Location": made["href"]})

    async def ended(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        self.network.end(self._there(SERVICE, request)["id"])
        return Response(status_code=204)

    async def listed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        return listed(request, f"{BASE}/{SERVICE}", self.services.all(SERVICE), self.manners)

    async def one(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        found = self._there(SERVICE, request)
        return shown(request, found, self._tag(found))

    async def changed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        before = self._there(SERVICE, request)
        patch = await read_json(request, *self.manners.patches)
        if self.manners.tags and request.headers.get("if-match") not in (None, "*", tag_of(before)):
            raise HTTPException(412)
        key = request.headers.get("idempotency-key", "")
        behaviour, after, monitor = self.network.begin(before["id"], patch, key)
        self._receive(before["id"], behaviour, key)
        if behaviour.way in _LATER:
            return _accepted(after if monitor is None else self.manners.shown(monitor), monitor)
        if not self.manners.shows_changes:
            return Response(status_code=204)
        return answer(200, after, self._tag(after))

    async def monitors(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        shown_as = [self.manners.shown(each) for each in self.services.all(MONITOR)]
        return listed(request, f"{BASE}/{MONITOR}", shown_as, self.manners)

    async def monitor(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        return shown(request, self.manners.shown(self._there(MONITOR, request)))

    async def subscribed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        try:
            subscription = self.network.hub.subscribe(await read_json(request))
        except AlreadyThere:
            raise HTTPException(409) from None
        return answer(201, subscription.shown(), {"Location": f"{BASE}/hub/{subscription.id}"})

    async def unsubscribed(self, request: Request) -> Response:
        authenticate(request, self.bearer)
        if self.network.hub.unsubscribe(request.path_params["id"]) is None:
            raise HTTPException(404)
        return Response(status_code=204)

    async def changes(self, request: Request) -> Response:
        if request.method == "GET":
            return answer(200, [asdict(each) for each in self.services.carried])
        told = await request.body() if request.method == "PUT" else b"[]"
        try:
            self.network.ordered = tuple(each.behaviour() for each in _ORDERS.validate_json(told))
        except (ValidationError, ValueError):
            raise Malformed("These are no ways of a network", field="way") from None
        return Response(status_code=204)

    async def laid_out(self, request: Request) -> Response:
        try:
            told = _SERVICES.validate_json(await request.body())
        except ValidationError:
            raise Malformed("These are no services", field="id") from None
        for each in told:
            self.services.add(each.id, each.mbps)
        return Response(status_code=204)

    def _there(self, kind: str, request: Request) -> Resource:
        found = self.services.get(kind, request.path_params["id"])
        if found is None:
            raise HTTPException(404)
        return found

    def _tag(self, found: Resource) -> dict[str, str]:
        return {"ETag": tag_of(found)} if self.manners.tags else {}

    def _receive(self, service: str, behaviour: Behaviour, key: str) -> None:
        told = {"service": service, "way": behaviour.way.value, "idempotencyKey": key or None}
        self.received.write({"kind": "asked", "time": write_time(_now()), **told})


def _accepted(told: Resource, monitor: Resource | None) -> Response:
    return answer(202, told, {"Location": monitor["href"]} if monitor else None)


def _rate_of(service: Resource) -> int:
    return int(next(each["value"] for each in service["serviceCharacteristic"] if each["name"] == RATE))


def _now() -> int:
    return time.time_ns() // 1_000_000
