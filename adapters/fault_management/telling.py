"""A delivery for the fault management system becomes what it knows of that alarm, or an event that it hears, once in effect.

The other system does not notice that it was told before. So it is asked by our id before anything is told but the first
news of an alarm at the first attempt. What goes wrong becomes an outcome (`adapters.delivery.sending`).

Their people take note of alarms too. That is learnt by looking, and by its events where it sends any; it is believed
unless something still waits to be told of that alarm.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from adapters.delivery.access import Access
from adapters.delivery.attending import Attention, attend
from adapters.delivery.sending import Sender, Sent, sent, settle_sent
from adapters.errors import Rejected
from adapters.event_words import notice_of
from adapters.fault_management import AlarmOrder, FaultManagement, Notified
from adapters.fault_management.outbound.ordering import object_name, order_of
from graph.changes.alarms.acknowledge import hear_acknowledged
from graph.changes.notices import TELLING
from graph.changes.policy import AlarmPolicy
from graph.inventory.names import keep_told_name, object_of
from graph.ledger.claims import Claim
from graph.store.store import Store

_GONE: Final = 404
_HEARD_AT_ONCE: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmTeller:
    """`adapters.delivery.delivery.Teller` of a fault management system."""

    store: Store
    fault_management: FaultManagement
    policy: AlarmPolicy
    attention: Attention
    notified: Notified | None = None
    """who is told of other events; None: nobody, as the settings have none of them."""
    access: Access = field(default_factory=Access)

    @property
    def system(self) -> str:
        """The system's name."""
        return self.policy.fault_management.name if self.policy.fault_management else ""

    @property
    def retry_at(self) -> float | None:
        """When it makes sense to send anything."""
        return self._sender.retry_at(self.fault_management.retry_at)

    async def tell(self, claimed: Claim, *, deadline: float) -> Sent:
        """Bring what they know of the alarm to what the delivery says."""
        return await self._sender.send(claimed, self._told(claimed, deadline), lambda outcome: Sent(outcome=outcome))

    async def settle(self, told: Sequence[Sent], *, deadline: float) -> None:
        """Write it down."""
        await settle_sent(self.store, told, deadline=deadline)

    async def attend(self) -> None:
        """Ask to be told, and look what their people have taken note of, until cancelled."""
        await attend(self.store, self.system, self.fault_management, self.attention, self._poll)

    @property
    def _sender(self) -> Sender:
        return Sender(system=self.system, processing_seconds=self.attention.processing_seconds, access=self.access)

    async def _poll(self) -> None:
        seconds = self.attention.request_seconds
        found = list(await self.fault_management.acknowledged(deadline=time.monotonic() + seconds))
        for start in range(0, len(found), _HEARD_AT_ONCE):
            chunk = found[start : start + _HEARD_AT_ONCE]
            await hear_acknowledged(self.store, self.policy, chunk, deadline=time.monotonic() + seconds)

    async def _told(self, claimed: Claim, deadline: float) -> Sent:
        if claimed.payload.get("telling") == TELLING:
            return await self._notified(claimed, deadline)
        order = await self._named(order_of(claimed.payload), deadline)
        if claimed.attempts > 1 or not order.is_new or order.is_theirs:
            their = await self.fault_management.find(order, deadline=deadline)
            if their is not None:
                try:
                    note = await self.fault_management.amend(their, order, delivery_id=claimed.id, deadline=deadline)
                except Rejected as rejected:
                    if rejected.status != _GONE:
                        raise
                else:
                    return sent(claimed, note)
            if order.is_theirs or (order.is_cleared and not order.is_new):
                return sent(claimed, "they have no such alarm")
        return sent(claimed, await self.fault_management.report(order, delivery_id=claimed.id, deadline=deadline))

    async def _notified(self, claimed: Claim, deadline: float) -> Sent:
        if self.notified is None:  # it was written under other settings
            return sent(claimed, "it is told of alarms only now")
        notice, repeats = notice_of(claimed.payload), claimed.attempts > 1
        note = await self.notified.notify(notice, repeats=repeats, delivery_id=claimed.id, deadline=deadline)
        return sent(claimed, note)

    async def _named(self, order: AlarmOrder, deadline: float) -> AlarmOrder:
        """Say what the alarm is on, as the system knows it; an alarm of theirs is named as they did."""
        if order.is_theirs or not self.fault_management.names_objects:
            return order
        hearing, source = self.policy.fault_management, str(order.body["sourceSystemId"])
        systems = (*((hearing.name, *sorted(hearing.sources)) if hearing else ()), source, self.policy.inventory)
        found = await object_of(self.store, order.id, systems, deadline=deadline)
        name = found.told or object_name(order.body, found)
        if name and not found.told:
            name = await keep_told_name(self.store, order.id, name, deadline=deadline)
        return replace(order, object_name=name)
