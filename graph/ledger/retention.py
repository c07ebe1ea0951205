"""The ledger would grow for ever; what everybody has been told goes when it is old, and nothing else does.

An event goes with its deliveries once it is older than the retention and all of them are DONE. One that is waiting or
parked keeps its event, however old. It is the work of a timer (`KIND`), a batch at a time.
"""

from __future__ import annotations

from typing import Final, cast

from graph.ledger.timers import Due, Work
from graph.store.store import Transaction

KIND: Final = "retention"
ABOUT: Final = "ledger"
EVERY_MS: Final = 60 * 60 * 1_000
_MOST: Final = 500

_SWEEP: Final = """
MATCH (e:Event) WHERE e.at < $before AND NOT EXISTS {
  MATCH (d:Delivery)-[:TELLS]->(e) WHERE d.state <> 'DONE'
}
WITH e LIMIT $most
OPTIONAL MATCH (d:Delivery)-[:TELLS]->(e)
WITH e, collect(d) AS told
FOREACH (each IN told | DETACH DELETE each)
DETACH DELETE e
RETURN count(*)
"""


def sweeping(retention_ms: int) -> Work:
    """Make the timer's work, for what is older than so much."""

    async def swept(transaction: Transaction, due: Due) -> int:
        [[count]] = await transaction.run(_SWEEP, {"before": due.now - retention_ms, "most": _MOST})
        return due.now if cast("int", count) == _MOST else due.now + EVERY_MS

    return swept
