"""Customer management may not call us, or call in vain: so all its customers are looked at when we start, and again and again.

Of several processes the one that finds the look due does it: when the next one is due is a timer in the graph. What two looks running have not
seen is gone there, unless one has missed many: that is a system without its data, or one that shows us a part, most likely.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from adapters.customer_management import CustomerManagement
from adapters.delivery.attending import Attention, attend
from graph.changes.customers.records import CustomerRecord, clock_of, differing, note_missing, take_records
from graph.changes.policy import AlarmPolicy
from graph.ledger.timers import Due, arm_once, ring
from graph.store.store import Store, Transaction

KIND: Final = "customersLook"
"""of the timer."""
_READ_AT_ONCE: Final = 500
"""customers that are compared at a time: nearly all are as they were."""
_AT_ONCE: Final = 50
"""customers in a transaction."""
_SLACK: Final = 0.9
"""of the pause, after which a look is due: processes look for it out of step."""

log = structlog.get_logger(__name__)


def subject_of(system: str) -> str:
    """Give who has said what a look has seen."""
    return f"system:{system}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """Looks at the customers of customer management."""

    store: Store
    management: CustomerManagement
    policy: AlarmPolicy
    attention: Attention
    list_seconds: float
    """for the whole list."""

    async def run(self) -> None:
        """Ask to be told of changes, and look for those that were not told, until cancelled."""
        await attend(self.store, self.policy.customer_management, self.management, self.attention, self.look)

    async def look(self) -> None:
        """Look, if that is due."""
        if await self._is_due():
            await self.look_now()

    async def look_now(self) -> None:
        """Look at all customers."""
        policy, subject = self.policy, subject_of(self.policy.customer_management)
        began = await clock_of(self.store, deadline=self._soon())
        found = await self.management.customers(at=began, deadline=time.monotonic() + self.list_seconds)
        changed = 0
        for page in _pages([replace(each, is_looked_at=True) for each in found.records], _READ_AT_ONCE):
            news = await differing(self.store, policy, page, deadline=self._soon())
            for some in _pages(news, _AT_ONCE):
                changed += await take_records(self.store, policy, some, subject=subject, deadline=self._soon())
        if not found.there:
            log.warning(
                "customer management has no customers: none is taken to be gone", system=policy.customer_management
            )
            return
        gone = await note_missing(
            self.store, policy, found.there, at=began, subject=subject, deadline=time.monotonic() + self.list_seconds
        )
        if changed or gone:
            log.info("customers were looked at", system=policy.customer_management, changed=changed, gone=gone)

    async def _is_due(self) -> bool:
        pause = int(self.attention.poll_seconds * _SLACK * 1_000)

        async def taken(_: Transaction, due: Due) -> int:
            return due.now + pause

        kind = f"{KIND} {self.policy.customer_management}"
        await arm_once(self.store, kind=kind, about=self.policy.customer_management, deadline=self._soon())
        return bool(await ring(self.store, {kind: taken}, most=1, deadline=self._soon()))

    def _soon(self) -> float:
        return time.monotonic() + self.attention.request_seconds


def _pages(records: Sequence[CustomerRecord], size: int) -> Iterator[Sequence[CustomerRecord]]:
    for first in range(0, len(records), size):
        yield records[first : first + size]
