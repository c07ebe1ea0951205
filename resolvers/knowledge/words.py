"""The closed vocabularies of the model as GraphQL enums; each is checked against the model where it is made."""

from __future__ import annotations

import enum
from typing import Final

import strawberry

from graph.model import model, vocabulary
from graph.model.mapping import enum_name
from resolvers.words import ParkingReason, TicketStatus


def _words(of: type[enum.Enum], words: tuple[str, ...]) -> None:
    spelled = {each.name: each.value for each in of}
    if spelled != {enum_name(word): word for word in words}:
        raise TypeError(f"{of.__name__} does not say what the model says")
    BY_WORDS[words] = of


BY_WORDS: Final[dict[tuple[str, ...], type[enum.Enum]]] = {}
"""Vocabulary of a property -> its enum."""


@strawberry.enum(description="What an alarm does to a service.")
class Effect(enum.Enum):
    """graph.model.effects."""

    DOWN = "down"
    DEGRADED = "degraded"
    AT_RISK = "atRisk"


@strawberry.enum(description="Perceived severity (ITU-T X.733, 8.1.2.3).")
class Severity(enum.Enum):
    """In no order of badness: X.733 lists them so."""

    CLEARED = "cleared"
    INDETERMINATE = "indeterminate"
    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    WARNING = "warning"


@strawberry.enum(description="How much was promised.")
class Tier(enum.Enum):
    """The severity of an effect follows from it."""

    PREMIUM = "PREMIUM"
    STANDARD = "STANDARD"
    BASIC = "BASIC"


@strawberry.enum(description="Whether a resource works (ITU-T X.731).")
class OperationalState(enum.Enum):
    """X.731, 7.1.1."""

    ENABLED = "enabled"
    DISABLED = "disabled"


@strawberry.enum(description="Whether a resource may be used (ITU-T X.731).")
class AdministrativeState(enum.Enum):
    """X.731, 7.1.3."""

    LOCKED = "locked"
    UNLOCKED = "unlocked"
    SHUTTING_DOWN = "shuttingDown"


@strawberry.enum(description="State of a service (TMF638).")
class ServiceState(enum.Enum):
    """TMF638 v4, ServiceStateType."""

    FEASIBILITY_CHECKED = "feasibilityChecked"
    DESIGNED = "designed"
    RESERVED = "reserved"
    INACTIVE = "inactive"
    ACTIVE = "active"
    TERMINATED = "terminated"


@strawberry.enum(description="Kind of alarm (ITU-T X.733 and X.736).")
class AlarmType(enum.Enum):
    """TMF642 v4, AlarmType, where security service and mechanism are one word of X.736."""

    COMMUNICATIONS_ALARM = "communicationsAlarm"
    PROCESSING_ERROR_ALARM = "processingErrorAlarm"
    ENVIRONMENTAL_ALARM = "environmentalAlarm"
    QUALITY_OF_SERVICE_ALARM = "qualityOfServiceAlarm"
    EQUIPMENT_ALARM = "equipmentAlarm"
    INTEGRITY_VIOLATION = "integrityViolation"
    OPERATIONAL_VIOLATION = "operationalViolation"
    PHYSICAL_VIOLATION = "physicalViolation"
    SECURITY_SERVICE_OR_MECHANISM_VIOLATION = "securityServiceOrMechanismViolation"
    TIME_DOMAIN_VIOLATION = "timeDomainViolation"


@strawberry.enum(description="State of an alarm (TMF642).")
class AlarmState(enum.Enum):
    """TMF642 v4."""

    RAISED = "raised"
    UPDATED = "updated"
    CLEARED = "cleared"


@strawberry.enum(description="Whether a person has taken note of an alarm (TMF642).")
class AckState(enum.Enum):
    """TMF642 v4."""

    ACKNOWLEDGED = "acknowledged"
    UNACKNOWLEDGED = "unacknowledged"


@strawberry.enum(description="State of an order or of an item of it (TMF622, TMF641).")
class OrderState(enum.Enum):
    """TMF622 v4, ProductOrderStateType."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    COMPLETED = "completed"
    FAILED = "failed"
    PARTIAL = "partial"
    ASSESSING_CANCELLATION = "assessingCancellation"
    PENDING_CANCELLATION = "pendingCancellation"


@strawberry.enum(description="Status of a temporary rate (CAMARA QoS Booking).")
class BoostStatus(enum.Enum):
    """The life of a boost."""

    REQUESTED = strawberry.enum_value(
        "REQUESTED", description="It holds its capacity until holdUntil, and waits to be approved."
    )
    SCHEDULED = strawberry.enum_value("SCHEDULED", description="It is booked, and begins at startAt.")
    ACTIVATED = strawberry.enum_value("ACTIVATED", description="The network has confirmed the higher rate.")
    TERMINATED = strawberry.enum_value("TERMINATED", description="It is over; statusReason says why.")


@strawberry.enum(description="Why a temporary rate is over (CAMARA QoS Booking).")
class BoostReason(enum.Enum):
    """What has ended a boost."""

    DURATION_EXPIRED = strawberry.enum_value("DURATION_EXPIRED", description="Its time was over.")
    DELETE_REQUESTED = strawberry.enum_value(
        "DELETE_REQUESTED", description="It was cancelled, before or during its time."
    )
    NETWORK_TERMINATED = strawberry.enum_value(
        "NETWORK_TERMINATED", description="Its service has ended or cannot carry it any more."
    )
    BOOKING_DECLINED = strawberry.enum_value(
        "BOOKING_DECLINED", description="The network or an approver has refused it; nothing is charged."
    )
    BOOKING_REVOKED = strawberry.enum_value("BOOKING_REVOKED", description="An operator has taken it back.")


@strawberry.enum(description="Where the rate of a service becomes another because of a boost.")
class Boundary(enum.Enum):
    """Of a boost."""

    START = strawberry.enum_value("START", description="The boost begins, or the item of an order is carried out.")
    CHANGE = strawberry.enum_value("CHANGE", description="The rate of the boost was changed while it ran.")
    RETURN = strawberry.enum_value(
        "RETURN",
        description="The boost ends, and the service returns to what is booked then; or what was done for an item of an order is taken back.",
    )


@strawberry.enum(description="What kind of system carries out a step.")
class StepSystem(enum.Enum):
    """Of a step."""

    NETWORK = strawberry.enum_value(
        "NETWORK", description="Provisioning sets the rate in the network, or makes a service there and takes it away."
    )
    BILLING = strawberry.enum_value("BILLING", description="Billing receives what is charged.")
    PERFORMANCE = strawberry.enum_value(
        "PERFORMANCE", description="Performance monitoring receives the new thresholds."
    )
    FAULT_MANAGEMENT = strawberry.enum_value("FAULT_MANAGEMENT", description="Fault management receives the new rate.")
    INVENTORY = strawberry.enum_value(
        "INVENTORY", description="The inventory receives the new rate, or the new service."
    )
    SALES = strawberry.enum_value("SALES", description="Sales receives a lead.")
    TRUNKLINE = strawberry.enum_value(
        "TRUNKLINE", description="We do it ourselves: a service is designed and reserved, or put into use."
    )


@strawberry.enum(description="What is ordered.")
class OrderKind(enum.Enum):
    """Of an order; by it TMF622 and TMF641 have their own."""

    PRODUCT = strawberry.enum_value("product", description="Products (TMF622 product order).")
    SERVICE = strawberry.enum_value("service", description="Services (TMF641 service order).")


@strawberry.enum(description="What an item of an order asks for (TMF622, OrderItemActionType).")
class OrderItemAction(enum.Enum):
    """Of an item."""

    ADD = strawberry.enum_value("add", description="Something new.")
    MODIFY = strawberry.enum_value("modify", description="What is there is to be another.")
    DELETE = strawberry.enum_value("delete", description="What is there is to end.")
    NO_CHANGE = strawberry.enum_value("noChange", description="Nothing: it is named because others need it.")


@strawberry.enum(description="Why an item of an order has failed that was carried out by itself.")
class ItemFailure(enum.Enum):
    """Never which, or how much: that would tell of others."""

    REQUEST = strawberry.enum_value(
        "REQUEST", description="The order does not say what is needed, or asks for another rate than there is."
    )
    PORT = strawberry.enum_value("PORT", description="At one of the sites, or at both, no port can be had.")
    NETWORK = strawberry.enum_value("NETWORK", description="Between the sites there is no way that has room.")
    PROVISIONING = strawberry.enum_value(
        "PROVISIONING", description="The network did not make the service as it was asked to."
    )
    ITEM = strawberry.enum_value("ITEM", description="Another item that it relies on is not there.")


@strawberry.enum(description="How far a request to cancel an order is (TMF622, TaskStateType).")
class OrderCancellationState(enum.Enum):
    """Of a request to cancel."""

    ACCEPTED = strawberry.enum_value("accepted", description="It is looked at whether the order can be cancelled.")
    TERMINATED_WITH_ERROR = strawberry.enum_value("terminatedWithError", description="The order goes on.")
    IN_PROGRESS = strawberry.enum_value("inProgress", description="It can, and what was begun is undone.")
    DONE = strawberry.enum_value("done", description="It is cancelled.")


@strawberry.enum(description="How far a step is.")
class StepState(enum.Enum):
    """Of a step."""

    PENDING = strawberry.enum_value("PENDING", description="It is under way.")
    DONE = strawberry.enum_value("DONE", description="Its system has confirmed it.")
    REFUSED = strawberry.enum_value("REFUSED", description="Its system has refused it.")
    FAILED = strawberry.enum_value(
        "FAILED", description="It was given up until a person has looked at it: a task says so."
    )
    SKIPPED = strawberry.enum_value("SKIPPED", description="It was not needed, or a person has skipped it.")


@strawberry.enum(description="Whether a task still waits for a person.")
class TaskState(enum.Enum):
    """Of a task."""

    OPEN = strawberry.enum_value("OPEN", description="It waits for a person.")
    DONE = strawberry.enum_value("DONE", description="What it asked for was done.")
    SKIPPED = strawberry.enum_value("SKIPPED", description="A person has decided that it need not be done.")
    CANCELLED = strawberry.enum_value("CANCELLED", description="A person has given up what it was for.")


@strawberry.enum(description="What sales has made of a lead.")
class LeadState(enum.Enum):
    """Of a lead."""

    ACKNOWLEDGED = strawberry.enum_value("acknowledged", description="Sales has received it.")
    IN_PROGRESS = strawberry.enum_value("inProgress", description="Somebody works on it.")
    ACCEPTED = strawberry.enum_value("accepted", description="The customer has bought.")
    REJECTED = strawberry.enum_value("rejected", description="The customer does not want it.")
    CANCELLED = strawberry.enum_value("cancelled", description="Sales has dropped it.")


@strawberry.enum(description="What was said of two customers that may be the same company.")
class CustomerMatchState(enum.Enum):
    """Of a match."""

    PROPOSED = strawberry.enum_value("proposed", description="Nobody has said anything yet: a task waits for it.")
    DECLINED = strawberry.enum_value("declined", description="They are not the same: nobody is asked again.")
    MERGED = strawberry.enum_value("merged", description="The one was merged into the other.")
    SUPERSEDED = strawberry.enum_value(
        "superseded", description="One of the two was merged into a third customer, which is compared in its place."
    )


@strawberry.enum(description="State of a usage record (TMF635).")
class UsageState(enum.Enum):
    """TMF635 v4, UsageStatusType."""

    RECEIVED = "received"
    REJECTED = "rejected"
    RECYCLED = "recycled"
    GUIDED = "guided"
    RATED = "rated"
    RERATED = "rerated"
    BILLED = "billed"


@strawberry.enum(description="Whether a surrounding system has been told.")
class DeliveryState(enum.Enum):
    """A DEAD one is parked until somebody replays it."""

    READY = "READY"
    DONE = "DONE"
    DEAD = "DEAD"


@strawberry.enum(description="Whether a feed says all that an inventory has, or what has changed there.")
class FeedKind(enum.Enum):
    """What is missing in a full one is missing there."""

    FULL = "full"
    INCREMENTAL = "incremental"


@strawberry.enum(description="How far a feed of an inventory has come.")
class FeedState(enum.Enum):
    """One that is cut stays RECEIVING, and counts for nothing; one that FAILED may be sent again."""

    RECEIVING = "receiving"
    RECEIVED = "received"
    COMPARED = "compared"
    FAILED = "failed"


@strawberry.enum(description="What an inventory and the graph say differently.")
class DifferenceKind(enum.Enum):
    """As seen from the graph."""

    MISSING_HERE = "missingHere"
    MISSING_THERE = "missingThere"
    PROPERTY = "property"
    CONTAINMENT = "containment"
    NOT_TAKEN = strawberry.enum_value(
        "notTaken", description="The inventory names what the graph has no place for; there is no side to take."
    )


@strawberry.enum(description="What has become of a difference.")
class DifferenceState(enum.Enum):
    """A HELD one is not settled by a feed: services are carried by what the inventory says is gone."""

    OPEN = "open"
    HELD = "held"
    TAKEN = "taken"
    TOLD = "told"
    GONE = "gone"


@strawberry.enum(description="Whose word counts where an inventory and the graph differ.")
class InventorySide(enum.Enum):
    """INVENTORY: the graph changes. GRAPH: the inventory is told."""

    INVENTORY = "inventory"
    GRAPH = "graph"


@strawberry.enum(description="What an alert tells of an alarm, as far as the caller sees what it affects.")
class AlertKind(enum.Enum):
    """As seen from one scope: what has begun for one customer may only have changed for another."""

    BEGAN = strawberry.enum_value("began", description="The alarm affects services, and did not before.")
    CHANGED = strawberry.enum_value("changed", description="It affects others, or affects them differently.")
    ENDED = strawberry.enum_value("ended", description="It affects none any more.")


@strawberry.enum(description="What has happened to a service.")
class ServiceEventKind(enum.Enum):
    """An effect that changes ends, and another begins."""

    EFFECT_BEGAN = strawberry.enum_value("effectBegan", description="The service suffers an effect from now on.")
    EFFECT_ENDED = strawberry.enum_value("effectEnded", description="It does not suffer that effect any more.")
    PROBLEM_REPORTED = strawberry.enum_value(
        "problemReported", description="Somebody has reported a problem of it with `reportProblem` or over TMF621."
    )
    TICKET_OPENED = strawberry.enum_value(
        "ticketOpened", description="A ticket about it was opened, for an alarm or in the ticketing system itself."
    )
    TICKET_STATUS_CHANGED = strawberry.enum_value(
        "ticketStatusChanged", description="A ticket about it has another status, and is not closed."
    )
    TICKET_CLOSED = strawberry.enum_value("ticketClosed", description="A ticket about it was closed.")
    ACTIVATED = strawberry.enum_value("activated", description="It is new, and in use from now on.")


@strawberry.enum(description="What has happened to a boost.")
class BoostEventKind(enum.Enum):
    """Of the events of its service."""

    SCHEDULED = strawberry.enum_value(
        "scheduled",
        description="It is booked, or was approved. With the status REQUESTED it still waits for an approval.",
    )
    ACTIVATED = strawberry.enum_value("activated", description="The network has confirmed the higher rate.")
    CHANGED = strawberry.enum_value("changed", description="It has another rate or another end.")
    ABOUT_TO_END = strawberry.enum_value("aboutToEnd", description="It ends soon: extendBoost makes it longer.")
    TERMINATED = strawberry.enum_value("terminated", description="It is over; `reason` says why.")
    DECLINED = strawberry.enum_value(
        "declined", description="The network or an approver has refused it: the old rate stays, and nothing is charged."
    )


@strawberry.enum(description="What has happened to an order.")
class OrderEventKind(enum.Enum):
    """Of the events of orders."""

    PLACED = strawberry.enum_value("placed", description="It has come in.")
    CHANGED = strawberry.enum_value(
        "changed", description="It asks for something else, or is expected at another time."
    )
    STATE_CHANGED = strawberry.enum_value("stateChanged", description="It or one of its items is in another state.")
    CANCELLATION_REQUESTED = strawberry.enum_value(
        "cancellationRequested", description="Somebody has asked to cancel it."
    )
    CANCELLATION_DECIDED = strawberry.enum_value(
        "cancellationDecided", description="The request to cancel it is further: see the cancellation."
    )


@strawberry.enum(description="What has happened to a piece of equipment or a trunk.")
class TopologyChangeKind(enum.Enum):
    """Of the events of an inventory, and of who has settled a difference to it."""

    ADDED = strawberry.enum_value("added", description="It is there from now on; for those who read everything.")
    CHANGED = strawberry.enum_value("changed", description="It has other properties.")
    STATE_CHANGED = strawberry.enum_value("stateChanged", description="It is in another state, and else as it was.")
    MOVED = strawberry.enum_value("moved", description="It is in another place, or a trunk ends elsewhere.")
    REMOVED = strawberry.enum_value("removed", description="It is gone; for those who read everything.")


@strawberry.enum(description="What has happened to a delivery to a surrounding system.")
class DeliveryEventKind(enum.Enum):
    """Both concern a person: what is sent as it should is in no event."""

    PARKED = strawberry.enum_value("parked", description="It is not tried any more before somebody replays it.")
    REPLAYED = strawberry.enum_value("replayed", description="Somebody has replayed it: it is due.")


@strawberry.enum(description="Which of the two ways of a service.")
class RoutePath(enum.Enum):
    """The protecting path carries when the working one fails."""

    WORKING = "WORKING"
    PROTECTING = "PROTECTING"


@strawberry.enum(description="Which end of a service or trunk.")
class End(enum.Enum):
    """A and Z, as in TMF and MTOSI."""

    A = "A"
    Z = "Z"


@strawberry.enum(description="How the objects of an impact question are assumed to fail.")
class FailureMode(enum.Enum):
    """DOWN only, for now."""

    DOWN = "down"


@strawberry.enum(description="The direction of an order.")
class OrderDirection(enum.Enum):
    """Ascending when not given."""

    ASC = "asc"
    DESC = "desc"


_words(Effect, vocabulary.EFFECTS)
_words(Severity, vocabulary.SEVERITIES)
_words(Tier, vocabulary.TIERS)
_words(OperationalState, vocabulary.OPERATIONAL_STATES)
_words(AdministrativeState, vocabulary.ADMINISTRATIVE_STATES)
_words(ServiceState, vocabulary.SERVICE_STATES)
_words(AlarmType, vocabulary.ALARM_TYPES)
_words(AlarmState, model.LABELS["Alarm"].property("state").words)
_words(AckState, model.LABELS["Alarm"].property("ackState").words)
_words(TicketStatus, vocabulary.TICKET_STATES)
_words(OrderState, vocabulary.ORDER_STATES)
_words(OrderKind, vocabulary.ORDER_KINDS)
_words(OrderItemAction, vocabulary.ORDER_ACTIONS)
_words(ItemFailure, vocabulary.ITEM_FAILURES)
_words(OrderCancellationState, vocabulary.CANCELLATION_STATES)
_words(BoostStatus, vocabulary.BOOST_STATES)
_words(BoostReason, vocabulary.BOOST_REASONS)
_words(Boundary, vocabulary.BOUNDARIES)
_words(StepSystem, vocabulary.STEP_SYSTEMS)
_words(StepState, vocabulary.STEP_STATES)
_words(TaskState, vocabulary.TASK_STATES)
_words(LeadState, vocabulary.LEAD_STATES)
_words(CustomerMatchState, vocabulary.MATCH_STATES)
_words(UsageState, vocabulary.USAGE_STATES)
_words(DeliveryState, vocabulary.DELIVERY_STATES)
_words(ParkingReason, vocabulary.PARKING_REASONS)
_words(FeedKind, vocabulary.FEED_KINDS)
_words(FeedState, vocabulary.FEED_STATES)
_words(DifferenceKind, vocabulary.DIFFERENCE_KINDS)
_words(DifferenceState, vocabulary.DIFFERENCE_STATES)
_words(AlertKind, vocabulary.ALERT_KINDS)
_words(TopologyChangeKind, vocabulary.TOPOLOGY_CHANGE_KINDS)
_words(DeliveryEventKind, vocabulary.DELIVERY_EVENT_KINDS)
_words(ServiceEventKind, vocabulary.SERVICE_EVENT_KINDS)
_words(BoostEventKind, vocabulary.BOOST_EVENT_KINDS)
_words(OrderEventKind, vocabulary.ORDER_EVENT_KINDS)
_words(RoutePath, ("WORKING", "PROTECTING"))
_words(End, ("A", "Z"))
