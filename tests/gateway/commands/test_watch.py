"""`trunkline watch` in a process of its own, against a server that ends and comes back."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import orjson
import pytest

from gateway.cli import run
from gateway.commands import watch
from gateway.commands.watch import FIRST_SECONDS, MOST_SECONDS, Cut, Frames, Wanted, pause
from gateway.http.serving import bound, bounds_of, listening
from gateway.settings.settings import Settings
from tests.gateway.conftest import Mint, application
from tests.gateway.streaming import StreamSubgraph

TOP = Path(__file__).parents[3]
SECONDS = 60.0
ALERTS = "subscription { alerts { number } }"


@asynccontextmanager
async def serving(subgraph: StreamSubgraph, settings: Settings, port: int = 0) -> AsyncIterator[int]:
    sock = bound(settings.model_copy(update={"listen": f"127.0.0.1:{port}"}))
    found: int = sock.getsockname()[1]
    async with listening(application(subgraph, settings), sock, bounds_of(settings)):
        yield found


async def started(port: int, document: str, *options: str) -> asyncio.subprocess.Process:
    url = f"http://127.0.0.1:{port}/graphql"
    given = [sys.executable, "-m", "gateway", "watch", document, "--url", url, *options]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*given, cwd=TOP, stdout=pipe, stderr=pipe)


async def line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout
    return orjson.loads(await asyncio.wait_for(process.stdout.readline(), SECONDS))


async def ended(process: asyncio.subprocess.Process) -> tuple[int, str, str]:
    out, errors = await asyncio.wait_for(process.communicate(), SECONDS)
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


async def until_open(subgraph: StreamSubgraph) -> None:
    end = time.monotonic() + SECONDS
    while not subgraph.open:
        assert time.monotonic() < end, "nobody subscribes"
        await asyncio.sleep(0.05)


@pytest.mark.process
async def test_it_prints_events_and_goes_on_without_a_gap_where_the_server_was_away(
    settings: Settings, mint: Mint
) -> None:
    subgraph = StreamSubgraph()
    async with serving(subgraph, settings) as port:
        process = await started(port, ALERTS, "--token", mint.token(), "--count", "4")
        await until_open(subgraph)
        await subgraph.publish()
        assert await line(process) == {"cursor": "1", "data": {"alerts": {"number": 1}}}
    await subgraph.publish()
    await subgraph.publish()
    async with serving(subgraph, settings, port):
        assert [(await line(process))["cursor"] for _ in range(2)] == ["2", "3"]
        await subgraph.publish()
        assert (await line(process))["cursor"] == "4"
        code, _, errors = await ended(process)
    assert code == 0
    assert "again in" in errors
    assert "Traceback" not in errors


async def test_it_comes_back_with_what_it_was_told_without_an_event(
    settings: Settings, mint: Mint, capsys: pytest.CaptureFixture[str]
) -> None:
    """After a heartbeat and a cut, and after the last answer of a stream that lagged."""
    subgraph = StreamSubgraph()
    async with serving(subgraph, settings) as port:
        url = f"http://127.0.0.1:{port}/graphql"
        given = ["watch", "subscription { quiet { number } }", "--url", url, "--token", mint.token()]
        assert await asyncio.to_thread(run, given) == 0
    assert subgraph.asked_after == [None, "0", "7"]
    assert '{"cursor":"8","data":{"quiet":{"number":8}}}' in capsys.readouterr().out.splitlines()


@pytest.mark.parametrize(
    ("document", "believed", "code", "said"),
    [
        ("subscription { few { number } }", True, 0, ['"cursor":"1"', '"cursor":"2"']),
        ("{ hello }", True, 0, ['{"data":{"hello":"hello world"}}']),
        ("subscription { nothing }", True, 1, ["Cannot query field"]),
        ("subscription { refused { number } }", True, 1, ["too old"]),
        (ALERTS, False, 1, ["token"]),
    ],
)
async def test_it_ends_with_the_stream_and_where_coming_back_would_not_help(  # noqa: PLR0913 - the cases, and fixtures
    settings: Settings,
    mint: Mint,
    capsys: pytest.CaptureFixture[str],
    document: str,
    *,
    believed: bool,
    code: int,
    said: list[str],
) -> None:
    async with serving(StreamSubgraph(), settings) as port:
        url = f"http://127.0.0.1:{port}/graphql"
        given = ["watch", document, "--url", url, "--token", mint.token() if believed else "x.y.z"]
        assert await asyncio.to_thread(run, given) == code
    captured = capsys.readouterr()
    lines = captured.err.splitlines() if code else [each for each in captured.out.splitlines() if each[:1] == "{"]
    assert len(lines) == len(said)
    assert all(part in each for part, each in zip(said, lines, strict=True))


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_events_are_the_same_however_they_are_cut(size: int) -> None:
    text = b':\n\nevent: next\nid: 1\ndata: {"a":"b: c"}\n\n:\n\nevent: complete\ndata:\n\n'
    frames, found = Frames(), []
    for start in range(0, len(text), size):
        found += frames.feed(text[start : start + size])
    assert found == [{b"event": b"next", b"id": b"1", b"data": b'{"a":"b: c"}'}, {b"event": b"complete", b"data": b""}]


def test_pauses_grow_to_a_bound_and_are_spread() -> None:
    for attempt in (1, 2, 10, 5_000):
        most = min(MOST_SECONDS, FIRST_SECONDS * 2 ** min(attempt, 10))
        found = [pause(attempt) for _ in range(200)]
        assert 0 <= min(found) < most / 4
        assert most * 3 / 4 < max(found) <= most


@pytest.mark.parametrize(("lasting", "attempt"), [(0.0, 0), (60.0, 5)])
async def test_a_heartbeat_says_that_a_connection_is_good_only_once_it_has_lasted(
    settings: Settings, mint: Mint, monkeypatch: pytest.MonkeyPatch, lasting: float, attempt: int
) -> None:
    monkeypatch.setattr(watch, "LASTING_SECONDS", lasting)
    watching = watch._Watching(after=None, left=None, attempt=5)
    async with serving(StreamSubgraph(), settings) as port, aiohttp.ClientSession() as session:
        url = f"http://127.0.0.1:{port}/graphql"
        document = "subscription { quiet { number } }"
        with pytest.raises(Cut):  # it fails right after a heartbeat
            await watching.follow(
                session, Wanted(url=url, document=document, variables={}, token=mint.token(), token_file=None)
            )
    assert (watching.after, watching.attempt) == ("0", attempt)
