"""What people do in a system is learnt: it is asked to call us, and looked at again and again, since it may not.

In: where it is to call us, and how it is looked at. Out: nothing; runs until it is cancelled, and says once why it does not work.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

import structlog

from adapters.errors import AdapterError
from graph.errors import GraphError
from graph.ledger.registrations import keep_registration, registration
from graph.store.store import Store

_LONGEST_SECONDS: Final = 3_600.0
"""between two attempts to register with a system that refuses to call us."""
_RENEW_SECONDS: Final = 3_600.0
"""between two looks whether the registration is still the right one."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attention:
    """How it is learnt what people do in a system."""

    poll_seconds: float = 60.0
    callback: str = ""
    """where it tells us by itself; empty: it is only looked at."""
    address: str = ""
    """of its API, where we have registered the callback."""
    request_seconds: float = 5.0
    processing_seconds: float = 5.0


@runtime_checkable
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
    """Asks a system once to tell us of changes, and does not mind if it does not: most are looked at all the same."""

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
    _refused_for: str = ""
    """why it was refused last, which is said once."""
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
            self._say_once(str(error))
            self._next_at = now + self.pause
            self.pause = min(2 * self.pause, _LONGEST_SECONDS)
        else:
            self._refused_for = ""

    def _say_once(self, reason: str) -> None:
        if reason != self._refused_for:
            log.warning("a registration was not taken: the system is only looked at", system=self.system, reason=reason)
        self._refused_for = reason

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


async def attend(
    store: Store, system: str, subscribed: Subscribed, attention: Attention, look: Callable[[], Awaitable[None]]
) -> None:
    """Ask a system to tell us of changes, and look for those that were not told, until cancelled."""
    registering = Registering(
        store=store,
        system=system,
        address=attention.address,
        callback=attention.callback,
        subscribed=subscribed,
        seconds=attention.request_seconds,
        pause=attention.poll_seconds,
    )

    async def once() -> None:
        await registering.once()
        await look()

    await _keep_looking(system, once, every=attention.poll_seconds)


async def _keep_looking(system: str, look: Callable[[], Awaitable[None]], *, every: float) -> None:
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
