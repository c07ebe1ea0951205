"""A customer wants more bandwidth for a videoconference: it asks, books, gets it, and the service returns by itself.

Seconds stand for the two hours. Every system is asked what it holds while the boost runs and after it; the third boost of one service
in a month is a lead for sales.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.commands.demo.scene import Scene, soon
from gateway.errors import CommandFailed

BY: Final = "standard"
WISH_MBPS: Final = 500
SECONDS: Final = 5.0
TIMES: Final = 3
"""as many as make a lead."""
_SERVICES: Final = """
{ customers(first: 1) { nodes { name } } services(first: 50, filter: { state: { eq: ACTIVE } }) {
  nodes { id name committedMbps effectiveMbps maxMbps }
} }
"""
_QUOTE: Final = """
query Quote($id: ID!, $mbps: Int!, $endAt: DateTime!) {
  quoteBandwidth(serviceId: $id, mbps: $mbps, endAt: $endAt) {
    quote { id fits mbps mostMbps stepMbps limitedBy price { amount currency } }
    userErrors { code message }
  }
}
"""
_BOOK: Final = """
mutation Book($quote: ID!, $key: String!) {
  boostBandwidth(quoteId: $quote, idempotencyKey: $key) { boost { id } userErrors { code message } }
}
"""
_BOOST: Final = """
query Boost($id: ID!) {
  boost(id: $id) {
    id status statusReason mbps startAt endAt activatedAt endedAt price currency
    service { committedMbps bookedMbps effectiveMbps }
    steps(first: 50) { nodes { boundary system state finishedAt receipt } }
  }
}
"""
_USAGE: Final = """
query Usage($id: ID!) { service(id: $id) { usage(filter: { source: { eq: "trunkline" } }, first: 10) { nodes { id from to mbps } } } }
"""
_NAME: Final = """
mutation Name($id: ID!, $name: String!, $key: String!) {
  addExternalName(objectId: $id, system: "inventory", name: $name, idempotencyKey: $key) { userErrors { code message } }
}
"""
_STEP: Final = 0.05
_SYSTEMS: Final[Mapping[str, str]] = {
    "NETWORK": "The network",
    "PERFORMANCE": "Performance monitoring",
    "FAULT_MANAGEMENT": "Fault management",
    "INVENTORY": "The inventory",
    "BILLING": "Billing",
    "SALES": "Sales",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Videoconference:
    """What came of it."""

    customer: str
    service: Mapping[str, Any]
    quote: Mapping[str, Any]
    """of what was wished."""
    booked: Mapping[str, Any]
    """the quote that was booked."""
    held: Mapping[str, int]
    """the rate in Mbit/s that each system had while the boost ran."""
    after: Mapping[str, int]
    """and when it was over."""
    boost: Mapping[str, Any]
    """the first one, when it was over, with its steps."""
    usage: Sequence[Mapping[str, Any]]
    """what billing has of all of them."""
    lead: Mapping[str, Any]
    """as sales shows it."""


async def look(scene: Scene) -> Videoconference:
    """Book three times, and look at every system; raises CommandFailed where any of it does not happen."""
    found = await scene.ask(_SERVICES, by=BY)
    [customer], services = found["customers"]["nodes"], found["services"]["nodes"]
    service, wished = await _with_room(scene, services)
    known_as = await _lay_out(scene, service)
    quote = wished if wished["fits"] else await _quote(scene, service["id"], wished["mostMbps"])
    running = await _book(scene, quote, 1)
    held = await _held(scene, running, service["id"], known_as)
    first = await _over(scene, running)
    after = await _held(scene, first, service["id"], known_as)
    for number in range(2, TIMES + 1):
        await _over(scene, await _book(scene, await _quote(scene, service["id"], quote["mbps"]), number))
    return Videoconference(
        customer=customer["name"],
        service=service,
        quote=wished,
        booked=quote,
        held=held,
        after=after,
        boost=first,
        usage=await _billed(scene, service["id"]),
        lead=await _lead(scene, service["id"]),
    )


async def _lay_out(scene: Scene, service: Mapping[str, Any]) -> str:
    """Let the network and the inventory have the service, as after its order; give what the inventory calls it."""
    laid = [{"id": service["id"], "mbps": service["effectiveMbps"]}]
    await scene.call("PUT", f"{scene.neighbours.provisioning_root}/simulator/services", laid)
    body = {"state": "active", "serviceSpecification": {"id": "line"}, "name": service["name"]}
    made = await scene.call("POST", f"{scene.neighbours.services}/service", body)
    named = {"id": service["id"], "name": made["id"], "key": f"demo-name-{scene.seed}"}
    _must_not_fail("The service could not be named.", (await scene.ask(_NAME, **named))["addExternalName"])
    return str(made["id"])


async def _with_room(
    scene: Scene, services: Sequence[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Find the service with the most room, and what is quoted for it."""
    quotes = [(await _quote(scene, each["id"], WISH_MBPS), each) for each in services]
    quote, service = max(quotes, key=lambda each: (each[0]["mostMbps"], each[1]["id"]))
    if not quote["mostMbps"]:
        raise CommandFailed("No service of the customer has room for a boost.", "Try another --seed.")
    return service, quote


async def _quote(scene: Scene, service: str, mbps: int) -> Mapping[str, Any]:
    end = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=SECONDS)
    payload = (await scene.ask(_QUOTE, by=BY, id=service, mbps=mbps, endAt=end.isoformat()))["quoteBandwidth"]
    _must_not_fail("The bandwidth could not be quoted.", payload)
    quote: Mapping[str, Any] = payload["quote"]
    return quote


async def _book(scene: Scene, quote: Mapping[str, Any], number: int) -> Mapping[str, Any]:
    """Book, and give the boost when every system has confirmed its start."""
    key = f"demo-boost-{scene.seed}-{number}"
    payload = (await scene.ask(_BOOK, by=BY, quote=quote["id"], key=key))["boostBandwidth"]
    _must_not_fail("The bandwidth could not be booked.", payload)
    return await _until(scene, payload["boost"]["id"], "START")


async def _over(scene: Scene, boost: Mapping[str, Any]) -> Mapping[str, Any]:
    """Give a boost when every system has confirmed its return."""
    return await _until(scene, boost["id"], "RETURN")


def _must_not_fail(what: str, payload: Mapping[str, Any]) -> None:
    if errors := payload["userErrors"]:
        raise CommandFailed(what, f"{errors[0]['code']}: {errors[0]['message']}")


async def _until(scene: Scene, boost: str, boundary: str) -> Mapping[str, Any]:
    """Ask for a boost, as the customer, until every system has confirmed what it was asked at a boundary."""
    end = soon()
    while time.monotonic() < end:
        found: Mapping[str, Any] = (await scene.ask(_BOOST, by=BY, id=boost))["boost"]
        steps = [each for each in found["steps"]["nodes"] if each["boundary"] == boundary]
        if steps and all(each["state"] == "DONE" for each in steps):
            return found
        await asyncio.sleep(_STEP)
    raise CommandFailed(f"The {boundary.lower()} of the boost was not confirmed.", "Look at `trunkline ledger`.")


async def _held(scene: Scene, boost: Mapping[str, Any], service: str, known_as: str) -> Mapping[str, int]:
    """Ask each system which rate it has of the service, which the inventory calls something else."""
    others = scene.neighbours
    in_network = await scene.call("GET", f"{others.provisioning}/service/{service}")
    in_inventory = await scene.call("GET", f"{others.services}/service/{known_as}")
    # Every service has a job: more than a page holds.
    [job] = await scene.call("GET", f"{others.performance}/measurementCollectionJob?jobId=trunkline:{service}")
    return {
        "service": boost["service"]["effectiveMbps"],
        "network": _valued(in_network["serviceCharacteristic"])["bandwidth"],
        "inventory": _valued(in_inventory["serviceCharacteristic"])["bandwidth"],
        "performance": _valued(job["characteristic"])["rateMbps"],
    }


def _valued(characteristics: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {each["name"]: int(each["value"]) for each in characteristics}


async def _billed(scene: Scene, service: str) -> list[Mapping[str, Any]]:
    """Wait until billing has a record of each boost; give the records as billing shows them."""
    records = (await scene.ask(_USAGE, by=BY, id=service))["service"]["usage"]["nodes"]
    url = f"{scene.neighbours.billing}/tmf-api/usageManagement/v4/usage?usageCharacteristic.value="
    found = [await scene.until(f"{url}{each['id']}", bool, "Billing was not told of the boost") for each in records]
    return [each[0] for each in found]


async def _lead(scene: Scene, service: str) -> Mapping[str, Any]:
    """Wait until sales has the lead."""

    def of_service(leads: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        return [each for each in leads if any(entity["id"] == service for entity in each.get("relatedEntity", ()))]

    url = f"{scene.neighbours.sales}/salesLead?limit=1000"
    found = await scene.until(url, lambda leads: bool(of_service(leads)), "Sales was not told of the lead")
    return of_service(found)[0]


def as_text(found: Videoconference) -> str:
    """Tell it."""
    lines = [f"{found.customer} wants {WISH_MBPS} Mbit/s more on {found.service['name']} for a videoconference."]
    lines.append(_offered(found.quote))
    lines.append(
        f"  It books {found.booked['mbps']} Mbit/s for {_money(found.booked['price'])}; {SECONDS:.0f} seconds stand for two hours."
    )
    lines += [
        f"  {_SYSTEMS[each['system']]}: {each['receipt']}"
        for each in found.boost["steps"]["nodes"]
        if each["boundary"] == "START" and each["receipt"]
    ]
    before, now = sorted(set(found.held.values())), sorted(set(found.after.values()))
    lines.append(f"  While it runs all of them have {_rates(before)}, and after its return, by itself, {_rates(now)}.")
    lines.append(
        f"Billing has {len(found.usage)} records after {TIMES} such boosts, and sales a lead: {found.lead['name']}."
    )
    return "\n".join(lines)


def _offered(quote: Mapping[str, Any]) -> str:
    if quote["fits"]:
        return f"  It fits: up to {quote['mostMbps']} Mbit/s may be booked."
    limit = {"PORT": "its port", "NETWORK": "the network", "CONTRACT": "its contract", "CAP": "what it may spend"}
    return f"  It is offered {quote['mostMbps']} Mbit/s: {limit[quote['limitedBy']]} has no more for it."


def _rates(rates: Sequence[int]) -> str:
    return " or ".join(f"{each} Mbit/s" for each in rates)


def _money(amount: Mapping[str, Any]) -> str:
    return f"{int(amount['amount']) / 100:,.2f} {amount['currency']}"


def as_object(found: Videoconference) -> dict[str, Any]:
    """Give it for programs."""
    return {
        "service": dict(found.service),
        "wished": dict(found.quote),
        "booked": dict(found.booked),
        "whileItRuns": dict(found.held),
        "afterwards": dict(found.after),
        "boost": dict(found.boost),
        "usage": [dict(each) for each in found.usage],
        "lead": dict(found.lead),
    }
