"""A delivery for the inventory becomes a resource there that says what it should, once.

The inventory may not notice that it was told before, by this delivery or, where a feed was written before the inventory
was told, by an earlier one. So what is to be made is looked for by our id first, always. A thing is told in the inventory's names: what it lies in, or ends on, may have been made there a moment ago, or
waits for that itself; then it is told later. A service's rate is told to who keeps services, which may be at another address. What goes wrong becomes an outcome, as with every system.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adapters.delivery.access import Access
from adapters.delivery.retrying import Waits
from adapters.delivery.sending import Sender
from adapters.inventory import Inventory, NewService, ResourceOrder, ServiceInventory, ServiceRate
from graph.changes.policy import AlarmPolicy
from graph.inventory.answers import Answered, Named, settle_answers
from graph.inventory.known import their_names
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done
from graph.model.resource import Resource
from graph.store.store import Store

RATE: Final = "rate"
"""What the payload of a delivery says that is about the rate of a service."""
SERVICE: Final = "service"
"""And of one that is about a new service."""
_UNPLACED_MS: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryTeller:
    """`adapters.delivery.delivery.Teller` of an inventory."""

    store: Store
    inventory: Inventory
    system: str
    policy: AlarmPolicy
    processing_seconds: float
    """what it may take at most for a request whose answer was lost."""

    access: Access = field(default_factory=Access)
    services: ServiceInventory | None = None
    """who keeps services; None: nobody does."""
    services_access: Access = field(default_factory=Access)
    """apart, since services may be at another address: what is wrong with that one holds up no equipment."""

    @property
    def retry_at(self) -> float | None:
        """When it makes sense to send anything."""
        return self._sender.retry_at(self.inventory.retry_at)

    async def tell(self, claimed: Claim, *, deadline: float) -> Answered:
        """Bring the resource, or the service, to what the delivery says."""
        is_of_service = claimed.payload.get("telling") in (RATE, SERVICE)
        sender = replace(self._sender, access=self.services_access) if is_of_service else self._sender
        sending = self._of_service(claimed, deadline) if is_of_service else self._told(claimed, deadline)
        return await sender.send(claimed, sending, lambda outcome: Answered(outcome=outcome))

    async def settle(self, told: Sequence[Answered], *, deadline: float) -> None:
        """Write it down."""
        subject = f"system:{self.system}"
        await settle_answers(self.store, self.system, self.policy, told, subject=subject, deadline=deadline)

    async def attend(self) -> None:
        """Do nothing else: what the inventory changes by itself comes in its feeds."""
        await asyncio.sleep(math.inf)

    @property
    def _sender(self) -> Sender:
        return Sender(system=self.system, processing_seconds=self.processing_seconds, access=self.access)

    async def _of_service(self, claimed: Claim, deadline: float) -> Answered:
        if self.services is None:
            return Answered(outcome=Done(claim=claimed, note=f"{self.system} keeps no services"))
        telling = self._added if claimed.payload["telling"] == SERVICE else self._rated
        return await telling(self.services, claimed, deadline)

    async def _added(self, services: ServiceInventory, claimed: Claim, deadline: float) -> Answered:
        """Have a new service there; what the inventory calls it is learnt with it."""
        payload = claimed.payload
        ports, trunks = ([each["id"] for each in payload[name]] for name in ("ends", "ways"))
        names = await their_names(self.store, self.system, (*ports, *trunks), deadline=deadline)
        new = NewService(
            ours=payload["service"]["id"],
            name=payload["service"]["name"],
            specification=payload["specification"],
            mbps=payload["mbps"],
            customer=payload["customer"]["id"],
            customer_name=payload["customer"]["name"],
            ports=tuple(names.get(each, each) for each in ports),
            trunks=tuple(names.get(each, each) for each in dict.fromkeys(trunks)),
        )
        their_id = await services.add_service(new, delivery_id=claimed.id, deadline=deadline)
        done = Done(claim=claimed, note=f"there it is {their_id}")
        return Answered(outcome=done, named=Named(resource=new.ours, name=their_id))

    async def _rated(self, services: ServiceInventory, claimed: Claim, deadline: float) -> Answered:
        """Say what a service's rate is now; one that the inventory has no name for has our id there."""
        service = str(claimed.payload["service"]["id"])
        names = await their_names(self.store, self.system, [service], deadline=deadline)
        rate = ServiceRate(name=names.get(service, service), mbps=claimed.payload["mbps"])
        await services.set_rate(rate, delivery_id=claimed.id, deadline=deadline)
        return Answered(outcome=Done(claim=claimed, note=f"there it is {rate.name}"))

    async def _told(self, claimed: Claim, deadline: float) -> Answered:
        payload = claimed.payload
        order = await self._order(payload, deadline)
        match payload["doing"]:
            case "create":
                name = await self._made(claimed, order, deadline)
                return Answered(outcome=Done(claim=claimed), named=Named(resource=order.ours, name=name))
            case "amend":
                await self.inventory.amend(order, delivery_id=claimed.id, deadline=deadline)
            case _:
                await self.inventory.remove(order, delivery_id=claimed.id, deadline=deadline)
        return Answered(outcome=Done(claim=claimed))

    async def _made(self, claimed: Claim, order: ResourceOrder, deadline: float) -> str:
        found = await self.inventory.find(order, deadline=deadline)
        if found is not None:
            return found
        return await self.inventory.create(order, delivery_id=claimed.id, deadline=deadline)

    async def _order(self, payload: Mapping[str, Any], deadline: float) -> ResourceOrder:
        """Say it in the inventory's names."""
        told = payload["resource"]
        wanted = [*([told["inside"]] if told["inside"] else []), *(told["ends"] or ())]
        names = await their_names(self.store, self.system, wanted, deadline=deadline)
        if told["kind"] == "NetworkElement" and told["inside"]:
            names.setdefault(told["inside"], told["insideName"])  # a site is told by its own name as well
        if unknown := [each for each in wanted if each not in names]:
            reason = f"{self.system} does not know {' and '.join(unknown)} yet"
            raise Waits(reason, at_least_ms=_UNPLACED_MS)
        new = payload["doing"] == "create"
        resource = Resource(
            kind=told["kind"],
            name=payload["ours"] if new else told["name"],
            inside=names[told["inside"]] if told["inside"] else None,
            ends=(names[told["ends"][0]], names[told["ends"][1]]) if told["ends"] else None,
            properties=told["properties"],
        )
        return ResourceOrder(ours=payload["ours"], resource=resource)
