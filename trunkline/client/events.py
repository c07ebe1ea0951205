"""What is heard, as values: each has the cursor after which a subscription may go on.

The classes have what documents.py asks for. Words such as `"BEGAN"` are the API's own; schema.graphql says what they mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias

from trunkline.client.errors import ErrorData

Severity: TypeAlias = Literal["CRITICAL", "MAJOR", "MINOR", "WARNING", "INDETERMINATE", "CLEARED"]
Effect: TypeAlias = Literal["DOWN", "DEGRADED", "AT_RISK"]
AlertKind: TypeAlias = Literal["BEGAN", "CHANGED", "ENDED"]
ServiceEventKind: TypeAlias = Literal[
    "EFFECT_BEGAN",
    "EFFECT_ENDED",
    "PROBLEM_REPORTED",
    "TICKET_OPENED",
    "TICKET_STATUS_CHANGED",
    "TICKET_CLOSED",
    "ACTIVATED",
]
TopologyChangeKind: TypeAlias = Literal["ADDED", "CHANGED", "STATE_CHANGED", "MOVED", "REMOVED"]
DeliveryEventKind: TypeAlias = Literal["PARKED", "REPLAYED"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event of any subscription, as it was asked for."""

    data: Mapping[str, Any] | None
    """None: it could not be shown, and `errors` say why."""
    errors: Sequence[ErrorData]
    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertService:
    """What an alarm does to one service, when it happened and before."""

    service_id: str
    name: str | None
    """as it is now; None where it is gone."""
    effect: Effect | None
    severity: Severity | None
    effect_before: Effect | None
    severity_before: Severity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertTicket:
    """A ticket that an alert led to, as it is now."""

    id: str
    external_id: str | None
    """None: the ticketing system has not answered yet."""
    status: str
    severity: Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alarm begins to affect services, affects them differently, or does so no more."""

    cursor: str
    kind: AlertKind
    at: datetime
    alarm_id: str
    perceived_severity: Severity
    severity: Severity | None
    """the worst by contract."""
    services: tuple[AlertService, ...]
    total_services: int
    tickets: tuple[AlertTicket, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketTurn:
    """A ticket that was opened, closed, or has another status."""

    id: str
    status: str
    """when that happened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEvent:
    """A service begins to suffer an effect, or does so no more; or something becomes of its tickets."""

    cursor: str
    kind: ServiceEventKind
    at: datetime
    service_id: str
    """the first of `service_ids`."""
    service_ids: tuple[str, ...]
    """more than one only where tickets are about several."""
    effect: Effect | None
    """None, as the times are, where a ticket is told of."""
    began: datetime | None
    ended: datetime | None
    """None as long as the effect lasts."""
    tickets: tuple[TicketTurn, ...]
    """none of an effect."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopologyChange:
    """Equipment or a trunk comes, goes, moves or changes."""

    cursor: str
    kind: TopologyChangeKind
    at: datetime
    resource_id: str
    resource_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEvent:
    """A delivery to a surrounding system waits for a person, or was replayed."""

    cursor: str
    kind: DeliveryEventKind
    at: datetime
    delivery_id: str
    reason: str | None
    error: str | None


Fields: TypeAlias = Mapping[str, Any]


def alert(cursor: str, found: Fields) -> Alert:
    """Read an alert."""
    return Alert(
        cursor=cursor,
        kind=found["kind"],
        at=_time(found["at"]),
        alarm_id=found["alarmId"],
        perceived_severity=found["perceivedSeverity"],
        severity=found["severity"],
        services=tuple(_service(each) for each in found["services"]),
        total_services=found["totalServices"],
        tickets=tuple(_ticket(each) for each in found["tickets"]),
    )


def _service(found: Fields) -> AlertService:
    return AlertService(
        service_id=found["serviceId"],
        name=(found["service"] or {}).get("name"),
        effect=found["effect"],
        severity=found["severity"],
        effect_before=found["effectBefore"],
        severity_before=found["severityBefore"],
    )


def _ticket(found: Fields) -> AlertTicket:
    return AlertTicket(
        id=found["id"], external_id=found["externalId"], status=found["status"], severity=found["severity"]
    )


def service_event(cursor: str, found: Fields) -> ServiceEvent:
    """Read an event of a service."""
    return ServiceEvent(
        cursor=cursor,
        kind=found["kind"],
        at=_time(found["at"]),
        service_id=found["serviceId"],
        service_ids=tuple(each["serviceId"] for each in found["services"]),
        effect=found["effect"],
        began=_time(found["from"]) if found["from"] else None,
        ended=_time(found["to"]) if found["to"] else None,
        tickets=tuple(TicketTurn(id=each["ticketId"], status=each["status"]) for each in found["tickets"]),
    )


def topology_change(cursor: str, found: Fields) -> TopologyChange:
    """Read a change of the topology."""
    return TopologyChange(
        cursor=cursor,
        kind=found["kind"],
        at=_time(found["at"]),
        resource_id=found["resourceId"],
        resource_type=found["resourceType"],
    )


def delivery_event(cursor: str, found: Fields) -> DeliveryEvent:
    """Read what became of a delivery."""
    return DeliveryEvent(
        cursor=cursor,
        kind=found["kind"],
        at=_time(found["at"]),
        delivery_id=found["deliveryId"],
        reason=found["reason"],
        error=found["error"],
    )


_time: Final = datetime.fromisoformat
