"""Kafka is what its own broker does: one is configured, started and stopped here, in KRaft mode, in one process.

Loopback only, a small heap, everything under one folder of the caller's. It has two listeners: one that lets everybody in, and
one with TLS and SASL. It may be stopped and started again with what it holds, as a broker that was away.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.servers.errors import ServerUnavailable
from tests.servers.jars import kafka_jars, program

USER: Final = "trunkline"
PASSWORD: Final = "a secret of the tests"
_LEASH: Final = Path(__file__).with_name("leash.py")
_CLUSTER: Final = "AAAAAAAAAAAAAAAAAAAAAA"
_SECONDS: Final = 120.0
_CONFIGURATION: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
listeners=OPEN://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
listener.security.protocol.map=OPEN:PLAINTEXT,SECURE:SASL_SSL,CONTROLLER:PLAINTEXT
inter.broker.listener.name=OPEN
log.dirs={data}
num.partitions=3
message.max.bytes=1048588
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""
_SECURE: Final = """\
listeners=OPEN://127.0.0.1:{port},SECURE://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=OPEN://127.0.0.1:{port},SECURE://localhost:{secure}
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.secure.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \
user_{user}="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={certificate}
"""
"""The last of two lines for one property counts."""


@dataclass(slots=True, kw_only=True)
class KafkaServer:
    """A broker, held by a leash that ends it when this process ends in whatever way."""

    home: Path
    port: int
    secure_port: int
    starts: int = 0
    _leash: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @classmethod
    def start(cls, home: Path, certificate: Path | None = None) -> KafkaServer:
        """Start a broker without any topic; with a PEM file of a certificate and its key it has the secure listener too."""
        port, secure, controller = (_free_port() for _ in range(3))
        server = cls(home=home, port=port, secure_port=secure)
        server._configuration.write_text(
            (_CONFIGURATION + (_SECURE if certificate else "")).format(
                port=port,
                secure=secure,
                controller=controller,
                data=home / "data",
                certificate=certificate,
                user=USER,
                password=PASSWORD,
            )
        )
        scram = f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"
        server._format(scram)
        server.go_on()
        return server

    @property
    def address(self) -> str:
        """Where it lets everybody in."""
        return f"127.0.0.1:{self.port}"

    @property
    def secure_address(self) -> str:
        """Where it wants TLS, and `USER` with `PASSWORD`."""
        return f"localhost:{self.secure_port}"

    def go_on(self) -> None:
        """Start it with what it holds."""
        self.starts += 1
        run = self.home / f"run-{self.starts}"
        run.mkdir()
        command = [*_java("-Xmx512m"), "kafka.Kafka", str(self._configuration)]
        with self._output.open("ab") as output:
            self._leash = subprocess.Popen(
                [sys.executable, str(_LEASH), str(run), *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        end = time.monotonic() + _SECONDS
        while not _accepts(self.port):
            if self._leash.poll() is not None or time.monotonic() > end:
                raise ServerUnavailable(f"Kafka did not start:\n{self._output.read_text(errors='replace')[-4000:]}")
            time.sleep(0.1)

    def stop(self) -> None:
        """Kill it, and wait until it is gone; what it holds stays."""
        if self._leash is not None:
            assert self._leash.stdin is not None
            self._leash.stdin.close()
            self._leash.wait()
            self._leash = None

    def _format(self, scram: str) -> None:
        command = [*_java(), "kafka.tools.StorageTool", "format", "-t", _CLUSTER, "-c", str(self._configuration)]
        done = subprocess.run([*command, "--add-scram", scram], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise ServerUnavailable(f"Kafka's folder could not be made:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")

    @property
    def _configuration(self) -> Path:
        return self.home / "server.properties"

    @property
    def _output(self) -> Path:
        return self.home / "output.txt"


def _java(*options: str) -> list[str]:
    return [program("java", "Java 17"), *options, "-XX:TieredStopAtLevel=1", "-cp", f"{kafka_jars()}/*"]


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
