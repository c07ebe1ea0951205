"""A whole gateway beside a whole inventory: a feed goes in, an operator takes a side, the inventory is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from adapters.inventory import tmf639_resource
from adapters.simulator.inventory.inventory import InventorySystem
from adapters.simulator.inventory.inventory import serving as inventory_system
from gateway.app import application
from gateway.cli import run
from gateway.commands.inventory import sentences
from gateway.errors import SettingsBroken
from gateway.policies import policy_of
from gateway.settings.inventory import Inventory
from gateway.settings.settings import Settings, System, load_settings
from graph.store.store import Store
from tests.adapters.inventory.inbound.test_documents import written
from tests.gateway.conftest import Mint, serving
from tests.graph.inventory.network import NETWORK, but

DIFFERENCES = """{
  inventoryDifferences(filter: { state: { in: [OPEN, HELD] } }) {
    totalCount nodes { id state kind system resourceType resource name property theirs ours reason foundAt settledAt record }
  }
  inventoryFeeds(orderBy: [{ field: NAME }]) { nodes { name kind state principal resources changes differences } }
}"""
SETTLE = """mutation($id: ID!, $side: InventorySide!, $key: String!) {
  settleInventoryDifference(differenceId: $id, side: $side, idempotencyKey: $key) {
    difference { id state settledAt }
    userErrors { code message path }
  }
}"""
NDJSON = {"Content-Type": "application/x-ndjson"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A gateway that is being served, and its inventory."""

    client: httpx.AsyncClient
    system: InventorySystem
    mint: Mint
    store: Store
    """the same database, as whoever stands beside it sees it."""

    async def send(self, name: str, kind: str, *several: Any) -> None:
        content = b"".join(written("application/x-ndjson", list(several)))
        headers = {**NDJSON, **self.mint.bearer("system:inventory")}
        address = f"/feeds/inventory/v1/{name}"
        answer = await self.client.put(f"{address}?kind={kind}", content=content, headers=headers)
        assert answer.status_code == 201, answer.text

        async def compared() -> bool:
            return bool((await self.client.get(address, headers=headers)).json()["state"] == "compared")

        await until(compared)

    async def ask(self, text: str, role: str = "operator", **variables: Any) -> dict[str, Any]:
        body = {"query": text, "variables": variables}
        answer = await self.client.post("/graphql", json=body, headers=self.mint.bearer(role))
        found: dict[str, Any] = answer.json()
        return found


async def until(true: Callable[[], Any]) -> None:
    for _ in range(600):
        if await true():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to be")


@pytest.fixture
async def scene(empty_store: Store, store_address: str, mint: Mint) -> AsyncIterator[Scene]:
    async with inventory_system() as system:
        settings = Settings(
            listen="127.0.0.1:0",
            store=store_address,
            issuers=(mint.settings(),),
            inventory=Inventory(address=system.address),
        )
        app = application(settings)
        async with app.router.lifespan_context(app), serving(app, settings) as client:

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await until(ready)
            yield Scene(client=client, system=system, mint=mint, store=empty_store)


async def test_from_a_feed_to_a_decision_to_the_inventory(
    scene: Scene, store_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await scene.send("first", "incremental", *NETWORK)
    for each in NETWORK:
        scene.system.resources.put({**tmf639_resource.write(each), "id": each.name})
    said = [
        but("N1", vendor="Bolt", operationalState="disabled"),
        *(each for each in NETWORK if each.name not in ("N1", "N2/1/1")),
    ]
    await scene.send("full", "full", *said)
    data = (await scene.ask(DIFFERENCES))["data"]
    found = {each["name"]: each for each in data["inventoryDifferences"]["nodes"]}
    assert {name: (each["kind"], each["state"]) for name, each in found.items()} == {
        "N1": ("PROPERTY", "OPEN"),
        "N2/1/1": ("MISSING_THERE", "OPEN"),
    }
    assert (found["N1"]["property"], found["N1"]["theirs"], found["N1"]["ours"]) == ("vendor", "Bolt", "Acme")
    feeds = {each["name"]: each for each in data["inventoryFeeds"]["nodes"]}
    assert (feeds["full"]["kind"], feeds["full"]["changes"], feeds["full"]["differences"]) == ("FULL", 1, 2)

    settled = await scene.ask(SETTLE, id=found["N1"]["id"], side="GRAPH", key="1")
    assert settled["data"]["settleInventoryDifference"]["difference"]["state"] == "TOLD"
    taken = await scene.ask(SETTLE, id=found["N2/1/1"]["id"], side="INVENTORY", key="2")
    assert taken["data"]["settleInventoryDifference"]["userErrors"] == []
    assert (await scene.ask('{ ports(filter: { name: { eq: "N2/1/1" } }) { totalCount } }'))["data"]["ports"] == {
        "totalCount": 0
    }

    async def is_told() -> bool:
        resource = scene.system.resources.get("N1")
        assert resource is not None
        return tmf639_resource.read(resource).properties["vendor"] == "Acme"

    await until(is_told)
    events = (
        await scene.ask(
            '{ events(filter: { type: { in: ["InventoryTold", "ResourceRemoved"] } }) { nodes { type principal } } }'
        )
    )["data"]
    assert {(each["type"], each["principal"].endswith("someone")) for each in events["events"]["nodes"]} == {
        ("InventoryTold", True),
        ("ResourceRemoved", True),
    }
    assert await asyncio.to_thread(run, ["inventory", "differences", "--store", store_address]) == 0
    assert capfd.readouterr().out.strip().endswith("Inventories and the graph do not differ.")


async def test_the_terminal_says_where_it_does_not_list_all(
    scene: Scene, store_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await scene.send("first", "incremental", *NETWORK)
    rest = [each for each in NETWORK if each.name != "N1"]
    await scene.send("full", "full", but("N1", vendor="Bolt", model="Y"), *rest)
    asked = ["inventory", "differences", "--most", "1", "--store", store_address]
    assert await asyncio.to_thread(run, asked) == 0
    [_, more] = capfd.readouterr().out.strip().splitlines()[-2:]
    assert more == "There are more in state open: --most."
    assert await asyncio.to_thread(run, [*asked, "--json"]) == 0
    told = orjson.loads(capfd.readouterr().out.strip().splitlines()[-1])
    assert (len(told["differences"]), told["more"]) == (1, ["open"])


async def test_the_terminal_lists_and_settles(
    scene: Scene, store_address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await scene.send("first", "incremental", *NETWORK)
    await scene.send("full", "full", but("N1", vendor="Bolt"), *(each for each in NETWORK if each.name != "N1"))
    assert await asyncio.to_thread(run, ["inventory", "differences", "--json", "--store", store_address]) == 0
    [difference] = orjson.loads(capfd.readouterr().out.strip().splitlines()[-1])["differences"]
    assert (difference["name"], difference["property"]) == ("N1", "vendor")
    settle = ["inventory", "settle", difference["id"], "--side", "inventory", "--store", store_address]
    assert await asyncio.to_thread(run, settle) == 0
    assert "the graph is as the inventory says" in capfd.readouterr().out
    assert await asyncio.to_thread(run, settle) == 1
    assert "It is settled already (DIFFERENCE_SETTLED)." in capfd.readouterr().err
    nowhere = ["inventory", "settle", difference["id"], "--side", "graph", "--store", store_address]
    assert await asyncio.to_thread(run, nowhere) == 1
    element = await scene.ask("{ networkElements(first: 5) { nodes { name vendor } } }")
    assert {each["vendor"] for each in element["data"]["networkElements"]["nodes"]} == {"Bolt", "Acme"}


async def test_only_operators_take_a_side_and_customers_see_nothing_of_it(scene: Scene) -> None:
    for role in ("analyst", "system:inventory"):
        refused = await scene.ask(SETTLE, role, id="inventorydifference-1", side="GRAPH", key="1")
        assert refused["errors"][0]["extensions"]["code"] == "FORBIDDEN", role
    unknown = await scene.ask(SETTLE, id="inventorydifference-1", side="GRAPH", key="1")
    assert unknown["data"]["settleInventoryDifference"] == {
        "difference": None,
        "userErrors": [
            {"code": "DIFFERENCE_NOT_FOUND", "message": "There is no such difference", "path": ["differenceId"]}
        ],
    }
    asked = await scene.client.post("/graphql", json={"query": DIFFERENCES}, headers=scene.mint.customer("customer-a"))
    assert asked.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_the_address_for_equipment_is_served(scene: Scene) -> None:
    await scene.send("first", "incremental", *NETWORK)
    headers = scene.mint.bearer("analyst")
    found = (await scene.client.get("/tmf-api/resourceInventoryManagement/v4/resource", headers=headers)).json()
    names = await scene.store.rows("MATCH (x:ExternalName) RETURN count(x)", {}, deadline=time.monotonic() + 60)
    assert names == [[len(NETWORK)]]
    assert sorted(each["name"] for each in found) == sorted(str(each.properties["name"]) for each in NETWORK)


def test_a_line_says_what_differs() -> None:
    common = {"id": "d", "system": "inventory", "resourceType": "Card", "name": "K1", "reason": None}
    held = {**common, "state": "held", "kind": "missingThere", "reason": "it still carries 1 service"}
    here = {**common, "state": "open", "kind": "missingHere"}
    other = {**common, "state": "open", "kind": "property", "property": "slot", "theirs": "3", "ours": None}
    out = {
        **common,
        "state": "open",
        "kind": "notTaken",
        "resourceType": "lag",
        "name": "ae0",
        "reason": "it is no port",
    }
    out |= {"property": None, "theirs": None, "ours": None}
    assert list(sentences([held, here, other, out])) == [
        "d [held] Card K1 of inventory: is missing there (it still carries 1 service)",
        "d Card K1 of inventory: is missing here",
        "d Card K1 of inventory: slot is 3 there, nothing here",
        "d lag ae0 of inventory: has no place in the graph: it is no port",
    ]


def test_which_systems_may_send_feeds_is_a_setting() -> None:
    assert policy_of(Settings()).inventories == ("inventory",)
    told = Settings(
        inventory=Inventory(address="https://host/api", name="master"),
        systems={"lab": System(sources=("x",), inventory=True), "nms": System(sources=("y",))},
    )
    assert policy_of(told).inventories == ("lab", "master")
    assert policy_of(told).inventory == "master"


def test_systems_that_share_a_source_add_to_the_names_that_it_uses() -> None:
    told = Settings(
        systems={
            "east": System(sources=("nms", "ems"), names_of=("inventory",)),
            "west": System(sources=("nms",), names_of=("crm", "inventory")),
            "lab": System(sources=("nms", "lab")),
        }
    )
    policy = policy_of(told)
    assert [policy.names_used_by(each) for each in ("nms", "ems", "lab")] == [("inventory", "crm"), ("inventory",), ()]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"address": "ftp://host"}, "is not http"),
        ({"address": "https://ann:secret@host"}, "credential"),
        ({"address": "https://host", "dialect": "corba"}, "tmf639"),
        ({"address": "https://host", "name": "a#b"}, "pattern"),
        ({}, "address"),
    ],
)
def test_a_section_that_is_wrong_is_refused(given: dict[str, str], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        Inventory.model_validate(given)


def test_the_bearer_is_read_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bearer"
    file.write_text("secret\n")
    monkeypatch.setenv("TRUNKLINE_INVENTORY__ADDRESS", "https://host")
    monkeypatch.setenv("TRUNKLINE_INVENTORY__BEARER_FILE", str(file))
    found = load_settings().inventory
    assert found is not None
    assert found.bearer.get_secret_value() == "secret"
    monkeypatch.setenv("TRUNKLINE_INVENTORY__BEARER_FILE", str(tmp_path / "none"))
    with pytest.raises(SettingsBroken, match=r"inventory\.bearer_file"):
        load_settings()
