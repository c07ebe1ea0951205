"""What is booked is carried by the network, and what the network says is known: once, whatever it does and whoever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from adapters.delivery.delivery import Lanes, Pace
from adapters.delivery.retrying import Waits
from adapters.errors import Nonsense, Unreachable
from adapters.provisioning import RateConfirmed, RateRefused
from adapters.provisioning.delivery_handler import Provisioned, ProvisioningHandler
from adapters.provisioning.outbound.tmf640 import Tmf640
from adapters.provisioning.tmf640_resource import Layout
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.provisioning.behaviour import Behaviour, Way
from adapters.simulator.provisioning.provisioning import ProvisioningSystem, serving
from adapters.transport.transport import System, opened
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead, Done
from graph.store.store import Store
from tests.adapters.conftest import soon
from tests.adapters.delivery.test_delivery import until
from tests.graph.changes.bandwidth.network import BOB, Booked, laid_out
from tests.graph.changes.fulfilment.orders import NotAsked

PACE = Pace(request_seconds=1.0, processing_seconds=1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A network with rates, what provisions it, and the processes that send."""

    booked: Booked
    system: ProvisioningSystem

    @asynccontextmanager
    async def process(self, owner: str = "one", confirm_seconds: float = 60.0) -> AsyncIterator[None]:
        """Run a process's lanes while the block runs."""
        told = System(name="provisioning", address=self.system.address, failures=100)
        async with opened(told) as transport:
            handler = ProvisioningHandler(
                store=self.booked.store,
                provisioning=Tmf640(transport, Layout(), confirm_seconds=confirm_seconds),
                policy=self.booked.policy,
                processing_seconds=PACE.processing_seconds,
            )
            lanes = Lanes(self.booked.store, handler, PACE, owner=owner, note=lambda _system, _outcome: None)
            task = asyncio.create_task(lanes.run())
            try:
                yield
            finally:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

    async def begin(self, mbps: int = 500) -> str:
        """Book from now on, and let that begin."""
        outcome = await self.booked.book(mbps=mbps)
        assert outcome.ids, outcome
        await self.booked.tick()
        return outcome.ids["boost"]

    def carried(self) -> list[int]:
        return [each.mbps for each in self.system.services.carried if each.service == "service-a"]

    async def settled(self) -> bool:
        rows = await self.booked.rows(
            "MATCH (d:Delivery {system: 'provisioning'}) WHERE d.state = 'READY' RETURN count(d)"
        )
        return rows == [[0]]


@pytest.fixture
async def scene(empty_store: Store) -> AsyncIterator[Scene]:
    booked = await laid_out(empty_store)
    async with serving() as system:
        for service in ("service-a", "service-b"):
            system.services.add(service, 100)
        yield Scene(booked=booked, system=system)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("way", [Way.DONE, Way.LATE, Way.TWICE, Way.SECRET])
async def test_a_boost_is_carried_and_returns(scene: Scene, way: Way) -> None:
    scene.system.order(Behaviour(way=way, seconds=0.2))
    async with scene.process():
        boost = await scene.begin()
        await until(scene.settled)
        assert (await scene.booked.boost(boost))["status"] == "ACTIVATED"
        assert await scene.booked.rates() == (600, 600)
        await scene.booked.cancel(boost)
        await scene.booked.tick()
        await until(scene.settled)
    assert scene.carried() == [600, 100]
    assert (await scene.booked.rates())[1] == 100


@pytest.mark.parametrize("way", [Way.REFUSED, Way.FAILS])
async def test_a_refused_start_is_declined_and_holds_up_nothing(scene: Scene, way: Way) -> None:
    scene.system.order(Behaviour(way=way, seconds=0.1, times=1))
    async with scene.process():
        boost = await scene.begin()
        await until(scene.settled)
        found = await scene.booked.boost(boost)
        assert (found["status"], found["statusReason"]) == ("TERMINATED", "BOOKING_DECLINED")
        [[note]] = await scene.booked.rows("MATCH (d:Delivery {system: 'provisioning'}) RETURN d.lastError")
        assert note.startswith("refused: provisioning ")
        assert "The " in note, "operators see what it has said"
        assert (await scene.booked.steps(boost))["START NETWORK"] == ("REFUSED", None), "customers do not"
        assert scene.carried() == []
        await scene.begin(200)
        await until(scene.settled)
    assert scene.carried() == [300]


async def test_of_a_monitor_that_never_ends_nobody_knows_what_became(scene: Scene) -> None:
    scene.system.order(Behaviour(way=Way.ENDLESS, times=1))
    async with scene.process(confirm_seconds=0.5):
        boost = await scene.begin()
        await until(scene.settled)
    assert (await scene.booked.boost(boost))["status"] == "SCHEDULED"
    assert await scene.booked.rows("MATCH (t:Task) RETURN t.kind, t.state") == [["rateUnknown", "OPEN"]]
    assert await scene.booked.reserved() > 0
    [[note]] = await scene.booked.rows("MATCH (d:Delivery {system: 'provisioning'}) RETURN d.lastError")
    assert "did not say within 0.5 s" in note


async def test_a_receipt_names_nothing_of_the_network(scene: Scene) -> None:
    async with scene.process():
        boost = await scene.begin()
        await until(scene.settled)
    state, receipt = (await scene.booked.steps(boost))["START NETWORK"]
    assert (state, receipt) == ("DONE", "the network carries 600 Mbit/s")
    [[note]] = await scene.booked.rows("MATCH (d:Delivery {system: 'provisioning'}) RETURN d.lastError")
    assert note.startswith(f"{receipt} ("), "operators see what it calls the change"


async def test_another_rate_is_known_as_it_is(scene: Scene) -> None:
    scene.system.order(Behaviour(way=Way.OTHER_RATE, times=1))
    async with scene.process():
        await scene.begin()
        await until(scene.settled)
    assert await scene.booked.rates() == (600, 300)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([Rule(kind=Kind.DOWN, times=2)], id="down"),
        pytest.param([Rule(kind=Kind.SILENT, times=1, method="PATCH")], id="acted and answered nothing"),
        pytest.param([Rule(kind=Kind.SLOW, times=1, method="PATCH", seconds=1.3)], id="acted too late"),
        pytest.param([Rule(kind=Kind.HTML, times=2)], id="a page to log in"),
    ],
)
async def test_whatever_the_network_does_the_rate_is_set_once(scene: Scene, rules: list[Rule]) -> None:
    scene.system.faults.order(*(replace(each) for each in rules))
    async with scene.process():
        await scene.begin()
        await until(scene.settled)
    assert scene.carried() == [600]
    assert await scene.booked.rates() == (600, 600)


async def test_who_dies_while_a_change_is_under_way_leaves_it_to_another(scene: Scene) -> None:
    scene.system.order(Behaviour(way=Way.LATE, seconds=1.5))
    async with scene.process("first"):
        await scene.begin()
        await until(lambda: scene.system.services.all("monitor") != [])
    async with scene.process("second"):
        await until(scene.settled)
    assert scene.carried() == [600]
    assert len(scene.system.services.all("monitor")) == 1
    assert await scene.booked.rates() == (600, 600)


async def test_what_was_overtaken_is_not_set(scene: Scene) -> None:
    boost = await scene.begin()
    await scene.booked.cancel(boost)
    await scene.booked.tick()
    async with scene.process():
        await until(scene.settled)
    assert scene.carried() == []
    assert (await scene.booked.rates())[1] == 100


class Answering(NotAsked):
    """A network that answers one thing, or another, to what it is asked about a rate."""

    def __init__(self, answer: RateConfirmed | Exception) -> None:
        self._answer = answer

    async def set_rate(self, *_asked: object, **_more: object) -> RateConfirmed:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


def claim(attempts: int = 1, service: str = "service-a", telling: str = "rate") -> Claim:
    payload: dict[str, Any] = {"telling": telling, "service": {"id": service, "name": "s"}, "mbps": 600, "at": 1}
    return Claim(id="d", order_key=service, version=1, attempts=attempts, epoch=1, age_ms=0, payload=payload)


@pytest.mark.parametrize(
    ("claimed", "answer", "outcome"),
    [
        pytest.param(claim(), RateConfirmed(mbps=100, reference="R", at=None), Done, id="it is carried"),
        pytest.param(claim(), RateRefused("no"), Done, id="refused"),
        pytest.param(claim(9), RateRefused("no"), Done, id="refused after a while"),
        pytest.param(claim(99), Waits("not yet", at_least_ms=5, at_most_ms=5), Again, id="under way for long"),
        pytest.param(claim(99), Unreachable("away"), Again, id="away for long"),
        pytest.param(claim(3), Nonsense("what?", where="id"), Done, id="nonsense again and again"),
        pytest.param(claim(1, "service-z"), RuntimeError("not asked"), Done, id="a service that is gone"),
        pytest.param(claim(3, telling="weather"), RuntimeError("not asked"), Dead, id="what it is not told of"),
    ],
)
async def test_what_becomes_of_a_claim(
    scene: Scene, claimed: Claim, answer: RateConfirmed | Exception, outcome: type
) -> None:
    handler = ProvisioningHandler(store=scene.booked.store, provisioning=Answering(answer), policy=scene.booked.policy)
    found: Provisioned = await handler.tell(claimed, deadline=soon())
    assert isinstance(found.outcome, outcome)
    if isinstance(answer, Waits) and isinstance(found.outcome, Again):
        assert found.outcome.pause_ms == 5


async def test_what_is_given_up_is_unknown_and_asked_for_again(scene: Scene) -> None:
    """A parked delivery would hold up the return behind it for ever."""
    boost = await scene.begin()
    [claimed] = await scene.booked.claimed("provisioning")
    nonsense = Answering(Nonsense("what?", where="id"))
    handler = ProvisioningHandler(store=scene.booked.store, provisioning=nonsense, policy=scene.booked.policy)
    found = await handler.tell(replace(claimed, attempts=99), deadline=soon())
    await handler.settle([replace(found, outcome=replace(found.outcome, claim=claimed))], deadline=soon())
    assert await scene.booked.rows("MATCH (d:Delivery {state: 'DEAD'}) RETURN d.id") == []
    assert (await scene.booked.boost(boost))["status"] == "SCHEDULED"
    assert await scene.booked.rows("MATCH (t:Task) RETURN t.kind") == [["rateUnknown"]]
    await scene.booked.shift(5_000)
    await scene.booked.tick()
    assert await scene.booked.answer() == ["service-a"]
    assert (await scene.booked.boost(boost))["status"] == "ACTIVATED"


async def test_a_service_that_cannot_be_settled_holds_up_no_other_one(scene: Scene) -> None:
    first = await scene.begin()
    second = (await scene.booked.book(service="service-b", by=BOB, mbps=200)).ids["boost"]
    await scene.booked.tick()
    await scene.booked.run("MATCH (s:Service {id: 'service-a'}) SET s._accountedAt = 'never'")

    async def began() -> bool:
        return bool((await scene.booked.boost(second))["status"] == "ACTIVATED")

    async def failed() -> bool:
        text = "MATCH (d:Delivery {system: 'provisioning', orderKey: 'service-a'}) RETURN d.state, d.lastError"
        return await scene.booked.rows(text) == [["READY", "A fault of ours: TypeError"]]

    async with scene.process():
        await until(began)
        await until(failed)
    assert (await scene.booked.boost(first))["status"] == "SCHEDULED"
