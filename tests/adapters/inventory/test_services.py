"""A service's rate in a service inventory (TMF638): changed where it is another, and nothing else of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapters.delivery.delivery import Lanes, Pace
from adapters.errors import AdapterError, Nonsense, Rejected
from adapters.inventory import NewService, ServiceInventory, ServiceRate
from adapters.inventory.outbound.tmf638 import BANDWIDTH, Tmf638
from adapters.inventory.outbound.tmf639 import Tmf639
from adapters.inventory.telling import InventoryTeller
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.inventory.inventory import InventorySystem, serving
from adapters.simulator.journal import read_journal
from adapters.simulator.manners import Manners
from adapters.transport.transport import System, opened
from graph.changes import events
from graph.changes.events import Event
from graph.changes.policy import AlarmPolicy
from graph.ledger.outbox import Told, write_down
from graph.model.identity import external_key
from graph.store.store import Store, Transaction
from tests.adapters.conftest import JSON, asking, http, saying, soon
from tests.adapters.delivery.test_delivery import until
from tests.adapters.schema import published
from tests.graph.changes.network import AT, Laid, lay

SYSTEM = "inventory"
PACE = Pace(request_seconds=1.0, processing_seconds=1.0)
THEIRS: dict[str, Any] = {
    "id": "SVC-1",
    "name": "Ada's line",
    "state": "active",
    "serviceSpecification": {"id": "l2vpn"},
    "serviceCharacteristic": [
        {"name": "vlan", "valueType": "integer", "value": 7},
        {"name": BANDWIDTH, "valueType": "integer", "value": 100, "id": "c-2"},
    ],
}


class Side:
    """The stand-in, and our client of it."""

    def __init__(self, system: InventorySystem, services: ServiceInventory) -> None:
        self.system, self.services = system, services
        system.services.put(THEIRS)

    async def tell(self, mbps: int, name: str = "SVC-1", delivery: str = "d") -> None:
        await self.services.set_rate(ServiceRate(name=name, mbps=mbps), delivery_id=delivery, deadline=soon())

    def said(self, name: str = "SVC-1") -> dict[str, Any]:
        held = self.system.services.get(name)
        assert held is not None
        return {each["name"]: each["value"] for each in held["serviceCharacteristic"]}


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture(params=["polite", "otherwise"])
async def side(request: pytest.FixtureRequest, journal: Path) -> AsyncIterator[Side]:
    otherwise = Manners(patches=("application/merge-patch+json",), shows_changes=False, tags=False)
    manners = Manners() if request.param == "polite" else otherwise
    async with (
        serving(journal=journal, manners=manners) as system,
        opened(System(name=SYSTEM, address=system.service_address, failures=1_000)) as transport,
    ):
        yield Side(system, Tmf638(transport))


async def test_only_the_rate_is_changed(side: Side) -> None:
    await side.tell(500)
    assert side.said() == {"vlan": 7, BANDWIDTH: 500}
    held = side.system.services.get("SVC-1")
    assert held is not None
    assert {name: held[name] for name in ("name", "state")} == {"name": "Ada's line", "state": "active"}
    [bandwidth] = [each for each in held["serviceCharacteristic"] if each["name"] == BANDWIDTH]
    assert bandwidth["id"] == "c-2", "what they say of it besides stays"
    assert [
        *published("Service_Update", 638).iter_errors({"serviceCharacteristic": held["serviceCharacteristic"]})
    ] == []


async def test_what_is_there_already_is_not_changed_again(side: Side, journal: Path) -> None:
    for mbps in (100, 500, 500, 100):
        await side.tell(mbps, delivery=f"to {mbps}")
    assert [(each["method"], each["idempotencyKey"]) for each in read_journal(journal)] == [
        ("PATCH", "to 500"),
        ("PATCH", "to 100"),
    ]


async def test_a_service_without_the_characteristic_gets_it(side: Side) -> None:
    made = side.system.services.create({"state": "active", "serviceSpecification": {"id": "s"}})
    await side.tell(300, str(made["id"]))
    assert side.said(str(made["id"])) == {BANDWIDTH: 300}


async def test_a_service_that_is_not_there_is_refused_and_none_is_made(side: Side) -> None:
    with pytest.raises(Rejected) as caught:
        await side.tell(300, "SVC-9")
    assert caught.value.status == 404
    assert [each["id"] for each in side.system.services.all()] == ["SVC-1"]


@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.TRUNCATED, Kind.DOWN, Kind.ERROR])
async def test_an_answer_that_was_lost_leaves_the_rate_as_told(side: Side, kind: Kind) -> None:
    side.system.faults.order(Rule(kind=kind, times=1, method="PATCH"))
    with suppress(AdapterError, TimeoutError):  # half of an answer without a body is all of it
        await asyncio.wait_for(side.tell(500), 1)
    await side.tell(500)
    assert side.said()[BANDWIDTH] == 500


NEW = NewService(
    ours="service-7",
    name="Line PO-7/1",
    specification="E-Line",
    mbps=500,
    customer="customer-a",
    customer_name="Ada",
    ports=("R-1", "port-z"),
    trunks=("trunk-1",),
)


@pytest.mark.parametrize("kind", [None, Kind.SILENT, Kind.ERROR])
async def test_a_new_service_is_there_once(side: Side, kind: Kind | None) -> None:
    if kind is not None:
        side.system.faults.order(Rule(kind=kind, times=1, method="POST"))
        with suppress(AdapterError, TimeoutError):
            await asyncio.wait_for(side.services.add_service(NEW, delivery_id="d", deadline=soon()), 1)
    name = await side.services.add_service(NEW, delivery_id="d", deadline=soon())
    assert await side.services.add_service(NEW, delivery_id="d", deadline=soon()) == name
    assert side.said(name) == {BANDWIDTH: 500, "trunkline": "service-7"}
    assert len(side.system.services.all()) == 2
    await side.tell(300, name)
    assert side.said(name)[BANDWIDTH] == 300


@pytest.mark.parametrize("found", [{**THEIRS, "id": "SVC-2"}, [THEIRS], {"state": "active"}])
async def test_another_service_is_never_believed(found: Any) -> None:
    async with saying(http("200 OK", orjson.dumps(found), JSON)) as server, asking(server.address) as transport:
        with pytest.raises(Nonsense):
            await Tmf638(transport).set_rate(ServiceRate(name="SVC-1", mbps=5), delivery_id="d", deadline=soon())


async def test_the_stand_in_refuses_what_the_published_schema_refuses(side: Side) -> None:
    wrong = {"serviceCharacteristic": [{"name": BANDWIDTH}]}
    media = {"content-type": "application/merge-patch+json"}
    async with httpx.AsyncClient(headers=media) as person:
        for address in (f"{side.system.service_address}/service/SVC-1",):
            answer = await person.patch(address, content=orjson.dumps(wrong))
            assert answer.status_code in {400, 415}, answer.text
    assert [*published("Service_Update", 638).iter_errors(wrong)]
    assert side.said()[BANDWIDTH] == 100


# Told by the ledger ---------------------------------------------------------------------------------------------------


async def confirm(laid: Laid, mbps: int, version: int, service: str = "service-a") -> None:
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
    payload = {"telling": "rate", "service": {"id": service, "name": service}, "customer": None, "mbps": mbps}
    told = Told(event=event.id, system=SYSTEM, subject=service, order_key=service, payload=payload)

    async def work(transaction: Transaction) -> None:
        events.append(transaction, event)
        write_down(transaction, [told])

    await laid.store.write(work, deadline=soon())


@asynccontextmanager
async def process(laid: Laid, system: InventorySystem, *, services: bool = True) -> AsyncIterator[None]:
    resources = System(name=SYSTEM, address=system.address, failures=1_000)
    kept = System(name=SYSTEM, address=system.service_address, failures=1_000)
    async with opened(resources) as transport, opened(kept) as beside:
        teller = InventoryTeller(
            store=laid.store,
            inventory=Tmf639(transport),
            system=SYSTEM,
            policy=AlarmPolicy(inventory=SYSTEM),
            processing_seconds=PACE.processing_seconds,
            services=Tmf638(beside) if services else None,
        )
        task = asyncio.create_task(Lanes(laid.store, teller, PACE, owner="one", note=lambda *_: None).run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def states(laid: Laid) -> list[tuple[str, str | None]]:
    rows = await laid.rows("MATCH (d:Delivery) RETURN d.state, d.lastError ORDER BY d.orderKey, d.version")
    return [(str(state), said) for state, said in rows]


async def test_each_rate_reaches_the_service_in_order_by_the_inventorys_name(empty_store: Store) -> None:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    name = {"key": external_key(SYSTEM, "SVC-1"), "system": SYSTEM}
    await laid.run(
        "MATCH (s:Service {id: 'service-a'}) "
        "CREATE (:ExternalName {id: 'externalname-service-a', key: $key, system: $system, name: 'SVC-1'})-[:NAMES]->(s)",
        **name,
    )
    for version, mbps in enumerate((500, 800), 1):
        await confirm(laid, mbps, version)
    await confirm(laid, 300, 1, "service-b")
    async with serving() as system:
        system.services.put(THEIRS)
        system.services.put({**THEIRS, "id": "service-b"})
        system.faults.order(Rule(kind=Kind.SILENT, times=1, method="PATCH"))
        async with process(laid, system):

            async def is_told() -> bool:
                return {state for state, _ in await states(laid)} == {"DONE"}

            await until(is_told)
        held = {each["id"]: each["serviceCharacteristic"] for each in system.services.all()}
    rates = {name: each["value"] for name, said in held.items() for each in said if each["name"] == BANDWIDTH}
    assert rates == {"SVC-1": 800, "service-b": 300}, "one that the inventory has no name for has our id there"
    assert (await states(laid))[1] == ("DONE", "there it is SVC-1")


async def test_an_inventory_without_services_is_told_of_none(empty_store: Store) -> None:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await confirm(laid, 500, 1)
    async with serving() as system, process(laid, system, services=False):

        async def is_settled() -> bool:
            return await states(laid) == [("DONE", "inventory keeps no services")]

        await until(is_settled)
