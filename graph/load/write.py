"""Records into the database: fast, without standing in one's own way, and so that a load that was cut can go on.

Several writers are needed to use what the database has, but two that write relationships of the same nodes only wait
for each other (locks on Neo4j) or undo each other's work (the embedded database finds at commit that a page has
changed). So the writers are a row of three *lanes*: a batch passes the lane of nodes, then that of relationships, then
that of routes, each a transaction; while one batch is in the last lane, the next is in the middle. They rarely meet.

Each transaction also sets its lane's *mark*, the number of batches that are through. So a batch is written or it is
not, and the mark says which; whoever loads the same again passes over what the marks have. The mark comes last in its
transaction: the three lie close together, and the shorter they are held, the better.

What is loaded puts nodes into the slices of customers, some of which may be stored (graph/membership/): a batch forgets
those behind its relationships. It looks for them once it has its mark, since whoever stores a slice takes all marks first.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias, cast

from graph.errors import ConstraintViolated, OutcomeUnknown
from graph.load.batches import Batch, Row, batches
from graph.load.limits import hold_limits
from graph.load.records import Record
from graph.load.statements import DROP_MARKS, MAKE_MARKS, NODES, READ_MARKS, RELATIONSHIPS_BETWEEN, SET_MARK, How
from graph.load.stubs import hold_customers, lead
from graph.membership import forget_behind, hold, near
from graph.model.identity import loaded_id
from graph.store.store import Store, Transaction

Work: TypeAlias = tuple[tuple[str, list[Row]], ...]
"""Statements with their rows."""
Through: TypeAlias = Callable[[Batch], None]

_LANES: Final = ("nodes", "relationships", "routes")
_ATTEMPTS: Final = 3
"""to find out what became of a commit whose answer was lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where records go, and how."""

    store: Store
    how: How
    key: str
    """names what is loaded: equal keys promise equal records in equal order."""
    deadline: float
    size: int = 12_000
    """records in a batch: some thousands to each transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What the records were, and how many batches were passed over since they were there already."""

    counts: Mapping[str, int]
    batches: int
    passed_over: int


async def write_records(target: Target, records: Iterable[Record], through: Through) -> Written:
    """Write all records; `through` is told of each batch once it is there, whether it was written now or before."""
    done = await _begun(target)
    queues = [asyncio.Queue[Batch | None](maxsize=1) for _ in _LANES]
    counts: Counter[str] = Counter()
    total = 0

    def count(batch: Batch) -> None:
        counts.update(batch.counts)
        through(batch)

    try:
        async with asyncio.TaskGroup() as tasks:
            for lane, queue, onward in zip(_LANES, queues, [*queues[1:], None], strict=True):
                tasks.create_task(_run_lane(target, lane, done[lane], queue, onward or count))
            cut = batches(records, target.size)
            # Growing a batch takes a while: in a thread, so that the lanes go on with theirs meanwhile.
            while batch := await asyncio.to_thread(next, cut, None):
                total += 1
                await queues[0].put(batch)
            await queues[0].put(None)
    except ExceptionGroup as group:
        raise group.exceptions[0] from group  # the lane that failed first; the others were stopped for it
    return Written(counts=counts, batches=total, passed_over=min(*done.values(), total))


async def _begun(target: Target) -> Mapping[str, int]:
    """Make the marks of the lanes that never began; give how many batches each lane has through.

    They are there before anything else is, under the gate: whoever stores a slice from now on sees them.
    """

    async def work(transaction: Transaction) -> None:
        await hold(transaction)
        await transaction.run(MAKE_MARKS, {"ids": [_mark(target, lane) for lane in _LANES]})

    await target.store.write(work, deadline=target.deadline)
    return await marks_of(target)


async def marks_of(target: Target) -> Mapping[str, int]:
    """Tell how many batches each lane has through; 0 for one that never began."""
    ids = {_mark(target, lane): lane for lane in _LANES}
    rows = await target.store.rows(READ_MARKS, {"ids": list(ids)}, deadline=target.deadline)
    return dict.fromkeys(_LANES, 0) | {ids[str(mark)]: int(str(done)) for mark, done in rows}


async def drop_marks(target: Target) -> None:
    """Forget that it was loaded, so that the same can be loaded again."""

    async def work(transaction: Transaction) -> None:
        await transaction.run(DROP_MARKS, {"ids": [_mark(target, lane) for lane in _LANES]})

    await target.store.write(work, deadline=target.deadline)


async def _run_lane(
    target: Target,
    lane: str,
    done: int,
    source: asyncio.Queue[Batch | None],
    onward: asyncio.Queue[Batch | None] | Through,
) -> None:
    while batch := await source.get():
        if batch.number >= done:
            await _write_once(target, lane, batch)
        if isinstance(onward, asyncio.Queue):
            await onward.put(batch)
        else:
            onward(batch)
    if isinstance(onward, asyncio.Queue):
        await onward.put(None)


class _ThereAlready(Exception):
    """The batch was written in the meantime: nothing of it must be written again."""


async def _write_once(target: Target, lane: str, batch: Batch) -> None:
    """Write a lane's share of a batch; where the answer to a commit is lost, its mark tells whether it is there.

    A commit of a load that was cut may have come through after we looked: then its nodes are there already, or its mark is.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            await _write(target, lane, batch)
        except _ThereAlready:
            return
        except (OutcomeUnknown, ConstraintViolated):
            if (await marks_of(target))[lane] > batch.number:
                return
            if attempt == _ATTEMPTS:
                raise
        else:
            return


async def _write(target: Target, lane: str, batch: Batch) -> None:
    mark = {"id": _mark(target, lane), "done": batch.number + 1}

    async def run(transaction: Transaction) -> None:
        joined = batch.relationships
        if target.how is How.MERGE and lane == "relationships":
            joined = await lead(transaction, batch.relationships)
            await hold_limits(transaction, joined)
            await hold_customers(transaction, batch.relationships, joined)
        for text, rows in _work(target.how, lane, replace(batch, relationships=joined)):
            await transaction.run(text, {"batch": {"rows": rows}})
        [[before, membership]] = await transaction.run(SET_MARK, mark)
        if int(str(before)) > batch.number:
            raise _ThereAlready
        if membership is not None:
            await forget_behind(transaction, _near(lane, batch))

    await target.store.write(run, deadline=target.deadline)


def _work(how: How, lane: str, batch: Batch) -> Work:
    if lane == "nodes":
        return tuple((NODES[how, label], rows) for label, rows in batch.nodes.items())
    joined = batch.routes if lane == "routes" else batch.relationships
    return tuple((RELATIONSHIPS_BETWEEN[how, ends], rows) for ends, rows in joined.items())


def _near(lane: str, batch: Batch) -> Iterator[str]:
    """Give the ends behind which slices change by a lane's share of a batch."""
    joined = {"nodes": {}, "relationships": batch.relationships, "routes": batch.routes}[lane]
    for (kind, _, _), rows in joined.items():
        for row in rows:
            for end in cast("list[Row]", row["ends"]):
                if found := near(kind, str(row["start"]), str(end["id"])):
                    yield found


def _mark(target: Target, lane: str) -> str:
    """Give the id of a lane's mark. It counts batches, so it is another one when these are cut otherwise."""
    return loaded_id("LoadMark", target.key, f"{target.how.value} {lane} {target.size}")
