"""A company that nobody knew orders a service: it is designed, reserved, made in the network and told to all, without a person.

The inventory sends that a card was built in at two sites; order management places the order by TMF622. Every system is asked what it has
of the service, and how it runs. Then the new card fails: the service that did not exist a moment before is down, and its customer has a ticket.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from pydantic import SecretStr

from gateway.commands.demo.neighbours import PRODUCT, PRODUCT_MBPS
from gateway.commands.demo.scene import Scene, soon
from gateway.errors import CommandFailed
from gateway.stand_ins import fault_management

COMPANY: Final = "Nordwind Logistik GmbH"
BY: Final = "order management"
_ORDERS: Final = "/tmf-api/productOrderingManagement/v4/productOrder"
_OVER: Final = frozenset({"completed", "failed", "partial", "cancelled", "rejected"})
_SITES: Final = """
{ sites(filter: { role: { eq: "core" } }, orderBy: [{ field: NAME }], first: 100) { nodes {
  id name
  networkElements(orderBy: [{ field: NAME }], first: 1) {
    nodes { id name externalNames(filter: { system: { eq: "inventory" } }, first: 1) { nodes { name } } }
  }
} } }
"""
_ORDER: Final = """
query Order($name: String!) { orders(filter: { externalId: { eq: $name } }, first: 1) { nodes {
  id state customer { id name }
  items(first: 1) { nodes {
    state failureDetail
    service {
      id name state kind effectiveMbps effect sla { tier }
      accessPoints { end port { id name card { id name networkElement { site { name } } } } }
      route { path position trunk { name } }
    }
    steps(first: 20) { nodes { name system boundary state receipt } }
  } }
} } }
"""
_HIT: Final = """
query Hit($id: ID!) { alarm(id: $id) { affects(first: 10) { nodes { effect severity service { id customer { name } } } } } }
"""
_STEP: Final = 0.05
_SYSTEMS: Final[Mapping[str, str]] = {
    "TRUNKLINE": "Here",
    "NETWORK": "The network",
    "INVENTORY": "The inventory",
    "PERFORMANCE": "Performance monitoring",
    "FAULT_MANAGEMENT": "Fault management",
    "BILLING": "Billing",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """What came of it."""

    order: str
    """what order management calls it."""
    customer: Mapping[str, Any]
    service: Mapping[str, Any]
    """with its ports and its ways."""
    steps: Sequence[Mapping[str, Any]]
    state: str
    """of the order, as order management reads it."""
    completed_ms: float
    """from the order to that."""
    held: Mapping[str, int]
    """the rate in Mbit/s that each system has of the service."""
    hit: Mapping[str, Any]
    """what the next alarm does to it,"""
    ticket: Mapping[str, Any]
    """and its ticket, as the ticketing system shows it."""


async def look(scene: Scene) -> Newcomer:
    """Place an order, and look at every system; raises CommandFailed where any of it does not happen."""
    a, z = await _built_in(scene)
    name = f"PO-{scene.seed}"
    began = time.monotonic()
    placed = await scene.call("POST", scene.base + _ORDERS, _order(name, a["id"], z["id"]), by=BY)
    url = f"{scene.base}{_ORDERS}/{placed['id']}"
    read = await scene.until(url, lambda found: found["state"] in _OVER, "The order was not carried out", by=BY)
    passed = round((time.monotonic() - began) * 1_000, 1)
    order, item = await _told(scene, name)
    service = item["service"]
    if service is None:
        raise CommandFailed(f"The order {name} is {read['state']}: {item['failureDetail']}.", "Try another --seed.")
    hit, ticket = await _struck(scene, service)
    return Newcomer(
        order=name,
        customer=order["customer"],
        service=service,
        steps=item["steps"]["nodes"],
        state=read["state"],
        completed_ms=passed,
        held=await _held(scene, service),
        hit=hit,
        ticket=ticket,
    )


async def _built_in(scene: Scene) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Let the inventory send that a card was built in at two sites, far from each other in the list of all; give the sites."""
    sites = (await scene.ask(_SITES))["sites"]["nodes"]
    if len(sites) < 2:
        raise CommandFailed("The network has one site.", "Take another --topology.")
    chosen = sites[0], sites[len(sites) // 2]
    feed = f"{scene.base}/feeds/inventory/v1/demo-newcomer-{scene.seed}"
    lines = b"".join(orjson.dumps(each) + b"\n" for site in chosen for each in _card(site))
    await scene.call("PUT", f"{feed}?kind=incremental", lines, by="inventory", media="application/x-ndjson")
    await scene.until(feed, lambda each: each["state"] == "compared", "The feed was not compared", by="inventory")
    return chosen


def _card(site: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give a card with one port, as the inventory says that it is there."""
    [element] = site["networkElements"]["nodes"]
    within = element["externalNames"]["nodes"][0]["name"]
    card = f"{within}/N"
    return [
        _resource(card, "card", within, slot=99, model="LC-1"),
        _resource(f"{card}/1", "port", card, number=1, speedMbps=PRODUCT_MBPS * 2),
    ]


def _resource(name: str, category: str, within: str, **said: object) -> Mapping[str, Any]:
    return {
        "id": name,
        "category": category,
        "name": name,
        "resourceCharacteristic": [{"name": each, "value": value} for each, value in said.items()],
        "resourceRelationship": [{"relationshipType": "isContainedIn", "resource": {"id": within, "href": within}}],
    }


def _order(name: str, a: str, z: str) -> Mapping[str, Any]:
    places = [{"id": site, "role": end, "@referredType": "GeographicSite"} for end, site in (("A", a), ("Z", z))]
    return {
        "externalId": name,
        "relatedParty": [{"id": "CRM-4711", "name": COMPANY, "role": "customer", "@referredType": "Organization"}],
        "productOrderItem": [
            {
                "id": "1",
                "action": "add",
                "quantity": 1,
                "productOffering": {"id": PRODUCT, "name": PRODUCT},
                "product": {"place": places},
            }
        ],
    }


async def _told(scene: Scene, name: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Ask for the order until every system has confirmed its step; give it with its item."""
    end = soon()
    while time.monotonic() < end:
        [order] = (await scene.ask(_ORDER, name=name))["orders"]["nodes"]
        [item] = order["items"]["nodes"]
        if item["service"] is None or all(each["state"] == "DONE" for each in item["steps"]["nodes"]):
            return order, item
        await asyncio.sleep(_STEP)
    raise CommandFailed("The new service was not told to all systems.", "Look at `trunkline ledger`.")


async def _held(scene: Scene, service: Mapping[str, Any]) -> Mapping[str, int]:
    """Ask each system which rate it has of the service."""
    others, known_as = scene.neighbours, service["id"]
    in_network = await scene.call("GET", f"{others.provisioning}/service/{known_as}")
    listed = await scene.call("GET", f"{others.services}/service?limit=1000")
    [in_inventory] = [each for each in listed if _valued(each["serviceCharacteristic"]).get("trunkline") == known_as]
    [job] = await scene.call("GET", f"{others.performance}/measurementCollectionJob?jobId=trunkline:{known_as}")
    return {
        "service": service["effectiveMbps"],
        "network": int(_valued(in_network["serviceCharacteristic"])["bandwidth"]),
        "inventory": int(_valued(in_inventory["serviceCharacteristic"])["bandwidth"]),
        "performance": int(_valued(job["characteristic"])["rateMbps"]),
    }


def _valued(characteristics: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in characteristics}


async def _struck(scene: Scene, service: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Let the card at end A fail and work again; give what that did to the service, and its customer's ticket."""
    card = next(each["port"]["card"]["id"] for each in service["accessPoints"] if each["end"] == "A")
    token = SecretStr(scene.tokens["fault management"])
    async with fault_management(f"{scene.base}/tmf-api/alarmManagement/v4", token) as faults:
        raised = await faults.raise_alarm(card, number=scene.seed + 1, deadline=soon())
        affected = (await scene.ask(_HIT, id=raised.id))["alarm"]["affects"]["nodes"]
        hit = next((each for each in affected if each["service"]["id"] == service["id"]), None)
        if hit is None:
            raise CommandFailed("The new service was not hit by an alarm on its card.", "This is a fault of ours.")
        url = f"{scene.neighbours.ticketing}/troubleTicket?limit=1000"
        listed = await scene.until(
            url, lambda found: any(_is_of(each, raised.id) for each in found), "No ticket was opened"
        )
        await faults.clear_alarm(raised.external_alarm_id, deadline=soon())
    return hit, next(each for each in listed if _is_of(each, raised.id))


def _is_of(ticket: Mapping[str, Any], alarm: str) -> bool:
    return bool(str(ticket["externalId"]).startswith(f"{alarm}:"))


def as_text(found: Newcomer) -> str:
    """Tell it."""
    ends = [f"port {each['port']['name']} at {_site(each)}" for each in found.service["accessPoints"]]
    lines = [
        f"{found.customer['name']}, whom nobody knew, orders {PRODUCT} between two sites where a card was built in ({found.order}).",
        f"  Reserved are {' and '.join(ends)}, {_ways(found.service['route'])}.",
        *(
            f"  {_SYSTEMS[each['system']]}: {each['name']}, {each['receipt']}"
            for each in found.steps
            if each["receipt"]
        ),
        f"  {found.completed_ms / 1_000:.1f} s after the order its state is {found.state}, and all of them have {_rates(found.held)}.",
    ]
    severity = found.hit["severity"].lower()
    lines.append(
        f"The new card at its end A fails: {found.service['name']} is {found.hit['effect'].lower()}, {severity}, and the ticketing system has"
        f" ticket {found.ticket['id']} for {found.ticket['relatedParty'][0]['name']}."
    )
    return "\n".join(lines)


def _site(access: Mapping[str, Any]) -> str:
    return str(access["port"]["card"]["networkElement"]["site"]["name"])


def _ways(route: Sequence[Mapping[str, Any]]) -> str:
    paths = [each["path"] for each in route]
    working, standby = paths.count("WORKING"), paths.count("PROTECTING")
    return f"a way over {working} trunks and one over {standby} others that stands by"


def _rates(held: Mapping[str, int]) -> str:
    return " or ".join(f"{each} Mbit/s" for each in sorted(set(held.values())))


def as_object(found: Newcomer) -> dict[str, Any]:
    """Give it for programs."""
    return {
        "order": found.order,
        "state": found.state,
        "completedMilliseconds": found.completed_ms,
        "customer": dict(found.customer),
        "service": dict(found.service),
        "steps": [dict(each) for each in found.steps],
        "held": dict(found.held),
        "hit": dict(found.hit),
        "ticket": dict(found.ticket),
    }
