"""Boosts of version 6 had states in small letters, and one of them for what was declined.

Since version 7 they have the words of CAMARA QoS Booking: one that is over says why in `statusReason`. One that ran had begun at its
start, whoever saw to that; one whose end has passed is over, and nobody is told of it again.
"""

from __future__ import annotations

from typing import Final, cast

from graph.store.store import Store, Transaction

_AT_ONCE: Final = 2_000
_RENAME: Final = """
MATCH (b:Boost) WHERE b.status IN ['requested', 'scheduled', 'activated', 'terminated', 'declined']
WITH b LIMIT $most
SET b.statusReason = CASE b.status WHEN 'terminated' THEN 'DURATION_EXPIRED' WHEN 'declined' THEN 'BOOKING_DECLINED' ELSE null END,
    b.status = CASE b.status WHEN 'declined' THEN 'TERMINATED' ELSE toUpper(b.status) END
RETURN count(*)
"""
_BEGIN: Final = """
MATCH (b:Boost) WHERE b.status = 'ACTIVATED' AND b.activatedAt IS NULL
WITH b, datetime.realtime().epochMillis AS now LIMIT $most
SET b.activatedAt = b.startAt, b._askedAt = b.startAt,
    b.status = CASE WHEN b.endAt <= now THEN 'TERMINATED' ELSE b.status END,
    b.statusReason = CASE WHEN b.endAt <= now THEN 'DURATION_EXPIRED' ELSE null END,
    b.endedAt = CASE WHEN b.endAt <= now THEN b.endAt ELSE null END
RETURN count(*)
"""


async def rename_states(store: Store, *, deadline: float) -> None:
    """Give each boost of version 6 the words of version 7."""
    await _change_all(store, _RENAME, deadline)


async def begin_running(store: Store, *, deadline: float) -> None:
    """Let each boost that ran have begun at its start, and be over where its end has passed."""
    await _change_all(store, _BEGIN, deadline)


async def _change_all(store: Store, statement: str, deadline: float) -> None:
    async def work(transaction: Transaction) -> int:
        [[count]] = await transaction.run(statement, {"most": _AT_ONCE})
        return cast("int", count)

    while await store.write(work, deadline=deadline) == _AT_ONCE:
        pass
