"""What every delivery handler does round the sending itself is done once, here.

In: what sends one delivery, and may raise. Out: what became of it. A system that does not let us in is paused (`access.py`); what
went wrong otherwise becomes an outcome (`retrying.py`); a fault of ours is logged and parked, and holds up nothing else.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import structlog

from adapters.delivery.access import Access
from adapters.delivery.retrying import Waits, failed, held
from adapters.errors import AdapterError, NotAdmitted, Rejected
from graph.errors import GraphError
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done, Outcome, settle
from graph.store.store import Store, Transaction

T = TypeVar("T")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What became of one delivery, where nothing else is learnt by it."""

    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """What is the same for all deliveries of one system."""

    system: str
    """its name."""
    processing_seconds: float
    """what it may take at most for a request whose answer was lost."""
    access: Access

    async def send(self, claimed: Claim, sending: Awaitable[T], made: Callable[[Outcome], T]) -> T:
        """Await what sends a delivery; `made` makes what is given back of an outcome, where it raised."""
        try:
            sent = await sending
        except (AdapterError, GraphError, ValueError, Waits) as error:
            return made(self._failed(claimed, error))
        except Exception as error:  # a fault of ours: it is parked with the others, and does not hold up the lane
            log.exception("a delivery could not be told", system=self.system, delivery=claimed.id)
            fault = ValueError(f"A fault of ours: {type(error).__name__}")
            return made(failed(claimed, fault, processing_seconds=self.processing_seconds))
        self.access.admitted(now=time.monotonic())
        return sent

    def retry_at(self, of_system: float | None) -> float | None:
        """Give when it makes sense to send anything; `of_system` is when its breaker lets a request through."""
        known = [each for each in (of_system, self.access.retry_at) if each is not None]
        return max(known, default=None)

    def _failed(self, claimed: Claim, error: Exception) -> Outcome:
        now = time.monotonic()
        if isinstance(error, NotAdmitted):
            if self.access.denied(claimed.id, error, now=now):
                seconds = (self.access.retry_at or now) - now
                lost = self.processing_seconds if error.may_have_happened else 0.0
                return held(claimed, error, seconds=max(seconds, lost))
        elif isinstance(error, Rejected):
            self.access.admitted(now=now)  # what is refused for itself was let in
        return failed(claimed, error, processing_seconds=self.processing_seconds)


def said_once(system: str, note: Callable[[str, str], None]) -> Callable[[str], None]:
    """Make what an `Access` of this system tells of: it is logged, and told to `note` with the system's name."""

    def tell(reason: str) -> None:
        if reason:
            log.warning("a system does not let us in: its deliveries wait", system=system, reason=reason)
        else:
            log.info("a system lets us in again: its deliveries go on", system=system)
        note(system, reason)

    return tell


def sent(claimed: Claim, note: str | None = None) -> Sent:
    """Make the outcome of what was sent."""
    return Sent(outcome=Done(claim=claimed, note=note))


async def settle_sent(store: Store, told: Sequence[Sent], *, deadline: float) -> None:
    """Write down what became of deliveries by which nothing else is learnt."""

    async def work(transaction: Transaction) -> None:
        await settle(transaction, [each.outcome for each in told])

    await store.write(work, deadline=deadline)
