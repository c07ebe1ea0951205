"""A gateway as it is served, beside all who are told of a service's new rate: each gets what waits for it, as the settings say."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from adapters.inventory.outbound.tmf638 import BANDWIDTH
from adapters.simulator.fault_management import alarm_management, event_management
from adapters.simulator.inventory import inventory
from adapters.simulator.performance import performance
from adapters.simulator.sales import sales
from adapters.tmf.tmf630 import write_time
from gateway.app import application
from gateway.policies import policy_of, thresholds_of
from gateway.settings.fault_management import FaultManagement
from gateway.settings.inventory import Inventory
from gateway.settings.performance import Performance, Utilization
from gateway.settings.sales import Sales
from gateway.settings.settings import Settings
from graph.changes import events, notices
from graph.changes.events import Event
from graph.changes.notices import Notice
from graph.ledger.outbox import Told, write_down
from graph.model.event_kinds import KINDS
from graph.store.store import Store, Transaction
from tests.gateway.conftest import Mint
from tests.gateway.conftest import serving as served
from tests.gateway.federation.test_arriving import eventually
from tests.graph.changes.network import AT, Laid, lay, soon

SERVICE = {"id": "service-a", "name": "Ada's line"}
RATES = {"effectiveMbps": 500, "bookedMbps": 500, "committedMbps": 100}


async def change_rate(store: Store, settings: Settings) -> None:
    """Write down what follows from a rate that the network has confirmed, and a lead."""
    threshold = thresholds_of(settings).load_mbps("PREMIUM", 500)
    event = Event(
        type="ServiceRateChanged",
        aggregate_id="service-a",
        aggregate_version=1,
        at=AT,
        principal="network",
        payload={"service": "service-a", "customer": "customer-a", **RATES, "threshold": threshold},
        customers=("customer-a",),
    )
    customer = {"id": "customer-a", "name": "a"}
    rate = {"telling": "rate", "service": SERVICE, "mbps": 500, "committedMbps": 100, "tier": "PREMIUM", "at": AT}
    lead = {"telling": "lead", "id": "lead-1", "reason": "boosts", "evidence": [], "service": SERVICE, "at": AT}
    values = {**RATES, "threshold": threshold, "name": SERVICE["name"], "state": "active", "customer": customer}
    kind = KINDS["ServiceRateChanged"]
    notice = Notice(event=event, kind=kind, about="service-a", order_key="service-a", values=values)

    async def work(transaction: Transaction) -> None:
        await transaction.run("CREATE (:Lead {id: 'lead-1', reason: 'boosts', at: $at})", {"at": AT})
        events.append(transaction, event)
        told = [
            Told(event=event.id, system=system, subject="service-a", order_key="service-a", payload=rate)
            for system in ("pm", "stock")
        ]
        sold = Told(event=event.id, system="crm", subject="lead-1", order_key="lead-1", payload=lead)
        write_down(transaction, [*told, sold])
        notices.tell(transaction, policy_of(settings).fault_management, [notice])

    await store.write(work, deadline=soon())


async def test_everybody_hears_of_a_new_rate(
    settings: Settings, mint: Mint, store_address: str, empty_store: Store
) -> None:
    await lay(empty_store)
    await Laid(store=empty_store).run(
        "MATCH (s:Service) SET s.state = 'designed'"
    )  # of which nobody is told anything else
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        measuring, stocked = await enter(performance.serving()), await enter(inventory.serving())
        selling = await enter(sales.serving())
        alarms, topic = await enter(alarm_management.serving()), await enter(event_management.serving())
        stocked.services.put({"id": "service-a", "state": "active", "serviceCharacteristic": []})
        more: dict[str, Any] = {
            "store": store_address,
            "performance": Performance(
                name="pm",
                address=measuring.address,
                measurements=measuring.address,
                utilization=Utilization(premium=60),
                granularity="g_1mn",
            ),
            "inventory": Inventory(name="stock", address=stocked.address),
            "sales": Sales(name="crm", address=selling.address, poll_seconds=0.1),
            "fault_management": FaultManagement(
                address=alarms.address, events_address=topic.address, events=("AlarmRaised", "ServiceRateChanged")
            ),
        }
        chosen = settings.model_copy(update=more)
        await change_rate(empty_store, chosen)
        measuring.measure("service-a", 250, at=AT)
        async with served(application(chosen), settings) as client:

            async def are_told() -> bool:
                rows = await empty_store.rows("MATCH (d:Delivery) RETURN d.state", {}, deadline=soon())
                return [state for [state] in rows] == ["DONE"] * 4

            await eventually(are_told)
            times = f'from: "{write_time(AT)}", to: "{write_time(AT + 1)}"'
            asked = {"query": f'{{ service(id: "service-a") {{ measurements({times}) {{ value }} }} }}'}
            answer = await client.post("/graphql", json=asked, headers=mint.bearer("operator"), timeout=60)
            assert answer.json() == {"data": {"service": {"measurements": [{"value": 250}]}}}
        [job] = measuring.jobs.all()
        assert (job["granularity"], job["serviceLevelObjective"][0]["conformanceTarget"]) == ("g_1mn", "300")
        [service] = stocked.services.all()
        assert service["serviceCharacteristic"] == [{"name": BANDWIDTH, "valueType": "integer", "value": 500}]
        [lead] = selling.leads.all()
        assert lead["externalIdentifier"][0]["id"] == "lead-1"
        [event] = topic.events.values()
        said = {each["name"]: each["value"] for each in event["event"]["service"]["serviceCharacteristic"]}
        assert said == {**RATES, "threshold": 300}


async def test_who_watches_hears_of_every_service(settings: Settings, store_address: str, empty_store: Store) -> None:
    await lay(empty_store)
    await Laid(store=empty_store).run("MATCH (s:Service) SET s.state = 'active', s.committedMbps = 100")
    async with (
        performance.serving() as measuring,
        alarm_management.serving() as alarms,
        event_management.serving() as topic,
    ):
        more: dict[str, Any] = {
            "store": store_address,
            "performance": Performance(name="pm", address=measuring.address),
            "fault_management": FaultManagement(
                address=alarms.address, events_address=topic.address, events=("AlarmRaised", "ServiceRateChanged")
            ),
        }
        async with served(application(settings.model_copy(update=more)), settings):

            async def are_told() -> bool:
                return (len(measuring.jobs.all()), len(topic.events)) == (3, 3)

            await eventually(are_told)
        loads = {each["jobId"]: each["serviceLevelObjective"][0]["conformanceTarget"] for each in measuring.jobs.all()}
        assert loads == {"trunkline:service-a": "80", "trunkline:service-b": "90", "trunkline:service-c": "95"}
