"""What the program keeps for itself is in the graph too, so that one transaction can change it together with the rest.

None of these labels is ever in the API; graph/model/model.py has them among all others.
"""

from __future__ import annotations

from typing import Final

from graph.model.kinds import ID, Kind, Label, Property, number, text, time

BOOKKEEPING: Final = (
    Label(
        name="InventoryChunk",
        about="A part of a feed that is still being received, or waits to be compared.",
        internal=True,
        properties=(ID, text("stage", indexed=True), Property(name="payload", kind=Kind.JSON)),
    ),
    Label(
        name="Lane",
        about="Who may tell a system what waits for it, until when by the database's clock; the epoch rises with each owner.",
        internal=True,
        properties=(ID, text("owner"), time("until"), number("epoch")),
    ),
    Label(
        name="Worker",
        about="A process that tells a system, until when by the database's clock it is taken to be there, and whether the "
        "system does not let it in.",
        internal=True,
        properties=(
            ID,
            text("system", indexed=True),
            time("until"),
            Property(name="paused", kind=Kind.BOOLEAN, required=False),
        ),
    ),
    Label(
        name="Registration",
        about="Where we have asked a system to tell us of changes: `id` is its name, `theirId` the registration's there.",
        internal=True,
        properties=(ID, text("address"), text("callback"), text("theirId"), time("at")),
    ),
    Label(
        name="Sequence",
        about="The next position of an event, and which process gives positions, until when; and the last one that retention "
        "has taken away; the hash of the last event, and from which position on events are chained.",
        internal=True,
        properties=(
            ID,
            text("owner"),
            time("until"),
            number("next"),
            number("swept", required=False),
            text("head", required=False),
            number("chainedFrom", required=False),
        ),
    ),
    Label(
        name="Timer",
        about="Something that is to be worked out again at a time, by whichever process is there then; `failures` in a row.",
        internal=True,
        properties=(
            ID,
            text("kind"),
            text("aggregateId"),
            time("dueAt", indexed=True),
            number("failures", required=False),
        ),
    ),
    Label(
        name="Hub",
        about="Who has asked to be told of alarms, tickets, orders or all events, as what it may read them, and up to which event it has been told.",
        internal=True,
        properties=(
            ID,
            text("principal", indexed=True),
            text("reads"),
            text("topic", "alarm", "troubleTicket", "event", "productOrder", "serviceOrder", required=False),
            text("callback"),
            text("query"),
            text("state", "active", "parked"),
            number("after"),
            text("owner"),
            time("until"),
            time("nextAt"),
            number("attempts"),
            number("refusals"),
            time("failingSince", required=False),
            number("skipped"),
            text("reason", required=False),
        ),
    ),
    Label(
        name="Follower",
        about="Up to which position another system has been given the sequence of events, and which process gives it, until when.",
        internal=True,
        properties=(ID, number("after"), text("owner"), time("until"), number("epoch")),
    ),
    Label(
        name="AlarmIdentity",
        about="What makes two reports the same alarm; locked while it is decided which alarm a report is of.",
        unique=("key",),
        internal=True,
        properties=(text("key"),),
    ),
    Label(
        name="NameGate",
        about="Locked by who looks for a name that is not there, and by who makes names, so that one of them sees the other.",
        internal=True,
        properties=(ID,),
    ),
    Label(
        name="Idempotency",
        about="The outcome of a change, kept under the caller's key; `key` is the hash of (principal, clientKey).",
        unique=("key",),
        internal=True,
        properties=(
            text("key"),
            text("requestHash"),
            Property(name="response", kind=Kind.JSON),
            time("expiresAt", indexed=True),
        ),
    ),
    Label(
        name="SchemaVersion",
        about="Which migrations this database has; one node.",
        internal=True,
        properties=(ID, number("version")),
    ),
    Label(
        name="StoreKey",
        about="A secret that every replica must share, made once: the key of cursors.",
        internal=True,
        properties=(ID, text("text")),
    ),
    Label(
        name="Membership",
        about=(
            "That a node which several customers may see is in the slice of one of them; the id is the customer's, a "
            "blank, and the node's. Kept of customers with many services."
        ),
        internal=True,
        properties=(ID, text("customer", indexed=True)),
    ),
    Label(
        name="CapacityProfile",
        about=(
            "What all bookings together take of a port or trunk, over time (graph/capacity/steps.py writes `deltas`); the id is "
            "`capacityprofile-` and the thing's. Whoever books locks it, and the version rises with each change."
        ),
        internal=True,
        properties=(ID, number("version"), text("deltas")),
    ),
    Label(
        name="CustomerLook",
        about="When the last look at all customers of customer management began, if it was believed; the id is `customerlook-` and the system's name.",
        internal=True,
        properties=(ID, number("at")),
    ),
    Label(
        name="LoadMark",
        about="Which chunks of a load have committed, so that a load that was cut goes on where it stopped.",
        internal=True,
        unique=("id",),
        properties=(ID, number("done")),
    ),
)
