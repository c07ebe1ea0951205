"""Words that several areas show: each area has them in a schema of its own, and here they are spelled once."""

from __future__ import annotations

import enum

import strawberry


@strawberry.enum(description="Status of a trouble ticket (TMF621).")
class TicketStatus(enum.Enum):
    """TMF621 v4, TroubleTicketStatusType."""

    ACKNOWLEDGED = "acknowledged"
    REJECTED = "rejected"
    PENDING = "pending"
    HELD = "held"
    IN_PROGRESS = "inProgress"
    CANCELLED = "cancelled"
    CLOSED = "closed"
    RESOLVED = "resolved"


@strawberry.enum(description="Why a delivery is parked.")
class ParkingReason(enum.Enum):
    """graph.model.vocabulary.PARKING_REASONS."""

    REFUSED = strawberry.enum_value("refused", description="The system refused it, three times (4xx).")
    INVALID_ANSWER = strawberry.enum_value(
        "invalidAnswer", description="The system answered what makes no sense, three times."
    )
    EXPIRED = strawberry.enum_value("expired", description="The system did not take it for a week.")
    FAULT = strawberry.enum_value("fault", description="Trunkline failed over it: the log says how.")
