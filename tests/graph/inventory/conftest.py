from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from graph.store.open_alarms import differing
from graph.store.store import Store
from tests.graph.inventory.network import NETWORK, SERVICE, Inventoried, id_of, named, soon


@pytest.fixture
async def inventoried(empty_store: Store) -> AsyncIterator[Inventoried]:
    """The network, made by a feed, with a service on it."""
    found = Inventoried(store=empty_store)
    state = await found.feed("first", *NETWORK)
    assert (state.changes, state.differences, state.resources) == (9, 0, 9)
    await found.run(SERVICE, port=id_of(named("N1/1/1")), trunk=id_of(named("T1")))
    yield found
    assert await differing(empty_store, deadline=soon()) == [], "an alarm says that it is open on something else"
