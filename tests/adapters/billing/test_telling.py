"""What is recorded in the graph is in billing: once, in order, whatever billing does and whoever dies meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from adapters.billing import Record
from adapters.billing.telling import BillingTeller, record_of
from adapters.delivery.delivery import Lanes, Pace
from adapters.errors import AdapterError, Nonsense
from adapters.simulator.faults import Kind, Rule
from graph.changes.deliveries import replay_delivery
from graph.changes.events import Event, append
from graph.changes.policy import AlarmPolicy
from graph.changes.services import metered
from graph.changes.usage.usage import record_usage
from graph.ledger.claims import Claim
from graph.ledger.outbox import write_down
from graph.ledger.outcomes import Again, Dead, Done
from graph.model.scope import Principal, Role
from graph.model.usage import BOOST, Usage
from graph.store.store import Store, Transaction
from tests.adapters.billing.dialects import NAMES, Told, dialect
from tests.adapters.conftest import soon
from tests.adapters.delivery.test_delivery import until
from tests.graph.changes.network import AT, SOURCE, SYSTEM, Laid, lay, report

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
POLICY = AlarmPolicy(billing="billing")
PACE = Pace(request_seconds=1.0, processing_seconds=1.5)
HOUR = 3_600_000
MINUTE = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """The network, a billing system, and the processes that tell it."""

    laid: Laid
    told: Told

    @asynccontextmanager
    async def process(self, owner: str = "one") -> AsyncIterator[asyncio.Task[None]]:
        """Run a process's lanes while the block runs."""
        teller = BillingTeller(
            store=self.laid.store,
            billing=self.told.billing,
            system=POLICY.billing,
            processing_seconds=PACE.processing_seconds,
        )
        task = asyncio.create_task(
            Lanes(self.laid.store, teller, PACE, owner=owner, note=lambda _system, _outcome: None).run()
        )
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def meter(self, *numbers: int, service: str = "service-a") -> None:
        usages = [
            Usage(
                source=SOURCE,
                external_id=f"{service} {number}",
                service=service,
                start=AT + number * HOUR,
                end=AT + (number + 1) * HOUR,
                octets=number,
                mbps=100,
            )
            for number in numbers
        ]
        await record_usage(self.laid.store, SYSTEM, POLICY, usages, deadline=soon(30))

    async def breaks(self, target: str, number: int = 1) -> None:
        await self.laid.raise_(report(target, number), policy=POLICY)

    async def mended(self, target: str, number: int = 1) -> None:
        at = AT + MINUTE
        alarm = report(target, number, cleared=True, cleared_at=at, changed_at=at, record={"at": at})
        await self.laid.raise_(alarm, policy=POLICY)

    def order(self, *rules: Rule) -> None:
        assert self.told.system is not None
        self.told.system.faults.order(*(replace(each) for each in rules))

    def has(self, service: str) -> list[tuple[Any, Any]]:
        """Give what billing has of a service: octets of usage or effect, and the end."""
        held = [each for each in self.told.held() if each["service"] == service]
        return [(each.get("octets", each.get("effect")), each["end"]) for each in held]


async def promised(store: Store) -> Laid:
    """The network, with what its contracts promise: without a promise billing has no objective."""
    await lay(store)
    laid = Laid(store=store)
    await laid.run("MATCH (l:Sla) SET l.availabilityPercent = 99.9")
    return laid


@pytest.fixture(params=NAMES)
async def scene(request: pytest.FixtureRequest, empty_store: Store, tmp_path: Path) -> AsyncIterator[Scene]:
    laid = await promised(empty_store)
    async with dialect(request.param, tmp_path / "spool") as told:
        yield Scene(laid=laid, told=told)


@pytest.fixture
async def by_http(empty_store: Store, tmp_path: Path) -> AsyncIterator[Scene]:
    laid = await promised(empty_store)
    async with dialect("tmf635", tmp_path) as told:
        yield Scene(laid=laid, told=told)


def settled(scene: Scene) -> Callable[[], Awaitable[bool]]:
    async def asked() -> bool:
        return await scene.laid.rows("MATCH (d:Delivery) WHERE d.state = 'READY' RETURN count(d)") == [[0]]

    return asked


@pytest.mark.sampled(2)
async def test_usage_and_downtime_get_there(scene: Scene) -> None:
    async with scene.process():
        await scene.meter(1, 2)
        await scene.breaks("port-b")
        await until(settled(scene))
        assert scene.has("service-b") == [("down", None)]
        await scene.mended("port-b")
        await until(settled(scene))
    assert sorted(scene.has("service-a")) == [(1, AT + 2 * HOUR), (2, AT + 3 * HOUR)]
    assert scene.has("service-b") == [("down", AT + MINUTE)]
    assert await scene.laid.rows("MATCH (d:Delivery) WHERE d.state <> 'DONE' RETURN d.id") == []


async def test_a_boost_gets_there_with_its_rate_and_without_octets(scene: Scene) -> None:
    boost = Usage(
        source="trunkline",
        external_id="boost-1/1",
        service="service-a",
        start=AT + 1,
        end=AT + 2 * HOUR + 7,
        octets=None,
        mbps=400,
        kind=BOOST,
    )

    async def work(transaction: Transaction) -> None:
        [service] = (await metered.lock(transaction, ["service-a"])).values()
        event = Event(
            type="UsageRecorded",
            aggregate_id=service.id,
            aggregate_version=service.version + 1,
            at=service.now,
            principal="trunkline",
            payload={"usage": boost.id, "service": service.id},
            customers=(service.customer,),
        )
        append(transaction, event)
        write_down(transaction, [metered.told("billing", event.id, service.id, metered.payload(boost, service))])

    await scene.laid.store.write(work, deadline=soon(30))
    async with scene.process():
        await until(settled(scene))
    [held] = scene.told.held()
    assert (held["id"], held["kind"], held["mbps"], held["octets"]) == (boost.id, "boost", 400, None)
    assert (held["start"], held["end"], held["service"]) == (AT + 1, AT + 2 * HOUR + 7, "service-a")


@pytest.mark.sampled(4)
@pytest.mark.parametrize(
    "rules",
    [
        pytest.param([Rule(kind=Kind.DOWN, times=3)], id="down"),
        pytest.param([Rule(kind=Kind.ERROR, times=3)], id="an error inside"),
        pytest.param([Rule(kind=Kind.TOO_MANY, times=2, seconds=1)], id="too many requests"),
        pytest.param([Rule(kind=Kind.SILENT, times=2, method="POST")], id="acted and answered nothing"),
        pytest.param([Rule(kind=Kind.TRUNCATED, times=2, method="POST")], id="half an answer"),
        pytest.param([Rule(kind=Kind.SLOW, times=2, method="POST", seconds=1.3)], id="acted too late to be waited for"),
        pytest.param([Rule(kind=Kind.HTML, times=2)], id="a page to log in"),
    ],
)
async def test_whatever_billing_does_it_has_everything_once(by_http: Scene, rules: list[Rule]) -> None:
    by_http.order(*rules)
    async with by_http.process():
        await by_http.meter(1)
        await by_http.breaks("port-b")
        await by_http.mended("port-b")
        await until(settled(by_http))
    assert by_http.has("service-a") == [(1, AT + 2 * HOUR)]
    assert by_http.has("service-b") == [("down", AT + MINUTE)]


async def test_what_came_while_billing_was_away_is_told_in_order(by_http: Scene) -> None:
    by_http.order(Rule(kind=Kind.DOWN))
    async with by_http.process():
        await by_http.meter(*range(5))
        await asyncio.sleep(0.3)
        by_http.order()
        await until(settled(by_http))
    assert [octets for octets, _ in by_http.has("service-a")] == [0, 1, 2, 3, 4]


@pytest.mark.sampled(2)
async def test_who_dies_after_billing_has_acted_leaves_one_record(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    acted = asyncio.Event()
    tell = BillingTeller.tell

    async def and_hang(self: BillingTeller, claimed: Claim, *, deadline: float) -> Any:
        await tell(self, claimed, deadline=deadline)
        acted.set()
        await asyncio.sleep(60)

    monkeypatch.setattr(BillingTeller, "tell", and_hang)
    async with scene.process("first"):
        await scene.meter(1)
        await acted.wait()
    monkeypatch.setattr(BillingTeller, "tell", tell)
    async with scene.process("second"):
        await until(settled(scene))
    assert scene.has("service-a") == [(1, AT + 2 * HOUR)]
    [[attempts]] = await scene.laid.rows("MATCH (d:Delivery) RETURN d.attempts")
    assert attempts == 2


async def test_what_is_refused_is_parked_holds_up_its_own_service_only_and_can_be_replayed(by_http: Scene) -> None:
    by_http.order(Rule(kind=Kind.HTML))
    async with by_http.process():
        await by_http.meter(1)
        await until(settled(by_http))
        by_http.order()
        await by_http.meter(2)
        await by_http.meter(3, service="service-b")
        await until(lambda: by_http.has("service-b") != [])
        assert by_http.has("service-a") == []
        [[parked, error]] = await by_http.laid.rows("MATCH (d:Delivery {state: 'DEAD'}) RETURN d.id, d.lastError")
        assert "HTML" in error
        await replay_delivery(by_http.laid.store, OPERATOR, delivery_id=parked, idempotency_key="k", deadline=soon())
        await until(settled(by_http))
    assert [octets for octets, _ in by_http.has("service-a")] == [1, 2]


class Answering:
    """A billing that answers one thing, or another."""

    retry_at = None

    def __init__(self, answer: str | Exception) -> None:
        self._answer = answer

    async def tell(self, record: Record, *, again: bool, delivery_id: str, deadline: float) -> str:  # noqa: ARG002
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


PAYLOAD: dict[str, Any] = {
    "telling": "downtime",
    "id": "downtime-1",
    "service": {"id": "service-1", "name": "s"},
    "customer": None,
    "effect": "down",
    "from": 1,
    "to": None,
    "alarms": [],
    "availabilityPercent": None,
}


def claim(attempts: int = 1, **changes: Any) -> Claim:
    payload = {**PAYLOAD, **changes}
    return Claim(id="d", order_key="service-1", version=1, attempts=attempts, epoch=1, age_ms=0, payload=payload)


@pytest.mark.parametrize(
    ("claimed", "answer", "outcome"),
    [
        pytest.param(claim(), "SLO-1", Done, id="it is there"),
        pytest.param(claim(), Nonsense("what?", where="id"), Again, id="nonsense, once"),
        pytest.param(claim(3), Nonsense("what?", where="id"), Dead, id="nonsense, again and again"),
        pytest.param(claim(3, telling="weather"), "SLO-1", Dead, id="what billing is not told of"),
        pytest.param(claim(3, effect="gone"), "SLO-1", Dead, id="a word that is none"),
        pytest.param(claim(3), RuntimeError("ours"), Dead, id="a fault of ours"),
    ],
)
async def test_what_becomes_of_a_claim(store: Store, claimed: Claim, answer: str | Exception, outcome: type) -> None:
    teller = BillingTeller(store=store, billing=Answering(answer), system="billing")
    assert isinstance((await teller.tell(claimed, deadline=soon())).outcome, outcome)


async def test_what_may_have_happened_is_not_asked_for_before_it_must_be_over(store: Store) -> None:
    lost = AdapterError("lost", may_have_happened=True)
    teller = BillingTeller(store=store, billing=Answering(lost), system="billing", processing_seconds=7.0)
    found = (await teller.tell(claim(), deadline=soon())).outcome
    assert isinstance(found, Again)
    assert found.pause_ms >= 7_000


def test_a_delivery_without_what_it_needs_is_no_record() -> None:
    with pytest.raises(ValueError, match="not of 'weather'"):
        record_of({**PAYLOAD, "telling": "weather"})
