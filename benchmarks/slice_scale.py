"""A customer's slice must not cost more because other customers are many.

The same customer with the same slice is put into a small and into a large network, in two databases that run side by
side with a server of ours each; blocks alternate between them, so that both meet the same noise.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from benchmarks.agreement import Ready, agree
from benchmarks.asking import Client, client
from benchmarks.cases import cases
from benchmarks.client import Load
from benchmarks.contestants import OURS, Callers, servers
from benchmarks.databases import Database, Product, database
from benchmarks.dataset import Dataset, load
from benchmarks.figures import Block, Spread, percentile, spread
from benchmarks.news import load_progress, news

MOST_RATIO: Final = 1.5
_CASE: Final = "customer"
_BLOCKS: Final = 15
_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaled:
    """One database's row."""

    store: str
    nodes: tuple[int, int]
    load_seconds: tuple[float, float]
    p50_ms: tuple[float, float]
    ratio: Spread
    """the large one's median latency over the small one's."""

    def sentence(self) -> str:
        """Say it."""
        small, large = self.nodes
        return (
            f"{self.store}: {self.p50_ms[0]:.2f} ms in {small} nodes, {self.p50_ms[1]:.2f} ms in {large} nodes: "
            f"{self.ratio}; "
            f"the large one was loaded in {self.load_seconds[1]:.0f} s"
        )

    def as_object(self) -> dict[str, Any]:
        """Give it for JSON."""
        names = ("small", "large")
        each = zip(names, self.nodes, self.load_seconds, self.p50_ms, strict=True)
        sides = {n: {"nodes": k, "load_seconds": round(s, 1), "p50_ms": round(p, 3)} for n, k, s, p in each}
        ratio = {"median": self.ratio.median, "low": self.ratio.low, "high": self.ratio.high}
        return {"case": _CASE, "store": self.store, **sides, "ratio": {n: round(v, 3) for n, v in ratio.items()}}


Side = tuple[Database, Dataset, Path]


async def slice_scale(products: Sequence[Product], small: int, large: int) -> list[Scaled]:
    """Compare on one product after the other."""
    return [await _on(product, small, large) for product in products]


async def _on(product: Product, small: int, large: int) -> Scaled:
    with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as name:
        places = [Path(name) / each for each in ("small", "large")]
        for each in places:
            each.mkdir()
        async with database(product, places[0]) as first, database(product, places[1]) as second:
            sides: list[Side] = []
            for found, scale, place in zip((first, second), (small, large), places, strict=True):
                news.print(f"{product}: loading {scale} nodes", highlight=False)
                sides.append((found, await load(found.store, scale=scale, progress=load_progress), place))
            return await asyncio.to_thread(_compared, product, sides)


def _compared(product: Product, sides: Sequence[Side]) -> Scaled:
    with ExitStack() as stack:
        asking = stack.enter_context(client())
        ready = [_ready(stack, *each) for each in sides]
        rounds = [_round(asking, ready) for _ in range(_BLOCKS + 1)][1:]
    nodes, seconds = zip(*((data.nodes, data.load_seconds) for _, data, _ in sides), strict=True)
    pooled = [percentile([each for blocks in rounds for each in blocks[side].latencies], 50) for side in (0, 1)]
    return Scaled(
        store=product,
        nodes=nodes,
        load_seconds=seconds,
        p50_ms=(pooled[0], pooled[1]),
        ratio=spread([_p50(large) / _p50(small) for small, large in rounds]),
    )


def _ready(stack: ExitStack, found: Database, dataset: Dataset, place: Path) -> Ready:
    callers = Callers(place)
    running = stack.enter_context(servers(found, callers, place, only=(OURS,)))
    case = next(each for each in cases(dataset) if each.name == _CASE)
    return agree(case, running, dataset, callers)[0]


def _round(asking: Client, ready: Sequence[Ready]) -> tuple[Block, Block]:
    order = [0, 1]
    random.shuffle(order)
    blocks = {side: asking.block(_load(ready[side]), ready[side].server.pid) for side in order}
    return blocks[0], blocks[1]


def _load(ready: Ready) -> Load:
    requests = [each.decode() for each in ready.question.wires(1)]
    return Load(port=ready.server.port, requests=requests, length=ready.length, seconds=_SECONDS)


def _p50(block: Block) -> float:
    return percentile(block.latencies, 50)
