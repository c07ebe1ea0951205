"""What the network has confirmed or refused becomes what the service carries, in the transaction in which its delivery is settled.

Rules. 1. Only what the network says is what it carries: a device that confirms another rate than it was asked for is believed that it
has that rate. 2. A refused start or a refused change leaves the old rate and is charged nothing. 3. A return that is refused, or
that leaves more than is booked, is asked for again for ever, after pauses that grow: its capacity stays held, an alarm is raised and a
task opened, and nobody is charged for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, cast

from graph.changes.bandwidth import boosts
from graph.changes.bandwidth.answers import StepOfDelivery, take_rate, take_refusal, take_silence
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.turning import Turn
from graph.changes.bandwidth.writing import begin_turn, finish
from graph.processes.steps import Boundary
from graph.store.store import Store, Transaction

_WANTED: Final = """
MATCH (s:Service {id: $service}) WHERE coalesce(s.state, '') <> 'terminated'
RETURN coalesce(s.committedMbps, 0), datetime.realtime().epochMillis, COLLECT {
  MATCH (b:Boost {openOf: s.id}) WHERE b.status IN ['SCHEDULED', 'ACTIVATED'] RETURN [b.mbps, b.startAt, b.endAt]
}
"""
_CARRIED: Final = """
MATCH (d:Delivery {id: $delivery})-[:CARRIES_OUT]->(p:ProcessStep)-[:STEP_OF]->(b:Boost)
RETURN b.id, p.boundary, p.id ORDER BY p.id
"""


async def wanted_rate(store: Store, service: str, *, deadline: float) -> int | None:
    """Give the rate in Mbit/s that a service should have now: committed, and all boosts that run; None: there is no such service any more."""
    rows = await store.rows(_WANTED, {"service": service}, deadline=deadline)
    for committed, now, found in cast("list[tuple[int, int, list[tuple[int, int, int]]]]", rows):
        return committed + sum(mbps for mbps, start, end in found if start <= now < end)
    return None


async def hold(transaction: Transaction, services: Iterable[str]) -> None:
    """Lock what a change of these services locks first: to be called before their deliveries are settled."""
    await boosts.hold(transaction, services)


async def confirmed(  # noqa: PLR0913 - what an answer says, by name
    transaction: Transaction,
    policy: BandwidthPolicy,
    *,
    service: str,
    mbps: int,
    asked_mbps: int,
    reference: str,
    delivery: str,
) -> None:
    """Take note that the network carries a rate (Mbit/s); `asked_mbps` is the one that it was asked for.

    `reference` is what it calls the change, `delivery` the id of what asked for it.
    """
    turn = await _begin(transaction, policy, service)
    if turn is not None:
        take_rate(turn, mbps, await _asked(transaction, delivery), reference, asked_mbps=asked_mbps)
        await finish(transaction, turn, subject=policy.provisioning)


async def refused(
    transaction: Transaction, policy: BandwidthPolicy, *, service: str, reason: str, delivery: str
) -> None:
    """Take note that the network has refused for good what a delivery asked for."""
    turn = await _begin(transaction, policy, service)
    if turn is not None:
        take_refusal(turn, reason, await _asked(transaction, delivery))
        await finish(transaction, turn, subject=policy.provisioning)


async def unknown(
    transaction: Transaction, policy: BandwidthPolicy, *, service: str, asked_mbps: int, reason: str, delivery: str
) -> None:
    """Take note that nobody knows what became of what a delivery asked for (Mbit/s): the network may carry it, or come to carry it."""
    turn = await _begin(transaction, policy, service)
    if turn is not None:
        take_silence(turn, reason, await _asked(transaction, delivery), asked_mbps=asked_mbps)
        await finish(transaction, turn, subject=policy.provisioning)


async def ask_again(transaction: Transaction, policy: BandwidthPolicy, service: str, *, subject: str) -> None:
    """Ask the network for the booked rate at once, where it carries another one and nothing is under way."""
    turn = await _begin(transaction, policy, service)
    if turn is not None:
        turn.is_urgent = True
        await finish(transaction, turn, subject=subject)


async def believe(transaction: Transaction, policy: BandwidthPolicy, service: str, *, subject: str) -> None:
    """Take note that the network carries what is booked, since a person says so."""
    turn = await _begin(transaction, policy, service)
    if turn is not None:
        booked = turn.service.booked_at(turn.now)
        take_rate(turn, booked, (), "", asked_mbps=booked)
        await finish(transaction, turn, subject=subject)


async def give_up(  # noqa: PLR0913 - what is given up, by name
    transaction: Transaction,
    policy: BandwidthPolicy,
    delivery: str,
    reason: str,
    *,
    service: str,
    is_refused: bool,
    subject: str,
) -> None:
    """Take it as refused what a delivery has asked for, since a person has given it up; the delivery is done by now.

    Where the network has not refused it (`is_refused`), nobody knows whether it has done it.
    """
    turn = await _begin(transaction, policy, service)
    if turn is not None:
        asked = await _asked(transaction, delivery)
        if is_refused:
            take_refusal(turn, reason, asked)
        else:
            take_silence(turn, reason, asked, asked_mbps=turn.before.booked)
        await finish(transaction, turn, subject=subject)


async def _asked(transaction: Transaction, delivery: str) -> list[StepOfDelivery]:
    """Give the steps that a delivery to the network carries out."""
    rows = cast("list[tuple[str, Boundary, str]]", await transaction.run(_CARRIED, {"delivery": delivery}))
    return [StepOfDelivery(step=step, boost=boost, boundary=boundary) for boost, boundary, step in rows]


async def _begin(transaction: Transaction, policy: BandwidthPolicy, service: str) -> Turn | None:
    found = await boosts.take(transaction, service, policy.provisioning)
    return None if found is None else await begin_turn(transaction, policy, found)
