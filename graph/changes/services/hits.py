"""An alarm names one object, and what hurts customers is what fails with it: so the network is walked once, from there.

Failed is the object and what it holds: an element its cards, a card its ports, a port the trunk that ends there. A
service is hit where it is accessed at such a port or routed over such a trunk; where exactly is its *parts*
(`graph.model.effects`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, cast

from graph.model.model import label_of
from graph.store.store import Transaction

_BY_ELEMENT: Final = """
RETURN COLLECT {
  MATCH (:NetworkElement {id: $object})-[:HOLDS]->(:Card)-[:HAS_PORT]->(:Port)<-[:ACCESSED_AT]-(s:Service)
  RETURN DISTINCT s.id
}, COLLECT {
  MATCH (:NetworkElement {id: $object})-[:HOLDS]->(:Card)-[:HAS_PORT]->(:Port)<-[:TERMINATES_ON]-(t:Trunk)
  MATCH (t)<-[r:ROUTED_OVER]-(s:Service)
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}
"""

_BY_CARD: Final = """
RETURN COLLECT {
  MATCH (:Card {id: $object})-[:HAS_PORT]->(:Port)<-[:ACCESSED_AT]-(s:Service)
  RETURN DISTINCT s.id
}, COLLECT {
  MATCH (:Card {id: $object})-[:HAS_PORT]->(:Port)<-[:TERMINATES_ON]-(:Trunk)<-[r:ROUTED_OVER]-(s:Service)
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}
"""

_BY_PORT: Final = """
RETURN COLLECT {
  MATCH (:Port {id: $object})<-[:ACCESSED_AT]-(s:Service)
  RETURN DISTINCT s.id
}, COLLECT {
  MATCH (:Port {id: $object})<-[:TERMINATES_ON]-(:Trunk)<-[r:ROUTED_OVER]-(s:Service)
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}
"""

_BY_TRUNK: Final = """
RETURN [], COLLECT {
  MATCH (:Trunk {id: $object})<-[r:ROUTED_OVER]-(s:Service)
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}
"""

Hits = Mapping[str, frozenset[str]]
"""Service id -> the parts of it that are hit."""

NOTHING: Final[Hits] = MappingProxyType({})


async def hits_of(transaction: Transaction, object_id: str) -> Hits:
    """Give the services that are hit when an object fails."""
    label = label_of(object_id)
    match label.name if label else "":
        case "NetworkElement":
            rows = await transaction.run(_BY_ELEMENT, {"object": object_id})
        case "Card":
            rows = await transaction.run(_BY_CARD, {"object": object_id})
        case "Port":
            rows = await transaction.run(_BY_PORT, {"object": object_id})
        case "Trunk":
            rows = await transaction.run(_BY_TRUNK, {"object": object_id})
        case _:
            return NOTHING
    accessed, routed = cast("tuple[list[str], list[tuple[str, str]]]", tuple(rows[0]))
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for service in accessed:
        parts[service].add("access")
    for service, path in routed:
        parts[service].add(path.lower())
    return {service: frozenset(each) for service, each in parts.items()}
