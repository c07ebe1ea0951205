"""One of several processes that share an embedded database, for the tests that kill some of them.

Run as `python -m tests.graph.store.embedded_peer DIRECTORY NAME`. It opens the store, writes one node after the other and says
which writes were acknowledged, until its standard input ends; then it closes the store and leaves.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import time

import uvloop

from graph.errors import DeadlineExceeded, StoreUnavailable
from graph.store.embedded import EmbeddedSettings
from graph.store.store import Store, Transaction, open_store


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def _write_on(store: Store, name: str) -> None:
    number = 0
    while True:
        number += 1
        mark = f"{name}-{number}"

        async def work(transaction: Transaction, mark: str = mark) -> None:
            await transaction.run("CREATE (:LoadMark {id: $id})", {"id": mark})

        try:
            await store.write(work, deadline=time.monotonic() + 10)
            _say(f"ack {mark}")
        except (StoreUnavailable, DeadlineExceeded):
            await asyncio.sleep(0.1)


async def _end_of_input() -> None:
    # Not in a thread: one that is blocked in a read would keep the process from ending on Ctrl-C.
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(sys.stdin, ended.set)  # nothing is ever written: readable means at its end
    try:
        await ended.wait()
    finally:
        loop.remove_reader(sys.stdin)


async def _main(directory: str, name: str) -> None:
    store = await open_store(f"embedded:{directory}", embedded=EmbeddedSettings(heap="256m"))
    _say("open")
    writing = asyncio.create_task(_write_on(store, name))
    try:
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_end_of_input())
            await asyncio.wait({writing, reading}, return_when=asyncio.FIRST_COMPLETED)
            reading.cancel()
        if writing.done():
            _say(f"failed {writing.exception()!r}")
    finally:
        writing.cancel()
        await asyncio.gather(writing, return_exceptions=True)
        await store.close()
        _say("closed")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background hands down that it is ignored
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(_main(sys.argv[1], sys.argv[2]))  # the gateway's loop; the suite itself runs on asyncio's
