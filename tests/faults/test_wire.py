"""The network of the harness makes the trouble that it is told to, and no other."""

from __future__ import annotations

import asyncio
import time

import aiohttp
import pytest

from adapters.simulator.ticketing.ticketing import serving
from tests.faults.wire import Trouble, Wire, wired

TICKET = {"description": "d", "severity": "major", "ticketType": "fault", "externalId": "a:b"}


async def opened(wire: Wire, seconds: float = 4.0) -> int:
    """Open a ticket through the wire; give the status."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{wire.address}/troubleTicket", json=TICKET, timeout=aiohttp.ClientTimeout(total=seconds)
        ) as answer,
    ):
        await answer.read()
        return answer.status


async def test_what_goes_through_comes_back() -> None:
    async with serving() as system, wired(system.address) as wire:
        assert await opened(wire) == 201
        assert [each["externalId"] for each in system.tickets.all()] == ["a:b"]
        assert not wire.met


@pytest.mark.parametrize("trouble", [Trouble.CUT, Trouble.RESET])
async def test_a_connection_that_is_cut_or_reset_is_an_error_at_once(trouble: Trouble) -> None:
    async with serving() as system, wired(system.address) as wire:
        wire.trouble(1.0, 1, (trouble,))
        with pytest.raises(aiohttp.ClientError):
            await opened(wire)
        assert system.tickets.all() == []


async def test_what_is_held_is_never_passed_on() -> None:
    async with serving() as system, wired(system.address) as wire:
        wire.trouble(1.0, 1, (Trouble.HOLD,))
        with pytest.raises(TimeoutError):
            await opened(wire, seconds=0.3)
        await asyncio.sleep(0.5)
        assert system.tickets.all() == []


async def test_what_is_late_arrives() -> None:
    async with serving() as system, wired(system.address) as wire:
        wire.trouble(1.0, 1, (Trouble.DELAY,))
        began = time.monotonic()
        assert await opened(wire) == 201
        assert time.monotonic() - began > 0.1


async def test_an_answer_that_is_cut_has_been_acted_on() -> None:
    """The request passes, the answer does not: what the ledger must find out by asking."""
    async with serving() as system, wired(system.address) as wire:
        wire.trouble(0.5, seed=1)
        for _ in range(60):
            try:
                await opened(wire, seconds=0.4)
            except (aiohttp.ClientError, TimeoutError):
                if system.tickets.all():
                    break
        assert system.tickets.all()
        assert set(wire.met) <= {each.value for each in Trouble}
        assert wire.met.total() > 0


async def test_a_system_that_is_down_is_so_through_the_wire_too() -> None:
    async with serving() as system:
        address = system.address
    async with wired(address) as wire:
        with pytest.raises(aiohttp.ClientError):
            await opened(wire)
