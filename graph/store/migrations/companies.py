"""Customers of version 9 did not say which company their names mean; those of version 10 do, so that they are found by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from graph.model.companies import company_of
from graph.store.store import Product, Store, Transaction

_AT_ONCE: Final = 2_000
# Neo4j reads the index of ids in order; the embedded database does so only where it is not asked to sort.
_NAMED: Final[Mapping[Product, str]] = {
    Product.NEO4J: """
MATCH (c:Customer) WHERE c.id > $after
WITH c ORDER BY c.id LIMIT $most
RETURN c.id, c.name
""",
    Product.ARCADEDB: """
MATCH (c:Customer) WHERE c.id > $after
WITH c LIMIT $most
RETURN c.id, c.name
""",
}
# Only while it still has the name: somebody may have given it another meanwhile, and its company.
_WRITE: Final = """
UNWIND $batch.rows AS row
MATCH (c:Customer {id: row.id})
SET c._locked = coalesce(c._locked, 0) + 1
WITH c, row WHERE c.name = row.name
SET c.company = row.company, c.companyForm = row.form
"""


async def name_companies(store: Store, *, deadline: float) -> None:
    """Let each customer say which company its name means (version 10)."""
    after = ""
    while rows := await store.rows(_NAMED[store.product], {"after": after, "most": _AT_ONCE}, deadline=deadline):
        ids = [str(row[0]) for row in rows]
        assert ids == sorted(ids), "a page that is not in order would pass some over"
        after = ids[-1]
        await _write(store, rows, deadline)


async def _write(store: Store, rows: Sequence[Sequence[object]], deadline: float) -> None:
    named = [_row(row[0], row[1]) for row in rows if row[1]]
    known = [row for row in named if row["company"]]

    async def work(transaction: Transaction) -> None:
        await transaction.run(_WRITE, {"batch": {"rows": known}})

    if known:
        await store.write(work, deadline=deadline)


def _row(customer: object, name: object) -> dict[str, object]:
    company = company_of(str(name))
    return {"id": customer, "name": name, "company": company.core, "form": company.form}
