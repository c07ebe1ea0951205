"""A delivery to the network becomes a rate there, exactly once, and what the network says of it becomes what the graph knows.

The rate that is set is the one that the service should have now, not the one of when the delivery was written: a boundary that is late,
or that was overtaken by another one, must not set a rate of the past. From the second attempt on the network is observed first. A
refusal ends the delivery, since a parked one would hold up the return behind it; whether and when to ask again is decided by
`graph/changes/bandwidth/`, in the same transaction.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, assert_never

from adapters.delivery.access import Access
from adapters.delivery.sending import Sender
from adapters.provisioning import Provisioning, RateConfirmed, RateRefused, RateRequest, ServiceRef
from graph.changes.bandwidth import network
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done, Outcome, settle
from graph.store.store import Store, Transaction

News: TypeAlias = RateConfirmed | RateRefused | None
"""What the network has said; None: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What became of one delivery, and what is known of the network by it."""

    outcome: Outcome
    news: News = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningHandler:
    """`adapters.delivery.delivery.Teller` of what sets rates in the network."""

    store: Store
    provisioning: Provisioning
    policy: BandwidthPolicy
    processing_seconds: float = 5.0
    """what it may take at most for a request whose answer was lost."""
    access: Access = field(default_factory=Access)

    @property
    def system(self) -> str:
        """The system's name."""
        return self.policy.provisioning

    @property
    def retry_at(self) -> float | None:
        """When it makes sense to send anything."""
        return self._sender.retry_at(self.provisioning.retry_at)

    async def tell(self, claimed: Claim, *, deadline: float) -> Provisioned:
        """Bring the service to the rate that it should have now."""
        return await self._sender.send(
            claimed, self._sent(claimed, deadline), lambda outcome: Provisioned(outcome=outcome)
        )

    async def settle(self, told: Sequence[Provisioned], *, deadline: float) -> None:
        """Write down what became of deliveries, and what the network carries since, in one transaction."""

        async def work(transaction: Transaction) -> None:
            heard = [each for each in told if each.news is not None]
            await network.hold(transaction, {_service(each.outcome.claim).id for each in heard})
            taken = await settle(transaction, [each.outcome for each in told])
            for each in heard:
                if each.outcome.claim.id in taken:
                    await self._note(transaction, each)

        await self.store.write(work, deadline=deadline)

    async def attend(self) -> None:
        """Do nothing else: what the network changes by itself is not asked for."""
        await asyncio.sleep(math.inf)

    @property
    def _sender(self) -> Sender:
        return Sender(system=self.system, processing_seconds=self.processing_seconds, access=self.access)

    async def _sent(self, claimed: Claim, deadline: float) -> Provisioned:
        service = _service(claimed)
        wanted = await network.wanted_rate(self.store, service.id, deadline=deadline)
        if wanted is None:
            return Provisioned(outcome=Done(claim=claimed, note="there is no such service any more"))
        request, again = RateRequest(service=service, mbps=wanted), claimed.attempts > 1
        try:
            confirmed = await self.provisioning.set_rate(
                request, again=again, delivery_id=claimed.id, deadline=deadline
            )
        except RateRefused as refused:
            return Provisioned(outcome=Done(claim=claimed, note=_why(refused), receipt=""), news=refused)
        done = Done(claim=claimed, note=_how(confirmed, wanted), receipt=_receipt(confirmed))
        return Provisioned(outcome=done, news=confirmed)

    async def _note(self, transaction: Transaction, sent: Provisioned) -> None:
        claimed = sent.outcome.claim
        given = {"service": _service(claimed).id, "delivery": claimed.id}
        match sent.news:
            case RateConfirmed(mbps=mbps, reference=reference):
                await network.confirmed(transaction, self.policy, mbps=mbps, reference=reference, **given)
            case RateRefused() as refused:
                await network.refused(transaction, self.policy, reason=refused.reason, **given)
            case None:
                pass
            case never:
                assert_never(never)


def _service(claimed: Claim) -> ServiceRef:
    """Read of which service a delivery is."""
    payload: Mapping[str, Any] = claimed.payload
    if payload["telling"] != "rate":
        raise ValueError(f"the network is told of rates, not of {payload['telling']!r}")
    return ServiceRef(id=payload["service"]["id"], name=payload["service"]["name"])


def _how(confirmed: RateConfirmed, wanted: int) -> str:
    """Say for operators how it went."""
    if confirmed.mbps != wanted:
        return f"the network carries {confirmed.mbps} Mbit/s, and was asked for {wanted} ({confirmed.reference})"
    if confirmed.is_old:
        return f"the network carries {confirmed.mbps} Mbit/s already"
    return f"the network carries {confirmed.mbps} Mbit/s ({confirmed.reference})"


def _receipt(confirmed: RateConfirmed) -> str:
    """Say for customers how it went: the reference may name devices, which they do not know of."""
    return f"the network carries {confirmed.mbps} Mbit/s"


def _why(refused: RateRefused) -> str:
    """Say for operators why it was refused, with the start of what the system said."""
    return f"refused: {refused.reason}" + (f": {refused.answer}" if refused.answer else "")
