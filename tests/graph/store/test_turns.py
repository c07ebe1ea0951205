"""Who was overtaken too often has the database for itself, and nobody else waits for longer than that."""

from __future__ import annotations

import asyncio
import time

import pytest

from graph.errors import Contended
from graph.store.turns import PATIENCE, Turn, Turns


def soon(seconds: float = 20.0) -> float:
    return time.monotonic() + seconds


async def begun(turns: Turns) -> None:
    """Begin, as a change does that nobody has been in the way of."""
    async with Turn(turns, soon()):
        pass


async def test_others_begin_beside_whoever_has_the_turn_until_it_was_overtaken_too_often() -> None:
    turns = Turns()
    async with Turn(turns, soon()) as overtaken:
        for _ in range(PATIENCE - 1):
            await overtaken.again()
            await begun(turns)
        await overtaken.again()
        with pytest.raises(Contended):
            async with Turn(turns, soon(0.05)):
                pass
        waiting = asyncio.create_task(begun(turns))
        await asyncio.sleep(0.01)
        assert not waiting.done()
    await waiting
    await begun(turns)


async def test_those_who_begin_anew_come_one_after_another() -> None:
    turns, running, most = Turns(), 0, 0

    async def one() -> None:
        nonlocal running, most
        async with Turn(turns, soon()) as turn:
            await turn.again()
            running += 1
            most = max(most, running)
            await asyncio.sleep(0)
            running -= 1

    await asyncio.gather(*(one() for _ in range(20)))
    assert most == 1


async def test_whose_turn_does_not_come_in_time_is_told_and_keeps_nobody() -> None:
    turns = Turns()
    async with Turn(turns, soon()) as first:
        await first.again()
        with pytest.raises(Contended):
            async with Turn(turns, soon(0.05)) as second:
                await second.again()
    await asyncio.wait_for(begun(turns), 20)
    async with Turn(turns, soon()) as third:
        await third.again()
