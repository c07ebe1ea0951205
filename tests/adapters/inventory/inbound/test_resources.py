"""Equipment is read by TMF639, each caller its own slice, and what is told there can be believed as a feed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from adapters.inventory import tmf639_resource
from adapters.inventory.inbound.resources import BASE, resource_routes
from gateway.settings.settings import Settings
from graph.model.resource import KINDS
from tests.adapters.endpoint.composed import Port, edge, mounted
from tests.adapters.schema import REFERENCE, published
from tests.gateway.conftest import Mint, serving
from tests.resolvers.tenants import A, tenants

WORLD = tenants()
MANY = sum(len(WORLD.ids(kind)) for kind in KINDS)


@pytest.fixture(scope="module")
async def reader(port: Port, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(mounted(BASE, resource_routes(edge(port)), settings), settings) as client:
        client.base_url = httpx.URL(f"{client.base_url}{BASE}")
        client.timeout = httpx.Timeout(60)
        yield client


@pytest.fixture
def operator(mint: Mint) -> dict[str, str]:
    return mint.bearer("operator")


async def listed(reader: httpx.AsyncClient, query: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    answer = await reader.get(f"/resource?{query}", headers=headers)
    assert answer.status_code in (200, 206), answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_an_operator_sees_all_equipment_kind_after_kind(
    reader: httpx.AsyncClient, operator: dict[str, str]
) -> None:
    found = await listed(reader, "limit=100", operator)
    assert [each["id"] for each in found] == [each for kind in KINDS for each in WORLD.ids(kind)]


async def test_a_resource_says_what_the_graph_has(reader: httpx.AsyncClient, operator: dict[str, str]) -> None:
    answer = await reader.get("/resource/card-c1", headers=operator)
    assert answer.json() == {
        "id": "card-c1",
        "href": f"{BASE}/resource/card-c1",
        "@type": "PhysicalResource",
        "@baseType": "Resource",
        "category": "card",
        "name": "card 0 in e1",
        "operationalState": "disable",
        "administrativeState": "unlocked",
        "resourceCharacteristic": [
            {"name": "model", "value": "C100", "valueType": "string"},
            {"name": "slot", "value": 0, "valueType": "integer"},
        ],
        "resourceRelationship": [
            {
                "relationshipType": "isContainedIn",
                "resource": {
                    "id": "networkelement-e1",
                    "href": f"{BASE}/resource/networkelement-e1",
                    "name": "köln-1/ne e1",
                    "@referredType": "Resource",
                },
            }
        ],
    }
    element = (await reader.get("/resource/networkelement-e2", headers=operator)).json()
    assert element["administrativeState"] == "shutdown"
    assert element["place"]["id"] == "site-2"


async def test_what_is_told_can_be_believed(reader: httpx.AsyncClient, operator: dict[str, str]) -> None:
    for each in await listed(reader, "limit=100", operator):
        resource = tmf639_resource.read(each)
        node = WORLD.nodes[each["id"]]
        assert resource.kind == node.label
        assert resource.properties == {
            name: value for name, value in node.values.items() if name not in ("id", "words")
        }
        if os.environ.get(REFERENCE):
            assert [error.message for error in published("Resource", 639).iter_errors(each)] == []


async def test_a_trunk_has_its_ends(reader: httpx.AsyncClient, operator: dict[str, str]) -> None:
    trunk = (await reader.get("/resource/trunk-1", headers=operator)).json()
    ends = {each["relationshipType"]: each["resource"]["id"] for each in trunk["resourceRelationship"]}
    told = {e.values["end"]: e.end for e in WORLD.edges if e.type == "TERMINATES_ON" and e.start == "trunk-1"}
    assert ends == {"aEnd": told["A"], "zEnd": told["Z"]}


@pytest.mark.parametrize("limit", [1, 3, 7, 100])
async def test_pages_are_parts_of_the_list(reader: httpx.AsyncClient, operator: dict[str, str], limit: int) -> None:
    whole = [each["id"] for each in await listed(reader, "limit=100", operator)]
    found: list[str] = []
    while len(found) < len(whole):
        answer = await reader.get(f"/resource?limit={limit}&offset={len(found)}&fields=name", headers=operator)
        assert answer.headers["x-total-count"] == str(MANY)
        assert answer.status_code == (200 if limit >= MANY else 206)
        page = answer.json()
        assert all(set(each) == {"id", "href", "name"} for each in page)
        found += [each["id"] for each in page]
    assert found == whole
    beyond = await reader.get(f"/resource?offset={MANY + 5}", headers=operator)
    assert beyond.json() == []


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("category=card", lambda each: each["category"] == "card"),
        ("category=card,trunk", lambda each: each["category"] in ("card", "trunk")),
        ("category=lorry", lambda _: False),
        ("id=card-c1,trunk-1,service-a1", lambda each: each["id"] in ("card-c1", "trunk-1")),
        ("operationalState=disable", lambda each: each["operationalState"] == "disable"),
        ("administrativeState=locked,shutdown", lambda each: each.get("administrativeState") in ("locked", "shutdown")),
        ("category=card&operationalState=enable",
         lambda each: each["category"] == "card" and each["operationalState"] == "enable"),
        ("name=card 0 in e1", lambda each: each["name"] == "card 0 in e1"),
    ],
)  # fmt: skip
async def test_a_filter_is_exact(reader: httpx.AsyncClient, operator: dict[str, str], query: str, holds: Any) -> None:
    whole = await listed(reader, "limit=100", operator)
    assert await listed(reader, f"{query}&limit=100", operator) == [each for each in whole if holds(each)]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("vendor=Acme", "vendor: cannot be filtered by; what can: id, name, category"),
        ("operationalState=enabled", "operationalState: is none of enable, disable"),
        ("limit=x", "limit"),
        ("offset=100001", "offset"),
        (f"id={','.join(map(str, range(101)))}", "id: has more than 100 values"),
    ],
)
async def test_what_cannot_be_asked_is_refused(
    reader: httpx.AsyncClient, operator: dict[str, str], query: str, told: str
) -> None:
    answer = await reader.get(f"/resource?{query}", headers=operator)
    assert answer.status_code == 400
    assert told in answer.json()["message"]


async def test_a_customer_sees_its_slice_and_nothing_tells_of_the_rest(
    reader: httpx.AsyncClient, operator: dict[str, str], mint: Mint
) -> None:
    customer = mint.customer(A)
    mine = [each["id"] for each in await listed(reader, "limit=100", customer)]
    everything = [each["id"] for each in await listed(reader, "limit=100", operator)]
    assert 0 < len(mine) < len(everything)
    assert "card-c6" in mine
    assert "card-c7" not in mine
    answer = await reader.get("/resource?limit=1", headers=customer)
    assert answer.headers["x-total-count"] == str(len(mine))
    hidden = [each for each in everything if each not in mine]
    unknown = await reader.get("/resource/card-none", headers=customer)
    assert unknown.status_code == 404
    for each in [*hidden, "service-a1", "lorry-1", "x"]:
        forbidden = await reader.get(f"/resource/{each}", headers=customer)
        assert (forbidden.status_code, forbidden.content) == (404, unknown.content)


async def test_who_may_read(reader: httpx.AsyncClient, mint: Mint) -> None:
    assert (await reader.get("/resource", headers=mint.bearer("analyst"))).status_code in (200, 206)
    assert (await reader.get("/resource", headers=mint.bearer("system:nms"))).status_code == 403
    assert (await reader.post("/resource", headers=mint.bearer("operator"), json={})).status_code == 405
    assert (await reader.get("/resource")).status_code == 401
