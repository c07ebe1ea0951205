"""What a customer may spend on boosts in a month without approval is decided under the customer's lock, over all its services.

What a customer has booked counts, whoever has the service by now; and what those have who were merged into it. The month is that of the boost's start, in UTC. What was declined or cancelled before it began has the price zero, and does not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, cast

from graph.changes.bandwidth.policy import SpendCap
from graph.changes.customers.stubs import stubs_of
from graph.store.boost_marks import key_of
from graph.store.store import Run, Transaction

_DECEMBER: Final = 12

# What is open by now and what is over are found alike, and nothing of other months is (graph/store/boost_marks.py).
_LOCK: Final = """
MATCH (c:Customer {id: $customer})
SET c._locked = coalesce(c._locked, 0) + 1
"""
_SPENT: Final = """
MATCH (b:Boost) WHERE b.boughtBy >= $from AND b.boughtBy < $to AND b.currency = $currency AND NOT b.id IN $without
RETURN sum(b.price)
"""


def month_of(instant: int) -> tuple[int, int]:
    """Give the first moment of the month of an instant, and that of the next, in epoch milliseconds.

    >>> month_of(1_700_000_000_000)
    (1698796800000, 1701388800000)
    """
    first = datetime.fromtimestamp(instant / 1_000, UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    year, month = (first.year + 1, 1) if first.month == _DECEMBER else (first.year, first.month + 1)
    return _ms(first), _ms(first.replace(year=year, month=month))


async def is_above_cap(
    transaction: Transaction, cap: SpendCap | None, customer: str, prices: list[tuple[int, int]], without: list[str]
) -> bool:
    """Tell whether prices, each with the start of its boost, are above what may be spent in any month; lock the customer.

    `without` are the ids of boosts whose prices are among these.
    """
    if cap is None or not customer:
        return False
    months: dict[tuple[int, int], int] = {}
    for start, price in prices:
        months[month_of(start)] = months.get(month_of(start), 0) + price
    await transaction.run(_LOCK, {"customer": customer})
    for month, price in sorted(months.items()):
        if await spent_in(transaction.run, cap, customer, month, without=without) + price > cap.amount:
            return True
    return False


async def spent_in(
    run: Run, cap: SpendCap, customer: str, month: tuple[int, int], *, without: Sequence[str] = ()
) -> int:
    """Give what a customer has booked that begins in a month, in minor units of the cap's currency, without some boosts."""
    buyers = (customer, *await stubs_of(run, customer))
    return sum([await _spent_by(run, cap, each, month, without) for each in buyers])


async def _spent_by(run: Run, cap: SpendCap, buyer: str, month: tuple[int, int], without: Sequence[str]) -> int:
    first, last = month
    span = {"from": key_of(buyer, first), "to": key_of(buyer, last)}
    for (spent,) in await run(_SPENT, {**span, "currency": cap.currency, "without": list(without)}):
        return cast("int", spent or 0)
    return 0


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)
