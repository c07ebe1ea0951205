"""The table of all migrations: which version of the schema each leads to."""

from __future__ import annotations

from typing import Final, Protocol

from graph.store.migrations.boost_marks import mark_boosts, mark_tasks
from graph.store.migrations.boosts import begin_running, rename_states
from graph.store.migrations.companies import name_companies
from graph.store.migrations.feed_counts import count_not_taken
from graph.store.migrations.ledger import identify_alarms, queue_deliveries
from graph.store.migrations.mtosi_names import respell_names
from graph.store.migrations.words import rewrite_words
from graph.store.open_alarms import mark
from graph.store.store import Store


class Migration(Protocol):
    """Changes the data of a store; makes no difference where it was made before."""

    async def __call__(self, store: Store, *, deadline: float) -> None:
        """Make the change by a deadline, on `time.monotonic()`."""


MIGRATIONS: Final[tuple[tuple[int, Migration], ...]] = (
    (5, respell_names),
    (5, count_not_taken),
    (5, queue_deliveries),
    (5, identify_alarms),
    (6, mark),
    (7, rename_states),
    (7, begin_running),
    (8, mark_boosts),
    (8, mark_tasks),
    (9, rewrite_words),
    (10, name_companies),
)
"""Each with the version that it makes, in the order in which they are made: the identity of an alarm is of its external id as respelled."""
