"""The suite needs a real Neo4j that no one has installed: one is configured, started and stopped by the test session.

No authentication, loopback only, a small heap, everything under one temporary directory. The port is taken from the
kernel a moment before the server binds it; should somebody else be quicker, the server ends and another port is tried.
Bolt answers before the database is ready, so that "ready" means that a statement was answered.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from neo4j import GraphDatabase, NotificationMinimumSeverity
from neo4j.exceptions import DriverError, Neo4jError

from tests.servers.errors import ServerUnavailable
from tests.servers.jars import neo4j_jars, program

_STARTS: Final = 3
_SECONDS: Final = 120
_LEASH: Final = Path(__file__).with_name("leash.py")
_OPENED: Final = ("java.nio", "java.io", "sun.nio.ch", "java.util.concurrent")
_CONFIGURATION: Final = """\
server.directories.data={home}/data
server.directories.logs={home}/logs
server.directories.run={home}/run
server.directories.plugins={home}/plugins
server.directories.import={home}/import
server.default_listen_address=127.0.0.1
server.bolt.listen_address=127.0.0.1:{port}
server.bolt.advertised_address=127.0.0.1:{port}
server.http.enabled=false
server.https.enabled=false
dbms.security.auth_enabled=false
dbms.usage_report.enabled=false
server.memory.pagecache.size=256m
db.tx_log.preallocate=false
db.transaction.timeout=120s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Neo4jServer:
    """A running server, held by a leash that ends it when this process ends in whatever way."""

    address: str
    version: str
    """as the server itself says: product, version, edition."""
    _leash: subprocess.Popen[bytes] = field(repr=False)

    @classmethod
    def start(cls) -> Neo4jServer:
        """Start a server with an empty database, or raise ServerUnavailable with what it said."""
        java, jars = program("java", "Java 17"), neo4j_jars()
        said = ""
        for _ in range(_STARTS):
            home, port = Path(tempfile.mkdtemp(prefix="trunkline-neo4j-")), _free_port()
            leash = _launch(java, jars, home, port)
            version = _wait_until_ready(leash, port)
            if version:
                return cls(address=f"bolt://127.0.0.1:{port}", version=version, _leash=leash)
            said = _output(home).read_text(errors="replace")[-4000:]
            _let_go(leash)
            shutil.rmtree(home, ignore_errors=True)
        raise ServerUnavailable(f"Neo4j did not start:\n{said}")

    def stop(self) -> None:
        """End the server and wait until it is gone."""
        _let_go(self._leash)


def _launch(java: str, jars: Path, home: Path, port: int) -> subprocess.Popen[bytes]:
    (home / "conf").mkdir()
    (home / "conf" / "neo4j.conf").write_text(_CONFIGURATION.format(home=home, port=port))
    command = [
        *(java, "-Xms256m", "-Xmx2g", "-XX:+UseG1GC"),
        *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
        *("-Dio.netty.tryReflectionSetAccessible=true", "-Dlog4j2.disable.jmx=true"),
        *("-cp", f"{jars}/*", "org.neo4j.server.CommunityEntryPoint"),
        *(f"--home-dir={home}", f"--config-dir={home}/conf", "--console-mode"),
    ]
    with _output(home).open("wb") as output:
        # A session of its own: a Ctrl-C in the terminal is for the tests, which then close the pipe.
        return subprocess.Popen(
            [sys.executable, str(_LEASH), str(home), *command],
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _output(home: Path) -> Path:
    return home / "output.txt"


def _wait_until_ready(leash: subprocess.Popen[bytes], port: int) -> str:
    end = time.monotonic() + _SECONDS
    while time.monotonic() < end and leash.poll() is None:
        try:
            return _version(port)
        except (DriverError, Neo4jError):
            time.sleep(0.2)
    return ""


def _version(port: int) -> str:
    driver = GraphDatabase.driver(
        f"bolt://127.0.0.1:{port}",
        notifications_min_severity=NotificationMinimumSeverity.OFF,
        connection_timeout=5,
    )
    with driver, driver.session(database="neo4j") as session:
        row = session.run("CALL dbms.components() YIELD versions, edition RETURN versions[0], edition").single(
            strict=True
        )
        return f"Neo4j {row[0]} {row[1]}"


def _let_go(leash: subprocess.Popen[bytes]) -> None:
    assert leash.stdin is not None
    leash.stdin.close()
    leash.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
