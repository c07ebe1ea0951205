"""A subgraph names the places of its errors in its own answer; a client must find them in the one it gets.

A fault is an error and its places in the client's answer. What one subgraph lacks at many entities is one fault, which has the
first place and counts them: a list of the same sentence tells nobody more. Entities that a subgraph could not give have as many places as they
lie in; keys that were made up for fetching become the client's own again; and what a client has not asked for (the key of an
entity, a requirement) is told of at the object that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice, takewhile
from typing import Any, Final, TypeGuard, cast

from gateway.errors import MOST_ERRORS, Code
from gateway.federation.execution.entities import Asked, Object, Place, places
from gateway.federation.planning.items import Item
from gateway.federation.planning.names import Names, Written
from gateway.federation.planning.plan import QueryPlan, Request
from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Sets

MOST_PLACES: Final = 10_000
"""of one answer's errors that are counted: it is done in the event loop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error of an answer."""

    place: Place
    message: str
    code: str
    subgraph: str
    hint: str = ""
    """what the subgraph says to do about it; empty: what is said of the code."""
    count: int = 1
    """of its places: they differ by the indexes of lists only."""
    others: tuple[Place, ...] = ()
    """some of the other places."""

    @property
    def kind(self) -> tuple[Place, str, str, str, str]:
        """What it has in common with the faults that are told together with it."""
        return fields_of(self.place), self.message, self.code, self.hint, self.subgraph

    def with_more(self, other: Fault) -> Fault:
        """Count another of its kind in."""
        places = (*self.others, other.place, *other.others)[: MOST_ERRORS - 1]
        return replace(self, count=self.count + other.count, others=places)

    def printed(self) -> dict[str, Any]:
        """Give it as an error of the GraphQL response format."""
        extensions: dict[str, Any] = {"code": self.code, **({"subgraph": self.subgraph} if self.subgraph else {})}
        if self.hint:
            extensions["hint"] = self.hint
        if self.count > 1:
            extensions["count"] = self.count
        path = {"path": list(self.place)} if self.place else {}
        return {"message": self.message, **path, "extensions": extensions}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a subgraph says of an error, wherever it is."""

    message: str
    code: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What must be known to find the places of one request's errors."""

    graph: QueryGraph
    plan: QueryPlan
    root: Object
    """what has been fetched so far."""

    def faults(
        self, request: Request, asked: Mapping[str, Asked], subgraph: str, errors: Sequence[Mapping[str, Any]]
    ) -> Iterator[Fault]:
        """Give the faults that the errors of an answer are; no more than an answer can have."""
        different = {(_said(each), str(each.get("path"))): each for each in errors}
        found = (
            (place, said)
            for (said, _), each in different.items()
            for place in self._places(request, asked, each.get("path"))
        )
        yield from self._together(found, subgraph)

    def lost(self, asked: Asked, objects: Iterable[Object], subgraph: str, message: str) -> Iterator[Fault]:
        """Give the faults at what was to be asked of entities, and was not answered without an error saying so."""
        said = _Said(message=message, code=Code.SUBGRAPH_FAILED.value)
        found = ((place, said) for place in self._of_objects(asked, objects, None))
        yield from self._together(found, subgraph)

    def _together(self, found: Iterable[tuple[Place, _Said]], subgraph: str) -> Iterator[Fault]:
        """Put those together that differ by indexes only; no more of the rest than an answer can have."""
        kinds: dict[tuple[Place, _Said], dict[Place, None]] = {}
        for place, said in islice(found, MOST_PLACES):
            kind = (fields_of(place), said)
            if kind in kinds or len(kinds) < MOST_ERRORS:
                kinds.setdefault(kind, {})[place] = None
        for (_, said), found_at in kinds.items():
            first, *others = dict.fromkeys(map(self.visible, islice(found_at, MOST_ERRORS)))
            seen = 1 + len(others)
            yield Fault(
                place=first,
                message=said.message,
                code=said.code,
                hint=said.hint,
                subgraph=subgraph,
                count=seen if len(found_at) <= MOST_ERRORS else len(found_at),
                others=tuple(others),
            )

    def _places(self, request: Request, asked: Mapping[str, Asked], path: Any) -> Iterator[Place]:
        first, *rest = path if isinstance(path, list) and path else (None,)
        if isinstance(first, str) and first in asked:
            yield from self._of_call(asked[first], rest)
        elif first is not None and request.root is not None:
            for _, place in places(self.root, request.root):
                yield (*place, *_plain(path))
        else:
            yield from self._everywhere(request, asked)

    def _of_call(self, call: Asked, rest: list[Any]) -> Iterator[Place]:
        index, *below = rest or (None,)
        if not _is_index(index) or index >= len(call.objects):
            yield from self._of_entities(call, range(len(call.objects)), None)
        else:
            yield from self._of_entities(call, (index,), _plain(below) or None)

    def _of_entities(self, call: Asked, indexes: Iterable[int], below: Place | None) -> Iterator[Place]:
        found = (each for index in indexes for objects in call.objects[index] for each in objects)
        return self._of_objects(call, found, below)

    def _of_objects(self, call: Asked, objects: Iterable[Object], below: Place | None) -> Iterator[Place]:
        meant = set(map(id, objects))
        fields: list[Place] = [below] if below else [(key,) for key in call.call.fields]
        for path in call.call.paths:
            for each, place in places(self.root, path):
                if id(each) in meant:
                    for one in fields or [()]:  # what is asked may be fragments only
                        yield (*place, *one)

    def _everywhere(self, request: Request, asked: Mapping[str, Asked]) -> Iterator[Place]:
        """Give the places of everything that a request asks."""
        if request.root is not None:
            for _, place in places(self.root, request.root):
                for key in request.fields:
                    yield (*place, key)
        for call in asked.values():
            yield from self._of_entities(call, range(len(call.objects)), None)

    def visible(self, place: Place) -> Place:
        """Give a place by the client's keys, as far as the client can see it and its indexes are those of lists."""
        type_ = self.graph.supergraph.roots[self.plan.operation.kind]
        sets: Sets = (self.plan.operation.root,)
        names, data = self.plan.names, cast("Any", self.root)
        made: list[str | int] = []
        lists = 0  # how many levels of lists the value here has
        for segment in place:
            if isinstance(segment, int):
                if not lists or (isinstance(data, list) and segment >= len(data)):
                    break
                made.append(segment)
                lists -= 1
                data = data[segment] if isinstance(data, list) else None
                continue
            owner = self._owner(type_, data)
            found = None if lists else self._item(sets, owner, names, segment)
            if found is None:
                break
            item, written = found
            made.append(item.key)
            field = self.graph.type(owner).fields[item.name]
            type_, lists = field.type, field.shape.count("[")
            sets, names = item.sets, written.inner
            data = data.get(segment) if isinstance(data, dict) else None
        return tuple(made)

    def _owner(self, type_: str, data: Any) -> str:
        name = data.get("__typename") if isinstance(data, dict) and self.graph.is_abstract(type_) else None
        return name if isinstance(name, str) and name in self.graph.supergraph.types else type_

    def _item(self, sets: Sets, owner: str, names: Names, key: str) -> tuple[Item, Written] | None:
        """Give what a client asked for that was fetched under a key."""
        for item in self.plan.items.of(sets, owner).items:
            written = names.read(item, owner)
            if written is not None and written.key == key:
                return item, written
        return None


def untold(faults: Iterable[Fault], told: Sequence[Fault]) -> list[Fault]:
    """Give the faults whose places no error at them or above them explains."""
    known = {place for each in told for place in (each.place, *each.others)}
    return [each for each in faults if not any(each.place[:length] in known for length in range(len(each.place) + 1))]


def fields_of(place: Place) -> Place:
    """Give a place without the indexes of lists."""
    return tuple(each for each in place if isinstance(each, str))


def together(faults: Iterable[Fault]) -> list[Fault]:
    """Put those together, of all requests, that differ by indexes only."""
    kinds: dict[Any, Fault] = {}
    for each in faults:
        known = kinds.get(each.kind)
        kinds[each.kind] = each if known is None else known.with_more(each)
    return list(kinds.values())


def _is_index(value: Any) -> TypeGuard[int]:
    return type(value) is int and value >= 0


def _plain(path: Sequence[Any]) -> Place:
    """Give a path up to where it is none: GraphQL, 7.1.2, knows field names and list indexes only."""
    return tuple(takewhile(lambda each: isinstance(each, str) or _is_index(each), path))


def _said(error: Mapping[str, Any]) -> _Said:
    message, extensions = error.get("message"), error.get("extensions")
    extensions = extensions if isinstance(extensions, dict) else {}
    code, hint = extensions.get("code"), extensions.get("hint")
    return _Said(
        message=message if isinstance(message, str) else "A subgraph could not answer.",
        code=code if isinstance(code, str) and code in set(Code) else Code.SUBGRAPH_FAILED.value,
        hint=hint if isinstance(hint, str) else "",
    )
