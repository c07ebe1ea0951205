"""A service may have years of boosts that are over, so whoever asks for some of them finds these past all others, by an index.

Each boost says in three properties of its own what it is found by: `openOf` is the id of its service, until it is over; `activatedOf` is
that id and when the network had confirmed it; `boughtBy` is the customer who has booked it and its start, so that what was spent in
a month is a range; one of a file has it once it was looked at here. The moments have 13 digits until the year 2286: texts are in the order of time. Who writes what they are made of
writes them too. (The embedded database keeps all relationships of a node in one list, so that a walk costs what there ever was.)
"""

from __future__ import annotations

from typing import Final

_MOMENTS: Final = "#"
_SERVICE: Final = "HEAD(COLLECT {{ MATCH ({boost})-[:BOOSTS]->(o) RETURN o.id }})"
_BUYER: Final = (
    "HEAD(COLLECT {{ MATCH ({boost})-[:BOOSTS]->(:Service)<-[:SUBSCRIBES_TO]-(o) RETURN o.id ORDER BY o.id LIMIT 1 }})"
)


def key_of(of: str, at: int) -> str:
    """Give what a boost of a service or a customer is found by, at a moment in epoch milliseconds.

    >>> key_of("service-1", 1_700_000_000_000)
    'service-1#1700000000000'
    """
    return f"{of}{_MOMENTS}{at:013d}"


def marked(boost: str) -> str:
    """Give the assignments of what a boost says of itself by the rest of the graph; but for its buyer."""
    service = _SERVICE.format(boost=boost)
    return (
        f"{boost}.openOf = CASE WHEN {boost}.status <> 'TERMINATED' THEN {service} END, "
        f"{boost}.activatedOf = CASE WHEN {boost}.activatedAt IS NOT NULL THEN {service} + '{_MOMENTS}' + toString({boost}.activatedAt) END"
    )


def bought(boost: str) -> str:
    """Give the assignment of its buyer, by who has the service: a load does not make it, since it may bring the customer later."""
    return f"{boost}.boughtBy = {_BUYER.format(boost=boost)} + '{_MOMENTS}' + toString({boost}.startAt)"
