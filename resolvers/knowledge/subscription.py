"""The subscriptions: what a front end hears of without asking again.

Each field gives one object for each event. Its own values were kept when the event happened (`streams.py`); the nodes that it
leads to are looked up when the event is sent, so a subscriber who comes back later gets the same values, and nodes as they are
by then.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import strawberry

from graph.model.mapping import Changed, EndOf, Happening, KeptNode, KeptNodes, KeptRows, Stored
from resolvers.directives import ListSize
from resolvers.knowledge.fields import computed, mapped
from resolvers.knowledge.inputs import id_operators, word_operators
from resolvers.knowledge.streams import MOST_SERVICES
from resolvers.knowledge.types import (
    Alarm,
    Boost,
    Delivery,
    Downtime,
    Order,
    OrderCancellation,
    Resource,
    Service,
    Ticket,
)
from resolvers.knowledge.words import (
    AlertKind,
    BoostEventKind,
    BoostReason,
    BoostStatus,
    DeliveryEventKind,
    Effect,
    OrderEventKind,
    OrderState,
    ServiceEventKind,
    Severity,
    TopologyChangeKind,
)
from resolvers.words import ParkingReason, TicketStatus

_CURSOR = "Where this event stands. Subscribe with it as `after` to hear what comes after this event, on any server."


def kept(name: str, description: str) -> Any:
    """Make a field that is a value of the event."""
    return mapped(Stored(name=name), name=name, description=description)


@computed("What one alarm does to one service of an alert, when it happened and before.")
class AlertService:
    """A row of `Alert.services`."""

    service_id: strawberry.ID = kept("serviceId", "The id of the service.")
    service: Service | None = mapped(
        EndOf(role="service"), description="The service as it is now; null where it is gone, or yours no more."
    )
    effect: Effect | None = kept("effect", "What the service suffered from then on; null: nothing by this alarm.")
    severity: Severity | None = kept("severity", "How severe that was under the contract it had then.")
    effect_before: Effect | None = kept("effectBefore", "What it suffered before; null: nothing by this alarm.")
    severity_before: Severity | None = kept("severityBefore", "How severe that was.")


@computed("An alarm has begun to affect services of yours, affects them differently, or does so no more.")
class Alert:
    """One event of one alarm, as one scope sees it."""

    kind: AlertKind = kept("kind", "Whether it has begun, has changed, or is over, for the services that you may see.")
    at: dt.datetime = kept("at", "When it happened.")
    cursor: str = kept("cursor", _CURSOR)
    alarm_id: strawberry.ID = kept("alarmId", "The alarm: the same in all alerts of one alarm.")
    alarm: Alarm | None = mapped(
        Changed(label="Alarm"),
        description="The alarm as it is now; null where you may not see it: for a customer, once it affects nothing of theirs.",
    )
    perceived_severity: Severity = kept(
        "perceivedSeverity", "How severe the alarm was by its source, when it happened."
    )
    severity: Severity | None = kept(
        "severity", "The worst of `services` by contract; of what it was before where it is over."
    )
    services: list[AlertService] = mapped(
        KeptRows(
            name="services",
            label="Service",
            columns=("serviceId", "effect", "severity", "effectBefore", "severityBefore"),
            role="service",
        ),
        size=ListSize(assumed_size=50),
        description=f"The services affected before or after, the worst first; {MOST_SERVICES:,} at most.",
    )
    total_services: int = kept(
        "totalServices", "How many services there are, those included that `services` leaves out."
    )
    tickets: list[Ticket] = mapped(
        KeptNodes(name="tickets", label="Ticket"),
        size=ListSize(assumed_size=5),
        description="The tickets that were opened, amended or resolved with this event, as they are now.",
    )


@computed("A service that a ticket is about.")
class ServiceEventService:
    """A row of `ServiceEvent.services`."""

    service_id: strawberry.ID = kept("serviceId", "The id of the service.")
    service: Service | None = mapped(
        EndOf(role="service"), description="The service as it is now; null where it is gone, or yours no more."
    )


@computed("A ticket that was opened, closed, or has another status.")
class ServiceEventTicket:
    """A row of `ServiceEvent.tickets`."""

    ticket_id: strawberry.ID = kept("ticketId", "The id of the ticket: the same in all events of one ticket.")
    status: TicketStatus = kept("status", "Its status when that happened.")
    ticket: Ticket | None = mapped(
        EndOf(role="ticket"), description="The ticket as it is now; null where it is gone, or yours no more."
    )


@computed(
    "A service is new and in use; or it has begun to suffer an effect, or does so no more; or something happened to a ticket about it."
)
class ServiceEvent:
    """One turn of a service's downtime, or of tickets about services."""

    kind: ServiceEventKind = kept("kind", "What happened.")
    at: dt.datetime = kept("at", "When that became known.")
    cursor: str = kept("cursor", _CURSOR)
    service_id: strawberry.ID = kept("serviceId", "The id of the service; the first of `services`.")
    service: Service | None = mapped(
        Changed(label="Service"), description="The service as it is now; null where it is gone, or yours no more."
    )
    services: list[ServiceEventService] = mapped(
        KeptRows(name="services", label="Service", columns=("serviceId",), role="service"),
        size=ListSize(assumed_size=5),
        description=f"All services that the tickets were about when it happened; {MOST_SERVICES:,} at most. Of all else, the one.",
    )
    effect: Effect | None = kept(
        "effect", "What the service suffered in the interval; null where no interval is told of."
    )
    from_: dt.datetime | None = kept(
        "from", "When the interval began, as far as the alarm's source said; null where no interval is told of."
    )
    to: dt.datetime | None = kept("to", "When it ended; null as long as it lasts.")
    downtime: Downtime | None = mapped(
        Changed(label="Downtime"), description="The interval as it is now; null where none is told of."
    )
    tickets: list[ServiceEventTicket] = mapped(
        KeptRows(name="tickets", label="Ticket", columns=("ticketId", "status"), role="ticket"),
        size=ListSize(assumed_size=1),
        description="The tickets that it happened to: one for each customer whose services you see; of all else, none.",
    )


@computed("A boost was booked, has begun, is another than before, ends soon, or is over.")
class BoostEvent:
    """One turn of one boost."""

    kind: BoostEventKind = kept("kind", "What happened.")
    at: dt.datetime = kept("at", "When it happened.")
    cursor: str = kept("cursor", _CURSOR)
    boost_id: strawberry.ID = kept("boostId", "The id of the boost: the same in all events of one boost.")
    boost: Boost | None = mapped(
        Changed(label="Boost"), description="The boost as it is now; null where it is gone, or yours no more."
    )
    service_id: strawberry.ID = kept("serviceId", "The id of the service whose rate it is.")
    service: Service | None = mapped(
        Changed(label="Service"), description="The service as it is now; null where it is gone, or yours no more."
    )
    mbps: int = kept("mbps", "What the boost added to the rate of the service then, in Mbit/s.")
    start_at: dt.datetime = kept("startAt", "When it began or was to begin.")
    end_at: dt.datetime = kept("endAt", "When it ended or was to end.")
    status: BoostStatus = kept("status", "Its status when that happened.")
    reason: BoostReason | None = kept("reason", "Why it was over; null while it was not.")


@computed("An order has come in, asks for something else, is further than before, or is to be cancelled.")
class OrderEvent:
    """One turn of one order."""

    kind: OrderEventKind = kept("kind", "What happened.")
    at: dt.datetime = kept("at", "When it happened.")
    cursor: str = kept("cursor", _CURSOR)
    order_id: strawberry.ID = kept("orderId", "The id of the order: the same in all events of one order.")
    order: Order | None = mapped(
        Changed(label="Order"), description="The order as it is now; null where it is gone, or yours no more."
    )
    state: OrderState = kept("state", "Its state when that happened.")
    state_before: OrderState | None = kept("stateBefore", "Its state before; null where that says nothing.")
    reason: str | None = kept("reason", "Why, as whoever did it says.")
    cancellation: OrderCancellation | None = mapped(
        Changed(label="OrderCancellation"),
        description="The request to cancel it, as it is now; null where it is told of another thing.",
    )


@computed("A piece of equipment or a trunk has come, is gone, or is another than before.")
class TopologyChange:
    """One change of one resource, by an inventory or by who settles its differences."""

    kind: TopologyChangeKind = kept("kind", "What happened.")
    at: dt.datetime = kept("at", "When that became known.")
    cursor: str = kept("cursor", _CURSOR)
    resource_id: strawberry.ID = kept("resourceId", "The id of the equipment or trunk.")
    resource_type: str = kept("resourceType", "What it is: NetworkElement, Card, Port or Trunk.")
    resource: Resource | None = mapped(
        KeptNode(name="resource"), description="The equipment or trunk as it is now; null where it is gone."
    )


@computed("A delivery to a surrounding system waits for a person, or one has seen to it.")
class DeliveryEvent:
    """One turn of a delivery that could not be sent."""

    kind: DeliveryEventKind = kept("kind", "What happened.")
    at: dt.datetime = kept("at", "When it happened.")
    cursor: str = kept("cursor", _CURSOR)
    delivery_id: strawberry.ID = kept("deliveryId", "The id of the delivery: what `replayDelivery` takes.")
    reason: ParkingReason | None = kept("reason", "Why it was parked; null where it was replayed.")
    error: str | None = kept("error", "What went wrong at the last attempt; null where it was replayed.")
    delivery: Delivery | None = mapped(Changed(label="Delivery"), description="The delivery as it is now.")


def _filter(name: str, about: str, fields: dict[str, tuple[Any, str]]) -> Any:
    """Make a filter of a subscription: all that are given must hold."""
    made: Any = type(name, (), {"__doc__": about})
    made.__annotations__ = {key: type_ | None for key, (type_, _) in fields.items()}
    for key, (_, description) in fields.items():
        setattr(made, key, strawberry.field(name=key, default=strawberry.UNSET, description=description))
    return strawberry.input(made, description=f"{about} All that are given must hold.")


_OF_CUSTOMER = (id_operators(), "Only services that were these customers' when it happened.")
_OF_SERVICE = (id_operators(), "Only these services.")
AlertFilter = _filter(
    "AlertFilter",
    "Which alerts, and which services of them: an alert is as if the others were not there.",
    {
        "customer": _OF_CUSTOMER,
        "service": _OF_SERVICE,
        "resource": (id_operators(), "Only alarms that were raised on these."),
        "severityAtLeast": (
            Severity,
            "Only what is, or was just before, as severe by contract; CRITICAL is the worst.",
        ),
        "kind": (word_operators(AlertKind), "Only what begins, say."),
    },
)
ServiceEventFilter = _filter(
    "ServiceEventFilter",
    "Which events of services.",
    {
        "customer": _OF_CUSTOMER,
        "service": _OF_SERVICE,
        "kind": (word_operators(ServiceEventKind), "Only what begins, say."),
    },
)
BoostEventFilter = _filter(
    "BoostEventFilter",
    "Which events of boosts.",
    {
        "customer": _OF_CUSTOMER,
        "service": _OF_SERVICE,
        "boost": (id_operators(), "Only these boosts."),
        "kind": (word_operators(BoostEventKind), "Only what ends soon, say."),
    },
)
OrderEventFilter = _filter(
    "OrderEventFilter",
    "Which events of orders.",
    {
        "customer": (id_operators(), "Only orders of these customers."),
        "order": (id_operators(), "Only these orders."),
        "state": (word_operators(OrderState), "Only what leaves an order in these states."),
        "kind": (word_operators(OrderEventKind), "Only what comes in, say."),
    },
)
TopologyChangeFilter = _filter(
    "TopologyChangeFilter",
    "Which changes of equipment and trunks.",
    {
        "resource": (id_operators(), "Only of these."),
        "kind": (word_operators(TopologyChangeKind), "Only what is removed, say."),
    },
)
DeliveryEventFilter = _filter(
    "DeliveryEventFilter",
    "Which events of deliveries.",
    {"kind": (word_operators(DeliveryEventKind), "Only what is parked, say.")},
)


def _stream(filter_: Any, description: str, *, operator_only: bool = False) -> Any:
    after = "Where to resume: the cursor of the last event that you have. Without it you hear what happens from now on."
    arguments = {
        "after": Annotated[str | None, after],
        "filter": Annotated[filter_ | None, "Which of them; all where it is left out."],
    }
    return mapped(Happening(), arguments=arguments, description=description, operator_only=operator_only)


@strawberry.type
class Subscription:
    """What happens, as far as the caller may see it, in the order in which it happened."""

    alerts: Alert = _stream(AlertFilter, "Alarms begin to affect services, affect them differently, or do so no more.")
    boost_events: BoostEvent = _stream(BoostEventFilter, "Boosts are booked, begin, change, end soon, and are over.")
    order_events: OrderEvent = _stream(
        OrderEventFilter, "Orders come in, ask for something else, are further than before, and are cancelled."
    )
    topology_changes: TopologyChange = _stream(
        TopologyChangeFilter,
        "Equipment and trunks come, go, move and change; for a customer, what its services run over, as far as it stays so.",
    )
    deliveries: DeliveryEvent = _stream(
        DeliveryEventFilter,
        "Deliveries to surrounding systems wait for a person, or were replayed.",
        operator_only=True,
    )
    service_events: ServiceEvent = _stream(
        ServiceEventFilter,
        "Services begin to suffer an effect, or do so no more; problems of them are reported, and tickets opened and closed.",
    )
