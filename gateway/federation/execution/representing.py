"""What stands for an entity is read from what other subgraphs answered, who may have left out or broken what it is made of.

For each call of a plan, an `EntityReader` is compiled once. `represent` gives the representation of an entity, or None where
it has none by right: a key that may be null is null. It raises `Unusable` where a value breaks the supergraph's own types:
null or absent where none may be, or malformed. Such a value is never sent on, since a subgraph would compute from it.
A requirement that may be null is a value like any other. Source: GraphQL, 6.4.4; Apollo Federation, "entities".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final, TypeAlias

from gateway import exact_json
from gateway.federation.execution.entities import Asked, Object, collect, merge
from gateway.federation.execution.leaves import ACCEPTED, fits
from gateway.federation.planning.plan import Call
from gateway.federation.planning.representations import Part, Parts
from gateway.federation.query_graph import QueryGraph
from gateway.federation.supergraph import SuperField

Read: TypeAlias = Callable[[Any], Any]
TYPENAME: Final = "__typename"


class Unusable(Exception):
    """A subgraph gave no valid value for what an entity is known by, or for what is required of it."""


class _NoKey(Exception):
    """A key is null that may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityReader:
    """How the entities of a call are read."""

    call: Call
    identity: Read
    """by what an entity is told from others, where that is quick to say; None where only its representation tells."""
    represent: Callable[[Object], Object | None]


def gather(reader: EntityReader, root: Object) -> Asked:
    """Collect the entities of a call, equal ones once, and those that cannot be asked for."""
    asked = Asked(call=reader.call)
    index: dict[Any, int] = {}
    for number, path in enumerate(reader.call.paths):
        for each in collect(root, path):
            identity = reader.identity(each)
            try:
                at = None if identity is None else index.get(identity)
            except TypeError:  # an object or a list where neither belongs
                identity = at = None
            if at is None:
                at = _add(asked, index, reader, each, identity)
            if at is not None:
                asked.objects[at][number].append(each)
    return asked


def _add(asked: Asked, index: dict[Any, int], reader: EntityReader, entity: Object, identity: Any) -> int | None:
    """Give the number of an entity's representation, which may be a new one; None where it has none."""
    try:
        sent = reader.represent(entity)
    except Unusable:
        asked.unusable.append(entity)
        return None
    if sent is None:
        return None
    key = exact_json.dumps(sent) if identity is None else identity
    at = index.setdefault(key, len(asked.sent))
    if at == len(asked.sent):
        asked.sent.append(sent)
        asked.objects.append([[] for _ in reader.call.paths])
    return at


def entity_reader(graph: QueryGraph, call: Call) -> EntityReader:
    """Compile the reading of a call's entities."""
    given = call.representation
    making = _Making(graph)
    keys = making.fields(given.typename, given.key.fields, is_key=True)
    required = making.fields(given.typename, given.required.fields, is_key=False)

    def represent(entity: Object) -> Object | None:
        sent: Object = {TYPENAME: given.typename}
        try:
            for name, read in keys:
                sent[name] = read(entity)
        except _NoKey:
            return None
        for name, read in required:
            value, known = read(entity), sent.get(name)
            if type(known) is dict and type(value) is dict:
                merge(known, value)
            else:
                sent[name] = value
        return sent

    return EntityReader(call=call, identity=_identity(graph, call), represent=represent)


def _identity(graph: QueryGraph, call: Call) -> Read:
    given = call.representation
    parts = (*given.key.fields, *given.required.fields)
    names, needed = [each.key for each in parts], len(given.key.fields)
    # Of custom scalars 1, 1.0 and true are different values, though Python takes them for equal.
    if any(each.inner or not _is_built_in(graph, given.typename, each.name) for each in parts):
        return lambda _: None
    if len(names) == 1 and needed:
        (only,) = names
        return lambda entity: entity.get(only)

    if len(names) < 2:
        return lambda _: None
    present = itemgetter(*names)

    def several(entity: Object) -> Any:
        try:
            values = present(entity)
        except KeyError:
            values = tuple(map(entity.get, names))
        return None if None in values[:needed] else values

    return several


def _is_built_in(graph: QueryGraph, owner: str, name: str) -> bool:
    field = graph.type(owner).fields.get(name)
    return field is not None and (field.type in ACCEPTED or graph.type(field.type).kind == "enum")


class _Making:
    """Functions that read one value each, made from the types of the supergraph."""

    def __init__(self, graph: QueryGraph) -> None:
        self._graph = graph

    def fields(self, owner: str, parts: tuple[Part, ...], *, is_key: bool) -> tuple[tuple[str, Read], ...]:
        """Give for each part its name and what reads it from an object of a type."""
        return tuple((each.name, self._field(owner, each, is_key=is_key)) for each in parts)

    def _field(self, owner: str, part: Part, *, is_key: bool) -> Read:
        field = self._graph.type(owner).fields.get(part.name)
        if part.inner is None:
            inner = self._leaf(field)
        else:
            assert field is not None, "only fields of a known type have parts"
            inner = self._object(field.type, part.inner, is_key=is_key)
        shape, key = field.shape if field else "", part.key
        read, quick = _shaped(shape, inner, is_key=is_key), None
        if part.inner is None and not shape.startswith("["):
            quick = _quick(field.type if field else "String")

        def of(entity: Object) -> Any:
            value = entity.get(key)
            return value if type(value) is quick else read(value)

        return of

    def _leaf(self, field: SuperField | None) -> Read:
        name = field.type if field else "String"  # __typename
        kind = self._graph.type(name).kind if field and name not in ACCEPTED else "scalar"

        def leaf(value: Any) -> Any:
            if fits(kind, name, value):
                return value
            raise Unusable

        return leaf

    def _object(self, type_: str, parts: Parts, *, is_key: bool) -> Read:
        own = self.fields(type_, parts.fields, is_key=is_key)
        by_type: Mapping[str, tuple[tuple[str, Read], ...]] = {
            name: self.fields(name, fields, is_key=is_key) for name, fields in parts.types
        }

        def made(value: Any) -> Any:
            if type(value) is not dict:
                raise Unusable
            name = value.get(TYPENAME)
            if parts.abstract and not (name is None or isinstance(name, str)):
                raise Unusable
            told = {TYPENAME: name} if parts.abstract and name is not None else {}
            return {**told, **{key: read(value) for key, read in by_type.get(name or "", own)}}

        return made


def _quick(name: str) -> type | None:
    """Give the type whose values are all valid for a built-in scalar; of an integer the type is not all."""
    return None if name == "Int" else ACCEPTED.get(name)


def _shaped(shape: str, present: Read, *, is_key: bool) -> Read:
    """Wrap what reads a value of a named type, and refuses null, as the whole type says."""
    if shape.endswith("]!"):
        return _many(_shaped(shape[1:-2], present, is_key=False))
    if shape.endswith("!"):
        return present
    if shape.startswith("["):
        return _or_null(_many(_shaped(shape[1:-1], present, is_key=False)), is_key=is_key)
    return _or_null(present, is_key=is_key)


def _many(item: Read) -> Read:
    def many(value: Any) -> Any:
        if type(value) is not list:
            raise Unusable
        return list(map(item, value))

    return many


def _or_null(present: Read, *, is_key: bool) -> Read:
    if is_key:
        return lambda value: _no_key() if value is None else present(value)
    return lambda value: None if value is None else present(value)


def _no_key() -> Any:
    raise _NoKey
