"""The embedded database is a Java server inside a Python process, and it must die when whoever started it dies.

A Java virtual machine in the gateway's own process would stop its event loop, could not be killed apart from it, and
takes SIGTERM as a reason to abort; so it has this process to itself. Nothing but a pipe ties the two together: this
process blocks on its standard input, and the end of that input, which even `kill -9` of the parent brings about, means
stop and leave.

Run as `python -P -m graph.store.embedded_server READY_DESCRIPTOR`, in a session of its own, so that no Ctrl-C reaches it.
In, on standard input: one line, the orders as JSON (`Orders`). Out, on the descriptor: one line, `{"port": ...}` or
`{"fault": ...}`; its end is the end of this process. Standard output and error are a log.

Rules. 1. One process per directory: a second would delete the live log files of the first. `server.lock` is held by
this process itself, since the parent's lock is free again while the child of a dead parent is still closing.
2. The password is never in argv or the environment. 3. Bolt on loopback only; the HTTP listener, which the server
cannot be told to leave out, is stopped before anything else happens. 4. Full-text indexes have no Cypher here, only SQL
by this process's own hands: so this part of the schema is made here, at each start, before anybody can connect.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, Final, TypedDict, assert_never

from graph.model.model import LABELS, RELATIONSHIPS, Kind
from graph.store.embedded_abandoned import connections, end_abandoned

DATABASE: Final = "neo4j"
_STOP_SECONDS: Final = 20.0
_LOCK_SECONDS: Final = 30.0


class Orders(TypedDict):
    """What the parent writes on the first line."""

    directory: str
    password: str
    new_password: bool
    heap: str
    command_timeout_ms: int


def main(ready: int) -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        serve(json.loads(sys.stdin.buffer.readline()), ready)
    except SystemExit:
        os._exit(0)
    except BaseException as exc:  # noqa: BLE001 - whatever it is, the parent must be told, and the log has the rest
        os.write(ready, json.dumps({"fault": f"{type(exc).__name__}: {exc}"[:2000]}).encode() + b"\n")
        os._exit(1)
    # The machine's threads outlive its server; there is nothing left for them to do.
    os._exit(0)


def _leave(_signal: int, _frame: object) -> None:
    raise SystemExit


def serve(orders: Orders, ready: int) -> None:
    """Serve in this process until standard input ends; `ready` is the descriptor to say so on."""
    root = Path(orders["directory"])
    os.chdir(root)  # the machine writes relative paths of its own
    _lock(root / "server.lock")
    if orders["new_password"]:
        # The server ignores a password for a user that it knows already.
        (root / "config" / "server-users.jsonl").unlink(missing_ok=True)
    server = _server(orders)
    over = threading.Event()
    try:
        server.start()
        server._java_server.getHttpServer().stopService()  # noqa: SLF001 - the wrapper has no name for it
        _prepare(server)
        running = server._java_server.getRunningQueries()  # noqa: SLF001 - as above
        threading.Thread(target=end_abandoned, args=(running, over), name="end abandoned", daemon=True).start()
        _answer_until_end_of_input(_bolt(server), ready)
    finally:
        over.set()
        _stop_within(server, _STOP_SECONDS)


def _answer_until_end_of_input(bolt: Any, ready: int) -> None:
    os.write(ready, json.dumps({"port": int(bolt.getPort())}).encode() + b"\n")
    try:
        while os.read(0, 4096):
            pass
    finally:
        _cut_connections()


def _cut_connections() -> None:
    # A server that stops as a whole forgets its users and closes its files before it closes its connections, and tells
    # those that still ask of wrong passwords and of statements that failed. A cut is what their drivers understand.
    for each in connections():
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _lock(path: Path) -> None:
    """Wait until the child of an owner that died has closed its files."""
    import fcntl  # noqa: PLC0415 - not there on every platform, and others import this module for `Orders`

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return


def _server(orders: Orders) -> Any:
    from arcadedb_embedded.server import ArcadeDBServer  # noqa: PLC0415 - not there on every platform

    return ArcadeDBServer(
        root_path=orders["directory"],
        root_password=orders["password"],
        jvm_kwargs={
            "heap_size": orders["heap"],
            "jvm_args": [
                "-Xrs",  # leaves signals to Python: the machine would take SIGTERM as a reason to abort
                "-XX:+ExitOnOutOfMemoryError",  # the owner starts it again; a machine half dead would not answer
                f"-XX:ErrorFile={orders['directory']}/log/crash-%p.log",
                *(f"-Darcadedb.{name}={value}" for name, value in _engine(orders).items()),
            ],
        },
        config={
            "host": "127.0.0.1",
            "http_port": 0,
            "mode": "production",
            "server_plugins": "Bolt:com.arcadedb.bolt.BoltProtocolPlugin",
            "bolt_host": "127.0.0.1",
            "bolt_port": 0,
            # The password is 32 random bytes: stretching it guards nothing, and each new connection would pay for it.
            "server_saltIterations": 1000,
            "serverMetrics": False,
            "polyglotEngineEnabled": False,
            "opencypher_loadCsv_allowRemoteUrls": False,
        },
    )


def _engine(orders: Orders) -> dict[str, object]:
    """Give what the engine reads from the machine's properties only: in the server's configuration it has no effect."""
    return {
        "txWalFlush": 2,  # a flush per commit: an acknowledged write survives a power cut
        "command.timeout": orders["command_timeout_ms"],
        # No queue of the database's own. Behind its few places (twice the cores) short statements would wait for long
        # ones; as threads they share the processors. How many run at a time is bounded by whoever sends them.
        "queryMaxConcurrent": 0,
        # We have six hundred statements of our own, and it keeps three hundred. As many as Neo4j keeps.
        "opencypher.statementCache": 1000,
        "opencypher.planCache": 1000,
    }


def _prepare(server: Any) -> None:
    """Make what Cypher cannot: full-text indexes, and types, which are else guessed from the first value."""
    # What runs here goes by the machine's own thread and needs no login.
    known = server._java_server.existsDatabase(DATABASE)  # noqa: SLF001 - the wrapper has no name for it
    database = server.get_database(DATABASE) if known else server.create_database(DATABASE)
    schema = database._java_db.getSchema()  # noqa: SLF001 - SQL would need seconds to find that all is there
    for label in LABELS.values():
        kind = schema.getOrCreateVertexType(label.name)
        for each in label.properties:
            if each.indexed or each.name in label.unique or each.name == "words":
                kind.getOrCreateProperty(each.name, _sql_type(each.kind))
        if label.searched and not schema.existsIndex(f"words_{label.name}"):
            database.command("sql", f"CREATE INDEX words_{label.name} ON {label.name} (words) FULL_TEXT")
    for relationship in RELATIONSHIPS:
        schema.getOrCreateEdgeType(relationship)


def _sql_type(kind: Kind) -> str:
    match kind:
        case Kind.STRING | Kind.JSON:
            return "STRING"
        case Kind.INTEGER | Kind.LARGE | Kind.TIME:
            return "LONG"
        case Kind.FLOAT:
            return "DOUBLE"
        case Kind.BOOLEAN:
            return "BOOLEAN"
        case never:
            assert_never(never)


def _bolt(server: Any) -> Any:
    for plugin in server._java_server.getPlugins():  # noqa: SLF001 - the wrapper has no name for it
        if str(plugin.getName()) == "Neo4j-Bolt":
            return plugin
    raise RuntimeError("the Bolt plugin did not start")


def _stop_within(server: Any, seconds: float) -> None:
    # Nobody is left to kill this process if closing hangs; the write-ahead log makes leaving hard safe.
    last_resort = threading.Timer(seconds, os._exit, args=(1,))
    last_resort.daemon = True
    last_resort.start()
    server.stop()
    last_resort.cancel()


if __name__ == "__main__":
    main(int(sys.argv[1]))
