"""A service has one customer, a card one holder: two of them show one customer what is another's, so there must never be two.

And a trunk joins two ports: one that has the same at either end joins nothing. Neither database can hold that, so whoever writes does, in one way: *lock the node that may have one, look, then write*, in one
transaction. The node that is locked is the one that has the limit (the service, not the customer), whoever writes; so two that
write at once wait for each other, and the second sees what the first has written. Which relationships are limited is the
model's to say (`one_end`, `one_start`, `one_end_per`, `apart`). What is in a store all the same (written by hand, or by an older
version) is found by `violations`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Final, cast

from graph.model.model import RELATIONSHIPS, Relationship
from graph.store.looks import NotLookedThrough, look
from graph.store.store import Store, Transaction

_SHOWN: Final = 20
"""violations of a limit that are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A node of a label has at most one relationship of a type in one direction."""

    type: str
    label: str
    """of the node that has one."""
    outgoing: bool
    per: str = ""
    """a property of the relationship: at most one for each of its values."""
    apart: bool = False
    """not how many, but which: what the node has by one value of `per`, it has by no other value too."""

    @property
    def step(self) -> str:
        """The relationship, as it is drawn behind the node."""
        return f"-[r:{self.type}]->" if self.outgoing else f"<-[r:{self.type}]-"

    def told(self, node: str, others: Iterable[str]) -> str:
        """Say that a node has what it may not have beside another."""
        if self.apart:
            return f"{node} has {self.type} to {' and '.join(others)} more than once, and must have another for each {self.per}"
        which = "for one " + self.per if self.per else "of these"
        way = "to" if self.outgoing else "from"
        return f"{node} has {self.type} {way} {' and '.join(others)}, and can have only one {which}"


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """A relationship that a node is to have, and that may be its only one."""

    limit: Limit
    node: str
    other: str
    per: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A node that has several of what it may have one of."""

    limit: Limit
    node: str
    others: tuple[str, ...]

    def __str__(self) -> str:
        return self.limit.told(self.node, self.others)


def _limits(known: Relationship) -> Iterator[Limit]:
    if known.one_end or known.one_end_per:
        for label in known.starts:
            yield Limit(type=known.type, label=label, outgoing=True, per=known.one_end_per)
            if known.apart:
                yield Limit(type=known.type, label=label, outgoing=True, per=known.one_end_per, apart=True)
    if known.one_start:
        for label in known.ends:
            yield Limit(type=known.type, label=label, outgoing=False)


LIMITS: Final = tuple(limit for known in RELATIONSHIPS.values() for limit in _limits(known))
"""All limits of the model."""
_FIRST: Final = ("NetworkElement", "Card", "Port", "Trunk", "Service", "Alarm")
"""The labels whose nodes are locked before others, in the order of graph/changes/gates.py."""
_PLACES: Final = {
    each: place
    for place, each in enumerate(
        sorted(LIMITS, key=lambda limit: _FIRST.index(limit.label) if limit.label in _FIRST else len(_FIRST))
    )
}


@cache
def limits_on(type_: str, start: str, end: str) -> tuple[Limit, ...]:
    """Give the limits on a relationship between nodes of two labels."""
    return tuple(each for each in LIMITS if each.type == type_ and each.label == (start if each.outgoing else end))


# What a row asks for may be there already: that is no other.
def _look(limit: Limit, *, lock: bool) -> str:
    locked = "SET n._lock = true REMOVE n._lock WITH n, row " if lock else ""
    return (
        f"UNWIND $batch.rows AS row MATCH (n:{limit.label} {{id: row.node}}) {locked}"
        f"MATCH (n){limit.step}(o) WHERE {_against(limit)} RETURN DISTINCT row.node, row.other, row.per, o.id"
    )


def _against(limit: Limit) -> str:
    if limit.apart:
        return f"o.id = row.other AND r.{limit.per} <> row.per"
    return "o.id <> row.other" + (f" AND r.{limit.per} = row.per" if limit.per else "")


_SEEN: Final[Mapping[Limit, str]] = MappingProxyType({each: _look(each, lock=False) for each in LIMITS})
_LOCKED: Final[Mapping[Limit, str]] = MappingProxyType({each: _look(each, lock=True) for each in LIMITS})


def _several(limit: Limit) -> str:
    if limit.apart:
        return (
            f"MATCH (n:{limit.label}){limit.step}(o) WITH n, o, count(DISTINCT r.{limit.per}) AS times WHERE times > 1 "
            f"RETURN n.id, collect(o.id) ORDER BY n.id LIMIT $most"
        )
    per = f", r.{limit.per} AS per" if limit.per else ""
    return (
        f"MATCH (n:{limit.label}){limit.step}(o) WITH n{per}, collect(o.id) AS others WHERE size(others) > 1 "
        f"RETURN n.id, others ORDER BY n.id LIMIT $most"
    )


_SEVERAL: Final[Mapping[Limit, str]] = MappingProxyType({each: _several(each) for each in LIMITS})


async def taken(store: Store, wanted: Iterable[One], *, deadline: float) -> dict[One, str]:
    """Give those whose node has another one already, with the id of the other; nothing is locked."""
    found: dict[One, str] = {}
    for limit, rows in _by_limit(wanted).items():
        found |= _found(limit, await store.rows(_SEEN[limit], {"batch": {"rows": rows}}, deadline=deadline))
    return found


async def taken_under_lock(transaction: Transaction, wanted: Iterable[One]) -> dict[One, str]:
    """Lock the nodes that are to have one, in one order, and give the same: what is none of these may be written now."""
    found: dict[One, str] = {}
    for limit, rows in _by_limit(wanted).items():
        found |= _found(limit, await transaction.run(_LOCKED[limit], {"batch": {"rows": rows}}))
    return found


async def violations(store: Store, *, seconds: float) -> list[Violation | NotLookedThrough]:
    """Give the nodes that have several of what they may have one of: the first of each limit, by id.

    Each limit is looked at for so many seconds at most.
    """
    found: list[Violation | NotLookedThrough] = []
    for limit, text in _SEVERAL.items():
        rows = await look(store, f"{limit.type} of {limit.label}", text, {"most": _SHOWN}, seconds=seconds)
        if isinstance(rows, NotLookedThrough):
            found.append(rows)
            continue
        several = cast("list[tuple[str, list[str]]]", rows)
        found += [Violation(limit=limit, node=node, others=tuple(sorted(others))) for node, others in several]
    return found


def _by_limit(wanted: Iterable[One]) -> dict[Limit, list[dict[str, str]]]:
    """Sort by limit and node, so that any two transactions lock in the same order."""
    rows: dict[Limit, list[dict[str, str]]] = {}
    for each in sorted(wanted, key=lambda one: (_PLACES[one.limit], one.node, one.other, one.per)):
        rows.setdefault(each.limit, []).append({"node": each.node, "other": each.other, "per": each.per})
    return rows


def _found(limit: Limit, rows: list[list[object]]) -> dict[One, str]:
    texts = [[str(each) for each in row] for row in rows]
    return {One(limit=limit, node=node, other=other, per=per): there for node, other, per, there in texts}
