"""A delivery for billing becomes a record there, or its end, exactly once.

Attempts are counted before they are made, so a first attempt needs no looking; from the second on billing may have heard,
and is asked for our id first. What goes wrong becomes an outcome: to be tried again after a pause, or parked for a person
when trying again would not help.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.billing import Billing, CustomerRef, DowntimeRecord, Record, ServiceRef, UsageRecord
from adapters.delivery.retrying import failed
from adapters.errors import AdapterError
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead, Done, Outcome, settle
from graph.store.store import Store, Transaction

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one delivery; nothing else is learnt by it."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingTeller:
    """`adapters.delivery.delivery.Teller` of a billing system."""

    store: Store
    billing: Billing
    system: str
    """its name."""
    processing_seconds: float = 5.0
    """what it may take at most for a request whose answer was lost."""

    @property
    def retry_at(self) -> float | None:
        """When the breaker lets a request through."""
        return self.billing.retry_at

    async def tell(self, claimed: Claim, *, deadline: float) -> Told:
        """See to it that billing has what the delivery says."""
        try:
            record = record_of(claimed.payload)
            again = claimed.attempts > 1
            theirs = await self.billing.tell(record, again=again, delivery_id=claimed.id, deadline=deadline)
        except (AdapterError, ValueError) as error:
            return Told(outcome=self._failed(claimed, error))
        except Exception as error:  # a fault of ours: it is parked with the others, and does not hold up the lane
            log.exception("a delivery could not be told", system=self.system, delivery=claimed.id)
            return Told(outcome=self._failed(claimed, ValueError(f"A fault of ours: {type(error).__name__}")))
        return Told(outcome=Done(claim=claimed, note=f"there it is {theirs}"))

    async def settle(self, told: Sequence[Told], *, deadline: float) -> None:
        """Write it down."""

        async def work(transaction: Transaction) -> None:
            await settle(transaction, [each.outcome for each in told])

        await self.store.write(work, deadline=deadline)

    async def attend(self) -> None:
        """Wait until cancelled: billing changes nothing that we keep."""
        await asyncio.Event().wait()

    def _failed(self, claimed: Claim, error: Exception) -> Again | Dead:
        return failed(claimed, error, processing_seconds=self.processing_seconds)


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
