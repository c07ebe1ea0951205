"""A gateway is killed again and again while alarms are raised and cleared: each example shows each event once, in order."""

from __future__ import annotations

import asyncio
import os
import random
import re
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gateway.commands import watch
from graph.store.store import Store
from tests.examples import followers, runtimes
from tests.examples.followers import Shown
from tests.examples.runtimes import SOURCE
from tests.faults.processes import free_port, started
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid, lay, report
from tests.selection import choose_seed
from trunkline.client import resuming

KILLS: Final = 3
SECONDS: Final = 240.0


@dataclass(slots=True, kw_only=True)
class Gateway:
    """`trunkline serve` in a process, which is killed and started again."""

    environment: dict[str, str]
    log: Path
    client: httpx.AsyncClient
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        given = {**self.environment, "TRUNKLINE_LISTEN": f"127.0.0.1:{self.port}"}
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "gateway", "serve"]
            self.process = started(command, stdout=log, stderr=log, env=given)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    async def followed_by(self, count: int) -> None:
        """Wait until so many subscriptions are open."""

        async def are_open() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()[-2_000:]
            try:
                text = (await self.client.get(f"{self.url}/metrics", timeout=20)).text
            except httpx.HTTPError:
                return False
            lines = [line for line in text.splitlines() if line.startswith("trunkline_streams{")]
            return sum(float(line.rpartition(" ")[2]) for line in lines) == count

        await until(are_open)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SECONDS):
        while True:
            if await holds():
                return
            await asyncio.sleep(0.3)


@pytest.fixture
async def gateway(store_address: str, mint: Mint, tmp_path: Path) -> AsyncIterator[Gateway]:
    issuers = orjson.dumps([mint.settings().model_dump(mode="json", include={"issuer", "audience", "jwks_file"})])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    settings = {"TRUNKLINE_STORE": store_address, "TRUNKLINE_ISSUERS": issuers.decode()}
    async with httpx.AsyncClient() as client:
        made = Gateway(environment={**kept, **settings}, log=tmp_path / "gateway.log", client=client)
        yield made
        made.kill()


@pytest.mark.process
@pytest.mark.long(60)
@pytest.mark.timeout(
    900
)  # nothing is waited for that does not come, but a browser and three starts take long on a busy machine
async def test_each_example_shows_each_event_once_and_in_order_whatever_is_killed(
    gateway: Gateway, mint: Mint, empty_store: Store, tmp_path: Path
) -> None:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    chance = random.Random(choose_seed())
    happened: list[tuple[str, str]] = []

    async def happen() -> None:
        """Raise an alarm, or clear the one that was raised last."""
        number = len(happened)
        if number % 2:
            await laid.clear(happened[-1][1], key=f"clear-{number}")
            happened.append(("ENDED", happened[-1][1]))
        else:
            happened.append(("BEGAN", await laid.raise_(report("card-1", number))))

    async with AsyncExitStack() as stack:
        lacking = runtimes.lacking()
        folder = SOURCE if "browser" in lacking else runtimes.installed()
        base = await stack.enter_async_context(followers.pages(folder))
        gateway.environment["TRUNKLINE_ORIGINS"] = orjson.dumps([base]).decode()
        gateway.start()
        token = mint.token(exp=int(time.time()) + 3_600)
        shown = await _follow(stack, gateway, token, base, tmp_path, without=lacking)
        await gateway.followed_by(len(shown))
        for _ in range(KILLS):  # the first before any event
            gateway.kill()
            await happen()
            gateway.start()
            await gateway.followed_by(len(shown))
            await happen()
            await asyncio.sleep(chance.uniform(0, 0.5))
        for each in shown.values():

            async def has_all(each: Shown = each) -> bool:
                return len(await each()) >= len(happened)

            await until(has_all)
        for name, each in shown.items():
            assert [(alert["kind"], alert["alarmId"]) for alert in await each()] == happened, name
    if lacking:
        pytest.skip(f"It holds but for what could not be run here: {lacking}")


async def _follow(
    stack: AsyncExitStack, gateway: Gateway, token: str, base: str, folder: Path, *, without: Collection[str]
) -> dict[str, Shown]:
    """Start each example that can be run, with a folder of its own."""
    url = f"{gateway.url}/graphql"
    opens: dict[str, Callable[[str, str, Path], AbstractAsyncContextManager[Shown]]] = {
        "python": followers.python,
        "node": followers.node,
        "browser": partial(followers.page, base=base),
    }
    shown = {}
    for name, each in opens.items():
        if name not in without:
            (folder / name).mkdir()
            shown[name] = await stack.enter_async_context(each(url, token, folder / name))
    return shown


@pytest.mark.process
@pytest.mark.long(10)
async def test_a_page_gives_up_a_connection_that_says_nothing(tmp_path: Path) -> None:
    if "browser" in (lacking := runtimes.lacking()):
        pytest.skip(lacking["browser"])
    page = (SOURCE / "alerts.html").read_text()
    assert "SILENT = 75_000;" in page
    (tmp_path / "alerts.html").write_text(page.replace("SILENT = 75_000;", "SILENT = 300;"))
    (tmp_path / "node_modules").symlink_to(runtimes.installed() / "node_modules")
    asked = asyncio.Event()
    seen: list[bytes] = []

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        allowed = b"Access-Control-Allow-Origin: *\r\nAccess-Control-Allow-Headers: *, Authorization\r\n"
        if head.startswith(b"OPTIONS"):
            writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n" + allowed + b"\r\n")
            await writer.drain()
            writer.close()
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n" + allowed + b"\r\n:\n\n")
        seen.append(head)
        if len(seen) == 3:
            asked.set()
        await reader.read()  # until the page has closed it
        writer.close()

    (tmp_path / "browser").mkdir()
    async with (
        await asyncio.start_server(say_nothing, "127.0.0.1", 0) as server,
        followers.pages(tmp_path) as base,
    ):
        gateway = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/graphql"
        async with followers.page(gateway, "x", tmp_path / "browser", base) as shown:
            await asyncio.wait_for(asked.wait(), SECONDS)
            assert await shown() == []


async def test_node_shows_the_errors_of_an_event_that_cannot_be_shown() -> None:
    if "node" in (lacking := runtimes.lacking()):
        pytest.skip(lacking["node"])
    errors = [{"message": "It is missing.", "extensions": {"code": "EVENTS_MISSING"}}]
    event = {"data": None, "errors": errors, "extensions": {"cursor": "c-1"}}

    async def one_event(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("graphql-transport-ws",))
        await socket.prepare(request)
        await socket.receive_json()
        await socket.send_json({"type": "connection_ack"})
        asked = await socket.receive_json()
        await socket.send_json({"type": "next", "id": asked["id"], "payload": event})
        await socket.send_json({"type": "complete", "id": asked["id"]})
        await socket.receive()  # until it is closed
        return socket

    served = web.Application()
    served.router.add_get("/graphql", one_event)
    async with TestServer(served) as server:
        given = {**os.environ, "GATEWAY": str(server.make_url("/graphql")), "TOKEN": "x"}
        command = (runtimes.node(), str(runtimes.installed() / "alerts.mjs"))
        process = await asyncio.create_subprocess_exec(*command, env=given, stdout=asyncio.subprocess.PIPE)
        out, _ = await asyncio.wait_for(process.communicate(), SECONDS)
    assert [orjson.loads(line) for line in out.splitlines()] == [{"cursor": "c-1", "errors": errors}]


@pytest.mark.parametrize("example", ["alerts.mjs", "alerts.html"])
def test_an_example_comes_back_after_the_codes_that_the_client_comes_back_after(example: str) -> None:
    [listed] = re.findall(r"const PASSING = \[(.*?)\]", (SOURCE / example).read_text(), re.DOTALL)
    assert set(re.findall(r'"(\w+)"', listed)) == resuming.PASSING == watch.PASSING


def test_the_lock_of_the_examples_has_hashes_and_names_no_address() -> None:
    lock: dict[str, Any] = orjson.loads((SOURCE / "package-lock.json").read_bytes())
    engines = lock["packages"]["node_modules/graphql-ws"]["engines"]["node"]
    assert engines == f">={runtimes.oldest_node()}"
    found = {name: each for name, each in lock["packages"].items() if name}
    assert found.keys() >= {"node_modules/graphql-ws", "node_modules/graphql-sse", "node_modules/ws"}
    assert [name for name, each in found.items() if "integrity" not in each or "resolved" in each] == []
    assert b"://" not in (SOURCE / "package-lock.json").read_bytes()
