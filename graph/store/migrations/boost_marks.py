"""Boosts and tasks of version 7 did not say what they are found by; those of version 8 do, past all that are over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graph.store.boost_marks import bought, marked
from graph.store.store import Product, Store, Transaction

_AT_ONCE: Final = 2_000
# Neo4j reads the index of ids in order; the embedded database does so only where it is not asked to sort.
_ORDER: Final[Mapping[Product, str]] = {Product.NEO4J: "ORDER BY n.id ", Product.ARCADEDB: ""}
_LOCK: Final = "SET n._locked = coalesce(n._locked, 0) + 1 WITH n"
_BOOSTS: Final[Mapping[Product, str]] = {
    product: f"MATCH (n:Boost) WHERE n.id > $after WITH n {order}LIMIT $most {_LOCK} SET {marked('n')}, {bought('n')} RETURN n.id"
    for product, order in _ORDER.items()
}
_TASKS: Final[Mapping[Product, str]] = {
    product: (
        f"MATCH (n:Task) WHERE n.id > $after WITH n {order}LIMIT $most {_LOCK} "
        "SET n.openAbout = CASE WHEN n.state = 'OPEN' THEN n.about END RETURN n.id"
    )
    for product, order in _ORDER.items()
}


async def mark_boosts(store: Store, *, deadline: float) -> None:
    """Let each boost say what it is found by (version 8)."""
    await _mark_all(store, _BOOSTS[store.product], deadline)


async def mark_tasks(store: Store, *, deadline: float) -> None:
    """Let each open task say what it is about (version 8)."""
    await _mark_all(store, _TASKS[store.product], deadline)


async def _mark_all(store: Store, statement: str, deadline: float) -> None:
    after = ""
    while page := await _mark(store, statement, after, deadline):
        assert page == sorted(page), "a page that is not in order would pass some over"
        after = page[-1]


async def _mark(store: Store, statement: str, after: str, deadline: float) -> list[str]:
    async def work(transaction: Transaction) -> list[str]:
        return [str(row[0]) for row in await transaction.run(statement, {"after": after, "most": _AT_ONCE})]

    return await store.write(work, deadline=deadline)
