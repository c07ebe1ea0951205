"""What a store of an earlier version holds must be brought to what this one relies on, once, whoever dies over it.

Each change goes through the data a batch at a time, each a transaction. It may be made again from the start, and by several
processes at once: what is done already is passed over. The version is written when all are made.
"""

from __future__ import annotations

from typing import Final, Protocol

from graph.store.feed_counts import count_not_taken
from graph.store.mtosi_names import respell_names
from graph.store.store import Store


class Migration(Protocol):
    """Changes the data of a store; makes no difference where it was made before."""

    async def __call__(self, store: Store, *, deadline: float) -> None:
        """Make the change by a deadline, on `time.monotonic()`."""
        ...


MIGRATIONS: Final[tuple[tuple[int, Migration], ...]] = (
    (5, respell_names),
    (5, count_not_taken),
)
"""Each with the version that it makes, in the order in which they are made. What is computed from an alarm's external id comes
after `respell_names`."""
