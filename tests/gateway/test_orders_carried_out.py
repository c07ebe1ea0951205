"""A whole gateway carries an order out: from TMF622 to the network, the inventory, billing and monitoring, and back to who has ordered."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

import pytest

from adapters.simulator.billing import billing
from adapters.simulator.billing.records import USAGE
from adapters.simulator.inventory import inventory
from adapters.simulator.performance import performance
from adapters.simulator.provisioning import provisioning
from adapters.simulator.provisioning.behaviour import Behaviour, Way
from gateway.background import rounds_of
from gateway.errors import SettingsBroken
from gateway.policies import policy_of
from gateway.settings.billing import Billing
from gateway.settings.inventory import Inventory
from gateway.settings.orders import Orders, ProductSettings
from gateway.settings.performance import Performance
from gateway.settings.provisioning import Provisioning
from gateway.settings.settings import Settings
from gateway.systems import check_layout
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.fulfilment import works as fulfilment
from graph.store.store import Store
from tests.gateway.conftest import Mint
from tests.gateway.test_orders import gateway, until
from tests.graph.changes.fulfilment.orders import laid_out
from tests.graph.changes.network import soon

ORDERS = Orders(
    systems=("crm",),
    products={"Line": ProductSettings(service_type="E-Line", tier="PREMIUM", most_mbps=1_000, protected=True)},
)
PLACE = "/tmf-api/productOrderingManagement/v4/productOrder"
SHOWN = """{ orders { nodes { externalId state items { nodes {
  failure service { name state customer { id } sla { tier } } steps { nodes { name system state receipt } }
} } } } }"""


def order(external: str, customer: str, mbps: Any) -> dict[str, Any]:
    places = [{"id": "site-a", "role": "aEnd"}, {"id": "site-z", "role": "Z"}]
    characteristics = [{"name": "bandwidth", "value": mbps}]
    product = {"place": places, "productCharacteristic": characteristics}
    item = {"id": "1", "action": "add", "productOffering": {"id": "P-1", "name": "Line"}, "product": product}
    party = {"id": customer, "role": "customer", "@referredType": "Customer"}
    return {"externalId": external, "productOrderItem": [item], "relatedParty": [party]}


async def test_an_order_is_carried_out_and_everybody_hears_of_it(
    store_address: str, empty_store: Store, mint: Mint
) -> None:
    await laid_out(empty_store)
    crm = mint.bearer("system:crm")
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        network, stock = await enter(provisioning.serving()), await enter(inventory.serving())
        measuring, billed = await enter(performance.serving()), await enter(billing.serving())
        network.order(Behaviour(way=Way.LATE, seconds=0.2, times=1))
        chosen: dict[str, Any] = {
            "orders": ORDERS,
            "provisioning": Provisioning(address=network.address),
            "inventory": Inventory(name="stock", address=stock.address),
            "performance": Performance(name="pm", address=measuring.address),
            "billing": Billing(address=billed.address),
        }
        client = await enter(gateway(store_address, mint, **chosen))
        for external, customer, mbps in (("PO-1", "customer-a", "600 Mbit/s"), ("PO-2", "customer-b", 600)):
            made = await client.post(PLACE, json=order(external, customer, mbps), headers=crm)
            assert made.status_code == 201, made.text

        async def is_over() -> bool:
            # One after the other: the transaction in which an order is completed writes down what others are told.
            orders = "MATCH (o:Order) WHERE NOT o.state IN ['completed', 'failed'] RETURN count(o)"
            told = "MATCH (d:Delivery) WHERE d.state = 'READY' RETURN count(d)"
            return [await empty_store.rows(each, {}, deadline=soon()) for each in (orders, told)] == [[[0]], [[0]]]

        await until(is_over)
        [there] = network.services.all("service")
        [kept] = stock.services.all()
        assert {each["name"]: each["value"] for each in kept["serviceCharacteristic"]} == {
            "bandwidth": 600,
            "trunkline": there["id"],
        }
        [job] = measuring.jobs.all()
        assert job
        [usage] = billed.records.all(USAGE)
        assert usage["usageType"] == "activation"
        first, second = (await client.get(PLACE, headers=crm)).json()
        assert (first["state"], second["state"]) == ("completed", "failed")
        assert first["productOrderItem"][0]["product"]["realizingService"][0]["id"] == there["id"]
        failed = second["productOrderItem"][0]["errorMessage"]
        assert failed == {"reason": "NETWORK"}, "what is full is another customer's"
        seen = (await client.get(PLACE, headers=mint.bearer("operator"))).json()
        assert "Mbit/s are missing" in seen[1]["productOrderItem"][0]["errorMessage"]["message"]
        own = (await client.post("/graphql", json={"query": SHOWN}, headers=mint.customer("customer-a"))).json()
        [item] = own["data"]["orders"]["nodes"][0]["items"]["nodes"]
        assert item["service"] == {
            "name": "Line PO-1/1",
            "state": "ACTIVE",
            "customer": {"id": "customer-a"},
            "sla": {"tier": "PREMIUM"},
        }
        assert {each["state"] for each in item["steps"]["nodes"]} == {"DONE"}
        other = (await client.post("/graphql", json={"query": SHOWN}, headers=mint.customer("customer-b"))).json()
        assert other["data"]["orders"]["nodes"] == [
            {
                "externalId": "PO-2",
                "state": "FAILED",
                "items": {
                    "nodes": [
                        {
                            "failure": "NETWORK",
                            "service": None,
                            "steps": {
                                "nodes": [
                                    {"name": "reserve", "system": "TRUNKLINE", "state": "REFUSED", "receipt": None}
                                ]
                            },
                        }
                    ]
                },
            }
        ]


@pytest.mark.parametrize("wired", [{}, {"provisioning": None}])
def test_products_need_a_network_that_makes_services(wired: dict[str, Any]) -> None:
    with pytest.raises(SettingsBroken, match=r"orders\.products needs the section provisioning"):
        policy_of(Settings(orders=ORDERS, **wired))


def test_a_network_that_cannot_be_given_our_id_makes_no_services() -> None:
    provisioning = Provisioning(address="http://127.0.0.1:1", service_attribute="relatedEntity.id")
    with pytest.raises(SettingsBroken, match=r"provisioning\.service_attribute is relatedEntity\.id"):
        check_layout(Settings(orders=ORDERS, provisioning=provisioning), provisioning)
    check_layout(Settings(provisioning=provisioning), provisioning)


def test_designs_hold_up_no_boundary() -> None:
    rounds = rounds_of(Settings(), BandwidthPolicy())
    assert [fulfilment.KIND in each for each in rounds] == [False, True]


@pytest.mark.parametrize(
    "wrong", [{"least_mbps": 5, "most_mbps": 4}, {"mbps": 2_000, "most_mbps": 1_000}, {"tier": "GOLD"}, {"mbps": 0}]
)
def test_what_is_no_product_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="validation error"):
        ProductSettings(**{"service_type": "E-Line", "tier": "BASIC", **wrong})
