"""Inventory: where it is kept which equipment there is. It feeds us, and is told where we know better.

It may keep services too: it is told when the rate of one is another (`ServiceInventory`).

Inventories differ in protocol and words, and what is owed to them is the same: a resource that can be found again under
our own id, that says what the graph says, or that is no longer there. `Inventory` says that much; each dialect says it
to one kind of system. The codecs of the dialects read feeds too: one value, `graph.model.resource.Resource`, either way.

In: a `Resource`, in the names of the inventory. Out: the name that the inventory has for it; or an
`adapters.errors.AdapterError`.

Files, in order of flow: `telling.py` (a delivery becomes a resource there) · this one (what every dialect does) · `outbound/`
(the dialects) · `tmf639_resource.py` (TM Forum's resource: what we write, what we believe) · `mtosi_resource.py` (MTOSI's
elements) · `no_place.py` (what they allow and the graph has no place for) · `inbound/` (what inventories and planners call on us).

Invariants
1. A resource that we make there carries our id, from its first moment on: whoever does not know whether it was heard
   looks for the id before making it again.
2. No method tries twice. When and whether to ask again is the ledger's business.
3. The same resource comes out of every dialect as it went in.

Making what may be there already:

    name = await inventory.find(order, deadline=soon)
    if name is None:
        name = await inventory.create(order, delivery_id="event-9:inventory:card-7d", deadline=soon)
    name                           # the inventory's own: "R-00000017"
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from graph.model.resource import Resource


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceOrder:
    """What the inventory should have of one thing."""

    ours: str
    """our id: stable over making, changing and taking away."""
    resource: Resource
    """in the inventory's names, but for its own where the inventory does not know it yet: then that is our id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRate:
    """What the network carries for a service now."""

    name: str
    """the inventory's own id of the service."""
    mbps: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewService:
    """A service that is new, and in use."""

    ours: str
    """our id."""
    name: str
    specification: str
    """what kind of service it is."""
    mbps: int
    customer: str
    """our id of whose it is,"""
    customer_name: str
    ports: tuple[str, ...]
    """the names of what it runs over, in the inventory's words where it has some: its ports, A first,"""
    trunks: tuple[str, ...]
    """and its trunks."""


class ServiceInventory(Protocol):
    """An inventory that keeps services. It raises `AdapterError` and nothing else of its own."""

    async def add_service(self, new: NewService, *, delivery_id: str, deadline: float) -> str:
        """Have a service there that bears our id, once, and give its own id there."""
        ...

    async def set_rate(self, rate: ServiceRate, *, delivery_id: str, deadline: float) -> None:
        """Bring what is there to the rate, once; a service that is not there is Rejected, 404."""
        ...


class Inventory(Protocol):
    """One inventory. Every method raises `AdapterError` and nothing else of its own."""

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now. Until then each one is Unreachable."""
        ...

    async def find(self, order: ResourceOrder, *, deadline: float) -> str | None:
        """Give the inventory's name of what was made there for this order; None when there is none."""
        ...

    async def create(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> str:
        """Make it, and give its name there. Whether it is there already was asked before."""
        ...

    async def amend(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> None:
        """Bring what is there under `order.resource.name` to what the order says; what is gone is Rejected, 404."""
        ...

    async def remove(self, order: ResourceOrder, *, delivery_id: str, deadline: float) -> None:
        """Say that it is there no more; one that is gone already is no error."""
        ...
