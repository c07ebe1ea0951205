"""Ticketing systems differ in how they are spoken to, so what an operator must say of one depends on its dialect.

`gateway.settings.settings` has this as its section `ticketing`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.settings.system import Address, Credited

TicketStatus = Literal["acknowledged", "rejected", "pending", "held", "inProgress", "cancelled", "closed", "resolved"]
"""TMF621's statuses of a trouble ticket."""
RT_FIELD: Final = r"^[^'\\{}]+$"
"""A name that can stand in a query there."""


class RequestTracker(BaseModel):
    """Where tickets are in a Request Tracker, as its administrator has laid it out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    queue: Annotated[str, Field(min_length=1)]
    """where tickets are opened, by its name."""
    key_field: Annotated[str, Field(pattern=RT_FIELD)] = "Order key"
    """the custom field of its tickets that holds our order key."""
    service_field: Annotated[str, Field(pattern=f"^$|{RT_FIELD}")] = ""
    """the custom field, of many values, that holds ids of services; empty: there is none, and nothing is heard by it."""
    statuses: Mapping[str, TicketStatus] = Field(default_factory=dict)
    """statuses of a lifecycle of its own, each with the word of TMF621 for it."""


class Ticketing(Credited):
    """The trouble ticketing system that alarms are told to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[Address, Field(min_length=1)]
    """what its API is below, such as https://HOST/tmf-api/troubleTicket/v4."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "ticketing"
    """what tickets and deliveries call it, and `system:<name>` in its tokens."""
    dialect: Literal["tmf621", "rt"] = "tmf621"
    """how it is spoken to: TM Forum's API, or Request Tracker 5 (whose address ends in /REST/2.0)."""
    statuses: Mapping[str, TicketStatus] = Field(default_factory=dict)
    """of tmf621: statuses of a lifecycle of its own, each with the word of TMF621 for it."""
    rt: RequestTracker | None = None
    """what the dialect rt needs to know."""
    severity: Literal["critical", "major", "minor", "warning"] = "minor"
    """the least severity, by contract, that a ticket is opened for."""
    callback: Address = ""
    """where it can reach us, such as https://HOST/tmf-api/troubleTicketManagement/v4; empty: it is only polled."""
    poll_seconds: Annotated[float, Field(gt=0)] = 60.0
    requests: Annotated[int, Field(gt=0, le=256)] = 16
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""

    def _misfits(self) -> Iterator[str]:
        yield from super()._misfits()
        if (self.dialect == "rt") != (self.rt is not None):
            yield "needs the section rt, with a queue, for the dialect rt, and for no other"
        if self.dialect == "rt" and self.statuses:
            yield "has statuses, which are of tmf621: for rt they are rt.statuses"
        if self.dialect == "rt" and self.callback:
            yield "has a callback, and Request Tracker calls nobody: leave it out, and it is polled"
