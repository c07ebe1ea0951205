"""A dry run decides all that the change would, under the same locks, and leaves nothing behind: its transaction is rolled back."""

from __future__ import annotations

from typing import Final, NoReturn

from graph.changes.idempotency import Change
from graph.changes.outcome import Outcome
from graph.store.store import Store, Transaction

__all__: Final = ("decided",)


class _Decided(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


async def decided(store: Store, change: Change, *, deadline: float) -> Outcome:
    """Give what a change would return; nothing of it is written."""

    async def work(transaction: Transaction) -> NoReturn:
        raise _Decided(await change(transaction))

    try:
        await store.write(work, deadline=deadline, quiet=True)
    except _Decided as ended:
        return ended.outcome
    raise AssertionError("the work never returns")
