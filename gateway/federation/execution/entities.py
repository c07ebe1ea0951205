"""Entities lie scattered in what was fetched so far; a subgraph is asked for each once, and answers go to every place.

`collect` walks a path, through lists wherever they are; `represent` reads what stands for an entity, or finds that there is
none (a key with a null in it); `merge` puts an answer in: nothing that is known is overwritten by a null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import orjson

from gateway.federation.planning.fetches import Path
from gateway.federation.planning.plan import Call
from gateway.federation.planning.representations import Part, Parts, Representation

Object: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str | int, ...]


class _NoKey(Exception):
    pass


@dataclass(slots=True, kw_only=True)
class Asked:
    """The entities of a call: what is sent, and the objects that each answer belongs to."""

    call: Call
    sent: list[Object] = field(default_factory=list)
    objects: list[list[list[Object]]] = field(default_factory=list)
    """by representation, then by path: those of one path may share what is answered, those of two may not."""


def gather(call: Call, root: Object) -> Asked:
    """Collect the entities of a call, equal ones once."""
    asked = Asked(call=call)
    index: dict[Any, int] = {}
    read = _reading(call.representation)
    for number, path in enumerate(call.paths):
        for each in collect(root, path):
            values = read(each)
            if values is None:
                continue
            try:
                at = index.get(values)
            except TypeError:  # a custom scalar may be an object
                values = orjson.dumps(values)
                at = index.get(values)
            if at is None:
                at = index[values] = len(asked.sent)
                sent = represent(call.representation, each)
                assert sent is not None, "it has its key"
                asked.sent.append(sent)
                asked.objects.append([[] for _ in call.paths])
            asked.objects[at][number].append(each)
    return asked


def _reading(representation: Representation) -> Callable[[Object], Any]:
    """Give what reads by what an entity is told from others; None is read where its key has a null in it."""
    parts = (*representation.key.fields, *representation.required.fields)
    keys, needed = [each.key for each in parts], len(representation.key.fields)
    only = keys[0] if len(keys) == 1 else ""

    def single(entity: Object) -> Any:
        return entity.get(only)

    def flat(entity: Object) -> Any:
        values = [entity.get(each) for each in keys]
        return None if None in values[:needed] else tuple(values)

    def deep(entity: Object) -> Any:
        sent = represent(representation, entity)
        return None if sent is None else orjson.dumps(sent)

    if any(each.inner for each in parts):
        return deep
    return single if only and needed else flat


def collect(root: Object, path: Path) -> list[Object]:
    """Give the objects at a path."""
    found: list[Object] = [root]
    for segment in path:
        if isinstance(segment, tuple):
            found = [each for each in found if each.get("__typename") in segment]
            continue
        below: list[Object] = []
        for each in found:
            value = each.get(segment)
            if type(value) is dict:
                below.append(value)
            elif type(value) is list:
                _flatten(value, below)
        found = below
    return found


def _flatten(values: list[Any], into: list[Object]) -> None:
    objects = [each for each in values if type(each) is dict]
    if len(objects) == len(values):
        into += objects
        return
    for each in values:
        if type(each) is dict:
            into.append(each)
        elif type(each) is list:
            _flatten(each, into)


def places(root: Object, path: Path) -> Iterator[tuple[Object, Place]]:
    """Give the objects at a path with their places; for errors only, since it is slow."""
    yield from _places(root, path, ())


def _places(value: Any, path: Path, place: Place) -> Iterator[tuple[Object, Place]]:
    if isinstance(value, list):
        for index, each in enumerate(value):
            yield from _places(each, path, (*place, index))
    elif isinstance(value, dict):
        if not path:
            yield value, place
        elif isinstance(path[0], str):
            yield from _places(value.get(path[0]), path[1:], (*place, path[0]))
        elif value.get("__typename") in path[0]:
            yield from _places(value, path[1:], place)


def represent(representation: Representation, entity: Object) -> Object | None:
    """Give what stands for an entity; None where its key has a null in it."""
    sent: Object = {"__typename": representation.typename}
    try:
        for part in representation.key.fields:
            sent[part.name] = _key(part, entity)
    except _NoKey:
        return None
    for part in representation.required.fields:
        value = _required(part, entity)
        known = sent.get(part.name)
        if type(known) is dict and type(value) is dict:
            merge(known, value)
        else:
            sent[part.name] = value
    return sent


def _key(part: Part, entity: Object) -> Any:
    value = entity.get(part.key)
    if part.inner is None:
        if value is None:
            raise _NoKey
        return value
    return _keys(part.inner, value)


def _keys(parts: Parts, value: Any) -> Any:
    if isinstance(value, list):
        return [_keys(parts, each) for each in value]
    if not isinstance(value, dict):
        raise _NoKey
    return {**_typename(parts, value), **{each.name: _key(each, value) for each in _fields(parts, value)}}


def _required(part: Part, entity: Object) -> Any:
    value = entity.get(part.key)
    return value if part.inner is None else _requireds(part.inner, value)


def _requireds(parts: Parts, value: Any) -> Any:
    if isinstance(value, list):
        return [_requireds(parts, each) for each in value]
    if not isinstance(value, dict):
        return None
    return {**_typename(parts, value), **{each.name: _required(each, value) for each in _fields(parts, value)}}


def _typename(parts: Parts, value: Object) -> Object:
    return {"__typename": value["__typename"]} if parts.abstract and "__typename" in value else {}


def _fields(parts: Parts, value: Object) -> tuple[Part, ...]:
    if not parts.types:
        return parts.fields
    name = value.get("__typename")
    return next((fields for type_, fields in parts.types if type_ == name), parts.fields)


def put_back(asked: Asked, answers: list[Any]) -> None:
    """Merge the answers of a call into the objects that they belong to."""
    for by_path, answer in zip(asked.objects, answers, strict=False):
        if type(answer) is not dict:
            continue
        first = True
        for objects in by_path:
            if not objects:
                continue
            # What two paths write below may differ; a later fetch of one must not write into the other's object.
            own = answer if first else _copied(answer)
            first = False
            for each in objects:
                merge(each, own)


def _copied(value: Any) -> Any:
    if type(value) is dict:
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if type(value) is list else value


_ABSENT: Final = object()


def merge(into: Object, more: Object) -> None:
    """Merge an object into another: objects in objects, lists side by side, a null over nothing but a gap."""
    if into.keys().isdisjoint(more):
        into.update(more)
        return
    for key, value in more.items():
        known = into.get(key, _ABSENT)
        if known is _ABSENT or known is None:
            into[key] = value
        elif value is None:
            continue
        elif type(value) is dict and type(known) is dict:
            if value is not known:
                merge(known, value)
        elif type(value) is list and type(known) is list:
            _merge_lists(known, value)
        else:
            into[key] = value


def _merge_lists(into: list[Any], more: list[Any]) -> None:
    for index, value in enumerate(more[: len(into)]):
        known = into[index]
        if known is None:
            into[index] = value
        elif type(value) is dict and type(known) is dict:
            if value is not known:
                merge(known, value)
        elif type(value) is list and type(known) is list:
            _merge_lists(known, value)
        elif value is not None:
            into[index] = value
