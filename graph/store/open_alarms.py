"""What services suffer follows from the open alarms on what they use, and a thing may have years of alarms that are over.

So an open alarm says in a property of its own, `openOn`, what it is raised on; one that is over does not have it. Whoever
changes an alarm's state or what it is raised on writes it in the same transaction. It is found by its index: the same cost
on both databases, and it never grows with what was. (A relationship of its own would be as good on Neo4j; the embedded
database keeps all relationships of a node in one list.)

What is written twice can differ, so `differing` compares all, for `trunkline check`; `mark` puts it right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from graph.store.store import Product, Store, Transaction

_SHOWN: Final = 20
_AT_ONCE: Final = 2_000


def open_on(alarm: str) -> str:
    """Give the expression of what `openOn` of an alarm must be, by the rest of the graph."""
    return f"CASE WHEN {alarm}.state <> 'cleared' THEN HEAD(COLLECT {{ MATCH ({alarm})-[:RAISED_ON]->(o) RETURN o.id }}) END"


# What differs of a page. Neo4j reads the index of ids in order; the embedded database does so only where it is not asked to sort.
_PAGE: Final[Mapping[Product, str]] = {
    product: f"""
MATCH (a:Alarm) WHERE a.id > $after
WITH a {order}LIMIT $most
WITH a, {open_on("a")} AS wanted
RETURN a.id, coalesce(a.openOn, '') <> coalesce(wanted, '')
"""
    for product, order in ((Product.NEO4J, "ORDER BY a.id "), (Product.ARCADEDB, ""))
}
_MARK: Final = f"""
UNWIND $batch.alarms AS id
MATCH (a:Alarm {{id: id}})
SET a._locked = coalesce(a._locked, 0) + 1
WITH a, {open_on("a")} AS wanted
SET a.openOn = wanted
"""


async def differing(store: Store, *, most: int = _SHOWN, deadline: float) -> list[str]:
    """Give the ids of alarms by which something else is found to be open than they say: the first so many."""
    found: list[str] = []
    after: str | None = ""
    while after is not None and len(found) < most:
        some, after = await _differing(store, after, deadline)
        found += some
    return found[:most]


async def mark(store: Store, *, deadline: float) -> None:
    """Let each alarm say what it is open on; does nothing where all do."""
    after: str | None = ""
    while after is not None:
        some, after = await _differing(store, after, deadline)
        if some:
            await _mark(store, some, deadline)


async def _differing(store: Store, after: str, deadline: float) -> tuple[list[str], str | None]:
    """Give what differs of the page behind an id, and where the next begins; None where there is none."""
    rows = await store.rows(_PAGE[store.product], {"after": after, "most": _AT_ONCE}, deadline=deadline)
    page = cast("list[tuple[str, bool]]", [tuple(row) for row in rows])
    assert [each for each, _ in page] == sorted(each for each, _ in page), "a page not in order would pass some over"
    return [each for each, differs in page if differs], page[-1][0] if page else None


async def _mark(store: Store, alarms: list[str], deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(_MARK, {"batch": {"alarms": sorted(alarms)}})

    await store.write(work, deadline=deadline)
