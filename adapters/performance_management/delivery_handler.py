"""A delivery for performance monitoring becomes a measurement job there, with the rate and the promise of now.

The delivery says what the network carries since a rate was confirmed. What the contract promises is read when it is sent, so that
a contract that changed meanwhile counts. Deliveries of one service are sent in their order, so the last rate is what remains.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.delivery.access import Access
from adapters.delivery.sending import Sender, Sent, sent, settle_sent
from adapters.performance_management import MeasurementOrder, PerformanceManagement, ServiceRef
from graph.changes.services.promised import Promise, promise_of
from graph.ledger.claims import Claim
from graph.model.thresholds import Thresholds
from graph.store.store import Store

RATE: Final = "rate"
"""What the payload of such a delivery says it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PerformanceHandler:
    """`adapters.delivery.delivery.Teller` of a performance monitoring system."""

    store: Store
    performance: PerformanceManagement
    system: str
    """its name."""
    thresholds: Thresholds
    processing_seconds: float = 5.0
    """what it may take at most for a request whose answer was lost."""

    access: Access = field(default_factory=Access)

    @property
    def retry_at(self) -> float | None:
        """When it makes sense to send anything."""
        return self._sender.retry_at(self.performance.retry_at)

    async def tell(self, claimed: Claim, *, deadline: float) -> Sent:
        """See to it that the service is measured as the delivery says."""
        return await self._sender.send(claimed, self._told(claimed, deadline), lambda outcome: Sent(outcome=outcome))

    async def settle(self, told: Sequence[Sent], *, deadline: float) -> None:
        """Write it down."""
        await settle_sent(self.store, told, deadline=deadline)

    async def attend(self) -> None:
        """Do nothing else: what crosses a threshold comes in as an alarm."""
        await asyncio.sleep(math.inf)

    @property
    def _sender(self) -> Sender:
        return Sender(system=self.system, processing_seconds=self.processing_seconds, access=self.access)

    async def _told(self, claimed: Claim, deadline: float) -> Sent:
        if claimed.payload["telling"] != RATE:
            raise ValueError(f"performance monitoring is told of rates, not of {claimed.payload['telling']!r}")
        promise = await promise_of(self.store, claimed.payload["service"]["id"], deadline=deadline)
        order = self._order(claimed, promise)
        job = await self.performance.measure(order, delivery_id=claimed.id, deadline=deadline)
        return sent(claimed, f"there it is {job}" if job else "it is not measured there")

    def _order(self, claimed: Claim, promise: Promise) -> MeasurementOrder:
        payload = claimed.payload
        tier = promise.tier or payload.get("tier")
        return MeasurementOrder(
            service=ServiceRef(id=payload["service"]["id"], name=payload["service"]["name"]),
            mbps=payload["mbps"],
            committed_mbps=payload["committedMbps"],
            load_mbps=self.thresholds.load_mbps(tier, payload["mbps"]),
            availability_percent=promise.availability_percent,
            is_over=payload.get("over", False),
        )
