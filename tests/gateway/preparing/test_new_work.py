"""How much new work a principal may cause, and that nobody waits for it who did not cause it."""

from __future__ import annotations

import asyncio
import gc
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from gateway.errors import Code, Refused
from gateway.preparing.new_work import MOST_PRINCIPALS, UNIT_BYTES, UNIT_SECONDS, NewWork, Work, units_of


@dataclass(slots=True)
class Clock:
    """Seconds that pass when a test says so: of the day, and of the CPU."""

    now: float = 0.0
    spent: float = 0.0

    def work(self, per_minute: float) -> NewWork:
        return NewWork(per_minute, clock=lambda: self.now, cpu=lambda: self.spent)

    def spending(self, seconds: float) -> Callable[[], None]:
        def spend() -> None:
            self.spent += seconds

        return spend


@dataclass(slots=True)
class Piece:
    """New work, as those who keep its result bring it."""

    make: Callable[[], Any]
    units: float = 1.0
    short: bool = False
    kept: list[Any] = field(default_factory=list)

    def work(self) -> Work[Any]:
        return Work(
            key=self.make,
            units=self.units,
            short=self.short,
            make=self.make,
            found=lambda: self.kept[0] if self.kept else None,
            keep=self.kept.append,
        )


def admitted(new_work: NewWork, subject: str = "a", units: float = 1.0) -> int:
    """How many pieces of new work pass one after another."""
    count = 0
    while count < 2_000 and not new_work.take(subject, units):
        count += 1
    return count


def test_an_allowance_fills_up_evenly_over_a_minute_and_holds_no_more_than_one() -> None:
    clock = Clock()
    new_work = clock.work(120)
    assert admitted(new_work) == 120
    clock.now = 30.0
    assert admitted(new_work) == 60
    clock.now = 10_000.0
    assert admitted(new_work) == 120
    assert admitted(new_work, "b") == 120, "each principal has its own"


def test_the_time_to_come_back_is_when_there_is_one_again() -> None:
    clock = Clock()
    new_work = clock.work(10)
    admitted(new_work)
    wait = new_work.take("a", 1.0)
    assert wait == pytest.approx(6.0)
    clock.now = wait - 0.01
    assert new_work.take("a", 1.0)
    clock.now = wait + 0.01
    assert not new_work.take("a", 1.0)


def test_a_document_counts_by_its_size_before_it_is_read() -> None:
    assert units_of("{ a }") == 1.0
    assert units_of("x" * UNIT_BYTES * 10) == 10.0
    assert admitted(Clock().work(120), units=units_of("x" * UNIT_BYTES * 10)) == 12


@pytest.mark.parametrize("short", [True, False])
async def test_work_counts_by_the_time_that_it_took(*, short: bool) -> None:
    clock = Clock()
    new_work = clock.work(120)
    for _ in range(2):
        await new_work.do("a", Piece(clock.spending(40 * UNIT_SECONDS), short=short).work())
    assert admitted(new_work) == 40
    new_work.settle("a", 0.0, 1e9)
    clock.now = 60.0
    assert new_work.take("a", 1.0) == pytest.approx(0.5), "no more than a minute is owed"


@pytest.mark.parametrize("short", [True, False])
async def test_work_that_fails_counts_too(*, short: bool) -> None:
    clock = Clock()
    new_work = clock.work(120)

    def fail() -> None:
        clock.spent += 80 * UNIT_SECONDS
        raise ValueError("no")

    piece = Piece(fail, short=short)
    with pytest.raises(ValueError, match="no"):
        await new_work.do("a", piece.work())
    assert piece.kept == []
    assert admitted(new_work) == 40


def test_what_a_document_covers_passes_until_half_a_minute_is_owed() -> None:
    clock = Clock()
    new_work = clock.work(120)
    admitted(new_work)
    assert not new_work.take("a", 0.0)
    new_work.settle("a", 0.0, 61 * UNIT_SECONDS)
    assert new_work.take("a", 0.0) == pytest.approx(0.5)
    new_work.settle("a", 0.0, 1e9)
    assert new_work.take("a", 0.0) == pytest.approx(30.0)


async def test_what_has_no_allowance_left_is_refused_and_does_not_run() -> None:
    new_work = Clock().work(1)
    ran: list[int] = []
    await new_work.do("a", Piece(lambda: ran.append(1)).work())
    for short in (True, False):
        with pytest.raises(Refused) as refused:
            await new_work.do("a", Piece(lambda: ran.append(2), short=short).work())
        assert refused.value.problems[0].code is Code.TOO_MANY_NEW_DOCUMENTS
        assert refused.value.retry_after == pytest.approx(60.0)
    assert ran == [1]


def test_so_many_principals_are_remembered_and_no_more() -> None:
    new_work = Clock().work(1)
    for number in range(MOST_PRINCIPALS + 10):
        new_work.take(str(number), 1.0)
    assert len(new_work._accounts) == MOST_PRINCIPALS


async def test_the_loop_goes_on_while_the_thread_works() -> None:
    new_work, until = NewWork(1_000), threading.Event()
    piece = Piece(lambda: until.wait(10))
    task = asyncio.create_task(new_work.do("a", piece.work()))
    for _ in range(10):
        await asyncio.sleep(0)
    assert not task.done()
    until.set()
    assert await task is True
    assert piece.kept == [True]


async def test_several_who_want_the_same_wait_for_one() -> None:
    new_work = NewWork(1_000, clock=lambda: 0.0, cpu=lambda: 0.0)
    made: list[int] = []

    def make() -> int:
        time.sleep(0.01)
        made.append(1)
        return 7

    piece = Piece(make)
    assert await asyncio.gather(*(new_work.do(subject, piece.work()) for subject in "aabbc")) == [7] * 5
    assert made == [1]
    assert (new_work._turns, new_work._under_way) == ({}, {})
    assert [admitted(new_work, subject) for subject in "abc"] == [999, 1_000, 1_000], "the first pays"


async def test_a_principal_has_one_piece_in_the_queue_so_that_others_wait_for_one_of_its_pieces() -> None:
    new_work, order = NewWork(1_000), list[str]()

    def noting(name: str) -> Work[Any]:
        def make() -> str:
            time.sleep(0.005)
            order.append(name)
            return name

        return Piece(make).work()

    greedy = [asyncio.create_task(new_work.do("greedy", noting("greedy"))) for _ in range(20)]
    await asyncio.sleep(0)
    await new_work.do("other", noting("other"))
    assert order.index("other") <= 2
    await asyncio.gather(*greedy)


async def test_who_leaves_keeps_the_turn_until_the_work_is_done_and_pays_for_it() -> None:
    clock, until = Clock(), threading.Event()
    new_work = clock.work(120)

    def slow() -> str:
        until.wait(10)
        clock.spent += 80 * UNIT_SECONDS
        return "done"

    piece = Piece(slow)
    left = asyncio.create_task(new_work.do("a", piece.work()))
    await asyncio.sleep(0.01)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    waiting = [asyncio.create_task(new_work.do("a", Piece(lambda: "next").work())) for _ in range(2)]
    await asyncio.sleep(0.01)
    waiting[0].cancel()
    assert not waiting[1].done(), "it is not its turn yet"
    until.set()
    assert await waiting[1] == "next"
    assert piece.kept == ["done"], "what was made is kept for the next who asks"
    assert admitted(new_work) == 39
    assert new_work._turns == {}
    gc.collect()  # an error that nobody has looked at would be reported now
