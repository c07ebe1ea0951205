"""While a service was down, a boost gave nothing: its usage stays as it is, and one credit is made when the boost is over.

The credit is a record of usage of the kind `boostCredit`: from the first outage within the boost on, as long as all of them together, at
the rate that was boosted. What it is worth, in minor units below zero, is in its record. Outages are the intervals in which the service
was `down` (graph/changes/services/downtime.py); one that lasts counts until the boost is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, cast

from graph.changes.bandwidth.boosts import Boost
from graph.changes.bandwidth.consequences.usage import SOURCE
from graph.model.usage import Usage, usage_id
from graph.store.store import Transaction

KIND: Final = "boostCredit"
"""of a record of usage that gives back what an outage took."""

_DOWN: Final = """
MATCH (d:Downtime)-[:INTERRUPTS]->(s:Service {id: $service})
WHERE d.effect = 'down' AND d.from < $to AND coalesce(d.to, $to) > $from
RETURN d.from, coalesce(d.to, $to) ORDER BY d.from
"""


async def credits_of(transaction: Transaction, service: str, over: Iterable[Boost]) -> list[Usage]:
    """Give the credits of boosts of a service that are over, and that the network had confirmed."""
    found = []
    for each in over:
        if each.activated_at is None or each.activated_at >= each.end:
            continue
        given = {"service": service, "from": each.activated_at, "to": each.end}
        rows = cast("list[tuple[int, int]]", await transaction.run(_DOWN, given))
        outages = [(max(start, each.activated_at), min(end, each.end)) for start, end in rows]
        if credit := _credit(service, each, outages):
            found.append(credit)
    return found


def credit_id(boost: str) -> str:
    """Give the id of the record that is the credit of a boost, whether or not there is one."""
    return usage_id(SOURCE, _name(boost))


def amount_of(boost: Boost, lost: int) -> int:
    """Give what a boost gives back for so many milliseconds, in minor units: 0 or less, rounded in the customer's favour."""
    return -boost.price * lost // (boost.end - boost.start)


def _name(boost: str) -> str:
    return f"{boost}:credit"


def _credit(service: str, boost: Boost, outages: Sequence[tuple[int, int]]) -> Usage | None:
    lost = sum(end - start for start, end in outages)
    if lost <= 0:
        return None
    return Usage(
        source=SOURCE,
        external_id=_name(boost.id),
        service=service,
        start=outages[0][0],
        end=outages[0][0] + lost,
        octets=None,
        mbps=boost.mbps,
        kind=KIND,
        record={
            "boost": boost.id,
            "amount": amount_of(boost, lost),
            "currency": boost.currency,
            "outages": [{"from": start, "to": end} for start, end in outages],
        },
    )
