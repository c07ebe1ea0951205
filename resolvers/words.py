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
