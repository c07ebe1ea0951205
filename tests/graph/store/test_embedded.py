"""The embedded database between processes: whoever is killed, it comes back, and what was acknowledged is there."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.errors import DeadlineExceeded, GraphError, StoreUnavailable
from graph.store.embedded import EmbeddedSettings
from graph.store.store import Store, open_store

_ROOT = Path(__file__).parents[3]
_LONG = 150.0
"""a start takes three seconds on an idle machine, and half a minute on one that has other things to do."""

pytestmark = [
    pytest.mark.process,
    pytest.mark.skipif(
        os.environ.get("TRUNKLINE_TEST_STORE") == "neo4j", reason="runs with the embedded store's suite"
    ),
    pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc"),
]


class Peer:
    """A running tests/graph/store/embedded_peer.py, in a process group of its own."""

    def __init__(self, directory: Path, name: str) -> None:
        self._output = directory.with_name(f"{directory.name}-{name}.out")
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "tests.graph.store.embedded_peer", str(directory), name],
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=output,
                start_new_session=True,
            )

    def said(self) -> list[str]:
        # The last line may be half written by a process that was killed: it was not heard.
        return self._output.read_text().split("\n")[:-1]

    def acknowledged(self) -> set[str]:
        return {line.removeprefix("ack ") for line in self.said() if line.startswith("ack ")}

    def end(self) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        if self.process.poll() is None:
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def _until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + _LONG
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def _where(directory: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((directory / "server.json").read_bytes())
    return found


def _is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _write_more(peer: Peer, count: int = 5) -> None:
    before = len(peer.acknowledged())
    _until(lambda: len(peer.acknowledged()) >= before + count)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[str], Peer]]:
    """Start peers on one directory; all of them are gone afterwards."""
    peers: list[Peer] = []

    def begin(name: str) -> Peer:
        peers.append(Peer(tmp_path / "graph", name))
        return peers[-1]

    yield begin
    for each in peers:
        each.end()


async def _marks(directory: Path) -> set[str]:
    store = await open_store(f"embedded:{directory}", embedded=EmbeddedSettings(heap="256m"))
    try:
        rows = await store.rows("MATCH (m:LoadMark) RETURN m.id", {}, deadline=time.monotonic() + 60)
    finally:
        await store.close()
    return {str(row[0]) for row in rows}


@pytest.mark.timeout(900)
async def test_no_acknowledged_write_is_lost_whoever_is_killed(start: Callable[[str], Peer], tmp_path: Path) -> None:
    directory = tmp_path / "graph"
    peers = [start("a"), start("b")]
    for peer in peers:
        _write_more(peer)

    first = _where(directory)
    os.kill(first["server"], signal.SIGKILL)
    _until(lambda: _where(directory)["server"] not in {0, first["server"]})
    for peer in peers:
        _write_more(peer)

    second = _where(directory)
    assert second["owner"] == first["owner"]
    os.kill(second["owner"], signal.SIGKILL)
    survivor = next(each for each in peers if each.process.pid != second["owner"])
    _until(lambda: _where(directory)["owner"] == survivor.process.pid)
    _write_more(survivor)
    assert not _is_running(second["server"])

    third = _where(directory)
    os.kill(third["server"], signal.SIGTERM)
    _until(lambda: _where(directory)["server"] not in {0, third["server"]})
    _write_more(survivor)

    last = _where(directory)
    survivor.end()
    assert survivor.said()[-1] == "closed"
    assert survivor.process.returncode == 0
    assert not _is_running(last["server"])

    kept = await _marks(directory)
    for peer in peers:
        assert peer.acknowledged() - kept == set()


@pytest.mark.timeout(600)
async def test_a_server_that_is_up_is_private_and_ends_with_its_parent(
    start: Callable[[str], Peer], tmp_path: Path
) -> None:
    directory = tmp_path / "graph"
    peer = start("a")
    _write_more(peer)
    where = _where(directory)

    _check_that_it_is_private(directory, where)

    # Ctrl-C goes to the whole group: the parent ends in order, and its child by the pipe and not by the signal.
    os.killpg(peer.process.pid, signal.SIGINT)
    assert peer.process.wait(60) == 0
    assert peer.said()[-1] == "closed"
    assert not _is_running(where["server"])
    assert _where(directory)["port"] == 0

    # A broken server.json costs a new password, and no data.
    (directory / "server.json").write_text("{")
    assert peer.acknowledged() - await _marks(directory) == set()
    assert _where(directory)["password"] != where["password"]


def _check_that_it_is_private(directory: Path, where: dict[str, Any]) -> None:
    process = Path(f"/proc/{where['server']}")
    assert stat.S_IMODE((directory / "server.json").stat().st_mode) == 0o600
    for source in ("cmdline", "environ"):
        assert where["password"].encode() not in (process / source).read_bytes()
    assert _listens(where["server"]) == {("127.0.0.1", where["port"])}
    assert os.getsid(where["server"]) == where["server"]
    assert "owner.lock" not in {link.readlink().name for link in (process / "fd").iterdir() if link.is_symlink()}


async def test_a_second_store_in_the_same_process_shares_the_server(store: Store, store_address: str) -> None:
    second = await open_store(store_address)
    try:
        assert await second.read("RETURN 1 AS data", {}, deadline=time.monotonic() + 30) == 1
    finally:
        await second.close()
    assert await store.read("RETURN 2 AS data", {}, deadline=time.monotonic() + 30) == 2


async def test_reads_fail_with_a_time_to_come_back_while_the_server_is_away_and_then_come_back(tmp_path: Path) -> None:
    directory = tmp_path / "graph"
    store = await open_store(f"embedded:{directory}", embedded=EmbeddedSettings(heap="256m"))
    try:
        os.kill(_where(directory)["server"], signal.SIGKILL)
        with pytest.raises(StoreUnavailable) as caught:
            await _until_it_fails(store)
        assert caught.value.retry_after > 0
        assert await _until_it_answers(store) == 1
    finally:
        await store.close()


async def test_a_server_that_lives_and_answers_nothing_is_ended_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("graph.store.embedded_child._STOP_SECONDS", 0.5)
    monkeypatch.setattr("graph.store.embedded._MOST_SILENT", 3)
    directory = tmp_path / "graph"
    store = await open_store(f"embedded:{directory}", embedded=EmbeddedSettings(heap="256m", ask_seconds=0.5))
    try:
        before = _where(directory)["server"]
        await asyncio.sleep(2.5)
        assert _where(directory)["server"] == before, "whoever answers stays"
        os.kill(before, signal.SIGSTOP)
        async with asyncio.timeout(_LONG):
            while _where(directory)["server"] in (0, before):  # noqa: ASYNC110 - another process writes the file
                await asyncio.sleep(0.1)
        assert await _until_it_answers(store) == 1
    finally:
        await store.close()


async def _never() -> None:
    await asyncio.Event().wait()


async def _broken() -> None:
    raise OSError("the other end is gone")


@pytest.mark.parametrize("leaving", [_never, _broken], ids=["never ends", "fails"])
async def test_a_connection_that_cannot_be_closed_keeps_nobody_from_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, leaving: Callable[[], Awaitable[None]]
) -> None:
    monkeypatch.setattr("graph.store.link._CLOSE_SECONDS", 0.5)
    directory = tmp_path / "graph"
    store = await open_store(f"embedded:{directory}", embedded=EmbeddedSettings(heap="256m"))
    follower = await open_store(f"embedded:{directory}", embedded=EmbeddedSettings(may_own=False))
    try:
        assert follower._link is not None
        driver = follower._link._driver
        close = driver.close
        driver.close = leaving
        os.kill(_where(directory)["server"], signal.SIGKILL)
        with pytest.raises(StoreUnavailable):
            await _until_it_fails(follower)
        assert await _until_it_answers(follower) == 1
        await close()
    finally:
        await follower.close()
        await store.close()


async def _until_it_fails(store: Store) -> None:
    async with asyncio.timeout(_LONG):
        while True:
            await store.read("RETURN 1 AS data", {}, deadline=time.monotonic() + 20)


async def _until_it_answers(store: Store) -> object:
    async with asyncio.timeout(_LONG):
        while True:
            try:
                return await store.read("RETURN 1 AS data", {}, deadline=time.monotonic() + 20)
            except (StoreUnavailable, DeadlineExceeded):
                await asyncio.sleep(0.1)


def _listens(pid: int) -> set[tuple[str, int]]:
    """Give the addresses on which a process listens."""
    inodes = set()
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            inodes.add(str(each.readlink()).removeprefix("socket:[").removesuffix("]"))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:  # 0A is LISTEN
                host, port = fields[1].split(":")
                found.add((".".join(str(each) for each in reversed(bytes.fromhex(host[-8:]))), int(port, 16)))
    return found


async def test_settings_reach_the_engine_and_a_server_that_does_not_answer_is_not_ready(tmp_path: Path) -> None:
    directory = tmp_path / "store"
    settings = EmbeddedSettings(heap="256m", command_timeout=1.0)
    store = await open_store(f"embedded:{directory}", embedded=settings)
    try:
        endless = (
            "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b WITH a, b WHERE a < 0 RETURN count(*) AS data"
        )
        began = time.monotonic()
        with pytest.raises(GraphError):
            await store.read(endless, {}, deadline=began + _LONG)
        assert time.monotonic() - began < _LONG / 2, "the time limit for all statements ends it, long before its own"
        assert "WAL flush: 2" in (directory / "server.log").read_text(), "an acknowledged write survives a power cut"

        server = json.loads((directory / "server.json").read_bytes())["server"]
        os.kill(server, signal.SIGSTOP)
        try:
            with pytest.raises(DeadlineExceeded):
                await store.ping(deadline=time.monotonic() + 0.5)
        finally:
            os.kill(server, signal.SIGCONT)
        assert await store.ping(deadline=time.monotonic() + _LONG)
    finally:
        await store.close()
