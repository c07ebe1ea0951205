"""Starting, watching and ending the child process that is the embedded database.

Asyncio's own subprocesses need a child watcher and differ between loops; a pipe does not. The child holds one end of a
pipe of its own for as long as it lives: its first line says that it is ready, its end says that it is gone, however it
went. The other pipe, to its standard input, is its leash: when this process closes it, or dies, the child stops.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from graph.errors import StoreUnavailable
from graph.store.embedded_server import Orders

_START_SECONDS: Final = 120.0
"""three on an idle machine."""
_STOP_SECONDS: Final = 25.0
"""a little more than the child gives itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A running child; `said` is what it writes on its descriptor."""

    process: subprocess.Popen[bytes]
    said: asyncio.StreamReader
    pipe: asyncio.ReadTransport
    log: Path

    async def ready(self) -> int:
        """Give its Bolt port as soon as it answers there."""
        try:
            async with asyncio.timeout(_START_SECONDS):
                line = await self.said.readline()
        except TimeoutError as exc:
            raise self._failed(f"it was not ready after {_START_SECONDS:.0f} s") from exc
        if not line:
            raise self._failed("it ended without a word")
        answer = json.loads(line)
        if "fault" in answer:
            raise self._failed(str(answer["fault"]))
        return int(answer["port"])

    def _failed(self, why: str) -> StoreUnavailable:
        return StoreUnavailable(
            f"The embedded database did not start: {why}", hint=f"Its log is {self.log}", retry_after=5.0
        )

    async def ended(self) -> None:
        """Return when it is gone."""
        await self.said.read()
        await asyncio.to_thread(self.process.wait)

    async def stop(self) -> None:
        """Let go of the leash, and wait until it has closed its files and left."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.ended()
        except TimeoutError:
            self.process.kill()
            await asyncio.to_thread(self.process.wait)
        finally:
            self.pipe.close()  # asyncio closes it at its end by itself, uvloop does not


async def start_child(orders: Orders, log: Path) -> Child:
    """Start the child; it is not ready yet."""
    ready, child_end = os.pipe()
    try:
        process = _spawn(orders, log, child_end)
    except OSError:
        os.close(ready)
        raise
    finally:
        os.close(child_end)
    said = asyncio.StreamReader()
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(said), os.fdopen(ready, "rb")
    )
    return Child(process=process, said=said, pipe=pipe, log=log)


def _spawn(orders: Orders, log: Path, ready: int) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own module
            [sys.executable, "-P", "-m", "graph.store.embedded_server", str(ready)],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=(ready,),
            start_new_session=True,  # Ctrl-C goes to the whole foreground group; this one stops by its leash only
        )
    assert process.stdin is not None
    process.stdin.write(json.dumps(orders).encode() + b"\n")
    process.stdin.flush()
    return process
