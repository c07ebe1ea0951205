"""What the API means, in the plainest Python: the slice, filters, orders, impact, search and paths over plain values.

Written from the description of the model, not from the compiler, and slow on purpose: nothing here is cached or
indexed beyond a list of relationships per node.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from graph.compiler.cursor import list_context
from graph.model.model import LABELS, RELATIONSHIPS, Kind, Property
from tests.naive_effects import Needs, severity
from tests.resolvers.world import Edge, World

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
WORST_FIRST = ("critical", "major", "minor", "warning", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A world in which one can walk."""

    world: World
    _out: dict[tuple[str, str], list[Edge]] = field(default_factory=dict)
    _into: dict[tuple[str, str], list[Edge]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in self.world.edges:
            self._out.setdefault((each.type, each.start), []).append(each)
            self._into.setdefault((each.type, each.end), []).append(each)

    def edges(self, type_: str, node: str, *, reverse: bool) -> list[Edge]:
        """The relationships of a type that leave a node, or arrive there."""
        return (self._into if reverse else self._out).get((type_, node), [])

    def ends(self, type_: str, nodes: Iterable[str]) -> set[str]:
        """Where the relationships of a type lead from these nodes."""
        return {each.end for node in nodes for each in self.edges(type_, node, reverse=False)}

    def starts(self, type_: str, nodes: Iterable[str]) -> set[str]:
        """Where the relationships of a type that arrive at these nodes come from."""
        return {each.start for node in nodes for each in self.edges(type_, node, reverse=True)}


# The slice ---------------------------------------------------------------------------------------------------------


def slice_of(graph: Graph, customers: Iterable[str]) -> frozenset[str]:
    """The ids that customers see, sentence by sentence as the model describes it."""
    named = {each for each in customers if each in graph.world.nodes}
    services = graph.ends("SUBSCRIBES_TO", named)
    orders = graph.starts("PLACED_BY", named)
    trunks = graph.ends("ROUTED_OVER", services)
    ports = graph.ends("ACCESSED_AT", services) | graph.ends("TERMINATES_ON", trunks)
    cards = graph.starts("HAS_PORT", ports)
    elements = graph.starts("HOLDS", cards)
    boosts = graph.starts("BOOSTS", services)
    items = graph.ends("HAS_ITEM", orders)
    return frozenset(
        named
        | services
        | graph.ends("GOVERNED_BY", services)
        | orders
        | items
        | graph.starts("CANCELS", orders)
        | graph.starts("OPENED_FOR", named)
        | boosts
        | graph.starts("STEP_OF", boosts | items)
        | graph.starts("USED_BY", services)
        | graph.starts("INTERRUPTS", services)
        | graph.starts("CONCERNS_CUSTOMER", named)
        | graph.starts("AFFECTS", services)
        | trunks
        | ports
        | cards
        | elements
        | graph.ends("LOCATED_AT", elements)
    )


# Values ------------------------------------------------------------------------------------------------------------


def enum_value(word: str) -> str:
    """A word of a vocabulary as GraphQL has it: `atRisk` is AT_RISK."""
    if word == word.upper():
        return word
    return "".join(f"_{c}" if c.isupper() else c for c in word).upper()


def printed(known: Property, value: Any) -> Any:
    """A stored value as an answer has it; what cannot be printed is an error at its place."""
    if value is None:
        return None
    if known.words:
        return enum_value(value) if value in known.words else value
    match known.kind:
        case Kind.TIME:
            moment = EPOCH + timedelta(milliseconds=_integer(value))
            return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        case Kind.LARGE:
            return f"{_integer(value)}"
        case _:
            return value


def _integer(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("not a whole number")
    return value


def stored(known: Property, value: Any) -> Any:
    """A value of an argument as the graph stores it."""
    if known.words:
        return next(word for word in known.words if enum_value(word) == value)
    match known.kind:
        case Kind.TIME:
            return (datetime.fromisoformat(value) - EPOCH) // timedelta(milliseconds=1)
        case Kind.LARGE:
            return int(value)
        case _:
            return value


# Filters and orders ------------------------------------------------------------------------------------------------


def matches(label: str, values: Mapping[str, Any], wanted: Mapping[str, Any] | None) -> bool:
    """Whether a node satisfies a filter; a property that is absent equals nothing and is in no range."""
    return all(_part(label, values, key, each) for key, each in (wanted or {}).items() if each is not None)


def _part(label: str, values: Mapping[str, Any], key: str, wanted: Any) -> bool:
    match key:
        case "and":
            return all(matches(label, values, each) for each in wanted)
        case "or":
            return any(matches(label, values, each) for each in wanted)
        case "not":
            return not matches(label, values, wanted)
        case _:
            known = LABELS[label].property(key)
            return all(_holds(known, values.get(key), operator, each) for operator, each in wanted.items())


def _holds(known: Property, value: Any, operator: str, wanted: Any) -> bool:
    if operator == "eq" and wanted is None:
        return value is None
    if wanted is None:
        return True
    if operator == "range":
        return all(_holds(known, value, bound, each) for bound, each in wanted.items())
    if value is None:
        return False
    if operator == "in":
        return value in [stored(known, each) for each in wanted]
    return _compared(operator, value, stored(known, wanted))


def _compared(operator: str, value: Any, wanted: Any) -> bool:
    match operator:
        case "eq":
            return bool(value == wanted)
        case "contains":
            return unicodedata.normalize("NFKC", wanted).upper() in unicodedata.normalize("NFKC", value).upper()
        case "gt":
            return bool(value > wanted)
        case "gte":
            return bool(value >= wanted)
        case "lt":
            return bool(value < wanted)
        case _:
            return bool(value <= wanted)


def order_keys(label: str | None, order_by: Iterable[Mapping[str, str]] | None) -> list[tuple[str, bool]]:
    """The properties that a list is sorted by, each with whether it descends: what is asked, and the id at last."""
    keys: dict[str, bool] = {}
    for each in order_by or ():
        names = {_constant(known.name): known.name for known in LABELS[label or ""].properties}
        keys.setdefault(names[each["field"]], each["direction"] == "DESC")
    keys.setdefault("id", False)
    return list(keys.items())


def named_list(connection: str, field: str, given: Mapping[str, Any]) -> str:
    """What the cursors of a list are sealed for: its type and field, what it is sorted by, and its filter."""
    order = ",".join(("-" if by["direction"] == "DESC" else "") + by["field"] for by in given.get("orderBy") or ())
    return list_context(f"{connection}.{field}:{order}", given)


def _constant(name: str) -> str:
    return "".join(f"_{c}" if c.isupper() else c for c in name).upper()


# Search ------------------------------------------------------------------------------------------------------------


def found_by(values: Mapping[str, Any], text: str) -> bool:
    """Whether each word asked for begins some word of a node."""
    asked = "".join(c if c.isalnum() else " " for c in unicodedata.normalize("NFKC", text).casefold()).split()
    return all(any(word.startswith(each) for word in values["words"].split()) for each in asked)


# Impact ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """What failures do to one service."""

    service: str
    effect: str
    severity: str | None
    customer: str | None

    @property
    def rank(self) -> int:
        """Worst first."""
        return WORST_FIRST.index(self.severity)


MAY_FAIL = ("Site", "NetworkElement", "Card", "Port", "Trunk")


def impact(graph: Graph, failed: Iterable[str], seen: frozenset[str]) -> list[Hit]:
    """Every service that is seen and suffers if these fail, worst first."""
    gone = everything_that_fails(graph, failed)
    hits = [_hit(graph, service, gone) for service in graph.world.ids("Service") if service in seen]
    return sorted((each for each in hits if each is not None), key=lambda each: (each.rank, each.service))


def everything_that_fails(graph: Graph, failed: Iterable[str]) -> frozenset[str]:
    """A site takes its elements along, an element its cards, a card its ports, a port the trunk that ends there."""
    gone = {each for each in failed if each in graph.world.nodes}
    gone |= graph.starts("LOCATED_AT", gone)
    gone |= graph.ends("HOLDS", gone)
    gone |= graph.ends("HAS_PORT", gone)
    gone |= graph.starts("TERMINATES_ON", gone)
    return frozenset(gone)


def _hit(graph: Graph, service: str, gone: frozenset[str]) -> Hit | None:
    routed = graph.edges("ROUTED_OVER", service, reverse=False)
    needs = Needs(
        access=tuple(graph.ends("ACCESSED_AT", [service])),
        working=tuple(each.end for each in routed if each.values["path"] == "WORKING"),
        protecting=tuple(each.end for each in routed if each.values["path"] == "PROTECTING"),
        state=graph.world.nodes[service].values["state"],
    )
    effect = needs.effect(gone)
    if effect is None:
        return None
    slas = graph.ends("GOVERNED_BY", [service])
    tiers = [graph.world.nodes[each].values["tier"] for each in slas]
    customers = sorted(graph.starts("SUBSCRIBES_TO", [service]))
    return Hit(
        service=service,
        effect=effect,
        severity=severity(effect, tiers[0] if tiers else None),
        customer=customers[0] if customers else None,
    )


# Path --------------------------------------------------------------------------------------------------------------

_WAYS = ("HOLDS", "HAS_PORT", "TERMINATES_ON")
_ENDS = ("NetworkElement", "Card", "Port")


def paths(graph: Graph, left: str, right: str) -> list[list[str]]:
    """All shortest ways between two pieces of equipment; none between a thing and itself."""
    nodes = graph.world.nodes
    if left == right or any(each not in nodes or nodes[each].label not in _ENDS for each in (left, right)):
        return []
    ways, seen = [[left]], {left}
    while ways:
        arrived = [each for each in ways if each[-1] == right]
        if arrived:
            return arrived
        seen |= {each[-1] for each in ways}
        ways = [[*way, each] for way in ways for each in sorted(_neighbours(graph, way[-1])) if each not in seen]
    return []


def _neighbours(graph: Graph, node: str) -> set[str]:
    assert all(each in RELATIONSHIPS for each in _WAYS)
    return {each for type_ in _WAYS for each in graph.ends(type_, [node]) | graph.starts(type_, [node])}
