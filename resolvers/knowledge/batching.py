"""A thousand subscribers who are woken by one event would ask the database a thousand times: those who wait together ask together.

Each asks with a row of parameters; rows of one statement that wait at the same time go in one statement, MOST of them at most
(`graph.compiler.rows`, which keeps them apart). Nobody waits for others to come: where a statement may run, it runs with who is
there.

1. So many statements run at a time (AT_ONCE), whoever asks. Different statements take turns.
2. Those who replay the past take turns with those who are live, and have half of the places at most: a million old events of a
   hundred subscribers do not hold up a new one.
3. Those who ask take turns too, and a statement takes one row of each before it takes a second of anybody: who asks a thousand
   things waits for the turns of the others, and nobody for the thousand.
4. A statement that takes too long, or fails, is asked again by halves, each in half of the time: what one row does to it is not for
   the others to bear. Then fewer are asked at a time, and twice as many after each full statement that was answered.

    batcher = RowBatcher(store)
    record = await batcher.ask(rows, {"scope": ["customer-1"]}, subject="viewer", is_past=False)   # the record of this row
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from cachetools import LRUCache

from graph.compiler.rows import NUMBER, Rows
from graph.errors import DeadlineExceeded, StatementFailed
from graph.store.store import Store

MOST: Final = 500
"""rows of one statement."""
AT_ONCE: Final = 4
"""statements that run at a time,"""
_OF_THE_PAST: Final = 2
"""and those of them that may be for replays."""
_REMEMBERED: Final = 500
"""statements."""
_SECONDS: Final = 30.0
"""for a statement: one that is new must be planned first, and nobody waits for an answer to a request;"""
_LEAST_SECONDS: Final = 5.0
"""for a part of one that took too long,"""
_ALL_SECONDS: Final = 90.0
"""and until when its parts begin: others wait for the place. Whoever was not asked then may ask again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    parameters: Mapping[str, Any]
    record: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    """A text, and the values of the parameters that its rows share."""

    text: str
    shared: tuple[tuple[str, Any], ...]


class _Queue:
    """Those who wait for the same kind of place: subjects take turns, and so do the statements of each."""

    def __init__(self) -> None:
        self._waiting: dict[_Statement, OrderedDict[str, deque[_Row]]] = {}
        """by subject, the one first whose turn it is in this statement."""
        self._turns: OrderedDict[str, OrderedDict[_Statement, None]] = OrderedDict()
        """What each subject waits for; the next first."""

    def __bool__(self) -> bool:
        return bool(self._turns)

    def put(self, statement: _Statement, subject: str, row: _Row) -> None:
        self._waiting.setdefault(statement, OrderedDict()).setdefault(subject, deque()).append(row)
        self._turns.setdefault(subject, OrderedDict())[statement] = None

    def take(self, most: Mapping[str, int]) -> tuple[_Statement, list[_Row]]:
        """Take the rows of the statement whose turn it is; those that nobody waits for any more are left out."""
        subject, statements = next(iter(self._turns.items()))
        statement = next(iter(statements))
        by_subject = self._waiting[statement]
        by_subject.move_to_end(subject, last=False)
        taken: list[_Row] = []
        while by_subject and len(taken) < most.get(statement.text, MOST):
            taken += self._one(statement, by_subject)
        if not by_subject:
            del self._waiting[statement]
        if subject in self._turns:
            self._turns.move_to_end(subject)
            if statement in statements:
                statements.move_to_end(statement)
        return statement, taken

    def _one(self, statement: _Statement, by_subject: OrderedDict[str, deque[_Row]]) -> list[_Row]:
        """Take a row of the subject whose turn it is in a statement, if somebody waits for it."""
        subject, rows = next(iter(by_subject.items()))
        row = rows.popleft()
        if rows:
            by_subject.move_to_end(subject)
        else:
            del by_subject[subject]
            self._done(subject, statement)
        return _wanted([row])

    def _done(self, subject: str, statement: _Statement) -> None:
        statements = self._turns[subject]
        del statements[statement]
        if not statements:
            del self._turns[subject]


class RowBatcher:
    """Statements of many rows, run for whoever waits."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._live = _Queue()
        self._past = _Queue()
        self._running: set[asyncio.Task[None]] = set()
        self._is_beginning = False
        """whether one of these has not taken its rows yet."""
        self._of_the_past = 0
        """how many of these are for replays,"""
        self._was_past = False
        """and whether the last was."""
        self._most: LRUCache[str, int] = LRUCache(_REMEMBERED)
        """rows, of statements that took too long for more."""

    async def ask(self, rows: Rows, parameters: Mapping[str, Any], *, subject: str, is_past: bool) -> Any:
        """Give the record of one row to a subject, as the database says when it is asked; raises what the statement raises for it."""
        statement = _Statement(rows.text, tuple((name, parameters[name]) for name in rows.shared))
        row = _Row(parameters=parameters, record=asyncio.get_running_loop().create_future())
        (self._past if is_past else self._live).put(statement, subject, row)
        self._begin()
        try:
            return await row.record
        finally:
            row.record.cancel()

    def _begin(self) -> None:
        """Begin a statement, if one may: it takes its rows a moment later, when all have come who were woken together."""
        if self._is_beginning or len(self._running) >= AT_ONCE or self._next() is None:
            return
        self._is_beginning = True
        task = asyncio.create_task(self._run(), name="rows of subscribers")
        self._running.add(task)
        task.add_done_callback(self._ended)

    def _next(self) -> bool | None:
        """Tell whether the next statement is for replays; None: none may begin."""
        may_be_past = bool(self._past) and self._of_the_past < _OF_THE_PAST
        if may_be_past and self._live:
            return not self._was_past
        if may_be_past:
            return True
        return False if self._live else None

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._begin()

    async def _run(self) -> None:
        self._is_beginning = False
        is_past = self._next()
        if is_past is None:
            return
        self._was_past = is_past
        statement, rows = (self._past if is_past else self._live).take(self._most)
        self._of_the_past += is_past
        self._begin()
        try:
            if await self._answer(statement, rows, _SECONDS, time.monotonic() + _ALL_SECONDS):
                self._allow(statement, 2 * len(rows))
        finally:
            self._of_the_past -= is_past

    def _allow(self, statement: _Statement, count: int) -> None:
        """Ask so many at a time again, where fewer are asked: what was slow may be one of them, or gone."""
        if count > self._most.get(statement.text, MOST):
            self._most[statement.text] = min(count, MOST)

    async def _answer(self, statement: _Statement, rows: Sequence[_Row], seconds: float, until: float) -> bool:
        """Run one statement, and tell whether it was answered; where it fails for many, run it for halves of them."""
        rows = _wanted(rows)
        if not rows:
            return False
        try:
            records = await self._records(statement, rows, seconds)
        except (DeadlineExceeded, StatementFailed) as error:
            middle = len(rows) // 2
            if isinstance(error, DeadlineExceeded):
                self._most[statement.text] = max(1, middle)
            if not middle or time.monotonic() > until:
                _fail(rows, error)
                return False
            for half in (rows[:middle], rows[middle:]):
                await self._answer(statement, half, max(_LEAST_SECONDS, seconds / 2), until)
        except Exception as error:  # noqa: BLE001 - it is raised where the records are waited for
            _fail(rows, error)
        else:
            for row, record in zip(rows, records, strict=True):
                if not row.record.done():
                    row.record.set_result(record)
            self._allow(statement, len(rows))
            return True
        return False

    async def _records(self, statement: _Statement, rows: Sequence[_Row], seconds: float) -> list[Any]:
        given = [{**row.parameters, NUMBER: number} for number, row in enumerate(rows)]
        parameters = {"batch": {"rows": given}, **dict(statement.shared)}
        found = await self._store.rows(statement.text, parameters, deadline=time.monotonic() + seconds)
        by_number = {number: record for [[number, record]] in cast("list[list[tuple[int, Any]]]", found)}
        if len(found) != len(rows) or by_number.keys() != set(range(len(rows))):
            raise StatementFailed(f"{len(rows)} rows gave {len(found)} records")
        return [by_number[number] for number in range(len(rows))]


def _wanted(rows: Iterable[_Row]) -> list[_Row]:
    """Give those that somebody still waits for."""
    return [each for each in rows if not each.record.done()]


def _fail(rows: Sequence[_Row], error: Exception) -> None:
    for row in rows:
        if not row.record.done():
            row.record.set_exception(error)
