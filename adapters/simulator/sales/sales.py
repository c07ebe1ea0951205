"""A sales system to try things with: leads in the manner of TM Forum's version 4 APIs, as a server that keeps what it is told.

Every change that is acted upon gets its line in the journal (time, method, id, externalIdentifier, status, idempotencyKey) before it is
answered. People decide about leads through the same API.
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
from adapters.simulator.sales.leads import UPDATE, Leads


def _event_of(changed: Changed) -> str:
    same = changed.before["status"] == changed.after["status"]
    return f"SalesLead{'AttributeValueChange' if same else 'StateChange'}Event"


API: Final = Api(
    base="/tmf-api/sales/v4",
    resource="salesLead",
    update=UPDATE,
    journal=("id", "externalIdentifier", "status"),
    created="SalesLeadCreateEvent",
    changed=_event_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesSystem:
    """A sales system that is being served."""

    address: str
    """of the API."""
    leads: Leads
    faults: Faults


@asynccontextmanager
async def serving(**life: Unpack[Living]) -> AsyncIterator[SalesSystem]:
    """Serve one in the running loop while the block runs; with `state`, what an earlier life with that file has kept."""

    def make(kept: Journal) -> Leads:
        return Leads(kept, path=API.path, clock=lambda: time.time_ns() // 1_000_000)

    async with serving_api(API, make, Life(**life)) as served:
        yield SalesSystem(address=served.address, leads=served.shelf, faults=served.faults)
