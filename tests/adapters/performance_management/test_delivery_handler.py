"""What the network has confirmed is what a service is measured by: once, in order, with the promise of its contract."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from adapters.delivery.delivery import Lanes, Pace
from adapters.fault_management.inbound.alarms import BASE, alarm_routes
from adapters.performance_management.delivery_handler import PerformanceHandler
from adapters.performance_management.outbound.tmf628 import Tmf628
from adapters.performance_management.outbound.tmf628_resource import Measuring
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.performance.performance import SOURCE, PerformanceSystem, serving
from adapters.transport.transport import System, opened
from gateway.settings.settings import Settings
from gateway.settings.settings import System as Caller
from graph.changes import events
from graph.changes.events import Event
from graph.ledger.outbox import Told, write_down
from graph.model.thresholds import Thresholds
from graph.store.store import Store, Transaction
from tests.adapters.delivery.test_delivery import until
from tests.adapters.endpoint.composed import Port, endpoint, routed
from tests.adapters.performance_management.test_tmf628 import of
from tests.gateway.conftest import Mint
from tests.graph.changes.network import AT, Laid, lay, soon

SYSTEM = "performance"
PACE = Pace(request_seconds=1.0, processing_seconds=1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The network, performance monitoring, and the process that tells it."""

    laid: Laid
    system: PerformanceSystem

    @asynccontextmanager
    async def process(self) -> AsyncIterator[None]:
        async with opened(System(name=SYSTEM, address=self.system.address, failures=1_000)) as transport:
            teller = PerformanceHandler(
                store=self.laid.store,
                performance=Tmf628(transport, Measuring()),
                system=SYSTEM,
                thresholds=Thresholds(),
                processing_seconds=PACE.processing_seconds,
            )
            task = asyncio.create_task(Lanes(self.laid.store, teller, PACE, owner="one", note=lambda *_: None).run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def confirm(self, mbps: int, version: int, service: str = "service-a", **more: Any) -> None:
        """Write down that the network carries a rate now."""
        event = Event(
            type="ServiceRateChanged",
            aggregate_id=service,
            aggregate_version=version,
            at=AT,
            principal="network",
            payload={},
            customers=(),
        )
        payload = {
            "telling": "rate",
            "service": {"id": service, "name": service},
            "customer": None,
            "mbps": mbps,
            "committedMbps": 100,
            "tier": "PREMIUM",
            "at": AT,
            "boosts": [],
            **more,
        }

        async def work(transaction: Transaction) -> None:
            events.append(transaction, event)
            told = Told(event=event.id, system=SYSTEM, subject=service, order_key=service, payload=payload)
            write_down(transaction, [told])

        await self.laid.store.write(work, deadline=soon())

    async def states(self) -> set[str]:
        return {str(row[0]) for row in await self.laid.rows("MATCH (d:Delivery) RETURN d.state")}

    async def is_told(self) -> bool:
        return await self.states() == {"DONE"}


@pytest.fixture
async def scene(empty_store: Store) -> AsyncIterator[Scene]:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await laid.run("MATCH (a:Sla {id: 'sla-service-a'}) SET a.availabilityPercent = 99.95")
    async with serving() as system:
        yield Scene(laid=laid, system=system)


async def test_a_service_is_measured_by_its_contract_and_its_rate(scene: Scene) -> None:
    await scene.confirm(500, 1)
    async with scene.process():
        await until(scene.is_told)
    [job] = scene.system.jobs.all()
    assert of(job) == (
        {"rateMbps": 500, "committedMbps": 100},
        {"load": "400", "availability": "99.95"},  # PREMIUM: 80 percent
    )
    [[note]] = await scene.laid.rows("MATCH (d:Delivery) RETURN d.lastError")
    assert note == "there it is PM-00000001", "it is the receipt"


async def test_the_contract_of_now_counts_and_not_that_of_when_it_was_written(scene: Scene) -> None:
    await scene.confirm(200, 1, tier="PREMIUM")
    await scene.laid.run("MATCH (a:Sla {id: 'sla-service-a'}) SET a.tier = 'BASIC', a.availabilityPercent = 99")
    async with scene.process():
        await until(scene.is_told)
    [job] = scene.system.jobs.all()
    assert of(job)[1] == {"load": "190", "availability": "99"}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.TRUNCATED, Kind.DOWN, Kind.UNAVAILABLE])
async def test_what_goes_wrong_is_made_good_in_order_and_no_job_is_made_twice(scene: Scene, kind: Kind) -> None:
    scene.system.faults.order(Rule(kind=kind, times=2, method="POST"))
    for version, mbps in enumerate((500, 800, 100), 1):
        await scene.confirm(mbps, version)
    async with scene.process():
        await until(scene.is_told)
    [job] = scene.system.jobs.all()
    assert of(job)[0]["rateMbps"] == 100, "the last rate is what remains"


async def test_what_is_not_in_use_any_more_is_measured_no_more_and_no_job_is_made_for_it(scene: Scene) -> None:
    await scene.confirm(100, 1)
    await scene.confirm(100, 2, over=True)
    await scene.confirm(100, 1, service="service-b", over=True)
    async with scene.process():
        await until(scene.is_told)
    [job] = scene.system.jobs.all()
    assert (job["jobId"], job["adminState"]) == ("trunkline:service-a", "locked")
    await scene.confirm(200, 3)
    async with scene.process():
        await until(scene.is_told)
    [job] = scene.system.jobs.all()
    assert (of(job)[0]["rateMbps"], job["adminState"]) == (200, "unlocked")


async def test_what_is_no_rate_is_parked_and_holds_up_nobody_else(scene: Scene) -> None:
    await scene.confirm(100, 1, telling="usage")
    await scene.confirm(100, 1, service="service-b")
    async with scene.process():

        async def is_settled() -> bool:
            return await scene.states() == {"DONE", "DEAD"}

        await until(is_settled)
    assert [each["jobId"] for each in scene.system.jobs.all()] == ["trunkline:service-b"]


@pytest.mark.parametrize(("rate", "crossings"), [(100, 1), (500, 0)], ids=["at the committed rate", "boosted"])
async def test_the_load_of_a_boost_is_an_alarm_at_the_committed_rate_only(
    scene: Scene, settings: Settings, mint: Mint, rate: int, crossings: int
) -> None:
    await scene.confirm(rate, 1)
    async with scene.process():
        await until(scene.is_told)
    caller = settings.model_copy(update={"systems": {SYSTEM: Caller(sources=(SOURCE,))}})
    port = Port(scene.laid.store, caller)
    async with routed(endpoint(BASE, alarm_routes, port, caller), caller, BASE) as client:
        headers = mint.bearer(f"system:{SYSTEM}")
        crossed = scene.system.measure("service-a", 300, at=AT)
        for alarm in crossed:
            answer = await client.post("/alarm", json=alarm, headers=headers)
            assert answer.status_code == 201, answer.text
        listed = await client.get("/alarm", headers=mint.bearer("operator"))
        assert listed.status_code == 200, listed.text
    told = [(each["alarmType"], each["crossedThresholdInformation"]["observedValue"]) for each in listed.json()]
    assert told == [("qualityOfServiceAlarm", "300")] * crossings


async def test_the_stand_in_sends_no_header_that_it_need_not(scene: Scene) -> None:
    async with httpx.AsyncClient() as person:
        answer = await person.get(f"{scene.system.address}/measurementCollectionJob")
    assert (answer.status_code, answer.json()) == (200, [])
    assert "x-total-count" not in answer.headers, "headers that nobody must send are not sent"
