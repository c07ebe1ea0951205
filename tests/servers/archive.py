"""Each start of the embedded database reads five thousand Java classes; from an archive that costs half of the time.

The Java machine writes such an archive itself, when a run that it has watched ends. So this is a run that does what
tests do: it starts the server, makes the schema, loads a small network and asks some questions. Then it lets Java end
the process, which `graph.store.embedded_server` never does, since nobody waits for an archive there.

Run as `python -m tests.servers.archive FILE`; `make test` does so when the environment is new. The Java machine compares
an archive with its own version and with the jars: one that does not fit is not used, and nothing fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Final

from graph.load import load_topology
from graph.store import embedded_server
from graph.store.address import EmbeddedAddress
from graph.store.embedded import EmbeddedSettings, Endpoint
from graph.store.migrate import migrate
from graph.store.store import EmbeddedStore

QUICK_START: Final = "-XX:+IgnoreUnrecognizedVMOptions -XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
"""Some thirty embedded databases live for seconds; their compiler threads would take more of the machine than the tests.

Servers of tests inherit the options, and the Java of the machine does not know all of them."""
_ARCHIVE: Final = Path(__file__).parents[2] / ".cache" / "embedded.aot"
_OPTIONS: Final = "JAVA_TOOL_OPTIONS"
_SECONDS: Final = 600
"""ten on an idle machine."""
_NODES: Final = 300


def quick_options() -> str:
    """Give the Java machine's options for a database of tests: with the archive, where there is one."""
    return f"{QUICK_START} -XX:AOTCache='{_ARCHIVE}'" if _ARCHIVE.is_file() else QUICK_START


def write_archive(archive: Path) -> None:
    """Write one; a run that is cut leaves none behind that is half."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent.absolute()) as scratch:
        written = Path(scratch, "archive")
        environment = {**os.environ, _OPTIONS: f"{QUICK_START} -XX:AOTCacheOutput='{written}'"}
        command = [sys.executable, "-m", "tests.servers.archive", "--watched", scratch]
        with Path(scratch, "output").open("wb") as output, contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, env=environment, check=False, timeout=_SECONDS, stdout=output, stderr=output)
        if written.is_file() and written.stat().st_size:
            written.replace(archive)
        else:
            sys.exit(f"no archive was written, the tests go on without:\n{Path(scratch, 'output').read_text()[-2000:]}")


def _be_watched(directory: Path) -> None:
    ready, server_end = os.pipe()
    leash, let_go = os.pipe()
    os.dup2(leash, sys.stdin.fileno())
    password = secrets.token_urlsafe(32)
    client = threading.Thread(target=_use, args=(directory, ready, password, let_go), daemon=True)
    client.start()
    orders = embedded_server.Orders(
        directory=str(directory), password=password, new_password=True, heap="1g", command_timeout_ms=60_000
    )
    embedded_server.serve(orders, server_end)
    client.join()

    import jpype  # noqa: PLC0415 - where the database is, and nowhere else

    jpype.java.lang.System.exit(0)


def _use(directory: Path, ready: int, password: str, let_go: int) -> None:
    """Do what tests do as soon as it is ready, then let go of its leash."""
    with os.fdopen(ready) as said:
        port = int(json.loads(said.readline())["port"])
    try:
        asyncio.run(_ask(EmbeddedStore(EmbeddedAddress(directory=directory), EmbeddedSettings()), port, password))
    finally:
        os.close(let_go)


async def _ask(store: EmbeddedStore, port: int, password: str) -> None:
    # The server is in this very process: nobody has to be elected who starts it.
    await store._hear(Endpoint(port=port, password=password, owner=os.getpid(), server=os.getpid()))
    deadline = time.monotonic() + _SECONDS
    await migrate(store, deadline=deadline)
    await load_topology(store, scale=_NODES, alarms=5, progress=lambda *_: None, deadline=deadline)
    await store.close()


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["--watched", scratch]:
            _be_watched(Path(scratch).absolute())
        case [file]:
            write_archive(Path(file))
