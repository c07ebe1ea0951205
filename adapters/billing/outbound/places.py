"""Documents are handed over by a place: an address of HTTP, or a directory that billing watches.

A place has each document once, under a stable name, whole or not at all: putting it a second time leaves what one put
leaves. In a directory that takes a file of another name, flushed to the disk, and a rename, which is flushed too; whoever
watches ignores names that begin with a dot.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

from adapters.errors import Busy, Nonsense, TimedOut, Unreachable
from adapters.transport.transport import Call, Transport

XML: Final = "application/xml"
_STATUS: Final = 507
"""insufficient storage: what an HTTP server would say of a disk without room."""


class Place(Protocol):
    """Where documents are put."""

    @property
    def retry_at(self) -> float | None:
        """When the next one can be put, by time.monotonic(); None: now."""
        ...

    async def put(self, name: str, document: bytes, *, key: str, deadline: float) -> None:
        """Put a document there; one of that name is replaced. Raises AdapterError."""
        ...


class Address:
    """A place that takes PUT."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    @property
    def retry_at(self) -> float | None:
        """When the breaker lets a request through."""
        return self._transport.breaker.retry_at

    async def put(self, name: str, document: bytes, *, key: str, deadline: float) -> None:
        """PUT it."""
        headers = {"Content-Type": XML, "Idempotency-Key": key}
        call = Call(method="PUT", path=(name,), body=document, headers=headers)
        answer = await self._transport.exchange(call, deadline=deadline)
        if "html" in answer.headers.get("content-type", "").lower():
            raise Nonsense(
                f"{self._transport.name} answered a page to a document",
                hint="Look whether its address leads to a proxy or a login page",
                where="content-type",
            )


class Directory:
    """A place in the file system."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def retry_at(self) -> float | None:
        """Now: a directory has no breaker."""
        return None

    async def put(self, name: str, document: bytes, *, key: str, deadline: float) -> None:  # noqa: ARG002 - a name is key enough
        """Write it beside, flush it, and rename it; what was not renamed does not stay."""
        if deadline <= time.monotonic():
            raise TimedOut("There was no time left to write a document", hint="Give it more time")
        beside = self._path / f".{name}.{uuid4().hex}"
        writing = asyncio.ensure_future(asyncio.to_thread(_write, beside, self._path / name, document, deadline))
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                await asyncio.shield(writing)
        except TimeoutError as exc:
            raise TimedOut("The spool directory took too long to write to", may_have_happened=True) from exc
        except OSError as exc:
            raise _fault(exc) from exc


def _write(beside: Path, name: Path, document: bytes, deadline: float) -> None:
    try:
        with beside.open("xb") as file:
            file.write(document)
            file.flush()
            os.fsync(file.fileno())
        if time.monotonic() > deadline:  # nobody waits any more, and a later document may have this name by now
            raise TimeoutError
        beside.replace(name)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        raise
    _flush_directory(name.parent)


def _flush_directory(path: Path) -> None:
    """See to it that a rename outlives the machine; where directories cannot be opened, that is the system's business."""
    if os.name == "nt":
        return
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _fault(exc: OSError) -> Unreachable | Busy:
    reason = exc.strerror or "no reason given"
    if exc.errno in _FULL:
        return Busy(f"The spool directory has no room: {reason}", hint="Make room there", status=_STATUS)
    return Unreachable(
        f"The spool directory cannot be written to: {reason}", hint="Look whether it is there, and whose"
    )


_FULL: Final = frozenset({28, 122})
"""ENOSPC, EDQUOT."""
