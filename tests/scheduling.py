"""Who runs what, where tests run side by side: no long module waits behind another one.

A worker begins a test only when it knows what comes behind it. So whoever has two tests left or fewer is given the next
module, and a module of one long test is given one at once: were that long too, it would wait for minutes, while other workers
have nothing to do any more. Behind a long module comes a short one, therefore: from the other end of the queue.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

_LONG: Final = "mark.long"


class LongApart(LoadScopeScheduling):  # type: ignore[misc]  # xdist ships no types
    """Gives out modules in the order of collection, which begins with the long ones; behind a long one the last."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        if self._is_in_a_long_one(node):
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)

    def _is_in_a_long_one(self, node: WorkerController) -> bool:
        given = self.assigned_work.get(node, {})
        return any(is_long(scope) and not all(tests.values()) for scope, tests in given.items())


@cache
def is_long(scope: str) -> bool:
    """Tell whether a module has long tests. Who gives out the work has collected nothing, so it looks into the file."""
    return _LONG in Path(scope.partition("::")[0]).read_text(encoding="utf-8")
