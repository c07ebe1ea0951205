"""One service put down: its ports at both ends, its room on the trunks of both paths, and what alarms do to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from graph.load.records import Value
from graph.load.synthetic import catalogue as c
from graph.load.synthetic.equipment import Port, free_port
from graph.load.synthetic.network import Access, Network, Trunk, reserve
from graph.load.synthetic.sheet import Sheet
from graph.model.effects import Effect, effect_of_parts, is_in_use, parts_text
from graph.model.vocabulary import PARTS


@dataclass(slots=True, kw_only=True)
class ClientPort:
    """The port that a customer is filling at a site."""

    port: Port
    free_mbps: int
    free_services: int = c.SERVICES_PER_PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is asked for: a service of a tier between two different sites."""

    number: int
    a: Access
    z: Access
    kind: str
    state: str
    promise: c.Promise
    mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What the rest of the load has to know of a service that was put down."""

    id: str
    wish: Wish
    effect: Effect | None
    alarms: Mapping[int, str]
    """the numbers of the alarms that take part in the effect, each with the parts of the service that it hits."""


@dataclass(slots=True, kw_only=True)
class Customer:
    """A customer while it buys."""

    id: str
    name: str
    slas: dict[str, str] = field(default_factory=dict)
    """ids by tier."""
    ports: dict[str, ClientPort] = field(default_factory=dict)
    """by the id of the site."""


def put_down(sheet: Sheet, network: Network, customer: Customer, wish: Wish) -> Service | None:
    """Put a service down; None where the network has no way, or no room left where there is only one."""
    way = network.way(wish.a, wish.z)
    trunks = reserve(sheet, way, wish.mbps) if way else None
    if trunks is None:
        return None
    ports = (_client_port(sheet, customer, wish.a, wish.mbps), _client_port(sheet, customer, wish.z, wish.mbps))
    alarms = _hits(ports, *trunks) if is_in_use(wish.state) else {}
    effect = effect_of_parts(frozenset().union(*alarms.values()), protected=bool(trunks[1]))
    service_id = sheet.node("Service", _name(wish), _properties(wish, effect), words=wish.kind)
    sheet.join(customer.id, "SUBSCRIBES_TO", service_id)
    sheet.join(service_id, "GOVERNED_BY", _sla(sheet, customer, wish.promise))
    for end, port in zip("AZ", ports, strict=True):
        sheet.join(service_id, "ACCESSED_AT", port.id, {"end": end})
    for path, each in zip(("WORKING", "PROTECTING"), trunks, strict=True):
        for position, trunk in enumerate(each):
            sheet.join(service_id, "ROUTED_OVER", trunk.id, {"path": path, "position": position})
    parts = {number: parts_text(each) for number, each in alarms.items()}
    return Service(id=service_id, wish=wish, effect=effect, alarms=parts)


def _sla(sheet: Sheet, customer: Customer, promise: c.Promise) -> str:
    if promise.tier not in customer.slas:
        name = f"{promise.tier.capitalize()} for {customer.name}"
        properties: dict[str, Value] = {
            "name": name,
            "tier": promise.tier,
            "availabilityPercent": promise.availability,
            "repairHours": promise.repair_hours,
        }
        customer.slas[promise.tier] = sheet.node("Sla", name, properties)
    return customer.slas[promise.tier]


def _name(wish: Wish) -> str:
    return f"{wish.kind} {wish.number:06d} {wish.a.site.name} - {wish.z.site.name}"


def _properties(wish: Wish, effect: Effect | None) -> dict[str, Value]:
    properties: dict[str, Value] = {
        "kind": wish.kind,
        "state": wish.state,
        "committedMbps": wish.mbps,
        "effectiveMbps": wish.mbps,
        "maxMbps": 2 * wish.mbps,
    }
    return {**properties, "effect": effect} if effect else properties


def _client_port(sheet: Sheet, customer: Customer, access: Access, mbps: int) -> Port:
    """Fill the customer's own port there, up to what its services may be boosted to; then take another."""
    current = customer.ports.get(access.site.id)
    if current is None or not current.free_services or current.free_mbps < 2 * mbps:
        port = free_port(sheet, access.site, 0, c.ACCESS_CLIENT)
        current = customer.ports[access.site.id] = ClientPort(port=port, free_mbps=c.ACCESS_CLIENT.speed)
    current.free_services -= 1
    current.free_mbps -= 2 * mbps
    return current.port


def _hits(
    ports: tuple[Port, ...], working: tuple[Trunk, ...], protecting: tuple[Trunk, ...]
) -> dict[int, frozenset[str]]:
    """Give the alarms that hit something of what a service needs, by number, and which parts of it."""
    hits: dict[int, frozenset[str]] = {}
    needs: tuple[tuple[Port | Trunk, ...], ...] = (ports, working, protecting)
    for part, things in zip(PARTS, needs, strict=True):
        for number in sorted({number for each in things for number in each.struck}):
            hits[number] = hits.get(number, frozenset()) | {part}
    return hits
