"""Feeds take turns; who stalls over one writes nothing more once another has it; one that never gets on is set aside."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from graph.errors import DeadlineExceeded, StoreUnavailable
from graph.inventory import turns
from graph.inventory.feeds import MOST_CHUNK, begin
from graph.inventory.reconcile import reconcile_next
from graph.inventory.turns import MOST_ATTEMPTS, in_turn, take
from graph.model.resource import Resource
from graph.store.store import Store
from tests.graph.inventory.network import NETWORK, POLICY, SENDER, SYSTEM, Inventoried, but, element, gone, port, soon


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that does much else is not what is tested."""
    monkeypatch.setattr(turns, "_STORE_SECONDS", 60.0)
    monkeypatch.setattr(turns, "TTL_MS", 600_000)


class Between(Store):
    """A store over which something happens before one of its transactions."""

    def __init__(self, store: Store, before: Mapping[int, Any]) -> None:
        super().__init__(store.product)
        self._store, self._before, self.written = store, before, 0

    async def rows(self, text: str, parameters: Any, *, deadline: float) -> list[list[object]]:
        return await self._store.rows(text, parameters, deadline=deadline)

    async def write(self, work: Any, *, deadline: float, quiet: bool = False) -> Any:
        number, self.written = self.written, self.written + 1
        if number in self._before:
            await self._before[number]()
        return await self._store.write(work, deadline=deadline, quiet=quiet)


async def next_of(inventoried: Inventoried, owner: str = "one", turn_seconds: float = 60.0) -> str | None:
    return await reconcile_next(inventoried.store, POLICY, owner=owner, turn_seconds=turn_seconds)


@pytest.mark.sampled(4)
@pytest.mark.parametrize("at", range(1, 6), ids=lambda each: f"before its write {each}")
@pytest.mark.parametrize("kind", ["incremental", "full"])
async def test_who_stalled_over_a_feed_writes_nothing_over_what_came_after(
    inventoried: Inventoried, at: int, kind: str
) -> None:
    """Whatever write it stalls before: another compares the feed and a later one meanwhile, and that stays."""
    said = [but("N1", operationalState="disabled"), but("N1/1", operationalState="disabled")]
    rest = [each for each in NETWORK if each.name not in {"N1", "N1/1"}] if kind == "full" else []
    first = await inventoried.receive("early", *said, *rest, kind=kind)
    happened: list[str] = []

    async def stall() -> None:
        await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._until = 0", id=first.id)
        assert await next_of(inventoried, "two") == first.id
        later = await inventoried.receive("later", but("N1"), but("N1/1"), but("N2", vendor="Bolt"))
        assert await next_of(inventoried, "two") == later.id
        happened.extend(str(row) for row in await everything(inventoried))

    stalling = Between(inventoried.store, {at: stall})
    await reconcile_next(stalling, POLICY, owner="one", turn_seconds=60.0)
    assert happened, f"it is through after {stalling.written} writes"
    assert [str(row) for row in await everything(inventoried)] == happened
    assert await inventoried.value("N1", "operationalState") == "enabled"
    assert await inventoried.value("N2", "vendor") == "Bolt"


async def everything(inventoried: Inventoried) -> list[list[Any]]:
    text = "MATCH (n) WHERE NOT n:LoadMark RETURN labels(n)[0], n.id, properties(n) ORDER BY labels(n)[0], n.id"
    return await inventoried.rows(text)


async def test_a_process_that_has_lost_a_feed_leaves_its_chunks_to_the_other(inventoried: Inventoried) -> None:
    begun = await inventoried.receive("taken", but("N1", vendor="Bolt"))

    async def lose() -> None:
        await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._until = 0", id=begun.id)
        assert await take(inventoried.store, "two") is not None

    # First before the write that would note the chunk, then before the one that would say that all is compared.
    for _ in range(2):
        await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._until = 0", id=begun.id)
        assert (
            await reconcile_next(Between(inventoried.store, {2: lose}), POLICY, owner="one", turn_seconds=60.0) is None
        )
    assert await inventoried.rows("MATCH (c:InventoryChunk) RETURN count(c)") == [[1]]
    await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._until = 0", id=begun.id)
    assert await next_of(inventoried) == begun.id
    assert await inventoried.value("N1", "vendor") == "Bolt"


async def test_a_long_feed_gives_way_to_another_inventory_and_goes_on(inventoried: Inventoried) -> None:
    many = [element(f"M{number}") for number in range(2 * MOST_CHUNK + 1)]
    known = [replace(each, removed=True) for each in many]  # of nothing that is there: a chunk costs next to nothing
    long = await inventoried.receive("long", *known, but("N1", vendor="Bolt"))
    behind = await inventoried.receive("behind", but("N1", vendor="Later"))
    other = await inventoried.receive("other", element("B1"), system="other")
    had = [await next_of(inventoried, turn_seconds=0.0) for _ in range(6)]
    assert had[0] == long.id
    assert had[1] == other.id, "it was received before the long one had its turn"
    assert had[2:] == [long.id, long.id, long.id, behind.id], "the feeds of one inventory keep their order"
    assert await inventoried.value("N1", "vendor") == "Later"
    assert await inventoried.value("B1", "vendor") == "Acme"


async def test_the_look_for_what_is_missing_goes_on_where_it_was_left(inventoried: Inventoried) -> None:
    await inventoried.feed("more", *(port(f"N1/1/{number}", "N1/1") for number in range(3, 120)))
    full = await inventoried.receive("full", *NETWORK, kind="full")
    count = 0
    while await next_of(inventoried, turn_seconds=0.0) is not None:
        count += 1
        assert count < 12
    assert count == 6, "four ranks, and two parts of what is missing"
    found = await inventoried.rows("MATCH (f:InventoryFeed {id: $id}) RETURN f.state, f.differences", id=full.id)
    assert found == [["compared", 117]]
    assert len({name for _, _, name, *_ in await inventoried.differences()}) == 117


async def test_a_feed_that_cannot_be_gone_on_with_waits_longer_each_time_and_is_set_aside(
    inventoried: Inventoried,
) -> None:
    async def slow() -> None:
        raise DeadlineExceeded("The database did not answer in time")

    stuck = await inventoried.receive("stuck", but("N1", vendor="Bolt"))
    behind = await inventoried.receive("behind", but("N1", model="Y"))
    other = await inventoried.receive("other", element("B1"), system="other")
    look = "MATCH (f:InventoryFeed {id: $id}) RETURN f.state, f.reason, f._nextAt - datetime.realtime().epochMillis"
    for attempt in range(1, MOST_ATTEMPTS + 1):
        began = time.monotonic()
        assert (
            await reconcile_next(Between(inventoried.store, {1: slow}), POLICY, owner="one", turn_seconds=60.0)
            == stuck.id
        )
        [[state, reason, pause]] = await inventoried.rows(look, id=stuck.id)
        passed = time.monotonic() - began
        if attempt == 1:
            await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._nextAt = 9999999999999", id=stuck.id)
            assert await next_of(inventoried) == other.id, "the other inventory does not wait for it"
            assert await next_of(inventoried) is None, "its own later feed does"
        if attempt < MOST_ATTEMPTS:
            assert (state, reason) == ("received", "The database did not answer in time")
            await begin(inventoried.store, SYSTEM, "stuck", kind="incremental", subject=SENDER, deadline=soon())
            assert (await inventoried.rows(look, id=stuck.id))[0][1] == reason, "sent again, it is put off as before"
            wanted = min(2 ** (attempt - 1), 300)
            assert wanted - passed - 1 <= pause / 1_000 <= wanted
        await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._nextAt = 0", id=stuck.id)
    assert state == "failed"
    assert reason == f"No step was made in {MOST_ATTEMPTS} attempts; the last time: The database did not answer in time"
    assert await next_of(inventoried) == behind.id
    assert await inventoried.value("N1", "model") == "Y"


async def test_a_step_forgets_the_attempts_before_it(inventoried: Inventoried) -> None:
    async def slow() -> None:
        raise DeadlineExceeded("slow")

    begun = await inventoried.receive("slow", but("N1", vendor="Bolt"), gone("N2/1/1"))
    look = "MATCH (f:InventoryFeed {id: $id}) RETURN f._attempts, f._done, f.reason"
    for write in (1, 4):
        await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._nextAt = 0", id=begun.id)
        assert (
            await reconcile_next(Between(inventoried.store, {write: slow}), POLICY, owner="one", turn_seconds=60.0)
            == begun.id
        )
    assert await inventoried.rows(look, id=begun.id) == [[0, 1, "slow"]]
    await inventoried.run("MATCH (f:InventoryFeed {id: $id}) SET f._nextAt = 0", id=begun.id)
    assert await next_of(inventoried) == begun.id
    assert await inventoried.rows("MATCH (f:InventoryFeed {id: $id}) RETURN f.state, f.reason", id=begun.id) == [
        ["compared", None]
    ]


async def test_a_database_that_is_away_is_nobodys_fault(inventoried: Inventoried) -> None:
    async def away() -> None:
        raise StoreUnavailable("away")

    begun = await inventoried.receive("soon", but("N1", vendor="Bolt"))
    gone_for_good = Between(inventoried.store, dict.fromkeys(range(1, 9), away))
    with pytest.raises(StoreUnavailable):
        await reconcile_next(gone_for_good, POLICY, owner="one", turn_seconds=60.0)
    assert await next_of(inventoried) == begun.id
    assert await inventoried.value("N1", "vendor") == "Bolt"


async def test_processes_side_by_side_compare_each_feed_once(inventoried: Inventoried) -> None:
    feeds: dict[str, list[Resource]] = {f"s{number}": [element(f"S{number}")] for number in range(4)}
    received = {(await inventoried.receive("one", *each, system=name)).id for name, each in feeds.items()}
    taken = await asyncio.gather(*(next_of(inventoried, f"p{number}") for number in range(4)))
    done = {each for each in taken if each is not None}
    while (more := await next_of(inventoried, "p0")) is not None:
        done.add(more)
    assert done == received
    added = await inventoried.events("ResourceAdded")
    assert len([each for each, *_ in added]) == len(NETWORK) + 4


def test_the_next_is_the_first_of_the_inventory_that_has_waited_longest() -> None:
    waiting = [("a2", "a", 2, 2, True), ("a1", "a", 1, 9, True), ("b1", "b", 3, 3, True), ("c1", "c", 1, 1, False)]
    assert in_turn(waiting) == ["b1", "a1"]
    assert in_turn([("a1", "a", 1, 1, False), ("a2", "a", 2, 2, True)]) == [], "a later one may say otherwise"
    assert in_turn([]) == []
