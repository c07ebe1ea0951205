"""That a new service is not in the network counts only where it cannot come any more; else a person is asked, and what it holds stays held."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.delivery.retrying import Waits
from adapters.errors import AdapterError
from adapters.provisioning import NewService, RateConfirmed, RateRefused, ServiceRef
from adapters.provisioning.outbound.tmf640 import Tmf640
from adapters.provisioning.tmf640_resource import Layout
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.provisioning.behaviour import Behaviour, Way
from adapters.simulator.provisioning.provisioning import ProvisioningSystem, serving
from adapters.simulator.provisioning.services import BASE
from adapters.simulator.serving import listening
from adapters.transport.transport import System, opened
from tests.adapters.conftest import soon

SERVICE = ServiceRef(id="service-7", name="Line 7")
NEW = NewService(service=SERVICE, specification="E-Line", mbps=500, ends=(), ways=())
T = TypeVar("T")
PATIENCE = 0.6
"""seconds that a change may take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lab:
    """One process's dialect, and what it talks to."""

    dialect: Tmf640

    async def create(self, *, again: bool = False) -> RateConfirmed:
        return await self.dialect.create_service(NEW, again=again, delivery_id="e:p:s", deadline=soon())

    async def delete(self, doubt: str = "") -> None:
        await self.dialect.delete_service(SERVICE, doubt=doubt, delivery_id="f:p:s", deadline=soon())

    async def created(self) -> RateConfirmed:
        """Ask as the ledger does, until it is over."""
        return await _patient(lambda again: self.create(again=again))

    async def deleted(self, doubt: str = "") -> None:
        await _patient(lambda _: self.delete(doubt))


async def _patient(ask: Callable[[bool], Awaitable[T]]) -> T:
    end, again = time.monotonic() + 10, False
    while time.monotonic() < end:
        try:
            return await ask(again)
        except Waits as waits:
            await asyncio.sleep(waits.at_least_ms / 1_000)
        again = True
    raise AssertionError("it is never over")


@asynccontextmanager
async def process(address: str, layout: Layout | None = None) -> AsyncIterator[Lab]:
    """Give a dialect that knows nothing of what others have asked."""
    async with opened(System(name="provisioning", address=address, failures=100)) as transport:
        yield Lab(dialect=Tmf640(transport, layout or Layout(), confirm_seconds=PATIENCE))


@pytest.fixture
async def system() -> AsyncIterator[ProvisioningSystem]:
    async with serving() as found:
        yield found


@pytest.mark.parametrize("way", [Way.ENDLESS, Way.SECRET])
async def test_what_was_given_up_and_may_come_is_not_gone(system: ProvisioningSystem, way: Way) -> None:
    system.order(Behaviour(way=way, seconds=60))
    async with process(system.address) as lab:
        with pytest.raises(RateRefused, match="did not say within") as lost:
            await lab.created()
        assert lost.value.may_come
        with pytest.raises(RateRefused, match="did not say within") as held:
            await lab.deleted(lost.value.reason)
        assert held.value.may_come
    async with process(system.address) as other:
        with pytest.raises(RateRefused, match="did not say within"):
            await other.deleted(lost.value.reason)


async def test_a_monitor_that_others_have_given_up_is_seen_without_being_told(system: ProvisioningSystem) -> None:
    system.order(Behaviour(way=Way.ENDLESS))
    async with process(system.address) as lab:
        with pytest.raises(RateRefused):
            await lab.created()
    async with process(system.address) as other:
        with pytest.raises(RateRefused, match="is in progress"):
            await other.deleted()


@pytest.mark.parametrize("way", [Way.LATE, Way.SECRET])
async def test_what_comes_late_is_taken_away(system: ProvisioningSystem, way: Way) -> None:
    system.order(Behaviour(way=way, seconds=0.3, times=1))
    async with process(system.address) as lab:
        with pytest.raises(Waits):
            await lab.create()
        await lab.deleted()
    assert len(system.services.carried) == 1
    assert system.services.all("service") == []


async def test_what_could_not_be_made_is_gone_at_once(system: ProvisioningSystem) -> None:
    system.order(Behaviour(way=Way.FAILS, times=1))
    async with process(system.address) as lab:
        with pytest.raises(RateRefused, match="in error") as lost:
            await lab.created()
        assert lost.value.may_have_happened
        assert not lost.value.may_come
        await lab.delete()


@pytest.mark.parametrize(
    ("way", "rule"),
    [
        pytest.param(
            Way.LATE, Rule(kind=Kind.UNPROCESSABLE, method="GET", after=3, times=1), id="no look at what was taken"
        ),
        pytest.param(Way.SECRET, Rule(kind=Kind.SILENT, method="POST", times=1), id="the same once more is refused"),
    ],
)
async def test_once_it_was_sent_no_refusal_says_that_it_never_was(
    system: ProvisioningSystem, way: Way, rule: Rule
) -> None:
    system.order(Behaviour(way=way, seconds=0.1 if way is Way.LATE else 60, times=1), Behaviour(way=Way.REFUSED))
    system.faults.order(rule)
    async with process(system.address) as lab:
        with pytest.raises((Waits, AdapterError)):
            await lab.create()
        await asyncio.sleep(0.2)
        with pytest.raises(AdapterError) as lost:
            await _patient(lambda _: lab.create(again=True))
        assert lost.value.may_have_happened


async def test_what_was_made_with_another_id_and_stays_is_named(system: ProvisioningSystem) -> None:
    system.faults.order(Rule(kind=Kind.FOREIGN, method="POST", times=1), Rule(kind=Kind.ERROR, method="DELETE"))
    async with process(system.address) as lab:
        with pytest.raises(RateRefused, match=r"someone-elses was made, and could not be taken away") as lost:
            await lab.create()
        assert lost.value.may_come


async def test_what_is_first_refused_was_never_there(system: ProvisioningSystem) -> None:
    system.order(Behaviour(way=Way.REFUSED))
    async with process(system.address) as lab:
        with pytest.raises(RateRefused) as refused:
            await lab.create()
        assert not refused.value.may_have_happened


@dataclass(slots=True, kw_only=True)
class Slow:
    """A system that answers at once, and shows what it has done some looks later."""

    looks: int
    """so many show the state before: not there, not active, or still there."""
    state: str = ""
    """that a service has until then; empty: it is not shown at all."""
    there: bool = False
    stays: bool = False
    """also when it was taken away."""
    deletes: int = 0

    def application(self) -> Starlette:
        return Starlette(
            routes=[
                Route(f"{BASE}/service", self.listed, methods=["GET"]),
                Route(f"{BASE}/service", self.made, methods=["POST"]),
                Route(f"{BASE}/service/{{id}}", self.one, methods=["GET"]),
                Route(f"{BASE}/service/{{id}}", self.ended, methods=["DELETE"]),
                Route(f"{BASE}/monitor", self.monitors, methods=["GET"]),
            ]
        )

    async def monitors(self, request: Request) -> Response:  # noqa: ARG002
        return JSONResponse([])

    async def made(self, request: Request) -> Response:  # noqa: ARG002
        self.there = True
        return Response(status_code=201)

    async def listed(self, request: Request) -> Response:  # noqa: ARG002
        found = self._shown()
        return JSONResponse([] if found is None else [found])

    async def one(self, request: Request) -> Response:  # noqa: ARG002
        found = self._shown()
        return Response(status_code=404) if found is None else JSONResponse(found)

    async def ended(self, request: Request) -> Response:  # noqa: ARG002
        self.deletes += 1
        self.there = self.stays
        return Response(status_code=202)

    def _shown(self) -> dict[str, Any] | None:
        if not self.there:
            return None
        self.looks -= 1
        state = "active" if self.looks < 0 else self.state
        if not state:
            return None
        return {
            "id": SERVICE.id,
            "name": SERVICE.id,
            "state": state,
            "serviceCharacteristic": [{"name": "bandwidth", "value": 500}],
        }


@asynccontextmanager
async def slow(shown: Slow, layout: Layout | None = None) -> AsyncIterator[Lab]:
    async with listening(shown.application()) as address, process(f"{address}{BASE}", layout) as lab:
        yield lab


async def test_what_is_not_active_yet_is_waited_for() -> None:
    async with slow(Slow(looks=2, state="inactive")) as lab:
        assert (await lab.created()).mbps == 500


async def test_what_never_becomes_active_is_refused_and_taken_away() -> None:
    system = Slow(looks=10_000, state="inactive")
    async with slow(system) as lab:
        with pytest.raises(RateRefused, match="is not active") as lost:
            await lab.created()
        assert lost.value.may_have_happened
        assert not lost.value.may_come


async def test_what_is_not_in_the_list_yet_is_waited_for() -> None:
    async with slow(Slow(looks=3), Layout(service_attribute="name")) as lab:
        assert (await lab.created()).mbps == 500


async def test_what_was_taken_away_and_stays_is_for_a_person() -> None:
    system = Slow(looks=10_000, state="active", there=True, stays=True)
    async with slow(system) as lab:
        with pytest.raises(RateRefused, match="still shows"):
            await lab.deleted()
    assert system.deletes == 1, "it is asked once"


async def test_what_is_terminated_is_gone() -> None:
    async with slow(Slow(looks=10_000, state="terminated", there=True)) as lab:
        await lab.delete()
