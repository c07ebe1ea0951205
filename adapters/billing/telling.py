"""A delivery for billing becomes a record there, or its end, exactly once.

Attempts are counted before they are made, so a first attempt needs no looking; from the second on billing may have heard,
and is asked for our id first. What goes wrong becomes an outcome (`adapters.delivery.sending`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.billing import Billing, CustomerRef, DowntimeRecord, Record, ServiceRef, UsageRecord
from adapters.delivery.access import Access
from adapters.delivery.attending import Attention, Subscribed, attend
from adapters.delivery.sending import Sender, Sent, sent, settle_sent
from graph.ledger.claims import Claim
from graph.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingTeller:
    """`adapters.delivery.delivery.Teller` of a billing system."""

    store: Store
    billing: Billing
    system: str
    """its name."""
    processing_seconds: float = 5.0
    """what it may take at most for a request whose answer was lost."""

    access: Access = field(default_factory=Access)
    attention: Attention = field(default_factory=Attention)
    """where it tells us what became of usage, if it does."""

    @property
    def retry_at(self) -> float | None:
        """When it makes sense to send anything."""
        return self._sender.retry_at(self.billing.retry_at)

    async def tell(self, claimed: Claim, *, deadline: float) -> Sent:
        """See to it that billing has what the delivery says."""
        return await self._sender.send(claimed, self._told(claimed, deadline), lambda outcome: Sent(outcome=outcome))

    async def settle(self, told: Sequence[Sent], *, deadline: float) -> None:
        """Write it down."""
        await settle_sent(self.store, told, deadline=deadline)

    async def attend(self) -> None:
        """Ask to be told what was rated and billed, until cancelled. Nothing is looked at: what was not told is told again by billing."""
        if isinstance(self.billing, Subscribed) and self.attention.callback:
            await attend(self.store, self.system, self.billing, self.attention, _nothing_to_look_at)
        await asyncio.Event().wait()

    @property
    def _sender(self) -> Sender:
        return Sender(system=self.system, processing_seconds=self.processing_seconds, access=self.access)

    async def _told(self, claimed: Claim, deadline: float) -> Sent:
        record, again = record_of(claimed.payload), claimed.attempts > 1
        theirs = await self.billing.tell(record, again=again, delivery_id=claimed.id, deadline=deadline)
        return sent(claimed, f"there it is {theirs}")


async def _nothing_to_look_at() -> None:
    """Billing is not polled."""


def record_of(payload: Mapping[str, Any]) -> Record:
    """Read what a delivery says."""
    service = ServiceRef(id=payload["service"]["id"], name=payload["service"]["name"])
    match payload["telling"]:
        case "usage":
            return UsageRecord(
                id=payload["id"],
                source=payload["source"],
                external_id=payload["externalId"],
                service=service,
                customer=_customer(payload["customer"]),
                start=payload["from"],
                end=payload["to"],
                octets=payload["octets"],
                mbps=payload["mbps"],
                kind=payload["kind"],
                state=payload["state"],
                is_changed=payload.get("changed", False),
            )
        case "downtime":
            return DowntimeRecord(
                id=payload["id"],
                service=service,
                customer=_customer(payload["customer"]),
                effect=payload["effect"],
                start=payload["from"],
                end=payload["to"],
                alarms=tuple(payload["alarms"]),
                target=payload["availabilityPercent"],
            )
        case other:
            raise ValueError(f"billing is told of usage and downtime, not of {other!r}")


def _customer(told: Mapping[str, str] | None) -> CustomerRef | None:
    return CustomerRef(id=told["id"], name=told["name"], account=told["account"]) if told else None
