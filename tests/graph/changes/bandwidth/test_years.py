"""After years of boosts a service costs what it did on the first day: two services of one network, of which one has been boosted often.

Both are asked about in turn, so that what else the machine does befalls both. Whatever walks to what is over takes many times as long.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

import pytest

from graph.changes.bandwidth import boosts, network
from graph.changes.bandwidth.consequences.leads import open_leads
from graph.changes.bandwidth.looking import read_sellable, read_spent
from graph.changes.bandwidth.policy import LeadRule, SpendCap
from graph.changes.bandwidth.spending import is_above_cap
from graph.changes.bandwidth.writing import begin_turn
from graph.store.store import Store, Transaction
from tests.graph.changes.bandwidth.network import HOUR, OPERATOR, POLICY, Booked, laid_out
from tests.graph.changes.network import soon
from tests.selection import is_full

ENDED, AT_ONCE = 10_000 if is_full() else 2_000, 2_000
OFTEN, SELDOM = "service-a", "service-c"
DAY = 24 * HOUR
CAP = SpendCap(amount=10_000, currency="EUR")
WITH_LEADS = replace(POLICY, leads=(LeadRule(boosts=9),), cap=CAP)
PAST = """
MATCH (s:Service {id: $service})
UNWIND range(1, $count) AS n
WITH s, n, $now - $gone - n * $pause AS start
CREATE (b:Boost {
  id: $service + 'boost-old' + toString($from + n), mbps: 100, startAt: start, endAt: start + 1000, status: 'TERMINATED', price: 100,
  currency: 'EUR', activatedAt: start, endedAt: start + 1000, activatedOf: $service + '#' + toString(start),
  boughtBy: $customer + '#' + toString(start), _turned: true
})-[:BOOSTS]->(s)
CREATE (:ProcessStep {
  id: 'processstep-' + $service + toString($from + n), name: 'rate', boundary: 'RETURN', system: 'NETWORK', state: 'DONE', stage: 0,
  startedAt: start, finishedAt: start, attempts: 1
})-[:STEP_OF]->(b)
CREATE (:Task {
  id: 'task-' + $service + toString($from + n), kind: 'returnRefused', state: 'DONE', about: $service, reason: 'no', openedAt: start,
  settledAt: start, settledBy: 'trunkline'
})
"""


OPEN = "MATCH (b:Boost) WHERE b.openOf > '' RETURN b.id, b.openOf"


@pytest.fixture
async def booked(empty_store: Store) -> Booked:
    found = await laid_out(empty_store)
    found.policy = WITH_LEADS
    given = {"service": OFTEN, "customer": "customer-a", "now": await found.now(), "pause": HOUR, "gone": 40 * DAY}
    for start in range(0, ENDED, AT_ONCE):
        await found.run(PAST, count=AT_ONCE, **{"from": start}, **(given | {"gone": 40 * DAY + start * HOUR}))
    return found


async def take(booked: Booked, service: str) -> None:
    """Do what each booking and each boundary begins with, and what they look back at."""
    customer = {OFTEN: "customer-a", SELDOM: "customer-c"}[service]

    async def work(transaction: Transaction) -> None:
        found = await boosts.take(transaction, service, POLICY.provisioning)
        assert found is not None
        assert found.boosts == {}
        await begin_turn(transaction, WITH_LEADS, found)
        assert not await is_above_cap(transaction, CAP, customer, [(found.now, 100)], [])
        await open_leads(transaction, WITH_LEADS, found, subject="p")

    await booked.store.write(work, deadline=soon())
    assert await network.wanted_rate(booked.store, service, deadline=soon()) in (50, 100)


async def look(booked: Booked, service: str) -> None:
    found = await read_sellable(booked.store, OPERATOR, service, POLICY.overbooking, deadline=soon())
    assert found is not None
    assert await read_spent(booked.store, CAP, "customer-a", found.now, deadline=soon()) == 0


async def test_what_is_over_costs_nothing(booked: Booked) -> None:
    """Neither where it is locked and decided, nor where it is read, nor where services that have moved are looked for."""
    for what in (take, look):
        spent: dict[str, list[float]] = {OFTEN: [], SELDOM: []}
        for _ in range(20):
            for service, times in spent.items():
                began = time.perf_counter()
                await what(booked, service)
                times.append(time.perf_counter() - began)
        often, seldom = (statistics.median(times[5:]) for times in spent.values())
        assert often < 2 * seldom + 0.005, (what, spent)
    boost = (await booked.book(service=SELDOM, mbps=100, by=OPERATOR)).ids["boost"]
    assert await booked.rows(OPEN) == [[boost, SELDOM]]
    await booked.answer()
    await booked.cancel(boost, by=OPERATOR)
    await booked.answer()
    assert await booked.rows(OPEN) == []
