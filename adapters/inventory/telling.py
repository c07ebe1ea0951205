"""A delivery for the inventory becomes a resource there that says what it should, once.

The inventory may not notice that it was told before, by this delivery or, where a feed was written before the inventory
was told, by an earlier one. So what is to be made is looked for by our id first, always. A thing is told in the inventory's names: what it lies in, or ends on, may have been made there a moment ago, or
waits for that itself; then it is told later. What goes wrong becomes an outcome, as with every system.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog

from adapters.delivery.retrying import failed
from adapters.errors import AdapterError
from adapters.inventory import Inventory, ResourceOrder
from graph.changes.policy import AlarmPolicy
from graph.errors import GraphError
from graph.inventory.answers import Answered, Named, settle_answers
from graph.inventory.known import their_names
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead, Done
from graph.model.resource import Resource
from graph.store.store import Store

_UNPLACED_MS: Final = 2_000

log = structlog.get_logger(__name__)


class _Unplaced(Exception):
    """The inventory does not know yet what the thing lies in or ends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryTeller:
    """`adapters.delivery.delivery.Teller` of an inventory."""

    store: Store
    inventory: Inventory
    system: str
    policy: AlarmPolicy
    processing_seconds: float
    """what it may take at most for a request whose answer was lost."""

    @property
    def retry_at(self) -> float | None:
        """When the breaker lets a request through."""
        return self.inventory.retry_at

    async def tell(self, claimed: Claim, *, deadline: float) -> Answered:
        """Bring the resource to what the delivery says."""
        try:
            return await self._told(claimed, deadline)
        except (AdapterError, GraphError, ValueError, _Unplaced) as error:
            return Answered(outcome=self._failed(claimed, error))
        except Exception as error:  # a fault of ours: it is parked with the others, and does not hold up the lane
            log.exception("a delivery could not be told", system=self.system, delivery=claimed.id)
            return Answered(outcome=self._failed(claimed, ValueError(f"A fault of ours: {type(error).__name__}")))

    async def settle(self, told: Sequence[Answered], *, deadline: float) -> None:
        """Write it down."""
        subject = f"system:{self.system}"
        await settle_answers(self.store, self.system, self.policy, told, subject=subject, deadline=deadline)

    async def attend(self) -> None:
        """Do nothing else: what the inventory changes by itself comes in its feeds."""
        await asyncio.sleep(math.inf)

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
        found = await self.inventory.find(order.ours, kind=order.resource.kind, deadline=deadline)
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
            raise _Unplaced(f"{self.system} does not know {' and '.join(unknown)} yet")
        new = payload["doing"] == "create"
        resource = Resource(
            kind=told["kind"],
            name=payload["ours"] if new else told["name"],
            inside=names[told["inside"]] if told["inside"] else None,
            ends=(names[told["ends"][0]], names[told["ends"][1]]) if told["ends"] else None,
            properties=told["properties"],
        )
        return ResourceOrder(ours=payload["ours"], resource=resource)

    def _failed(self, claimed: Claim, error: Exception) -> Again | Dead:
        least = _UNPLACED_MS if isinstance(error, _Unplaced) else 0
        return failed(claimed, error, processing_seconds=self.processing_seconds, at_least_ms=least)
