"""Requests as the run sees them: one that is looked at, and blocks of many by the client process."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from benchmarks.client import Load, Outcome
from benchmarks.errors import BenchmarkFailed
from benchmarks.figures import Block

_SECONDS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request to one contestant: its document, in its own spelling, and who asks."""

    document: str
    variables: Mapping[str, Any]
    operation: str
    token: str
    colleagues: Sequence[str] = ()
    """tokens of others who may see the same, and ask over connections of their own."""

    def body(self) -> bytes:
        """Give the body of the POST."""
        return orjson.dumps({"query": self.document, "variables": self.variables, "operationName": self.operation})

    def headers(self, token: str = "") -> dict[str, str]:
        """Give the headers that every contestant gets."""
        return {
            "Host": "127.0.0.1",
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Authorization": f"Bearer {token or self.token}",
        }

    def wires(self, connections: int) -> list[bytes]:
        """Give the whole request of each connection; where there are more than people, some have several."""
        tokens = (self.token, *self.colleagues)
        return [self._wire(tokens[each % len(tokens)]) for each in range(connections)]

    def _wire(self, token: str) -> bytes:
        body = self.body()
        head = {**self.headers(token), "Content-Length": str(len(body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        return f"POST /graphql HTTP/1.1\r\n{lines}\r\n".encode() + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One answer that is looked at."""

    data: Any
    length: int
    milliseconds: float


def ask(port: int, question: Question) -> Answered:
    """Ask once; anything but data without errors ends the run."""
    started = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_SECONDS)
    try:
        connection.request("POST", "/graphql", question.body(), question.headers())
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    milliseconds = (time.perf_counter() - started) * 1000
    if response.status != http.HTTPStatus.OK:
        raise BenchmarkFailed(f"{question.operation}: status {response.status}: {body[:500]!r}")
    answer = orjson.loads(body)
    if "errors" in answer:
        raise BenchmarkFailed(f"{question.operation}: {answer['errors'][:2]}")
    return Answered(data=answer["data"], length=len(body), milliseconds=milliseconds)


class Client:
    """The client process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def put(self, load: Load) -> Outcome:
        """Let the client put a load on a server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(orjson.dumps(asdict(load)) + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise BenchmarkFailed("The client process ended.")
        return Outcome(**orjson.loads(line))

    def block(self, load: Load, pid: int) -> Block:
        """Put a load on the server that is process `pid`, and take its CPU time."""
        block, failures = self.counted(load, pid)
        if failures:
            raise BenchmarkFailed(f"{failures} of {len(block.latencies)} answers were not as they must be.")
        return block

    def counted(self, load: Load, pid: int) -> tuple[Block, int]:
        """Do the same for a server that may answer wrongly; give how often it did."""
        before = cpu_seconds(pid)
        outcome = self.put(load)
        used = cpu_seconds(pid) - before
        if not outcome.latencies:
            raise BenchmarkFailed("There was no answer.")
        block = Block(seconds=outcome.seconds, cpu_seconds=used, latencies=tuple(outcome.latencies))
        return block, outcome.failures


@contextmanager
def client() -> Iterator[Client]:
    """Start the client process and end it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.client"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        yield Client(process)


def cpu_seconds(pid: int) -> float:
    """Give the CPU time that a process has used, all its threads, those that have ended too.

    The kernel's clock of a process counts in nanoseconds, where /proc/PID/stat, made from the same account, counts in
    hundredths of a second. Its number is made from the process's as in clock_getcpuclockid(3).
    """
    return time.clock_gettime_ns((~pid << 3) | 2) / 1e9
