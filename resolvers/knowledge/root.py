"""The root fields: where a query enters the graph."""

from __future__ import annotations

from typing import Any

import strawberry

from graph.model.mapping import (
    AnyById,
    ById,
    EndOf,
    Everything,
    Grouped,
    ImpactField,
    ImpactList,
    PathField,
    PathNodes,
    SearchField,
)
from resolvers.directives import ListSize
from resolvers.knowledge.fields import Connection, computed, mapped, of_caller, page
from resolvers.knowledge.types import (
    Alarm,
    Boost,
    Card,
    Customer,
    Delivery,
    Event,
    InventoryDifference,
    InventoryFeed,
    Lead,
    NetworkElement,
    Node,
    Order,
    Port,
    Service,
    Site,
    Sla,
    Ticket,
    Trunk,
    Usage,
)
from resolvers.knowledge.words import Effect, FailureMode, Severity

_IMPACT_SIZE = ListSize(assumed_size=50, slicing_arguments=["first"])
_FIRST = {"first": int | None}


@computed("Who is asking.")
class Viewer:
    """The caller."""

    role: str = of_caller("role")
    subject: str = of_caller("subject")
    customers: Connection[Customer] = page(Everything(label="Customer"), "Customer")


@computed("A service that a failure would touch.")
class ImpactedService:
    """One row of an impact."""

    service: Service = mapped(EndOf(role="service"))
    effect: Effect
    severity: Severity | None


@computed("A customer whom a failure would touch, with the worst of its services.")
class ImpactedCustomer:
    """One row of an impact."""

    customer: Customer = mapped(EndOf(role="customer"))
    severity: Severity | None
    services: int


@computed("How many services a failure would touch, per severity and effect.")
class ImpactCount:
    """One row of an impact's summary."""

    severity: Severity | None
    effect: Effect
    services: int


@computed("Who suffers if something fails; worst first, then by id. Nothing is written.")
class Impact:
    """The answer of `impact`."""

    total_services: int
    total_customers: int
    counts: list[ImpactCount] = mapped(ImpactList(of="counts"), size=_IMPACT_SIZE, arguments=_FIRST)
    services: list[ImpactedService] = mapped(ImpactList(of="services"), size=_IMPACT_SIZE, arguments=_FIRST)
    customers: list[ImpactedCustomer] = mapped(ImpactList(of="customers"), size=_IMPACT_SIZE, arguments=_FIRST)


@computed("The shortest way between two pieces of equipment.")
class Path:
    """The answer of `path`."""

    hops: int
    trunks: list[Trunk] = mapped(PathNodes(label="Trunk"), size=ListSize(assumed_size=20))
    network_elements: list[NetworkElement] = mapped(PathNodes(label="NetworkElement"), size=ListSize(assumed_size=20))


def _by_id(label: str) -> Any:
    return mapped(ById(label=label), arguments={"id": strawberry.ID})


def _all(label: str, *, operator_only: bool = False) -> Any:
    return page(Everything(label=label), label, operator_only=operator_only)


@strawberry.type
class Query:
    """An unknown object and one that the caller may not see answer alike: null."""

    viewer: Viewer = mapped(Grouped())
    node: Node | None = mapped(AnyById(), arguments={"id": strawberry.ID})
    customer: Customer | None = _by_id("Customer")
    service: Service | None = _by_id("Service")
    sla: Sla | None = _by_id("Sla")
    site: Site | None = _by_id("Site")
    network_element: NetworkElement | None = _by_id("NetworkElement")
    card: Card | None = _by_id("Card")
    port: Port | None = _by_id("Port")
    trunk: Trunk | None = _by_id("Trunk")
    alarm: Alarm | None = _by_id("Alarm")
    ticket: Ticket | None = _by_id("Ticket")
    order: Order | None = _by_id("Order")
    boost: Boost | None = _by_id("Boost")
    usage: Usage | None = _by_id("Usage")
    customers: Connection[Customer] = _all("Customer")
    services: Connection[Service] = _all("Service")
    slas: Connection[Sla] = _all("Sla")
    sites: Connection[Site] = _all("Site")
    network_elements: Connection[NetworkElement] = _all("NetworkElement")
    cards: Connection[Card] = _all("Card")
    ports: Connection[Port] = _all("Port")
    trunks: Connection[Trunk] = _all("Trunk")
    alarms: Connection[Alarm] = _all("Alarm")
    unmatched_alarms: Connection[Alarm] = page(
        Everything(label="Alarm", having="awaits"),
        "Alarm",
        operator_only=True,
        description="Alarms on something that the inventory does not know.",
    )
    tickets: Connection[Ticket] = _all("Ticket")
    orders: Connection[Order] = _all("Order")
    boosts: Connection[Boost] = _all("Boost")
    usages: Connection[Usage] = _all("Usage")
    unmatched_usage: Connection[Usage] = page(
        Everything(label="Usage", having="awaits"),
        "Usage",
        operator_only=True,
        description="Usage of something that the inventory does not know as a service.",
    )
    events: Connection[Event] = _all("Event")
    leads: Connection[Lead] = _all("Lead", operator_only=True)
    deliveries: Connection[Delivery] = page(
        Everything(label="Delivery"),
        "Delivery",
        operator_only=True,
        description="What surrounding systems are told: READY, DONE, or DEAD until it is replayed.",
    )
    inventory_feeds: Connection[InventoryFeed] = page(
        Everything(label="InventoryFeed"),
        "InventoryFeed",
        operator_only=True,
        description="What inventories have sent: RECEIVING until it is whole, COMPARED when its differences are known.",
    )
    inventory_differences: Connection[InventoryDifference] = page(
        Everything(label="InventoryDifference"),
        "InventoryDifference",
        operator_only=True,
        description="Where an inventory and the graph differ; OPEN and HELD ones wait for settleInventoryDifference.",
    )
    impact: Impact = mapped(
        ImpactField(),
        arguments={"of": list[strawberry.ID], "assume": FailureMode | None},
        description="Who suffers if these fail: sites, equipment or trunks, at most 1,000 ids. One that is not there, or not yours, is an error.",
    )
    path: Path | None = mapped(
        PathField(),
        arguments={"from": strawberry.ID, "to": strawberry.ID},
        operator_only=True,
        description="Between network elements, cards or ports, over trunks.",
    )
    search: list[Node] = mapped(
        SearchField(),
        arguments={"text": str, "first": int | None},
        size=ListSize(assumed_size=50, slicing_arguments=["first"]),
        description="Nodes whose names have words that begin so, by type and name.",
    )
