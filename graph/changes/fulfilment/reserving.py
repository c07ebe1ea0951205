"""A service is designed and reserved in one transaction: two orders never get the same port, nor the same capacity.

It is designed without a lock, then all that it takes is locked in the order of the ids, and it is designed once more: what others have
taken meanwhile counts. Where the second design takes something else, all is begun anew with that locked too.

What is reserved is a service with the state `reserved`, which is nobody's: capacity and the use of ports count it, alarms, slices and
billing do not.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import uuid_utils

from graph.capacity.limits import Overbooking
from graph.changes.bandwidth.boosts import hold_things
from graph.changes.catalogue import Product
from graph.changes.feasibility import design
from graph.changes.fulfilment.failures import Failure, failure_of
from graph.changes.fulfilment.lines import Line
from graph.errors import Contended, DeadlineExceeded, Refused
from graph.model.model import LABELS
from graph.model.words import searchable
from graph.routing.answers import Design, PlannedWay, Undecided
from graph.routing.demand import Demand
from graph.routing.network import Network
from graph.routing.reading import read_network
from graph.store.store import Transaction

SECONDS: Final = 4.0
"""for one design: the work of a timer has time for two."""
_LONGEST_NAME: Final = 200
_RESERVE: Final = """
MATCH (i:OrderItem {id: $item})
CREATE (s:Service {
  id: $service, name: $name, words: $words, kind: $kind, state: 'reserved', committedMbps: $mbps, effectiveMbps: 0, maxMbps: $most,
  _version: 0
})
CREATE (s)-[:GOVERNED_BY]->(:Sla {
  id: $sla, name: $product, tier: $tier, availabilityPercent: $availability, repairHours: $hours
})
CREATE (i)-[:PROVISIONS]->(s)
"""
_ACCESS: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
MATCH (p:Port {id: row.port})
CREATE (s)-[:ACCESSED_AT {end: row.end}]->(p)
"""
_ROUTE: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
MATCH (t:Trunk {id: row.trunk})
CREATE (s)-[:ROUTED_OVER {path: row.path, position: row.position}]->(t)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """A service that is reserved."""

    service: str
    name: str
    mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftToPeople:
    """Nobody knows whether a service can be built, and to look again would not help: a person designs it."""

    reason: str


async def decide(
    transaction: Transaction, demand: Demand, overbooking: Overbooking, wanted: set[str]
) -> Design | Failure | LeftToPeople:
    """Design a service under the locks of all that it takes.

    `wanted` is what is locked in any case; what turns out to be needed beside it is added, and Contended raised: the next attempt has it.
    Raises DeadlineExceeded where there was no time to decide: it is tried again later.
    """
    network = await read_network(transaction.run)

    async def designed() -> Design | Failure | LeftToPeople:
        return await _designed(transaction, network, demand, overbooking)

    first = await designed()
    if not isinstance(first, Design):
        return first
    held = wanted.union(first.things)
    await hold_things(transaction, held)
    found = await designed()
    if isinstance(found, Design) and not held.issuperset(found.things):
        wanted.update(held, found.things)
        raise Contended("What a new service takes was taken by another one meanwhile")
    return found


async def _designed(
    transaction: Transaction, network: Network, demand: Demand, overbooking: Overbooking
) -> Design | Failure | LeftToPeople:
    deadline = time.monotonic() + SECONDS
    try:
        found = await design(transaction.run, network, demand, overbooking, deadline=deadline)
    except Refused as refused:  # the sites are too large, and stay so
        return LeftToPeople(reason=str(refused))
    if isinstance(found, Undecided):
        if time.monotonic() >= deadline:
            raise DeadlineExceeded("The time was over before a new service was designed")
        return LeftToPeople(reason="the search for a way was given up: there may be one")
    return found if isinstance(found, Design) else failure_of(found)


def reserve(transaction: Transaction, line: Line, product: Product, found: Design, called: str, mbps: int) -> Reserved:
    """Write what was designed, and whose ports and trunks are locked; `called` is what names the order."""
    service = f"{LABELS['Service'].id_prefix}{uuid_utils.uuid7()}"
    name = f"{product.name} {called}/{line.item}"[:_LONGEST_NAME]
    given: dict[str, Any] = {
        "item": line.node,
        "service": service,
        "name": name,
        "words": searchable(name),
        "kind": product.service_type,
        "mbps": mbps,
        "most": product.most(mbps),
        "sla": f"{LABELS['Sla'].id_prefix}{uuid_utils.uuid7()}",
        "product": product.name,
        "tier": product.tier,
        "availability": float(product.availability_percent),
        "hours": product.repair_hours,
    }
    transaction.later(_RESERVE, given)
    ends = [{"service": service, "port": port, "end": end} for end, port in (("A", found.a), ("Z", found.z))]
    transaction.later(_ACCESS, {"batch": {"rows": sorted(ends, key=lambda row: row["port"])}})
    rows = [*_hops(service, "WORKING", found.working), *_hops(service, "PROTECTING", found.protecting)]
    if rows:
        transaction.later(_ROUTE, {"batch": {"rows": sorted(rows, key=lambda row: row["trunk"])}})
    return Reserved(service=service, name=name, mbps=mbps)


def _hops(service: str, path: str, way: PlannedWay | None) -> list[dict[str, Any]]:
    trunks = () if way is None else way.trunks
    return [
        {"service": service, "trunk": each, "path": path, "position": position} for position, each in enumerate(trunks)
    ]
