"""A server that a proof starts must be gone when the proof is, its children too, however either ends."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

_LIBC: Final = ctypes.CDLL(None)
_PR_SET_PDEATHSIG: Final = 1
PATIENT: Final = {"TRUNKLINE_TEST_SECONDS": "60"}
"""for tests that run against a real system: how long it may take is not what is proven."""
_LOOK_SECONDS: Final = 0.2
_END_SECONDS: Final = 20.0


@asynccontextmanager
async def running(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str], user: str | None = None
) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run a server, in a session of its own, while the block runs; afterwards nothing of the session is left."""
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: ASYNC220 - it only forks; nothing is done between fork and exec
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=dict(environment),
            user=user,
            group=user,
            extra_groups=[] if user else None,
            start_new_session=True,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - one call into a library that is loaded already
        )
    try:
        yield process
    finally:
        await _ended(process)


async def until_answering(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    """Wait until a server answers anything."""
    async with httpx.AsyncClient(timeout=5) as client:
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(httpx.HTTPError):
                await client.get(url)
                return
            if process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{url} does not answer. Its log ends:\n{_end_of(log)}")
            await asyncio.sleep(_LOOK_SECONDS)


async def until(true: Callable[[], Awaitable[Any]], what: str, seconds: float) -> Any:
    """Wait until something is so, and give what it gave; AssertionError says what never came to be."""
    end = time.monotonic() + seconds
    while not (found := await true()):
        assert time.monotonic() < end, f"within {seconds:.0f} s it did not come to be that {what}"
        await asyncio.sleep(_LOOK_SECONDS)
    return found


async def _ended(process: subprocess.Popen[bytes]) -> None:
    for each in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, each)
        end = time.monotonic() + _END_SECONDS
        while _is_there(process) and time.monotonic() < end:  # noqa: ASYNC110 - the kernel sets no event
            await asyncio.sleep(_LOOK_SECONDS)
    assert not _is_there(process), f"the session of process {process.pid} does not end"


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-3_000:]


def _is_there(process: subprocess.Popen[bytes]) -> bool:
    """Tell whether anything of its session is left."""
    process.poll()  # so that it is no zombie
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
