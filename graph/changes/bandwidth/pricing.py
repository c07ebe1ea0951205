"""What a boost costs whose rate or end is changed, and what is owed for one that ends before its time.

A boost is paid for by the intervals of the rates that were ordered, each to the second; all of them together have one minimum and are
rounded once (graph/capacity/tariff.py). So it costs the same in whatever parts it is ordered. What the network has not confirmed of a
faster rate is not owed.

Without a tariff, whoever asks names the price, and it is shared in proportion to what was ordered: rate times time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from graph.capacity.steps import Booking
from graph.capacity.tariff import NotOnOffer, Tariff, price_if_cancelled, price_of
from graph.changes.bandwidth import asking
from graph.changes.bandwidth.boosts import Before, Boost, Reason
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.rates import EarlierRate
from graph.changes.bandwidth.turning import Turn
from graph.changes.outcome import UserError, user_error

_SECOND_MS: Final = 1_000


def intervals_of(boost: Boost) -> list[Booking]:
    """Give the intervals of the rates that a boost is paid for; at one rate, those that touch are one.

    >>> boost = Boost(id="b", mbps=500, start=0, end=9, status="ACTIVATED", price=0, currency="EUR", ordered_at=0, ordered_by="")
    >>> [(each.start, each.end, each.mbps) for each in intervals_of(replace(boost, earlier=(EarlierRate(until=4, mbps=300),)))]
    [(0, 4, 300), (4, 9, 500)]
    """
    found: list[Booking] = []
    start = boost.start
    for each in (*boost.earlier, EarlierRate(until=boost.end, mbps=boost.mbps)):
        end = min(each.until, boost.end)
        if start >= end:
            continue
        if found and found[-1].mbps == each.mbps:
            start = found.pop().start
        found.append(Booking(start=start, end=end, mbps=each.mbps))
        start = end
    return found


def with_rate(boost: Boost, mbps: int, now: int) -> Boost:
    """Give a boost that runs with another rate from now on; it remembers what it had, and what the network has confirmed."""
    kept = as_confirmed(boost)
    since = now - (now - boost.start) % _SECOND_MS  # so that parts of a second are lost once, at the end
    earlier = (*kept.earlier, EarlierRate(until=since, mbps=kept.mbps))
    before = boost.before or Before(mbps=boost.mbps, price=boost.price)
    return replace(boost, mbps=mbps, earlier=earlier, before=before)


def as_confirmed(boost: Boost) -> Boost:
    """Give a boost as it is where the network refuses the faster rate that it has not confirmed yet."""
    if boost.before is None or boost.before.mbps >= boost.mbps:
        return boost
    return replace(boost, mbps=boost.before.mbps, price=boost.before.price, before=None)


def priced(policy: BandwidthPolicy, boost: Boost, after: Boost, price: int | None) -> Boost | UserError:
    """Give a boost that was changed with its price, and with that which it has where the network refuses; or say why there is none.

    `price` is that which whoever asks has worked out; None: it is worked out by the tariff.
    """
    cost = _price_by(policy, after) if price is None else price
    if isinstance(cost, UserError):
        return cost
    if (problem := asking.problem_of_price(cost)) is not None:
        return problem
    after = replace(after, price=cost)
    if after.before is None:
        return after
    refused = replace(after, mbps=after.before.mbps)
    without = _price_by(policy, refused)
    if isinstance(without, UserError):
        without = _in_proportion(as_confirmed(boost), refused)
    return replace(after, before=replace(after.before, price=without))


def give_back(turn: Turn, boost: Boost, reason: Reason, price: int | None) -> None:
    """End a boost now; what the network may know of it is over when it has confirmed that. `price`: None shares its own."""
    if boost.asked_at is None:
        turn.end_over(boost, reason, price=0)
        return
    owed = (share_of(boost, turn.now) if price is None else price) if boost.activated_at is not None else 0
    kept = as_confirmed(boost)  # a faster rate that the network has not confirmed is never charged
    before = None if kept.before is None else replace(kept.before, price=owed)
    turn.put(replace(kept, end=max(turn.now, boost.start + 1), ends=reason, price=owed, before=before))


def owed_for(policy: BandwidthPolicy, boost: Boost, now: int) -> int:
    """Give what is owed for a boost that its customer ends now, and no less than the minimum; without a tariff, its share."""
    tariff = _tariff_of(policy, boost)
    if isinstance(tariff, UserError):
        return share_of(boost, now)
    kept = as_confirmed(boost)
    try:
        return min(price_if_cancelled(tariff, intervals_of(kept), now).minor, kept.price)
    except NotOnOffer:
        return share_of(boost, now)


def share_of(boost: Boost, now: int) -> int:
    """Give the part of a price that is owed for the time until now, by rate and begun seconds, rounded up to a minor unit."""
    kept = as_confirmed(boost)
    return min(kept.price, _in_proportion(kept, replace(kept, end=min(kept.end, max(now, kept.start)))))


def _in_proportion(boost: Boost, part: Boost) -> int:
    """Give what another plan of a boost costs by the price of this one."""
    return -(-boost.price * _amount(part) // _amount(boost))


def _amount(boost: Boost) -> int:
    """Give rate times time, in Mbit/s times seconds that have begun."""
    pairs = ((each.mbps, (each.end or each.start) - each.start) for each in intervals_of(boost))
    return sum(mbps * -(-length // _SECOND_MS) for mbps, length in pairs)


def _price_by(policy: BandwidthPolicy, boost: Boost) -> int | UserError:
    """Give the price of a whole boost by its tariff, or say why it has none."""
    tariff = _tariff_of(policy, boost)
    if isinstance(tariff, UserError):
        return tariff
    try:
        return price_of(tariff, intervals_of(boost)).minor
    except NotOnOffer:
        said = "The rate of the boost is not on offer any more: book another one"
        return user_error(said, asking.RATE_NOT_OFFERED, "mbps")


def _tariff_of(policy: BandwidthPolicy, boost: Boost) -> Tariff | UserError:
    return sold_by(policy, boost.tier, boost.currency)


def sold_by(policy: BandwidthPolicy, tier: str | None, currency: str) -> Tariff | UserError:
    """Give the tariff by which a boost of a tier and a currency is priced, or say why there is none."""
    tariff = policy.tariff_of(tier)
    if not isinstance(tariff, Tariff):
        return asking.problem_of_tariff(tariff, "boostId")
    if tariff.currency != currency:
        said = f"The boost is priced in {currency}, and is sold in {tariff.currency} now: book another one"
        return user_error(said, asking.OTHER_CURRENCY, "boostId")
    return tariff
