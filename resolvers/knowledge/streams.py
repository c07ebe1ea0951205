"""Which event becomes what for a subscriber: one table, and for each field of `Subscription` how its values are made.

An event keeps, in its payload, what it meant when it happened. Here that is narrowed to what one caller may see of it, and to
what its arguments ask for; what is left are the values of the field's object. The ids among them are looked up by the compiled
selection, in the caller's scope, as the graph is then.

A customer gets what was its own when it happened and still is. So a service that has changed hands shows its past neither to
the old customer nor to the new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from graph.changes.alarms import impacts
from graph.changes.alarms.impacts import NOTHING, ServiceImpact
from graph.errors import Refused
from graph.ledger.sequence import Sequenced
from graph.model.effects import RANK, worst
from graph.model.mapping import enum_name
from graph.model.model import RELATIONSHIPS, label_of
from graph.model.scope import Scope, ScopeKind
from graph.model.vocabulary import SERVICE_EVENT_KINDS, SEVERITIES

MOST_SERVICES: Final = 1_000
"""of an alert, the worst first; `totalServices` counts all."""

RESOURCES: Final = RELATIONSHIPS["RAISED_ON"].ends
"""The labels of what alarms are raised on: equipment and trunks."""

Values: TypeAlias = dict[str, Any]
"""By the names of the field's object: stored values, ids of nodes, and rows that begin with one."""
Filter: TypeAlias = Mapping[str, Any]
"""The argument `filter`, as it was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks at an event."""

    scope: Scope
    owners: Mapping[str, str] | None
    """the customer who has each of the event's services now, not asked for by who sees everything; None: whoever had them then."""
    sees_node: bool = True
    """whether what the event is about is in the scope now."""

    @property
    def customers(self) -> frozenset[str] | None:
        """Those whose part of an event may be seen; None: everybody's."""
        return customers_of(self.scope)

    def sees(self, service: str, customer: str) -> bool:
        """Tell whether a service was in this scope, as a customer's, and still is."""
        if self.scope.kind is ScopeKind.EVERYTHING:
            return True
        if customer not in self.scope.customers:
            return False
        return self.owners is None or self.owners.get(service) in self.scope.customers


def customers_of(scope: Scope) -> frozenset[str] | None:
    """Give whose events somebody of this scope hears; None: everybody's."""
    return None if scope.kind is ScopeKind.EVERYTHING else frozenset(scope.customers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A field of `Subscription`."""

    kinds: Mapping[str, str]
    """event type -> the word for what happened; empty where the event has to be looked at."""
    values: Callable[[Sequenced, Viewer, Filter], Values | None]
    """gives None where there is nothing for this viewer and filter."""
    services: Callable[[Sequenced, frozenset[str] | None], Iterable[str]] = lambda _event, _customers: ()
    """those whose owners must be known, of what was these customers';"""
    node: Callable[[Sequenced], str] = lambda _: ""
    """and the node that must be in the scope now; empty where no one node decides."""
    snapshot: str = ""
    """a query that takes the state of things, for whoever comes too late for what has happened since; each of its lists says whether
    there is more."""

    def may_be_for(self, event: Sequenced, scope: Scope, filter_: Filter) -> bool:
        """Tell whether there can be values for this scope and filter, before the graph is asked who has what now.

        What of an event may be seen can be less than was seen then, never more; by that its kind may be another.
        """
        wanted = {name: each for name, each in filter_.items() if name != "kind"} if scope.customers else filter_
        return self.values(event, Viewer(scope=scope, owners=None), wanted) is not None


# Filters -------------------------------------------------------------------------------------------------------------

_SEVERITY: Final = {enum_name(word): word for word in SEVERITIES}


def _fits(operators: Mapping[str, Any] | None, value: str | None) -> bool:
    """Tell whether a value satisfies `eq` and `in`, as lists' filters have them: `eq: null` asks for absence."""
    if operators is None:
        return True
    if "eq" in operators and operators["eq"] != value:
        return False
    among = operators.get("in")
    return among is None or value in among


def _is_at_least(severities: Iterable[str | None], least: str | None) -> bool:
    if least is None:
        return True
    found = worst(severities)
    return found is not None and RANK.index(found) <= RANK.index(_SEVERITY[least])


def check(filter_: Filter) -> None:
    """Refuse what no event can satisfy and nobody means."""
    if filter_.get("severityAtLeast") == "CLEARED":
        raise Refused(
            "Nothing is as severe as CLEARED.", code="BAD_USER_INPUT", hint="Leave severityAtLeast out to hear of all."
        )


# Alerts --------------------------------------------------------------------------------------------------------------


def _alert(event: Sequenced, viewer: Viewer, filter_: Filter) -> Values | None:
    payload = event.payload
    seen = [each for each in impacts.read(payload, viewer.customers) if _is_asked(each, viewer, filter_)]
    if all(each.before == each.after for each in seen):
        return None  # whatever it changed is not theirs
    kind = _alert_kind(seen)
    lasting = worst(each.after[1] for each in seen)
    severity = worst(each.before[1] for each in seen) if kind == "ended" else lasting
    is_asked = (
        _fits(filter_.get("kind"), enum_name(kind))
        and _fits(filter_.get("resource"), payload.get("resource"))
        and _is_at_least((s for each in seen for s in (each.before[1], each.after[1])), filter_.get("severityAtLeast"))
    )
    if not is_asked:
        return None
    customers = {each.customer for each in seen}
    tickets = [each for customer, ids in payload.get("tickets", {}).items() if customer in customers for each in ids]
    return {
        "kind": kind,
        "at": event.at,
        "alarmId": event.about,
        "alarm": event.about,
        "perceivedSeverity": payload.get("perceivedSeverity"),
        "severity": severity,
        "totalServices": len(seen),
        "services": [_row(each) for each in sorted(seen, key=_worst_first)[:MOST_SERVICES]],
        "tickets": tickets,
    }


def _is_asked(impact: ServiceImpact, viewer: Viewer, filter_: Filter) -> bool:
    return (
        viewer.sees(impact.service, impact.customer)
        and _fits(filter_.get("customer"), impact.customer)
        and _fits(filter_.get("service"), impact.service)
    )


def _alert_kind(seen: Sequence[ServiceImpact]) -> str:
    if all(each.before == NOTHING for each in seen):
        return "began"
    return "ended" if all(each.after == NOTHING for each in seen) else "changed"


def _row(impact: ServiceImpact) -> list[str | None]:
    """Give what `AlertService` is made of: serviceId, effect, severity, effectBefore, severityBefore."""
    return [impact.service, *impact.after, *impact.before]


def _worst_first(impact: ServiceImpact) -> tuple[int, int, str]:
    return _rank(impact.after[1]), _rank(impact.before[1]), impact.service


def _rank(severity: str | None) -> int:
    return len(RANK) if severity is None else RANK.index(severity)


# Service events ------------------------------------------------------------------------------------------------------

_EFFECTS: Final = {"DowntimeBegan": "effectBegan", "DowntimeEnded": "effectEnded", "ServiceActivated": "activated"}
_TICKETS: Final = {
    "ProblemReported": "problemReported",
    "TicketReported": "ticketOpened",
    "AlarmTicketFollowed": "ticketOpened",  # or what `_TURNS` says, where an open one goes on
    "TicketStatusChanged": "ticketStatusChanged",
    "TicketReopened": "ticketStatusChanged",
    "TicketClosed": "ticketClosed",
}
_TURNS: Final = {"open": "ticketOpened", "reopen": "ticketStatusChanged", "resolve": "ticketStatusChanged"}
"""What an alarm's event makes of a ticket (`graph.changes.tickets.tickets.Doing`)."""


def _service_event(event: Sequenced, viewer: Viewer, filter_: Filter) -> Values | None:
    return (_effect if event.type in _EFFECTS else _tickets)(event, viewer, filter_)


def _effect(event: Sequenced, viewer: Viewer, filter_: Filter) -> Values | None:
    payload = event.payload
    customer, kind = payload.get("customer"), _EFFECTS[event.type]
    if customer is None or not viewer.sees(event.about, customer):
        return None
    is_asked = (
        _fits(filter_.get("kind"), enum_name(kind))
        and _fits(filter_.get("customer"), customer)
        and _fits(filter_.get("service"), event.about)
    )
    if not is_asked:
        return None
    return {
        "kind": kind,
        "at": event.at,
        "serviceId": event.about,
        "service": event.about,
        "services": [[event.about]],
        "effect": payload.get("effect"),
        "from": payload.get("from"),
        "to": payload.get("to"),
        "downtime": payload.get("downtime", ""),
        "tickets": [],
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """What happened to one ticket."""

    kind: str
    ticket: str
    status: str
    customer: str
    """whose it was then,"""
    services: tuple[str, ...]
    """and what it was about."""


def _turns(event: Sequenced, customers: frozenset[str] | None) -> Iterator[_Turn]:
    """Give the turns of tickets in an event, of some customers or of all; an event of an earlier version has none."""
    payload = event.payload
    by_customer = payload.get("ticketTurns", {})
    for customer in by_customer if customers is None else [each for each in sorted(customers) if each in by_customer]:
        services = tuple(each.service for each in impacts.read(payload, (customer,)))
        for ticket, doing, status in by_customer[customer]:
            yield _Turn(kind=_TURNS[doing], ticket=ticket, status=status, customer=customer, services=services)
    kind, customer, status = _ticket_kind(event), payload.get("customer"), payload.get("status")
    if kind and customer is not None and (customers is None or customer in customers):
        services = tuple(payload.get("services", ()))
        yield _Turn(kind=kind, ticket=payload["ticket"], status=str(status), customer=customer, services=services)


def _ticket_kind(event: Sequenced) -> str:
    """Give what a ticket's own event is; nothing where another thing than its status has changed."""
    kind, status = _TICKETS.get(event.type, ""), event.payload.get("status")
    if event.type == "AlarmTicketFollowed":
        return _TURNS.get(event.payload.get("doing", "open"), "")
    if kind != "ticketStatusChanged":
        return kind
    if status == event.payload.get("statusBefore"):
        return ""
    return "ticketClosed" if status == "closed" else kind


def _tickets(event: Sequenced, viewer: Viewer, filter_: Filter) -> Values | None:
    seen = [each for turn in _turns(event, viewer.customers) if (each := _seen(turn, viewer, filter_)).services]
    if not seen:
        return None
    services = dict.fromkeys(service for each in seen for service in each.services)
    first = next(iter(services))
    return {
        "kind": min((each.kind for each in seen), key=SERVICE_EVENT_KINDS.index),
        "at": event.at,
        "serviceId": first,
        "service": first,
        "services": [[each] for each in services][:MOST_SERVICES],
        "effect": None,
        "from": None,
        "to": None,
        "downtime": "",
        "tickets": [[each.ticket, each.status] for each in seen],
    }


def _seen(turn: _Turn, viewer: Viewer, filter_: Filter) -> _Turn:
    """Narrow a turn to the services that are seen and asked for."""
    is_asked = _fits(filter_.get("kind"), enum_name(turn.kind)) and _fits(filter_.get("customer"), turn.customer)
    services = tuple(
        each
        for each in turn.services
        if is_asked and viewer.sees(each, turn.customer) and _fits(filter_.get("service"), each)
    )
    return replace(turn, services=services)


def _services_of(event: Sequenced, customers: frozenset[str] | None) -> Iterable[str]:
    if event.type in _EFFECTS:
        return (event.about,)
    return (service for turn in _turns(event, customers) for service in turn.services)


# Boosts --------------------------------------------------------------------------------------------------------------

_BOOST_KINDS: Final = {
    "BoostScheduled": "scheduled",
    "BoostActivated": "activated",
    "BoostChanged": "changed",
    "BoostAboutToEnd": "aboutToEnd",
    "BoostTerminated": "terminated",
    "BoostDeclined": "declined",
}


def _boost_event(event: Sequenced, viewer: Viewer, filter_: Filter) -> Values | None:
    payload, kind = event.payload, _BOOST_KINDS[event.type]
    service, customer, boost = payload["service"], payload.get("customer") or "", payload["boost"]
    is_asked = (
        _fits(filter_.get("kind"), enum_name(kind))
        and _fits(filter_.get("customer"), customer)
        and _fits(filter_.get("service"), service)
        and _fits(filter_.get("boost"), boost)
    )
    if not is_asked or not viewer.sees(service, customer):
        return None
    return {
        "kind": kind,
        "at": event.at,
        "boostId": boost,
        "boost": boost,
        "serviceId": service,
        "service": service,
        **{name: payload[name] for name in ("mbps", "startAt", "endAt", "status", "reason")},
    }


# Orders --------------------------------------------------------------------------------------------------------------

_ORDER_KINDS: Final = {
    "OrderPlaced": "placed",
    "OrderChanged": "changed",
    "OrderStateChanged": "stateChanged",
    "OrderCancellationRequested": "cancellationRequested",
    "OrderCancellationDecided": "cancellationDecided",
}


def _order_event(event: Sequenced, viewer: Viewer, filter_: Filter) -> Values | None:
    payload, kind = event.payload, _ORDER_KINDS[event.type]
    customer, customers = payload.get("customer"), viewer.customers
    if not viewer.sees_node or (customers is not None and customer not in customers):
        return None
    is_asked = (
        _fits(filter_.get("kind"), enum_name(kind))
        and _fits(filter_.get("customer"), customer)
        and _fits(filter_.get("order"), event.about)
        and _fits(filter_.get("state"), enum_name(payload["state"]))
    )
    if not is_asked:
        return None
    return {
        "kind": kind,
        "at": event.at,
        "orderId": event.about,
        "order": event.about,
        "state": payload["state"],
        "stateBefore": payload.get("stateBefore"),
        "reason": payload.get("reason"),
        "cancellation": payload.get("cancellation") or "",
    }


# Topology ------------------------------------------------------------------------------------------------------------

_TOPOLOGY_KINDS: Final = {
    "ResourceAdded": "added",
    "ResourceChanged": "changed",
    "ResourceStateChanged": "stateChanged",
    "ResourceMoved": "moved",
    "ResourceRemoved": "removed",
}


def _topology_change(event: Sequenced, viewer: Viewer, filter_: Filter) -> Values | None:
    kind, label = _TOPOLOGY_KINDS[event.type], label_of(event.about)
    is_asked = _fits(filter_.get("kind"), enum_name(kind)) and _fits(filter_.get("resource"), event.about)
    if label is None or not viewer.sees_node or not is_asked:
        return None
    of_labels = {f"resource:{each}": event.about if each == label.name else "" for each in RESOURCES}
    return {"kind": kind, "at": event.at, "resourceId": event.about, "resourceType": label.name, **of_labels}


# Deliveries ----------------------------------------------------------------------------------------------------------

_DELIVERY_KINDS: Final = {"DeliveryParked": "parked", "DeliveryReplayed": "replayed"}


def _delivery_event(event: Sequenced, viewer: Viewer, filter_: Filter) -> Values | None:
    kind = _DELIVERY_KINDS[event.type]
    if viewer.scope.kind is not ScopeKind.EVERYTHING or not _fits(filter_.get("kind"), enum_name(kind)):
        return None
    payload = event.payload
    return {
        "kind": kind,
        "at": event.at,
        "deliveryId": event.about,
        "delivery": event.about,
        "reason": payload.get("reason"),
        "error": payload.get("error"),
    }


# The table -----------------------------------------------------------------------------------------------------------

_OF_ALARMS: Final = dict.fromkeys(
    ("AlarmRaised", "AlarmUpdated", "AlarmReopened", "AlarmCleared", "AlarmEffectChanged"), ""
)
_PAGE: Final = "pageInfo { hasNextPage endCursor }"
STREAMS: Final[Mapping[str, Stream]] = MappingProxyType(
    {
        "alerts": Stream(
            kinds=_OF_ALARMS,
            values=_alert,
            services=lambda event, customers: (each.service for each in impacts.read(event.payload, customers)),
            snapshot="{ alarms(first: 100, filter: {state: {in: [RAISED, UPDATED]}}) { nodes { id affects(first: 100) "
            f"{{ nodes {{ effect severity service {{ id }} }} {_PAGE} }} }} {_PAGE} }} }}",
        ),
        "serviceEvents": Stream(
            kinds={**_EFFECTS, **_TICKETS, **_OF_ALARMS},
            values=_service_event,
            services=_services_of,
            snapshot=f"{{ services(first: 100) {{ nodes {{ id effect }} {_PAGE} }} }}",
        ),
        "boostEvents": Stream(
            kinds=_BOOST_KINDS,
            values=_boost_event,
            services=lambda event, customers: (
                (event.payload["service"],) if customers is None or event.payload.get("customer") in customers else ()
            ),
            snapshot="{ boosts(first: 100, filter: {status: {in: [REQUESTED, SCHEDULED, ACTIVATED]}}) "
            f"{{ nodes {{ id status statusReason mbps startAt endAt }} {_PAGE} }} }}",
        ),
        "orderEvents": Stream(
            kinds=_ORDER_KINDS,
            values=_order_event,
            node=lambda event: event.about,
            snapshot="{ orders(first: 100, filter: {state: {in: [ACKNOWLEDGED, PENDING, HELD, IN_PROGRESS, ASSESSING_CANCELLATION, "
            f"PENDING_CANCELLATION]}}}}) {{ nodes {{ id state requestedCompletionAt }} {_PAGE} }} }}",
        ),
        "topologyChanges": Stream(
            kinds=_TOPOLOGY_KINDS,
            values=_topology_change,
            node=lambda event: event.about,
            snapshot="{ networkElements(first: 100) { nodes { id operationalState cards(first: 100) "
            f"{{ nodes {{ id operationalState }} {_PAGE} }} }} {_PAGE} }} "
            f"trunks(first: 100) {{ nodes {{ id operationalState }} {_PAGE} }} }}",
        ),
        "deliveries": Stream(
            kinds=_DELIVERY_KINDS,
            values=_delivery_event,
            snapshot="{ deliveries(first: 100, filter: {state: {eq: DEAD}}) "
            f"{{ nodes {{ id parkedFor lastError }} {_PAGE} }} }}",
        ),
    }
)
"""Field of `Subscription` -> which events it tells of, and how."""

TYPES: Final = frozenset(type_ for stream in STREAMS.values() for type_ in stream.kinds)
"""The types of events that anybody can hear of."""
