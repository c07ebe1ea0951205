"""A ticketing system to try things with: TMF621, version 4, as a server that keeps what it is told.

Every change that is acted upon gets its line in the journal (time, method, id, externalId, idempotencyKey, status,
severity) before it is answered. The idempotency key is written down and not looked at: whoever tells it a thing twice
has two tickets. People work on tickets through the same API.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Unpack

from adapters.simulator.api import Api, Changed, Life, Living, serving_api
from adapters.simulator.faults import Faults
from adapters.simulator.journal import Journal
from adapters.simulator.ticketing.tickets import UPDATE, Tickets


def _event_of(changed: Changed) -> str:
    same = changed.before["status"] == changed.after["status"]
    return "TroubleTicketAttributeValueChangeEvent" if same else "TroubleTicketStatusChangeEvent"


API: Final = Api(
    base="/tmf-api/troubleTicket/v4",
    resource="troubleTicket",
    update=UPDATE,
    journal=("id", "externalId", "status", "severity"),
    created="TroubleTicketCreateEvent",
    changed=_event_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketingSystem:
    """A ticketing system that is being served."""

    address: str
    """of the API: what a client of TMF621 is given."""
    tickets: Tickets
    faults: Faults


@asynccontextmanager
async def serving(**life: Unpack[Living]) -> AsyncIterator[TicketingSystem]:
    """Serve one in the running loop while the block runs.

    With `state`, tickets and subscriptions are those of an earlier life with the same file. With `bearer`, callers must
    bring it; with `callback_authorization`, events are sent with that header.
    """

    def make(kept: Journal) -> Tickets:
        return Tickets(kept, path=API.path, clock=lambda: time.time_ns() // 1_000_000)

    async with serving_api(API, make, Life(**life)) as served:
        yield TicketingSystem(address=served.address, tickets=served.shelf, faults=served.faults)
