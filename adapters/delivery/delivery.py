"""A system must be told everything that waits for it, in order, by one process at a time, whoever of them dies.

Each process runs `Lanes` for each system: its share of the system's lanes. It claims what is due in them, tells it, several
at a time, and writes down what became of it. A process that comes gets a share from the others, and the lanes of one that
died are taken when their leases have run out. Who tells, and what is learnt by it, is a `Teller`; this loop knows no system.

Rules. 1. Nothing is sent with less of the lease left than a request may take. 2. One loop claims and settles, so that a
process never stands in its own way. 3. What became of a claim is kept until the database has it; if it never has, the
claim runs out and the other system is asked before it is told again. 4. A breaker that is open costs no attempt, and nor does a
system that does not let us in: then one delivery at a time is tried, after the pause that there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeAlias, TypeVar

import structlog

from adapters.delivery.access import Access
from graph.errors import GraphError
from graph.ledger.claims import Claim, claim
from graph.ledger.lanes import SHARDS, Leases, lanes_of, leave_lanes, take_lanes
from graph.ledger.outcomes import Dead, Outcome
from graph.store.store import Store


class Outcomes(Protocol):
    """What became of a claim, with whatever else the system's teller wants to know."""

    @property
    def outcome(self) -> Outcome:
        """What became of it."""
        ...


T = TypeVar("T", bound=Outcomes)
Note: TypeAlias = Callable[[str, str], None]
"""Told of every attempt that was written down: the system, and done, again or dead."""

TTL_MS: Final = 10_000
RENEW_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 1.0
"""between attempts to take lanes that others hold."""
_POLL_SECONDS: Final = (0.1, 0.4)
"""between looks for what other processes have written, at least and at most; what this one writes wakes it."""
_ROUND_SECONDS: Final = 0.02
"""between two rounds of settling and claiming: what is written meanwhile goes together in the next."""
_STORE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.5
"""after the database did not answer."""

log = structlog.get_logger(__name__)


class Teller(Protocol[T]):
    """Tells one system; `T` is what becomes of a claim."""

    @property
    def system(self) -> str:
        """The system's name."""
        ...

    @property
    def access(self) -> Access:
        """What finds out whether the system lets us in."""
        ...

    @property
    def retry_at(self) -> float | None:
        """From when on one thing at a time may be told, to see whether it works, by time.monotonic(); None: all, now."""
        ...

    async def tell(self, claimed: Claim, *, deadline: float) -> T:
        """Tell it; whatever goes wrong is in what is given back."""
        ...

    async def settle(self, told: Sequence[T], *, deadline: float) -> None:
        """Write down what became of claims."""
        ...

    async def attend(self) -> None:
        """Do whatever one process does for all of a system, until cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much at a time, and how long it may take."""

    most: int = 16
    """requests at the same time, by all processes that share the lanes equally."""
    request_seconds: float = 5.0
    """for telling one delivery."""
    processing_seconds: float = 5.0
    """what the other system may take at most for a request whose answer was lost."""

    def __post_init__(self) -> None:
        if not 0 < self.request_seconds < TTL_MS / 1_000 - RENEW_SECONDS:
            raise ValueError("a request must be over before the lease of its lane could be")

    @property
    def hold_ms(self) -> int:
        """For how long nobody else may claim what was claimed: until it is over there, whatever became of us."""
        return int((self.request_seconds + self.processing_seconds) * 1_000)


class Lanes(Generic[T]):
    """This process's part in telling one system."""

    def __init__(self, store: Store, teller: Teller[T], pace: Pace, *, owner: str, note: Note) -> None:
        self._note = note
        self._store = store
        self._teller = teller
        self._pace = pace
        self._owner = owner
        self._leases = Leases(system=teller.system, owner=owner, epochs={}, until=0.0, is_share=False)
        self._renew_at = 0.0
        self._paused = False
        self._poll_seconds = _POLL_SECONDS[0]
        self._attending: asyncio.Task[None] | None = None
        self._woken = asyncio.Event()
        self._telling: set[asyncio.Task[T]] = set()
        self._told: list[T] = []

    async def run(self) -> None:
        """Take a share of the lanes, and tell, until cancelled."""
        with self._store.heard(self._woken.set):
            try:
                while True:
                    await self._round()
            finally:
                await self._end()

    async def _round(self) -> None:
        begun = time.monotonic()
        self._woken.clear()
        try:
            await self._renew()
            await self._settle()
            busy = await self._tell()
        except GraphError as error:
            log.warning("the lanes wait for the database", system=self._teller.system, reason=str(error))
            self._renew_at = 0.0  # look whether they are still ours before anything else
            await asyncio.sleep(_PAUSE_SECONDS)
            return
        except Exception:  # a fault of ours: it must be seen, and must not end the telling for good
            log.exception("the lanes begin anew", system=self._teller.system)
            await asyncio.sleep(_LOOK_SECONDS)
            return
        if not busy:
            await self._wait()
        await asyncio.sleep(max(0.0, begun + _ROUND_SECONDS - time.monotonic()))

    async def _renew(self) -> None:
        now, paused = time.monotonic(), self._teller.access.retry_at is not None
        if now < self._renew_at and paused == self._paused:
            return
        deadline = now + _STORE_SECONDS
        before, system = self._leases.epochs, self._teller.system
        self._leases = await take_lanes(
            self._store, system, owner=self._owner, ttl_ms=TTL_MS, deadline=deadline, paused=paused
        )
        self._paused = paused
        self._renew_at = now + (RENEW_SECONDS if self._leases.is_share else _LOOK_SECONDS)
        if self._leases.epochs != before:
            log.info("lanes changed", system=system, owner=self._owner, lanes=sorted(self._leases.epochs))
        self._attend()

    def _attend(self) -> None:
        """Let one of the processes do what one does: who has the first lane."""
        ours = lanes_of(self._teller.system)[0] in self._leases.epochs
        if ours and (self._attending is None or self._attending.done()):
            self._attending = asyncio.create_task(self._teller.attend(), name=f"attend {self._teller.system}")
        elif not ours and self._attending is not None:
            self._attending.cancel()
            self._attending = None

    async def _tell(self) -> bool:
        """Claim and begin to tell what there is room for; tell whether there may be more at once."""
        most = math.ceil(self._pace.most * len(self._leases.epochs) / SHARDS)  # none without lanes
        room = most - len(self._telling)
        closed_until = self._teller.retry_at
        if closed_until is not None:
            room = min(room, 1 - len(self._telling)) if closed_until <= time.monotonic() else 0
        if room <= 0:
            return False
        began = time.monotonic()
        given = {"most": room, "hold_ms": self._pace.hold_ms}
        claims = await claim(self._store, self._leases, **given, deadline=began + _STORE_SECONDS)
        self._poll_seconds = _POLL_SECONDS[0] if claims else min(1.2 * self._poll_seconds, _POLL_SECONDS[1])
        # From before the database was asked: what nobody else may claim is held from then on, not from its answer on.
        deadline = began + self._pace.request_seconds
        for each in claims:
            if self._leases.until > deadline:
                self._telling.add(asyncio.create_task(self._teller.tell(each, deadline=deadline), name=each.id))
        return len(claims) == room and room < most

    async def _settle(self) -> None:
        over = {each for each in self._telling if each.done()}
        self._telling -= over
        self._told += [each.result() for each in over]
        if self._told:
            await self._teller.settle(self._told, deadline=time.monotonic() + _STORE_SECONDS)
            for each in self._told:
                self._note(self._teller.system, type(each.outcome).__name__.lower())
                if isinstance(each.outcome, Dead):
                    _log_parked(self._teller.system, each.outcome)
            self._told = []

    async def _wait(self) -> None:
        """Wait until something is told, something is written, or it is time to look."""
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({woken, *self._telling}, timeout=self._poll_seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    async def _end(self) -> None:
        under_way = {*self._telling, *([self._attending] if self._attending else [])}
        for each in under_way:
            each.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)
        with contextlib.suppress(GraphError, TimeoutError):
            async with asyncio.timeout(1.0):
                await leave_lanes(self._store, self._teller.system, owner=self._owner, deadline=time.monotonic() + 1.0)


def _log_parked(system: str, dead: Dead) -> None:
    """Say that a person must look: what is parked is parked until one has."""
    claim = dead.claim
    log.warning(
        "a delivery is parked",
        system=system,
        delivery=claim.id,
        order_key=claim.order_key,
        attempts=claim.attempts,
        reason=dead.reason,
        error=dead.error,
        answer=dead.answer,
        hint=f"Mend what is wrong, then: trunkline ledger replay {claim.id}",
    )
