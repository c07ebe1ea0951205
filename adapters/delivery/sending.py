"""What every delivery handler does round the sending itself is done once, here.

In: what sends one delivery, and may raise. Out: what became of it. A system that does not let us in is paused (`access.py`); what
went wrong otherwise becomes an outcome (`retrying.py`); a fault of ours is logged and parked, and holds up nothing else. Beside
that one process looks what people do in the system, again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

import structlog

from adapters.delivery.access import Access
from adapters.delivery.retrying import Waits, failed, held
from adapters.errors import AdapterError, NotAdmitted, Rejected
from graph.errors import GraphError
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done, Outcome, settle
from graph.ledger.registrations import keep_registration, registration
from graph.store.store import Store, Transaction

T = TypeVar("T")

_LONGEST_SECONDS: Final = 3_600.0
"""between two attempts to register with a system that refuses to call us."""
_RENEW_SECONDS: Final = 3_600.0
"""between two looks whether the registration is still the right one."""

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


async def keep_looking(system: str, look: Callable[[], Awaitable[None]], *, every: float) -> None:
    """Look at what people do in a system, every so many seconds, until cancelled; say once why it does not work."""
    before = ""
    while True:
        reason = await _looked(system, look)
        if reason and reason != before:
            log.warning("a system could not be looked at", system=system, reason=reason)
        elif before and not reason:
            log.info("a system can be looked at again", system=system)
        before = reason
        await asyncio.sleep(every)


async def _looked(system: str, look: Callable[[], Awaitable[None]]) -> str:
    """Look once; give why it did not work, empty where it did."""
    try:
        await look()
    except (AdapterError, GraphError) as error:
        return str(error)
    except Exception as error:  # a fault of ours: the next look may be without it
        log.exception("a system could not be looked at", system=system)
        return type(error).__name__
    return ""


class Subscribed(Protocol):
    """A system that may call us."""

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        """Register; gives what the registration is called there, or nothing."""
        ...

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """Take a registration back."""
        ...


@dataclass(slots=True, kw_only=True)
class Registering:
    """Asks a system once to tell us of changes, and does not mind if it does not: it is looked at all the same."""

    store: Store
    system: str
    address: str
    """of its API."""
    callback: str
    """where it reaches us; empty: it is not asked."""
    subscribed: Subscribed
    seconds: float
    """for each question, to it and to the database."""
    pause: float
    """after a refusal; each is twice as long as the one before, up to an hour."""
    _next_at: float = 0.0
    _unkept: str | None = None
    """what was registered, and is not written down yet: the database did not answer."""

    async def once(self) -> None:
        """Register, unless that was done by any process, or was refused a short while ago."""
        now = time.monotonic()
        if not self.callback or now < self._next_at:
            return
        try:
            await self._register()
            self._next_at = now + _RENEW_SECONDS
        except AdapterError as error:
            reason = str(error)
            log.warning("a registration was not taken: the system is only looked at", system=self.system, reason=reason)
            self._next_at = now + self.pause
            self.pause = min(2 * self.pause, _LONGEST_SECONDS)

    async def _register(self) -> None:
        before = await registration(self.store, self.system, deadline=self._soon())
        if before is not None and before.holds(self.address, self.callback):
            return
        if self._unkept is None:
            self._unkept = await self.subscribed.subscribe(self.callback, deadline=self._soon())
        their_id, stale = self._unkept, before.their_id if before and before.address == self.address else ""
        if stale and their_id and stale != their_id:
            with contextlib.suppress(AdapterError):  # it is forgotten there, most likely: that is why we are here
                await self.subscribed.unsubscribe(stale, deadline=self._soon())
        await keep_registration(
            self.store,
            self.system,
            address=self.address,
            callback=self.callback,
            their_id=their_id or stale,
            deadline=self._soon(),
        )
        self._unkept = None
        log.info("registered with a system", system=self.system, registration=their_id)

    def _soon(self) -> float:
        return time.monotonic() + self.seconds
