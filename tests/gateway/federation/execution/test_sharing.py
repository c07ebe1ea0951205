"""Who asks what is asked already: each waits for its own time, and the work lasts as long as anybody waits."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable

import pytest

from gateway.federation.execution.sharing import Deadline, Sharing


class Work:
    """A question that takes a while, within its deadline."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.ends: list[str] = []

    def within(self, deadline: Deadline) -> Callable[[], Awaitable[str]]:
        async def answer() -> str:
            try:
                async with deadline.enforced():
                    await asyncio.sleep(self.seconds)
            except TimeoutError:
                self.ends.append("its time was over")
                raise
            except asyncio.CancelledError:
                self.ends.append("called off")
                raise
            self.ends.append("answered")
            return "answer"

        return answer


async def ask(sharing: Sharing[str], work: Work, seconds: float) -> str:
    deadline = Deadline(time.monotonic() + seconds)
    try:
        return await sharing.ask("key", work.within(deadline), deadline)
    except TimeoutError:
        return "too late"


async def test_a_deadline_that_is_moved_moves_no_other_bound() -> None:
    begun = time.monotonic()
    deadline = Deadline(begun + 0.01)

    async def bounded() -> None:
        async with deadline.enforced(begun + 0.05):
            deadline.extend(begun + 20)
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        await bounded()
    async with deadline.enforced():
        await asyncio.sleep(0.1)


async def both(first: float, second: float, work: Work) -> tuple[list[str], float]:
    """What two get who ask one after the other, and when the second gets it."""
    sharing: Sharing[str] = Sharing()
    begun = time.monotonic()
    asked = [asyncio.create_task(ask(sharing, work, first))]
    await asyncio.sleep(0.05)
    asked.append(asyncio.create_task(ask(sharing, work, second)))
    found = await asyncio.gather(*asked)
    return found, time.monotonic() - begun


@pytest.mark.parametrize(
    ("first", "second", "expected", "ends"),
    [
        pytest.param(0.2, 5.0, ["too late", "answer"], ["answered"], id="who joins has more time"),
        pytest.param(5.0, 0.1, ["answer", "too late"], ["answered"], id="who joins has less time"),
        pytest.param(0.2, 0.1, ["too late", "too late"], ["its time was over"], id="nobody has enough"),
        pytest.param(5.0, 5.0, ["answer", "answer"], ["answered"], id="both have enough"),
    ],
)
async def test_each_waits_for_its_own_time(first: float, second: float, expected: list[str], ends: list[str]) -> None:
    work = Work(0.4)
    found, _ = await both(first, second, work)
    await asyncio.sleep(0.1)
    assert found == expected
    assert work.ends == ends


async def test_what_nobody_waits_for_is_called_off() -> None:
    sharing: Sharing[str] = Sharing()
    work = Work(5.0)
    asked = [asyncio.create_task(ask(sharing, work, 9.0)) for _ in range(3)]
    await asyncio.sleep(0.05)
    for each in asked[:2]:
        each.cancel()
    await asyncio.sleep(0.05)
    assert work.ends == []
    asked[2].cancel()
    await asyncio.sleep(0.05)
    assert work.ends == ["called off"]


async def test_a_question_whose_time_is_over_is_not_joined() -> None:
    sharing: Sharing[str] = Sharing()
    slow, quick = Work(5.0), Work(0.0)
    assert await ask(sharing, slow, 0.1) == "too late"
    assert await ask(sharing, quick, 5.0) == "answer"
    assert slow.ends == ["its time was over"]


async def test_when_work_ends_is_known_of_what_is_under_way_only() -> None:
    sharing: Sharing[str] = Sharing()
    leaving = asyncio.Event()

    async def slow_to_leave() -> str:
        try:
            await asyncio.sleep(5)
        finally:
            await leaving.wait()
        return ""

    async def answer() -> str:
        return "answer"

    first = asyncio.create_task(sharing.ask("key", slow_to_leave, ends=7.0))
    await asyncio.sleep(0.01)
    assert sharing.ends("key", otherwise=1.0) == 7.0
    first.cancel()
    await asyncio.sleep(0.01)
    assert sharing.ends("key", otherwise=1.0) == 1.0
    second = asyncio.create_task(sharing.ask("key", answer, ends=9.0))
    await asyncio.sleep(0)
    assert sharing.ends("key", otherwise=1.0) == 9.0
    leaving.set()
    assert await second == "answer"
    assert sharing.ends("key", otherwise=1.0) == 1.0


async def test_an_error_that_nobody_waits_for_any_more_is_not_logged() -> None:
    told: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    try:
        sharing: Sharing[str] = Sharing()

        async def fail() -> str:
            await asyncio.sleep(0.1)
            raise ValueError("late")

        with pytest.raises(TimeoutError):
            await sharing.ask("key", fail, Deadline(time.monotonic() + 0.02))
        await asyncio.sleep(0.15)
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert told == []
