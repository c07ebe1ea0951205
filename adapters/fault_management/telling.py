"""A delivery for the fault management system becomes what it knows of that alarm, once in effect.

The other system does not notice that it was told before. So it is asked by our id before anything is told but the first
news of an alarm at the first attempt. What goes wrong becomes an outcome: to be tried again, or parked for a person.

Their people take note of alarms too. That is learnt by looking, and by its events where it sends any; it is believed
unless something still waits to be told of that alarm.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from adapters.delivery.retrying import failed
from adapters.errors import AdapterError, Rejected
from adapters.fault_management import AlarmOrder, FaultManagement
from adapters.fault_management.outbound.ordering import object_name, order_of
from graph.changes.alarms.acknowledge import hear_acknowledged
from graph.changes.policy import AlarmPolicy
from graph.errors import GraphError
from graph.inventory.names import keep_told_name, object_of
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead, Done, Outcome, settle
from graph.store.store import Store, Transaction

_GONE: Final = 404
_HEARD_AT_ONCE: Final = 50

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """How it is learnt what their people do."""

    poll_seconds: float = 60.0
    callback: str = ""
    """where it tells us by itself; empty: it is only looked at."""
    request_seconds: float = 5.0
    processing_seconds: float = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of one delivery; `adapters.delivery.delivery` wants no more of it."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmTeller:
    """`adapters.delivery.delivery.Teller` of a fault management system."""

    store: Store
    fault_management: FaultManagement
    policy: AlarmPolicy
    attention: Attention

    @property
    def system(self) -> str:
        """The system's name."""
        return self.policy.fault_management.name if self.policy.fault_management else ""

    @property
    def retry_at(self) -> float | None:
        """When the breaker lets a request through."""
        return self.fault_management.retry_at

    async def tell(self, claimed: Claim, *, deadline: float) -> Answered:
        """Bring what they know of the alarm to what the delivery says."""
        try:
            note = await self._told(claimed, deadline)
            return Answered(outcome=Done(claim=claimed, note=note))
        except (AdapterError, GraphError, ValueError) as error:
            return Answered(outcome=self._failed(claimed, error))
        except Exception as error:  # a fault of ours: it is parked with the others, and does not hold up the lane
            log.exception("a delivery could not be told", system=self.system, delivery=claimed.id)
            return Answered(outcome=self._failed(claimed, ValueError(f"A fault of ours: {type(error).__name__}")))

    async def settle(self, told: Sequence[Answered], *, deadline: float) -> None:
        """Write it down."""

        async def work(transaction: Transaction) -> None:
            await settle(transaction, [each.outcome for each in told])

        await self.store.write(work, deadline=deadline)

    async def attend(self) -> None:
        """Ask to be told, and look what their people have taken note of, until cancelled."""
        while True:
            try:
                deadline = time.monotonic() + self.attention.request_seconds
                if self.attention.callback:
                    await self.fault_management.subscribe(self.attention.callback, deadline=deadline)
                await self._poll()
            except (AdapterError, GraphError) as error:
                log.warning("alarms could not be looked at", system=self.system, reason=str(error))
            except Exception:  # a fault of ours: the next look may be without it
                log.exception("alarms could not be looked at", system=self.system)
            await asyncio.sleep(self.attention.poll_seconds)

    async def _poll(self) -> None:
        seconds = self.attention.request_seconds
        found = list(await self.fault_management.acknowledged(deadline=time.monotonic() + seconds))
        for start in range(0, len(found), _HEARD_AT_ONCE):
            chunk = found[start : start + _HEARD_AT_ONCE]
            await hear_acknowledged(self.store, self.policy, chunk, deadline=time.monotonic() + seconds)

    async def _told(self, claimed: Claim, deadline: float) -> str | None:
        """Tell it; gives what is worth knowing of how it went."""
        order = await self._named(order_of(claimed.payload), deadline)
        if claimed.attempts > 1 or not order.is_new or order.is_theirs:
            their = await self.fault_management.find(order, deadline=deadline)
            if their is not None:
                try:
                    await self.fault_management.amend(their, order, delivery_id=claimed.id, deadline=deadline)
                except Rejected as rejected:
                    if rejected.status != _GONE:
                        raise
                else:
                    return None
            if order.is_theirs or order.is_cleared:
                return "they have no such alarm"
        return await self._reported(claimed, order, deadline)

    async def _named(self, order: AlarmOrder, deadline: float) -> AlarmOrder:
        """Say what the alarm is on, as the system knows it; an alarm of theirs is named as they did."""
        if order.is_theirs or not self.fault_management.names_objects:
            return order
        hearing, source = self.policy.fault_management, str(order.body["sourceSystemId"])
        systems = (*((hearing.name, *sorted(hearing.sources)) if hearing else ()), source, self.policy.inventory)
        found = await object_of(self.store, order.id, systems, deadline=deadline)
        name = found.told or object_name(order.body, found)
        if not found.told:
            name = await keep_told_name(self.store, order.id, name, deadline=deadline)
        return replace(order, object_name=name)

    async def _reported(self, claimed: Claim, order: AlarmOrder, deadline: float) -> str | None:
        await self.fault_management.report(order, delivery_id=claimed.id, deadline=deadline)
        return None

    def _failed(self, claimed: Claim, error: Exception) -> Again | Dead:
        return failed(claimed, error, processing_seconds=self.attention.processing_seconds)
