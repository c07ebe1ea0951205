"""Those who wait together ask together, and nobody bears what another's row does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from graph.compiler.rows import Rows
from graph.errors import DeadlineExceeded, StatementFailed, StoreUnavailable
from graph.store.store import Store
from resolvers.knowledge import together
from resolvers.knowledge.together import Together

ECHO = Rows(text="UNWIND $batch.rows AS row RETURN [row.number, row.x] AS data")
LIMITED = Rows(
    text="UNWIND $batch.rows AS row RETURN [row.number, COLLECT { UNWIND row.x AS y RETURN y LIMIT $n }] AS data",
    shared=("n",),
)


class Watched(Store):
    """A store that notes the rows of each statement, and waits or fails where that is ordered."""

    def __init__(self, store: Store, *, most: int = 1_000, failure: Exception | None = None) -> None:
        super().__init__(store.product)
        self._store = store
        self._most = most
        self._failure = failure
        self.gate = asyncio.Event()
        self.gate.set()
        self.sizes: list[int] = []
        self.texts: list[str] = []

    async def rows(self, text: str, parameters: Mapping[str, Any], *, deadline: float) -> list[list[object]]:
        """Note it, wait for the gate, and pass it on; more rows than `most` take too long."""
        size = len(parameters["batch"]["rows"])
        self.sizes.append(size)
        self.texts.append(text)
        await self.gate.wait()
        if self._failure is not None:
            raise self._failure
        if size > self._most:
            raise DeadlineExceeded("too slow")
        return await self._store.rows(text, parameters, deadline=deadline)


async def asked(together_: Together, count: int) -> list[Any]:
    return await asyncio.gather(*(together_.ask(ECHO, {"x": f"x{each}"}, is_past=False) for each in range(count)))


async def test_each_gets_its_own_record_of_one_statement(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(store)
    assert await asked(Together(watched), 60) == [f"x{each}" for each in range(60)]
    assert watched.sizes == [60]
    monkeypatch.setattr(together, "MOST", 25)
    assert await asked(Together(watched), 60) == [f"x{each}" for each in range(60)]
    assert watched.sizes[1:] == [25, 25, 10]


async def test_rows_of_other_limits_are_of_other_statements(store: Store) -> None:
    watched = Watched(store)
    of_all = Together(watched)
    given = [{"x": ["a", "b", "c"], "n": number} for number in (1, 2, 1, 3)]
    found = await asyncio.gather(*(of_all.ask(LIMITED, each, is_past=False) for each in given))
    assert found == [["a"], ["a", "b"], ["a"], ["a", "b", "c"]]
    assert sorted(watched.sizes) == [1, 1, 2]


async def test_what_takes_too_long_is_asked_by_halves_and_then_in_smaller_parts(store: Store) -> None:
    watched = Watched(store, most=3)
    of_all = Together(watched)
    assert await asked(of_all, 8) == [f"x{each}" for each in range(8)]
    assert watched.sizes == [8, 4, 2, 2, 4, 2, 2]
    assert await asked(of_all, 4) == [f"x{each}" for each in range(4)]
    assert watched.sizes[7:] == [2, 2]


@pytest.mark.parametrize(("failure", "statements"), [(StatementFailed("no"), 3), (StoreUnavailable("away"), 1)])
async def test_what_fails_is_told_to_those_who_asked(store: Store, failure: Exception, statements: int) -> None:
    """Where the database is away nobody asks again by halves."""
    watched = Watched(store, failure=failure)
    of_all = Together(watched)
    found = await asyncio.gather(
        *(of_all.ask(ECHO, {"x": each}, is_past=False) for each in "ab"), return_exceptions=True
    )
    assert found == [failure, failure]
    assert len(watched.sizes) == statements


async def test_who_leaves_is_not_asked_for(store: Store) -> None:
    watched = Watched(store)
    of_all = Together(watched)
    watched.gate.clear()
    running = [
        asyncio.create_task(of_all.ask(one(each), {"x": each}, is_past=False)) for each in range(together.AT_ONCE)
    ]
    await turns()
    leaving = [asyncio.create_task(of_all.ask(ECHO, {"x": each}, is_past=False)) for each in "abc"]
    await turns()
    leaving[1].cancel()
    watched.gate.set()
    assert await asyncio.gather(*running) == [*range(together.AT_ONCE)]
    assert [await leaving[0], await leaving[2]] == ["a", "c"]
    assert leaving[1].cancelled()
    assert watched.sizes[together.AT_ONCE :] == [2]


async def test_replays_have_half_of_the_places_and_live_ones_the_next(store: Store) -> None:
    """However many replays wait, of however many statements."""
    watched = Watched(store)
    of_all = Together(watched)
    watched.gate.clear()
    past = [asyncio.create_task(of_all.ask(one(each), {"x": each}, is_past=True)) for each in range(20)]
    await turns()
    assert len(watched.texts) == together.AT_ONCE // 2
    live = asyncio.create_task(of_all.ask(ECHO, {"x": "live"}, is_past=False))
    await turns()
    assert watched.texts[together.AT_ONCE // 2 :] == [ECHO.text]
    watched.gate.set()
    assert await live == "live"
    assert await asyncio.gather(*past) == [*range(20)]


def one(number: int) -> Rows:
    """Give a statement of its own."""
    return Rows(text=f"UNWIND $batch.rows AS row WITH row, {number} AS n RETURN [row.number, row.x] AS data")


async def turns() -> None:
    """Let everybody come who can."""
    for _ in range(20):
        await asyncio.sleep(0)
