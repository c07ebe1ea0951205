"""What an answer of the network means for the boosts of a service.

Rules. 1. Only what the network says is what it carries: a device that confirms another rate than it was asked for is believed that it
has that rate. 2. A refused start or a refused change leaves the old rate and is charged nothing. 3. A return that is refused, or
that leaves more than is booked, is asked for again for ever, after pauses that grow: its capacity stays held, an alarm is raised and a
task opened, and nobody is charged for it. So is a rate below the committed one. 4. Where nobody knows what became of a change, nothing is declined and
nothing is over until the network has said what it carries: what it may carry is held, and it is asked again as for a return.
5. It is measured by what it was asked for, which what is booked by now may differ from: then it is asked for that, and has not lied.

Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graph.changes.bandwidth.boosts import Boost
from graph.changes.bandwidth.turning import NewTask, TaskKind, Turn, pause_after
from graph.processes.steps import Boundary


@dataclass(frozen=True, slots=True, kw_only=True)
class StepOfDelivery:
    """A step that a delivery to the network carries out."""

    step: str
    boost: str
    boundary: Boundary


def take_rate(turn: Turn, mbps: int, asked: Sequence[StepOfDelivery], reference: str, *, asked_mbps: int) -> None:
    """Let the network carry a rate (Mbit/s); while another delivery to it is under way, no more than that is known.

    `asked_mbps` is the rate that it was asked for. Where it carries that, and something else is booked by now, it is asked for that.
    """
    turn.service = replace(turn.service, effective=mbps, may_carry=None)
    booked = turn.service.booked_at(turn.now)
    if not turn.is_calm or mbps == booked:
        return
    if mbps == asked_mbps:
        turn.is_urgent = True
        return
    reason = f"the network carries {mbps} Mbit/s and not the {asked_mbps} that it was asked for ({reference})"
    if mbps > booked:
        turn.refuse([each.step for each in asked if each.boundary == "RETURN"], reason, is_final=False)
        _keep_asking(turn, "returnRefused", reason)
        return
    _begin_with_less(turn, asked, reason)
    if mbps < turn.service.committed:
        _keep_asking(turn, "returnRefused", reason)
    else:
        turn.tasks.append(NewTask(kind="rateDiffers", reason=reason))


def take_refusal(turn: Turn, reason: str, asked: Sequence[StepOfDelivery]) -> None:
    """Let the network have refused what a delivery asked for: starts and changes are declined, a return is asked for again."""
    returns = [each.step for each in asked if each.boundary == "RETURN"]
    kept = [each.step for each in asked if each.boundary == "CHANGE" and _is_wanted(turn, each)]
    turn.refuse([each.step for each in asked if each.boundary != "RETURN"], reason, is_final=True)
    turn.refuse(kept, reason, is_final=False)
    if turn.service.booked_at(turn.now) > turn.service.effective:
        for each in asked:
            _decline(turn, each, reason)
    must = turn.must_return(turn.service.booked_at(turn.now))
    if must or not turn.is_calm:
        turn.refuse(returns, reason, is_final=False)
    else:
        turn.skip(returns)
    if must and turn.is_calm:
        _keep_asking(turn, "returnRefused" if turn.service.may_carry is None else "rateUnknown", reason)


def take_silence(turn: Turn, reason: str, asked: Sequence[StepOfDelivery], *, asked_mbps: int) -> None:
    """Let nobody know what became of a rate that the network was asked for: nothing is decided, all is held, and it is asked again."""
    may_carry = max(asked_mbps, turn.service.effective, turn.service.may_carry or 0)
    turn.service = replace(turn.service, may_carry=may_carry)
    wanted = [each.step for each in asked if _is_wanted(turn, each)]
    turn.refuse([each.step for each in asked if each.step not in wanted], reason, is_final=True)
    turn.refuse(wanted, reason, is_final=False)
    if turn.is_calm:
        _keep_asking(turn, "rateUnknown", reason)


def _is_wanted(turn: Turn, carried: StepOfDelivery) -> bool:
    """Tell whether a step still has to be done: what is about to end needs no start and no change."""
    boost = turn.service.boosts.get(carried.boost)
    if boost is None or boost.is_over:
        return False
    return carried.boundary == "RETURN" or boost.ending_at is None


def _decline(turn: Turn, carried: StepOfDelivery, reason: str) -> None:
    """Let what was asked for not be: the boost is over, or is what it was before it was changed."""
    boost = turn.service.boosts.get(carried.boost)
    if boost is None or boost.is_over:
        return
    if carried.boundary == "START" and boost.activated_at is None and boost.ending_at is None:
        _decline_start(turn, boost)
    elif carried.boundary == "CHANGE" and boost.before is not None and boost.before.mbps < boost.mbps:
        old = replace(boost, mbps=boost.before.mbps, price=boost.before.price, before=None)
        turn.put(old)
        turn.refuse([carried.step], reason, is_final=True)
        turn.skip_rest(boost.id, "CHANGE")
        turn.say("BoostDeclined", replace(old, reason="BOOKING_DECLINED"))


def _decline_start(turn: Turn, boost: Boost) -> None:
    """Let a boost not begin; where the network may carry it nevertheless, it holds its capacity until that is known."""
    if turn.service.may_carry is not None:
        turn.put(replace(boost, end=max(turn.now, boost.start + 1), ends="BOOKING_DECLINED"))
        return
    turn.end_over(boost, "BOOKING_DECLINED", price=0)
    turn.skip_rest(boost.id, "START")
    turn.skip_rest(boost.id, "CHANGE")


def _begin_with_less(turn: Turn, asked: Sequence[StepOfDelivery], reason: str) -> None:
    """Let boosts begin with what there is, the oldest first; those for which nothing is left are declined."""
    confirmed = sum(each.confirmed_mbps for each in turn.boosts if each.runs(turn.now))
    left = turn.service.effective - turn.service.committed - confirmed
    starts = {each.boost for each in asked if each.boundary == "START"}
    waiting = [each for each in turn.boosts if each.status == "SCHEDULED" and each.id in starts]
    for each in sorted(waiting, key=lambda each: (each.start, each.id)):
        if not each.runs(turn.now):
            continue
        if left > 0:
            turn.activate(each)
            left -= each.mbps
        else:
            turn.refuse([step.step for step in asked if step.boost == each.id], reason, is_final=True)
            _decline_start(turn, each)


def _keep_asking(turn: Turn, kind: TaskKind, reason: str) -> None:
    """Ask again, later and later, and let a person know."""
    refusals = turn.service.refusals + 1
    turn.service = replace(turn.service, refusals=refusals, retry_at=turn.now + pause_after(refusals))
    turn.tasks.append(NewTask(kind=kind, reason=reason))
