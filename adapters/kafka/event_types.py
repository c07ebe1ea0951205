"""A consumer must know what an event says before the first one comes: each type has a description and a schema of its data.

An event's payload is what was kept when it happened. Two things are written otherwise than they are kept, since a consumer does
not know our short forms: times are RFC 3339, and what an alarm did to services and to tickets are lists of objects.

`EVENT_TYPES` is the one list of what is published; a test holds it to the types that the graph appends.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeAlias, get_args

from adapters.tmf.tmf630 import write_time
from graph.changes.alarms import impacts
from graph.changes.tickets.tickets import Doing
from graph.model.vocabulary import CANCELLATION_STATES, EFFECTS, ORDER_KINDS, ORDER_STATES, SEVERITIES, TASK_STATES

Schema: TypeAlias = Mapping[str, Any]
Data: TypeAlias = dict[str, Any]

BOOKING_STATES: Final = ("REQUESTED", "SCHEDULED", "ACTIVATED", "TERMINATED")
"""of a booking of bandwidth, in the words of CAMARA's QoS Booking."""
OMITTED: Final = "omitted"
"""The member of an event's data that names what was left out, since the event was larger than the broker takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A type of event."""

    name: str
    says: str
    key: str
    """what the aggregate is, by which events are kept in order."""
    properties: Mapping[str, Schema]
    """of its data, by name."""
    optional: frozenset[str] = frozenset()
    written: Callable[[Mapping[str, Any]], Data] = dict
    """makes the data of what was kept."""

    @property
    def schema(self) -> Schema:
        """The JSON Schema of its data."""
        needed = sorted(set(self.properties) - self.optional)
        return {
            "type": "object",
            "description": self.says,
            "properties": {**self.properties, "customers": _CUSTOMERS, OMITTED: _OMITTED},
            # What is too large is left out, and then named.
            "if": {"not": {"required": [OMITTED]}},
            "then": {"required": [*needed, "customers"]},
        }


def data_of(kind: EventType, payload: Mapping[str, Any], customers: frozenset[str]) -> Data:
    """Give the data of an event: what was kept, and whom it concerned."""
    return {**kind.written(payload), "customers": sorted(customers)}


# Parts ---------------------------------------------------------------------------------------------------------------


def _id(what: str) -> Schema:
    return {"type": "string", "description": f"The id of {what}."}


def _text(what: str) -> Schema:
    return {"type": "string", "description": what}


def _maybe(what: str) -> Schema:
    return {"type": ["string", "null"], "description": what}


def _count(what: str) -> Schema:
    return {"type": "integer", "minimum": 0, "description": what}


def _texts(what: str) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "description": what}


def _values(what: str) -> Schema:
    return {
        "type": "object",
        "description": what,
        "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
    }


_CUSTOMERS: Final = _texts("The ids of the customers whom it concerned when it happened.")
_OMITTED: Final = _texts(
    "Members that were left out, since the event was larger than the broker takes: ask the API for them."
)
_TIME: Final = {"type": "string", "format": "date-time"}
_SUFFERED: Final = {
    "type": "object",
    "description": "What the service suffers from this alarm.",
    "properties": {
        "effect": {"enum": [*EFFECTS, None], "description": "Null: the alarm does nothing to it."},
        "severity": {"enum": [*SEVERITIES, None], "description": "By the service's contract."},
    },
    "required": ["effect", "severity"],
}
_IMPACTS: Final = {
    "type": "array",
    "description": "Each service that the alarm affected before the event, or affects after it.",
    "items": {
        "type": "object",
        "properties": {
            "service": _id("the service"),
            "customer": _id("the customer who had it then"),
            "before": _SUFFERED,
            "after": _SUFFERED,
        },
        "required": ["service", "customer", "before", "after"],
    },
}
_TICKETS: Final = {
    "type": "array",
    "description": "The tickets that followed.",
    "items": {
        "type": "object",
        "properties": {"customer": _id("the customer"), "ticket": _id("the ticket")},
        "required": ["customer", "ticket"],
    },
}
_TICKET_TURNS: Final = {
    "type": "array",
    "description": "The tickets that the alarm opened, resolved or reopened; those that only learn of a change are in `tickets`.",
    "items": {
        "type": "object",
        "properties": {
            "customer": _id("the customer"),
            "ticket": _id("the ticket"),
            "doing": {
                "enum": [each for each in get_args(Doing) if each != "amend"],
                "description": "What becomes of it.",
            },
            "status": _text("TMF621's word, after the event."),
        },
        "required": ["customer", "ticket", "doing", "status"],
    },
}
_ALARM: Final[Mapping[str, Schema]] = {
    "alarm": _id("the alarm"),
    "state": {"enum": ["raised", "updated", "cleared"], "description": "After the event."},
    "perceivedSeverity": {"enum": list(SEVERITIES), "description": "As its source says."},
    "resource": _maybe("The id of what it is raised on; null: of nothing that is known."),
    "impacts": _IMPACTS,
    "tickets": _TICKETS,
    "ticketTurns": _TICKET_TURNS,
}
_TICKET: Final[Mapping[str, Schema]] = {
    "ticket": _id("the ticket"),
    "status": _maybe("TMF621's word; null: the ticketing system's word is none of these."),
    "customer": _maybe("The id of the customer whose ticket it is; null: nobody's."),
    "services": _texts("The ids of the services that it concerns."),
}
_DOING: Final[Schema] = {
    "enum": ["open", "amend", "reopen", "resolve"],
    "description": "What became of the ticket; missing: it was opened.",
}
_STATUS_BEFORE: Final = _maybe("TMF621's word before; null: none, or none of these.")
_RESOURCE: Final[Mapping[str, Schema]] = {
    "resource": _id("the resource"),
    "system": _text("The inventory that said so, or to which it was told."),
    "feed": _id("the inventory's feed that said so"),
    "difference": _id("the difference that was settled so"),
}
_ORIGIN: Final = frozenset({"feed", "difference"})
_WAS: Final = _values("The values before, by the names of properties.")
_USAGE: Final[Mapping[str, Schema]] = {"usage": _id("the usage record"), "state": _text("TMF635's word.")}
_RATES: Final[Mapping[str, Schema]] = {
    "service": _id("the service"),
    "customer": _maybe("The id of the customer whose service it is; null: nobody's."),
    "effectiveMbps": _count("What the network now carries, in Mbit/s."),
    "bookedMbps": _count("What is ordered now, in Mbit/s: the committed rate and what is booked beside it."),
    "committedMbps": _count("What the contract promises at any time, in Mbit/s."),
    "threshold": {
        **_count("The load in Mbit/s above which the service is too full; null: none is set."),
        "type": ["integer", "null"],
    },
}
_NAMED: Final[Mapping[str, Schema]] = {
    "resource": _id("what has the name"),
    "system": _text("The system that calls it so."),
    "name": _text("The name."),
}


def _alarm(payload: Mapping[str, Any]) -> Data:
    """Write what an alarm did to services, which tickets followed, and what became of them, as objects."""
    told = [
        {
            "service": each.service,
            "customer": each.customer,
            "before": dict(zip(("effect", "severity"), each.before, strict=True)),
            "after": dict(zip(("effect", "severity"), each.after, strict=True)),
        }
        for each in impacts.read(payload)
    ]
    tickets = [
        {"customer": customer, "ticket": ticket}
        for customer, each in payload.get("tickets", {}).items()
        for ticket in each
    ]
    turns = [
        {"customer": customer, "ticket": ticket, "doing": doing, "status": status}
        for customer, each in payload.get("ticketTurns", {}).items()
        for ticket, doing, status in each
    ]
    return {**payload, "impacts": told, "tickets": tickets, "ticketTurns": turns}


def _downtime(payload: Mapping[str, Any]) -> Data:
    times = {name: payload[name] for name in ("from", "to") if name in payload}
    return {**payload, **{name: None if each is None else write_time(each) for name, each in times.items()}}


def _boost(payload: Mapping[str, Any]) -> Data:
    return {**payload, **{name: write_time(payload[name]) for name in ("startAt", "endAt")}}


# The table -----------------------------------------------------------------------------------------------------------


def _of_alarm(name: str, says: str) -> EventType:
    return EventType(name=name, says=says, key="alarm", properties=_ALARM, written=_alarm)


def _of_ticket(name: str, says: str, optional: frozenset[str] = frozenset(), **more: Schema) -> EventType:
    key = "ticket; of a ticket for an alarm, the alarm"
    return EventType(name=name, says=says, key=key, properties={**_TICKET, **more}, optional=optional)


def _of_downtime(name: str, says: str, **more: Schema) -> EventType:
    properties = {
        "downtime": _id("the interval"),
        "service": _id("the service"),
        "customer": _id("the customer who had it then"),
        "effect": {"enum": list(EFFECTS), "description": "What the service suffers."},
        "from": {**_TIME, "description": "When it began."},
        "to": {**_TIME, "type": ["string", "null"], "description": "When it ended; null: it has not."},
        "alarms": _texts("The ids of the alarms that cause it."),
        **more,
    }
    return EventType(name=name, says=says, key="service", properties=properties, written=_downtime)


_TASK: Final[Mapping[str, Schema]] = {
    "task": _id("the task"),
    "state": {"enum": list(TASK_STATES), "description": "After the event."},
    "note": _maybe("What whoever settled it has said."),
}


def _of_boost(name: str, says: str) -> EventType:
    properties: Mapping[str, Schema] = {
        "boost": _id("the booking"),
        "service": _id("the service"),
        "customer": _id("the customer whose service it is"),
        "mbps": {**_count("What is added to the committed rate, in Mbit/s."), "minimum": 1},
        "startAt": {**_TIME, "description": "When it begins."},
        "endAt": {**_TIME, "description": "When it ends; the rate is another from then on."},
        "status": {"enum": list(BOOKING_STATES), "description": "After the event, as CAMARA's QoS Booking says it."},
        "reason": _maybe("Why it has this status, such as DURATION_EXPIRED or BOOKING_DECLINED; null: there is none."),
    }
    return EventType(name=name, says=says, key="service", properties=properties, written=_boost)


_ITEM_STATES: Final[Schema] = {
    "type": "object",
    "description": "The states of items that are new, by the ids of the items within the order.",
    "additionalProperties": {"enum": list(ORDER_STATES)},
}
_REASON: Final = _maybe("Why, as whoever did it says; null: nothing was said.")
_CANCELLATION: Final[Mapping[str, Schema]] = {
    "cancellation": _id("the request to cancel"),
    "cancellationState": {"enum": list(CANCELLATION_STATES), "description": "How far the request is."},
}


def _of_order(name: str, says: str, **more: Schema) -> EventType:
    properties: Mapping[str, Schema] = {
        "order": _id("the order"),
        "kind": {"enum": list(ORDER_KINDS), "description": "What is ordered."},
        "system": _text("Who has placed it: a system, or operator or customer."),
        "externalId": _text("What whoever has placed it calls it."),
        "state": {"enum": list(ORDER_STATES), "description": "After the event."},
        "stateBefore": {
            "enum": [*ORDER_STATES, None],
            "description": "Before; null where the event is of another thing.",
        },
        "customer": _maybe("The id of the customer whose order it is."),
        **more,
    }
    return EventType(name=name, says=says, key="order", properties=properties)


def _of_customer(name: str, says: str) -> EventType:
    properties: Mapping[str, Schema] = {
        "customer": _id("the customer"),
        "record": _maybe("What customer management calls it; null: nothing."),
        "changed": _texts("The names of what is another than before, as in the API."),
    }
    return EventType(name=name, says=says, key="customer", properties=properties)


def _of_merge(name: str, says: str, moved: str) -> EventType:
    properties: Mapping[str, Schema] = {
        "customer": _id("the customer that was merged into the other"),
        "into": _id("the other"),
        "moved": {"type": "object", "description": moved, "additionalProperties": _count("How many of them.")},
        "accountRef": _maybe("The account that moved with it; null: none."),
    }
    return EventType(name=name, says=says, key="customer", properties=properties)


def _of_resource(name: str, says: str, **more: Schema) -> EventType:
    return EventType(name=name, says=says, key="resource", properties={**_RESOURCE, **more}, optional=_ORIGIN)


_ALL: Final = (
    _of_alarm("AlarmRaised", "An alarm has come in that nobody knew."),
    _of_alarm("AlarmUpdated", "An alarm's source says something else of it."),
    _of_alarm("AlarmCleared", "An alarm is over."),
    _of_alarm("AlarmReopened", "An alarm that was over has come back."),
    EventType(
        name="AlarmEffectChanged",
        says="What an alarm does to services has changed, without a change of the alarm itself.",
        key="alarm",
        properties={
            **_ALARM,
            "by": _maybe("The id of the alarm that changed it; null: the network or a contract did."),
        },
        written=_alarm,
    ),
    *(
        EventType(
            name=name,
            says=says,
            key="alarm",
            properties={"alarm": _id("the alarm"), "ackState": {"enum": ["acknowledged", "unacknowledged"]}},
        )
        for name, says in (
            ("AlarmAcknowledged", "Somebody has taken note of an alarm."),
            ("AlarmUnacknowledged", "An alarm is one that nobody has taken note of again."),
        )
    ),
    EventType(
        name="AlarmCommented",
        says="Somebody has commented on an alarm.",
        key="alarm",
        properties={"alarm": _id("the alarm")},
    ),
    EventType(
        name="AlarmTicketFollowed",
        says=(
            "An alarm has opened a customer's next ticket, since the last one was closed and it still affects them; or an open one "
            "of theirs goes on in its place, where two customers were merged."
        ),
        key="alarm",
        properties={"alarm": _id("the alarm"), **_TICKET, "doing": _DOING},
        optional=frozenset({"doing"}),
    ),
    _of_ticket("TicketReported", "People have opened a ticket in the ticketing system.", statusBefore=_STATUS_BEFORE),
    _of_ticket(
        "TicketStatusChanged",
        "A ticket's status has changed there.",
        frozenset({"statusBefore"}),
        statusBefore=_STATUS_BEFORE,
    ),
    _of_ticket("TicketChangeRefused", "The ticketing system has refused a change; the status is as before."),
    _of_ticket("TicketCommented", "Somebody has commented on a ticket here."),
    _of_ticket("TicketReopened", "Somebody has reopened a ticket here."),
    _of_ticket("TicketClosed", "Somebody has closed a ticket here."),
    EventType(
        name="ProblemReported",
        says="Somebody has reported a problem with a service here.",
        key="ticket",
        properties={**_TICKET, "service": _id("the service")},
    ),
    _of_downtime("DowntimeBegan", "A service suffers an effect from now on."),
    _of_downtime(
        "DowntimeEnded",
        "A service does not suffer an effect any more.",
        becomes={"enum": [*EFFECTS, None], "description": "What it suffers instead; null: nothing."},
    ),
    EventType(
        name="ServiceActivated",
        says="A service that was ordered is in use from now on: the network has confirmed it.",
        key="service",
        properties={
            "service": _id("the service"),
            "customer": _id("the customer whose service it is"),
            "order": _id("the order by which it was made"),
            "mbps": _count("Its rate, in Mbit/s."),
        },
    ),
    *(
        EventType(
            name=name,
            says=says,
            key="service",
            properties={
                "service": _id("the service"),
                "order": _id("the order of which it is"),
                "mbps": _count("Its rate, in Mbit/s."),
            },
        )
        for name, says in (
            ("ServiceActivationRequested", "The network is asked to make a service that is reserved."),
            ("ServiceRemovalRequested", "The network is asked to take a service away that was not put into use."),
        )
    ),
    EventType(
        name="ServiceRateChanged",
        says="The network has confirmed another rate for a service.",
        key="service",
        properties=_RATES,
    ),
    EventType(
        name="ServiceThresholdSet",
        says="Those who watch the network are told what a service carries and what is too much for it, since something of that is new.",
        key="service",
        properties=_RATES,
    ),
    EventType(
        name="ServiceMonitoringEnded",
        says="A service is not in use any more, and performance monitoring is told so.",
        key="service",
        properties={"service": _id("the service")},
    ),
    *(
        _of_boost(name, says)
        for name, says in (
            ("BoostScheduled", "More bandwidth is booked for a service, and its capacity is kept."),
            ("BoostActivated", "The network has confirmed the bandwidth of a booking."),
            ("BoostChanged", "A booking has another rate, begins or ends at another time."),
            ("BoostAboutToEnd", "A booking ends soon, and the service returns to its rate by itself."),
            ("BoostTerminated", "A booking is over, or was cancelled; its reason says which."),
            ("BoostDeclined", "A booking was not carried out: the old rate stays, and nothing is charged."),
        )
    ),
    EventType(
        name="ServiceRateRequested",
        says="The network is asked for a rate of a service.",
        key="service",
        properties={"service": _id("the service"), "mbps": _count("The rate that it should have, in Mbit/s.")},
    ),
    EventType(
        name="UsageRecorded",
        says="A record of usage has come in, of a service.",
        key="service",
        properties={"usage": _USAGE["usage"], "service": _id("the service")},
    ),
    EventType(
        name="UsageUnmatched",
        says="A record of usage has come in, and matches no service.",
        key="usage record",
        properties={"usage": _USAGE["usage"], "source": _text("The system that sent it.")},
    ),
    *(
        EventType(name=name, says=says, key="service; of a record without one, the record", properties=_USAGE)
        for name, says in (
            ("UsageChanged", "A record of usage says more than before."),
            ("UsageStateChanged", "A record of usage has another state."),
        )
    ),
    EventType(
        name="TaskOpened",
        says="Something waits for a person: a step of a process that cannot go on, or be undone, by itself.",
        key="task",
        properties={
            **_TASK,
            "kind": _text("What kind of thing it is, such as stepParked."),
            "reason": _maybe("Why."),
            "about": _text("The id of what it is about."),
        },
        optional=frozenset({"note"}),
    ),
    EventType(
        name="TaskSettled",
        says="What waited for a person waits no more: it was done, skipped or cancelled.",
        key="task",
        properties=_TASK,
        optional=frozenset({"note"}),
    ),
    _of_order(
        "OrderPlaced",
        "An order has come in.",
        items=_ITEM_STATES,
        newCustomer={"type": "boolean", "description": "Whether its customer was made with it."},
    ),
    _of_order(
        "OrderChanged",
        "An order asks for something else, or is expected to be completed at another time.",
        changed=_values("The new values, by the names of properties; times are milliseconds since 1970."),
    ),
    _of_order("OrderStateChanged", "An order or its items are in other states.", items=_ITEM_STATES, reason=_REASON),
    _of_order("OrderCancellationRequested", "Somebody has asked to cancel an order.", reason=_REASON, **_CANCELLATION),
    _of_order("OrderCancellationDecided", "A request to cancel an order is further.", **_CANCELLATION),
    EventType(
        name="LeadOpened",
        says="A customer needs more than the contract gives, again and again: sales hears of it.",
        key="lead",
        properties={
            "lead": _id("the lead"),
            "reason": _text("Why, such as repeatedBoosts."),
            "service": _id("the service"),
            "customer": _id("the customer whose service it is"),
        },
    ),
    EventType(
        name="DeliveryParked",
        says="What another system was to be told could not be told, and waits for a person.",
        key="delivery",
        properties={
            "delivery": _id("the delivery"),
            "reason": _text("refused, invalidAnswer, expired or fault."),
            "error": _maybe("What went wrong."),
        },
    ),
    EventType(
        name="DeliveryReplayed",
        says="A person has asked that what was parked be told again.",
        key="delivery",
        properties={"delivery": _id("the delivery")},
    ),
    _of_resource(
        "ResourceAdded",
        "Equipment or a trunk is there that was not.",
        added=_values("Its values, by the names of properties."),
        place=_texts("The ids of what it is in, or of its two ends."),
    ),
    _of_resource(
        "ResourceChanged",
        "Something of a resource has changed.",
        changed=_values("The new values, by the names of properties."),
        was=_WAS,
    ),
    _of_resource(
        "ResourceStateChanged",
        "A resource's administrative or operational state has changed.",
        changed=_values("The new states."),
        was=_WAS,
    ),
    _of_resource(
        "ResourceMoved",
        "A resource is in another place.",
        moved=_texts("The ids of what it is in now, or of its two ends."),
        was=_texts("The ids of what it was in, or of its two ends."),
    ),
    _of_resource("ResourceRemoved", "A resource is not there any more.", was=_WAS),
    _of_resource(
        "InventoryTold",
        "An inventory is told where the graph is right.",
        side=_text("The side that is right."),
        doing=_text("What it is told to do."),
    ),
    *(
        EventType(name=name, says=says, key="resource", properties=_NAMED)
        for name, says in (
            ("ResourceNamed", "An operator has said what another system calls something."),
            ("ResourceUnnamed", "An operator has taken such a name away."),
        )
    ),
    EventType(
        name="InventoryFeedReceived",
        says="An inventory has sent a feed, whole.",
        key="feed",
        properties={
            "feed": _id("the feed"),
            "kind": _text("whole or changes."),
            "resources": _count("How many resources it brings."),
            "notTaken": _count("How many it brings that cannot be taken."),
        },
    ),
    EventType(
        name="InventoryFeedCompared",
        says="A feed was compared with the graph.",
        key="feed",
        properties={
            "feed": _id("the feed"),
            "changes": _count("How much it changed."),
            "differences": _count("How many differences wait for a person."),
        },
    ),
    EventType(
        name="InventoryFeedFailed",
        says="A feed could not be compared, and was set aside.",
        key="feed",
        properties={"feed": _id("the feed"), "reason": _text("Why.")},
    ),
    EventType(
        name="InventoryDifferenceSettled",
        says="A difference between an inventory and the graph is settled.",
        key="difference",
        properties={
            "difference": _id("the difference"),
            "system": _text("The inventory."),
            "side": _text("The side that was right."),
            "kind": _text("What differed."),
        },
    ),
    _of_customer("CustomerAdded", "Customer management has told of a customer that nobody knew."),
    _of_customer("CustomerChanged", "What is known of a customer is another than before."),
    _of_customer("CustomerGone", "A customer is gone from customer management; it stays here."),
    EventType(
        name="CustomerMatchDeclined",
        says="Somebody has said that two customers are not the same company.",
        key="match",
        properties={
            "match": _id("the match"),
            "note": _maybe("What whoever declined it has said; null: nothing."),
            "compared": _texts("The ids of the two customers."),
        },
    ),
    _of_merge("CustomerMerged", "Somebody has merged a customer into another.", "What is the other's since then."),
    _of_merge("CustomerMergeUndone", "Somebody has taken a merge back.", "What is the customer's own again."),
)
EVENT_TYPES: Final[Mapping[str, EventType]] = MappingProxyType({each.name: each for each in _ALL})
"""By name."""
