"""One address, one or several processes behind it, and an end that leaves nothing behind.

With one worker the server runs in this process. With several, this process only watches: it opens the socket, hands it
to the workers, starts a new one for each that dies, and holds the database open, so that an embedded one belongs to the
process that lives longest. A worker whose watching process is gone ends by itself.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import socket
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final

import uvicorn
from starlette.types import ASGIApp
from uvicorn.supervisors import Multiprocess

from gateway.collector import settle
from gateway.errors import CommandFailed
from gateway.http.bounded_socket import BoundedSocket
from gateway.http.bounds import BoundedConfig, Bounds
from gateway.http.numbers import numbers_served
from gateway.http.protocol import BoundedConnection
from gateway.settings.settings import Settings, host_and_port
from gateway.telemetry.metrics import DIRECTORY_VARIABLE, text_of_all

BACKLOG: Final = 2_048
SEND_BUFFER: Final = 262_144
"""bytes of an answer that the kernel takes of us for one connection: what is not read must not grow there either."""
END_SECONDS: Final = 10
"""for requests under way when the end comes."""

DEFAULT: Final = Bounds()

Hold = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Holds something open until the event is set."""


def bound(settings: Settings) -> socket.socket:
    """Open the socket that the settings ask for."""
    return _bound(settings.listen, "Give another address with --listen.")


def bound_for_metrics(settings: Settings) -> socket.socket | None:
    """Open the socket that the settings ask for where the numbers have one of their own."""
    if not settings.metrics_listen:
        return None
    return _bound(settings.metrics_listen, "Give another address in the setting metrics_listen.")


def _bound(address: str, hint: str) -> socket.socket:
    host, port = host_and_port(address)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: without, asyncio leaves Nagle's algorithm on, and a kept connection waits 40 ms for an answer.
    sock = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # connections inherit it
        sock.bind((host, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise CommandFailed(f"Nothing can listen on {address}: {error.strerror}.", hint) from error
    return sock


def bounds_of(settings: Settings) -> Bounds:
    """Give what the settings allow connections."""
    return Bounds(
        connections=settings.connections,
        connections_per_address=settings.connections_per_address,
        send_seconds=settings.send_seconds,
        message_bytes=settings.limits.body_bytes,
    )


def config(app: ASGIApp | str, bounds: Bounds, *, workers: int = 1) -> BoundedConfig:
    """Make the server's configuration: the fast loop and parser, our own log."""
    made = BoundedConfig(
        app,
        factory=isinstance(app, str),
        workers=workers,
        loop="uvloop" if os.name != "nt" else "asyncio",
        http=BoundedConnection,
        ws=BoundedSocket,
        ws_max_size=bounds.message_bytes,
        ws_ping_interval=bounds.send_seconds / 2,
        ws_ping_timeout=bounds.send_seconds / 2,
        ws_per_message_deflate=False,  # it takes memory for each connection, and time for each message
        lifespan="on",
        log_config=None,
        proxy_headers=False,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=END_SECONDS,
    )
    made.bounds = bounds
    return made


class _Server(uvicorn.Server):
    """Says when it has begun and ended; a signal ends it in good order, and is spent by that."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        self.down = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.up.set()

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().serve(sockets)
        finally:
            self.up.set()
            self.down.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The one of uvicorn raises the signal once more at the end: what still is to be closed would not be.
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)


@asynccontextmanager
async def listening(app: ASGIApp, sock: socket.socket, bounds: Bounds = DEFAULT) -> AsyncIterator[asyncio.Event]:
    """Serve in the running loop while the block runs; gives the event that is set when a signal has ended it."""
    server = _Server(config(app, bounds))
    with sock:
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        await server.up.wait()
        try:
            yield server.down
        finally:
            server.should_exit = True
            await serving


def serve_here(app: ASGIApp, sock: socket.socket, bounds: Bounds) -> None:
    """Serve in this process until a signal comes."""
    settle()
    with sock:
        _Server(config(app, bounds)).run(sockets=[sock])


def serve_with_workers(
    factory: str, sock: socket.socket, settings: Settings, hold: Hold, metrics: socket.socket | None
) -> None:
    """Watch over worker processes until a signal comes; `factory` names a function that makes the application.

    Their numbers are served on a socket of their own, where there is one.
    """
    with tempfile.TemporaryDirectory(prefix="trunkline-metrics-") as directory, _held(hold):
        os.environ[DIRECTORY_VARIABLE] = directory
        with numbers_served(metrics, text_of_all):
            Multiprocess(config(factory, bounds_of(settings), workers=settings.workers), sockets=[sock]).run()


@contextmanager
def _held(hold: Hold) -> Iterator[None]:
    ended = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_until(hold, ended)), name="database")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


async def _until(hold: Hold, ended: threading.Event) -> None:
    over = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        holding = group.create_task(hold(over))
        await asyncio.to_thread(ended.wait)
        over.set()
        await holding


def is_worker() -> bool:
    """Tell whether another process watches over this one."""
    return multiprocessing.parent_process() is not None


def end_with_parent() -> None:
    """In a worker: end in good order when the watching process has ended in whatever way."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        asyncio.get_running_loop().add_reader(parent.sentinel, os.kill, os.getpid(), signal.SIGTERM)
