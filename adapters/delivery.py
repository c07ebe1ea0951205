"""A system must be told everything that waits for it, in order, by one process at a time, whoever of them dies.

Each process runs a `Lane` for each system. It tries to take the lease of the system's lane; whoever has it claims what is
due, tells it, several at a time, and writes down what became of it. Everything else only tries to take the lease, again
and again. Who tells, and what is learnt by it, is a `Teller`; this loop knows no system.

Rules. 1. Nothing is sent with less of the lease left than a request may take. 2. One loop claims and settles, so that a
process never stands in its own way. 3. What became of a claim is kept until the database has it; if it never has, the
claim runs out and the other system is asked before it is told again. 4. A breaker that is open costs no attempt.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

import structlog

from graph.errors import GraphError
from graph.ledger.claims import Claim, claim
from graph.ledger.lanes import Lease, leave_lane, take_lane
from graph.ledger.outbox import lane_of
from graph.store import Store

T = TypeVar("T")

TTL_MS: Final = 10_000
RENEW_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 1.0
"""between attempts to take a lane that another holds."""
_POLL_SECONDS: Final = 0.1
"""between looks for what other processes have written; what this one writes wakes it."""
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
    def retry_at(self) -> float | None:
        """When it makes sense to tell anything, by time.monotonic(); None: now."""
        ...

    async def tell(self, claimed: Claim, *, deadline: float) -> T:
        """Tell it; whatever goes wrong is in what is given back."""
        ...

    async def settle(self, told: Sequence[T], *, deadline: float) -> None:
        """Write down what became of claims."""
        ...

    async def attend(self) -> None:
        """Do whatever else the owner of the lane does, until cancelled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much at a time, and how long it may take."""

    most: int = 16
    """requests at the same time."""
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


class Lane(Generic[T]):
    """This process's part in telling one system."""

    def __init__(self, store: Store, teller: Teller[T], pace: Pace, *, owner: str) -> None:
        self._store = store
        self._teller = teller
        self._pace = pace
        self._owner = owner
        self._lane = lane_of(teller.system)
        self._woken = asyncio.Event()
        self._telling: set[asyncio.Task[T]] = set()
        self._told: list[T] = []

    async def run(self) -> None:
        """Take the lane whenever it is free, and tell, until cancelled."""
        with self._store.heard(self._woken.set):
            while True:
                try:
                    lease = await self._take()
                    if lease is not None:
                        await self._own(lease)
                except GraphError as error:
                    log.warning("a lane waits for the database", lane=self._lane, reason=str(error))
                except Exception:  # a fault of ours: it must be seen, and must not end the telling for good
                    log.exception("a lane begins anew", lane=self._lane)
                await asyncio.sleep(_LOOK_SECONDS)

    async def _own(self, lease: Lease) -> None:
        """Tell while the lease is ours."""
        log.info("lane taken", lane=lease.lane, epoch=lease.epoch, owner=lease.owner)
        attending = asyncio.create_task(self._teller.attend(), name=f"attend {self._lane}")
        try:
            await self._work(lease)
        finally:
            attending.cancel()
            for each in self._telling:
                each.cancel()
            await asyncio.gather(attending, *self._telling, return_exceptions=True)
            self._telling.clear()
            with contextlib.suppress(GraphError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await leave_lane(self._store, lease, deadline=time.monotonic() + 1.0)

    async def _work(self, lease: Lease) -> None:
        current: Lease | None = lease
        renewed = time.monotonic()
        begun = 0.0
        while current is not None:
            await asyncio.sleep(max(0.0, begun + _ROUND_SECONDS - time.monotonic()))
            begun = time.monotonic()
            self._woken.clear()
            try:
                if time.monotonic() - renewed > RENEW_SECONDS:
                    renewed, current = time.monotonic(), await self._take()
                    continue
                await self._settle()
                busy = await self._tell(current)
            except GraphError as error:
                log.warning("a lane waits for the database", lane=self._lane, reason=str(error))
                await asyncio.sleep(_PAUSE_SECONDS)
                renewed = 0.0  # look whether the lane is still ours before anything else
                continue
            if not busy:
                await self._wait()

    async def _tell(self, lease: Lease) -> bool:
        """Claim and begin to tell what there is room for; tell whether there may be more at once."""
        room = self._pace.most - len(self._telling)
        closed_until = self._teller.retry_at
        if room <= 0 or (closed_until is not None and closed_until > time.monotonic()):
            return False
        began = time.monotonic()
        claims = await claim(self._store, lease, most=room, hold_ms=self._pace.hold_ms, deadline=began + _STORE_SECONDS)
        # From before the database was asked: what nobody else may claim is held from then on, not from its answer on.
        deadline = began + self._pace.request_seconds
        for each in claims:
            if lease.until > deadline:
                self._telling.add(asyncio.create_task(self._teller.tell(each, deadline=deadline), name=each.id))
        return len(claims) == room and room < self._pace.most

    async def _settle(self) -> None:
        over = {each for each in self._telling if each.done()}
        self._telling -= over
        self._told += [each.result() for each in over]
        if self._told:
            await self._teller.settle(self._told, deadline=time.monotonic() + _STORE_SECONDS)
            self._told = []

    async def _wait(self) -> None:
        """Wait until something is told, something is written, or it is time to look."""
        woken = asyncio.create_task(self._woken.wait())
        try:
            await asyncio.wait({woken, *self._telling}, timeout=_POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    async def _take(self) -> Lease | None:
        deadline = time.monotonic() + _STORE_SECONDS
        return await take_lane(self._store, self._lane, owner=self._owner, ttl_ms=TTL_MS, deadline=deadline)
