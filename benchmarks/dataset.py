"""The network that every contestant is asked about: a generated one, and one customer more, of the shape to be measured.

The loader's services have two ends each. The case that compares best with other projects has five ports to a service,
so a customer is added whose ten services are handed over at five ports each: existing ports of fifty different cards,
the first of the five as end A and the others as end Z, as for a service with one centre and four branches. It goes in by
`load_lines`, like any customer from a file, and is checked against the model like any other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks.errors import BenchmarkFailed
from graph.load import NodeRecord, Progress, Record, RelationshipRecord, as_line, load_lines, load_topology
from graph.load.records import Value
from graph.model.identity import loaded_id
from graph.model.model import searchable
from graph.store.store import Store

SOURCE: Final = "benchmark"
SERVICES: Final = 10
PORTS: Final = 5
_LOAD_SECONDS: Final = 1_800
_LOOK_SECONDS: Final = 60

_HUB: Final = (
    "MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s:Service) WITH c.id AS id, count(s) AS services "
    "RETURN id ORDER BY services DESC, id LIMIT 1"
)
_CARDS: Final = (
    "MATCH (k:Card)-[:HAS_PORT]->(:Port)<-[:ACCESSED_AT]-(s:Service) WITH k.id AS id, count(DISTINCT s) AS services "
    "RETURN id, services ORDER BY id"
)
_PORTS: Final = (
    "MATCH (k:Card)-[:HAS_PORT]->(p:Port)<-[:ACCESSED_AT]-(:Service) WITH k.id AS card, min(p.id) AS port "
    "RETURN port ORDER BY port LIMIT $most"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """What is asked for."""

    nodes: int
    relationships: int
    load_seconds: float
    customer: str
    """the added one."""
    service: str
    """its first."""
    hub: str
    """the customer with the most services."""
    card: str
    """a card on which some twenty services are handed over."""


async def load(store: Store, *, scale: int, progress: Progress) -> Dataset:
    """Load the network and the added customer."""
    deadline = time.monotonic() + _LOAD_SECONDS
    report = await load_topology(store, scale=scale, progress=progress, deadline=deadline)
    cards = await _rows(store, _CARDS, {})
    hub = await _rows(store, _HUB, {})
    card = min(cards, key=lambda each: (abs(int(str(each[1])) - 20), str(each[0])))[0]
    ports = [str(port) for (port,) in await _rows(store, _PORTS, {"most": SERVICES * PORTS})]
    if len(ports) < SERVICES * PORTS:
        raise BenchmarkFailed(f"The network has {len(ports)} cards with customers, too few. Give a larger scale.")
    added = list(_added(ports))
    await load_lines(store, map(as_line, added), progress=progress, deadline=deadline)
    return Dataset(
        nodes=report.nodes,
        relationships=report.relationships,
        load_seconds=report.seconds,
        customer=_id("Customer", ""),
        service=_id("Service", "0"),
        hub=str(hub[0][0]),
        card=str(card),
    )


async def _rows(store: Store, text: str, parameters: dict[str, object]) -> list[list[object]]:
    return await store.rows(text, parameters, deadline=time.monotonic() + _LOOK_SECONDS)


def _id(label: str, name: str) -> str:
    return loaded_id(label, SOURCE, name)


def _added(ports: Sequence[str]) -> Iterator[Record]:
    name = "Benchmark Werke"
    customer, sla = _id("Customer", ""), _id("Sla", "")
    about = {"segment": "enterprise", "status": "active", "accountRef": "benchmark"}
    yield NodeRecord(label="Customer", id=customer, properties={"name": name, **about, "words": searchable(name)})
    promised: dict[str, Value] = {
        "name": "Benchmark",
        "tier": "PREMIUM",
        "availabilityPercent": 99.99,
        "repairHours": 4,
    }
    yield NodeRecord(label="Sla", id=sla, properties=promised)
    for number in range(SERVICES):
        service = _id("Service", str(number))
        yield NodeRecord(label="Service", id=service, properties=_service(number))
        yield RelationshipRecord(type="SUBSCRIBES_TO", start=customer, end=service, properties={})
        yield RelationshipRecord(type="GOVERNED_BY", start=service, end=sla, properties={})
        for place, port in enumerate(ports[number * PORTS : (number + 1) * PORTS]):
            end = "Z" if place else "A"
            yield RelationshipRecord(type="ACCESSED_AT", start=service, end=port, properties={"end": end})


def _service(number: int) -> dict[str, Value]:
    name = f"IP-VPN benchmark {number:02d}"
    rates = {"committedMbps": 100 * (number + 1), "effectiveMbps": 100 * (number + 1), "maxMbps": 200 * (number + 1)}
    return {"name": name, "kind": "IP-VPN", "state": "active", **rates, "words": searchable(name)}
