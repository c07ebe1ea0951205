"""What is due at a time must happen whoever is there then; a process that remembers it may be gone.

A timer is a node: a kind, what it is about, and when it is due by the database's clock. Any process looks for timers that
are due, and takes them one by one: the timer is locked, looked at again, and what its kind does is done in the same
transaction that takes the timer away or puts it off. So it happens once, and nobody owns timers. What a kind does is worked
out from the graph as it is then; a timer says only that it is time to. After an outage everything that is due is late, and
nothing is missing.

    arm(transaction, kind="retention", about="ledger", due_at=now)         # in any transaction
    await ring(store, {"retention": swept}, most=100, deadline=soon)       # in any process, again and again
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

import structlog

from graph.errors import GraphError
from graph.store.store import Store, Transaction

_POLL_SECONDS: Final = 0.5
_STORE_SECONDS: Final = 10.0
_MOST: Final = 100
_PUT_OFF_MS: Final = 60_000
"""a timer whose work fails, so that it does not keep others from theirs."""

_ARM: Final = """
MERGE (t:Timer {id: $id})
SET t.kind = $kind, t.aggregateId = $about, t.dueAt = $dueAt
"""
_ARM_NEW: Final = """
MERGE (t:Timer {id: $id})
ON CREATE SET t.kind = $kind, t.aggregateId = $about, t.dueAt = datetime.realtime().epochMillis
"""
_DUE: Final = """
MATCH (t:Timer) WHERE t.dueAt > 0 AND t.dueAt <= datetime.realtime().epochMillis
RETURN t.id, t.kind, t.aggregateId LIMIT $most
"""
_TAKE: Final = """
MATCH (t:Timer {id: $id})
SET t._lock = true
REMOVE t._lock
WITH t, datetime.realtime().epochMillis AS now
WHERE t.dueAt <= now
RETURN now
"""
_PUT_OFF: Final = "MATCH (t:Timer {id: $id}) SET t.dueAt = $dueAt"
_DROP: Final = "MATCH (t:Timer {id: $id}) DELETE t"
_LATER: Final = "MATCH (t:Timer {id: $id}) SET t.dueAt = datetime.realtime().epochMillis + $pause"

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A timer whose time has come."""

    kind: str
    about: str
    """the id of what it is about."""
    now: int
    """epoch milliseconds by the database's clock."""


Work: TypeAlias = Callable[[Transaction, Due], Awaitable[int | None]]
"""What a kind does, in the transaction; gives when it is due again (epoch milliseconds), or None: never."""


def arm(transaction: Transaction, *, kind: str, about: str, due_at: int) -> None:
    """Set a timer, or set it anew."""
    transaction.later(_ARM, {"id": _id(kind, about), "kind": kind, "about": about, "dueAt": due_at})


async def arm_once(store: Store, *, kind: str, about: str, deadline: float) -> None:
    """Set a timer that is due now, unless there is one."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(_ARM_NEW, {"id": _id(kind, about), "kind": kind, "about": about})

    await store.write(work, deadline=deadline)


async def ring(store: Store, works: Mapping[str, Work], *, most: int, deadline: float) -> int:
    """Do what is due, up to so many; give how many were. Kinds that nobody here knows are left to others."""
    rows = await store.rows(_DUE, {"most": most}, deadline=deadline)
    rung = 0
    for timer, kind, about in cast("list[tuple[str, str, str]]", [tuple(each) for each in rows]):
        if kind in works:
            rung += await _rung(store, works[kind], timer, kind, about, deadline)
    return rung


async def _rung(store: Store, work: Work, timer: str, kind: str, about: str, deadline: float) -> bool:
    async def once(transaction: Transaction) -> bool:
        rows = await transaction.run(_TAKE, {"id": timer})
        if not rows:
            return False  # another process was quicker
        again = await work(transaction, Due(kind=kind, about=about, now=cast("int", rows[0][0])))
        if again is None:
            await transaction.run(_DROP, {"id": timer})
        else:
            await transaction.run(_PUT_OFF, {"id": timer, "dueAt": again})
        return True

    try:
        return await store.write(once, deadline=deadline)
    except GraphError:
        raise
    except Exception:  # a fault of ours: it is tried again later, and the others have their turn
        log.exception("a timer's work failed", kind=kind, about=about)
        await store.write(lambda transaction: _later(transaction, timer), deadline=deadline)
        return False


async def _later(transaction: Transaction, timer: str) -> None:
    await transaction.run(_LATER, {"id": timer, "pause": _PUT_OFF_MS})


async def keep_ringing(store: Store, works: Mapping[str, Work]) -> None:
    """Do what is due as it becomes so, until cancelled; several processes may do so at once."""
    while True:
        try:
            deadline = time.monotonic() + _STORE_SECONDS
            while await ring(store, works, most=_MOST, deadline=deadline) == _MOST:
                deadline = time.monotonic() + _STORE_SECONDS
        except GraphError as error:
            log.warning("timers wait for the database", reason=str(error))
        await asyncio.sleep(_POLL_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - to get out of step


def _id(kind: str, about: str) -> str:
    return f"timer-{kind}:{about}"
