"""Figures of gateways that ran at different times on a shared machine say little: they take turns, block by block.

All that can be had are started and must give one answer. Then rounds: in each, every gateway gets one block of requests,
in another order each time. A row is the median over the rounds. CPU is that of the gateway's process, all its threads.
"""

from __future__ import annotations

import http.client
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import orjson

from benchmarks.asking import Answered, Question, ask, client
from benchmarks.client import Load
from benchmarks.errors import BenchmarkFailed
from benchmarks.federation.gateways import NAMES, start
from benchmarks.federation.subgraphs import QUERY, SUPERGRAPH
from benchmarks.figures import Block, Ratios, ratios
from benchmarks.news import news

OURS: Final = "trunkline"
READY_SECONDS: Final = 90
END_SECONDS: Final = 15
QUESTION: Final = Question(document=QUERY, variables={}, operation="Benchmark", token="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much is measured."""

    rounds: int
    seconds: float
    connections: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One gateway under one load."""

    gateway: str
    connections: int
    sharing: bool
    rps: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float
    rss_mib: float
    right: bool
    """its answer is the one that the first of them gave, each time."""
    wrong: int
    """how many answers were of another status or length; with one of Trunkline's the run ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A gateway that answers."""

    name: str
    port: int
    pid: int
    answer: Answered


def compare(effort: Effort, names: Sequence[str] = NAMES) -> list[Row]:
    """Compare without sharing, then with it."""
    with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as directory:
        supergraph = Path(directory) / "supergraph.graphql"
        with _subgraphs(supergraph.with_name("subgraphs.log")) as base:
            supergraph.write_text(SUPERGRAPH.replace("{base}", base), encoding="utf-8")
            return [row for sharing in (False, True) for row in _measured(effort, names, supergraph, sharing=sharing)]


def _measured(effort: Effort, names: Sequence[str], supergraph: Path, *, sharing: bool) -> Iterator[Row]:
    with ExitStack() as stack:
        started = [stack.enter_context(_gateway(name, supergraph, sharing=sharing)) for name in names]
        running = [each for each in started if each is not None]
        asking = stack.enter_context(client())
        for connections in effort.connections:
            blocks: dict[str, list[Block]] = {each.name: [] for each in running}
            wrong = dict.fromkeys(blocks, 0)
            for number in range(effort.rounds + 1):
                for each in random.Random(number).sample(running, len(running)):
                    block, failures = asking.counted(_load(each, connections, effort.seconds), each.pid)
                    if failures and each.name == OURS:
                        raise BenchmarkFailed(f"{failures} of {len(block.latencies)} answers of {OURS} were wrong.")
                    wrong[each.name] += failures
                    if number:  # the first round warms up
                        blocks[each.name].append(block)
            for each in running:
                right = each.answer.data == running[0].answer.data and not wrong[each.name]
                row = _row(each, connections, blocks[each.name], sharing=sharing)
                yield replace(row, right=right, wrong=wrong[each.name])


def beside(tree: Path, effort: Effort) -> Iterator[tuple[int, Ratios]]:
    """Compare Trunkline's gateway with that of another checkout, which has its own environment; give ours over that, by connections."""
    with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as directory, ExitStack() as stack:
        supergraph = Path(directory) / "supergraph.graphql"
        base = stack.enter_context(_subgraphs(supergraph.with_name("subgraphs.log")))
        supergraph.write_text(SUPERGRAPH.replace("{base}", base), encoding="utf-8")
        ours = stack.enter_context(_gateway(OURS, supergraph, sharing=False))
        other = stack.enter_context(_gateway(OURS, supergraph, sharing=False, tree=tree))
        assert ours is not None, "it is here"
        assert other is not None, "it was started as ours was"
        if other.answer.data != ours.answer.data:
            raise BenchmarkFailed("The gateway of the other checkout gives another answer")
        asking = stack.enter_context(client())
        for connections in effort.connections:
            loads = {each.port: _load(each, connections, effort.seconds) for each in (ours, other)}
            pairs: list[tuple[Block, Block]] = []
            for number in range(effort.rounds + 1):
                turn = random.sample((ours, other), 2)
                blocks = {each.port: asking.block(loads[each.port], each.pid) for each in turn}
                if number:  # the first round warms up
                    pairs.append((blocks[ours.port], blocks[other.port]))
            yield connections, ratios(pairs)


def soak(requests: int, *, connections: int = 50, seconds: float = 20.0) -> Iterator[tuple[int, float]]:
    """Ask Trunkline's gateway again and again; give after each block how many there were, and its memory in MiB."""
    with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as directory, ExitStack() as stack:
        supergraph = Path(directory) / "supergraph.graphql"
        base = stack.enter_context(_subgraphs(supergraph.with_name("subgraphs.log")))
        supergraph.write_text(SUPERGRAPH.replace("{base}", base), encoding="utf-8")
        gateway = stack.enter_context(_gateway(OURS, supergraph, sharing=False))
        assert gateway is not None, "it is here"
        asking, asked = stack.enter_context(client()), 0
        while asked < requests:
            asked += len(asking.block(_load(gateway, connections, seconds), gateway.pid).latencies)
            yield asked, round(_resident(gateway.pid) / 2**20, 1)


def _load(of: Running, connections: int, seconds: float) -> Load:
    return Load(
        port=of.port,
        requests=[each.decode() for each in QUESTION.wires(connections)],
        length=of.answer.length,
        seconds=seconds,
    )


def _row(of: Running, connections: int, blocks: list[Block], *, sharing: bool) -> Row:
    latencies = sorted(each for block in blocks for each in block.latencies)
    return Row(
        gateway=of.name,
        connections=connections,
        sharing=sharing,
        rps=round(statistics.median(len(each.latencies) / each.seconds for each in blocks), 1),
        p50_ms=round(latencies[len(latencies) // 2], 2),
        p99_ms=round(latencies[int(len(latencies) * 0.99)], 2),
        cpu_ms=round(statistics.median(each.cpu_seconds / len(each.latencies) for each in blocks) * 1_000, 2),
        rss_mib=round(_resident(of.pid) / 2**20, 1),
        right=True,
        wrong=0,
    )


def _resident(pid: int) -> int:
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def _subgraphs(said: Path) -> Iterator[str]:
    port = _free_port()
    command = [sys.executable, "-m", "benchmarks.federation.subgraphs", str(port)]
    with _process(command, {}, said) as process:
        _wait("the subgraphs", process, said, lambda: _answers(port, "/readyz"))
        yield f"http://127.0.0.1:{port}"


@contextmanager
def _gateway(name: str, supergraph: Path, *, sharing: bool, tree: Path | None = None) -> Iterator[Running | None]:
    port = _free_port()
    how = start(name, supergraph, port, sharing=sharing, tree=tree)
    if how is None:
        news.print(f"{name} is left out: it is not installed, or does not share", highlight=False)
        yield None
        return
    said = supergraph.with_name(f"{name}-{sharing}-{port}.log")
    with _process(list(how.command), how.environment, said, tree) as process:
        _wait(name, process, said, lambda: _gives(port))
        yield Running(name=name, port=port, pid=process.pid, answer=ask(port, QUESTION))


@contextmanager
def _process(
    command: list[str], environment: Mapping[str, str], said: Path, place: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    with said.open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=log, stderr=log, env={**kept, **environment}, cwd=place
        )
    try:
        yield process
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(name: str, process: subprocess.Popen[bytes], said: Path, ready: Callable[[], bool]) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end and process.poll() is None:
        if ready():
            return
        time.sleep(0.2)
    raise BenchmarkFailed(f"{name} did not start:\n{said.read_text(errors='replace')[-2000:]}")


def _gives(port: int) -> bool:
    try:
        ask(port, QUESTION)
    except (OSError, http.client.HTTPException, BenchmarkFailed, orjson.JSONDecodeError):
        return False
    return True


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def sentences(rows: list[Row]) -> Iterator[str]:
    """Tell what was measured."""
    for each in rows:
        how = "sharing" if each.sharing else "each by itself"
        yield (
            f"{each.gateway:18} {each.connections:3} connections, {how:14} {each.rps:8.1f} rps "
            f"p50 {each.p50_ms:8.2f} ms p99 {each.p99_ms:8.2f} ms CPU {each.cpu_ms:6.2f} ms {each.rss_mib:6.1f} MiB "
            f"{'right' if each.right else f'{each.wrong} WRONG' if each.wrong else 'OTHER ANSWER'}"
        )
