"""Customer management to try things with: TMF629, version 4, as a server that keeps what it is told.

Every change that is acted upon gets its line in the journal (time, method, id, name, status, idempotencyKey) before it is answered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Unpack

from adapters.simulator.api import Api, Changed, Life, Living, serving_api
from adapters.simulator.customers.customers import UPDATE, Customers
from adapters.simulator.faults import Faults
from adapters.simulator.journal import Journal


def _event_of(changed: Changed) -> str:
    same = changed.before.get("status") == changed.after.get("status")
    return f"Customer{'AttributeValueChange' if same else 'StateChange'}Event"


API: Final = Api(
    base="/tmf-api/customerManagement/v4",
    resource="customer",
    update=UPDATE,
    journal=("id", "name", "status"),
    created="CustomerCreateEvent",
    changed=_event_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerManagement:
    """A customer management system that is being served."""

    address: str
    """of the API."""
    customers: Customers
    faults: Faults


@asynccontextmanager
async def serving(**life: Unpack[Living]) -> AsyncIterator[CustomerManagement]:
    """Serve one in the running loop while the block runs; with `state`, what an earlier life with that file has kept."""

    def make(kept: Journal) -> Customers:
        return Customers(kept, path=API.path)

    async with serving_api(API, make, Life(**life)) as served:
        yield CustomerManagement(address=served.address, customers=served.shelf, faults=served.faults)
