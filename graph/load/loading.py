"""The two loads, each as a row of its stages: of a topology, and of a file.

Which way of writing is right depends on what is there. A topology that was begun is gone on with, by its marks; one
that is new is created; one that is there without marks (they were deleted, or another program loaded it) is merged, as
a file always is: a file may add to, and change, what the graph has.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Final

from graph.load.batches import Batch
from graph.load.known import known_ids
from graph.load.limits import ones_of, problem_of
from graph.load.lines import Spool
from graph.load.report import DemoPrincipal, LoadReport, Progress, TopologyFacts
from graph.load.statements import How
from graph.load.stubs import customer_of, led, meant_by
from graph.load.synthetic.catalogue import DEMO_CUSTOMERS
from graph.load.synthetic.grow import grow, source_of
from graph.load.synthetic.network import bridges_of
from graph.load.synthetic.topology import DEFAULT_TOPOLOGY, Topology, read_topology
from graph.load.unique import holders
from graph.load.versions import Versions
from graph.load.write import Target, Written, drop_marks, marks_of, write_records
from graph.model.identity import loaded_id
from graph.model.model import LABELS
from graph.store.cardinality import taken
from graph.store.store import Store

_LINES_BETWEEN_NEWS: Final = 10_000
_IDS_AT_ONCE: Final = 2_000


@dataclass(slots=True, kw_only=True)
class _News:
    """Counts what is through, and passes it on."""

    progress: Progress
    total: int
    done: int = 0

    def nodes(self, batch: Batch) -> None:
        """Count the nodes of a batch: what a topology's scale is in."""
        self._tell(batch.node_count)

    def records(self, batch: Batch) -> None:
        """Count the records of a batch: what a file has been counted in."""
        self._tell(batch.counts.total())

    def _tell(self, more: int) -> None:
        self.done = min(self.done + more, self.total)
        self.progress("write", self.done, self.total)


async def load_topology(  # noqa: PLR0913  # each is a setting of the command, by name
    store: Store,
    *,
    topology: str = DEFAULT_TOPOLOGY,
    scale: int = 10_000,
    seed: int = 1,
    alarms: int = 0,
    progress: Progress,
    deadline: float,
) -> LoadReport:
    """Grow a topology to so many nodes, and write it; what is there of it already stays as it is."""
    began = time.monotonic()
    network = read_topology(topology)
    source = source_of(network, scale, seed)
    target = Target(store=store, how=How.CREATE, key=f"{source}-{alarms}", deadline=deadline)
    if not any((await marks_of(target)).values()):
        a_site = loaded_id("Site", source, network.cities[0].name)
        target = replace(target, how=How.MERGE if await known_ids(store, [a_site], deadline) else How.CREATE)
    news = _News(progress=progress, total=scale)
    versions = Versions()
    written = await write_records(target, versions.noted(grow(network, scale, seed, alarms=alarms)), news.nodes)
    await versions.write(store, deadline=deadline)
    if target.how is How.MERGE:
        await drop_marks(target)
    return replace(_report(written, began), principals=_principals(source), topology=_facts(network))


async def load_lines(store: Store, lines: Iterable[bytes | str], *, progress: Progress, deadline: float) -> LoadReport:
    """Write a file of JSON lines, or refuse it with all its faults (`BadLines`) and write nothing of it."""
    began = time.monotonic()
    with Spool() as spool:
        for number, line in enumerate(lines, 1):
            spool.add(number, line)
            if number % _LINES_BETWEEN_NEWS == 0:
                progress("check", number, 0)
                await asyncio.sleep(0)  # whoever wants to stop us must get a turn
        await _refuse_strangers(store, spool, deadline)
        await _refuse_seconds(store, spool, deadline)
        await _refuse_namesakes(store, spool, deadline)
        spool.raise_faults()
        target = Target(store=store, how=How.MERGE, key=spool.digest, deadline=deadline)
        news = _News(progress=progress, total=spool.count)
        versions = Versions()
        written = await write_records(target, versions.noted(spool.records()), news.records)
        await versions.write(store, deadline=deadline)
        await drop_marks(target)
        return _report(written, began)


async def _refuse_strangers(store: Store, spool: Spool, deadline: float) -> None:
    """Refuse each relationship with an end that is neither in the file nor in the store."""
    missing = spool.missing()
    while some := list(islice(missing, _IDS_AT_ONCE)):
        known = await known_ids(store, (node_id for _, node_id in some), deadline)
        for line, node_id in some:
            if node_id not in known:
                spool.refuse(line, f"{node_id} is neither in the file nor in the store")


async def _refuse_seconds(store: Store, spool: Spool, deadline: float) -> None:
    """Refuse each relationship beside which the store has another one already, where there may be only one."""
    run = partial(store.rows, deadline=deadline)
    joined = spool.joined()
    while records := list(islice(joined, _IDS_AT_ONCE)):
        stubs = await meant_by(run, (each for _, record in records if (each := customer_of(record))))
        some = [(line, one) for line, record in records for one in ones_of(led(record, stubs))]
        there = await taken(store, (one for _, one in some), deadline=deadline)
        for line, one in some:
            if one in there:
                spool.refuse(line, problem_of(one, there[one]))


async def _refuse_namesakes(store: Store, spool: Spool, deadline: float) -> None:
    """Refuse each node that is to have what another node of the store has, where only one may have it."""
    unique = spool.unique()
    while some := list(islice(unique, _IDS_AT_ONCE)):
        held = await holders(store, (each for _, each in some), deadline)
        for line, each in some:
            if (there := held.get(each.key, each.node)) != each.node:
                spool.refuse(line, each.taken_by(f"as {there} in the store"))


def _report(written: Written, began: float) -> LoadReport:
    labels = {word: count for word, count in written.counts.items() if word in LABELS}
    types = {word: count for word, count in written.counts.items() if word not in LABELS}
    return LoadReport(
        nodes=sum(labels.values()),
        relationships=sum(types.values()),
        labels=labels,
        types=types,
        seconds=time.monotonic() - began,
        written=written.passed_over < written.batches,
    )


def _principals(source: str) -> tuple[DemoPrincipal, ...]:
    customers = (
        DemoPrincipal(role="customer", name=name, tier=tier, customers=(loaded_id("Customer", source, name),))
        for tier, name in DEMO_CUSTOMERS
    )
    return (DemoPrincipal(role="operator", name="Operator"), *customers)


def _facts(topology: Topology) -> TopologyFacts:
    bridges = len(bridges_of(topology))
    return TopologyFacts(name=topology.name, cities=len(topology.cities), links=len(topology.links), bridges=bridges)
