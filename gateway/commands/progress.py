"""Nobody should wonder whether it is still running: what takes longer than a second shows how far it is, on stderr."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

PATIENCE: Final = 1.0


class Bars:
    """A bar for each stage, once the whole has taken longer than a second; nothing where nobody is looking."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        columns = (TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._drawn = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._stages: dict[str, TaskID] = {}
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._drawn.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Take note of how far a stage is; a total of 0 is one that is not known."""
        if stage not in self._stages:
            self._stages[stage] = self._drawn.add_task(stage, total=total or None)
        self._drawn.update(self._stages[stage], completed=done, total=total or None)
        if time.monotonic() - self._began > PATIENCE:
            self._drawn.start()
