"""An alarm names one object, and what hurts customers is what fails with it: so the network is walked, from either end.

Failed is the object and what it holds: an element its cards, a card its ports, a port the trunk that ends there. A
service is hit where it is accessed at such a port or routed over such a trunk; where exactly is its *parts*
(`graph.model.effects`, which has the ways as data: all statements here are made of them).

`hits_of` walks from an object to all services, for an alarm that comes. `hits_on` walks from services to all that they use, and
finds the open alarms on that, for services whose network, state or contract has changed. Both give the same parts.

No walk goes from a thing to its alarms: nearly all of those are over. An open one is found by `Alarm.openOn`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, cast

from graph.model.effects import ACCESSED, CARRIED, CONTAINMENT, asserts_failure
from graph.model.mapping import Hop
from graph.model.model import RELATIONSHIPS, label_of
from graph.store.store import Transaction

Hits = Mapping[str, frozenset[str]]
"""Service id -> the parts of it that are hit."""
Harms = Mapping[str, Hits]
"""Service id -> alarm id -> the parts of the service that the alarm hits."""

NOTHING: Final[Hits] = MappingProxyType({})


def _drawn(ways: Sequence[Hop], last: str = "", step: str = "") -> str:
    """Spell steps in Cypher; the last relationship and the last node may have names."""
    texts = []
    for number, hop in enumerate(ways, 1):
        is_last = number == len(ways)
        edge = f"-[{step if is_last else ''}:{hop.type}]-"
        node = f"({last if is_last else ''}:{hop.label})"
        texts.append(f"<{edge}{node}" if hop.reverse else f"{edge}>{node}")
    return "".join(texts)


def _reversed(ways: Sequence[Hop], start: str) -> tuple[Hop, ...]:
    """Give the way back; `start` is the label from which the way leads."""
    labels = [start, *(each.label for each in ways)][: len(ways)]
    back = zip(reversed(ways), reversed(labels), strict=True)
    return tuple(Hop(type=hop.type, reverse=not hop.reverse, label=label) for hop, label in back)


def _by_holder(label: str) -> str:
    held = _drawn(CONTAINMENT[label], "p")
    start = f"(:{label} {{id: $object}})" if held else f"(p:{label} {{id: $object}})"
    return f"""
RETURN COLLECT {{
  MATCH {start}{held}
  MATCH (p){_drawn(ACCESSED, "s")}
  RETURN DISTINCT s.id
}}, COLLECT {{
  MATCH {start}{held}{_drawn(CARRIED[:-1], "t")}
  MATCH (t){_drawn(CARRIED[-1:], "s", "r")}
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}}
"""


_BY_TRUNK: Final = f"""
RETURN [], COLLECT {{
  MATCH (:Trunk {{id: $object}}){_drawn(CARRIED[-1:], "s", "r")}
  WITH DISTINCT s.id AS service, r.path AS path
  RETURN [service, path]
}}
"""
_RAISED_ON: Final = RELATIONSHIPS["RAISED_ON"].ends
_UP: Final[Mapping[str, str]] = MappingProxyType(
    {label: _BY_TRUNK if label == "Trunk" else _by_holder(label) for label in _RAISED_ON}
)


def _used(start: str, ways: Sequence[Hop], part: str) -> str:
    return f"COLLECT {{ MATCH {start}{_drawn(ways, 'n')} RETURN DISTINCT [n.id, {part}] }}"


def _used_below(start: str, ways: Sequence[Hop], part: str) -> list[str]:
    """Give what finds the port that the ways lead to, and all that holds it."""
    holders = [label for label in _RAISED_ON if label in CONTAINMENT]
    return [_used(start, (*ways, *_reversed(CONTAINMENT[label], label)), part) for label in holders]


_ROUTE: Final = _reversed(CARRIED[-1:], "Trunk")
_ROUTED: Final = f"(s){_drawn(_ROUTE, step='r')}"
_LISTS: Final = (
    *_used_below("(s)", _reversed(ACCESSED, "Port"), "'access'"),
    f"COLLECT {{ MATCH (s){_drawn(_ROUTE, 'n', 'r')} RETURN DISTINCT [n.id, toLower(r.path)] }}",
    *_used_below(_ROUTED, _reversed(CARRIED[:-1], "Port"), "toLower(r.path)"),
)
_PLUS: Final = "\n  + "
_USED: Final = f"""
UNWIND $batch.services AS id
MATCH (s:Service {{id: id}})
RETURN s.id, {_PLUS.join(_LISTS)}
"""
_OPEN_ON: Final = """
UNWIND $batch.things AS id
MATCH (a:Alarm {openOn: id})
RETURN id, a.id, a.alarmType, a.perceivedSeverity
"""


async def hits_of(transaction: Transaction, object_id: str) -> Hits:
    """Give the services that are hit when an object fails, in whatever state they are."""
    label = label_of(object_id)
    if label is None or label.name not in _UP:
        return NOTHING
    [row] = await transaction.run(_UP[label.name], {"object": object_id})
    accessed, routed = cast("tuple[list[str], list[tuple[str, str]]]", tuple(row))
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for service in accessed:
        parts[service].add("access")
    for service, path in routed:
        parts[service].add(path.lower())
    return {service: frozenset(each) for service, each in parts.items()}


async def hits_on(transaction: Transaction, services: Iterable[str]) -> Harms:
    """Give what each open alarm that asserts a failure hits of each of these services."""
    wanted = sorted(set(services))
    rows = await transaction.run(_USED, {"batch": {"services": wanted}}) if wanted else []
    used = cast("dict[str, list[tuple[str, str]]]", {str(service): things for service, things in rows})
    failed = await _failed_on(transaction, {thing for things in used.values() for thing, _ in things})
    return {service: _harms(things, failed) for service, things in used.items()}


async def _failed_on(transaction: Transaction, things: Iterable[str]) -> Mapping[str, Sequence[str]]:
    """Give the open alarms that assert a failure, by what they are raised on."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    wanted = sorted(things)
    rows = await transaction.run(_OPEN_ON, {"batch": {"things": wanted}}) if wanted else []
    for thing, alarm, alarm_type, severity in rows:
        if asserts_failure(str(alarm_type), str(severity)):
            found[str(thing)].append(str(alarm))
    return found


def _harms(used: Iterable[tuple[str, str]], failed: Mapping[str, Sequence[str]]) -> Hits:
    parts: defaultdict[str, set[str]] = defaultdict(set)
    for thing, part in used:
        for alarm in failed.get(thing, ()):
            parts[alarm].add(part)
    return {alarm: frozenset(each) for alarm, each in parts.items()}
