"""A gateway is killed again and again while alarms are raised and cleared: each example shows each event once, in order."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest

from graph.store.store import Store
from tests.examples import followers
from tests.examples.followers import SOURCE, Shown
from tests.faults.processes import free_port, started
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid, lay, report
from tests.selection import choose_seed

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
        base = await stack.enter_async_context(followers.pages())
        gateway.environment["TRUNKLINE_ORIGINS"] = orjson.dumps([base]).decode()
        gateway.start()
        shown = await _follow(stack, gateway, mint.token(exp=int(time.time()) + 3_600), base, tmp_path)
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


async def _follow(stack: AsyncExitStack, gateway: Gateway, token: str, base: str, folder: Path) -> dict[str, Shown]:
    """Start each example, with a folder of its own."""
    url = f"{gateway.url}/graphql"
    for name in ("python", "node", "browser"):
        (folder / name).mkdir()
    opened = {
        "python": followers.python(url, token, folder / "python"),
        "node": followers.node(url, token, folder / "node"),
        "browser": followers.page(url, token, folder / "browser", base),
    }
    return {name: await stack.enter_async_context(each) for name, each in opened.items()}


def test_the_lock_of_the_examples_has_hashes_and_names_no_address() -> None:
    lock: dict[str, Any] = orjson.loads((SOURCE / "package-lock.json").read_bytes())
    found = {name: each for name, each in lock["packages"].items() if name}
    assert found.keys() >= {"node_modules/graphql-ws", "node_modules/graphql-sse", "node_modules/ws"}
    assert [name for name, each in found.items() if "integrity" not in each or "resolved" in each] == []
    assert b"://" not in (SOURCE / "package-lock.json").read_bytes()
