"""What the demonstration tells must come out of the gateway as any client gets it: over HTTP, with tokens.

`tell` asks for one customer's whole slice by one query, then asks the same with another customer's token, and then for
a customer that does not exist: the last two answers must be the same, byte for byte.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aiohttp
import orjson

from gateway.commands.demo.neighbours import ROLES
from gateway.commands.demo.scene import TIMEOUT
from gateway.errors import CommandFailed
from gateway.stores import DemoPrincipal

READY_SECONDS: Final = 30
_NOW: Final = "@now@"
UNKNOWN: Final = "customer-00000000-0000-5000-8000-000000000000"
SLICE: Final = """
query Slice($id: ID!) {
  customer(id: $id) {
    id name segment status
    services(first: 50) {
      totalCount
      nodes {
        name kind state committedMbps effectiveMbps effect
        sla { tier availabilityPercent repairHours }
        accessPoints { end port { name card { name slot networkElement { name site { name } } } } }
        route { path position trunk { name capacityMbps operationalState } }
        affectedBy { nodes { effect severity alarm { probableCause perceivedSeverity raisedAt } } }
      }
    }
    tickets { nodes { externalId status severity alarms { nodes { probableCause } } } }
    orders { nodes { externalId state } }
    bills(first: 1) { number state dueAt amountDue { amount currency } }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the gateway has answered."""

    customer: DemoPrincipal
    other: DemoPrincipal
    data: dict[str, Any]
    """the slice, as the customer sees it."""
    size: int
    """bytes of that answer."""
    first_milliseconds: float
    """with a new query: parsed, validated, compiled, planned."""
    milliseconds: float
    """once it is known: the median of several."""
    hidden: bool
    """whether the other customer was told of it just what is told of one that does not exist."""


async def tell(url: str, tokens: dict[str, str], customer: DemoPrincipal, other: DemoPrincipal) -> Told:
    """Ask, as both customers."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        owner, stranger = tokens[customer.tier.lower()], tokens[other.tier.lower()]
        (name,) = customer.customers
        timed = [await _asked(session, url, owner, name) for _ in range(10)]
        answer, first = timed[0]
        foreign, _ = await _asked(session, url, stranger, name)
        unknown, _ = await _asked(session, url, stranger, UNKNOWN)
    data = orjson.loads(answer)
    if data.get("errors") or data["data"]["customer"] is None:
        raise CommandFailed("The gateway did not answer with the customer's slice.", answer.decode()[:300])
    return Told(
        customer=customer,
        other=other,
        data=data["data"]["customer"],
        size=len(answer),
        first_milliseconds=round(first, 1),
        milliseconds=round(sorted(each for _, each in timed)[len(timed) // 2], 1),
        hidden=foreign == unknown == b'{"data":{"customer":null}}',
    )


async def ready(url: str) -> None:
    """Wait until the gateway says that it is."""
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session, asyncio.timeout(READY_SECONDS):
        while True:
            async with session.get(url) as response:
                if response.status == 200:
                    return
            await asyncio.sleep(0.05)


async def _asked(session: aiohttp.ClientSession, url: str, token: str, customer: str) -> tuple[bytes, float]:
    body = orjson.dumps({"query": SLICE, "variables": {"id": customer}})
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    began = time.perf_counter()
    async with session.post(url, data=body, headers=headers) as response:
        return await response.read(), (time.perf_counter() - began) * 1_000


def _service(service: dict[str, Any]) -> dict[str, Any]:
    places = [each["port"]["card"]["networkElement"]["site"]["name"] for each in service["accessPoints"]]
    hops = [each["path"] for each in service["route"]]
    return {
        "name": service["name"],
        "kind": service["kind"],
        "tier": service["sla"]["tier"],
        "committedMbps": service["committedMbps"],
        "sites": places,
        "workingTrunks": hops.count("WORKING"),
        "protectingTrunks": hops.count("PROTECTING"),
        "effect": own_word(service["effect"]),
        "alarms": len(service["affectedBy"]["nodes"]),
    }


def _money(amount: dict[str, Any]) -> str:
    return f"{int(amount['amount']) / 100:,.2f} {amount['currency']}"


def own_word(name: str | None) -> str | None:
    """Turn the GraphQL spelling into the field's own: AT_RISK into atRisk."""
    return None if name is None else re.sub(r"_(\w)", lambda match: match[1].upper(), name.lower())


def as_text(told: Told) -> str:
    """Give the story for people."""
    services = [_service(each) for each in told.data["services"]["nodes"]]
    times = f"in {told.milliseconds} ms ({told.first_milliseconds} ms the first time)"
    lines = [f"{told.data['name']} ({told.customer.tier}) sees, by one query {times}, {told.size:,} bytes:"]
    for each in services[:5]:
        paths = f"{each['workingTrunks']} trunks, protected by {each['protectingTrunks']}"
        state = f"{each['effect']}, {each['alarms']} alarm(s)" if each["effect"] else "well"
        lines.append(f"  {each['name']}: {each['committedMbps']} Mbps, {paths}, {state}")
    if len(services) > 5:
        lines.append(f"  and {told.data['services']['totalCount'] - 5} more")
    lines += [
        f"  ticket {each['externalId']}: {own_word(each['severity'])}, {own_word(each['status'])}"
        for each in told.data["tickets"]["nodes"]
    ]
    lines += [
        f"  bill {each['number']}: {_money(each['amountDue'])}, {own_word(each['state'])}"
        for each in told.data["bills"]
    ]
    sight = "is told what anyone is told of a customer that does not exist" if told.hidden else "SEES IT TOO"
    lines.append(f"{told.other.name} ({told.other.tier}), who shares site, card and trunk with it, {sight}.")
    return "\n".join(lines)


def examples(url: str, tokens: dict[str, str], customer: DemoPrincipal) -> list[str]:
    """Write three requests as lines that can be pasted."""
    by_id = "query ($id: ID!) { customer(id: $id) { name services { totalCount nodes { name effect } } } }"
    asked: list[tuple[str, dict[str, Any]]] = [
        ("operator", {"query": "{ customers(first: 3) { totalCount nodes { id name services { totalCount } } } }"}),
        ("premium", {"query": by_id, "variables": {"id": customer.customers[0]}}),
        ("standard", {"query": by_id, "variables": {"id": customer.customers[0]}}),
    ]
    return [_curl(url, tokens[name], body) for name, body in asked]


def to_follow(url: str, token: str) -> str:
    """Write how to follow alerts on a terminal."""
    watched = "subscription { alerts { kind severity services { serviceId effect } } }"
    return shlex.join((_ourselves(), "watch", watched, "--url", url, "--token", token))


def _ourselves() -> str:
    """Give the name by which another window finds this command: its path where it is not on the path, as after `make demo`."""
    here = Path(sys.executable).with_name("trunkline")
    return str(here) if here.exists() and shutil.which("trunkline") is None else "trunkline"


def to_fail(base: str, token: str, alarmed: str) -> list[str]:
    """Write how to let a card fail, and how to mend it, as often as one likes: the shell says when."""
    url = f"{base}/tmf-api/alarmManagement/v4/alarm"
    alarm: dict[str, Any] = {
        "sourceSystemId": ROLES["fault management"].removeprefix("system:"),
        "externalAlarmId": "paste-1",
        "alarmType": "equipmentAlarm",
        "perceivedSeverity": "critical",
        "probableCause": "powerProblem",
        "alarmedObject": {"id": alarmed},
        "alarmRaisedTime": _NOW,
        "state": "raised",
    }
    cleared = {**alarm, "state": "cleared", "alarmClearedTime": _NOW}
    return [_curl(url, token, each).replace(_NOW, "'$(date -u +%FT%TZ)'") for each in (alarm, cleared)]


def _curl(url: str, token: str, body: dict[str, Any]) -> str:
    parts = ("curl", "-s", url, "-H", f"Authorization: Bearer {token}", "-H", "Content-Type: application/json", "-d")
    return " ".join(shlex.quote(each) for each in (*parts, orjson.dumps(body).decode()))
