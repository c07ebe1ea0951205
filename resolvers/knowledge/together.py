"""A thousand subscribers who are woken by one event would ask the database a thousand times: those who wait together ask together.

Each asks with a row of parameters; rows of one statement that wait at the same time go in one statement, MOST of them at most
(`graph.compiler.rows`, which keeps them apart). Nobody waits for others to come: where a statement may run, it runs with who is
there.

1. So many statements run at a time (AT_ONCE), whoever asks. Different statements take turns.
2. Those who replay the past take turns with those who are live, and have half of the places at most: a million old events of a
   hundred subscribers do not hold up a new one.
3. A statement that takes too long, or fails, is asked again by halves: what one row does to it is not for the others to bear.

    together = Together(store)
    record = await together.ask(rows, {"scope": ["customer-1"]}, is_past=False)      # the record of this row
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
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
"""for a statement: one that is new must be planned first, and nobody waits for an answer to a request."""


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
    """Those who wait for the same kind of place, by the statement that they wait for; statements take turns."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[_Statement, deque[_Row]] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, statement: _Statement, row: _Row) -> None:
        self._waiting.setdefault(statement, deque()).append(row)

    def take(self, most: Mapping[str, int]) -> tuple[_Statement, list[_Row]]:
        """Take the rows of the statement whose turn it is; those that nobody waits for any more are left out."""
        statement, rows = self._waiting.popitem(last=False)
        taken: list[_Row] = []
        while rows and len(taken) < most.get(statement.text, MOST):
            row = rows.popleft()
            if not row.record.done():
                taken.append(row)
        if rows:
            self._waiting[statement] = rows
        return statement, taken


class Together:
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

    async def ask(self, rows: Rows, parameters: Mapping[str, Any], *, is_past: bool) -> Any:
        """Give the record of one row, as the database says when it is asked; raises what the statement raises for it."""
        statement = _Statement(rows.text, tuple((name, parameters[name]) for name in rows.shared))
        row = _Row(parameters=parameters, record=asyncio.get_running_loop().create_future())
        (self._past if is_past else self._live).put(statement, row)
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
            await self._answer(statement, rows)
        finally:
            self._of_the_past -= is_past

    async def _answer(self, statement: _Statement, rows: Sequence[_Row]) -> None:
        """Run one statement; where it fails for many, run it for halves of them."""
        if not rows:
            return
        try:
            records = await self._records(statement, rows)
        except (DeadlineExceeded, StatementFailed) as error:
            if len(rows) > 1:
                middle = len(rows) // 2
                if isinstance(error, DeadlineExceeded):
                    self._most[statement.text] = middle
                await self._answer(statement, rows[:middle])
                await self._answer(statement, rows[middle:])
            else:
                _fail(rows, error)
        except Exception as error:  # noqa: BLE001 - it is raised where the records are waited for
            _fail(rows, error)
        else:
            for row, record in zip(rows, records, strict=True):
                if not row.record.done():
                    row.record.set_result(record)

    async def _records(self, statement: _Statement, rows: Sequence[_Row]) -> list[Any]:
        given = [{**row.parameters, NUMBER: number} for number, row in enumerate(rows)]
        parameters = {"batch": {"rows": given}, **dict(statement.shared)}
        found = await self._store.rows(statement.text, parameters, deadline=time.monotonic() + _SECONDS)
        by_number = {number: record for [[number, record]] in cast("list[list[tuple[int, Any]]]", found)}
        if len(found) != len(rows) or by_number.keys() != set(range(len(rows))):
            raise StatementFailed(f"{len(rows)} rows gave {len(found)} records")
        return [by_number[number] for number in range(len(rows))]


def _fail(rows: Sequence[_Row], error: Exception) -> None:
    for row in rows:
        if not row.record.done():
            row.record.set_exception(error)
