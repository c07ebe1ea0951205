"""A statement ends at its caller's deadline, whatever it does and however many there are; so on both databases."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator

import pytest

from graph.errors import DeadlineExceeded
from graph.store.embedded_abandoned import end_abandoned
from graph.store.store import Store, Transaction

_MARK = "endless"
_NODES, _EVERY = 400, 7
_MANY_AT_ONCE = 24
"""more than any queue of a database's own lets run at a time on a small machine."""
_REST_SECONDS = 15.0
"""Neo4j looks every two seconds for transactions whose time is over."""

# Each goes on for hours over a few hundred nodes; each is of a kind that reads are compiled to. A condition ties all nodes
# together: a database that can count a product from its factors is done at once.
_ENDLESS = {
    "products": """
      MATCH (a:Boost), (b:Boost), (c:Boost), (d:Boost), (e:Boost)
      WHERE a.id + b.id + c.id + d.id CONTAINS e.kind + 'x' RETURN count(*) AS endless""",
    "counts": """
      MATCH (a:Boost), (b:Boost), (c:Boost)
      RETURN sum(COUNT { MATCH (d:Boost) WHERE d.id CONTAINS 'x' AND d.id <> a.id }) AS endless""",
    "lists": """
      MATCH (a:Boost), (b:Boost), (c:Boost) WITH a, b, c, COLLECT {
        MATCH (d:Boost) WHERE d.id CONTAINS a.id RETURN d.id ORDER BY d.id LIMIT 1
      } AS found RETURN count(found) AS endless""",
    "tests of existence": """
      MATCH (a:Boost), (b:Boost), (c:Boost), (d:Boost)
      WHERE EXISTS { MATCH (d)-[:BOOSTS]->(e:Service) WHERE e.id = a.id + b.id + c.id } RETURN count(*) AS endless""",
    "relationships": "MATCH (a:Service)-[:ROUTED_OVER*1..12]-(b) RETURN count(*) AS endless",
    "ways": """
      MATCH (a:Service), (b:Trunk), (c:Service), (d:Trunk) WHERE a <> c AND b <> d
      MATCH way = shortestPath((a)-[:ROUTED_OVER*..10]-(b)) RETURN sum(length(way)) AS endless""",
}


def _soon(seconds: float = 60.0) -> float:
    return time.monotonic() + seconds


@pytest.fixture(scope="module")
async def filled(store: Store) -> AsyncIterator[Store]:
    """The session's database with nodes that are in nobody's way."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(
            "UNWIND range(1, $n) AS i CREATE (:Boost {id: 'ended-' + toString(i), kind: 'ended'})", {"n": _NODES}
        )
        await transaction.run(
            """UNWIND range(1, 60) AS i CREATE (s:Service {id: 'ended-' + toString(i)})
            CREATE (:Trunk {id: 'ended-' + toString(i)})""",
            {},
        )
        await transaction.run(
            """MATCH (s:Service), (t:Trunk) WHERE s.id STARTS WITH 'ended-' AND t.id STARTS WITH 'ended-'
            CREATE (s)-[:ROUTED_OVER]->(t)""",
            {},
        )

    await store.write(work, deadline=_soon())
    yield store

    async def clear(transaction: Transaction) -> None:
        await transaction.run("MATCH (n) WHERE n.id STARTS WITH 'ended-' DETACH DELETE n", {})

    await store.write(clear, deadline=_soon())


async def _running(store: Store) -> int:
    rows = await store.rows("SHOW TRANSACTIONS YIELD currentQuery RETURN currentQuery", {}, deadline=_soon())
    return sum(f"AS {_MARK}" in str(row[0]) for row in rows)


async def _assert_rest(store: Store) -> None:
    until = time.monotonic() + _REST_SECONDS
    while left := await _running(store):
        assert time.monotonic() < until, f"{left} statements go on after their deadline"
        await asyncio.sleep(0.1)


@pytest.mark.sampled(3)
@pytest.mark.parametrize("kind", _ENDLESS)
async def test_each_kind_of_statement_ends(filled: Store, kind: str) -> None:
    with pytest.raises(DeadlineExceeded):
        await filled.read(_ENDLESS[kind], {}, deadline=_soon(1.0))
    await _assert_rest(filled)


async def test_many_at_once_end_and_others_are_answered_meanwhile(filled: Store) -> None:
    slow = [asyncio.create_task(filled.read(_ENDLESS["counts"], {}, deadline=_soon(3.0))) for _ in range(_MANY_AT_ONCE)]
    await asyncio.sleep(0.5)
    for _ in range(3):
        assert await filled.read("MATCH (b:Boost {id: 'ended-1'}) RETURN b.kind AS data", {}, deadline=_soon(20)) == (
            "ended"
        )
    outcomes = await asyncio.gather(*slow, return_exceptions=True)
    assert {type(each) for each in outcomes} == {DeadlineExceeded}
    await _assert_rest(filled)


_CLIENT = """
import asyncio, sys, time
from graph.store.embedded import EmbeddedSettings
from graph.store.store import open_store
async def main():
    address, text = sys.argv[1:]
    store = await open_store(address, embedded=EmbeddedSettings(may_own=False))
    await store.read(text, {}, deadline=time.monotonic() + 600)
asyncio.run(main())
"""


async def test_the_statement_of_a_process_that_is_killed_ends(filled: Store, store_address: str) -> None:
    client = await asyncio.create_subprocess_exec(sys.executable, "-c", _CLIENT, store_address, _ENDLESS["counts"])
    until = time.monotonic() + 30
    while await _running(filled) == 0:
        assert client.returncode is None
        assert time.monotonic() < until, "it does not begin"
        await asyncio.sleep(0.1)
    client.kill()
    await client.wait()
    await _assert_rest(filled)


def test_a_look_that_fails_is_not_the_last_one(capsys: pytest.CaptureFixture[str]) -> None:
    looks = 0

    class Over:
        def wait(self, _seconds: float) -> bool:
            nonlocal looks
            looks += 1
            return looks > 2

    class Broken:
        def getRunning(self) -> list[object]:  # noqa: N802 - Java's name
            raise OSError("it is closing")

    end_abandoned(Broken(), Over())  # type: ignore[arg-type]  # an event that is over after the second look
    assert capsys.readouterr().err.count("OSError: it is closing") == 2
