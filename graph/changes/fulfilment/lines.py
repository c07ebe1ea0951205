"""What one item of an order says of a new service becomes the demand that a design is looked for, or the reason why it cannot.

Sites are named by our ids, or as whoever has placed the order names them. Everything is read under the lock of the order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.changes.catalogue import Product, Said
from graph.changes.fulfilment.failures import Failure, no_site
from graph.changes.orders.known import Order
from graph.changes.policy import AlarmPolicy
from graph.changes.references import meant
from graph.routing.demand import Access, Demand, Side
from graph.store.store import Transaction

RELIES_ON: Final = "relieson"
_ONE_SITE: Final = "Both ends are at one site: within a site there is no way to look for"
_READ: Final = "MATCH (i:OrderItem {id: $item}) RETURN i._product, i.siteA, i.siteZ, i.mbps, i._unread"
_RELIES: Final = """
MATCH (:Order {id: $order})-[:HAS_ITEM]->(i:OrderItem)-[r:RELATES_TO]->(o:OrderItem)
WHERE toLower(coalesce(r.relationshipType, '')) = $kind
RETURN i.externalId, o.externalId ORDER BY i.externalId, o.externalId
"""
_SITES: Final = "MATCH (s:Site) WHERE s.id IN $batch.ids RETURN s.id"
_NAMED: Final = """
UNWIND $batch.keys AS sought
MATCH (x:ExternalName {key: sought})-[:NAMES]->(s:Site)
RETURN sought, s.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What an item says of a new service."""

    item: str
    """its id within the order,"""
    node: str
    """and in the graph."""
    product: str
    """by which the catalogue has it."""
    sites: Mapping[Side, str]
    """as they are named; empty where one is not."""
    rate: Said


async def read_line(transaction: Transaction, order: Order, item: str) -> Line:
    """Read what an item of a locked order says."""
    node = order.nodes[item]
    [row] = await transaction.run(_READ, {"item": node})
    product, a, z, mbps, unread = cast("tuple[str | None, str | None, str | None, int | None, str | None]", tuple(row))
    sites = {Side.A: a or "", Side.Z: z or ""}
    return Line(item=item, node=node, product=product or "", sites=sites, rate=Said(mbps=mbps, unread=unread or ""))


async def relies(transaction: Transaction, order: str) -> Mapping[str, Sequence[str]]:
    """Give which items of an order each relies on, by their ids within it."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    rows = await transaction.run(_RELIES, {"order": order, "kind": RELIES_ON})
    for item, other in cast("list[tuple[str, str]]", rows):
        found[item].append(other)
    return found


async def demand_of(
    transaction: Transaction, policy: AlarmPolicy, order: Order, line: Line, product: Product
) -> Demand | Failure:
    """Give what is to be designed, from now on and for ever."""
    if (problem := product.rate_problem(line.rate)) is not None:
        return Failure(word="REQUEST", detail=problem)
    if missing := [side for side in Side if not line.sites[side]]:
        return Failure(word="REQUEST", detail=f"The order does not name one site for end {' and '.join(missing)}")
    if line.sites[Side.A] == line.sites[Side.Z]:  # said before anything is looked up: it tells of no site
        return Failure(word="REQUEST", detail=_ONE_SITE)
    found = await _sites(transaction, policy, order.system, line.sites)
    if unknown := [side for side in Side if side not in found]:
        return no_site(*unknown)
    if found[Side.A] == found[Side.Z]:  # by two names: another word than for one that is not there would tell of it
        return Failure(word="PORT", detail=_ONE_SITE)
    return Demand(
        a=Access(site=found[Side.A]),
        z=Access(site=found[Side.Z]),
        mbps=product.mbps or line.rate.mbps or 0,
        start=order.now,
        end=None,
        protected=product.protected,
        weights=product.weights,
    )


async def _sites(
    transaction: Transaction, policy: AlarmPolicy, source: str, sites: Mapping[Side, str]
) -> dict[Side, str]:
    """Find sites by our ids, or by what a source calls them; one that is not there is left out."""
    keys = {name: policy.keys_meant(source, name) for name in sites.values()}
    every = sorted({key for each in keys.values() for key in each})
    rows = await transaction.run(_SITES, {"batch": {"ids": sorted(keys)}})
    known = {str(row[0]) for row in rows}
    named = await transaction.run(_NAMED, {"batch": {"keys": every}})
    found = {side: meant(name if name in known else None, named, keys[name]) for side, name in sites.items()}
    return {side: site for side, site in found.items() if site is not None}
