"""The surrounding systems that the settings name: how each is reached, and by whom it is told what waits for it.

A section of the settings is a system; for each there is one function here, which opens the way to it, makes its `Teller`, and
runs the lanes beside whatever the block does. What only that system knows is asked through an area of the supergraph, which is
given the open way too.
"""

from __future__ import annotations

import asyncio
import os
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractContextManager, AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from adapters.delivery import Lanes, Pace
from adapters.ticketing import Ticketing
from adapters.ticketing.telling import Attention, TicketTeller
from adapters.ticketing.tmf621 import Tmf621
from adapters.transport import System
from adapters.transport import opened as transported
from gateway.settings import Settings
from graph.changes.policy import AlarmPolicy
from graph.store import Store

SYSTEMS: Final = ("ticketing",)
"""The sections of the settings that are systems; each may be absent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Areas:
    """What is given the way to a system while it is open."""

    ticketing: Callable[[Ticketing], AbstractContextManager[object]]


NO_AREAS: Final = Areas(ticketing=nullcontext)


def policy_of(settings: Settings) -> AlarmPolicy:
    """Give what the settings say about alarms."""
    reopen_ms = int(settings.reopen_seconds * 1_000)
    if settings.ticketing is None:
        return AlarmPolicy(reopen_ms=reopen_ms)
    chosen = settings.ticketing
    return AlarmPolicy(ticketing=chosen.name, ticket_from=chosen.severity, reopen_ms=reopen_ms)


@asynccontextmanager
async def told(settings: Settings, store: Store, areas: Areas) -> AsyncIterator[None]:
    """Reach the surrounding systems, and tell them what waits for them, as one of the processes that may."""
    async with AsyncExitStack() as stack:
        for system in (_ticketing,):
            await stack.enter_async_context(system(settings, store, areas))
        yield


@asynccontextmanager
async def _ticketing(settings: Settings, store: Store, areas: Areas) -> AsyncIterator[None]:
    chosen = settings.ticketing
    if chosen is None:
        yield
        return
    system = System(name=chosen.name, address=chosen.address, bearer=chosen.bearer or None)
    attention = Attention(
        poll_seconds=chosen.poll_seconds,
        callback=chosen.callback,
        request_seconds=chosen.request_seconds,
        processing_seconds=chosen.processing_seconds,
    )
    pace = Pace(
        most=chosen.requests, request_seconds=chosen.request_seconds, processing_seconds=chosen.processing_seconds
    )
    async with transported(system) as transport:
        ticketing = Tmf621(transport)
        teller = TicketTeller(store=store, ticketing=ticketing, policy=policy_of(settings), attention=attention)
        async with beside(Lanes(store, teller, pace, owner=_owner()).run()):
            with areas.ticketing(ticketing):
                yield


def _owner() -> str:
    return f"{os.getpid()}-{uuid.uuid4().hex}"


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something while the block runs."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
