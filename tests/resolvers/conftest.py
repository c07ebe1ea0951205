"""The two tenants in the session's database, loaded once per module that asks."""

from __future__ import annotations

import pytest

from graph.store.store import Store
from resolvers.knowledge.schema import KnowledgeSchema, knowledge_schema
from tests.resolvers.caller import Caller, caller
from tests.resolvers.tenants import tenants
from tests.resolvers.world import World, load


@pytest.fixture(scope="session")
def known() -> KnowledgeSchema:
    """The schema and what its fields are."""
    return knowledge_schema()


@pytest.fixture(scope="module")
def world() -> World:
    """The two tenants."""
    return tenants()


@pytest.fixture(scope="module")
async def asking(store: Store, world: World) -> Caller:
    """The subgraph over the two tenants."""
    await load(store, world)
    return caller(store)
