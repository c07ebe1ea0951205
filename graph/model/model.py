"""The graph as data: labels, properties, relationships, and what of them a customer may see.

Constraints, indexes, the compiler's knowledge, the customer's slice and the drawing in docs/model.md are all derived
from the tables `LABELS` and `RELATIONSHIPS`; nothing else in the project lists a label or a relationship type, but for
the labels that the program keeps for itself, which are in graph/model/bookkeeping.py.

Words. A *label* is a kind of node. A property's *kind* says how it is stored (TIME is an integer, epoch milliseconds
UTC, since native temporal values differ between the two databases and are slow to decode). A relationship is *inside*
a customer's slice in one direction: whoever may see the node at one end may see the node at the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from graph.model.bookkeeping import BOOKKEEPING
from graph.model.kinds import ID as _ID
from graph.model.kinds import Form, Inside, Interval, Kind, Label, Property, Relationship
from graph.model.kinds import number as _number
from graph.model.kinds import real as _real
from graph.model.kinds import shaped as _shaped
from graph.model.kinds import text as _text
from graph.model.kinds import time as _time
from graph.model.vocabulary import (
    ADMINISTRATIVE_STATES,
    ALARM_TYPES,
    BOOST_REASONS,
    BOOST_STATES,
    BOUNDARIES,
    CANCELLATION_STATES,
    DELIVERY_STATES,
    DIFFERENCE_KINDS,
    DIFFERENCE_STATES,
    EFFECTS,
    FEED_KINDS,
    FEED_STATES,
    ITEM_FAILURES,
    LEAD_STATES,
    MATCH_STATES,
    OPERATIONAL_STATES,
    ORDER_ACTIONS,
    ORDER_KINDS,
    ORDER_STATES,
    PARKING_REASONS,
    SERVICE_STATES,
    SEVERITIES,
    STEP_STATES,
    STEP_SYSTEMS,
    TASK_STATES,
    TICKET_STATES,
    TIERS,
    USAGE_STATES,
)
from graph.model.words import searchable

__all__ = [
    "LABELS",
    "RELATIONSHIPS",
    "SCHEMA_VERSION",
    "Inside",
    "Kind",
    "Label",
    "Property",
    "Relationship",
    "label_of",
    "searchable",
]

SCHEMA_VERSION: Final = 10
"""Rises with each migration in graph/store/migrate.py."""


_WORDS = Property(name="words", operator_only=True, derived=True)
_NAME = _shaped("name", Form.NAME, indexed=True)
_OPERATIONAL = _text("operationalState", *OPERATIONAL_STATES)
_ADMINISTRATIVE = _text("administrativeState", *ADMINISTRATIVE_STATES)

_LABELS: Final = (
    Label(
        name="Customer",
        about="Who buys.",
        searched=True,
        properties=(
            _ID,
            _NAME,
            _shaped("segment", Form.TEXT),
            _shaped("status", Form.TEXT),
            _shaped("accountRef", Form.TEXT),
            _WORDS,
            # The core of its name (graph/model/companies.py): what may be the same company is found by it.
            Property(name="company", required=False, indexed=True, operator_only=True, internal=True, derived=True),
            # Its legal form; empty: it says none.
            Property(name="companyForm", required=False, operator_only=True, internal=True, derived=True),
            # The system that says who it is (graph/changes/customers/records.py).
            Property(name="managedBy", required=False, indexed=True, operator_only=True, internal=True, derived=True),
            Property(name="goneAt", kind=Kind.TIME, required=False, operator_only=True),
        ),
    ),
    Label(
        name="CustomerMatch",
        about="That two customers may be the same company, by their names; a person says whether they are.",
        properties=(
            Property(name="id", indexed=True, operator_only=True),
            Property(name="state", words=MATCH_STATES, indexed=True, operator_only=True),
            Property(name="reason", operator_only=True),
            Property(name="foundAt", kind=Kind.TIME, indexed=True, operator_only=True),
            Property(name="settledAt", kind=Kind.TIME, required=False, operator_only=True),
            Property(name="settledBy", required=False, operator_only=True),
            Property(name="note", required=False, operator_only=True),
        ),
    ),
    Label(
        name="Sla",
        about="What was promised.",
        properties=(
            _ID,
            _shaped("name", Form.NAME),
            _text("tier", *TIERS),
            _real("availabilityPercent", 0, 100),
            _number("repairHours", least=0),
        ),
    ),
    Label(
        name="Service",
        about=(
            "What is delivered. The effect is that of all open alarms together; absent when there is none. Three rates: what the "
            "contract commits, what is booked now (boosts included; absent: the committed rate), and what the network carries."
        ),
        searched=True,
        properties=(
            _ID,
            _NAME,
            _shaped("kind", Form.TEXT),
            _text("state", *SERVICE_STATES),
            _number("committedMbps", least=0),
            _number("bookedMbps", required=False, least=0),
            _number("effectiveMbps", least=0),
            _number("maxMbps", least=0),
            _text("effect", *EFFECTS, required=False),
            _WORDS,
        ),
    ),
    Label(
        name="Site",
        about="Where.",
        searched=True,
        properties=(
            _ID,
            _NAME,
            _shaped("role", Form.TEXT),
            _real("latitude", -90, 90),
            _real("longitude", -180, 180),
            _WORDS,
        ),
    ),
    Label(
        name="NetworkElement",
        about="A managed device.",
        searched=True,
        properties=(
            _ID,
            _NAME,
            _shaped("vendor", Form.TEXT),
            _shaped("model", Form.TEXT),
            _shaped("role", Form.TEXT),
            _OPERATIONAL,
            _ADMINISTRATIVE,
            _WORDS,
        ),
    ),
    Label(
        name="Card",
        about="A plug-in unit of a network element.",
        searched=True,
        properties=(
            _ID,
            _NAME,
            _shaped("model", Form.TEXT),
            _number("slot", least=0),
            _OPERATIONAL,
            _ADMINISTRATIVE,
            _WORDS,
        ),
    ),
    Label(
        name="Port",
        about="Where a trunk ends or a customer is connected.",
        searched=True,
        properties=(
            _ID,
            _NAME,
            _shaped("role", Form.TEXT),
            _number("number", least=0),
            _number("speedMbps", least=0),
            _OPERATIONAL,
            _ADMINISTRATIVE,
            _WORDS,
        ),
    ),
    Label(
        name="Trunk",
        about="A link between two ports.",
        searched=True,
        properties=(
            _ID,
            _NAME,
            _shaped("layerRate", Form.TEXT),
            _number("capacityMbps", least=0),
            _OPERATIONAL,
            _WORDS,
        ),
    ),
    Label(
        name="Alarm",
        about="A fault or threshold event, in the words of X.733 and TMF642. One that matches nothing `awaits` a name.",
        # `identity` is the key of what makes reports the same alarm; the latest alarm of an identity has it. `openOn` is the id
        # of what an alarm is raised on, until it is cleared: so open alarms are found past all that are over.
        properties=(
            _ID,
            _text("sourceSystemId"),
            _text("externalAlarmId", required=False, indexed=True),
            Property(name="alarmedObjectRef", operator_only=True, indexed=True),
            Property(name="awaits", required=False, indexed=True, operator_only=True),
            Property(name="identity", required=False, indexed=True, operator_only=True, internal=True, derived=True),
            Property(name="openOn", required=False, indexed=True, operator_only=True, internal=True, derived=True),
            _text("alarmType", *ALARM_TYPES),
            _text("probableCause"),
            _text("specificProblem", required=False),
            _text("perceivedSeverity", *SEVERITIES),
            _text("state", "raised", "updated", "cleared", indexed=True),
            _text("ackState", "acknowledged", "unacknowledged"),
            _time("raisedAt", indexed=True),
            _time("changedAt"),
            _time("clearedAt", required=False, indexed=True),
            Property(name="record", kind=Kind.JSON, operator_only=True),
        ),
    ),
    Label(
        name="Ticket",
        about=(
            "What we know of another system's trouble ticket. externalId is the id that the other system gave it; "
            "orderKey is what that system knows us by. One that was reported here has a description and a ticketType, and the "
            "reference that its reporter has given."
        ),
        properties=(
            _ID,
            _text("system"),
            _text("externalId", required=False, indexed=True),
            Property(name="orderKey", required=False, indexed=True, operator_only=True),
            _text("status", *TICKET_STATES, indexed=True),
            _text("severity", *SEVERITIES),
            _time("changedAt", required=False, indexed=True),
            _text("description", required=False),
            _text("ticketType", required=False),
            _text("reference", required=False),
        ),
    ),
    Label(
        name="Order",
        about=(
            "A product or service order. Its state follows from those of its items. One that was placed here says what was asked for, "
            "and when; one that was loaded may say no more than its state."
        ),
        properties=(
            _ID,
            _shaped("externalId", Form.NAME, indexed=True),
            _shaped("system", Form.NAME),
            _text("state", *ORDER_STATES, indexed=True),
            _text("kind", *ORDER_KINDS, required=False, indexed=True),
            _text("description", required=False),
            _shaped("category", Form.TEXT, required=False),
            _shaped("priority", Form.TEXT, required=False),
            _time("orderedAt", required=False, indexed=True),
            _time("requestedStartAt", required=False),
            _time("requestedCompletionAt", required=False),
            _time("expectedCompletionAt", required=False),
            _time("startedAt", required=False),
            _time("completedAt", required=False),
            _time("cancelledAt", required=False),
            _text("cancellationReason", required=False),
            Property(name="request", kind=Kind.JSON, required=False, operator_only=True),
        ),
    ),
    Label(
        name="OrderItem",
        about=(
            "One item of an order: what is to be done, and to what. `externalId` is its id within the order. One that is carried out by itself "
            "and has failed says why."
        ),
        properties=(
            _ID,
            _shaped("externalId", Form.NAME),
            _shaped("system", Form.NAME),
            _text("state", *ORDER_STATES),
            _text("action", *ORDER_ACTIONS, required=False),
            _shaped("product", Form.TEXT, required=False),
            _shaped("offering", Form.TEXT, required=False),
            _number("quantity", required=False, least=0),
            _number("position", required=False, least=0),
            _shaped("siteA", Form.TEXT, required=False),
            _shaped("siteZ", Form.TEXT, required=False),
            _number("mbps", required=False, least=1),
            _text("failure", *ITEM_FAILURES, required=False),
            Property(name="failureDetail", required=False, operator_only=True),
            Property(name="request", kind=Kind.JSON, required=False, operator_only=True),
        ),
    ),
    Label(
        name="OrderCancellation",
        about="That somebody has asked to cancel an order, and what became of that (TMF622 and TMF641).",
        properties=(
            _ID,
            _text("kind", *ORDER_KINDS),
            _shaped("system", Form.NAME),
            _text("state", *CANCELLATION_STATES),
            _text("reason", required=False),
            _time("requestedFor", required=False),
            _time("askedAt", indexed=True),
            _time("effectiveAt", required=False),
        ),
    ),
    Label(
        name="ExternalName",
        about="What a source system calls a thing; `key` is the hash of the pair (system, name).",
        unique=("id", "key"),
        properties=(
            Property(name="id", indexed=True, operator_only=True),
            Property(name="key", operator_only=True, derived=True),
            Property(name="system", operator_only=True, form=Form.NAME),
            Property(name="name", operator_only=True, form=Form.EXTERNAL),
        ),
    ),
    Label(
        name="Boost",
        about=(
            "A temporary rate: mbps are added to its service's from startAt to endAt. The price is integer minor units of the currency; "
            "a credit is negative. What is not yet confirmed holds its capacity until holdUntil."
        ),
        interval=Interval(start="startAt", end="endAt"),
        # What some of them are found by past all that are over (graph/store/boost_marks.py).
        properties=(
            _ID,
            _number("mbps", least=1),
            _time("startAt"),
            _time("endAt", indexed=True),
            _text("status", *BOOST_STATES, indexed=True),
            _text("statusReason", *BOOST_REASONS, required=False),
            _number("price"),
            _shaped("currency", Form.CURRENCY),
            _text("tier", *TIERS, required=False),
            _time("orderedAt", required=False),
            _time("holdUntil", required=False),
            _time("activatedAt", required=False),
            _time("endedAt", required=False),
            _number("chargedMbps", required=False, least=0),
            _time("chargedFrom", required=False),
            _text("series", required=False, indexed=True),
            Property(name="orderedBy", required=False, operator_only=True),
            Property(name="openOf", required=False, indexed=True, operator_only=True, internal=True, derived=True),
            Property(name="activatedOf", required=False, indexed=True, operator_only=True, internal=True, derived=True),
            Property(name="boughtBy", required=False, indexed=True, operator_only=True, internal=True, derived=True),
        ),
    ),
    Label(
        name="ProcessStep",
        about=(
            "One step of what has to be done where a boost begins, changes or ends, or for an item of an order: one system carries it out. "
            "The receipt is what that system calls it."
        ),
        properties=(
            _ID,
            _text("name"),
            _text("boundary", *BOUNDARIES),
            _text("system", *STEP_SYSTEMS),
            _text("state", *STEP_STATES),
            _number("stage", least=0),
            _time("startedAt", indexed=True),
            _time("finishedAt", required=False),
            _number("attempts", least=0),
            _text("receipt", required=False),
            Property(name="error", required=False, operator_only=True),
        ),
    ),
    Label(
        name="Task",
        about="What waits for a person: a step that cannot go on, or be undone, by itself.",
        properties=(
            Property(name="id", indexed=True, operator_only=True),
            Property(name="kind", operator_only=True),
            Property(name="state", words=TASK_STATES, indexed=True, operator_only=True),
            Property(name="about", indexed=True, operator_only=True),
            Property(name="step", required=False, indexed=True, operator_only=True),
            Property(name="delivery", required=False, indexed=True, operator_only=True),
            Property(name="reason", operator_only=True),
            Property(name="openedAt", kind=Kind.TIME, indexed=True, operator_only=True),
            Property(name="settledAt", kind=Kind.TIME, required=False, indexed=True, operator_only=True),
            Property(name="settledBy", required=False, operator_only=True),
            Property(name="note", required=False, operator_only=True),
            # `about`, until it is settled.
            Property(name="openAbout", required=False, indexed=True, operator_only=True, internal=True, derived=True),
        ),
    ),
    Label(
        name="Usage",
        about=(
            "A rated or ratable interval, as a source has measured it; where it gave none, a moment, from and to the same. "
            "One that matches no service `awaits` a name."
        ),
        interval=Interval(start="from", end="to", may_be_empty=True),
        properties=(
            _ID,
            _time("from"),
            _time("to", indexed=True),
            _number("mbps", required=False, least=0),
            Property(name="octets", kind=Kind.LARGE, required=False, least=0),
            _text("kind"),
            _text("state", *USAGE_STATES, required=False),
            _text("source", required=False),
            _text("externalId", required=False),
            Property(name="serviceRef", required=False, operator_only=True),
            Property(name="awaits", required=False, indexed=True, operator_only=True),
            Property(name="record", kind=Kind.JSON, required=False, operator_only=True),
        ),
    ),
    Label(
        name="Downtime",
        about="An interval with one effect on a service; it has no end while that lasts. The target is its contract's.",
        interval=Interval(start="from", end="to", may_be_empty=True),
        properties=(
            _ID,
            _text("effect", *EFFECTS),
            _time("from"),
            _time("to", required=False, indexed=True),
            _real("availabilityPercent", 0, 100, required=False),
            Property(name="alarms", kind=Kind.JSON, operator_only=True),
        ),
    ),
    Label(
        name="Lead",
        about="An upsell lead, for sales only.",
        properties=(
            Property(name="id", indexed=True, operator_only=True),
            Property(name="reason", operator_only=True),
            Property(name="at", kind=Kind.TIME, indexed=True, operator_only=True),
            Property(name="state", words=LEAD_STATES, required=False, operator_only=True),
            Property(name="system", required=False, operator_only=True),
            Property(name="externalId", required=False, indexed=True, operator_only=True),
            Property(name="key", required=False, indexed=True, operator_only=True, internal=True, derived=True),
            Property(name="evidence", kind=Kind.JSON, required=False, operator_only=True),
        ),
    ),
    Label(
        name="Event",
        about="The history, the feed and the outbox: one node serves all three. `unplaced` until it has its position.",
        properties=(
            _ID,
            _text("type"),
            _text("aggregateId", indexed=True),
            # It counts what happened to the aggregate for anyone, so that a gap tells a customer of others.
            Property(name="aggregateVersion", kind=Kind.INTEGER, operator_only=True),
            _time("at", indexed=True),
            Property(name="position", kind=Kind.LARGE, required=False, indexed=True, operator_only=True),
            Property(name="unplaced", kind=Kind.TIME, required=False, indexed=True, operator_only=True),
            Property(name="principal", operator_only=True),
            Property(name="payload", kind=Kind.JSON, operator_only=True),
            Property(name="previousHash", required=False, operator_only=True, internal=True),
            Property(name="hash", required=False, operator_only=True, internal=True),
        ),
    ),
    Label(
        name="Delivery",
        about=(
            "What a surrounding system must be told of an event; `waiting` is its lane until it is told, "
            "`parked` while it is DEAD, `held` while an earlier one of its order key is."
        ),
        # `suspended` is the lane of what the other system has suspended, `due` that of the first of an order key, `queued` its system and since when it waits, so that they sort;
        # `openKey` is the order key of what is not yet DONE, and of what was just told.
        properties=(
            Property(name="id", indexed=True, operator_only=True),
            Property(name="system", operator_only=True),
            Property(name="subject", operator_only=True),
            Property(name="lane", operator_only=True),
            Property(name="waiting", required=False, indexed=True, operator_only=True),
            Property(name="held", required=False, indexed=True, operator_only=True),
            Property(name="parked", required=False, indexed=True, operator_only=True),
            Property(name="parkedFor", required=False, words=PARKING_REASONS, operator_only=True),
            Property(name="suspendedSince", kind=Kind.TIME, required=False, operator_only=True),
            Property(name="suspended", required=False, indexed=True, operator_only=True, internal=True),
            Property(name="due", required=False, indexed=True, operator_only=True, internal=True),
            Property(name="queued", required=False, indexed=True, operator_only=True, internal=True),
            Property(name="openKey", required=False, indexed=True, operator_only=True, internal=True),
            Property(name="orderKey", indexed=True, operator_only=True),
            Property(name="version", kind=Kind.INTEGER, operator_only=True),
            Property(name="state", words=DELIVERY_STATES, operator_only=True),
            Property(name="attempts", kind=Kind.INTEGER, operator_only=True),
            Property(name="createdAt", kind=Kind.TIME, operator_only=True),
            Property(name="since", kind=Kind.TIME, required=False, operator_only=True),
            Property(name="nextAt", kind=Kind.TIME, operator_only=True),
            Property(name="lastError", required=False, operator_only=True),
            Property(name="lastAnswer", required=False, operator_only=True),
            Property(name="payload", kind=Kind.JSON, operator_only=True),
        ),
    ),
    Label(
        name="InventoryFeed",
        about="A document that an inventory sent of its equipment; `name` is its own id for it. It counts once it is received whole.",
        properties=(
            Property(name="id", indexed=True, operator_only=True),
            Property(name="system", operator_only=True),
            Property(name="name", operator_only=True),
            Property(name="kind", words=FEED_KINDS, operator_only=True),
            Property(name="state", words=FEED_STATES, indexed=True, operator_only=True),
            Property(name="principal", operator_only=True),
            Property(name="resources", kind=Kind.INTEGER, operator_only=True),
            Property(name="notTaken", kind=Kind.INTEGER, operator_only=True),
            Property(name="changes", kind=Kind.INTEGER, operator_only=True),
            Property(name="differences", kind=Kind.INTEGER, operator_only=True),
            Property(name="reason", required=False, operator_only=True),
            Property(name="startedAt", kind=Kind.TIME, indexed=True, operator_only=True),
            Property(name="receivedAt", kind=Kind.TIME, required=False, operator_only=True),
            Property(name="comparedAt", kind=Kind.TIME, required=False, operator_only=True),
        ),
    ),
    Label(
        name="InventoryDifference",
        about="Where an inventory and the graph say different things, until somebody takes a side or it is so no more.",
        properties=(
            Property(name="id", indexed=True, operator_only=True),
            Property(name="system", operator_only=True),
            Property(name="feed", indexed=True, operator_only=True),
            Property(name="kind", words=DIFFERENCE_KINDS, operator_only=True),
            Property(name="state", words=DIFFERENCE_STATES, indexed=True, operator_only=True),
            Property(name="resourceType", operator_only=True),
            Property(name="resource", required=False, indexed=True, operator_only=True),
            Property(name="name", operator_only=True),
            Property(name="property", required=False, operator_only=True),
            Property(name="theirs", required=False, operator_only=True),
            Property(name="ours", required=False, operator_only=True),
            Property(name="reason", required=False, operator_only=True),
            Property(name="record", kind=Kind.JSON, operator_only=True),
            Property(name="foundAt", kind=Kind.TIME, operator_only=True),
            Property(name="settledAt", kind=Kind.TIME, required=False, indexed=True, operator_only=True),
        ),
    ),
    *BOOKKEEPING,
)

_RESOURCES = ("NetworkElement", "Card", "Port", "Trunk")
_NAMED = ("Customer", "Site", "Service", *_RESOURCES)
_END = _text("end", "A", "Z")

_RELATIONSHIPS: Final = (
    Relationship(type="SUBSCRIBES_TO", starts=("Customer",), ends=("Service",), inside=Inside.FORWARD, one_start=True),
    Relationship(type="GOVERNED_BY", starts=("Service",), ends=("Sla",), inside=Inside.FORWARD, one_end=True),
    Relationship(type="ACCESSED_AT", starts=("Service",), ends=("Port",), inside=Inside.FORWARD, properties=(_END,)),
    Relationship(
        type="ROUTED_OVER",
        starts=("Service",),
        ends=("Trunk",),
        inside=Inside.FORWARD,
        properties=(_text("path", "WORKING", "PROTECTING"), _number("position", least=0)),
    ),
    Relationship(type="LOCATED_AT", starts=("NetworkElement",), ends=("Site",), inside=Inside.FORWARD, one_end=True),
    Relationship(type="HOLDS", starts=("NetworkElement",), ends=("Card",), inside=Inside.REVERSE, one_start=True),
    Relationship(type="HAS_PORT", starts=("Card",), ends=("Port",), inside=Inside.REVERSE, one_start=True),
    Relationship(
        type="TERMINATES_ON",
        starts=("Trunk",),
        ends=("Port",),
        inside=Inside.FORWARD,
        properties=(_END,),
        one_end_per="end",
        apart=True,
    ),
    Relationship(type="RAISED_ON", starts=("Alarm",), ends=_RESOURCES, inside=Inside.NEVER, one_end=True),
    Relationship(
        type="AFFECTS",
        starts=("Alarm",),
        ends=("Service",),
        inside=Inside.REVERSE,
        properties=(
            _text("effect", *EFFECTS),
            _text("severity", *SEVERITIES, required=False),
            Property(name="parts", operator_only=True),
        ),
    ),
    Relationship(type="CAUSED_BY", starts=("Alarm",), ends=("Alarm",), inside=Inside.NEVER),
    Relationship(type="REPORTS", starts=("Ticket",), ends=("Alarm",), inside=Inside.NEVER),
    Relationship(type="CONCERNS", starts=("Ticket",), ends=("Service",), inside=Inside.NEVER),
    Relationship(type="OPENED_FOR", starts=("Ticket",), ends=("Customer",), inside=Inside.REVERSE, one_end=True),
    Relationship(type="PLACED_BY", starts=("Order",), ends=("Customer",), inside=Inside.REVERSE, one_end=True),
    Relationship(type="HAS_ITEM", starts=("Order",), ends=("OrderItem",), inside=Inside.FORWARD, one_start=True),
    Relationship(type="PROVISIONS", starts=("OrderItem",), ends=("Service",), inside=Inside.NEVER, one_end=True),
    Relationship(
        type="RELATES_TO",
        starts=("OrderItem",),
        ends=("OrderItem",),
        inside=Inside.NEVER,
        properties=(_shaped("relationshipType", Form.TEXT),),
    ),
    Relationship(type="CANCELS", starts=("OrderCancellation",), ends=("Order",), inside=Inside.REVERSE, one_end=True),
    Relationship(type="BOOSTS", starts=("Boost",), ends=("Service",), inside=Inside.REVERSE, one_end=True),
    Relationship(type="RESERVES", starts=("Boost",), ends=("Port", "Trunk"), inside=Inside.NEVER),
    Relationship(
        type="STEP_OF", starts=("ProcessStep",), ends=("Boost", "OrderItem"), inside=Inside.REVERSE, one_end=True
    ),
    Relationship(type="CARRIES_OUT", starts=("Delivery",), ends=("ProcessStep",), inside=Inside.NEVER),
    Relationship(type="USED_BY", starts=("Usage",), ends=("Service",), inside=Inside.REVERSE, one_end=True),
    Relationship(type="INTERRUPTS", starts=("Downtime",), ends=("Service",), inside=Inside.REVERSE, one_end=True),
    Relationship(type="CONCERNS_CUSTOMER", starts=("Event",), ends=("Customer",), inside=Inside.REVERSE),
    Relationship(type="TELLS", starts=("Delivery",), ends=("Event",), inside=Inside.NEVER, one_end=True),
    Relationship(type="NAMES", starts=("ExternalName",), ends=_NAMED, inside=Inside.NEVER, one_end=True),
    Relationship(type="SUGGESTED_FOR", starts=("Lead",), ends=("Service",), inside=Inside.NEVER, one_end=True),
    Relationship(type="ABOUT", starts=("Lead",), ends=("Customer",), inside=Inside.NEVER, one_end=True),
    Relationship(type="COMPARES", starts=("CustomerMatch",), ends=("Customer",), inside=Inside.NEVER),
    # Whatever hung on the start hangs on the end (graph/changes/customers/moving.py), which is merged into nobody.
    Relationship(type="MERGED_INTO", starts=("Customer",), ends=("Customer",), inside=Inside.NEVER, one_end=True),
)

LABELS: Final[Mapping[str, Label]] = MappingProxyType({each.name: each for each in _LABELS})
RELATIONSHIPS: Final[Mapping[str, Relationship]] = MappingProxyType({each.type: each for each in _RELATIONSHIPS})


def label_of(node_id: str) -> Label | None:
    """Tell the label from an id's prefix; None for what was never one of our ids."""
    return _BY_PREFIX.get(node_id.partition("-")[0])


_BY_PREFIX: Final = {each.name.lower(): each for each in _LABELS}
