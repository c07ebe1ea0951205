"""What a boost costs whose rate or end is changed, and what is owed for one that ends before its time.

A boost is paid for by the intervals of the rates that were ordered, each to the second; all of them together have one minimum and are
rounded once (graph/capacity/tariff.py). So it costs the same in whatever parts it is ordered. What the network has not confirmed of a
faster rate is not owed.

What was agreed keeps its price. Where the tariff is another one since, or whoever asked has named the price, what stays of a boost costs its
share of that, in proportion to what was ordered (rate times time); what is added costs what the tariff of now says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Final

from graph.capacity.steps import Booking
from graph.capacity.tariff import NotOnOffer, Tariff, price_if_cancelled, price_of, price_of_more
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
    cost = _price_of_change(policy, boost, after) if price is None else price
    if isinstance(cost, UserError):
        return cost
    if (problem := asking.problem_of_price(cost)) is not None:
        return problem
    after = replace(after, price=cost)
    if after.before is None:
        return after
    confirmed, refused = as_confirmed(boost), replace(after, mbps=after.before.mbps)
    without = _price_of_change(policy, confirmed, refused)
    if isinstance(without, UserError):
        without = _in_proportion(confirmed, refused)
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
    """Give what is owed for a boost that its customer ends now: by the tariff that gave its price, with its minimum, else its share."""
    kept = as_confirmed(boost)
    tariff = tariff_behind(policy, kept)
    if tariff is None:
        return share_of(boost, now)
    return min(price_if_cancelled(tariff, intervals_of(kept), now).minor, kept.price)


def tariff_behind(policy: BandwidthPolicy, boost: Boost) -> Tariff | None:
    """Give the tariff that gave a boost its price; None: it is another one now, or whoever asked has named the price."""
    tariff = _tariff_of(policy, boost)
    if isinstance(tariff, UserError):
        return None
    return tariff if price_by(tariff, intervals_of(boost)) == boost.price else None


def price_by(tariff: Tariff, intervals: Sequence[Booking]) -> int | None:
    """Give what intervals cost by a tariff, in minor units; None: one of their rates is not on offer."""
    try:
        return price_of(tariff, intervals).minor
    except NotOnOffer:
        return None


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


def _price_of_change(policy: BandwidthPolicy, boost: Boost, after: Boost) -> int | UserError:
    """Give the price of a boost as it is after a change, or say why it has none."""
    before, wanted = intervals_of(boost), intervals_of(after)
    if before == wanted:
        return boost.price
    if (tariff := tariff_behind(policy, boost)) is not None:
        found = price_by(tariff, wanted)
        return _not_offered() if found is None else found
    kept = sum(min(old, new) * length for old, new, length in _rates_of_both(before, wanted))
    agreed = -(-boost.price * kept // (amount_ms(before) or 1))
    price = _price_of_added(policy, boost, before, wanted)
    return price if isinstance(price, UserError) else agreed + price


def _price_of_added(
    policy: BandwidthPolicy, boost: Boost, before: Sequence[Booking], wanted: Sequence[Booking]
) -> int | UserError:
    """Give what the tariff of now says of what a boost has more than before; of nothing it is not asked."""
    added = [
        (Booking(start=0, end=length, mbps=new), new - old)
        for old, new, length in _rates_of_both(before, wanted)
        if new > old
    ]
    if not added:
        return 0
    tariff = _tariff_of(policy, boost)
    if isinstance(tariff, UserError):
        return tariff
    try:
        return price_of_more(tariff, added).minor
    except NotOnOffer:
        return _not_offered()


def _rates_of_both(before: Sequence[Booking], after: Sequence[Booking]) -> Iterator[tuple[int, int, int]]:
    """Give two plans piece by piece: the rates of both, and for how many milliseconds."""
    marks = sorted({moment for each in (*before, *after) for moment in (each.start, each.end or each.start)})
    for start, end in pairwise(marks):
        yield _rate_at(before, start), _rate_at(after, start), end - start


def _rate_at(intervals: Sequence[Booking], at: int) -> int:
    return sum(each.mbps for each in intervals if each.start <= at < (each.end or each.start))


def amount_ms(intervals: Iterable[Booking]) -> int:
    """Give rate times time, in Mbit/s times milliseconds."""
    return sum(each.mbps * ((each.end or each.start) - each.start) for each in intervals)


def _not_offered() -> UserError:
    return user_error(
        "The rate of the boost is not on offer any more: book another one", asking.RATE_NOT_OFFERED, "mbps"
    )


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
