"""The types of the knowledge graph: what the graph holds, in one module since each refers to the others.

Properties come first in each class and are checked against graph/model/model.py; then what the object leads to.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, TypeAlias

import strawberry
from strawberry.scalars import JSON

from graph.model.mapping import EndOf, Stored
from resolvers.knowledge.fields import (
    Connection,
    along,
    list_along,
    mapped,
    node,
    operators,
    pages_along,
    relation,
    relations_along,
    stored,
)
from resolvers.knowledge.inputs import BigInt
from resolvers.knowledge.words import (
    AckState,
    AdministrativeState,
    AlarmState,
    AlarmType,
    BoostReason,
    BoostStatus,
    Boundary,
    CustomerMatchState,
    DeliveryState,
    DifferenceKind,
    DifferenceState,
    Effect,
    End,
    FeedKind,
    FeedState,
    ItemFailure,
    LeadState,
    OperationalState,
    OrderCancellationState,
    OrderItemAction,
    OrderKind,
    OrderState,
    RoutePath,
    ServiceState,
    Severity,
    StepState,
    StepSystem,
    TaskState,
    Tier,
    UsageState,
)
from resolvers.words import ParkingReason, TicketStatus


@strawberry.interface(description="Anything with an id (Relay).")
class Node:
    """The id is unique in the whole graph: `<label in lower case>-<uuid>`."""

    id: strawberry.ID = mapped(Stored(name="id"))


@strawberry.interface(description="What alarms are raised on: equipment and the trunks between it (TMF639 Resource).")
class Resource(Node):
    """A managed object in X.731's sense."""

    name: str = mapped(Stored(name="name"))
    operational_state: OperationalState = mapped(Stored(name="operationalState"))


@node("Customer")
class Customer(Node):
    """Who buys."""

    name: str
    segment: str
    status: str
    account_ref: str
    gone_at: dt.datetime | None = operators(
        "goneAt",
        "Since when customer management does not have the customer any more; null while it has, or has never had it.",
    )
    services: Connection[Service] = pages_along("SUBSCRIBES_TO>")
    orders: Connection[Order] = pages_along("<PLACED_BY")
    tickets: Connection[Ticket] = pages_along("<OPENED_FOR")
    alarms: Connection[Alarm] = pages_along(
        "SUBSCRIBES_TO>", "<AFFECTS", description="Alarms that affect a service of this customer, each once."
    )
    events: Connection[Event] = pages_along("<CONCERNS_CUSTOMER")
    leads: Connection[Lead] = pages_along("<ABOUT", operator_only=True)
    external_names: Connection[ExternalName] = pages_along(
        "<NAMES", operator_only=True, description="What surrounding systems call the customer."
    )
    matches: Connection[CustomerMatch] = pages_along(
        "<COMPARES",
        operator_only=True,
        description="Whether another customer may be the same company, and what was said of it.",
    )
    merged_into: Customer | None = along(
        "MERGED_INTO>",
        operator_only=True,
        description="The customer that this one was merged into, which has all that this one had; null where it was not merged.",
    )
    merged_from: Connection[Customer] = pages_along(
        "<MERGED_INTO", operator_only=True, description="Customers that were merged into this one."
    )


@node("CustomerMatch")
class CustomerMatch(Node):
    """Two customers that may be the same company."""

    id: strawberry.ID
    state: CustomerMatchState = operators(
        "state", "What was said of it: PROPOSED until somebody merges the two, or declines."
    )
    reason: str = operators("reason", "Why the two are compared.")
    found_at: dt.datetime = operators("foundAt", "When that was found.")
    settled_at: dt.datetime | None = operators("settledAt", "When somebody said what it is; null while nobody has.")
    settled_by: str | None = operators("settledBy", "Who did, by the token; null while nobody has.")
    note: str | None = operators("note", "Why it was declined, in the words of whoever did.")
    customers: Connection[Customer] = pages_along(
        "COMPARES>", operator_only=True, description="The two customers that are compared."
    )


@node("Sla")
class Sla(Node):
    """What was promised."""

    name: str
    tier: Tier
    availability_percent: float
    repair_hours: int
    services: Connection[Service] = pages_along("<GOVERNED_BY")


@relation("ACCESSED_AT", "One end of a service: the port where it is handed over.")
class AccessPoint:
    """ACCESSED_AT."""

    end: End
    port: Port = mapped(EndOf(role="end"))
    service: Service = mapped(EndOf(role="start"))


@relation("ROUTED_OVER", "One trunk on the way of a service.")
class RouteHop:
    """ROUTED_OVER; the position counts from 0 at the A end."""

    path: RoutePath
    position: int
    trunk: Trunk = mapped(EndOf(role="end"))
    service: Service = mapped(EndOf(role="start"))


@relation("TERMINATES_ON", "One end of a trunk: the port where it ends.")
class Termination:
    """TERMINATES_ON."""

    end: End
    port: Port = mapped(EndOf(role="end"))
    trunk: Trunk = mapped(EndOf(role="start"))


@relation("AFFECTS", "What an alarm does to a service, and how severe that is under the service's contract.")
class AlarmEffect:
    """AFFECTS; no severity where the contract promised nothing that this breaks."""

    effect: Effect
    severity: Severity | None
    parts: str
    alarm: Alarm = mapped(EndOf(role="start"))
    service: Service = mapped(EndOf(role="end"))


@node("Service")
class Service(Node):
    """What is delivered."""

    name: str
    kind: str
    state: ServiceState
    committed_mbps: int
    booked_mbps: int | None = stored(
        "bookedMbps",
        "What is booked now, in Mbit/s: the committed rate and the boosts that run; null while no boost ever ran.",
    )
    effective_mbps: int
    max_mbps: int
    effect: Effect | None
    customer: Customer | None = along("<SUBSCRIBES_TO")
    sla: Sla | None = along("GOVERNED_BY>")
    access_points: list[AccessPoint] = list_along(
        "ACCESSED_AT>", "end", assumed=2, description="All ports where it is handed over, A first."
    )
    route: list[RouteHop] = list_along(
        "ROUTED_OVER>", "path", "position", assumed=10, description="All trunks: protecting path first, then working."
    )
    affected_by: Connection[AlarmEffect] = relations_along("<AFFECTS")
    tickets: Connection[Ticket] = pages_along("<CONCERNS")
    boosts: Connection[Boost] = pages_along("<BOOSTS")
    usage: Connection[Usage] = pages_along("<USED_BY")
    downtime: Connection[Downtime] = pages_along("<INTERRUPTS")
    order_items: Connection[OrderItem] = pages_along("<PROVISIONS")
    external_names: Connection[ExternalName] = pages_along("<NAMES", operator_only=True)


@node("Site")
class Site(Node):
    """Where."""

    name: str
    role: str
    latitude: float
    longitude: float
    network_elements: Connection[NetworkElement] = pages_along("<LOCATED_AT")
    external_names: Connection[ExternalName] = pages_along("<NAMES", operator_only=True)


@node("NetworkElement")
class NetworkElement(Resource):
    """A managed device."""

    vendor: str
    model: str
    role: str
    administrative_state: AdministrativeState
    site: Site | None = along("LOCATED_AT>")
    cards: Connection[Card] = pages_along("HOLDS>")
    alarms: Connection[Alarm] = pages_along("<RAISED_ON")
    external_names: Connection[ExternalName] = pages_along("<NAMES", operator_only=True)


@node("Card")
class Card(Resource):
    """A plug-in unit of a network element."""

    model: str
    slot: int
    administrative_state: AdministrativeState
    network_element: NetworkElement | None = along("<HOLDS")
    ports: Connection[Port] = pages_along("HAS_PORT>")
    alarms: Connection[Alarm] = pages_along("<RAISED_ON")
    external_names: Connection[ExternalName] = pages_along("<NAMES", operator_only=True)


@node("Port")
class Port(Resource):
    """Where a trunk ends or a customer is connected."""

    role: str
    number: int
    speed_mbps: int
    administrative_state: AdministrativeState
    card: Card | None = along("<HAS_PORT")
    trunk: Trunk | None = along(
        "<TERMINATES_ON", description="The one with the first id, where several end here: `trunks`."
    )
    trunks: Connection[Trunk] = pages_along("<TERMINATES_ON", description="All trunks that end here.")
    services: Connection[Service] = pages_along("<ACCESSED_AT")
    boosts: Connection[Boost] = pages_along(
        "<RESERVES", operator_only=True, description="Boosts that hold some of its capacity, now or later."
    )
    alarms: Connection[Alarm] = pages_along("<RAISED_ON")
    external_names: Connection[ExternalName] = pages_along("<NAMES", operator_only=True)


@node("Trunk")
class Trunk(Resource):
    """A link between two ports."""

    layer_rate: str
    capacity_mbps: int
    terminations: list[Termination] = list_along(
        "TERMINATES_ON>", "end", assumed=2, description="The ports where it ends, A first."
    )
    services: Connection[Service] = pages_along(
        "<ROUTED_OVER", description="Each service once, whichever of its paths."
    )
    boosts: Connection[Boost] = pages_along(
        "<RESERVES", operator_only=True, description="Boosts that hold some of its capacity, now or later."
    )
    alarms: Connection[Alarm] = pages_along("<RAISED_ON")
    external_names: Connection[ExternalName] = pages_along("<NAMES", operator_only=True)


@node("Alarm")
class Alarm(Node):
    """A fault or threshold event."""

    source_system_id: str
    external_alarm_id: str | None
    alarmed_object_ref: str
    alarm_type: AlarmType
    probable_cause: str
    specific_problem: str | None
    perceived_severity: Severity
    state: AlarmState
    ack_state: AckState
    raised_at: dt.datetime
    changed_at: dt.datetime
    cleared_at: dt.datetime | None
    record: JSON
    awaits: str | None
    alarmed_object: AlarmedObject | None = along("RAISED_ON>")
    affects: Connection[AlarmEffect] = relations_along("AFFECTS>")
    caused_by: Connection[Alarm] = pages_along("CAUSED_BY>")
    causes: Connection[Alarm] = pages_along("<CAUSED_BY")
    tickets: Connection[Ticket] = pages_along("<REPORTS")


AlarmedObject: TypeAlias = Annotated[
    NetworkElement | Card | Port | Trunk, strawberry.union("AlarmedObject", description="What an alarm is raised on.")
]


@node("Ticket")
class Ticket(Node):
    """What we know of another system's ticket."""

    system: str
    external_id: str | None
    order_key: str | None
    status: TicketStatus
    severity: Severity
    changed_at: dt.datetime | None
    description: str | None = mapped(
        Stored(name="description"),
        description="What whoever reported it here wrote; null for a ticket of any other origin.",
    )
    ticket_type: str | None = mapped(
        Stored(name="ticketType"),
        name="ticketType",
        description="What kind of ticket it is, as its reporter said (TMF621).",
    )
    reference: str | None = mapped(
        Stored(name="reference"),
        description="What its reporter calls it: the externalId that was sent with it over TMF621.",
    )
    customer: Customer | None = along("OPENED_FOR>")
    alarms: Connection[Alarm] = pages_along("REPORTS>")
    services: Connection[Service] = pages_along("CONCERNS>")


@node("Order")
class Order(Node):
    """A product or service order."""

    external_id: str = stored("externalId", "What whoever has placed it calls it; its own id, where that was not said.")
    system: str = stored("system", "Who has placed it: a system, or operator or customer for a person.")
    state: OrderState = stored("state", "How far it is: what the states of its items say.")
    kind: OrderKind | None = stored("kind", "What is ordered; null for one that was loaded.")
    description: str | None = stored("description", "What it is for, as whoever has placed it says.")
    category: str | None = stored("category", "What sort of order it is, in the words of whoever has placed it.")
    priority: str | None = stored("priority", "How urgent it is, in the words of whoever has placed it.")
    ordered_at: dt.datetime | None = stored("orderedAt", "When it came in; null for one that was loaded.")
    requested_start_at: dt.datetime | None = stored("requestedStartAt", "When it is wanted to begin.")
    requested_completion_at: dt.datetime | None = stored("requestedCompletionAt", "When it is wanted to be completed.")
    expected_completion_at: dt.datetime | None = stored(
        "expectedCompletionAt", "When it will be completed, as far as anybody knows."
    )
    started_at: dt.datetime | None = stored("startedAt", "When somebody began to work on it.")
    completed_at: dt.datetime | None = stored(
        "completedAt", "When it was completed, or some of it was and the rest is over."
    )
    cancelled_at: dt.datetime | None = stored("cancelledAt", "When it was cancelled.")
    cancellation_reason: str | None = stored("cancellationReason", "Why it was to be cancelled.")
    request: JSON | None = mapped(
        Stored(name="request"),
        name="request",
        operator_only=True,
        description="The order as it came, without its items; null for one that was loaded.",
    )
    customer: Customer | None = along("PLACED_BY>", description="Whose order it is.")
    items: Connection[OrderItem] = pages_along("HAS_ITEM>", description="What is ordered, each by itself.")
    cancellations: Connection[OrderCancellation] = pages_along(
        "<CANCELS", description="Requests to cancel it, and what became of them."
    )


@relation("RELATES_TO", "What an item of an order has to do with another item of it.")
class OrderItemRelationship:
    """RELATES_TO."""

    relationship_type: str = stored("relationshipType", "How, in the words of whoever has placed the order: reliesOn.")
    item: OrderItem = mapped(EndOf(role="start"), description="The item that says so.")
    other: OrderItem = mapped(EndOf(role="end"), description="The item that it speaks of.")


@node("OrderItem")
class OrderItem(Node):
    """One item of an order."""

    external_id: str = stored("externalId", "Its id within the order.")
    system: str = stored("system", "Who has placed the order.")
    state: OrderState = stored("state", "How far it is.")
    action: OrderItemAction | None = stored("action", "What is to be done; null for one that was loaded.")
    product: str | None = stored("product", "What is ordered, by its name.")
    offering: str | None = stored("offering", "What it is sold as: the name or the id of the product offering.")
    quantity: int | None = stored("quantity", "How many are ordered; null where nobody has said it.")
    position: int | None = stored("position", "Its place in the order, from 0; null for one that was loaded.")
    site_a: str | None = stored(
        "siteA", "The site of one end of a new service, as whoever has placed the order names it."
    )
    site_z: str | None = stored("siteZ", "The site of its other end.")
    mbps: int | None = stored("mbps", "The rate of a new service, in Mbit/s; null where the order says none.")
    failure: ItemFailure | None = stored(
        "failure", "Why it has failed, where it was carried out by itself; null where it has not, or people have."
    )
    failure_detail: str | None = mapped(
        Stored(name="failureDetail"),
        name="failureDetail",
        operator_only=True,
        description="The same in full: what is full, by how much, from when on there is room, or what the network has said; and why people carry it out that would be carried out by itself.",
    )
    request: JSON | None = mapped(
        Stored(name="request"),
        name="request",
        operator_only=True,
        description="The item as it came; null for one that was loaded.",
    )
    order: Order | None = along("<HAS_ITEM", description="The order that it is of.")
    service: Service | None = along(
        "PROVISIONS>", description="The service that it is about; null where there is none yet."
    )
    relates_to: Connection[OrderItemRelationship] = relations_along(
        "RELATES_TO>", description="What it has to do with other items of the order."
    )
    related_from: Connection[OrderItemRelationship] = relations_along(
        "<RELATES_TO", description="What other items of the order have to do with it."
    )
    steps: Connection[ProcessStep] = pages_along(
        "<STEP_OF",
        description="What was done for it, and what became of that; none where people carry it out.",
    )


@node("OrderCancellation")
class OrderCancellation(Node):
    """That somebody has asked to cancel an order."""

    kind: OrderKind = stored("kind", "What the order is of.")
    system: str = stored("system", "Who has placed the order.")
    state: OrderCancellationState = stored("state", "How far the request is.")
    reason: str | None = stored("reason", "Why the order is to be cancelled.")
    requested_for: dt.datetime | None = stored("requestedFor", "When it was wanted to be cancelled; null: at once.")
    asked_at: dt.datetime = stored("askedAt", "When somebody asked.")
    effective_at: dt.datetime | None = stored("effectiveAt", "When that was decided for good; null while it is not.")
    order: Order | None = along("CANCELS>", description="The order that it is about.")


@node("ExternalName")
class ExternalName(Node):
    """What a source system calls a thing."""

    id: strawberry.ID
    system: str
    name: str
    names: NamedObject | None = along("NAMES>", operator_only=True)


NamedObject: TypeAlias = Annotated[
    Customer | Site | Service | NetworkElement | Card | Port | Trunk,
    strawberry.union("NamedObject", description="What a source system has a name for."),
]


@node("Boost")
class Boost(Node):
    """A temporary rate."""

    mbps: int = stored("mbps", "What is added to the rate of the service, in Mbit/s.")
    start_at: dt.datetime = stored("startAt", "When it begins.")
    end_at: dt.datetime = stored("endAt", "When it ends: from this moment on it is over.")
    status: BoostStatus
    status_reason: BoostReason | None = stored("statusReason", "Why it is over; null while it is not.")
    price: int = stored(
        "price", "What it costs, in the smallest unit of the currency; a credit is negative. Taxes are billing's."
    )
    currency: str = stored("currency", "The currency of the price (ISO 4217).")
    tier: Tier | None = stored("tier", "The tier by whose tariff it is priced; null for one that was loaded.")
    ordered_at: dt.datetime | None = stored("orderedAt", "When it was booked; null for one that was loaded.")
    hold_until: dt.datetime | None = stored("holdUntil", "Until when it holds its capacity without being approved.")
    activated_at: dt.datetime | None = stored("activatedAt", "When the network confirmed the higher rate.")
    ended_at: dt.datetime | None = stored(
        "endedAt", "When the network confirmed the return, or when the boost was cancelled or declined."
    )
    charged_mbps: int | None = stored("chargedMbps", "The rate that is charged now, in Mbit/s; null while nothing is.")
    charged_from: dt.datetime | None = stored("chargedFrom", "Since when that rate is charged.")
    series: str | None = stored("series", "The same for all boosts of one recurrence.")
    ordered_by: str | None
    service: Service | None = along("BOOSTS>")
    steps: Connection[ProcessStep] = pages_along(
        "<STEP_OF", description="What each system was asked to do, and what became of it."
    )


@node("ProcessStep")
class ProcessStep(Node):
    """One step of a process."""

    name: str = stored("name", "What is done, as the documentation lists it.")
    boundary: Boundary
    system: StepSystem
    state: StepState
    stage: int = stored(
        "stage", "Steps of one stage run side by side, when those of the stage before are over; counted from 0."
    )
    started_at: dt.datetime = stored("startedAt", "When it was to be done.")
    finished_at: dt.datetime | None = stored("finishedAt", "When it was over; null while it is not.")
    attempts: int = stored("attempts", "How often it was tried.")
    receipt: str | None = stored(
        "receipt", "What its system calls it, or what it has confirmed; null while it has not."
    )
    error: str | None
    boost: Boost | None = along("STEP_OF>:Boost", description="The boost that it is of; null where it is of an order.")
    order_item: OrderItem | None = along(
        "STEP_OF>:OrderItem", description="The item of an order that it is of; null where it is of a boost."
    )
    deliveries: Connection[Delivery] = pages_along(
        "<CARRIES_OUT", operator_only=True, description="What its system is sent for it."
    )


@node("Task")
class Task(Node):
    """What waits for a person."""

    id: strawberry.ID
    kind: str
    state: TaskState
    about: str
    step: str | None
    delivery: str | None
    reason: str
    opened_at: dt.datetime
    settled_at: dt.datetime | None
    settled_by: str | None
    note: str | None


@node("Usage")
class Usage(Node):
    """A rated or ratable interval."""

    from_: dt.datetime = stored(
        "from", "The beginning of the interval; the same as `to` where the source gave no interval."
    )
    to: dt.datetime = stored(
        "to", "The end of the interval; where the source gave none, the moment it names, or when the record came."
    )
    mbps: int | None = stored(
        "mbps", "The rate that was to be had, in Mbit/s; null where the source has not said it yet."
    )
    octets: BigInt | None = stored(
        "octets", "How much was carried, in octets; null where the source has not said it yet."
    )
    kind: str
    state: UsageState | None
    source: str | None
    external_id: str | None
    service_ref: str | None
    awaits: str | None
    record: JSON | None
    service: Service | None = along("USED_BY>")


@node("Downtime")
class Downtime(Node):
    """An interval with one effect on a service."""

    effect: Effect
    from_: dt.datetime
    to: dt.datetime | None
    availability_percent: float | None
    alarms: JSON
    service: Service | None = along("INTERRUPTS>")


@node("Lead")
class Lead(Node):
    """An upsell lead."""

    id: strawberry.ID
    reason: str
    at: dt.datetime
    state: LeadState | None
    system: str | None
    external_id: str | None
    evidence: JSON | None
    customer: Customer | None = along("ABOUT>", operator_only=True)
    service: Service | None = along("SUGGESTED_FOR>", operator_only=True)


@node("Event")
class Event(Node):
    """Something that happened."""

    type: str
    aggregate_id: str
    aggregate_version: int
    at: dt.datetime
    position: BigInt | None
    unplaced: dt.datetime | None
    principal: str
    payload: JSON
    customers: Connection[Customer] = pages_along("CONCERNS_CUSTOMER>")
    deliveries: Connection[Delivery] = pages_along("<TELLS", operator_only=True)


@node("Delivery")
class Delivery(Node):
    """What a surrounding system must be told."""

    id: strawberry.ID
    system: str
    subject: str
    lane: str
    waiting: str | None
    held: str | None
    parked: str | None
    parked_for: ParkingReason | None
    suspended_since: dt.datetime | None = mapped(
        Stored(name="suspendedSince"),
        name="suspendedSince",
        operator_only=True,
        description="Since when the people of its system have suspended it, as those of an Alerta in a blackout; null while they have not.",
    )
    order_key: str
    version: int
    state: DeliveryState
    attempts: int
    created_at: dt.datetime
    since: dt.datetime | None
    next_at: dt.datetime
    last_error: str | None
    last_answer: str | None
    payload: JSON
    event: Event | None = along("TELLS>", operator_only=True)


@node("InventoryFeed")
class InventoryFeed(Node):
    """A document of an inventory."""

    id: strawberry.ID
    system: str
    name: str
    kind: FeedKind
    state: FeedState
    principal: str
    resources: int
    not_taken: int
    changes: int
    differences: int
    reason: str | None
    started_at: dt.datetime
    received_at: dt.datetime | None
    compared_at: dt.datetime | None


@node("InventoryDifference")
class InventoryDifference(Node):
    """Where an inventory and the graph do not agree."""

    id: strawberry.ID
    system: str
    feed: str
    kind: DifferenceKind
    state: DifferenceState
    resource_type: str
    resource: str | None
    name: str
    property: str | None
    theirs: str | None
    ours: str | None
    reason: str | None
    record: JSON
    found_at: dt.datetime
    settled_at: dt.datetime | None
