from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from adapters.simulator.ticketing.ticketing import TicketingSystem, serving
from adapters.ticketing import AffectedService, CustomerRef, TicketOrder
from adapters.ticketing.outbound.tmf621 import Tmf621
from adapters.transport.transport import System, Transport, opened
from tests.adapters.endpoint.fixtures import client, mint, port, settings  # noqa: F401 - fixtures for every endpoint

KEY = "alarm-7:customer-3"


PATIENCE: Final = float(os.environ.get("TRUNKLINE_TEST_SECONDS", "5"))
"""seconds for an answer; a real system on a machine that is busy may want more than a stand-in."""


def soon(seconds: float = PATIENCE) -> float:
    return time.monotonic() + seconds


def order(
    external_id: str = KEY, *, severity: str = "major", status: str = "acknowledged", note: str = "Loss of signal"
) -> TicketOrder:
    return TicketOrder(
        external_id=external_id,
        severity=severity,
        status=status,
        name="Two services of Ada are down",
        description="equipmentAlarm on card-1: replaceableUnitProblem",
        customer=CustomerRef(id="customer-3", name="Ada"),
        alarm_id="alarm-7",
        services=(AffectedService(id="service-1", effect="down"), AffectedService(id="service-2", effect="atRisk")),
        note=note,
    )


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal.jsonl"


@pytest.fixture
async def system(journal: Path) -> AsyncIterator[TicketingSystem]:
    async with serving(journal=journal) as found:
        yield found


@pytest.fixture
async def transport(system: TicketingSystem) -> AsyncIterator[Transport]:
    async with opened(System(name="ticketing", address=system.address)) as found:
        yield found


@pytest.fixture
def ticketing(transport: Transport) -> Tmf621:
    return Tmf621(transport)


@pytest.fixture
async def person(system: TicketingSystem) -> AsyncIterator[httpx.AsyncClient]:
    """Someone who works there."""
    async with httpx.AsyncClient(base_url=system.address) as somebody:
        yield somebody


class Saying:
    """A server that says one thing after another, the last for ever, word for word, and hangs up after each."""

    def __init__(self, *said: bytes | None) -> None:
        self._said = list(said)
        self.heard: list[bytes] = []
        self.port = 0

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heard.append(await reader.read(65_536))
            said = self._said.pop(0) if len(self._said) > 1 else self._said[0]
            if said is None:
                await reader.read()  # it hears, and says nothing, until the other side has had enough
            else:
                writer.write(said)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def saying(*said: bytes | None) -> AsyncIterator[Saying]:
    server = Saying(*said)
    listening = await asyncio.start_server(server.accept, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        await listening.wait_closed()


def http(status: str, body: bytes = b"", *headers: str, length: int | None = None) -> bytes:
    size = len(body) if length is None else length
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *headers, "", ""])
    return head.encode() + body


JSON = "Content-Type: application/json"


@asynccontextmanager
async def asking(address: str, *, failures: int = 100, **given: Any) -> AsyncIterator[Transport]:
    told = System(name="ticketing", address=address, failures=failures, **given)
    async with opened(told) as found:
        yield found
