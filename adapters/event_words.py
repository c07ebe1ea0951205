"""Which event is what in the words of each other system: one table, which all dialects and hubs read.

`graph.model.event_kinds` has the kinds, and which of the product's events belong to each. An alarm is told as an alarm: its row
says how TM Forum's events of it are called. docs/fault-management.md has this table for operators, and a test compares the two.

>>> WORDS["ResourceRemoved"].tmf, WORDS["ResourceRemoved"].mtosi
('ResourceDeleteEvent', 'rscodel:resourceObjectDeletion')
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from graph.model.event_kinds import KINDS, About, EventKind


@dataclass(frozen=True, slots=True, kw_only=True)
class EventWords:
    """How one kind of event is said."""

    tmf: str
    """the `eventType` of TM Forum's API for what it is about, which a TMF688 event bears too;"""
    mtosi: str
    """the element of a notification of MTOSI 2.1 (`adapters.soap.elements`);"""
    alerta: str
    """what an alert's event begins with; that of an alarm begins with its probable cause."""


MEMBERS: Final[Mapping[About, str]] = MappingProxyType(
    {"alarm": "alarm", "service": "service", "resource": "resource", "ticket": "troubleTicket"}
)
"""What TM Forum's APIs call the things that events are about: the member of an event, and the domain of a TMF688 event."""
RATES: Final = ("effectiveMbps", "bookedMbps", "committedMbps", "threshold")
"""The values of a service's rate, in whole Mbit/s: what the network carries, what is ordered now, what the contract promises at any
time, and the load above which the service is too full."""
_CAUSE: Final = "(cause)"


def _alarm(tmf: str) -> EventWords:
    return EventWords(tmf=f"Alarm{tmf}Event", mtosi="alm:alarm", alerta=_CAUSE)


def _resource(tmf: str, mtosi: str) -> EventWords:
    return EventWords(tmf=f"Resource{tmf}Event", mtosi=mtosi, alerta="Resource")


def _ticket(tmf: str) -> EventWords:
    # MTOSI knows no tickets: what it does not know is a vendor's notification there.
    return EventWords(tmf=f"TroubleTicket{tmf}Event", mtosi="vdn:vendorNotification", alerta="TroubleTicket")


WORDS: Final[Mapping[str, EventWords]] = MappingProxyType(
    {
        "AlarmRaised": _alarm("Create"),
        "AlarmUpdated": _alarm("AttributeValueChange"),
        "AlarmCleared": _alarm("StateChange"),
        "AlarmReopened": _alarm("StateChange"),
        "AlarmEffectChanged": _alarm("AttributeValueChange"),
        "AlarmAcknowledged": _alarm("AttributeValueChange"),
        "AlarmUnacknowledged": _alarm("AttributeValueChange"),
        "AlarmCommented": _alarm("AttributeValueChange"),
        "ServiceStateChanged": EventWords(
            tmf="ServiceStateChangeEvent", mtosi="ssc:ServiceStateChange", alerta="ServiceState"
        ),
        "ServiceRateChanged": EventWords(
            tmf="ServiceAttributeValueChangeEvent", mtosi="savc:serviceAttributeValueChange", alerta="ServiceRate"
        ),
        "ResourceAdded": _resource("Create", "rscoc:resourceObjectCreation"),
        "ResourceRemoved": _resource("Delete", "rscodel:resourceObjectDeletion"),
        "ResourceStateChanged": _resource("StateChange", "rscsc:resourceStateChange"),
        "ResourceChanged": _resource("AttributeValueChange", "rscavc:resourceAttributeValueChange"),
        "ResourceMoved": _resource("AttributeValueChange", "rscavc:resourceAttributeValueChange"),
        "TicketOpened": _ticket("Create"),
        "TicketStatusChanged": _ticket("StatusChange"),
        "TicketChanged": _ticket("AttributeValueChange"),
    }
)
"""By the name of the kind."""
TMF: Final[Mapping[str, str]] = MappingProxyType({name: each.tmf for name, each in WORDS.items()})
"""TM Forum's event for each kind, by its name."""


def tmf_events(about: About) -> Mapping[str, str]:
    """Give TM Forum's event for each type of event of ours, and for what an alarm makes of a ticket, about one sort of thing.

    >>> tmf_events("service")["DowntimeEnded"]
    'ServiceStateChangeEvent'
    """
    return MappingProxyType(
        {
            each: WORDS[kind.name].tmf
            for kind in KINDS.values()
            if kind.about == about
            for each in (*kind.events, *kind.doings)
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventNotice:
    """What a system is told of one event that is none of an alarm's."""

    id: str
    """the event's: the same for whoever is told of it."""
    kind: EventKind
    at: int
    """epoch milliseconds."""
    about: str
    """the id of the service, equipment or ticket."""
    values: Mapping[str, Any]
    """as `graph.changes.notices` writes them."""

    @property
    def words(self) -> EventWords:
        """How it is said."""
        return WORDS[self.kind.name]

    @property
    def member(self) -> str:
        """What TM Forum's APIs call what it is about."""
        return MEMBERS[self.kind.about]

    @property
    def name(self) -> str:
        """What the thing is called."""
        return str(self.values.get("name") or self.about)

    @property
    def value(self) -> str:
        """The state that the thing has now, or what became of it, in a word or two."""
        match self.kind.name:
            case "ServiceStateChanged":
                return str(self.values["effect"] or "working")
            case "ServiceRateChanged":
                return f"{self.values['effectiveMbps']} Mbit/s"
            case "ResourceStateChanged" | "ResourceChanged":
                properties = self.values["properties"]
                return ", ".join(f"{each} {properties[each]}" for each in self.values["changed"])
            case "ResourceAdded" | "ResourceRemoved" | "ResourceMoved":
                return self.kind.name.removeprefix("Resource").lower()
            case _:
                return str(self.values["status"])

    @property
    def rates(self) -> Mapping[str, int]:
        """The rates that it tells of, by name; none where it tells of another thing."""
        return {each: self.values[each] for each in RATES if self.values.get(each) is not None}

    @property
    def sentence(self) -> str:
        """Say it to a person.

        >>> EventNotice(id="e", kind=KINDS["ServiceStateChanged"], at=0, about="service-1", values={"name": "L1", "effect": "down"}).sentence
        'Service L1: down'
        """
        sort = self.values.get("resource") or self.kind.about.capitalize()
        return f"{sort} {self.name}: {self.value}"


def notice_of(payload: Mapping[str, Any]) -> EventNotice:
    """Read what a delivery says."""
    return EventNotice(
        id=str(payload["eventId"]),
        kind=KINDS[payload["kind"]],
        at=int(payload["at"]),
        about=str(payload["about"]),
        values=payload["values"],
    )
