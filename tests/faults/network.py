"""What alarms do to the network must be known without asking the graph that is being tested.

The records that the graph was loaded with are read here a second time, into plain tables: what fails with an object, and
what each service needs. From the alarms that are open, `suffering` computes what every service suffers.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from graph.load import NodeRecord, RelationshipRecord, grow, read_topology
from tests.naive_effects import Needs, severity

K = TypeVar("K")

TOPOLOGY: Final = "sndlib/abilene"
SCALE: Final = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What was sold to whom, and what it needs."""

    id: str
    customer: str
    tier: str
    needs: Needs
    committed: int = 0
    """Mbit/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suffering:
    """What a service suffers from all open alarms together."""

    effect: str | None
    severity: str | None
    parts: Mapping[str, str]
    """what each alarm that has a part in it hits, by alarm."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """What was loaded."""

    services: Mapping[str, Service]
    fails_with: Mapping[str, frozenset[str]]
    """by object that an alarm may be raised on: it, and what it takes along."""
    capacity: Mapping[str, int] = field(default_factory=dict)
    """of each port and trunk, in Mbit/s."""

    def hit(self, target: str) -> dict[str, str]:
        """Give the services that are hit when an object fails, and where."""
        failed = self.fails_with[target]
        hits = {each.id: each.needs.parts(failed) for each in self.services.values()}
        return {service: parts for service, parts in hits.items() if parts}

    def most_hit(self, targets: Iterable[str], count: int) -> list[str]:
        """Give the customers who are hit by most of some objects."""
        hit = Counter(customer for each in targets for customer in {self.services[s].customer for s in self.hit(each)})
        return [customer for customer, _ in hit.most_common(count)]

    def suffering(self, failing: Mapping[str, str]) -> dict[str, Suffering]:
        """Compute what every service suffers, from the alarms that are open and the object that each is raised on."""
        return {each.id: self._suffering(each, failing) for each in self.services.values()}

    def worst_alone(self, service: str, target: str) -> str | None:
        """Give how severe it is for a service when one object fails and all else works."""
        found = self._suffering(self.services[service], {"": target})
        return found.severity

    def _suffering(self, service: Service, failing: Mapping[str, str]) -> Suffering:
        parts = {alarm: service.needs.parts(self.fails_with[target]) for alarm, target in failing.items()}
        failed = frozenset[str]().union(*(self.fails_with[target] for target in failing.values()))
        effect = service.needs.effect(failed)
        hit = {alarm: each for alarm, each in parts.items() if each}
        return Suffering(effect=effect, severity=severity(effect, service.tier), parts=hit)


def network_of(*, scale: int = SCALE, seed: int) -> Network:
    """Grow the network that a load with this scale and seed writes."""
    nodes: dict[str, NodeRecord] = {}
    joined: defaultdict[str, list[RelationshipRecord]] = defaultdict(list)
    for record in grow(read_topology(TOPOLOGY), scale, seed):
        if isinstance(record, NodeRecord):
            nodes[record.id] = record
        else:
            joined[record.type].append(record)
    return Network(services=_services(nodes, joined), fails_with=_failing(joined), capacity=_capacity(nodes))


Joined = Mapping[str, Iterable[RelationshipRecord]]


def _services(nodes: Mapping[str, NodeRecord], joined: Joined) -> dict[str, Service]:
    customers = {each.end: each.start for each in joined["SUBSCRIBES_TO"]}
    tiers = {each.start: str(nodes[each.end].properties["tier"]) for each in joined["GOVERNED_BY"]}
    access = _several((each.start, each.end) for each in joined["ACCESSED_AT"])
    routed = _several(((each.start, each.properties["path"]), each.end) for each in joined["ROUTED_OVER"])
    return {
        service: Service(
            id=service,
            customer=customer,
            tier=tiers[service],
            needs=Needs(
                access=tuple(access[service]),
                working=tuple(routed.get((service, "WORKING"), ())),
                protecting=tuple(routed.get((service, "PROTECTING"), ())),
                state=str(nodes[service].properties["state"]),
            ),
            committed=_whole(nodes[service], "committedMbps"),
        )
        for service, customer in customers.items()
    }


def _capacity(nodes: Mapping[str, NodeRecord]) -> dict[str, int]:
    known = {"Trunk": "capacityMbps", "Port": "speedMbps"}
    return {each.id: _whole(each, known[each.label]) for each in nodes.values() if each.label in known}


def _whole(node: NodeRecord, name: str) -> int:
    value = node.properties[name]
    assert isinstance(value, int), f"{name} of {node.id} is {value!r}"
    return value


def _failing(joined: Joined) -> dict[str, frozenset[str]]:
    """Follow what each thing holds down to the trunks that end there."""
    ends = _several((each.end, each.start) for each in joined["TERMINATES_ON"])
    ports = _several((each.start, each.end) for each in joined["HAS_PORT"])
    cards = _several((each.start, each.end) for each in joined["HOLDS"])
    failing = {each.start: frozenset({each.start}) for each in joined["TERMINATES_ON"]}
    below = {port: frozenset({port, *ends.get(port, ())}) for each in ports.values() for port in each}
    failing |= below
    below = {card: frozenset({card}).union(*(below[each] for each in held)) for card, held in ports.items()}
    failing |= below
    return failing | {
        element: frozenset({element}).union(*(below[each] for each in held if each in below))
        for element, held in cards.items()
    }


def _several(pairs: Iterable[tuple[K, str]]) -> dict[K, list[str]]:
    found: defaultdict[K, list[str]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return dict(found)
