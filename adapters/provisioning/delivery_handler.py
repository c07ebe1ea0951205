"""A delivery to the network becomes a rate or a service there, exactly once, and what the network says of it becomes what the graph knows.

The rate that is set is the one that the service should have now, not the one of when the delivery was written: a boundary that is late,
or that was overtaken by another one, must not set a rate of the past. From the second attempt on the network is observed first. A
refusal ends the delivery, since a parked one would hold up the return behind it; whether and when to ask again is decided by
`graph/changes/bandwidth/`, in the same transaction. So is it where the answer is not understood, or never came: nobody knows then what
the network carries. What the network says of a new service is settled by `graph/changes/fulfilment/`, each in a transaction of its own.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, assert_never

import structlog

from adapters.delivery.access import Access
from adapters.delivery.sending import Sender
from adapters.provisioning import (
    NewService,
    Provisioning,
    RateConfirmed,
    RateRefused,
    RateRequest,
    ResourceRef,
    ServiceRef,
)
from graph.changes.alarms.consequences import OURSELVES, By
from graph.changes.bandwidth import network
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.fulfilment import network as fulfilment
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.changes.fulfilment.sending import TELLING, Asked, asked_by, is_wanted
from graph.changes.orders.known import Order
from graph.changes.policy import AlarmPolicy
from graph.errors import DeadlineExceeded, StoreUnavailable
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead, Done, Outcome, settle
from graph.ledger.retry import pause_ms
from graph.store.store import Store, Transaction

log = structlog.get_logger(__name__)

_FAULT_MS: Final = 1_000
"""before what could not be settled is looked at again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """The network does not have a service any more."""


News: TypeAlias = RateConfirmed | RateRefused | Removed | None
"""What the network has said; None: nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provisioned:
    """What became of one delivery, and what is known of the network by it."""

    outcome: Outcome
    news: News = None
    asked_mbps: int = 0
    """the rate that the network was asked for, where there are news."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningHandler:
    """`adapters.delivery.delivery.Teller` of what sets rates in the network."""

    store: Store
    provisioning: Provisioning
    policy: BandwidthPolicy
    alarms: AlarmPolicy = field(default_factory=AlarmPolicy)
    """by which what is open on a new service hits it."""
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
        return await self._sender.send(claimed, self._sent(claimed, deadline), _without_answer)

    async def settle(self, told: Sequence[Provisioned], *, deadline: float) -> None:
        """Write down what became of deliveries, and what the network carries since.

        All in one transaction, or each in its own where that fails: a service whose turn cannot be worked out holds up no other one,
        and is looked at again.
        """
        try:
            await self._settle(told, deadline)
        except (StoreUnavailable, DeadlineExceeded):
            raise
        except Exception:  # a fault of ours, of one of them
            log.exception("what the network says is settled one by one", system=self.system)
            for each in told:
                await self._settle_alone(each, deadline)

    async def _settle_alone(self, told: Provisioned, deadline: float) -> None:
        try:
            await self._settle([told], deadline)
        except (StoreUnavailable, DeadlineExceeded):
            raise
        except Exception as own:  # it must be seen, and must not hold up the others
            log.exception("what the network says of a service cannot be settled", delivery=told.outcome.claim.id)
            claimed = told.outcome.claim
            fault = f"A fault of ours: {type(own).__name__}"
            again = Again(claim=claimed, error=fault, pause_ms=pause_ms(claimed.attempts, at_least_ms=_FAULT_MS))
            await self._settle([Provisioned(outcome=again)], deadline)

    async def _settle(self, told: Sequence[Provisioned], deadline: float) -> None:
        new = [each for each in told if each.news is not None and _is_of_service(each.outcome.claim)]
        for each in new:
            await self._settle_service(each, deadline)
        if rest := [each for each in told if each not in new]:
            await self._settle_rates(rest, deadline)

    async def _settle_rates(self, told: Sequence[Provisioned], deadline: float) -> None:
        async def work(transaction: Transaction) -> None:
            heard = sorted((each for each in told if each.news is not None), key=_order)
            await network.hold(transaction, {_service(each.outcome.claim).id for each in heard})
            taken = await settle(transaction, [each.outcome for each in told])
            for each in heard:
                if each.outcome.claim.id in taken:
                    await self._note(transaction, each)

        await self.store.write(work, deadline=deadline)

    async def _settle_service(self, told: Provisioned, deadline: float) -> None:
        by, asked = By(principal=OURSELVES, policy=self.alarms), asked_by(told.outcome.claim.payload)

        async def work(transaction: Transaction) -> None:
            order = await fulfilment.hold(transaction, asked)
            taken = await settle(transaction, [told.outcome])
            if order is not None and told.outcome.claim.id in taken:
                await self._note_service(transaction, by, order, asked, told)

        await self.store.write(work, deadline=deadline)

    async def attend(self) -> None:
        """Do nothing else: what the network changes by itself is not asked for."""
        await asyncio.sleep(math.inf)

    @property
    def _sender(self) -> Sender:
        return Sender(system=self.system, processing_seconds=self.processing_seconds, access=self.access)

    async def _sent(self, claimed: Claim, deadline: float) -> Provisioned:
        if _is_of_service(claimed):
            return await self._sent_service(claimed, deadline)
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
            return Provisioned(
                outcome=Done(claim=claimed, note=_why(refused), receipt=""), news=refused, asked_mbps=wanted
            )
        done = Done(claim=claimed, note=_how(confirmed, wanted), receipt=_receipt(confirmed))
        return Provisioned(outcome=done, news=confirmed, asked_mbps=wanted)

    async def _sent_service(self, claimed: Claim, deadline: float) -> Provisioned:
        """Have a new service made, where it is still wanted, or taken away."""
        asked, new = asked_by(claimed.payload), _new_service(claimed.payload)
        try:
            if claimed.payload["doing"] == "delete":
                doubt = str(claimed.payload["doubt"])
                await self.provisioning.delete_service(
                    new.service, doubt=doubt, delivery_id=claimed.id, deadline=deadline
                )
                note = "the network does not have it any more"
                return Provisioned(outcome=Done(claim=claimed, note=note, receipt="taken away"), news=Removed())
            if not await is_wanted(self.store, asked, deadline=deadline):
                return Provisioned(outcome=Done(claim=claimed, note="it is not wanted any more", receipt=""))
            again = claimed.attempts > 1
            confirmed = await self.provisioning.create_service(
                new, again=again, delivery_id=claimed.id, deadline=deadline
            )
        except RateRefused as refused:
            done = Done(claim=claimed, note=_why(refused), receipt="")
            return Provisioned(outcome=done, news=refused, asked_mbps=new.mbps)
        done = Done(claim=claimed, note=_how(confirmed, new.mbps), receipt=_receipt(confirmed))
        return Provisioned(outcome=done, news=confirmed, asked_mbps=new.mbps)

    async def _note_service(
        self, transaction: Transaction, by: By, order: Order, asked: Asked, sent: Provisioned
    ) -> None:
        policy = FulfilmentPolicy(alarms=self.alarms, selling=self.policy)
        is_removal = sent.outcome.claim.payload["doing"] == "delete"
        match sent.news:
            case RateConfirmed(mbps=mbps):
                rates = {"mbps": mbps, "asked_mbps": sent.asked_mbps}
                await fulfilment.confirmed(transaction, policy, by, order, asked, **rates)
            case Removed():
                await fulfilment.removed(transaction, order, asked)
            case RateRefused() as lost if is_removal:
                fulfilment.not_removed(transaction, order, asked, reason=_said(lost))
            case RateRefused(may_have_happened=True) as lost:
                why = _said(lost)
                await fulfilment.unknown(transaction, policy, order, asked, reason=why, may_come=lost.may_come)
            case RateRefused() as lost:
                await fulfilment.refused(transaction, order, asked, reason=_said(lost))
            case None:
                pass
            case never:
                assert_never(never)

    async def _note(self, transaction: Transaction, sent: Provisioned) -> None:
        claimed = sent.outcome.claim
        given: dict[str, Any] = {"service": _service(claimed).id, "delivery": claimed.id}
        match sent.news:
            case RateConfirmed(mbps=mbps, reference=reference):
                given |= {"mbps": mbps, "asked_mbps": sent.asked_mbps}
                await network.confirmed(transaction, self.policy, reference=reference, **given)
            case RateRefused(may_have_happened=True) as lost:
                asked = sent.asked_mbps
                await network.unknown(transaction, self.policy, reason=lost.reason, asked_mbps=asked, **given)
            case RateRefused() as refused:
                await network.refused(transaction, self.policy, reason=refused.reason, **given)
            case Removed() | None:  # of rates nothing is removed
                pass
            case never:
                assert_never(never)


def _without_answer(outcome: Outcome) -> Provisioned:
    """Make what becomes of a delivery that raised: given up, it may have been heard, and the network is asked again by the graph."""
    if not isinstance(outcome, Dead) or outcome.claim.payload["telling"] not in ("rate", TELLING):
        return Provisioned(outcome=outcome)
    lost = RateRefused(outcome.error, answer=outcome.answer or "", may_come=True)
    done = Done(claim=outcome.claim, note=_why(lost), receipt="")
    return Provisioned(outcome=done, news=lost, asked_mbps=outcome.claim.payload["mbps"])


def _is_of_service(claimed: Claim) -> bool:
    """Tell whether a delivery is about making a service, or taking it away."""
    return bool(claimed.payload["telling"] == TELLING)


def _new_service(payload: Mapping[str, Any]) -> NewService:
    """Read what a delivery says of a service."""
    return NewService(
        service=ServiceRef(id=payload["service"]["id"], name=payload["service"]["name"]),
        specification=payload["specification"],
        mbps=payload["mbps"],
        ends=tuple(ResourceRef(id=each["id"], name=each["name"], role=each["end"]) for each in payload["ends"]),
        ways=tuple(ResourceRef(id=each["id"], name=each["name"], role=each["path"]) for each in payload["ways"]),
    )


def _order(sent: Provisioned) -> tuple[str, int]:
    """Give the order in which services are locked."""
    return sent.outcome.claim.order_key, sent.outcome.claim.version


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
    return f"refused: {_said(refused)}"


def _said(refused: RateRefused) -> str:
    return refused.reason + (f": {refused.answer}" if refused.answer else "")
