"""The inventory says that equipment is gone which still carries services: a person takes a side, and the inventory is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from gateway.commands.demo.scene import Scene
from gateway.errors import CommandFailed

_NAMES: Final = """
query Names($id: ID!) {
  node(id: $id) { ... on Card { name externalNames(first: 10) { nodes { system name } } } }
}
"""
_DIFFERENCES: Final = """
{ inventoryDifferences(filter: { state: { in: [HELD, OPEN] } }, first: 10) { nodes { id state kind resource reason } } }
"""
_SETTLE: Final = """
mutation Settle($difference: ID!, $key: String!) {
  settleInventoryDifference(differenceId: $difference, side: GRAPH, idempotencyKey: $key) {
    difference { state } userErrors { message }
  }
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What came of it."""

    card: str
    difference: Mapping[str, Any]
    told: Mapping[str, Any]
    """the card, as the inventory shows it again."""


async def look(scene: Scene, card_id: str) -> Stock:
    """Let the inventory send that a card is gone; settle it with the graph's side, and look what the inventory has."""
    card = (await scene.ask(_NAMES, id=card_id))["node"]
    name = next(each["name"] for each in card["externalNames"]["nodes"] if each["system"] == "inventory")
    feed = f"{scene.base}/feeds/inventory/v1/demo-{scene.seed}"
    await scene.call("PUT", f"{feed}?kind=incremental", _gone(name), by="inventory", media="application/x-ndjson")
    await scene.until(feed, lambda each: each["state"] == "compared", "The feed was not compared", by="inventory")
    found = (await scene.ask(_DIFFERENCES))["inventoryDifferences"]["nodes"]
    if not found:
        raise CommandFailed("The inventory and the graph do not differ.", "This is a fault of ours.")
    settled = await scene.ask(_SETTLE, difference=found[0]["id"], key=f"demo-{scene.seed}")
    if errors := settled["settleInventoryDifference"]["userErrors"]:
        raise CommandFailed("The difference could not be settled.", errors[0]["message"])
    url = f"{scene.neighbours.inventory}/resource?resourceCharacteristic.value={card_id}"
    told = await scene.until(url, bool, "The inventory was not told")
    return Stock(card=card["name"], difference=found[0], told=told[0])


def as_text(stock: Stock) -> str:
    """Tell it."""
    return (
        f"The inventory sends that card {stock.card} was taken out. It is not taken away here: {stock.difference['reason']}.\n"
        f"  An operator takes the graph's side, and the inventory has the card again, as {stock.told['id']}."
    )


def as_object(stock: Stock) -> dict[str, Any]:
    """Give it for programs."""
    return {"difference": dict(stock.difference), "told": dict(stock.told)}


def _gone(name: str) -> bytes:
    event = {"eventType": "ResourceDeleteEvent", "event": {"resource": {"id": name, "category": "card"}}}
    return orjson.dumps(event) + b"\n"
