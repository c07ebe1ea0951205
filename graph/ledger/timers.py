"""What is due at a time must happen whoever is there then; a process that remembers it may be gone.

A timer is a node: a kind, what it is about, and when it is due by the database's clock. Any process looks for timers that
are due, and takes them one by one: the timer is locked, looked at again, and what its kind does is done in the same
transaction that takes the timer away or puts it off. So it happens once, and nobody owns timers. What a kind does is worked
out from the graph as it is then; a timer says only that it is time to. After an outage everything that is due is late, and
nothing is missing.

Each timer stands alone. One whose work fails, for whatever reason, is logged and tried again after a pause that grows with
each failure, and the others have their turn. Only a database that is away ends a round: it would fail them all.

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

from graph.errors import Contended, GraphError, OutcomeUnknown, StoreMisconfigured, StoreUnavailable
from graph.store.store import Store, Transaction

NEVER: Final = 253_402_300_799_000
"""The end of the year 9999, in epoch milliseconds: the timer of a service for which nothing is due."""
_POLL_SECONDS: Final = 0.5
_STORE_SECONDS: Final = 10.0
_MOST: Final = 100
_WORK_SECONDS: Final = 10.0
"""for one timer: those after it have their own."""
_FIRST_PAUSE_MS: Final = 5_000
_LONGEST_PAUSE_MS: Final = 60 * 60 * 1_000

_ARM: Final = """
MERGE (t:Timer {id: $id})
SET t.kind = $kind, t.aggregateId = $about, t.dueAt = $dueAt, t.failures = null
"""
_ARM_NEW: Final = """
MERGE (t:Timer {id: $id})
ON CREATE SET t.kind = $kind, t.aggregateId = $about, t.dueAt = datetime.realtime().epochMillis
"""
# Counted, since the embedded database tells of a conflict only where a record differs in the end.
_HOLD: Final = """
MERGE (t:Timer {id: $id})
ON CREATE SET t.kind = $kind, t.aggregateId = $about, t.dueAt = 0
SET t._locked = coalesce(t._locked, 0) + 1
"""
# Those of other kinds are left out here, or they would fill the list for good; the longest due come first.
_DUE: Final = """
MATCH (t:Timer) WHERE t.dueAt > 0 AND t.dueAt <= datetime.realtime().epochMillis AND t.kind IN $kinds
RETURN t.id, t.kind, t.aggregateId ORDER BY t.dueAt, t.id LIMIT $most
"""
_TAKE: Final = """
MATCH (t:Timer {id: $id})
SET t._lock = true
REMOVE t._lock
WITH t, datetime.realtime().epochMillis AS now
WHERE t.dueAt > 0 AND t.dueAt <= now
RETURN now, coalesce(t.failures, 0)
"""
_PUT_OFF: Final = "MATCH (t:Timer {id: $id}) SET t.dueAt = $dueAt, t.failures = null"
_DROP: Final = "MATCH (t:Timer {id: $id}) DELETE t"
# Looked at again under the lock: it may have been set anew, or done by another process.
_FAILED: Final = """
MATCH (t:Timer {id: $id})
SET t._lock = true
REMOVE t._lock
WITH t, datetime.realtime().epochMillis AS now, coalesce(t.failures, 0) + 1 AS failures
WHERE t.dueAt <= now
SET t.failures = failures, t.dueAt = now + CASE WHEN failures > $doublings THEN $longest ELSE toInteger($first * 2 ^ (failures - 1)) END
RETURN failures, t.dueAt - now
"""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A timer whose time has come."""

    kind: str
    about: str
    """the id of what it is about."""
    now: int
    """epoch milliseconds by the database's clock."""
    failures: int = 0
    """how many attempts in a row have failed before this one."""


Work: TypeAlias = Callable[[Transaction, Due], Awaitable[int | None]]
"""What a kind does, in the transaction; gives when it is due again (epoch milliseconds), or None: never."""


def arm(transaction: Transaction, *, kind: str, about: str, due_at: int) -> None:
    """Set a timer, or set it anew."""
    transaction.later(_ARM, {"id": timer_id(kind, about), "kind": kind, "about": about, "dueAt": due_at})


async def hold(transaction: Transaction, *, kind: str, about: str) -> None:
    """Lock a timer, for who sets it after it has locked what the timer's work locks; one that was never set is not due.

    Its work must never end it (`None`): who waits for the lock would hold what is gone.
    """
    await transaction.run(_HOLD, {"id": timer_id(kind, about), "kind": kind, "about": about})


async def arm_once(store: Store, *, kind: str, about: str, deadline: float) -> None:
    """Set a timer that is due now, unless there is one."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(_ARM_NEW, {"id": timer_id(kind, about), "kind": kind, "about": about})

    await store.write(work, deadline=deadline)


async def ring(store: Store, works: Mapping[str, Work], *, most: int, deadline: float) -> int:
    """Try what is due, up to so many; give how many were done. Kinds that nobody here knows are left to others.

    `deadline` is for the look at what is due; each timer then has a time of its own. Raises the GraphError of a database
    that is away, and no other.
    """
    rows = await store.rows(_DUE, {"most": most, "kinds": sorted(works)}, deadline=deadline)
    rung = 0
    for timer, kind, about in cast("list[tuple[str, str, str]]", [tuple(each) for each in rows]):
        rung += await _rung(store, works[kind], timer, kind, about)
    return rung


async def _rung(store: Store, work: Work, timer: str, kind: str, about: str) -> bool:
    async def once(transaction: Transaction) -> bool:
        rows = await transaction.run(_TAKE, {"id": timer})
        if not rows:
            return False  # another process was quicker
        now, failures = cast("tuple[int, int]", tuple(rows[0]))
        again = await work(transaction, Due(kind=kind, about=about, now=now, failures=failures))
        if again is None:
            transaction.later(_DROP, {"id": timer})
        else:
            transaction.later(_PUT_OFF, {"id": timer, "dueAt": again})
        return True

    try:
        return await store.write(once, deadline=time.monotonic() + _WORK_SECONDS)
    except Exception as error:  # whatever it is: it is tried again later, and the others have their turn
        if _is_away(error):
            raise
        log.exception("a timer's work failed", kind=kind, about=about)
        await _failed(store, timer, kind, about)
        return False


def _is_away(error: Exception) -> bool:
    """Tell whether the database is away, which would befall every other timer too."""
    return isinstance(error, StoreUnavailable | StoreMisconfigured) and not isinstance(
        error, Contended | OutcomeUnknown
    )


async def _failed(store: Store, timer: str, kind: str, about: str) -> None:
    """Put a timer off; where even that fails it stays due, and the others have their turn all the same."""
    try:
        failures, pause = await _put_off(store, timer)
    except GraphError as error:
        if _is_away(error):
            raise
        log.warning("a timer could not be put off", kind=kind, about=about, reason=str(error))
    else:
        log.warning("a timer is tried again later", kind=kind, about=about, failures=failures, in_ms=pause)


async def _put_off(store: Store, timer: str) -> tuple[int, int]:
    """Count a failure; give how many there were in a row, and the pause in milliseconds. Zeros: it is not due any more."""
    doublings = (_LONGEST_PAUSE_MS // _FIRST_PAUSE_MS).bit_length()
    given = {"id": timer, "first": _FIRST_PAUSE_MS, "longest": _LONGEST_PAUSE_MS, "doublings": doublings}

    async def work(transaction: Transaction) -> list[list[object]]:
        return await transaction.run(_FAILED, given)

    rows = await store.write(work, deadline=time.monotonic() + _WORK_SECONDS)
    return cast("tuple[int, int]", tuple(rows[0])) if rows else (0, 0)


async def keep_ringing(store: Store, works: Mapping[str, Work]) -> None:
    """Do what is due as it becomes so, until cancelled; several processes may do so at once."""
    while True:
        try:
            while await ring(store, works, most=_MOST, deadline=time.monotonic() + _STORE_SECONDS):
                pass  # others have become due meanwhile
        except GraphError as error:
            log.warning("timers wait for the database", reason=str(error))
        except Exception:  # a fault of ours: it must be seen, and must not end the ringing for good
            log.exception("timers are looked at anew")
        await asyncio.sleep(_POLL_SECONDS * random.uniform(0.5, 1.0))  # noqa: S311 - to get out of step


def timer_id(kind: str, about: str) -> str:
    """Give the id of a timer."""
    return f"timer-{kind}:{about}"
