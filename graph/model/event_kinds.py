"""What other systems can be told of has names of its own, so that a setting or a filter says one word for one thing.

The product writes events of many types, some of which say the same to whoever looks at a network. A *kind* is what a system is told
of: `TicketOpened`, whether an alarm, a customer or somebody at the desk has opened it. Each type of event that is written
belongs to one kind, or is in `LEFT_OUT` with the reason. What an alarm makes of a ticket has no event of its own: it is known by
what the ticketing system is told to do because of the alarm's (`doings`).

How each kind is said in the words of other systems, `adapters.event_words` has.

>>> kind_of("DowntimeBegan").name, kind_of("UsageRecorded")
('ServiceStateChanged', None)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

About: TypeAlias = Literal["alarm", "service", "resource", "ticket", "order"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventKind:
    """One kind of event."""

    name: str
    about: About
    """what it happens to."""
    events: tuple[str, ...]
    """the types of events that tell of it."""
    doings: tuple[str, ...] = ()
    """what an alarm makes of a ticket (`graph.changes.tickets.tickets.Doing`)."""


def _one_each(about: About, *names: str) -> tuple[EventKind, ...]:
    return tuple(EventKind(name=each, about=about, events=(each,)) for each in names)


_ALL: Final = (
    *_one_each("alarm", "AlarmRaised", "AlarmUpdated", "AlarmCleared", "AlarmReopened", "AlarmEffectChanged"),
    *_one_each("alarm", "AlarmAcknowledged", "AlarmUnacknowledged", "AlarmCommented"),
    EventKind(
        name="ServiceStateChanged", about="service", events=("DowntimeBegan", "DowntimeEnded", "ServiceActivated")
    ),
    EventKind(name="ServiceRateChanged", about="service", events=("ServiceRateChanged", "ServiceThresholdSet")),
    *_one_each("resource", "ResourceAdded", "ResourceRemoved"),
    *_one_each("resource", "ResourceStateChanged", "ResourceChanged", "ResourceMoved"),
    EventKind(name="TicketOpened", about="ticket", events=("ProblemReported", "TicketReported"), doings=("open",)),
    EventKind(
        name="TicketStatusChanged",
        about="ticket",
        events=("TicketStatusChanged", "TicketReopened", "TicketClosed"),
        doings=("resolve", "reopen"),
    ),
    EventKind(
        name="TicketChanged", about="ticket", events=("TicketCommented", "TicketChangeRefused"), doings=("amend",)
    ),
)
KINDS: Final[Mapping[str, EventKind]] = MappingProxyType({each.name: each for each in _ALL})
"""By name."""
ORDER_KINDS: Final[Mapping[str, EventKind]] = MappingProxyType(
    {
        each.name: each
        for each in _one_each(
            "order",
            "OrderPlaced",
            "OrderChanged",
            "OrderStateChanged",
            "OrderCancellationRequested",
            "OrderCancellationDecided",
        )
    }
)
"""What the hubs of orders tell, by name, and nobody else: each says it in the words of its own API."""
ALARM_KINDS: Final = tuple(each.name for each in _ALL if each.about == "alarm")
LEFT_OUT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "AlarmTicketFollowed": "the ticket that follows another is told as TicketOpened",
        "BoostAboutToEnd": "as BoostScheduled",
        "BoostActivated": "as BoostScheduled",
        "BoostChanged": "as BoostScheduled",
        "BoostDeclined": "as BoostScheduled",
        "BoostScheduled": "a booking is between a customer and us: the rate that follows from it is told as ServiceRateChanged",
        "BoostTerminated": "as BoostScheduled",
        "CustomerAdded": "who a customer is, is between customer management and us",
        "CustomerChanged": "as CustomerAdded",
        "CustomerGone": "as CustomerAdded",
        "CustomerMatchDeclined": "as CustomerMerged",
        "CustomerMergeUndone": "as CustomerMerged",
        "CustomerMerged": "which customers are one is for our operators: neither customer may learn of the other by it",
        "DeliveryParked": "how we fare with a system is for our operators, by the subscription `deliveries` and the metrics",
        "DeliveryReplayed": "as DeliveryParked",
        "InventoryDifferenceSettled": "what a difference has changed is told as the change of the resource",
        "InventoryFeedCompared": "a feed is between an inventory and us",
        "InventoryFeedFailed": "as InventoryFeedCompared",
        "InventoryFeedReceived": "as InventoryFeedCompared",
        "InventoryTold": "that its inventory is told of a thing changes nothing of it",
        "LeadOpened": "a lead is for sales, which receives it by a delivery of its own",
        "OrderCancellationDecided": "as OrderPlaced",
        "OrderCancellationRequested": "as OrderPlaced",
        "OrderChanged": "as OrderPlaced",
        "OrderPlaced": "an order is between who has placed it and us: they hear of it by the hubs of TMF622 and TMF641",
        "OrderStateChanged": "as OrderPlaced",
        "ResourceNamed": "what else a thing is called changes nothing of it",
        "ResourceUnnamed": "as ResourceNamed",
        "ServiceActivationRequested": "as ServiceRateRequested",
        "ServiceMonitoringEnded": "that performance monitoring need not measure a service any more is between it and us",
        "ServiceRateRequested": "what the network is asked for is between it and us; ServiceRateChanged tells what it carries",
        "ServiceRemovalRequested": "as ServiceRateRequested",
        "TaskOpened": "what waits for our operators is theirs to see, by `tasks`",
        "TaskSettled": "as TaskOpened",
        "UsageChanged": "usage is for billing: what a service carries says nothing of a fault",
        "UsageRecorded": "as UsageChanged",
        "UsageStateChanged": "as UsageChanged",
        "UsageUnmatched": "as UsageChanged",
    }
)
"""The types of events that systems are not told of as of a kind, with the reason."""
_BY_EVENT: Final = {event: each for each in (*_ALL, *ORDER_KINDS.values()) for event in each.events}
_BY_DOING: Final = {doing: each for each in _ALL for doing in each.doings}


def kind_of(event: str) -> EventKind | None:
    """Give the kind of a type of event; None where nobody is told of it."""
    return _BY_EVENT.get(event)


def kind_of_doing(doing: str) -> EventKind | None:
    """Give the kind of what an alarm makes of a ticket; None where it is none."""
    return _BY_DOING.get(doing)
