"""What a turn has worked out is written at once: boosts, profiles, usage, steps, events, and what other systems are told.

Rules. 1. The network is asked by an event of its own (`ServiceRateRequested`), and every other system is told of a rate by
`ServiceRateChanged`, which is written when the network has confirmed another rate. 2. A step of another system is begun with its
boundary and carried out when the network has confirmed that; where the rate stays, it is skipped. 3. Billing is told of an interval as
soon as it is over: what the network does after that changes nothing of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from graph.capacity.steps import Booking, StepFunction
from graph.changes import events, notices
from graph.changes.bandwidth import boosts
from graph.changes.bandwidth.boosts import KIND, Boost, Service
from graph.changes.bandwidth.consequences import returns, thresholds, usage
from graph.changes.bandwidth.consequences.charges import charged_until, cost_of
from graph.changes.bandwidth.consequences.credits import credits_of
from graph.changes.bandwidth.consequences.leads import open_leads
from graph.changes.bandwidth.consequences.moved import follow, is_moved
from graph.changes.bandwidth.policy import BandwidthPolicy, NoTariff
from graph.changes.bandwidth.profiles import write_profiles
from graph.changes.bandwidth.turning import Turn
from graph.changes.events import Event
from graph.changes.notices import Notice, hears
from graph.ledger import timers
from graph.ledger.outbox import Told, write_down
from graph.model.effects import is_in_use
from graph.model.event_kinds import KINDS
from graph.model.usage import Usage
from graph.processes import steps, tasks
from graph.processes.steps import Boundary, Ended, Step, System
from graph.processes.tasks import Opened
from graph.store.store import Transaction

_RATE: Final = KINDS["ServiceRateChanged"]


async def begin_turn(transaction: Transaction, policy: BandwidthPolicy, service: Service) -> Turn:
    """Begin a turn of a service that is locked: what was charged until now is settled."""
    found = await steps.open_steps(transaction, service.boosts)
    turn = Turn(policy=policy, before=service, service=service, open_steps=found, told_systems=_told_systems(policy))
    turn.account()
    return turn


async def take_followed(transaction: Transaction, policy: BandwidthPolicy, service: str) -> Service | None:
    """Take one service whose boosts hold just what it runs over: whoever decides what is free looks at that, and not at an old way."""
    found = await boosts.take(transaction, service, policy.provisioning)
    if found is None or not is_moved(found):
        return found
    turn = await begin_turn(transaction, policy, found)
    await finish(transaction, turn, subject="trunkline")
    return await boosts.take(transaction, service, policy.provisioning)


async def finish(transaction: Transaction, turn: Turn, *, subject: str) -> None:
    """Do all that is due now, and write it; `subject` is the principal that the events name."""
    await follow(transaction, turn)
    turn.work_out()
    _keep_costs(turn)
    await write_profiles(transaction, _taken(turn))
    credited = await credits_of(transaction, turn.service.id, _over(turn))
    writer = _Writer(turn=turn, subject=subject, credited=credited)
    writer.gather()
    after = replace(turn.service, version=writer.version)
    boosts.write(transaction, turn.before, after)
    usage.keep(transaction, turn.before, writer.usage)
    steps.begin(transaction, turn.begun, at=turn.now)
    events.append(transaction, *writer.events)
    write_down(transaction, writer.told)
    notices.tell(transaction, turn.policy.fault_management, writer.notices)
    steps.end(transaction, turn.ended.values(), at=turn.now)
    _write_tasks(transaction, turn)
    if any(what == "BoostActivated" for what, _ in turn.said):
        await open_leads(transaction, turn.policy, after, subject=subject)
    timers.arm(transaction, kind=KIND, about=after.id, due_at=turn.next_due())


def _keep_costs(turn: Turn) -> None:
    """Keep with each boost that is over what it cost: prices may be others later, or not be read.

    Where they cannot be read at this moment nothing is kept: it is worked out whenever somebody asks.
    """
    for each in _over(turn):
        if turn.policy.tariff_of(each.tier) is not NoTariff.NOT_READ:
            turn.put(replace(each, cost=cost_of(turn.policy, each, charged_until(each, turn.now))))


def _over(turn: Turn) -> list[Boost]:
    """Give the boosts that are over by this turn."""
    return [each for each in turn.boosts if each.is_over]


def _told_systems(policy: BandwidthPolicy) -> frozenset[System]:
    """Give the systems that are told of a rate."""
    named: dict[System, bool] = {
        "PERFORMANCE": bool(policy.performance),
        "INVENTORY": bool(policy.inventory),
        "FAULT_MANAGEMENT": hears(policy.fault_management, _RATE),
    }
    return frozenset(system for system, is_there in named.items() if is_there)


def _taken(turn: Turn) -> Mapping[str, StepFunction]:
    """Give what is added to the profile of each thing, and what is given back; what is past stays as it was."""
    bookings: defaultdict[str, list[Booking]] = defaultdict(list)
    for sign, service in ((-1, turn.before), (1, turn.service)):
        for each in service.boosts.values():
            start = max(each.start, turn.now)
            if each.is_over or start >= each.end:
                continue
            for thing in each.reserves:
                bookings[thing].append(Booking(start=start, end=each.end, mbps=sign * each.mbps))
    return {thing: StepFunction.of(of) for thing, of in bookings.items()}


def _write_tasks(transaction: Transaction, turn: Turn) -> None:
    about = turn.service.id
    for kind in sorted(turn.closes):
        tasks.close_task(transaction, kind=kind, about=about, at=turn.now)
    for each in turn.tasks:
        tasks.open_task(transaction, Opened(kind=each.kind, about=each.about or about, reason=each.reason), at=turn.now)
    if "returnRefused" in {*turn.closes, *(each.kind for each in turn.tasks)}:
        timers.arm(transaction, kind=returns.KIND, about=about, due_at=turn.now)


class _Writer:
    """Gathers events, each with the next version of its service, and what others are told of them."""

    def __init__(self, *, turn: Turn, subject: str, credited: Sequence[Usage]) -> None:
        self.turn = turn
        self.subject = subject
        self.version = turn.before.version
        self.events: list[Event] = []
        self.told: list[Told] = []
        self.notices: list[Notice] = []
        self.usage = [*(usage.usage_of(turn.before, each) for each in turn.charged), *credited]

    @property
    def service(self) -> Service:
        return self.turn.service

    def gather(self) -> None:
        """Make all of them, in the order in which they are heard."""
        for what, boost in self.turn.said:
            self._event(what, _of_boost(self.service, boost))
        for record in self.usage:
            self._bill(record)
        if self.turn.rate_changed:
            self._tell_rate()
        else:
            self._skip_others()
        if self.turn.asks and self.turn.policy.provisioning:
            self._ask_network()

    def _event(self, kind: str, payload: Mapping[str, object]) -> Event:
        self.version += 1
        customer = self.service.customer.id
        made = Event(
            type=kind,
            aggregate_id=self.service.id,
            aggregate_version=self.version,
            at=self.turn.now,
            principal=self.subject,
            payload=payload,
            customers=(customer,) if customer else (),
        )
        self.events.append(made)
        return made

    def _tell(self, system: str, event: Event, payload: Mapping[str, object], carried: Iterable[Step]) -> None:
        service = self.service.id
        ids = tuple(sorted(each.id for each in carried))
        self.told.append(
            Told(event=event.id, system=system, subject=service, order_key=service, payload=payload, steps=ids)
        )

    def _bill(self, record: Usage) -> None:
        made = self._event("UsageRecorded", {"usage": record.id, "service": self.service.id})
        billed, billing = usage.to_the_second(record), self.turn.policy.billing
        if billed is None or not billing:
            return
        boost = self.service.boosts[record.external_id.partition(":")[0]]
        boundary: Boundary = "CHANGE" if boost.runs(self.turn.now) else "RETURN"
        name = "usage" if record.kind == usage.KIND else "credit"
        step = Step(about=boost.id, name=name, boundary=boundary, system="BILLING", stage=0)
        self.turn.begun.append(step)
        self._tell(billing, made, usage.payload(self.service, billed), [step])

    def _tell_rate(self) -> None:
        """Tell every other system of the rate that the network carries now."""
        policy, service = self.turn.policy, self.service
        customer = {"id": service.customer.id, "name": service.customer.name} if service.customer.id else None
        rates = thresholds.rates(policy, service.tier, service.effective, service.booked, service.committed)
        made = self._event(
            "ServiceRateChanged", {"service": service.id, "customer": service.customer.id or None, **rates}
        )
        said = {
            "telling": "rate",
            "service": {"id": service.id, "name": service.name},
            "customer": customer,
            "mbps": service.effective,
            "committedMbps": service.committed,
            "tier": service.tier,
            "at": self.turn.now,
            "boosts": [each.id for each in self.turn.boosts if each.runs(self.turn.now)],
            "over": not is_in_use(service.state),
        }
        for name, system in (("PERFORMANCE", policy.performance), ("INVENTORY", policy.inventory)):
            if system:
                self._tell(system, made, said, self._others(name))
        values = {"name": service.name, "state": service.state, "customer": customer, **rates}
        carried = tuple(sorted(each.id for each in self._others("FAULT_MANAGEMENT")))
        self.notices.append(
            Notice(event=made, kind=_RATE, about=service.id, order_key=service.id, values=values, steps=carried)
        )

    def _others(self, system: str) -> list[Step]:
        """Give the steps of a system that are carried out when it is told: of all boundaries that the network has confirmed."""
        return [
            each
            for boost, boundary in sorted(self.turn.resolved)
            for each in self.turn.steps_of(boost, boundary)
            if each.system == system and each.id not in self.turn.ended
        ]

    def _skip_others(self) -> None:
        for boost, boundary in sorted(self.turn.resolved):
            for each in self.turn.steps_of(boost, boundary):
                if each.stage > 0 and each.id not in self.turn.ended:
                    self.turn.ended[each.id] = Ended(id=each.id, state="SKIPPED")

    def _ask_network(self) -> None:
        """Ask the network for the booked rate: for all that waits for it."""
        service, policy = self.service, self.turn.policy
        carried = self.turn.network_steps()
        made = self._event("ServiceRateRequested", {"service": service.id, "mbps": service.booked})
        payload = {
            "telling": "rate",
            "service": {"id": service.id, "name": service.name},
            "mbps": service.booked,
            "at": self.turn.now,
            "boosts": sorted({each.about for each in carried}),
        }
        self._tell(policy.provisioning, made, payload, carried)


def _of_boost(service: Service, boost: Boost) -> Mapping[str, object]:
    return {
        "boost": boost.id,
        "service": service.id,
        "customer": service.customer.id,
        "mbps": boost.mbps,
        "startAt": boost.start,
        "endAt": boost.end,
        "status": boost.status,
        "reason": boost.reason,
    }
