"""Feeds of version 4 kept nothing out: what the graph had no place for refused them as a whole."""

from __future__ import annotations

from typing import Final, cast

from graph.store.store import Store, Transaction

_AT_ONCE: Final = 2_000
_COUNT: Final = """
MATCH (f:InventoryFeed) WHERE f.notTaken IS NULL
WITH f LIMIT $most
SET f.notTaken = 0
RETURN count(*)
"""


async def count_not_taken(store: Store, *, deadline: float) -> None:
    """Say of each feed of version 4 that nothing of it was kept out."""

    async def work(transaction: Transaction) -> int:
        [[count]] = await transaction.run(_COUNT, {"most": _AT_ONCE})
        return cast("int", count)

    while await store.write(work, deadline=deadline) == _AT_ONCE:
        pass
