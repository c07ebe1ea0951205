"""What was written to a client that does not read stays in memory: each connection is given so long to take some of it.

A connection must take LEAST_TAKEN bytes, or all that is left, in every `send_seconds`; else it is cut off. All connections of a
process together have at most UNSENT_BYTES that were not taken: whoever has not read for longest is cut off then. It is the
same for HTTP/1.1 and for WebSockets (gateway/http/protocol.py, gateway/http/bounded_socket.py).
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

LEAST_TAKEN: Final = 65_536
"""bytes: over a minute, 200 kB of an answer, which the slowest mobile link can do."""
UNSENT_BYTES: Final = 67_108_864
_PARTS: Final = 64
"""of the bound: after so much more the connections are counted again."""
NO_LINGERING: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)
"""of the kernel, with what was not sent (SO_LINGER)."""


class Tally:
    """How many bytes the connections of a server may hold at most: as many as were counted last, and all that was given since.

    They are counted when that is too much, and not each time: ten thousand that do not read would be counted ten thousand times
    for one message to all.
    """

    __slots__ = ("_at_most", "_enough")

    def __init__(self) -> None:
        self._at_most = 0
        self._enough = 0
        """from which on they are counted again, where that is more than the bound."""

    def add(self, size: int) -> bool:
        """Add bytes that were given; tell whether they must be counted."""
        self._at_most += size
        return self._at_most > max(UNSENT_BYTES, self._enough)

    def counted(self, total: int) -> None:
        """Take how many there are."""
        self._at_most, self._enough = total, total + UNSENT_BYTES // _PARTS


class Bounded:
    """A connection whose unsent answers are watched."""

    answers: Unsent
    client: tuple[str, int] | None
    """the address that it comes from."""


class Unsent:
    """What one connection has not taken."""

    transport: asyncio.Transport

    def __init__(
        self, loop: asyncio.AbstractEventLoop, seconds: float, connections: Iterable[object], tally: Tally
    ) -> None:
        """Watch a connection, one of those of the process; the transport is told when there is one."""
        self._tally = tally
        self._loop = loop
        self._seconds = seconds
        self._connections = connections
        self._timer: asyncio.TimerHandle | None = None
        """runs while something is not taken; it looks again where the time of later bytes has not passed."""
        self._written = 0
        """bytes, and how many of them were taken when it was last looked."""
        self._taken = 0
        self._look_at = 0.0
        """by the loop's clock: when LEAST_TAKEN more must be taken."""
        self._held = 0
        """bytes that are made, and wait until the transport takes more."""
        self._is_cut = False
        self.since = 0.0
        """by the loop's clock: when it began to wait for being read; what a client sends does not change that."""

    @property
    def bytes(self) -> int:
        """Count the bytes that the client has not taken."""
        # uvloop goes on counting what an aborted transport has thrown away.
        return 0 if self._is_cut else self.transport.get_write_buffer_size()

    @property
    def in_memory(self) -> int:
        """Count the bytes in memory: what was not taken, and what cannot even be given to the transport."""
        return self.bytes + (0 if self._is_cut else self._held)

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Count bytes that wait for the transport while the block runs."""
        self._held = size
        self._make_room(size)
        try:
            yield
        finally:
            self._held = 0

    def note(self, size: int, *, begins: bool) -> None:
        """Take note of some bytes that were given to the transport, and watch that they are taken.

        Where all before was taken (`begins`), the waiting begins now; else it goes on.
        """
        self._written += size
        if not self.bytes:
            return
        if begins or self._timer is None:
            self.since = self._loop.time()
            self._look_later()
        self._make_room(size)

    def cut(self) -> None:
        """End the connection, and let the kernel forget what it has not sent; it would keep that for minutes."""
        self._is_cut = True
        sock = self.transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGERING)
        self.transport.abort()

    def end(self) -> None:
        """Watch no more: the connection is lost, or is another's now."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_later(self) -> None:
        self._taken = self._written - self.bytes
        self._look_at = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_at(self._look_at, self._check)

    def _check(self) -> None:
        self._timer = None
        if not self.bytes:
            return
        if self._loop.time() < self._look_at:
            self._timer = self._loop.call_at(self._look_at, self._check)
        elif self._written - self.bytes < self._taken + LEAST_TAKEN:
            self.cut()
        else:
            self._look_later()

    def _make_room(self, size: int) -> None:
        """Cut those off who have waited longest. Who began last may have an answer that is larger than all of the bound."""
        if not self._tally.add(size):
            return
        all_of_them = [each.answers for each in self._connections if isinstance(each, Bounded)]
        unread = [each for each in all_of_them if each.in_memory]
        total = sum(each.in_memory for each in unread)
        for each in sorted(unread, key=_since)[:-1]:
            if total <= UNSENT_BYTES:
                break
            total -= each.in_memory
            each.cut()
        self._tally.counted(total)


def _since(each: Unsent) -> float:
    return each.since
