"""A delivery for sales becomes a lead there, exactly once; and what became of it there becomes known here.

Attempts are counted before they are made, so a first attempt needs no looking; from the second on sales may have heard. What sales
makes of a lead is looked at again and again, until it is decided there.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from adapters.delivery.access import Access
from adapters.delivery.sending import Sender
from adapters.errors import AdapterError
from adapters.sales import LeadOrder, Named, Sales
from graph.changes.leads import Known, Sold, note_states, open_leads, settle_leads
from graph.errors import GraphError
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done
from graph.store.store import Store

LEAD: Final = "lead"
"""What the payload of such a delivery says it is."""
_AT_ONCE: Final = 50
_DAY_MS: Final = 86_400_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SalesHandler:
    """`adapters.delivery.delivery.Teller` of a sales system."""

    store: Store
    sales: Sales
    system: str
    """its name."""
    valid_days: int = 90
    """for how long a lead is of use."""
    poll_seconds: float = 300.0
    """between looks at what became of leads."""
    request_seconds: float = 5.0
    processing_seconds: float = 5.0
    """what it may take at most for a request whose answer was lost."""

    access: Access = field(default_factory=Access)

    @property
    def retry_at(self) -> float | None:
        """When it makes sense to send anything."""
        return self._sender.retry_at(self.sales.retry_at)

    async def tell(self, claimed: Claim, *, deadline: float) -> Sold:
        """See to it that sales has the lead."""
        return await self._sender.send(claimed, self._told(claimed, deadline), lambda outcome: Sold(outcome=outcome))

    async def settle(self, told: Sequence[Sold], *, deadline: float) -> None:
        """Write it down, with what sales calls each lead."""
        await settle_leads(self.store, self.system, told, deadline=deadline)

    async def attend(self) -> None:
        """Look what became of leads that are not decided, until cancelled; say once why that does not work."""
        before = ""
        while True:
            reason = await self._looked()
            if reason and reason != before:
                log.warning("what became of leads could not be looked at", system=self.system, reason=reason)
            before = reason
            await asyncio.sleep(self.poll_seconds)

    async def look(self) -> None:
        """Look once at all of them."""
        after = ""
        while some := await open_leads(self.store, self.system, after=after, most=_AT_ONCE, deadline=self._soon()):
            found = await self.sales.leads(some, deadline=self._soon())
            known = [Known(lead=each.ours, name=each.id, state=each.state) for each in found]
            await note_states(self.store, self.system, known, deadline=self._soon())
            after = some[-1]

    @property
    def _sender(self) -> Sender:
        return Sender(system=self.system, processing_seconds=self.processing_seconds, access=self.access)

    async def _looked(self) -> str:
        try:
            await self.look()
        except (AdapterError, GraphError) as error:
            return str(error)
        except Exception as error:  # a fault of ours: the next look may be without it
            log.exception("what became of leads could not be looked at", system=self.system)
            return type(error).__name__
        return ""

    async def _told(self, claimed: Claim, deadline: float) -> Sold:
        order, again = order_of(claimed.payload, self.valid_days), claimed.attempts > 1
        their = await self.sales.tell(order, again=again, delivery_id=claimed.id, deadline=deadline)
        known = Known(lead=order.id, name=their.id, state=their.state)
        return Sold(outcome=Done(claim=claimed, note=f"there it is {their.id}"), known=known)

    def _soon(self) -> float:
        return time.monotonic() + self.request_seconds


def order_of(payload: Mapping[str, Any], valid_days: int) -> LeadOrder:
    """Read what a delivery says; raises ValueError for what is about no lead."""
    if payload["telling"] != LEAD:
        raise ValueError(f"sales is told of leads, not of {payload['telling']!r}")
    customer = payload.get("customer")
    return LeadOrder(
        id=payload["id"],
        reason=payload["reason"],
        evidence=tuple(map(_sentence, payload["evidence"])),
        service=_named(payload["service"]),
        customer=_named(customer) if customer else None,
        at=payload["at"],
        until=payload["at"] + valid_days * _DAY_MS,
    )


def _named(told: Mapping[str, Any]) -> Named:
    return Named(id=told["id"], name=told.get("name") or told["id"])


def _sentence(evidence: object) -> str:
    """Say one piece of evidence: a sentence as it is, an object by the names of its values.

    >>> _sentence("3 boosts in 30 days"), _sentence({"boost": "boost-1", "mbps": 400})
    ('3 boosts in 30 days', 'boost boost-1, mbps 400')
    """
    if isinstance(evidence, Mapping):
        return ", ".join(f"{name} {value}" for name, value in evidence.items())
    return str(evidence)
