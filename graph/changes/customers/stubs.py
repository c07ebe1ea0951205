"""Whoever names a customer that was merged means the one that it was merged into, and that is one step away.

Tokens are not followed: a token that names a stub sees the stub, and nothing of the other (docs/customers.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from graph.store.store import Run

_MEANT: Final = """
UNWIND $batch.customers AS id
MATCH (:Customer {id: id})-[:MERGED_INTO]->(c:Customer)
RETURN id, c.id
"""
_STUBS: Final = "MATCH (s:Customer)-[:MERGED_INTO]->(:Customer {id: $customer}) RETURN s.id ORDER BY s.id"


async def meant_by(run: Run, customers: Iterable[str]) -> Mapping[str, str]:
    """Give, for those of these customers that are stubs, whom each of them means now."""
    wanted = sorted(set(customers))
    rows = await run(_MEANT, {"batch": {"customers": wanted}}) if wanted else []
    return {str(stub): str(customer) for stub, customer in rows}


async def stubs_of(run: Run, customer: str) -> tuple[str, ...]:
    """Give the customers that were merged into one."""
    return tuple(str(row[0]) for row in await run(_STUBS, {"customer": customer}))
