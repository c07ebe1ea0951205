"""The root fields: where a query enters the graph."""

from __future__ import annotations

from typing import Annotated, Any, Final

import strawberry

from graph.compiler.bind import COUNTS_DEFAULT, PAGE_DEFAULT
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
from resolvers.directives import Cost, ListSize
from resolvers.knowledge.fields import Connection, computed, mapped, of_caller, page
from resolvers.knowledge.types import (
    Alarm,
    Boost,
    Card,
    Customer,
    CustomerMatch,
    Delivery,
    Event,
    InventoryDifference,
    InventoryFeed,
    Lead,
    NetworkElement,
    Node,
    Order,
    OrderCancellation,
    Port,
    Service,
    Site,
    Sla,
    Task,
    Ticket,
    Trunk,
    Usage,
)
from resolvers.knowledge.words import Effect, FailureMode, Severity

_FIRST_SIZE = ListSize(assumed_size=PAGE_DEFAULT, slicing_arguments=["first"])
_FIRST = {"first": int | None}

# What these questions walk, in objects: ten rows that are walked for one that is answered, as gateway/operations/cost.py counts.
# The rows were counted in the synthetic networks of graph/load: they grow with the network, and are a few nodes' in each.
OF_IMPACT: Final = 60
"""of its three lists, each of which walks what is hit."""
OF_FAILURE: Final = 40
"""of each object that is assumed to fail: from a site to its ports and to the services on them, 380 rows on average."""
OF_PATH: Final = 2_500
"""of a way, for which all cards, ports and trunks may be met: 26 thousand rows in a network of 100 thousand nodes."""
OF_SEARCH: Final = 2_500
"""of a search, which may find the beginning of each name, and sorts what it finds."""


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
    counts: list[ImpactCount] = mapped(
        ImpactList(of="counts"),
        size=ListSize(assumed_size=COUNTS_DEFAULT, slicing_arguments=["first"]),
        arguments=_FIRST,
        description=f"Worst first; {COUNTS_DEFAULT} rows unless first says otherwise, which is all that there can be.",
    )
    services: list[ImpactedService] = mapped(
        ImpactList(of="services"),
        size=_FIRST_SIZE,
        arguments=_FIRST,
        description=f"Worst first: {PAGE_DEFAULT} unless first says otherwise, at most 1,000; totalServices counts all.",
    )
    customers: list[ImpactedCustomer] = mapped(
        ImpactList(of="customers"),
        size=_FIRST_SIZE,
        arguments=_FIRST,
        description=f"Worst first: {PAGE_DEFAULT} unless first says otherwise, at most 1,000; totalCustomers counts all.",
    )


@computed("The shortest way between two pieces of equipment.")
class Path:
    """The answer of `path`."""

    hops: int
    trunks: list[Trunk] = mapped(PathNodes(label="Trunk"), size=ListSize(assumed_size=10))
    network_elements: list[NetworkElement] = mapped(PathNodes(label="NetworkElement"), size=ListSize(assumed_size=10))


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
    order_cancellation: OrderCancellation | None = _by_id("OrderCancellation")
    boost: Boost | None = _by_id("Boost")
    usage: Usage | None = _by_id("Usage")
    customers: Connection[Customer] = _all("Customer")
    customer_matches: Connection[CustomerMatch] = page(
        Everything(label="CustomerMatch"),
        "CustomerMatch",
        operator_only=True,
        description="Customers that may be the same company; PROPOSED ones wait for mergeCustomers or declineCustomerMatch.",
    )
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
    order_cancellations: Connection[OrderCancellation] = page(
        Everything(label="OrderCancellation"),
        "OrderCancellation",
        description="Requests to cancel orders, and what became of them.",
    )
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
    tasks: Connection[Task] = page(
        Everything(label="Task"),
        "Task",
        operator_only=True,
        description="What waits for a person, and what became of it: retryTask, skipTask, cancelTask.",
    )
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
        arguments={"of": Annotated[list[strawberry.ID], Cost(weight=OF_FAILURE)], "assume": FailureMode | None},
        description="Who suffers if these fail: sites, equipment or trunks, at most 1,000 ids. One that is not there, or not yours, is an error.",
        cost=OF_IMPACT,
    )
    path: Path | None = mapped(
        PathField(),
        arguments={"from": strawberry.ID, "to": strawberry.ID},
        operator_only=True,
        description="Between network elements, cards or ports, over trunks.",
        cost=OF_PATH,
    )
    search: list[Node] = mapped(
        SearchField(),
        arguments={"text": Annotated[str, Cost(weight=OF_SEARCH)], "first": int | None},
        size=_FIRST_SIZE,
        description=(
            "Nodes whose names have words that begin so, in any case and any form of Unicode, by type and name: "
            f"{PAGE_DEFAULT} unless first says otherwise, at most 1,000."
        ),
    )
