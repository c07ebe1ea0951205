"""What becomes of a service and its boosts at one moment is worked out from what is booked then, whatever the reason to look.

A booking, a boundary, an answer of the network, a cancellation: each changes the boosts a little, and then the same is done for all of
them (`Turn.work_out`). So a boundary that comes late, twice, or together with others comes to the same.

Rules. 1. Each boundary that has passed since the last turn is worked out first, as of then, with the rate that the network carried then:
who comes late finds the same as who comes in time. 2. The booked rate is worked out from the boosts that run now. 3. Nothing is *calm* while a delivery to the network is under way: it may
have been heard. Only when all is calm, a boost begins that the network's rate covers, and one that has ended is over once the network
carries no more than is booked. 4. The network is asked whenever the booked rate is another and it does not carry that already; and to
return, again and again, after a pause that grows with each refusal. 5. What was never confirmed is never charged.

Everything here is pure: a `Turn` gathers what is to be written, and `writing.py` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final, Literal, TypeAlias

from graph.changes.bandwidth.boosts import Boost, Reason, Service
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.rates import Charged, Meter, Running, allotted, cuts
from graph.ledger.timers import NEVER
from graph.processes.steps import BOUNDARIES, Boundary, Ended, OpenStep, Step, System

FIRST_PAUSE_MS: Final = 5_000
LONGEST_PAUSE_MS: Final = 15 * 60 * 1_000
CARRIED: Final = "the network carries it already"
"""The receipt of a step for which the network need not be asked."""

Said: TypeAlias = Literal[
    "BoostScheduled", "BoostActivated", "BoostChanged", "BoostAboutToEnd", "BoostTerminated", "BoostDeclined"
]
TaskKind: TypeAlias = Literal["returnRefused", "rateUnknown", "rateDiffers", "serviceChanged"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTask:
    """A task that is opened, unless one of its kind is open for what it is about."""

    kind: TaskKind
    reason: str
    about: str | None = None
    """the id of a boost; None: it is about the service."""


@dataclass(slots=True, kw_only=True)
class Turn:
    """What becomes of a service; it is changed until it is written."""

    policy: BandwidthPolicy
    before: Service
    """as it was found."""
    service: Service
    """as it will be."""
    open_steps: tuple[OpenStep, ...] = ()
    told_systems: frozenset[System] = frozenset()
    """those that are told of a rate."""
    charged: list[Charged] = field(default_factory=list)
    said: list[tuple[Said, Boost]] = field(default_factory=list)
    begun: list[Step] = field(default_factory=list)
    ended: dict[str, Ended] = field(default_factory=dict)
    """what becomes of steps, by their ids."""
    resolved: set[tuple[str, Boundary]] = field(default_factory=set)
    """boosts whose boundary the network has confirmed in this turn: the other systems are told."""
    tasks: list[NewTask] = field(default_factory=list)
    closes: set[TaskKind] = field(default_factory=set)
    asks: bool = False
    """whether the network is asked for the booked rate."""
    is_urgent: bool = False
    """whether the network is asked at once where it carries another rate than is booked."""
    moment: int = 0
    """which moment is being worked out."""

    @property
    def now(self) -> int:
        """The moment of the turn."""
        return self.before.now

    @property
    def boosts(self) -> Iterable[Boost]:
        """The boosts as they will be, by their ids; those that are over by now are among them."""
        return [each for _, each in sorted(self.service.boosts.items())]

    @property
    def rate_changed(self) -> bool:
        """Whether the network carries another rate than before."""
        return self.service.effective != self.before.effective

    @property
    def is_calm(self) -> bool:
        """Whether no delivery to the network is under way."""
        return not self.service.asking

    @property
    def is_known(self) -> bool:
        """Whether it is known what the network carries: nothing is under way, and of nothing is it unknown what became of it."""
        return self.is_calm and self.service.may_carry is None

    def put(self, boost: Boost) -> None:
        """Let a boost be so from now on."""
        self.service = replace(self.service, boosts={**self.service.boosts, boost.id: boost})

    def say(self, what: Said, boost: Boost) -> None:
        """Let an event tell of a boost."""
        self.said.append((what, boost))

    def start_steps(self, boost: Boost, boundary: Boundary) -> None:
        """Begin what is to be done where a boost begins, changes or ends: the network first."""
        self.begun.append(Step(about=boost.id, name="rate", boundary=boundary, system="NETWORK", stage=0))
        for system in sorted(self.told_systems):
            self.begun.append(Step(about=boost.id, name="rate", boundary=boundary, system=system, stage=1))

    def end_over(self, boost: Boost, reason: Reason, *, price: int | None = None) -> Boost:
        """End a boost for good; what it holds is given back. Give it as it is then."""
        what: Said = "BoostDeclined" if reason == "BOOKING_DECLINED" else "BoostTerminated"
        over = replace(
            boost,
            status="TERMINATED",
            reason=reason,
            ended_at=self.moment,
            hold_until=None,
            before=None,
            reserves=(),
            price=boost.price if price is None else price,
        )
        self.put(over)
        self.say(what, over)
        return over

    def account(self) -> None:
        """Work out each boundary that has passed, as of then: nothing else has happened since the last turn.

        Before the first turn others have seen to it: what was loaded is charged since somebody here has looked.
        """
        since = self.before.now if self.service.accounted_at is None else self.service.accounted_at
        spans = [(each.start, each.end) for each in self.boosts if each.status in ("SCHEDULED", "ACTIVATED")]
        for at in cuts(spans, since, self.now):
            self.moment = at
            self._pass_moment()
        self.moment = self.now
        self.service = replace(self.service, accounted_at=max(self.now, since))

    def work_out(self) -> None:
        """Do all that is due now: to be called once, after what the turn is about is put."""
        self._expire()
        self._pass_moment()
        self._remind()
        booked = self.service.booked_at(self.now)
        self._ask(booked)
        self.service = replace(self.service, booked=booked)
        if self.is_known and (self.service.effective == booked) and (self.rate_changed or booked != self.before.booked):
            self.closes.add("rateDiffers")

    def _pass_moment(self) -> None:
        self._begin()
        self._end()
        booked, effective = self.service.booked_at(self.moment), self.service.effective
        if self.is_known and effective >= booked:
            self._activate_all()
        if self.is_known and effective <= booked:
            self._end_all_over()
        self._charge()

    def next_due(self) -> int:
        """Give when anything is due next."""
        moments = [each for boost in self.boosts for each in self._due_of(boost)]
        moments += [self.service.retry_at] if self.service.retry_at is not None else []
        return min((each for each in moments if each > self.now), default=NEVER)

    def skip(self, steps: Iterable[str]) -> None:
        """Let steps be skipped, by their ids: nothing has to be done any more."""
        self.ended |= {each: Ended(id=each, state="SKIPPED") for each in steps}

    def must_return(self, booked: int) -> bool:
        """Tell whether the network has to go to another rate, or to say its own, whether or not anybody has booked anything."""
        service = self.service
        return service.may_carry is not None or service.effective > booked or service.effective < service.committed

    def network_steps(self) -> list[Step]:
        """Give the steps of the network that no delivery carries out: new ones, refused ones, and all where none is under way."""
        waiting = [each.step for each in self.open_steps if self.is_calm or each.state == "REFUSED"]
        every = (each for each in (*waiting, *self.begun) if each.system == "NETWORK")
        return [each for each in every if each.id not in self.ended]

    def skip_rest(self, boost: str, boundary: Boundary) -> None:
        """Let the steps of a boundary be skipped that are open."""
        for step in self.steps_of(boost, boundary):
            if step.id not in self.ended:
                self.ended[step.id] = Ended(id=step.id, state="SKIPPED")

    def skip_all(self, boost: str) -> None:
        """Let all open steps of a boost be skipped."""
        for boundary in BOUNDARIES:
            self.skip_rest(boost, boundary)

    def refuse(self, steps: Iterable[str], reason: str, *, is_final: bool) -> None:
        """Let steps be refused, by their ids; unless that is final, they are asked for again."""
        self.ended |= {each: Ended(id=each, state="REFUSED", error=reason, is_final=is_final) for each in steps}

    def steps_of(self, boost: str, boundary: Boundary) -> list[Step]:
        """Give the steps of a boundary that are open, those that begin in this turn among them."""
        every = [*(each.step for each in self.open_steps), *self.begun]
        return [each for each in every if (each.about, each.boundary) == (boost, boundary)]

    def _due_of(self, boost: Boost) -> list[int]:
        match boost.status:
            case "TERMINATED":
                return []
            case "REQUESTED":
                return [min(boost.hold_until or boost.end, boost.end)]
            case _:
                reminder = [boost.end - self.policy.notice_ms] if self._is_reminded(boost) else []
                return [boost.start, boost.end, *reminder]

    def _is_reminded(self, boost: Boost) -> bool:
        long_enough = boost.end - boost.start > self.policy.notice_ms > 0
        return boost.noticed_at is None and long_enough and boost.ending_at is None

    def _charge(self) -> None:
        """Let each boost be charged from this moment on what it has of the rate that the network carries."""
        running = [
            Running(id=each.id, mbps=each.confirmed_mbps, since=each.activated_at or each.start)
            for each in self.boosts
            if each.status == "ACTIVATED" and each.runs(self.moment)
        ]
        rates = allotted(running, self.service.effective - self.service.committed)
        for each in self.boosts:
            meter, over = each.meter.turned(each.id, rates.get(each.id, 0), self.moment)
            settled = each.settled if over is None else (*each.settled, over)
            if over is not None:
                self.charged.append(over)
            if meter != each.meter:
                self.put(replace(each, meter=meter, settled=settled))

    def _expire(self) -> None:
        """Decline what has waited too long for an approval."""
        for each in self.boosts:
            if each.status == "REQUESTED" and min(each.hold_until or each.end, each.end) <= self.now:
                self.end_over(each, "BOOKING_DECLINED", price=0)

    def _begin(self) -> None:
        for each in self.boosts:
            if each.status == "SCHEDULED" and each.asked_at is None and each.runs(self.moment):
                self.put(replace(each, asked_at=self.moment))
                self.start_steps(each, "START")

    def _end(self) -> None:
        for each in self.boosts:
            if each.status in ("SCHEDULED", "ACTIVATED") and each.end <= self.moment and each.ending_at is None:
                self.put(replace(each, ending_at=self.moment))
                self.skip_rest(each.id, "CHANGE")
                self.skip(step.id for step in self._refused_of(each.id, "START"))
                self.start_steps(each, "RETURN")

    def _refused_of(self, boost: str, boundary: Boundary) -> list[Step]:
        found = [each.step for each in self.open_steps if each.state == "REFUSED"]
        return [each for each in found if (each.about, each.boundary) == (boost, boundary)]

    def _remind(self) -> None:
        for each in self.boosts:
            due = each.end - self.policy.notice_ms
            if each.status == "ACTIVATED" and self._is_reminded(each) and due <= self.now < each.end:
                reminded = replace(each, noticed_at=self.now)
                self.put(reminded)
                self.say("BoostAboutToEnd", reminded)

    def _activate_all(self) -> None:
        """Let all begin that have been asked for, and all changes be: the network carries enough for all of them."""
        for each in self.boosts:
            if not each.runs(self.moment):
                continue
            if each.status == "SCHEDULED" and each.asked_at is not None:
                self.activate(each)
            elif each.before is not None:
                self.put(replace(each, before=None))
                self._resolve(each.id, "CHANGE")

    def activate(self, boost: Boost) -> None:
        """Let a boost begin that the network has confirmed."""
        since_ordered = self.policy.charge == "ordered"
        meter = Meter(mbps=boost.mbps, since=boost.start) if since_ordered else boost.meter
        begun = replace(boost, status="ACTIVATED", activated_at=self.moment, meter=meter)
        self.put(begun)
        self.say("BoostActivated", begun)
        self._resolve(boost.id, "START")

    def _end_all_over(self) -> None:
        for each in self.boosts:
            if each.ending_at is None or each.is_over:
                continue
            if each.activated_at is None:
                reason: Reason = "BOOKING_DECLINED" if each.ends == "DURATION_EXPIRED" else each.ends
                self.end_over(each, reason, price=0)
                self._forget(each)
            else:
                self.end_over(each, each.ends)
                self._resolve(each.id, "RETURN")
        if not self.must_return(self.service.booked_at(self.moment)):
            if self.service.refusals:
                self.closes |= {"returnRefused", "rateUnknown"}
            self.service = replace(self.service, refusals=0, retry_at=None)

    def _forget(self, boost: Boost) -> None:
        """Let the steps be skipped of what never began; those of this turn are not written at all."""
        self.begun = [each for each in self.begun if each.about != boost.id]
        self.skip_all(boost.id)

    def _resolve(self, boost: str, boundary: Boundary) -> None:
        self.resolved.add((boost, boundary))
        for step in self.steps_of(boost, boundary):
            if step.system == "NETWORK" and step.id not in self.ended:
                self.ended[step.id] = Ended(id=step.id, state="DONE", receipt=CARRIED)

    def _ask(self, booked: int) -> None:
        """Decide whether the network is asked, which is all that brings it about."""
        service = self.service
        carries = self.is_known and service.effective == booked
        returns = self.is_calm and self.must_return(booked)
        if returns and service.retry_at is not None and service.retry_at <= self.now:
            self.service = service = replace(service, retry_at=None)
        waiting = [each for each in self.begun if each.system == "NETWORK" and each.id not in self.ended]
        is_other = booked != self.before.booked
        urgent = self.is_urgent and self.is_calm and not carries
        if service.state == "terminated":
            return
        self.asks = (is_other and not carries) or (returns and service.retry_at is None) or bool(waiting) or urgent
        if self.asks:
            self.service = replace(self.service, retry_at=None)


def pause_after(refusals: int) -> int:
    """Give how long to wait before the network is asked again to return, in milliseconds: longer each time, up to a bound.

    >>> [pause_after(each) for each in (1, 2, 3, 20)]
    [5000, 10000, 20000, 900000]
    """
    doublings = min(refusals - 1, 20)
    return min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS << doublings)
