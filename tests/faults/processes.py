"""What is to be killed must run as it does in earnest: processes of their own, with nothing of the tests in them.

`Gateway` is `trunkline serve --workers 2` and whoever would start it again, were it a service of the machine. What is
`started` ends with the process that started it, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import enum
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, assert_never

import httpx

TOP: Final = Path(__file__).parents[2]
WORKERS: Final = 2
_PR_SET_PDEATHSIG: Final = 1
_START_AGAIN_SECONDS: Final = 0.2
_END_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.1


class Victim(enum.StrEnum):
    """Who is killed."""

    SUPERVISOR = "supervisor"
    WORKER = "worker"
    DATABASE = "database"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """A process that was killed."""

    victim: Victim
    process: int
    at: float
    """time.time()."""
    family: frozenset[int] = frozenset()
    """its workers, which end with it."""


@dataclass(slots=True, kw_only=True)
class Gateway:
    """A gateway that is started again whenever it is gone."""

    address: str
    environment: Mapping[str, str]
    directory: Path | None
    """of the embedded database."""
    log: Path
    count: int = WORKERS
    """of processes that serve; one is its own supervisor."""
    starts: int = 0
    process: subprocess.Popen[bytes] | None = None
    keeper: asyncio.Task[None] | None = field(default=None, repr=False)

    def begin(self) -> None:
        """Start it, and keep it started."""
        self._start()
        self.keeper = asyncio.create_task(self._keep(), name="gateway")

    async def end(self) -> list[int]:
        """Ask it to end; give the processes of its that are left after a while."""
        if self.keeper is None or self.process is None:
            return []
        self.keeper.cancel()
        await asyncio.gather(self.keeper, return_exceptions=True)
        family = [self.process.pid, *self.workers(), *filter(None, [self.database()])]
        self.process.send_signal(signal.SIGTERM)
        end = time.monotonic() + _END_SECONDS
        while (left := [each for each in family if self._is_running(each)]) and time.monotonic() < end:  # noqa: ASYNC110 - the kernel sets no event
            await asyncio.sleep(_LOOK_SECONDS)
        for each in left:
            _signal(each)
        return left

    async def until_ready(self, seconds: float) -> float:
        """Wait until it answers and has its database; give how long that took, or raise TimeoutError."""
        began = time.monotonic()
        async with asyncio.timeout(seconds), httpx.AsyncClient(base_url=self.address, timeout=3) as client:
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if (await client.get("/readyz")).status_code == 200:
                        return time.monotonic() - began
                await asyncio.sleep(_LOOK_SECONDS)

    async def kill(self, victim: Victim, pick: float, seconds: float) -> Kill:
        """Kill one, as soon as there is one; `pick`, from 0 to 1, says which of several."""
        async with asyncio.timeout(seconds):
            while not (found := self._found(victim)):  # noqa: ASYNC110 - the kernel sets no event
                await asyncio.sleep(_LOOK_SECONDS)
        chosen = found[int(pick * len(found))]
        family = frozenset(self.workers()) if victim is Victim.SUPERVISOR else frozenset[int]()
        _signal(chosen)
        return Kill(victim=victim, process=chosen, at=time.time(), family=family)

    def workers(self) -> list[int]:
        """Name those that serve."""
        return [] if self.process is None else [each for each in _children(self.process.pid) if _serves(each)]

    def database(self) -> int | None:
        """Name the embedded database's process."""
        if self.directory is None:
            return None
        where = server_of(self.directory)
        return where["server"] if where and where["server"] and _is_alive(where["server"]) else None

    def _found(self, victim: Victim) -> list[int]:
        match victim:
            case Victim.SUPERVISOR:
                return [self.process.pid] if self.process and self.process.poll() is None else []
            case Victim.WORKER:
                return self.workers()
            case Victim.DATABASE:
                database = self.database()
                return [database] if database else []
        assert_never(victim)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(_START_AGAIN_SECONDS)
            if self.process is None or self.process.poll() is not None:
                self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "gateway", "serve", "--workers", str(self.count)]
        self.starts += 1
        with self.log.open("ab") as log:
            self.process = started(command, stdout=log, stderr=log, env=self.environment)

    def _is_running(self, process: int) -> bool:
        if self.process is not None and process == self.process.pid:
            return self.process.poll() is None
        return _is_alive(process)


def server_of(directory: Path) -> dict[str, Any] | None:
    """Tell where the embedded database of a directory is, as its owner has published it."""
    try:
        found: dict[str, Any] = json.loads((directory / "server.json").read_bytes())
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def started(command: Sequence[str], **more: Any) -> subprocess.Popen[bytes]:
    """Start a process that ends with this one."""
    # Between fork and exec nothing is done but one call into a library that is loaded already.
    return subprocess.Popen(command, cwd=TOP, preexec_fn=_die_with_parent, **more)  # noqa: PLW1509


_LIBC: Final = ctypes.CDLL(None)


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _signal(process: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def _children(process: int) -> list[int]:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return [int(each) for each in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    return []


def _serves(process: int) -> bool:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return b"spawn_main" in Path(f"/proc/{process}/cmdline").read_bytes()
    return False


def _is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
