from __future__ import annotations

import asyncio
import time

import pytest

from graph.errors import TooManyStatements
from graph.store.admission import Admission


def _soon(seconds: float = 10.0) -> float:
    return time.monotonic() + seconds


class Held:
    """Statements that run until they are let go, and how many ran at a time."""

    def __init__(self, most: int) -> None:
        self.admission = Admission(most=most)
        self.over = asyncio.Event()
        self.running = self.most_running = 0
        self.order: list[str] = []

    async def run(self, subject: str, name: str = "", seconds: float = 10.0) -> None:
        async with self.admission.place(subject, _soon(seconds)):
            self.order.append(name)
            self.running += 1
            self.most_running = max(self.most_running, self.running)
            await self.over.wait()
            self.running -= 1

    def start(self, subject: str, *names: str) -> list[asyncio.Task[None]]:
        return [asyncio.create_task(self.run(subject, each)) for each in names]


async def test_so_many_run_at_a_time_and_the_rest_in_their_order() -> None:
    held = Held(2)
    tasks = held.start("a", *"12345")
    await asyncio.sleep(0.01)
    assert (held.running, held.order) == (2, ["1", "2"])
    held.over.set()
    await asyncio.gather(*tasks)
    assert (held.most_running, held.order) == (2, list("12345"))


async def test_other_principals_have_places_of_their_own() -> None:
    held = Held(1)
    tasks = [*held.start("a", "1", "2"), *held.start("b", "3")]
    await asyncio.sleep(0.01)
    assert held.order == ["1", "3"]
    held.over.set()
    await asyncio.gather(*tasks)


async def test_who_finds_no_place_until_the_deadline_is_told_when_to_come_back() -> None:
    held = Held(1)
    tasks = held.start("a", "1")
    await asyncio.sleep(0.01)
    with pytest.raises(TooManyStatements, match="More than 1 ") as refused:
        await held.run("a", "late", seconds=0.05)
    assert refused.value.retry_after > 0
    held.over.set()
    await asyncio.gather(*tasks)
    await held.run("a", "later")
    assert held.order == ["1", "later"]


async def test_who_is_cancelled_while_waiting_or_running_leaves_its_place() -> None:
    held = Held(1)
    running, waiting, last = held.start("a", "1", "2", "3")
    await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.sleep(0.01)
    assert held.order == ["1", "3"]
    held.over.set()
    await last


async def test_a_place_handed_over_at_the_moment_of_a_cancellation_goes_to_the_next() -> None:
    held = Held(1)
    await held.admission.take("a", _soon())
    waiting, last = held.start("a", "1", "2")
    await asyncio.sleep(0.01)
    held.admission.leave("a")
    waiting.cancel()
    held.over.set()
    await asyncio.gather(waiting, return_exceptions=True)
    await last
    assert held.order == ["2"]
    assert held.admission._principals == {}


async def test_too_many_that_wait_are_refused_at_once_and_nobody_is_remembered() -> None:
    held = Held(1)
    tasks = held.start("a", *map(str, range(257)))
    await asyncio.sleep(0.05)
    with pytest.raises(TooManyStatements):
        await held.run("a")
    held.over.set()
    await asyncio.gather(*tasks)
    assert held.admission._principals == {}
