"""A subgraph names the places of its errors in its own answer; a client must find them in the one it gets.

A fault is an error and its place in the client's answer. Entities that a subgraph could not give have as many places as they
lie in; keys that were made up for fetching become the client's own again; and what a client has not asked for (the key of an
entity, a requirement) is told of at the object that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, cast

from gateway.errors import MOST_ERRORS, Code
from gateway.federation.execution.entities import Asked, Object, Place, places
from gateway.federation.planning.plan import QueryPlan, Request
from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One error of an answer."""

    place: Place
    message: str
    code: str
    subgraph: str

    def printed(self) -> dict[str, Any]:
        """Give it as an error of the GraphQL response format."""
        extensions = {"code": self.code, **({"subgraph": self.subgraph} if self.subgraph else {})}
        path = {"path": list(self.place)} if self.place else {}
        return {"message": self.message, **path, "extensions": extensions}


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
        found = (
            Fault(place=self.visible(place), message=_message(each), code=_code(each), subgraph=subgraph)
            for each in errors[:MOST_ERRORS]
            for place in self._places(request, asked, each.get("path"))
        )
        yield from dict.fromkeys(islice(found, MOST_ERRORS))

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
        if not isinstance(index, int) or not 0 <= index < len(call.objects):
            yield from self._of_entities(call, range(len(call.objects)), None)
        else:
            yield from self._of_entities(call, (index,), _plain(below) or None)

    def _of_entities(self, call: Asked, indexes: Sequence[int], below: Place | None) -> Iterator[Place]:
        meant = {id(each) for index in indexes for objects in call.objects[index] for each in objects}
        for path in call.call.paths:
            for each, place in places(self.root, path):
                if id(each) in meant:
                    for one in [below] if below else [(key,) for key in call.call.fields]:
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
        """Give a place by the client's keys, as far as the client can see it."""
        type_ = self.graph.supergraph.roots[self.plan.operation.kind]
        sets: Sets = (self.plan.operation.root,)
        names, data = self.plan.names, cast("Any", self.root)
        made: list[str | int] = []
        for segment in place:
            if isinstance(segment, int):
                made.append(segment)
                data = data[segment] if isinstance(data, list) and segment < len(data) else None
                continue
            owner = data.get("__typename", type_) if isinstance(data, dict) and self.graph.is_abstract(type_) else type_
            owner = owner if isinstance(owner, str) and owner in self.graph.supergraph.types else type_
            for item in self.plan.items.of(sets, owner).items:
                written = names.read(item, owner)
                if written is not None and written.key == segment:
                    break
            else:
                return tuple(made)
            made.append(item.key)
            type_ = self.graph.type(owner).fields[item.name].type
            sets, names = item.sets, written.inner
            data = data.get(segment) if isinstance(data, dict) else None
        return tuple(made)


def _plain(path: Sequence[Any]) -> Place:
    return tuple(each for each in path if isinstance(each, str | int))


def _message(error: Mapping[str, Any]) -> str:
    message = error.get("message")
    return message if isinstance(message, str) else "A subgraph could not answer."


def _code(error: Mapping[str, Any]) -> str:
    extensions = error.get("extensions")
    code = extensions.get("code") if isinstance(extensions, dict) else None
    return code if isinstance(code, str) and code in set(Code) else Code.SUBGRAPH_FAILED.value
