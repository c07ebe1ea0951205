"""Those who wait together ask together, and nobody bears what another's row does."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import pytest

from graph.compiler.rows import Rows
from graph.errors import DeadlineExceeded, StatementFailed, StoreUnavailable
from graph.store.store import Store
from resolvers.knowledge import batching
from resolvers.knowledge.batching import RowBatcher

ECHO = Rows(text="UNWIND $batch.rows AS row RETURN [row.number, row.x] AS data")
LIMITED = Rows(
    text="UNWIND $batch.rows AS row RETURN [row.number, COLLECT { UNWIND row.x AS y RETURN y LIMIT $n }] AS data",
    shared=("n",),
)


class Watched(Store):
    """A store that notes the rows of each statement, and waits or fails where that is ordered."""

    def __init__(self, store: Store, *, most: int = 1_000, slow: str = "", failure: Exception | None = None) -> None:
        super().__init__(store.product)
        self._store = store
        self.most = most
        self.slow = slow
        self._failure = failure
        self.gate = asyncio.Event()
        self.gate.set()
        self.sizes: list[int] = []
        self.texts: list[str] = []
        self.rows_of: list[list[Any]] = []
        self.seconds: list[float] = []

    async def rows(self, text: str, parameters: Mapping[str, Any], *, deadline: float) -> list[list[object]]:
        """Note it, wait for the gate, and pass it on; more rows than `most`, and a row that is `slow`, take too long."""
        size = len(parameters["batch"]["rows"])
        self.sizes.append(size)
        self.texts.append(text)
        given = [row.get("x") for row in parameters["batch"]["rows"]]
        self.rows_of.append(given)
        self.seconds.append(deadline - time.monotonic())
        await self.gate.wait()
        if self._failure is not None:
            raise self._failure
        if size > self.most or self.slow in given:
            raise DeadlineExceeded("too slow")
        return await self._store.rows(text, parameters, deadline=deadline)


async def asked(batcher: RowBatcher, count: int) -> list[Any]:
    return await asyncio.gather(
        *(batcher.ask(ECHO, {"x": f"x{each}"}, subject="s", is_past=False) for each in range(count))
    )


async def test_each_gets_its_own_record_of_one_statement(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(store)
    assert await asked(RowBatcher(watched), 60) == [f"x{each}" for each in range(60)]
    assert watched.sizes == [60]
    monkeypatch.setattr(batching, "MOST", 25)
    assert await asked(RowBatcher(watched), 60) == [f"x{each}" for each in range(60)]
    assert watched.sizes[1:] == [25, 25, 10]


async def test_rows_of_other_limits_are_of_other_statements(store: Store) -> None:
    watched = Watched(store)
    of_all = RowBatcher(watched)
    given = [{"x": ["a", "b", "c"], "n": number} for number in (1, 2, 1, 3)]
    found = await asyncio.gather(*(of_all.ask(LIMITED, each, subject="s", is_past=False) for each in given))
    assert found == [["a"], ["a", "b"], ["a"], ["a", "b", "c"]]
    assert sorted(watched.sizes) == [1, 1, 2]


async def test_what_takes_too_long_is_asked_by_halves_and_then_in_smaller_parts(store: Store) -> None:
    watched = Watched(store, most=3)
    of_all = RowBatcher(watched)
    assert await asked(of_all, 8) == [f"x{each}" for each in range(8)]
    assert watched.sizes == [8, 4, 2, 2, 4, 2, 2]
    assert await asked(of_all, 4) == [f"x{each}" for each in range(4)]
    assert watched.sizes[7:] == [2, 2]


async def test_what_was_too_slow_for_many_is_asked_of_more_and_more_again(store: Store) -> None:
    watched = Watched(store, most=1)
    of_all = RowBatcher(watched)
    await asked(of_all, 8)
    watched.most, watched.sizes = 1_000, []
    for most in (1, 2, 4, 8):
        watched.sizes = []
        await asked(of_all, most)
        assert watched.sizes == [most]
    watched.sizes = []
    await asked(of_all, 3)
    await asked(of_all, 60)
    assert watched.sizes[:2] == [3, 16], "a small one tells nothing about a large one"


async def test_one_slow_row_is_found_in_less_time_and_the_others_are_asked_together_again(store: Store) -> None:
    watched = Watched(store, slow="x0")
    of_all = RowBatcher(watched)
    found = await asyncio.gather(
        *(of_all.ask(ECHO, {"x": f"x{each}"}, subject="s", is_past=False) for each in range(16)), return_exceptions=True
    )
    assert isinstance(found[0], DeadlineExceeded)
    assert found[1:] == [f"x{each}" for each in range(1, 16)]
    assert watched.sizes == [16, 8, 4, 2, 1, 1, 2, 4, 8]
    assert watched.seconds == pytest.approx([30, 15, 7.5, 5, 5, 5, 5, 7.5, 15], abs=2)
    watched.sizes, watched.slow = [], ""
    await asked(of_all, 16)
    assert watched.sizes == [8, 8], "what was answered for eight is asked for eight"


async def test_halves_leave_out_who_has_left_and_end_after_a_while(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = Watched(store, most=0)
    watched.gate.clear()
    of_all = RowBatcher(watched)
    leaving = [
        asyncio.create_task(of_all.ask(ECHO, {"x": each}, subject="s", is_past=False)) for each in ("a", "b", "c", "d")
    ]
    await turns()
    for each in leaving[1:3]:
        each.cancel()
    await turns()
    watched.gate.set()
    await asyncio.gather(*leaving, return_exceptions=True)
    assert watched.rows_of == [["a", "b", "c", "d"], ["a"], ["d"]]
    monkeypatch.setattr(batching, "_ALL_SECONDS", -1.0)
    watched.sizes = []
    found = await asyncio.gather(
        *(RowBatcher(watched).ask(ECHO, {"x": each}, subject="s", is_past=False) for each in "ab"),
        return_exceptions=True,
    )
    assert [type(each) for each in found] == [DeadlineExceeded, DeadlineExceeded]


async def test_who_asks_a_thousand_things_waits_for_the_turns_of_the_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one statement, and of a thousand."""
    monkeypatch.setattr(batching, "MOST", 4)
    watched = Watched(store)
    of_all = RowBatcher(watched)
    watched.gate.clear()
    first = [
        asyncio.create_task(of_all.ask(one(each), {"x": each}, subject="many", is_past=True))
        for each in range(batching.AT_ONCE // 2)
    ]
    await turns()
    many = [
        asyncio.create_task(of_all.ask(each, {"x": "many"}, subject="many", is_past=True))
        for each in [one(100)] * 50 + [one(each) for each in range(200, 250)]
    ]
    others = [
        asyncio.create_task(of_all.ask(rows, {"x": subject}, subject=subject, is_past=True))
        for subject, rows in (("b", one(100)), ("c", one(100)), ("d", one(7)))
    ]
    await turns()
    watched.gate.set()
    await asyncio.gather(*first, *many, *others)
    after = watched.rows_of[len(first) :]
    assert sorted(after[0]) == ["b", "c", "many", "many"], "a statement has a row of each first"
    assert ["d"] in after[1:3], "and who has a statement alone has the next turn"
    assert sum(map(len, after)) == 103


@pytest.mark.parametrize(("failure", "statements"), [(StatementFailed("no"), 3), (StoreUnavailable("away"), 1)])
async def test_what_fails_is_told_to_those_who_asked(store: Store, failure: Exception, statements: int) -> None:
    """Where the database is away nobody asks again by halves."""
    watched = Watched(store, failure=failure)
    of_all = RowBatcher(watched)
    found = await asyncio.gather(
        *(of_all.ask(ECHO, {"x": each}, subject="s", is_past=False) for each in "ab"), return_exceptions=True
    )
    assert found == [failure, failure]
    assert len(watched.sizes) == statements


async def test_who_leaves_is_not_asked_for(store: Store) -> None:
    watched = Watched(store)
    of_all = RowBatcher(watched)
    watched.gate.clear()
    running = [
        asyncio.create_task(of_all.ask(one(each), {"x": each}, subject="s", is_past=False))
        for each in range(batching.AT_ONCE)
    ]
    await turns()
    leaving = [asyncio.create_task(of_all.ask(ECHO, {"x": each}, subject="s", is_past=False)) for each in "abc"]
    await turns()
    leaving[1].cancel()
    watched.gate.set()
    assert await asyncio.gather(*running) == [*range(batching.AT_ONCE)]
    assert [await leaving[0], await leaving[2]] == ["a", "c"]
    assert leaving[1].cancelled()
    assert watched.sizes[batching.AT_ONCE :] == [2]


async def test_replays_have_half_of_the_places_and_live_ones_the_next(store: Store) -> None:
    """However many replays wait, of however many statements."""
    watched = Watched(store)
    of_all = RowBatcher(watched)
    watched.gate.clear()
    past = [asyncio.create_task(of_all.ask(one(each), {"x": each}, subject="s", is_past=True)) for each in range(20)]
    await turns()
    assert len(watched.texts) == batching.AT_ONCE // 2
    live = asyncio.create_task(of_all.ask(ECHO, {"x": "live"}, subject="s", is_past=False))
    await turns()
    assert watched.texts[batching.AT_ONCE // 2 :] == [ECHO.text]
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
