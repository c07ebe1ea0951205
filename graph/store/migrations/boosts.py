"""Boosts of version 6 had states in small letters, and one of them for what was declined.

Since version 7 they have the words of CAMARA QoS Booking: one that is over says why in `statusReason`.
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


async def rename_states(store: Store, *, deadline: float) -> None:
    """Give each boost of version 6 the words of version 7."""

    async def work(transaction: Transaction) -> int:
        [[count]] = await transaction.run(_RENAME, {"most": _AT_ONCE})
        return cast("int", count)

    while await store.write(work, deadline=deadline) == _AT_ONCE:
        pass
