"""The row of stages of a comparison: database, data, servers, agreement, blocks."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks.agreement import agree
from benchmarks.asking import client
from benchmarks.cases import cases
from benchmarks.contestants import Callers, servers
from benchmarks.databases import Database, Product, database
from benchmarks.dataset import Dataset, load
from benchmarks.errors import BenchmarkFailed
from benchmarks.measure import Measured, Plan, measure
from benchmarks.news import load_progress, news


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be compared."""

    stores: tuple[Product, ...]
    cases: tuple[str, ...]
    """by name; empty for all."""
    scale: int
    plan: Plan


async def run(wanted: Wanted) -> list[Measured]:
    """Compare on one database after the other."""
    rows: list[Measured] = []
    for product in wanted.stores:
        with tempfile.TemporaryDirectory(prefix="trunkline-benchmark-") as name:
            directory = Path(name)
            async with database(product, directory) as found:
                dataset = await load(found.store, scale=wanted.scale, progress=load_progress)
                about = f"{dataset.nodes} nodes, {dataset.relationships} relationships in {dataset.load_seconds:.0f} s"
                news.print(f"{product} {found.version}: {about}", highlight=False)
                # The embedded database is kept by this process, so its loop must stay free.
                rows += await asyncio.to_thread(_measured, found, dataset, directory, wanted)
    return rows


def _measured(found: Database, dataset: Dataset, directory: Path, wanted: Wanted) -> list[Measured]:
    chosen = [each for each in cases(dataset) if not wanted.cases or each.name in wanted.cases]
    if not chosen:
        raise BenchmarkFailed(f"There is no such case; there are {', '.join(each.name for each in cases(dataset))}.")
    rows: list[Measured] = []
    callers = Callers(directory)
    with servers(found, callers, directory) as running, client() as asking:
        # All of them first: who disagrees about the last case must not cost the time of those before it.
        agreed = [(case, agree(case, running, dataset, callers)) for case in chosen]
        for case, ready in agreed:
            news.print(f"  {case.name}: {', '.join(each.server.name for each in ready)} agree", highlight=False)
            rows += measure(case, found, ready, asking, wanted.plan)
    return rows
