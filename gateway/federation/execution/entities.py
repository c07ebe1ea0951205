"""Entities lie scattered in what was fetched so far; a subgraph is asked for each once, and answers go to every place.

`collect` walks a path, through lists wherever they are; `merge` puts an answer in: nothing that is known is overwritten by a
null. All recursion here is bounded by the depth that reading.py lets in.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain
from types import NoneType
from typing import Any, Final, TypeAlias

from gateway.federation.planning.fetches import Path
from gateway.federation.planning.plan import Call

Object: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True, kw_only=True)
class Asked:
    """The entities of a call: what is sent, and the objects that each answer belongs to."""

    call: Call
    sent: list[Object] = field(default_factory=list)
    objects: list[list[list[Object]]] = field(default_factory=list)
    """by representation, then by path: those of one path may share what is answered, those of two may not."""
    unusable: list[Object] = field(default_factory=list)
    """those that nothing can stand for, because what they are known by, or what is required of them, is broken."""
    unknown: list[Object] = field(default_factory=list)
    """those that the subgraph answered null for: it knows no such entity."""


def collect(root: Object, path: Path) -> list[Object]:
    """Give the objects at a path."""
    found: list[Object] = [root]
    for segment in path:
        if isinstance(segment, tuple):
            found = [each for each in found if each.get("__typename") in segment]
        else:
            found = _objects([each.get(segment) for each in found])
    return found


def _objects(values: list[Any]) -> list[Object]:
    """Give the objects among values, those in lists too, in their order.

    Hundreds of values have one type nearly always: a level at a time they are looked at without a call for each.
    """
    types = set(map(type, values))
    while types == {list}:
        values = list(chain.from_iterable(values))
        types = set(map(type, values))
    if types <= {dict}:
        return values
    if types == {dict, NoneType}:
        return [each for each in values if each is not None]
    below: list[Object] = []
    for each in values:
        if type(each) is dict:
            below.append(each)
        elif type(each) is list:
            below += _objects(each)
    return below


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


def put_back(asked: Asked, answers: Any) -> list[int]:
    """Merge the answers of a call into the objects that they belong to; give the numbers of those that are none."""
    given = answers if isinstance(answers, list) else []
    unanswered = list(range(len(given), len(asked.sent)))
    several = len(asked.call.paths) > 1
    for number, (by_path, answer) in enumerate(zip(asked.objects, given, strict=False)):
        if answer is None:
            asked.unknown += [each for objects in by_path for each in objects]
            continue
        if type(answer) is not dict:
            unanswered.append(number)
            continue
        for each in by_path[0]:
            if each.keys().isdisjoint(answer):
                each.update(answer)
            else:
                merge(each, answer)
        for objects in by_path[1:] if several else ():
            # What two paths write below may differ; a later fetch of one must not write into the other's object.
            own = copied(answer) if objects else answer
            for each in objects:
                merge(each, own)
    return unanswered


def copied(value: Any) -> Any:
    """Copy what was answered, down to its leaves."""
    if type(value) is dict:
        return {key: copied(each) for key, each in value.items()}
    return [copied(each) for each in value] if type(value) is list else value


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
