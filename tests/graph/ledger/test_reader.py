"""Whoever follows the sequence gets each event once, in order, from wherever it begins and however often it comes back."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from graph.changes.events import Event, append
from graph.errors import DeadlineExceeded, StoreUnavailable
from graph.ledger import reader, sequence
from graph.ledger.positions import keep_placed
from graph.ledger.reader import EventReader, Silence
from graph.ledger.sequence import Gap, Interest, Missing, Sequenced
from graph.ledger.tail import Lagged, Restored, Tail
from graph.store.store import Store, Transaction
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import run

CUSTOMERS = ("customer-a", "customer-b")
ALL = Interest(types=frozenset({"AlarmRaised"}))


VERSIONS = itertools.count(1)
"""of the aggregate: what has one time is in their order."""


async def commit(store: Store, *events: tuple[str, Sequence[str]]) -> None:
    """Write events of (type, customers) in one transaction."""

    async def work(transaction: Transaction) -> None:
        made = [
            Event(
                type=type_,
                aggregate_id="thing",
                aggregate_version=next(VERSIONS),
                at=1_700_000_000_000,
                principal="tests",
                payload={},
                customers=customers,
            )
            for type_, customers in events
        ]
        append(transaction, *made)

    await store.write(work, deadline=soon())


async def customers(store: Store) -> None:
    for each in CUSTOMERS:
        await run(store, "CREATE (:Customer {id: $id, name: $id})", id=each)


@asynccontextmanager
async def reading(store: Store, *, most: int = 1_000, placing: bool = False) -> AsyncIterator[EventReader]:
    """Run a reader; `placing`: as the process that gives positions too."""
    events = EventReader(store, types=["AlarmRaised"], most=most)
    tasks = [asyncio.create_task(events.keep())]
    if placing:
        tasks.append(asyncio.create_task(keep_placed(store, owner="one", placed=events.wake)))
    try:
        yield events
    finally:
        for each in tasks:
            each.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await each


async def positions(events: EventReader, after: int, count: int, interest: Interest = ALL) -> list[int]:
    found: list[int] = []
    async with asyncio.timeout(60), aclosing(events.follow(interest, after)) as following:
        while len(found) < count:
            heard = await anext(following)
            if isinstance(heard, Sequenced):
                found.append(heard.position)
    return found


async def test_each_event_comes_once_and_in_order_however_one_comes_and_goes(
    empty_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers commit while readers of two processes subscribe, leave after some events and resume, each in small pages."""
    monkeypatch.setattr(reader, "PAGE", 7)
    chance = random.Random(7)
    await customers(empty_store)
    written = [chance.choice(("AlarmRaised", "AlarmRaised", "AlarmCleared")) for _ in range(120)]
    wanted = written.count("AlarmRaised")

    async def write() -> None:
        left = list(written)
        while left:
            batch = [left.pop() for _ in range(min(len(left), chance.randint(1, 5)))]
            await commit(empty_store, *((type_, CUSTOMERS) for type_ in batch))
            await asyncio.sleep(chance.random() * 0.02)

    async def follow(processes: Sequence[EventReader], seed: int) -> list[int]:
        mine, found = random.Random(seed), [0]
        while len(found) <= wanted:
            part = min(mine.randint(1, 15), wanted + 1 - len(found))
            found += await positions(mine.choice(processes), found[-1], part)
        return found[1:]

    async with reading(empty_store, placing=True) as one, reading(empty_store) as two:
        writing = asyncio.create_task(write())
        heard = await asyncio.gather(*(follow((one, two), seed) for seed in range(6)))
        await writing
    assert all(each == heard[0] for each in heard)
    assert heard[0] == sorted(set(heard[0]))
    assert len(heard[0]) == wanted


async def test_one_resumes_after_every_event_there_is(empty_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PAGE", 4)
    async with reading(empty_store, placing=True) as events:
        for number in range(12):
            await commit(empty_store, ("AlarmCleared" if number % 3 == 1 else "AlarmRaised", ()))
        every = await positions(events, 0, 8)
        for after in range(every[-1]):
            rest = [each for each in every if each > after]
            assert await positions(events, after, len(rest)) == rest


async def test_only_what_concerned_ones_customers_comes(empty_store: Store) -> None:
    await customers(empty_store)
    of_a = Interest(types=frozenset({"AlarmRaised"}), customers=frozenset({"customer-a"}))
    async with reading(empty_store, placing=True) as events:
        for whom in (["customer-a"], ["customer-b"], [*CUSTOMERS], []):
            await commit(empty_store, ("AlarmRaised", whom))
        assert await positions(events, 0, 4) == [1, 2, 3, 4]
        assert await positions(events, 0, 2, of_a) == [1, 3]
        live = asyncio.create_task(positions(events, 4, 1, of_a))
        await asyncio.sleep(0.2)
        await commit(empty_store, ("AlarmRaised", ["customer-b"]))
        await commit(empty_store, ("AlarmRaised", ["customer-a", "customer-b"]))
        assert await live == [6]


async def test_who_is_too_slow_is_told_up_to_where(empty_store: Store) -> None:
    async with reading(empty_store, placing=True, most=3) as events:
        async with asyncio.timeout(60), aclosing(events.follow(ALL, 0)) as following:
            await commit(empty_store, ("AlarmRaised", ()))
            assert (await anext(following)).position == 1
            for _ in range(5):
                await commit(empty_store, ("AlarmRaised", ()))
            async with asyncio.timeout(60):
                # By then the tail has them all, or has thrown them away.
                while events.position < 6:  # noqa: ASYNC110 - the reader tells those who follow, and nobody else
                    await asyncio.sleep(0.01)
            with pytest.raises(Lagged) as lagged:
                await anext(following)
        assert lagged.value.event.position == 6
        assert await positions(events, 1, 5) == [2, 3, 4, 5, 6]


async def test_a_page_that_takes_too_long_is_read_by_halves(empty_store: Store) -> None:
    """Live by the reader, and by one who comes back."""
    async with reading(empty_store, placing=True) as events:
        await commit(empty_store, *[("AlarmRaised", ())] * 8)
        await positions(events, 0, 8)
    slow = Slow(empty_store, most=2)
    async with reading(slow) as events:
        assert await positions(events, 0, 8) == list(range(1, 9))
        assert min(slow.tried) <= 2 < max(slow.tried)


async def test_who_follows_is_told_when_the_sequence_falls(empty_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a restore: the same positions are other events then."""
    monkeypatch.setattr(reader, "PATIENCE_SECONDS", 0.1)
    async with reading(empty_store) as events:
        async with reading(empty_store, placing=True):
            await commit(empty_store, *[("AlarmRaised", ())] * 3)
            await positions(events, 0, 3)
        async with asyncio.timeout(60), aclosing(events.follow(ALL, 2)) as following:
            await anext(following)
            await run(empty_store, "MATCH (e:Event) DETACH DELETE e")
            await run(empty_store, "MATCH (s:Sequence) SET s.next = 2")
            with pytest.raises(Restored) as restored:
                await anext(following)
        assert restored.value.end.position == 1


@pytest.mark.parametrize("more", [0, 2], ids=["as far as it was", "further than it was"])
async def test_who_follows_is_told_when_other_events_have_the_positions(empty_store: Store, more: int) -> None:
    """As after a restore, where as many events have come since as were lost before anybody looked."""
    async with reading(empty_store) as events:
        async with reading(empty_store, placing=True):
            await commit(empty_store, *[("AlarmRaised", ())] * 3)
            await positions(events, 0, 3)
        async with asyncio.timeout(60), aclosing(events.follow(ALL, 2)) as following:
            await anext(following)
            await run(empty_store, "MATCH (e:Event {position: 3}) SET e.id = 'event-of-another-past'")
            async with reading(empty_store, placing=True):
                await commit(empty_store, *[("AlarmRaised", ())] * more)
                with pytest.raises(Restored) as restored:
                    await anext(following)
        assert restored.value.end.position >= 3


async def test_a_silence_says_how_far_all_is_read(empty_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Events of other types move the position, and are no events to whoever follows."""
    monkeypatch.setattr(reader, "BEAT_SECONDS", 0.1)
    async with reading(empty_store, placing=True) as events:
        await commit(empty_store, ("AlarmRaised", ()), ("AlarmCleared", ()), ("AlarmCleared", ()))
        heard: list[Sequenced | Missing | Silence] = []
        async with asyncio.timeout(60), aclosing(events.follow(ALL, 0)) as following:
            while not heard or heard[-1].position < 3:
                heard.append(await anext(following))
    assert [each.position for each in heard if isinstance(each, Sequenced)] == [1]
    last = heard[-1]
    assert isinstance(last, Silence)
    assert last.at > 1_700_000_000_000


async def test_nothing_is_read_while_nobody_follows(empty_store: Store) -> None:
    async with reading(empty_store) as events:
        assert events.present == 0
        events.wake()
        await asyncio.sleep(0.1)
        await commit(empty_store, ("AlarmRaised", ()))
        follower = asyncio.create_task(positions(events, 0, 1))
        await asyncio.sleep(0.1)
        assert events.present == 1
        follower.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await follower
        assert events.present == 0


async def test_a_reader_goes_on_where_it_was_when_the_database_is_back(empty_store: Store) -> None:
    """The first look fails, as while the database is away."""
    watched = Watched(empty_store, StoreUnavailable("away"))
    async with reading(empty_store, placing=True), reading(watched) as events:
        await commit(empty_store, ("AlarmRaised", ()))
        assert await positions(events, 0, 1) == [1]


async def test_a_reader_goes_on_after_an_event_that_is_no_json_and_after_any_fault(empty_store: Store) -> None:
    """The first look fails by a fault of ours; one event was spoilt by hand."""
    watched = Watched(empty_store, RuntimeError("ours"))
    async with reading(empty_store, placing=True), reading(watched) as events:
        live = asyncio.create_task(positions(events, 0, 3))
        await commit(empty_store, ("AlarmRaised", ()))
        await run(
            empty_store,
            "CREATE (:Event {id: 'e', type: 'AlarmRaised', aggregateId: 't', aggregateVersion: 1, at: 1, "
            "unplaced: 1, payload: 'no JSON'})",
        )
        await commit(empty_store, ("AlarmRaised", ()))
        assert await live == [1, 2, 3]


async def test_waiting_costs_one_read_of_two_nodes_for_each_look(empty_store: Store) -> None:
    watched = Watched(empty_store)
    async with reading(watched) as events:
        waiting_for_one = asyncio.create_task(positions(events, 0, 1))
        begun = time.monotonic()
        await asyncio.sleep(0.6)
        asked, seconds = list(watched.texts), time.monotonic() - begun
        waiting_for_one.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await waiting_for_one
    assert 2 <= len(asked) <= seconds / 0.05 + 2
    assert len(set(asked)) == 1
    assert "MATCH (s:Sequence {id: 'sequence-events'})" in asked[0]


class Watched(Store):
    """A store that remembers what it was asked, and is away at first."""

    def __init__(self, store: Store, *failures: Exception) -> None:
        super().__init__(store.product)
        self._store = store
        self._failures = list(failures)
        self.texts: list[str] = []

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:
        """Fail as often as was said, then pass it on."""
        if self._failures:
            raise self._failures.pop()
        self.texts.append(text)
        return await self._store.rows(text, parameters, deadline=deadline)

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Pass on what those ask who come back."""
        return await self._store.read(text, parameters, deadline=deadline)


class Slow(Store):
    """A store that takes too long for more than so many positions."""

    def __init__(self, store: Store, most: int) -> None:
        super().__init__(store.product)
        self._store = store
        self._most = most
        self.tried: list[int] = []

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:
        """Refuse a long page, and pass on what is shorter."""
        self._try(parameters)
        return await self._store.rows(text, parameters, deadline=deadline)

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Do the same for who comes back."""
        self._try(parameters)
        return await self._store.read(text, parameters, deadline=deadline)

    def _try(self, parameters: Mapping[str, object]) -> None:
        match parameters:
            case {"after": int(after), "upto": int(upto)}:
                self.tried.append(upto - after)
                if upto - after > self._most:
                    raise DeadlineExceeded("too slow")


def sequenced(position: int) -> Sequenced:
    return Sequenced(
        position=position, id="e", type="AlarmRaised", about="t", at=position, payload={}, customers=frozenset()
    )


async def test_who_has_come_further_than_this_process_is_given_nothing_again() -> None:
    """As on a replica that is behind the one from which a subscriber comes."""
    events = EventReader(Store.__new__(Store), types=["AlarmRaised"])
    events._position = 1
    events._known.set()
    async with asyncio.timeout(60), aclosing(events.follow(ALL, 3)) as following:
        coming = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0)
        assert await events._hand_out([sequenced(2), sequenced(3), sequenced(4)], 4)
        heard = await coming
    assert isinstance(heard, Sequenced)
    assert heard.position == 4


async def test_a_page_is_handed_out_up_to_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    events = EventReader(Store.__new__(Store), types=["AlarmRaised"])
    with events._tails.opened(ALL) as tail:
        assert await events._hand_out([sequenced(1), sequenced(2), sequenced(4)], 4) is False
        assert waiting(tail) == [1, 2]
        assert await events._hand_out([sequenced(3), sequenced(4)], 4) is True
        assert waiting(tail) == [1, 2, 3, 4]
        monkeypatch.setattr(sequence, "PATIENCE_SECONDS", 0.0)
        assert await events._hand_out([sequenced(6)], 7) is True
        assert waiting(tail) == [1, 2, 3, 4, Missing(position=5, count=1, at=6), 6, Missing(position=7, count=1, at=6)]


async def test_others_have_their_turn_while_a_page_is_handed_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "_PUTS", 4)
    events = EventReader(Store.__new__(Store), types=["AlarmRaised"])
    of_a = Interest(types=ALL.types, customers=frozenset({"customer-a"}))
    seen: list[int] = []

    async def watch() -> None:
        while len(seen) < 3:
            seen.append(len(first))
            await asyncio.sleep(0)

    with events._tails.opened(ALL) as first, events._tails.opened(ALL) as second, events._tails.opened(of_a) as third:
        watching = asyncio.create_task(watch())
        page = [replace(sequenced(n), customers=frozenset({"customer-a"} if n > 4 else ())) for n in range(1, 7)]
        assert await events._hand_out(page, 6)
        await watching
        assert waiting(first) == waiting(second) == [1, 2, 3, 4, 5, 6]
        assert waiting(third) == [5, 6], "an event comes once to each, by whichever customer"
    assert seen == [2, 4, 6]


async def test_an_event_that_comes_while_gaps_are_looked_for_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The page does not see 2 yet, the look for gaps does: then it is in neither."""
    monkeypatch.setattr(reader, "PATIENCE_SECONDS", -1.0)
    events = EventReader(Late(), types=["AlarmRaised"])
    assert [each.position for each in await events._whole(0, 3, ALL)] == [1, 2, 3]


class Late(Store):
    """A store that shows an event from the second read on."""

    def __init__(self) -> None:
        self._reads = 0

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:  # noqa: ARG002
        """Give the positions that are there."""
        self._reads += 1
        return [[each] for each in self._there()]

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:  # noqa: ARG002
        """Give a page."""
        found = [[each, "e", "AlarmRaised", "t", each, "{}", []] for each in self._there()]
        self._reads += 1
        return [len(found), found]

    def _there(self) -> list[int]:
        return [1, 2, 3] if self._reads else [1, 3]


def test_each_gap_is_waited_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the last one was never seen to close, as by whoever lost the lease meanwhile."""
    now = 0.0
    monkeypatch.setattr(sequence, "time", SimpleNamespace(monotonic=lambda: now))
    gap = Gap()
    assert not gap.is_given_up(7)
    now = 100.0
    assert not gap.is_given_up(9), "it has just been seen"
    now = 104.0
    assert not gap.is_given_up(9)
    now = 106.0
    assert gap.is_given_up(9)
    assert not gap.is_given_up(9), "what was given up is over"


def waiting(tail: Tail) -> list[int | Missing]:
    return [each if isinstance(each, Missing) else each.position for each in tail._items or ()]


async def test_who_comes_back_is_told_of_what_is_missing(empty_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PATIENCE_SECONDS", 0.1)
    async with reading(empty_store, placing=True) as events:
        await commit(empty_store, *[("AlarmRaised", ())] * 30)
        await positions(events, 0, 30)
        await run(empty_store, "MATCH (e:Event) WHERE e.position IN [3, 4, 30] DETACH DELETE e")
        found: list[Sequenced | Missing] = []
        async with asyncio.timeout(60), aclosing(events.follow(ALL, 0)) as following:
            while len(found) < 29:
                heard = await anext(following)
                assert not isinstance(heard, Silence)
                found.append(heard)
    missing = [(each.position, each.count) for each in found if isinstance(each, Missing)]
    assert missing == [(4, 2), (30, 1)]
    assert [each.position for each in found] == [1, 2, *range(4, 31)]


async def test_a_hundred_who_come_back_at_once_take_turns_and_hold_a_page_each(empty_store: Store) -> None:
    """Nobody has a second page before everybody has had a first, and no more than so many are read at a time."""
    async with reading(empty_store, placing=True) as events:
        await commit(empty_store, *[("AlarmRaised", ())] * 20)
        await positions(events, 0, 20)
    pages = Pages(empty_store)
    async with reading(pages) as events:
        await asyncio.gather(*(positions(events, 0, 20) for _ in range(100)))
    first = pages.begun.count(0)
    assert first == 100
    assert set(pages.begun[:first]) == {0}
    assert pages.most == reader._PAGES


class Pages(Store):
    """A store that notes which pages are read for those who come back, and how many at a time."""

    def __init__(self, store: Store) -> None:
        super().__init__(store.product)
        self._store = store
        self._now = 0
        self.most = 0
        self.begun: list[object] = []

    async def rows(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> list[list[object]]:
        """Pass it on."""
        return await self._store.rows(text, parameters, deadline=deadline)

    async def read(self, text: str, parameters: Mapping[str, object], *, deadline: float) -> object:
        """Note a page."""
        self.begun.append(parameters["after"])
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            return await self._store.read(text, parameters, deadline=deadline)
        finally:
            self._now -= 1
