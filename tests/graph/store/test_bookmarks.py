"""Where reads go to replicas that may be behind, whoever has written or read something sees no older state after it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from graph.store.store import Store, Transaction, open_store
from tests.servers.bolt import Cluster, cluster

COUNT = "RETURN count"


def soon() -> float:
    return time.monotonic() + 20


@asynccontextmanager
async def opened(scheme: str, servers: Cluster) -> AsyncIterator[Store]:
    store = await open_store(f"{scheme}://{servers.leader.address}")
    try:
        yield store
    finally:
        await store.close()


async def count(store: Store) -> int:
    [[found]] = await store.rows(COUNT, {}, deadline=soon())
    return int(str(found))


async def write(transaction: Transaction) -> None:
    await transaction.run("CREATE (:Thing)", {})


async def test_a_replica_answers_with_what_this_process_has_written() -> None:
    async with cluster(1) as servers, opened("neo4j", servers) as store:
        assert await count(store) == 0
        for written in range(1, 4):
            await store.write(write, deadline=soon())
            assert await count(store) == written
        assert servers.readers[0].asked[-1] == ("count:3",)
        assert len(servers.leader.asked) == 3, "reads went to the replica"


async def test_what_was_read_from_one_replica_is_there_on_the_next() -> None:
    """The last position of events read at one, and the events before it at another: none is passed over."""
    async with cluster(2) as servers, opened("neo4j", servers) as store:
        ahead, behind = servers.readers
        seen = 0
        for _ in range(20):
            servers.commit()  # by another process
            ahead.applied = servers.leader.applied
            found = await count(store)
            assert found >= seen
            seen = found
        assert ahead.asked
        assert behind.asked


async def test_a_write_is_behind_what_was_read_before() -> None:
    async with cluster(1) as servers, opened("neo4j", servers) as store:
        servers.commit()
        servers.readers[0].applied = 1
        assert await count(store) == 1
        await store.write(write, deadline=soon())
        assert servers.leader.asked == [("count:1",)]


async def test_what_another_process_has_written_is_there_when_the_replica_has_it() -> None:
    """No bookmark goes from one process to another: that is what docs/operations.md says."""
    async with cluster(1) as servers, opened("neo4j", servers) as one, opened("neo4j", servers) as other:
        await one.write(write, deadline=soon())
        assert await count(other) == 0
        assert await count(one) == 1
        assert await count(other) == 1


@pytest.mark.parametrize("scheme", ["bolt"])
async def test_a_single_server_is_sent_none(scheme: str) -> None:
    async with cluster(0) as servers, opened(scheme, servers) as store:
        await store.write(write, deadline=soon())
        assert await count(store) == 1
        assert servers.leader.asked == [(), ()]
