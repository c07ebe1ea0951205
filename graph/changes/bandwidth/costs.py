"""What a boost has cost until now, and what the next bill of a customer will have of boosts.

What intervals cost is said in consequences/charges.py. What a boost cost in the end is kept with it when it is over: another tariff, or none that
can be read, changes nothing of that.

Settled is what is over: its records are told, and nothing changes them. All else is an estimate. A bill has a boost as a whole, in the
month (UTC) in which it ends; one that waits for an approval is on none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson

from graph.changes.bandwidth import owned
from graph.changes.bandwidth.boosts import VALUES, Boost, boost_of
from graph.changes.bandwidth.consequences.charges import charged_until, cost_of, expected_of
from graph.changes.bandwidth.consequences.credits import amount_of, credit_id
from graph.changes.bandwidth.looking import read_now
from graph.changes.bandwidth.policy import BandwidthPolicy
from graph.changes.bandwidth.spending import month_of
from graph.errors import Refused
from graph.model.scope import Principal
from graph.store.store import Store

MOST_BOOSTS: Final = 2_000
"""of one customer in a month, that an estimate is made of."""
_PAGE: Final = 500
_SETTLED: Final = VALUES.split(", ").index("b._settled")

_BOOSTS: Final = f"""
UNWIND $batch.rows AS row
MATCH (b:Boost {{id: row.boost}})-[:BOOSTS]->(s:Service)
WHERE $everyone OR EXISTS {{ MATCH (c:Customer)-[:SUBSCRIBES_TO]->(s) WHERE c.id IN $customers }}
RETURN [{VALUES}, []], coalesce(b._turned, false), datetime.realtime().epochMillis,
  COLLECT {{
    MATCH (d:Downtime)-[:INTERRUPTS]->(s)
    WHERE d.effect = 'down' AND d.from < b.endAt AND coalesce(d.to, b.endAt) > b.activatedAt
    RETURN [d.from, coalesce(d.to, b.endAt)] ORDER BY d.from
  }},
  HEAD(COLLECT {{ MATCH (u:Usage {{id: row.credit}}) RETURN u.record }})
"""
_ENDING: Final = """
UNWIND $batch.customers AS id
MATCH (c:Customer {id: id}) WHERE $everyone OR c.id IN $customers
RETURN c.id, COLLECT {
  MATCH (c)-[:SUBSCRIBES_TO]->(:Service)<-[:BOOSTS]-(b:Boost)
  WHERE b.endAt > $from AND b.endAt <= $to AND b.status <> 'REQUESTED' AND NOT (b.status = 'TERMINATED' AND b.activatedAt IS NULL)
  RETURN b.id ORDER BY b.id LIMIT $most
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one boost costs, in minor units of its currency and without taxes. Times are epoch milliseconds UTC."""

    boost: str
    currency: str
    so_far: int
    """of what the network has carried of it until `at`."""
    expected: int
    """of all of it, if it stays as it is: `so_far` of one that is over."""
    credit: int
    """what outages give back of it, 0 or less; of one that is not over, those until `at`."""
    is_settled: bool
    """whether it is over: billing is told of all of it."""
    at: int
    """when this was so, by the database's clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """What boosts will have on a customer's bill of a month, in minor units of a currency and without taxes."""

    currency: str
    start: int
    end: int
    """the first moment that is not in the month."""
    at: int
    boosts: int
    settled: int
    """of boosts that are over;"""
    running: int
    """of those that run, until now;"""
    upcoming: int
    """of those that run and those that are booked, from now on;"""
    credits: int
    """what outages give back."""

    @property
    def total(self) -> int:
        """What the bill will have."""
        return self.settled + self.running + self.upcoming + self.credits


def estimates_of(costs: Iterable[Cost], month: tuple[int, int], at: int) -> tuple[Estimate, ...]:
    """Add up what boosts that end in a month cost, by currency."""
    by_currency: defaultdict[str, list[Cost]] = defaultdict(list)
    for each in costs:
        by_currency[each.currency].append(each)
    return tuple(_estimate(currency, of, month, at) for currency, of in sorted(by_currency.items()))


async def read_costs(
    store: Store, principal: Principal, policy: BandwidthPolicy, boosts: Iterable[str], *, deadline: float
) -> Mapping[str, Cost]:
    """Give what boosts cost by their ids, of those that the caller sees; one that was over when it was loaded has none."""
    wanted = sorted(set(boosts))
    found: dict[str, Cost] = {}
    for first in range(0, len(wanted), _PAGE):
        rows = [{"boost": each, "credit": credit_id(each)} for each in wanted[first : first + _PAGE]]
        given = {"batch": {"rows": rows}, **owned.of_who_reads(principal)}
        for row in await store.rows(_BOOSTS, given, deadline=deadline):
            if (cost := _read_cost(policy, row)) is not None:
                found[cost.boost] = cost
    return found


async def read_estimates(
    store: Store, principal: Principal, policy: BandwidthPolicy, customers: Iterable[str], *, deadline: float
) -> Mapping[str, tuple[Estimate, ...] | Refused]:
    """Give what boosts will have on the bills of customers that the caller sees, for the present month, by their ids.

    A customer with more than `MOST_BOOSTS` that end in it is refused.
    """
    now = await read_now(store, deadline=deadline)
    month = month_of(now)
    given = {"batch": {"customers": sorted(set(customers))}, "from": month[0], "to": month[1], "most": MOST_BOOSTS + 1}
    rows = await store.rows(_ENDING, {**given, **owned.of_who_reads(principal)}, deadline=deadline)
    ending = {str(customer): cast("list[str]", boosts) for customer, boosts in rows}
    judged = [each for boosts in ending.values() if len(boosts) <= MOST_BOOSTS for each in boosts]
    costs = await read_costs(store, principal, policy, judged, deadline=deadline)
    return {
        customer: _too_many()
        if len(boosts) > MOST_BOOSTS
        else estimates_of([costs[each] for each in boosts if each in costs], month, now)
        for customer, boosts in ending.items()
    }


def _read_cost(policy: BandwidthPolicy, row: Sequence[Any]) -> Cost | None:
    values, turned, now, outages, credit = row
    boost = boost_of(values)
    if boost.is_over and not turned:
        return None  # it was loaded: others have charged it
    so_far = cost_of(policy, boost, charged_until(boost, now)) if boost.cost is None else boost.cost
    if boost.cost is None and boost.is_over and boost.activated_at is not None and values[_SETTLED] is None:
        so_far = boost.price  # by a version that did not keep what was charged
    return Cost(
        boost=boost.id,
        currency=boost.currency,
        so_far=so_far,
        expected=so_far if boost.is_over else cost_of(policy, boost, expected_of(policy, boost, now)),
        credit=_settled_credit(credit) if boost.is_over else _credit_until(boost, outages, now),
        is_settled=boost.is_over,
        at=now,
    )


def _settled_credit(record: str | None) -> int:
    return int(orjson.loads(record)["amount"]) if record else 0


def _credit_until(boost: Boost, outages: Sequence[tuple[int, int]], now: int) -> int:
    """Give what outages until a moment would give back, were the boost over then."""
    since = boost.activated_at
    if since is None:
        return 0
    spans = [(max(start, since), min(end, boost.end, now)) for start, end in outages]
    return amount_of(boost, sum(max(0, end - start) for start, end in spans))


def _estimate(currency: str, costs: Sequence[Cost], month: tuple[int, int], at: int) -> Estimate:
    return Estimate(
        currency=currency,
        start=month[0],
        end=month[1],
        at=at,
        boosts=len(costs),
        settled=sum(each.so_far for each in costs if each.is_settled),
        running=sum(each.so_far for each in costs if not each.is_settled),
        upcoming=sum(each.expected - each.so_far for each in costs),
        credits=sum(each.credit for each in costs),
    )


def _too_many() -> Refused:
    said = f"More than {MOST_BOOSTS:,} boosts of the customer end this month: too many for an estimate"
    return Refused(said, code="LIMIT_EXCEEDED")
