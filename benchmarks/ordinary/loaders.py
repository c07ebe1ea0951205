"""Without these, a list of fifty ports would be fifty statements for their cards.

Each loader belongs to one request, collects the keys that resolvers ask for in one turn of the loop, and asks once.
"""

from __future__ import annotations

import time
from typing import Any, Final, TypedDict

from strawberry.dataloader import DataLoader

from graph.model.scope import Principal, Role
from graph.store.store import Store

Properties = dict[str, Any]
_SECONDS: Final = 60.0

_CUSTOMERS_OF: Final = (
    "UNWIND $ids AS id MATCH (:Service {id: id})<-[:SUBSCRIBES_TO]-(n:Customer) RETURN id, properties(n)"
)
_SLAS_OF: Final = "UNWIND $ids AS id MATCH (:Service {id: id})-[:GOVERNED_BY]->(n:Sla) RETURN id, properties(n)"
_CARDS_OF: Final = "UNWIND $ids AS id MATCH (:Port {id: id})<-[:HAS_PORT]-(n:Card) RETURN id, properties(n)"
_ELEMENTS_OF: Final = "UNWIND $ids AS id MATCH (:Card {id: id})<-[:HOLDS]-(n:NetworkElement) RETURN id, properties(n)"
_SERVICES: Final = "UNWIND $ids AS id MATCH (n:Service {id: id}) RETURN id, properties(n)"
_PORTS: Final = "UNWIND $ids AS id MATCH (n:Port {id: id}) RETURN id, properties(n)"
_ENDS_OF: Final = (
    "UNWIND $ids AS id MATCH (:Service {id: id})-[a:ACCESSED_AT]->(p:Port) RETURN id, a.end, p.id ORDER BY a.end, p.id"
)


class Loaders:
    """The loaders of one request."""

    def __init__(self, store: Store) -> None:
        self.customer_of_service = _one(store, _CUSTOMERS_OF)
        self.sla_of_service = _one(store, _SLAS_OF)
        self.card_of_port = _one(store, _CARDS_OF)
        self.element_of_card = _one(store, _ELEMENTS_OF)
        self.service = _one(store, _SERVICES)
        self.port = _one(store, _PORTS)
        self.ends_of_service = _many(store, _ENDS_OF)


class Context(TypedDict):
    """What every resolver of a request has."""

    store: Store
    principal: Principal
    loaders: Loaders


def may_see(principal: Principal, customer: str) -> bool:
    """Tell whether a caller may see a customer and what it buys."""
    return principal.effective in {Role.OPERATOR, Role.ANALYST} or customer in principal.customers


async def rows(store: Store, text: str, parameters: dict[str, object]) -> list[list[Any]]:
    """Run one statement."""
    return await store.rows(text, parameters, deadline=time.monotonic() + _SECONDS)


def _one(store: Store, text: str) -> DataLoader[str, Properties | None]:
    async def load(ids: list[str]) -> list[Properties | None]:
        found = dict(await rows(store, text, {"ids": ids}))
        return [found.get(each) for each in ids]

    return DataLoader(load_fn=load)


Ends = list[tuple[str, str]]


def _many(store: Store, text: str) -> DataLoader[str, Ends]:
    async def load(ids: list[str]) -> list[Ends]:
        found: dict[str, Ends] = {each: [] for each in ids}
        for id_, end, port in await rows(store, text, {"ids": ids}):
            found[id_].append((end, port))
        return [found[each] for each in ids]

    return DataLoader(load_fn=load)
