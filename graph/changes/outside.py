"""A load writes to the graph past all changes; what a change would have done with it must be done after it.

Alarms and usage that await a name find it, and what services suffer is looked at anew. A load does so at its end, by
`take_over`; processes that serve look again and again for names that have come (`keep_joined`), whoever brought them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from graph.changes import gates
from graph.changes.alarms.awaiting import find_all_awaiting
from graph.changes.alarms.reassessment import arm_later, reassess_all
from graph.changes.bandwidth.consequences import thresholds
from graph.changes.policy import AlarmPolicy
from graph.changes.usage.usage import join_usage
from graph.errors import GraphError
from graph.store.store import Store

_JOIN_SECONDS: Final = 30.0
"""for one alarm, or some records of usage."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenOver:
    """What followed from what a load has written."""

    alarms: int
    """that have found what they are about."""
    usage: int
    """records that have found their service."""
    services: int
    """whose effect is another now."""


async def take_over(store: Store, policy: AlarmPolicy, *, deadline: float) -> TakenOver:
    """Do what follows from what something else has written; to be called when all of that is committed.

    Alarms that find their name missing at this moment are waited for first, so that none of them is missed.
    """
    await store.write(gates.pass_all, deadline=deadline)
    alarms = await find_all_awaiting(store, policy, deadline=lambda: deadline)
    usage = await join_usage(store, policy, deadline=lambda: deadline)
    services = await reassess_all(store, policy, deadline=deadline)
    await arm_later(store, deadline=deadline)
    await thresholds.look_soon(store, deadline=deadline)
    return TakenOver(alarms=alarms, usage=usage, services=services)


async def keep_joined(store: Store, policy: AlarmPolicy, *, every: float) -> None:
    """Look for names that have become known, every so many seconds, until cancelled. Several processes may do so at once.

    What fails is logged and looked at the next time; it keeps neither other names nor usage waiting.
    """
    while True:
        await asyncio.sleep(every)
        with _logged("alarms"):
            await find_all_awaiting(store, policy, deadline=_soon, guard=_logged)
        with _logged("usage"):
            await join_usage(store, policy, deadline=_soon, guard=_logged)


@contextmanager
def _logged(what: str) -> Iterator[None]:
    """Log an error of a look for a name, and go on."""
    try:
        yield
    except GraphError as error:
        log.warning("what awaits a name waits on", what=what, reason=str(error))
    except Exception:  # a fault of ours: it must be seen, and must not end the work for good
        log.exception("what awaits a name could not be looked at", what=what)


def _soon() -> float:
    return time.monotonic() + _JOIN_SECONDS
