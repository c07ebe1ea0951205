"""Whatever is booked, changed and cancelled, and whatever the network answers and when, what is charged is what it carried.

The network is a queue of deliveries of which one is under way, as the ledger has it: what it was asked for is what was booked when it was
sent, and what it answers is taken later. Timers may be late for as long as they like. The brute force looks at each instant.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from hypothesis import note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from graph.changes.bandwidth.answers import StepOfDelivery, take_rate, take_refusal, take_silence
from graph.changes.bandwidth.boosts import Before, Boost, Customer, Service
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.rates import Charged
from graph.changes.bandwidth.turning import Turn
from graph.ledger.timers import NEVER
from graph.processes.steps import Ended, OpenStep, Step
from tests.selection import examples

POLICY = BandwidthPolicy(provisioning="network", notice_ms=0)
COMMITTED = 10
WAY = ("port-1", "trunk-1")


class Bandwidth(RuleBasedStateMachine):
    """One service, its boosts and its network."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.queue: list[str] = []
        self.sent: int | None = None
        """what the delivery under way has asked for."""
        self.count = 0
        self.steps: dict[str, OpenStep] = {}
        """those that are open."""
        self.carried_out: dict[str, list[Step]] = {}
        """by delivery."""
        self.done: dict[str, OpenStep] = {}
        """of the delivery that was settled last."""
        self.charged: list[Charged] = []
        self.over: dict[str, Boost] = {}
        self.ever: set[str] = set()
        self.rates = [(0, COMMITTED)]
        """since when the network carries what, as it has said."""
        self.ordered: defaultdict[int, dict[str, int]] = defaultdict(dict)
        """at each instant: the rate of each boost that was ordered then."""
        self.service = Service(
            id="service-1",
            name="",
            state="active",
            committed=COMMITTED,
            booked=COMMITTED,
            effective=COMMITTED,
            most=None,
            tier=None,
            version=0,
            accounted_at=None,
            refusals=0,
            retry_at=None,
            now=0,
            customers=(Customer(id="customer-1", name="", account=""),),
            way=WAY,
            port=None,
            boosts={},
            asking=(),
        )
        self.due = NEVER

    def turn(self) -> Turn:
        found = replace(self.service, now=self.now, asking=tuple(self.queue))
        mine = tuple(each for each in self.steps.values() if each.step.about in found.boosts)
        turn = Turn(policy=POLICY, before=found, service=found, open_steps=mine)
        turn.account()
        return turn

    def finish(self, turn: Turn) -> None:
        turn.work_out()
        self.charged += turn.charged
        self.due = turn.next_due()
        if turn.asks:
            self.count += 1
            delivery = f"d{self.count}"
            self.queue.append(delivery)
            self.carried_out[delivery] = turn.network_steps()
        self.steps |= {each.id: OpenStep(step=each, state="PENDING") for each in turn.begun}
        for ended in turn.ended.values():
            self.end_step(ended)
        self.over |= {key: each for key, each in turn.service.boosts.items() if each.is_over}
        kept = {key: each for key, each in turn.service.boosts.items() if not each.is_over}
        self.service = replace(turn.service, boosts=kept)
        if turn.rate_changed:
            self.rates.append((self.now, self.service.effective))

    def end_step(self, ended: Ended) -> None:
        found = self.steps.get(ended.id) or self.done.get(ended.id)
        if found is None:
            return
        self.steps.pop(ended.id, None)
        if ended.state == "REFUSED" and not ended.is_final:
            self.steps[ended.id] = replace(found, state="REFUSED")

    def settled(self) -> list[StepOfDelivery]:
        """Let the first delivery be done, and give the steps that it has carried out."""
        self.sent = None
        steps = self.carried_out.pop(self.queue.pop(0))
        self.done = {each.id: OpenStep(step=each, state="PENDING") for each in steps}
        for each in steps:
            self.steps.pop(each.id, None)
        return [StepOfDelivery(step=each.id, boost=each.about, boundary=each.boundary) for each in steps]

    @property
    def alive(self) -> list[Boost]:
        return [each for each in self.service.boosts.values() if each.end > self.now and each.ending_at is None]

    @rule(mbps=st.integers(1, 5), start=st.integers(0, 6), length=st.integers(1, 8))
    def book(self, mbps: int, start: int, length: int) -> None:
        self.count += 1
        begin = self.now + start
        boost = Boost(
            id=f"b{self.count:03}",
            mbps=mbps,
            start=begin,
            end=begin + length,
            status="SCHEDULED",
            price=100,
            currency="EUR",
            ordered_at=self.now,
            ordered_by="",
            reserves=WAY,
        )
        self.ever.add(boost.id)
        turn = self.turn()
        turn.put(boost)
        self.finish(turn)

    @precondition(lambda self: self.alive)
    @rule(data=st.data(), mbps=st.integers(1, 6), end=st.integers(1, 9))
    def change(self, data: st.DataObject, mbps: int, end: int) -> None:
        boost = data.draw(st.sampled_from(sorted(self.alive, key=lambda each: each.id)))
        turn = self.turn()
        found = turn.service.boosts[boost.id]
        after = replace(found, mbps=mbps, end=max(self.now, found.start) + end)
        if found.status == "ACTIVATED" and mbps != found.mbps:
            after = replace(after, before=found.before or Before(mbps=found.mbps, price=found.price))
            turn.start_steps(after, "CHANGE")
        turn.put(after)
        self.finish(turn)

    @precondition(lambda self: self.alive)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        boost = data.draw(st.sampled_from(sorted(self.alive, key=lambda each: each.id)))
        turn = self.turn()
        found = turn.service.boosts[boost.id]
        if found.asked_at is None:
            turn.end_over(found, "DELETE_REQUESTED", price=0)
        else:
            turn.put(replace(found, end=max(self.now, found.start + 1), ends="DELETE_REQUESTED"))
        self.finish(turn)

    @rule(time=st.integers(1, 5))
    def pass_time(self, time: int) -> None:
        for each in self.service.boosts.values():
            if each.status in ("SCHEDULED", "ACTIVATED"):
                for at in range(max(self.now, each.start), min(self.now + time, each.end)):
                    self.ordered[at][each.id] = each.mbps
        self.now += time

    @precondition(lambda self: self.due <= self.now)
    @rule()
    def ring(self) -> None:
        self.finish(self.turn())

    @precondition(lambda self: self.queue and self.sent is None)
    @rule()
    def send(self) -> None:
        self.sent = replace(self.service, now=self.now).booked_at(self.now)

    @precondition(lambda self: self.sent is not None)
    @rule(lie=st.one_of(st.none(), st.none(), st.integers(0, 20)))
    def confirm(self, lie: int | None) -> None:
        rate = self.sent if lie is None else lie
        assert rate is not None
        asked = self.sent
        assert asked is not None
        carried = self.settled()
        turn = self.turn()
        take_rate(turn, rate, carried, "", asked_mbps=asked)
        self.finish(turn)

    @precondition(lambda self: self.sent is not None)
    @rule()
    def refuse(self) -> None:
        carried = self.settled()
        turn = self.turn()
        take_refusal(turn, "no", carried)
        self.finish(turn)

    @precondition(lambda self: self.sent is not None)
    @rule()
    def lose(self) -> None:
        asked = self.sent
        assert asked is not None
        carried = self.settled()
        turn = self.turn()
        take_silence(turn, "lost", carried, asked_mbps=asked)
        self.finish(turn)

    @invariant()
    def what_is_charged_is_what_was_carried(self) -> None:
        """Never more than the network carried beyond the committed rate, nor than was ordered; and per boost one interval at a time."""
        every = self.intervals()
        for instant in sorted({each.start for each in every} | {at for at, _ in self.rates} | set(self.ordered)):
            found = [each for each in every if each.start <= instant < each.end]
            charged = {each.boost: each.mbps for each in found}
            assert len(charged) == len(found), "one interval of each boost at an instant"
            carried = max(0, self.carried(instant) - COMMITTED)
            assert sum(charged.values()) <= carried
            for boost, mbps in charged.items():
                assert mbps <= self.ordered[instant].get(boost, 0), (boost, instant)

    @invariant()
    def all_is_booked_or_done(self) -> None:
        """Nobody is forgotten: what differs from what is booked has a delivery, a time to retry, or an answer that a person is told of."""
        for each in self.service.boosts.values():
            if each.ending_at is not None:
                assert self.queue or self.service.retry_at is not None, each
            assert each.reserves
        assert all(not each.reserves for each in self.over.values())
        assert self.ever == {*self.over, *self.service.boosts}

    def intervals(self) -> list[Charged]:
        """Give what was charged, with what is being charged as far as it was accounted."""
        until = self.service.accounted_at or 0
        running = [
            Charged(boost=each.id, start=each.meter.since, end=until, mbps=each.meter.mbps)
            for each in self.service.boosts.values()
            if each.meter.since is not None and each.meter.since < until
        ]
        return [*self.charged, *running]

    def carried(self, instant: int) -> int:
        """Give what the network carried, as it has said; several answers of one instant leave the last."""
        return [rate for at, rate in self.rates if at <= instant][-1]

    def teardown(self) -> None:
        """Let all come to its end with an honest network: everything is over, and what was carried for a boost was charged."""
        for _ in range(200):
            if self.due != NEVER:
                self.pass_time(max(0, self.due - self.now) or 1)
            if self.due <= self.now:
                self.ring()
            while self.queue:
                if self.sent is None:
                    self.send()
                self.confirm(None)
            if not self.service.boosts and self.service.effective == COMMITTED:
                break
        note(f"{self.service}")
        assert not self.service.boosts
        assert not self.steps, "no step is left open"
        assert self.service.effective == COMMITTED
        self.what_is_charged_is_what_was_carried()
        declined = {each.id for each in self.over.values() if each.activated_at is None}
        assert declined.isdisjoint({each.boost for each in self.charged})


TestBandwidth = Bandwidth.TestCase
TestBandwidth.settings = settings(max_examples=examples(60), stateful_step_count=30, deadline=None)
