"""Several processes share one embedded database, any of them may be killed, and its server must always be somewhere.

Only one server may run on a directory, and it is the child of one of the processes. `DIR/owner.lock` elects that one:
the kernel frees the lock when its holder dies, so there is never a stale owner. The owner starts the child and starts
it again whenever it ends; `DIR/server.json`, readable by its user only, tells the others where it is. The others look
at that file and try the lock, again and again, which costs them two system calls each time. A server that lives and answers
nothing is no better than one that has ended: its owner asks it now and then, and ends it after a while of silence. A process that is watched
over by another one of ours only looks (`may_own`): it ends soon after that one, and so would what it started.

Words. An *endpoint* is a port on loopback and a password. What is *told* to the store is the endpoint, or the error to
answer with until there is one.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
import platform
import secrets
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import structlog

from graph.errors import DiskFull, EmbeddedUnsupported, GraphError, StoreMisconfigured, StoreStarting
from graph.store.embedded_child import Child, start_child
from graph.store.embedded_server import Orders

log = structlog.get_logger(__name__)

_LOOK_SECONDS: Final = 0.2
_PAUSE_SECONDS: Final = 1.0
"""between attempts to start a child that does not start."""
_MOST_SILENT: Final = 18
"""questions without an answer, one after the other, after which the server is ended: three minutes and more, longer than any statement runs."""
_ROOM_BYTES: Final = 64 * 1024 * 1024
"""with less, the database cannot even open its write-ahead log and merge its indexes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbeddedSettings:
    """What can be set about the embedded database."""

    heap: str = "1g"
    command_timeout: float = 60.0
    """no statement of anybody runs longer; a single request's deadline is shorter."""
    ask_seconds: float = 10.0
    """between the owner's questions whether the server answers, each of which waits as long for its answer."""
    may_own: bool = True
    """False: this process never runs the server, and uses what another one runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where the server is, and what it lets us in with. While there is none, `port` is 0."""

    port: int
    password: str = field(repr=False)
    owner: int
    """the process that keeps the server; like `server`, for people who look for it, and for tests."""
    server: int


Tell = Callable[[Endpoint | GraphError], Awaitable[None]]
Asked = Callable[[Endpoint, float], Awaitable[bool]]
"""Tells whether the server answers within so many seconds; it raises nothing of its own."""


class EmbeddedDatabase:
    """This process's part in keeping the server of one directory alive."""

    def __init__(self, directory: Path, settings: EmbeddedSettings, tell: Tell, answers: Asked) -> None:
        self._directory = directory
        self._settings = settings
        self._tell = tell
        self._answers = answers
        self._known: Endpoint | None = None
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Take part from now on."""
        work = self._keep(_OwnerLock(self._directory)) if self._settings.may_own else self._keep_following()
        self._keeper = asyncio.create_task(work, name="embedded database")

    async def close(self) -> None:
        """Take part no more; if the child is ours, it has ended when this returns."""
        if self._keeper is None:
            return
        self._keeper.cancel()
        await asyncio.gather(self._keeper, return_exceptions=True)
        self._keeper = None

    async def _keep(self, lock: _OwnerLock) -> None:
        try:
            while True:
                if lock.is_ours():
                    await self._own()
                else:
                    await self._follow()
        finally:
            lock.release()

    async def _keep_following(self) -> None:
        while True:
            await self._follow()

    async def _own(self) -> None:
        """Run one child to its end."""
        try:
            await self._serve(_published(self._directory))
            fault: GraphError = StoreStarting("The embedded database ended and is being started again")
        except GraphError as exc:
            fault = exc
        except OSError as exc:
            fault = fault_of(exc, self._directory)
        await self._now(fault)
        if not isinstance(fault, StoreStarting):
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _serve(self, before: Endpoint | None) -> None:
        check_room(self._directory)
        password = before.password if before else secrets.token_urlsafe(32)
        _publish(self._directory, Endpoint(port=0, password=password, owner=os.getpid(), server=0))
        child = await start_child(self._orders(password, new=before is None), self._directory / "server.log")
        try:
            port = await child.ready()
            endpoint = Endpoint(port=port, password=password, owner=os.getpid(), server=child.process.pid)
            _publish(self._directory, endpoint)
            await self._now(endpoint)
            await self._lived(child, endpoint)
        finally:
            await child.stop()
            _publish(self._directory, Endpoint(port=0, password=password, owner=os.getpid(), server=0))

    async def _lived(self, child: Child, endpoint: Endpoint) -> None:
        """Return when the child has ended, or must be ended since it answers nothing; raises what either raises."""
        ended, silent = asyncio.create_task(child.ended()), asyncio.create_task(self._fell_silent(endpoint))
        try:
            done, _ = await asyncio.wait({ended, silent}, return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()
        finally:
            ended.cancel()
            silent.cancel()
            await asyncio.gather(ended, silent, return_exceptions=True)

    async def _fell_silent(self, endpoint: Endpoint) -> None:
        """Return when so many questions had no answer. They are counted, and no time: a machine may have been suspended."""
        unanswered, seconds = 0, self._settings.ask_seconds
        while unanswered < _MOST_SILENT:
            await asyncio.sleep(seconds)
            unanswered = 0 if await self._answers(endpoint, seconds) else unanswered + 1
        log.error("the embedded database answers nothing and is ended", questions=unanswered)

    def _orders(self, password: str, *, new: bool) -> Orders:
        return Orders(
            directory=str(self._directory),
            password=password,
            new_password=new,
            heap=self._settings.heap,
            command_timeout_ms=int(self._settings.command_timeout * 1000),
        )

    async def _follow(self) -> None:
        endpoint = _published(self._directory)
        if endpoint is None or endpoint.port == 0:
            await self._now(StoreStarting("The embedded database is being started by another process"))
        elif endpoint != self._known:
            await self._now(endpoint)
        await asyncio.sleep(_LOOK_SECONDS)

    async def _now(self, state: Endpoint | GraphError) -> None:
        self._known = state if isinstance(state, Endpoint) else None
        await self._tell(state)


class _OwnerLock:
    """`owner.lock`, held until release or death."""

    def __init__(self, directory: Path) -> None:
        # Not inherited by the child: a lock that it kept would outlive its owner.
        self._descriptor = os.open(directory / "owner.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def is_ours(self) -> bool:
        """Take the lock if nobody has it. Asking again while it is ours says yes again."""
        import fcntl  # noqa: PLC0415 - not there on every platform; `prepare` has refused those

        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        os.close(self._descriptor)


def prepare(directory: Path) -> None:
    """Find out, before anything is started, whether an embedded database can live there."""
    require_platform()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = directory / f"probe-{os.getpid()}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as exc:
        raise fault_of(exc, directory) from exc
    check_room(directory)


def require_platform() -> None:
    """Say so where there is no embedded database."""
    here = (sys.platform, platform.machine())
    if here not in {("linux", "x86_64"), ("darwin", "arm64")}:
        raise EmbeddedUnsupported(" ".join(here))


def check_room(directory: Path) -> None:
    """Raise DiskFull if the database could not keep anything there."""
    free = shutil.disk_usage(directory).free
    if free < _ROOM_BYTES:
        raise DiskFull(
            f"Only {free // 2**20} MB are free where {directory} is",
            hint=f"Free at least {_ROOM_BYTES // 2**20} MB; the database goes on by itself then",
            retry_after=10.0,
        )


def fault_of(exc: OSError, directory: Path) -> GraphError:
    """Put an error of the file system into our words."""
    if exc.errno in {errno.ENOSPC, errno.EDQUOT}:
        return DiskFull(f"There is no room left where {directory} is", hint="Free some", retry_after=10.0)
    return StoreMisconfigured(
        f"The directory {directory} of the embedded database cannot be used: {exc.strerror}",
        hint="Give one that this user may write to: --store embedded:DIRECTORY",
    )


def _published(directory: Path) -> Endpoint | None:
    try:
        raw = json.loads((directory / "server.json").read_bytes())
        return Endpoint(port=raw["port"], password=raw["password"], owner=raw["owner"], server=raw["server"])
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError):
        return None  # broken by hand: a new one is made, with a new password


def _publish(directory: Path, endpoint: Endpoint) -> None:
    # Renamed into place: a reader finds the old one or the new one, whole.
    fresh = directory / f"server.json.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(asdict(endpoint), file)
    fresh.replace(directory / "server.json")
