"""A new service is made in the network once, and taken away where it is not wanted, whatever the network does and whoever dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from adapters.delivery.delivery import Lanes, Pace
from adapters.provisioning import NewService, RateRefused, ResourceRef, ServiceRef
from adapters.provisioning.delivery_handler import ProvisioningHandler
from adapters.provisioning.outbound.tmf640 import Tmf640
from adapters.provisioning.tmf640_resource import Layout, new_service
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.provisioning.behaviour import Behaviour, Way
from adapters.simulator.provisioning.provisioning import ProvisioningSystem, serving
from adapters.transport.transport import System, opened
from graph.store.store import Store
from tests.adapters.conftest import soon
from tests.adapters.delivery.test_delivery import until
from tests.adapters.schema import published
from tests.graph.changes.fulfilment.orders import Ordered, laid_out

PACE = Pace(request_seconds=1.0, processing_seconds=1.5)
NEW = NewService(
    service=ServiceRef(id="service-7", name="Line 7"),
    specification="E-Line",
    mbps=500,
    ends=(ResourceRef(id="port-a", name="A", role="A"), ResourceRef(id="port-z", name="Z", role="Z")),
    ways=(ResourceRef(id="trunk-1", name="T1", role="WORKING"),),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A network with orders, what provisions it, and the processes that send."""

    ordered: Ordered
    system: ProvisioningSystem
    layout: Layout = field(default_factory=Layout)

    @asynccontextmanager
    async def process(self, owner: str = "one", confirm_seconds: float = 60.0) -> AsyncIterator[None]:
        """Run a process's lanes while the block runs."""
        told = System(name="provisioning", address=self.system.address, failures=100)
        async with opened(told) as transport:
            handler = ProvisioningHandler(
                store=self.ordered.store,
                provisioning=Tmf640(transport, self.layout, confirm_seconds=confirm_seconds),
                policy=self.ordered.selling,
                alarms=self.ordered.alarms,
                processing_seconds=PACE.processing_seconds,
            )
            lanes = Lanes(self.ordered.store, handler, PACE, owner=owner, note=lambda _system, _outcome: None)
            task = asyncio.create_task(lanes.run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def begin(self) -> str:
        order = await self.ordered.place()
        await self.ordered.tick()
        return order

    async def settled(self) -> bool:
        rows = await self.ordered.rows(
            "MATCH (d:Delivery {system: 'provisioning'}) WHERE d.state = 'READY' RETURN count(d)"
        )
        return rows == [[0]]

    async def state(self, order: str) -> str:
        return (await self.ordered.states(order))[0]

    def there(self) -> list[int]:
        """Give the rates of the services that the network has."""
        return [self.system.services.rate(each["id"]) for each in self.system.services.all("service")]


@pytest.fixture
async def scene(empty_store: Store) -> AsyncIterator[Scene]:
    ordered = await laid_out(empty_store)
    async with serving() as system:
        yield Scene(ordered=ordered, system=system)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("way", [Way.DONE, Way.LATE, Way.TWICE, Way.SECRET])
async def test_an_order_is_made_in_the_network(scene: Scene, way: Way) -> None:
    scene.system.order(Behaviour(way=way, seconds=0.2))
    async with scene.process():
        order = await scene.begin()
        await until(scene.settled)
    assert await scene.state(order) == "completed"
    assert scene.there() == [500]
    [service] = await scene.ordered.services()
    [there] = scene.system.services.all("service")
    assert there["id"] == service["id"]
    assert [each["id"] for each in there["supportingResource"][:2]] == ["port-a-0", "port-z-0"]


@pytest.mark.parametrize("way", [Way.REFUSED, Way.FAILS, Way.OTHER_RATE, Way.ECHOED])
async def test_what_is_not_made_as_asked_leaves_nothing(scene: Scene, way: Way) -> None:
    scene.system.order(Behaviour(way=way, seconds=0.1, times=1))
    async with scene.process(confirm_seconds=1.0):
        order = await scene.begin()
        await until(scene.settled)
    assert await scene.ordered.states(order) == ("failed", {"1": ("failed", "PROVISIONING")})
    assert scene.there() == []
    assert await scene.ordered.services() == []


@pytest.mark.parametrize("way", [Way.ENDLESS, Way.SECRET])
async def test_what_may_still_be_made_holds_all_until_a_person_says_so(scene: Scene, way: Way) -> None:
    scene.system.order(Behaviour(way=way, seconds=60, times=1))
    async with scene.process(confirm_seconds=0.5):
        order = await scene.begin()
        await until(scene.settled)
    assert await scene.ordered.states(order) == ("inProgress", {"1": ("inProgress", "PROVISIONING")})
    assert "did not say within 0.5 s" in await scene.ordered.detail(order)
    assert await scene.ordered.tasks() == [["serviceNotRemoved", "OPEN"]]
    assert [each["state"] for each in await scene.ordered.services()] == ["reserved"], "it may still be made"


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([Rule(kind=Kind.DOWN, times=2)], id="down"),
        pytest.param([Rule(kind=Kind.SILENT, times=1, method="POST")], id="made, and answered nothing"),
        pytest.param([Rule(kind=Kind.SLOW, times=1, method="POST", seconds=1.3)], id="made too late"),
    ],
)
async def test_whatever_the_network_does_it_is_made_once(scene: Scene, rules: list[Rule]) -> None:
    scene.system.faults.order(*rules)
    async with scene.process():
        order = await scene.begin()
        await until(scene.settled)
    assert await scene.state(order) == "completed"
    assert scene.there() == [500]


async def test_who_dies_between_asking_and_knowing_leaves_it_to_another(scene: Scene) -> None:
    scene.system.order(Behaviour(way=Way.LATE, seconds=1.5))
    async with scene.process("first"):
        order = await scene.begin()
        await until(lambda: scene.system.services.all("monitor") != [])
    async with scene.process("second"):
        await until(scene.settled)
    assert await scene.state(order) == "completed"
    assert len(scene.system.services.all("monitor")) == 1
    assert scene.there() == [500]


async def test_what_was_cancelled_before_it_is_sent_is_not_made(scene: Scene) -> None:
    order = await scene.begin()
    await scene.ordered.cancel(order)
    await scene.ordered.tick()
    async with scene.process():
        await until(scene.settled)
    assert await scene.state(order) == "cancelled"
    assert scene.system.services.carried == []


async def test_what_the_network_does_not_take_away_is_for_a_person(scene: Scene) -> None:
    scene.system.order(Behaviour(way=Way.OTHER_RATE, times=1), Behaviour(way=Way.REFUSED, times=1))
    async with scene.process():
        order = await scene.begin()
        await until(scene.settled)
    assert await scene.state(order) == "inProgress"
    assert await scene.ordered.tasks() == [["serviceNotRemoved", "OPEN"]]
    assert scene.there() == [250]


@pytest.mark.parametrize(
    "layout",
    [
        pytest.param(Layout(), id="our id is the id there"),
        pytest.param(Layout(service_attribute="name"), id="in another attribute"),
        pytest.param(Layout(service_attribute="serviceCharacteristic.value"), id="in a characteristic"),
    ],
)
async def test_it_is_found_again_by_our_id(layout: Layout) -> None:
    async with serving() as system, opened(System(name="provisioning", address=system.address)) as transport:
        dialect = Tmf640(transport, layout, confirm_seconds=60)
        given: dict[str, Any] = {"delivery_id": "event-1:p:s", "deadline": soon()}
        first = await dialect.create_service(NEW, again=False, **given)
        assert await dialect.create_service(NEW, again=True, **given) == first
        assert first.mbps == 500
        assert len(system.services.all("service")) == 1
        await dialect.delete_service(NEW.service, doubt="", **given)
        await dialect.delete_service(NEW.service, doubt="", **given)
        assert system.services.all("service") == []


@pytest.mark.parametrize("attribute", ["", "name", "serviceCharacteristic.value"])
def test_it_is_asked_for_as_it_is_published(attribute: str) -> None:
    body = new_service(NEW, Layout(service_attribute=attribute, unit="Gbps"))
    assert [*published("Service_Create", 640).iter_errors(body)] == []


async def test_an_id_that_cannot_be_given_is_refused_before_anything_is_sent() -> None:
    async with serving() as system, opened(System(name="provisioning", address=system.address)) as transport:
        dialect = Tmf640(transport, Layout(service_attribute="relatedEntity.id"), confirm_seconds=60)
        with pytest.raises(RateRefused, match=r"relatedEntity\.id"):
            await dialect.create_service(NEW, again=False, delivery_id="d", deadline=soon())
        assert system.services.all("service") == []
