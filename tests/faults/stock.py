"""The people of an inventory: one sends what it has, one works on the equipment, and some settle what differs.

The inventory's own document goes to the gateway as a full feed, again and again, while differences are settled and things
change their states: so a feed may have been written before what it is compared with.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from tests.faults.telling import Until

NAME: Final = "inventory"
FEEDS: Final = "/feeds/inventory/v1"
_FEED_SECONDS: Final = (2.0, 6.0)
_PAUSES: Final = (0.2, 1.2)
_NDJSON: Final = {"Content-Type": "application/x-ndjson"}
_LOOK_SECONDS: Final = 0.3
_COMPARED_SECONDS: Final = 900.0
_DIFFERENCES: Final = """
{ inventoryDifferences(filter: { state: { in: [HELD, OPEN] } }, first: 200) { nodes { id kind resource resourceType } } }
"""
_SETTLE: Final = """
mutation Settle($difference: ID!, $side: InventorySide!, $key: String!) {
  settleInventoryDifference(differenceId: $difference, side: $side, idempotencyKey: $key) {
    difference { id state } userErrors { code message }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A difference in which somebody took a side, and was heard."""

    resource: str
    """our id of what it is about."""
    kind: str
    side: str


@dataclass(slots=True, kw_only=True)
class Sender:
    """Sends what the inventory has."""

    gateway: Until
    inventory: Until
    """its top."""
    chance: Random
    feeds: list[str] = field(default_factory=list)

    async def work(self, over: asyncio.Event) -> None:
        """Send one document after the other until it is over."""
        while not over.is_set():
            await self.send()
            await asyncio.sleep(self.chance.uniform(*_FEED_SECONDS))

    async def send(self) -> str:
        """Send all that it has, until it is heard; give the address of the feed."""
        document = (await self.inventory.ask("GET", "/feed.ndjson")).content
        address = f"{FEEDS}/full-{len(self.feeds) + 1}"
        await self.gateway.ask("PUT", f"{address}?kind=full", content=document, headers=_NDJSON)
        self.feeds.append(address)
        return address

    async def send_and_wait(self) -> None:
        """Send it, and wait until it is compared."""
        address = await self.send()
        async with asyncio.timeout(_COMPARED_SECONDS):
            while (await self.gateway.ask("GET", address)).json()["state"] != "compared":  # noqa: ASYNC110 - only asking tells
                await asyncio.sleep(_LOOK_SECONDS)


@dataclass(slots=True, kw_only=True)
class Worker:
    """Switches equipment off and on, and writes that down in the inventory."""

    inventory: Until
    chance: Random

    async def work(self, over: asyncio.Event) -> None:
        """Change one thing after the other until it is over."""
        path = "/tmf-api/resourceInventoryManagement/v4/resource"
        while not over.is_set():
            query = {"category": self.chance.choice(("networkElement", "card", "port")), "limit": 100, "fields": "id"}
            found = (await self.inventory.ask("GET", path, params=query)).json()
            state = {"operationalState": self.chance.choice(("enable", "disable"))}
            await self.inventory.ask("PATCH", f"{path}/{self.chance.choice(found)['id']}", json=state)
            await asyncio.sleep(self.chance.uniform(*_PAUSES))


@dataclass(slots=True, kw_only=True)
class Settler:
    """Takes a side in what differs."""

    name: str
    gateway: Until
    chance: Random
    tries: int = 0
    settled: list[Settled] = field(default_factory=list)

    async def work(self, over: asyncio.Event) -> None:
        """Settle one difference after the other until it is over; the last is settled to its end."""
        while not over.is_set():
            asked = await self.gateway.ask("POST", "/graphql", json={"query": _DIFFERENCES})
            if found := asked.json()["data"]["inventoryDifferences"]["nodes"]:
                await self._settle(self.chance.choice(found))
            await asyncio.sleep(self.chance.uniform(*_PAUSES))

    async def _settle(self, difference: dict[str, Any]) -> None:
        side = _side(difference)
        self.tries += 1
        given = {"difference": difference["id"], "side": side, "key": f"{self.name}-{self.tries}"}
        asked = await self.gateway.ask("POST", "/graphql", json={"query": _SETTLE, "variables": given})
        if not asked.json()["data"]["settleInventoryDifference"]["userErrors"]:
            self.settled.append(Settled(resource=difference["resource"], kind=difference["kind"], side=side))


def _side(difference: dict[str, Any]) -> str:
    """Choose a side: for each thing always the same, since what was settled may be found anew by an older document."""
    if difference["kind"] == "MISSING_THERE":
        return "GRAPH"
    return Random(difference["resource"]).choice(("GRAPH", "INVENTORY"))
