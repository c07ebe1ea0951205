"""The client shares two cores with what it measures, so it does next to nothing: write the same bytes, count bytes back.

A process of its own. In: lines of JSON on standard input (`Load`). Out: a line for each, with the time that it took and
every latency. It ends when its input does. A response that is not 200, or not as long as it must be, is a failure.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

import orjson
import uvloop


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to send."""

    port: int
    requests: list[str]
    """the whole HTTP request of each connection, as it goes out."""
    length: int
    """of the body that must come back."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    seconds: float
    latencies: list[float]
    """milliseconds."""
    failures: int


class _Connection(asyncio.Protocol):
    """Asks, waits for the answer, asks again, until the time is over."""

    def __init__(self, load: Load, request: str, until: float) -> None:
        self._request = request.encode()
        self._length = load.length
        self._until = until
        self._missing = -1
        self.latencies: list[float] = []
        self.failures = 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one without being a subclass
        self._ask()

    def _ask(self) -> None:
        self._head = b""
        self._missing = -1
        self._asked = time.perf_counter()
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if self._missing < 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return
            ok = self._head.startswith(b"HTTP/1.1 200")
            length = content_length(self._head[:end])
            self.failures += not (ok and length == self._length)
            self._missing = length - (len(self._head) - end - 4)
        else:
            self._missing -= len(data)
        if self._missing <= 0:
            self._answered()

    def _answered(self) -> None:
        now = time.perf_counter()
        self.latencies.append((now - self._asked) * 1000)
        if now < self._until:
            self._ask()
        else:
            self._transport.close()

    def connection_lost(self, _: Exception | None) -> None:
        self.failures += self._missing > 0
        if not self.done.done():
            self.done.set_result(None)


def content_length(head: bytes) -> int:
    r"""Read the length out of a response's head.

    >>> content_length(b"HTTP/1.1 200 OK\r\nContent-Length: 12")
    12
    """
    _, found, rest = head.lower().partition(b"\r\ncontent-length:")
    if not found:
        raise ValueError("the server sends no Content-Length")
    return int(rest.partition(b"\r\n")[0])


async def put(load: Load) -> Outcome:
    """Put a load on a server."""
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    connections = [_Connection(load, each, started + load.seconds) for each in load.requests]
    for each in connections:
        await loop.create_connection(lambda each=each: each, "127.0.0.1", load.port)  # type: ignore[misc]
    await asyncio.gather(*(each.done for each in connections))
    return Outcome(
        seconds=time.perf_counter() - started,
        latencies=[latency for each in connections for latency in each.latencies],
        failures=sum(each.failures for each in connections),
    )


def main() -> None:
    """Serve loads until standard input ends."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        for line in sys.stdin.buffer:
            outcome = runner.run(put(Load(**orjson.loads(line))))
            sys.stdout.buffer.write(orjson.dumps(asdict(outcome)) + b"\n")
            sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
