"""The two tenants in the session's database, loaded once per module that asks."""

from __future__ import annotations

import time

import pytest

from graph.membership import build
from graph.store.store import Store
from resolvers.knowledge.schema import KnowledgeSchema, knowledge_schema
from tests.resolvers.caller import SECONDS, Caller, caller
from tests.resolvers.tenants import B, tenants
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
    """The subgraph over the two tenants; the slice of one is walked, and that of the other is stored."""
    await load(store, world)
    await build(store, B, deadline=time.monotonic() + SECONDS)
    return caller(store)
