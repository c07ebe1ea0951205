"""What a boost is charged for, and what that costs.

The price of a boost is agreed for all of its time. What is charged is what the network has carried of it: one record of usage for each
interval (consequences/usage.py), told to billing to the second. So the cost so far is worked out of these same intervals and of the one
that lasts, both ends rounded down to the second, by the tariff that gave the price: with one minimum and one rounding, and never more
than the price. Where no tariff gives that price any more, it is shared in proportion to rate and time.

Everything here is pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from graph.capacity.steps import Booking
from graph.changes.bandwidth.boosts import Boost
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.pricing import amount_ms, intervals_of, price_by, tariff_behind

_SECOND_MS: Final = 1_000


def charged_until(boost: Boost, now: int) -> list[Booking]:
    """Give what a boost is charged for until a moment: each interval as billing is told it, those without a second left out."""
    spans = [(each.start, each.end, each.mbps) for each in boost.settled]
    if boost.meter.mbps and boost.meter.since is not None:
        spans.append((boost.meter.since, min(now, boost.end), boost.meter.mbps))
    return _to_the_second(spans)


def expected_of(policy: BandwidthPolicy, boost: Boost, now: int) -> list[Booking]:
    """Give what a boost will be charged for, if it stays as it is and the network carries it from now on."""
    is_from_start = policy.charge == "ordered" and boost.activated_at is None
    begins = boost.start if is_from_start else max(now, boost.start)
    if boost.status not in ("SCHEDULED", "ACTIVATED") or boost.ending_at is not None or begins >= boost.end:
        return charged_until(boost, now)
    return [*charged_until(boost, now), *_to_the_second([(begins, boost.end, boost.mbps)])]


def cost_of(policy: BandwidthPolicy, boost: Boost, charged: Sequence[Booking]) -> int:
    """Give what intervals of a boost cost: by the tariff that gave its price, else their share of it; never more than that."""
    ordered = intervals_of(boost)
    if not charged or not ordered or boost.price <= 0:
        return 0
    if (tariff := tariff_behind(policy, boost)) is not None:
        return min(price_by(tariff, charged) or 0, boost.price)
    return min(-(-boost.price * amount_ms(charged) // amount_ms(ordered)), boost.price)


def _to_the_second(spans: Iterable[tuple[int, int, int]]) -> list[Booking]:
    rounded = [(start - start % _SECOND_MS, end - end % _SECOND_MS, mbps) for start, end, mbps in spans]
    return [Booking(start=start, end=end, mbps=mbps) for start, end, mbps in rounded if start < end]
