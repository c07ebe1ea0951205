"""A fetch is what must be known; a request is what goes over a wire, and there should be few of them.

In: the fetches of an operation. Out: a `QueryPlan`: requests with their texts, each after those whose answers it sends.
Fetches of one subgraph that can go at one time share a request; one that nobody waits for is put off to a time at which
its subgraph is asked anyway; entities that are asked for several things by one representation are asked for them at once; and
entities that are asked the same, wherever they are, are asked once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Final

from graphql import parse

from gateway.federation.planning.fetches import Fetch, Node, Path
from gateway.federation.planning.items import Items
from gateway.federation.planning.names import Names
from gateway.federation.planning.normalize import Normalized
from gateway.federation.planning.representations import Representation, representation
from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Fragment, SelectionSet, compact
from gateway.federation.supergraph import Graph
from gateway.syntax import variables_in

VARIABLE: Final = re.compile(r"\$(\w+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """Entities that are asked for in a request."""

    key: str
    """of the answer's list,"""
    variable: str
    """of the list that is sent."""
    paths: tuple[Path, ...]
    representation: Representation
    fields: tuple[str, ...]
    """what is asked of the entities; for errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request to one subgraph."""

    graph: Graph
    kind: str
    text: str
    variables: tuple[str, ...]
    """those of the client's that it passes on."""
    root: Path | None
    """where its root fields belong; None where it asks entities only."""
    fields: tuple[str, ...]
    """its root fields; for errors."""
    calls: tuple[Call, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryPlan:
    """How an operation is answered."""

    operation: Normalized
    requests: tuple[Request, ...]
    names: Names
    """under which key the answer's fields lie in what was fetched."""
    items: Items

    def __str__(self) -> str:
        return "\n".join(_printed(number, each) for number, each in enumerate(self.requests)) or "(nothing to ask)\n"


def make_plan(graph: QueryGraph, items: Items, operation: Normalized, fetches: list[Fetch], names: Names) -> QueryPlan:
    """Put fetches into requests."""
    groups = list(_grouped(fetches))
    number = {fetch: index for index, group in enumerate(groups) for fetch in group}
    making = _Making(graph, items, operation)
    initial = _initial(groups, operation)
    requests = tuple(
        making.request(
            group,
            {number[each] for fetch in group for each in fetch.after},
            operation.directives if group in initial else "",
        )
        for group in groups
    )
    return QueryPlan(operation=operation, requests=requests, names=names, items=items)


def _initial(groups: list[tuple[Fetch, ...]], operation: Normalized) -> frozenset[tuple[Fetch, ...]]:
    """Give the first request to each subgraph that is of the operation's kind: it bears the operation's directives."""
    first: dict[Graph, tuple[Fetch, ...]] = {}
    for group in groups:
        if group[0].kind == operation.kind:
            first.setdefault(group[0].graph, group)
    return frozenset(first.values())


def _grouped(fetches: list[Fetch]) -> Iterator[tuple[Fetch, ...]]:
    levels: dict[Fetch, int] = {}
    for each in _in_order(fetches):
        levels[each] = max((levels[one] + 1 for one in each.after), default=0)
    _put_off(fetches, levels)
    groups: dict[object, list[Fetch]] = {}
    for each in sorted(fetches, key=lambda one: (levels[one], one.number)):
        alone = each.path if each.input is None else None
        groups.setdefault((levels[each], each.graph, each.kind, alone or None), []).append(each)
    return map(tuple, groups.values())


def _in_order(fetches: list[Fetch]) -> Iterable[Fetch]:
    """Give fetches, each behind those that it comes after."""
    ordered: dict[Fetch, None] = {}
    stack = list(reversed(fetches))
    while stack:
        waiting = [each for each in stack[-1].after if each not in ordered]
        if waiting:
            stack.extend(waiting)
        else:
            ordered[stack.pop()] = None
    return ordered


def _put_off(fetches: list[Fetch], levels: dict[Fetch, int]) -> None:
    latest = dict.fromkeys(fetches, max(levels.values(), default=0))
    at: dict[tuple[Graph, int], list[Fetch]] = {}
    for each in fetches:
        at.setdefault((each.graph, levels[each]), []).append(each)
    for graph, level in sorted(at, key=lambda one: -one[1]):
        group = at[graph, level]
        bound = min(latest[each] for each in group)
        later = next((one for one in range(level + 1, bound + 1) if (graph, one) in at), None)
        if later is not None and all(each.kind == "query" for each in group):
            at[graph, later] += at.pop((graph, level))
            levels.update(dict.fromkeys(group, later))
        for each in group:
            for before in each.after:
                latest[before] = min(latest[before], levels[each] - 1)


class _Making:
    """The making of one operation's requests."""

    def __init__(self, graph: QueryGraph, items: Items, operation: Normalized) -> None:
        self._graph = graph
        self._items = items
        self._operation = operation
        under = max((len(name) - len(name.lstrip("_")) for name, _ in operation.variables), default=0)
        self._prefix = "_" * (under + 1) + "r"  # no variable of the client's begins so

    def request(self, group: tuple[Fetch, ...], after: set[int], directives: str) -> Request:
        """Make the request of a group of fetches."""
        first = group[0]
        parts = [compact(each.node.selection()) for each in group if each.input is None]
        roots = [each.path for each in group if each.input is None]
        fields = tuple(key for each in group if each.input is None for key in each.node.fields)
        calls = self._calls(group)
        free = (key for key in _keys() if key not in fields)  # a response key is the client's to choose
        made = [
            _call(key, f"{self._prefix}{index}", asked, same)
            for index, (((asked, _), same), key) in enumerate(zip(calls.items(), free, strict=False))
        ]
        entities = [_entities(call, text) for call, (_, text) in zip(made, calls, strict=True)]
        body = f"{{ {' '.join([*parts, *entities])} }}"
        used = _variables(body) | _variables(f"query{directives} {{ a }}")
        passed = tuple((name, type_) for name, type_ in self._operation.variables if name in used)
        head = ", ".join(f"${name}: {type_}" for name, type_ in (*passed, *((c.variable, "[_Any!]!") for c in made)))
        return Request(
            graph=first.graph,
            kind=first.kind,
            text=f"{first.kind}{f'({head})' if head else ''}{directives} {body}",
            variables=tuple(name for name, _ in passed),
            root=roots[0] if roots else None,
            fields=fields,
            calls=tuple(made),
            after=tuple(sorted(after)),
        )

    def _calls(self, group: tuple[Fetch, ...]) -> Mapping[tuple[Representation, str], list[tuple[Path, Node]]]:
        """Give what is asked of entities, by how it is asked: each once, wherever they are."""
        together: dict[tuple[Representation, Path], list[Node]] = {}
        for each in group:
            if each.input is not None:
                asked = representation(self._graph, self._items, each.input)
                _add(together.setdefault((asked, each.path), []), each.node.fragment(asked.typename))
        calls: dict[tuple[Representation, str], list[tuple[Path, Node]]] = {}
        for (asked, path), nodes in together.items():
            for node in nodes:
                text = compact(SelectionSet((Fragment(on=asked.typename, inner=node.selection()),)))
                calls.setdefault((asked, text), []).append((path, node))
        return calls


def _add(nodes: list[Node], more: Node) -> None:
    """Ask the same entities for more at once, where no key is meant twice."""
    for each in nodes:
        if not (each.fields.keys() & more.fields.keys() or each.fragments.keys() & more.fragments.keys()):
            each.fields |= more.fields
            each.fragments |= more.fragments
            each.typename |= more.typename
            return
    nodes.append(more)


def _keys() -> Iterator[str]:
    """Give keys for the entities of one request, without an end."""
    yield "_entities"
    yield from (f"_entities_{number}" for number in count(1))


def _call(key: str, variable: str, asked: Representation, same: list[tuple[Path, Node]]) -> Call:
    return Call(
        key=key,
        variable=variable,
        paths=tuple(dict.fromkeys(path for path, _ in same)),
        representation=asked,
        fields=tuple(same[0][1].fields),
    )


def _entities(call: Call, text: str) -> str:
    alias = "" if call.key == "_entities" else f"{call.key}: "
    return f"{alias}_entities(representations: ${call.variable}) {{ {text} }}"


def _variables(text: str) -> frozenset[str]:
    if '"' in text:  # a dollar sign may stand in a string as well
        return variables_in(parse(text, no_location=True))
    return frozenset(VARIABLE.findall(text))


def _printed(number: int, request: Request) -> str:
    after = f" after {', '.join(f'#{each}' for each in request.after)}" if request.after else ""
    lines = [f"#{number} {request.graph}{after}", f"    {request.text}"]
    if request.root:
        lines.append(f"    into {print_path(request.root)}")
    for each in request.calls:
        lines += [f"    ${each.variable}: {each.representation} at {print_path(path)}" for path in each.paths]
    return "\n".join(lines) + "\n"


def print_path(path: Path) -> str:
    """Print a path."""
    return "/".join(each if isinstance(each, str) else f"[{'|'.join(sorted(each))}]" for each in path) or "the root"
