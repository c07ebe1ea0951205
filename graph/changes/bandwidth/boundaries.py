"""At each boundary of a boost the rate of its service is another: a timer of the service comes, and all that is due is worked out.

The timer says only that it is time to look. Whoever is there then looks, also where the moment has long passed because nobody was:
what was ordered and what was confirmed decide what is charged, not when somebody came to it.

    works = {boundaries.KIND: boundaries.working(policy)}      # for graph.ledger.timers.keep_ringing
"""

from __future__ import annotations

from graph.changes.bandwidth.boosts import KIND, take
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.writing import begin_turn, finish
from graph.ledger.timers import Due, Work
from graph.store.store import Transaction

__all__ = ["KIND", "working"]

SUBJECT = "trunkline"
"""The principal of what nobody has asked for."""


def working(policy: BandwidthPolicy) -> Work:
    """Make the work of the timers of services. It ends none but that of a service that is gone: who books waits for its lock."""

    async def work(transaction: Transaction, due: Due) -> int | None:
        service = await take(transaction, due.about, policy.provisioning)
        if service is None:
            return None
        turn = await begin_turn(transaction, policy, service)
        await finish(transaction, turn, subject=SUBJECT)
        return turn.next_due()

    return work
