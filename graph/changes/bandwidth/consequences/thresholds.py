"""What is too much for a service is told of every service: not only of one that was boosted, but as soon as we know of it.

Performance monitoring and fault management are given what the network carries for a service and what its contract promises, in the
words in which they hear of a new rate (`ServiceThresholdSet`). Services and contracts are changed by loads and feeds, which know nothing
of such systems. So a timer goes through all services, a page at a time by their ids, and compares what was told last with what is now:
the rate (`_toldMbps`, which a turn of the service writes too), and the rest, which is other for each of the two (`_toldPromise`, `_toldShare`).
A load has it begin anew.

Rules. 1. What another system has not taken in yet is not added to without bound: while many deliveries to one of the two wait, the page
waits. 2. A service that is not in use, or whose rate nobody knows, is told of to nobody. Of one that was and is so no more performance
monitoring is told that it need not be measured (`ServiceMonitoringEnded`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from graph.changes import notices
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.events import Event, append
from graph.changes.notices import Notice, hears
from graph.changes.services import metered
from graph.ledger import timers
from graph.ledger.lanes import lanes_of
from graph.ledger.outbox import Told, write_down
from graph.ledger.timers import Due, Work
from graph.model.effects import is_in_use
from graph.model.event_kinds import KINDS
from graph.store.store import Store, Transaction

LOOKING: Final = "thresholds"
"""The kind of the timer that goes through all services."""
ABOUT: Final = "services"
EVERY_MS: Final = 600_000
_NEXT_MS: Final = 1_000
"""between two pages,"""
_WAIT_MS: Final = 5_000
"""and while the other systems have much to take in."""
_MOST: Final = 2_000
"""services of a page,"""
_AT_ONCE: Final = 100
"""of which so many are told of in one transaction."""
_MOST_WAITING: Final = 500
"""deliveries to one system: beyond that it is told of no more services until it has taken some in."""
_SUBJECT: Final = "trunkline"
_KIND: Final = KINDS["ServiceRateChanged"]
_OVER: Final = "over"
"""What is kept as told of a service that is not in use any more."""

_SHOWN: Final = """
RETURN s.id, s.name, s.state, coalesce(s.effectiveMbps, s.committedMbps, 0), coalesce(s.committedMbps, 0),
  HEAD(COLLECT { MATCH (s)-[:GOVERNED_BY]->(l:Sla) RETURN [l.tier, l.availabilityPercent] ORDER BY l.id }),
  s._toldMbps, s._toldPromise, s._toldShare, s.bookedMbps
"""
_PAGE: Final = f"MATCH (s:Service) WHERE s.id > $after WITH s ORDER BY s.id LIMIT $most {_SHOWN} ORDER BY s.id"
_THESE: Final = f"UNWIND $batch.services AS id MATCH (s:Service {{id: id}}) {_SHOWN} ORDER BY s.id"
_AFTER: Final = "MATCH (t:Timer {id: $timer}) RETURN coalesce(t._after, '')"
_GO_ON: Final = "MATCH (t:Timer {id: $timer}) SET t._after = $after"
_WAITING: Final = "MATCH (d:Delivery) WHERE d.waiting IN $lanes RETURN d.id LIMIT $most"
_TOLD: Final = """
UNWIND $batch.rows AS row
MATCH (s:Service {id: row.service})
SET s._toldMbps = row.mbps, s._toldPromise = row.promise, s._toldShare = row.share, s._version = row.version
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitored:
    """What there is to be told of a service, and what was told last. Rates are in whole Mbit/s."""

    service: str
    name: str
    state: str | None
    effective: int
    committed: int
    booked: int
    tier: str | None
    availability: float | None
    told_mbps: int | None
    told_promise: str | None
    """to performance monitoring,"""
    told_share: str | None
    """and to fault management."""

    @property
    def is_over(self) -> bool:
        """Whether there is nothing to be watched: it is not in use, or carries nothing that is known."""
        return not is_in_use(self.state) or self.effective <= 0

    def promise(self, policy: BandwidthPolicy) -> str | None:
        """Say what performance monitoring is told beside the rate, and which system that is; where it is another text, it is told anew."""
        if not policy.performance:
            return None
        if self.is_over:
            # What a turn has told of it counts, too: then there is a job.
            return None if self.told_promise is None and self.told_mbps is None else _OVER
        return "|".join(map(str, (policy.performance, *self._share(policy), self.tier, self.availability)))

    def share(self, policy: BandwidthPolicy) -> str | None:
        """Say the same of fault management, which hears no end."""
        hearing = policy.fault_management
        if hearing is None or not hears(hearing, _KIND):
            return None
        return self.told_share if self.is_over else "|".join(map(str, (hearing.name, *self._share(policy))))

    def _share(self, policy: BandwidthPolicy) -> tuple[object, ...]:
        return self.name, self.committed, policy.thresholds.percent(self.tier)

    def news(self, policy: BandwidthPolicy) -> tuple[bool, bool]:
        """Tell whether there is something new for performance monitoring, and for fault management."""
        other_rate = not self.is_over and self.told_mbps != self.effective
        promise, share = self.promise(policy), self.share(policy)
        return (
            promise is not None and (other_rate or promise != self.told_promise),
            share is not None and (other_rate or share != self.told_share),
        )


def looking(
    policy: BandwidthPolicy, *, most: int = _MOST, at_once: int = _AT_ONCE, most_waiting: int = _MOST_WAITING
) -> Work:
    """Make the work of the timer that tells of services what is new; where nobody is told of any, nothing is looked at."""

    async def work(transaction: Transaction, due: Due) -> int | None:
        if not _systems(policy):
            return due.now + EVERY_MS
        if await _is_behind(transaction, policy, most_waiting):
            return due.now + _WAIT_MS
        timer = {"timer": timers.timer_id(LOOKING, due.about)}
        rows = await transaction.run(_AFTER, timer)
        after = str(rows[0][0]) if rows else ""
        page = [_monitored(row) for row in await transaction.run(_PAGE, {"after": after, "most": most})]
        new = [each.service for each in page if any(each.news(policy))]
        await tell(transaction, policy, new[:at_once], {})
        reached = new[at_once - 1] if len(new) > at_once else page[-1].service if len(page) == most else ""
        transaction.later(_GO_ON, {**timer, "after": reached})
        return due.now + (_NEXT_MS if reached else EVERY_MS)

    return work


async def look_soon(store: Store, *, deadline: float) -> None:
    """Go through all services from the first one on, since any of them may be another now."""

    async def work(transaction: Transaction) -> None:
        timers.arm(transaction, kind=LOOKING, about=ABOUT, due_at=1)
        transaction.later(_GO_ON, {"timer": timers.timer_id(LOOKING, ABOUT), "after": ""})

    await store.write(work, deadline=deadline)


async def _is_behind(transaction: Transaction, policy: BandwidthPolicy, most: int) -> bool:
    for system in _systems(policy):
        given = {"lanes": list(lanes_of(system)), "most": most}
        if len(await transaction.run(_WAITING, given)) == most:
            return True
    return False


async def tell(
    transaction: Transaction, policy: BandwidthPolicy, services: Sequence[str], carried: Mapping[str, tuple[str, ...]]
) -> None:
    """Tell of services what is new, which is looked at again under their locks.

    `carried` are the ids of the steps that are done when it is told, by the kind of system: of one service that has a process.
    """
    if not services:
        return

    def steps_of(system: str) -> tuple[str, ...]:
        return carried.get(system, ())

    locked = await metered.lock(transaction, services)
    rows = await transaction.run(_THESE, {"batch": {"services": sorted(locked)}})
    new = [each for each in map(_monitored, rows) if any(each.news(policy))]
    told = [(each, _event(policy, each, locked[each.service])) for each in new]
    append(transaction, *(event for _, event in told))
    write_down(
        transaction,
        [_job(policy, each, event, steps_of("PERFORMANCE")) for each, event in told if each.news(policy)[0]],
    )
    heard = [
        _notice(each, event, locked[each.service], steps_of("FAULT_MANAGEMENT"))
        for each, event in told
        if each.news(policy)[1]
    ]
    notices.tell(transaction, policy.fault_management, heard)
    written = [
        {
            "service": each.service,
            "mbps": each.effective,
            "promise": each.promise(policy),
            "share": each.share(policy),
            "version": event.aggregate_version,
        }
        for each, event in told
    ]
    if written:
        transaction.later(_TOLD, {"batch": {"rows": written}})


def _systems(policy: BandwidthPolicy) -> list[str]:
    """Give the names of those who are told."""
    hearing = policy.fault_management
    hears_rates = [hearing.name] if hearing is not None and hears(hearing, _KIND) else []
    return [*([policy.performance] if policy.performance else []), *hears_rates]


def _event(policy: BandwidthPolicy, told: Monitored, locked: metered.Service) -> Event:
    known = rates(policy, told.tier, told.effective, told.booked, told.committed)
    return Event(
        type="ServiceMonitoringEnded" if told.is_over else "ServiceThresholdSet",
        aggregate_id=told.service,
        aggregate_version=locked.version + 1,
        at=locked.now,
        principal=_SUBJECT,
        payload={"service": told.service, **({} if told.is_over else {"customer": locked.customer or None, **known})},
        customers=(),  # between us and who watches the network: of a rate that changes a customer hears by ServiceRateChanged
    )


def _job(policy: BandwidthPolicy, told: Monitored, event: Event, steps: tuple[str, ...]) -> Told:
    payload = {
        "telling": "rate",
        "service": {"id": told.service, "name": told.name},
        "mbps": told.effective,
        "committedMbps": told.committed,
        "tier": told.tier,
        "at": event.at,
        "over": told.is_over,
    }
    return Told(
        event=event.id,
        system=policy.performance,
        subject=told.service,
        order_key=told.service,
        payload=payload,
        steps=steps,
    )


def _notice(told: Monitored, event: Event, owner: metered.Service, steps: tuple[str, ...]) -> Notice:
    customer = {"id": owner.customer, "name": owner.customer_name} if owner.customer else None
    known = {name: event.payload[name] for name in ("effectiveMbps", "bookedMbps", "committedMbps", "threshold")}
    values = {"name": told.name, "state": told.state, "customer": customer, **known}
    return Notice(event=event, kind=_KIND, about=told.service, order_key=told.service, values=values, steps=steps)


def rates(policy: BandwidthPolicy, tier: str | None, effective: int, booked: int, committed: int) -> dict[str, object]:
    """Give the rates of a service as events have them, in whole Mbit/s, with the load above which it is too full."""
    return {
        "effectiveMbps": effective,
        "bookedMbps": booked,
        "committedMbps": committed,
        "threshold": policy.thresholds.load_mbps(tier, effective),
    }


def _monitored(row: Iterable[Any]) -> Monitored:
    service, name, state, effective, committed, contract, told_mbps, told_promise, told_share, booked = row
    tier, availability = cast("tuple[str | None, float | None]", contract or (None, None))
    return Monitored(
        service=service,
        name=name or service,
        state=state,
        effective=effective,
        committed=committed,
        booked=committed if booked is None else booked,
        tier=tier,
        availability=availability,
        told_mbps=told_mbps,
        told_promise=told_promise,
        told_share=told_share,
    )
