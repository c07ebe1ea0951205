"""Every contestant is a process of its own that listens on loopback, and ends with the run, however that ends."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import orjson

from benchmarks.databases import Database
from benchmarks.errors import BenchmarkFailed
from benchmarks.node import installed
from gateway.auth.minting import local_issuer

OURS: Final = "ours"
FLOOR: Final = "floor"
ORDINARY: Final = "ordinary"
NODE: Final = "neo4j_graphql"
_READY_SECONDS: Final = 180
_END_SECONDS: Final = 15
_TOKEN_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A contestant that answers."""

    name: str
    port: int
    pid: int


class Callers:
    """Who asks: an issuer of this run's own, and its tokens."""

    def __init__(self, directory: Path) -> None:
        self._issuer = local_issuer(directory / "key.json")

    def token(self, customer: str, user: str = "") -> str:
        """Give the token of a customer, or of an operator; `user` is who of them asks."""
        if customer:
            who = f"{customer}{user}"
            return self._issuer.token(subject=who, role="customer", customers=(customer,), seconds=_TOKEN_SECONDS)
        return self._issuer.token(subject=f"benchmark{user}", role="operator", seconds=_TOKEN_SECONDS)

    def fault_manager(self) -> str:
        """Give the token of the system that raises alarms."""
        role = "system:fault-management"
        return self._issuer.token(subject="fault-management", role=role, seconds=_TOKEN_SECONDS)

    def order_management(self) -> str:
        """Give the token of the system that places orders."""
        role = "system:order-management"
        return self._issuer.token(subject="order-management", role=role, seconds=_TOKEN_SECONDS)

    def setting(self) -> str:
        """Give the setting that believes these tokens."""
        issuer = self._issuer.settings().model_dump(mode="json", include={"issuer", "audience", "jwks_file"})
        return orjson.dumps([issuer]).decode()


@contextmanager
def servers(
    database: Database, callers: Callers, directory: Path, *, only: Sequence[str] = (OURS, FLOOR, ORDINARY, NODE)
) -> Iterator[tuple[Server, ...]]:
    """Run contestants over a database while the block runs; Node's only where there is Node and a Neo4j."""
    commands = {name: _command(name, database) for name in only}
    with ExitStack() as stack:
        yield tuple(
            stack.enter_context(_server(name, command, database, callers, directory))
            for name, command in commands.items()
            if command
        )


def _command(name: str, database: Database) -> list[str]:
    if name != NODE:
        return [sys.executable, "-m", "benchmarks.server", name]
    folder = installed() if database.product == "neo4j" else None
    return ["node", str(folder / "server.mjs"), database.address] if folder else []


@contextmanager
def gateway(
    database: Database, callers: Callers, directory: Path, settings: Mapping[str, str], *, name: str = "gateway"
) -> Iterator[Server]:
    """Run the gateway as it is served, with more settings, while the block runs."""
    command = [sys.executable, "-m", "gateway", "serve"]
    with _server(name, command, database, callers, directory, _as_variables(settings)) as server:
        yield server


@contextmanager
def stream_floor(
    database: Database, callers: Callers, directory: Path, settings: Mapping[str, str]
) -> Iterator[Server]:
    """Run the floor of subscriptions with the same settings, while the block runs."""
    command = [sys.executable, "-m", "benchmarks.stream_floor"]
    with _server(FLOOR, command, database, callers, directory, _as_variables(settings)) as server:
        yield server


def _as_variables(settings: Mapping[str, str]) -> dict[str, str]:
    return {f"TRUNKLINE_{name.upper()}": value for name, value in settings.items()}


@contextmanager
def _server(
    name: str,
    command: list[str],
    database: Database,
    callers: Callers,
    directory: Path,
    more: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Server]:
    port = _free_port()
    said = directory / f"{name}.log"
    environment = {**_environment(database, callers, port), **more}
    with said.open("ab") as log:
        process = subprocess.Popen(
            command if name != NODE else [*command, str(port)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=environment,
        )
    try:
        _wait(name, process, port, said)
        yield Server(name=name, port=port, pid=process.pid)
    finally:
        _end(process)


def _environment(database: Database, callers: Callers, port: int) -> Mapping[str, str]:
    """Give the settings, of which the ordinary contestant's slowest answers need the long deadline."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    return {
        **kept,
        "TRUNKLINE_STORE": database.address,
        "TRUNKLINE_LISTEN": f"127.0.0.1:{port}",
        "TRUNKLINE_ISSUERS": callers.setting(),
        "TRUNKLINE_DEADLINE_SECONDS": "60",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait(name: str, process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    end = time.monotonic() + _READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if _is_ready(port):
            return
        time.sleep(0.1)
    raise BenchmarkFailed(f"{name} did not start:\n{said.read_text(errors='replace')[-3000:]}")


def _is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _end(process: subprocess.Popen[bytes]) -> None:
    assert process.stdin is not None
    process.stdin.close()
    if process.args and "serve" in list(process.args):  # type: ignore[arg-type]  # a list: we have started it
        process.terminate()
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
