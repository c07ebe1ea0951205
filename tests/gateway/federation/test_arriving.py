"""A database that is away at the start, comes, and goes away in the middle; with the real subgraph and store."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from gateway.app import application
from gateway.federation.arriving import Arriving, Away, Ping
from gateway.federation.subgraph import Subgraph
from gateway.settings.settings import Settings
from tests.gateway.conftest import Mint, serving
from tests.gateway.subgraph import DictSubgraph

WHOLE = {"query": "{ viewer { role } customers(first: 1) { nodes { id } } }"}


async def eventually(holds: Callable[[], Any], seconds: float = 180) -> None:
    end = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.1)


async def test_a_gateway_on_the_sessions_database_answers(settings: Settings, mint: Mint, store_address: str) -> None:
    app = application(settings.model_copy(update={"store": store_address, "deadline_seconds": 30.0}))
    async with serving(app, settings) as client:

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready)
        answer = await client.post("/graphql", json=WHOLE, headers=mint.bearer(), timeout=60)
        assert answer.json()["data"]["viewer"] == {"role": "operator"}


async def test_a_database_that_is_away_at_the_start(settings: Settings, mint: Mint) -> None:
    app = application(settings.model_copy(update={"store": "bolt://127.0.0.1:9"}))
    async with serving(app, settings) as client:
        assert (await client.get("/livez")).status_code == 200
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert answer.json()["reason"]
        for accept in ("application/json", "application/graphql-response+json"):
            answer = await client.post("/graphql", json=WHOLE, headers=mint.bearer() | {"Accept": accept})
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) >= 1
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "STORE_UNAVAILABLE"
            assert error["extensions"]["hint"]
        answer = await client.post("/graphql", json={"query": "{ nothing }"}, headers=mint.bearer())
        assert answer.json()["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
        assert (await client.post("/graphql", json=WHOLE)).status_code == 401
        for path in ("/graphql/", "/livez/", "/mtosi/v2", "/tmf-api/alarmManagement/v4", "/feeds/inventory/v1"):
            answer = await client.post(path, headers=mint.bearer() | {"Host": "evil.test"})
            assert answer.status_code == 404, "and not a redirect to the Host that the client names"


def embedded_children() -> set[int]:
    command = ["ps", "-ww", "-o", "pid=,args=", "--ppid", str(os.getpid())]
    listed = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {int(line.split()[0]) for line in listed.splitlines() if "graph.store.embedded_server" in line}


@pytest.mark.process
@pytest.mark.long
async def test_a_database_that_goes_away_in_the_middle_comes_back_by_itself(
    settings: Settings, mint: Mint, tmp_path: Path
) -> None:
    others = embedded_children()
    app = application(settings.model_copy(update={"store": f"embedded:{tmp_path / 'store'}", "deadline_seconds": 30.0}))
    async with serving(app, settings) as client:

        async def status() -> int:
            answer = await client.post("/graphql", json=WHOLE, headers=mint.bearer(), timeout=60)
            assert answer.status_code in {200, 503}, answer.text
            assert (answer.status_code == 503) == ("retry-after" in answer.headers)
            return answer.status_code

        async def answers() -> bool:
            return await status() == 200

        async def refuses() -> bool:
            return await status() == 503

        await eventually(answers, 120)
        (child,) = embedded_children() - others
        os.kill(child, signal.SIGKILL)
        await eventually(refuses)
        assert (await client.get("/livez")).status_code == 200
        await eventually(answers, 120)


class Weather:
    """A database that is there when it is told to be."""

    def __init__(self) -> None:
        self.there = False
        self.opened = 0

    @contextlib.asynccontextmanager
    async def opening(self) -> AsyncIterator[tuple[Subgraph, Ping]]:
        if not self.there:
            raise Away("It rains.")
        self.opened += 1
        yield DictSubgraph(), self.ping

    async def ping(self) -> str:
        return "" if self.there else "It rains again."


@pytest.fixture
async def weather() -> Weather:
    return Weather()


async def test_it_comes_by_itself_and_says_when_it_is_gone(weather: Weather, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.federation.arriving.PAUSE", 0.01)
    arriving = Arriving("dict", DictSubgraph.sdl, weather.opening)
    keeping = asyncio.create_task(arriving.keep())

    async def reason_is(expected: str) -> bool:
        return await arriving.ready() == expected

    await eventually(lambda: reason_is("It rains."), 5)
    weather.there = True
    await eventually(lambda: reason_is(""), 5)
    weather.there = False
    assert await arriving.ready() == "It rains again."
    assert weather.opened == 1, "the store itself follows its database"
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_one_may_wait_for_the_first_try_whatever_comes_of_it(weather: Weather) -> None:
    for weather.there in (False, True):
        arriving = Arriving("dict", DictSubgraph.sdl, weather.opening)
        keeping = asyncio.create_task(arriving.keep())
        await arriving.tried(60)
        assert await arriving.ready() == ("" if weather.there else "It rains.")
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


async def test_nobody_waits_longer_for_the_first_try_than_they_said(weather: Weather) -> None:
    arriving = Arriving("dict", DictSubgraph.sdl, weather.opening)
    await arriving.tried(0.01)
    assert await arriving.ready() == "The database has not been reached yet."
