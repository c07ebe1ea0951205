"""What the timers of bandwidth do, for who rings them (graph/ledger/timers.py).

works = works_of(policy, alarms)          # with those of others, for keep_ringing
await arm(store, deadline=soon)           # once, when a process starts
"""

from __future__ import annotations

from collections.abc import Mapping

from graph.changes.bandwidth import boundaries
from graph.changes.bandwidth.consequences import crossings, moved, returns, thresholds
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.policy import AlarmPolicy
from graph.ledger.timers import Work, arm_once
from graph.store.store import Store


def works_of(policy: BandwidthPolicy, alarms: AlarmPolicy) -> Mapping[str, Work]:
    """Give the work of each kind of timer.

    These are boundaries, alarms of services that do not return, services that have moved, crossings, and thresholds of all services.
    """
    return {
        boundaries.KIND: boundaries.working(policy),
        returns.KIND: returns.alarming(alarms),
        moved.LOOKING: moved.looking(policy),
        crossings.LOOKING: crossings.looking(policy),
        crossings.KIND: crossings.judging(policy),
        thresholds.LOOKING: thresholds.looking(policy),
    }


async def arm(store: Store, *, deadline: float) -> None:
    """Set the timers that look for services that have moved, for crossings, and for what is told of services, unless they are set."""
    await arm_once(store, kind=moved.LOOKING, about=moved.ABOUT, deadline=deadline)
    await arm_once(store, kind=crossings.LOOKING, about=crossings.ABOUT, deadline=deadline)
    await arm_once(store, kind=thresholds.LOOKING, about=thresholds.ABOUT, deadline=deadline)
