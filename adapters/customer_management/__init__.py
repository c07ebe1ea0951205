"""Customer management: where customers are made, named and given up. It says who a customer is, and is told nothing.

In: its customers, as it has them or tells of them (TMF629). Out: customers of the graph (`graph/changes/customers/records.py`).

Files, in order of flow: this one (what every dialect does) · `outbound/` (the dialects) · `tmf629_resource.py` (what is believed of TM
Forum's customer) · `looking.py` (all customers, again and again) · `inbound.py` (what customer management calls on us).

Invariants
1. A customer that cannot be read is passed over, and costs the others nothing.
2. What is not in an answer is gone only where the answer was whole, and not empty.
3. Of several processes one looks at a time.

Example:
    found = await Tmf629(transport).customers(at=now, deadline=soon)      # found.records: all that it has
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from graph.changes.customers.records import CustomerRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerList:
    """All customers of a system."""

    records: tuple[CustomerRecord, ...]
    """those that could be read;"""
    there: frozenset[str]
    """and the ids of all that have one, also of those that could not."""


class CustomerManagement(Protocol):
    """One system that manages customers. Every method raises `AdapterError` and nothing else of its own."""

    async def customers(self, *, at: int, deadline: float) -> CustomerList:
        """Give all customers, as they are at the moment `at`, in epoch milliseconds."""
        ...

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        """Ask to be told of changes at this address, once; gives what the registration is called there, or nothing."""
        ...

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """Take such a registration back."""
        ...
