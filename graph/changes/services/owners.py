"""Whose a service is may change, and what was kept of it before is not for whoever has it later, nor still for who had it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from graph.store.store import Store

_OWNERS: Final = """
UNWIND $batch.services AS id
MATCH (c:Customer)-[:SUBSCRIBES_TO]->(:Service {id: id})
RETURN id, c.id
"""


async def current_owners(store: Store, services: Iterable[str], *, deadline: float) -> Mapping[str, str]:
    """Give the customer who has each service now, by service; one that is gone, or nobody's, is left out."""
    wanted = sorted(set(services))
    if not wanted:
        return {}
    rows = await store.rows(_OWNERS, {"batch": {"services": wanted}}, deadline=deadline)
    return {str(service): str(customer) for service, customer in rows}
