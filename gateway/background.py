"""What a process does beside its requests: positions, timers, a look at what waits, and large slices that are stored.

Each is one of several processes that may, and nobody waits for any of them. `beside` runs such work while a block runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import structlog

from adapters.kafka.publishing import FOLLOWER
from gateway.operations.pressure import Pressure
from gateway.policies import policy_of
from gateway.settings.retention import Retention
from gateway.settings.settings import Settings
from graph.changes.alarms import reassessment
from graph.changes.bandwidth import works as bandwidth_works
from graph.changes.bandwidth.forecast import HISTORY_DAYS
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.fulfilment import works as fulfilment_works
from graph.changes.fulfilment.policy import FulfilmentPolicy
from graph.errors import GraphError
from graph.ledger import retention
from graph.ledger.backlog import system_backlogs
from graph.ledger.positions import keep_placed
from graph.ledger.retention import Kept, sweeping
from graph.ledger.timers import Work, arm_once, keep_ringing
from graph.membership import keep_building
from graph.store.store import Store

_STORE_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 5.0
"""between looks at what waits, at least;"""
_LOOK_SHARE: Final = 20.0
"""and this many times what the last look took."""
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 86_400_000
_SLACK_MS: Final = _HOUR_MS
"""that events are kept longer than one may resume: what follows an event in the sequence may have happened a little before it."""

log = structlog.get_logger(__name__)


@asynccontextmanager
async def ledger(
    settings: Settings, store: Store, selling: BandwidthPolicy, pressure: Pressure, placed: Callable[[], None]
) -> AsyncIterator[None]:
    """Do what the ledger needs done beside the telling: positions, timers, a look at what waits; and store large slices.

    `placed` is called when this process has given positions to events.
    """
    works, designing = rounds_of(settings, selling)
    async with (
        beside(keep_placed(store, owner=owner(), placed=placed)),
        beside(_timers(store, works)),
        beside(keep_ringing(store, designing)),
        beside(_looking(store, pressure)),
        beside(keep_building(store)),
    ):
        yield


def rounds_of(settings: Settings, selling: BandwidthPolicy) -> tuple[Mapping[str, Work], Mapping[str, Work]]:
    """Give the works of timers, in two rounds that do not wait for each other.

    To design a service takes seconds: in a round of its own it holds up no boundary of a boost.
    """
    followers = (FOLLOWER,) if settings.kafka and settings.kafka.events else ()
    alarms = policy_of(settings)
    works = {
        retention.KIND: sweeping(kept_for(settings.retention, lead_days=lead_days(settings)), followers),
        reassessment.KIND: reassessment.stepping(alarms),
        **bandwidth_works.works_of(selling, alarms),
    }
    return works, fulfilment_works.works_of(FulfilmentPolicy(alarms=alarms, selling=selling))


def sequence_ms(chosen: Retention) -> int:
    """Give for how long one may resume after an event, in milliseconds."""
    return int(chosen.sequence_hours * _HOUR_MS)


def lead_days(settings: Settings) -> float:
    """Give how far back the rules for leads look, at most."""
    return max((each.days for each in settings.bandwidth.leads), default=0)


def kept_for(chosen: Retention, *, lead_days: float = 0) -> Kept:
    """Give for how long each kind is kept.

    What somebody may resume after is kept, whatever is said of events, and so are the boosts by which forecasts, the spending of a month
    and the rules for leads are counted; these look `lead_days` back. Beyond that no boost is kept longer than its usage, which has its credit.
    """

    def milliseconds(days: float) -> int:
        return int(days * _DAY_MS)

    return Kept(
        events=max(milliseconds(chosen.events_days), sequence_ms(chosen) + _SLACK_MS),
        alarms=milliseconds(chosen.alarms_days),
        tickets=milliseconds(chosen.tickets_days),
        downtime=milliseconds(chosen.downtime_days),
        usage=milliseconds(chosen.usage_days),
        differences=milliseconds(chosen.differences_days),
        feeds=milliseconds(chosen.feeds_days),
        boosts=milliseconds(max(min(chosen.boosts_days, chosen.usage_days), HISTORY_DAYS, lead_days)),
        tasks=milliseconds(chosen.tasks_days),
        leads=milliseconds(max(chosen.leads_days, lead_days)),
    )


async def _timers(store: Store, works: Mapping[str, Work]) -> None:
    while True:
        try:
            deadline = time.monotonic() + _STORE_SECONDS
            for about in retention.KINDS:
                await arm_once(store, kind=retention.KIND, about=about, deadline=deadline)
            await arm_once(store, kind=reassessment.KIND, about=reassessment.ABOUT, deadline=deadline)
            await bandwidth_works.arm(store, deadline=deadline)
            break
        except GraphError as error:
            log.warning("timers wait for the database", reason=str(error))
            await asyncio.sleep(_LOOK_SECONDS)
    await keep_ringing(store, works)


async def _looking(store: Store, pressure: Pressure) -> None:
    while True:
        began = time.monotonic()
        with contextlib.suppress(GraphError):  # what was seen last stands while the database is away
            for each in await system_backlogs(store, deadline=began + _STORE_SECONDS):
                pressure.saw(
                    each.system, oldest_seconds=each.oldest_seconds, is_paused=each.is_paused, counts=each, now=began
                )
        # To count takes as long as there is much to count: it must not become what the database does most.
        await asyncio.sleep(max(_LOOK_SECONDS, _LOOK_SHARE * (time.monotonic() - began)))


def owner() -> str:
    """Name this process, and one of its parts."""
    return f"{os.getpid()}-{uuid.uuid4().hex}"


@asynccontextmanager
async def beside(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run something while the block runs; it is not supposed to end by itself, and is heard of where it does."""
    task = asyncio.create_task(work, name=getattr(work, "__qualname__", "work"))
    task.add_done_callback(_note_end)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _note_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.error("work beside the requests has ended", work=task.get_name(), exc_info=fault)
