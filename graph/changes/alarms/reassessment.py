"""What services suffer is worked out when an alarm or a piece of equipment changes; a load changes both behind our back.

So all open alarms are gone through, and each service that one of them hits, or affects, is compared with what the graph says
now: its route, its state, its contract, its customer. Where anything differs the service is reassessed, with tickets,
downtime and events as for an alarm that came later. Where nothing does, nothing is locked or written.

It is done in steps, each a transaction, from a place on: `<alarm> <service>`, both as ids, in their order. A load takes all
steps at its end (`reassess_all`). A timer takes them too, one by one (`stepping`): at each start of a process that serves,
and some minutes after a load, for an alarm that walked the old network while the load was written, or for a load that died.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from graph.changes.alarms.consequences import OURSELVES, By, reassess
from graph.changes.policy import AlarmPolicy
from graph.changes.services import affected, hits
from graph.ledger.timers import Due, Work, arm
from graph.model.effects import asserts_failure
from graph.store.store import Store, Transaction

KIND: Final = "reassess"
ABOUT: Final = "all"
"""what the timer of the first step is about."""
LATER_MS: Final = 300_000
"""after a load: longer than a change may take that walked the network before it (`deadline_seconds`)."""
_AT_ONCE: Final = 200
"""services in one step,"""
_MOST_ALARMS: Final = 50
"""and alarms."""
_LAST: Final = "~"
"""behind every id of a service."""
_NOW: Final = "RETURN datetime.realtime().epochMillis"

# By the index of states, or each step would pass by all alarms that are over, which are years of them. Neo4j is told so: it
# believes that each state has as many alarms, and would go through the ids in their order.
_OPEN: Final = """
MATCH (a:Alarm) USING INDEX a:Alarm(state)
WHERE a.state IN ['raised', 'updated'] AND a.id >= $alarm
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.alarmType, a.perceivedSeverity, HEAD(COLLECT { MATCH (a)-[:RAISED_ON]->(o) RETURN o.id }),
  COLLECT { MATCH (a)-[:AFFECTS]->(s:Service) RETURN s.id }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where to go on: at the services of an alarm behind one of them."""

    alarm: str = ""
    service: str = ""

    def __str__(self) -> str:
        return f"{self.alarm} {self.service}"


async def reassess_all(store: Store, policy: AlarmPolicy, *, deadline: float) -> int:
    """Reassess every service of which the graph says something else than it should; gives how many there were."""
    by, found, place = By(principal=OURSELVES, policy=policy), 0, Place()
    while True:
        onward, changed = await store.write(_stepped(by, place), deadline=deadline)
        found += changed
        if onward is None:
            return found
        place = onward


def stepping(policy: AlarmPolicy) -> Work:
    """Make the timer's work: one step, and a timer for the next."""

    async def step(transaction: Transaction, due: Due) -> None:
        alarm, _, service = ("" if due.about == ABOUT else due.about).partition(" ")
        work = _stepped(By(principal=OURSELVES, policy=policy), Place(alarm=alarm, service=service))
        onward, _ = await work(transaction)
        if onward is not None:
            arm(transaction, kind=KIND, about=str(onward), due_at=due.now)

    return step


async def arm_later(store: Store, *, deadline: float) -> None:
    """Have everything reassessed in some minutes."""

    async def work(transaction: Transaction) -> None:
        [[now]] = await transaction.run(_NOW, {})
        arm(transaction, kind=KIND, about=ABOUT, due_at=cast("int", now) + LATER_MS)

    await store.write(work, deadline=deadline)


def _stepped(by: By, place: Place) -> Callable[[Transaction], Awaitable[tuple[Place | None, int]]]:
    """Make one step from a place on: it gives where to go on, None at the end, and how many services changed."""

    async def step(transaction: Transaction) -> tuple[Place | None, int]:
        services, onward = await _next(transaction, place)
        return onward, await reassess_some(transaction, by, services)

    return step


async def reassess_some(transaction: Transaction, by: By, services: Sequence[str]) -> int:
    """Reassess those of some services of which the graph says something else than it should; gives how many there were."""
    known = await affected.look(transaction, services, by.policy.default_tier)
    differing = affected.changes_anew(known, await hits.hits_on(transaction, services))
    return await reassess(transaction, by, [each.service.id for each in differing]) if differing else 0


async def _next(transaction: Transaction, place: Place) -> tuple[Sequence[str], Place | None]:
    """Give the services that are looked at next, and where to go on behind them."""
    rows = await transaction.run(_OPEN, {"alarm": place.alarm, "most": _MOST_ALARMS})
    found: list[str] = []
    for row in rows:
        alarm = str(row[0])
        behind = place.service if alarm == place.alarm else ""
        rest = [each for each in await _concerned(transaction, row) if each > behind]
        some = rest[: _AT_ONCE - len(found)]
        found += some
        if len(some) < len(rest):
            return found, Place(alarm=alarm, service=some[-1] if some else behind)
    return found, Place(alarm=str(rows[-1][0]), service=_LAST) if len(rows) == _MOST_ALARMS else None


async def _concerned(transaction: Transaction, row: Sequence[object]) -> list[str]:
    """Give the services that an alarm hits or affects, sorted."""
    _, alarm_type, severity, target, affects = row
    hit = hits.NOTHING
    if target is not None and asserts_failure(str(alarm_type), str(severity)):
        hit = await hits.hits_of(transaction, str(target))
    return sorted({*hit, *cast("list[str]", affects)})
