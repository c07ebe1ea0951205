"""A value may be asked for the same field in several places; a plan must meet each once.

`Items.of` puts merged selection sets apart, as seen from a type: the fields that every object of the type has been asked
for, those of one key merged, and the fragments that only some of its types are asked for. Equal questions give the very
same answer object, so that whatever is known of it is found again by identity.

`... on Bread` is never taken for certain because Bread is the only implementer today: only a fragment on the type itself
or on an interface that the type implements is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from gateway.federation.query_graph import QueryGraph
from gateway.federation.selections import Field, Fragment, SelectionSet, Sets


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Item:
    """A field that is wanted of a value, everything asked below it in one place."""

    key: str
    name: str
    arguments: str
    directives: tuple[str, ...]
    """those of each selection that has any; one field may be selected several times with others."""
    sets: Sets
    """empty for a leaf."""
    leaves: int
    """how many fields are missing if this one is."""

    def __str__(self) -> str:
        name = self.name if self.key == self.name else f"{self.key}: {self.name}"
        return f"{name}{self.arguments}{''.join(self.directives)}"


class Split(NamedTuple):
    """Selection sets, put apart."""

    items: tuple[Item, ...]
    fragments: tuple[Fragment, ...]
    """empty where the type is an object's."""


class Items:
    """Put selection sets apart, each once."""

    def __init__(self, graph: QueryGraph) -> None:
        self._graph = graph
        self._known: dict[tuple[Sets, str], Split] = {}
        self._runtime: dict[str, frozenset[str]] = {}

    def of(self, sets: Sets, type_: str) -> Split:
        """Give what a value of a type is asked for."""
        found = self._known.get((sets, type_))
        if found is None:
            fields: dict[str, list[Field]] = {}
            fragments: list[Fragment] = []
            seen: set[int] = set()
            for each in sets:
                self._collect(each, type_, fields, fragments, seen)
            items = tuple(_merged(same) for same in fields.values())
            found = self._known[sets, type_] = Split(items, tuple(fragments))
        return found

    def _collect(
        self,
        selected: SelectionSet,
        type_: str,
        fields: dict[str, list[Field]],
        fragments: list[Fragment],
        seen: set[int],
    ) -> None:
        if id(selected) in seen:
            return
        seen.add(id(selected))
        for each in selected.selections:
            if isinstance(each, Field):
                fields.setdefault(each.key, []).append(each)
            elif self._certain(each.on, type_):
                self._collect(each.inner, type_, fields, fragments, seen)
            elif self._graph.is_abstract(type_) and id(each) not in seen:
                seen.add(id(each))
                fragments.append(each)

    def _certain(self, on: str, type_: str) -> bool:
        if self._graph.is_abstract(type_):
            return on in self._graph.supertypes(type_)
        if on not in self._runtime:
            self._runtime[on] = frozenset(self._graph.runtime(on))
        return type_ in self._runtime[on]


def _merged(same: list[Field]) -> Item:
    first = same[0]
    sets: Sets = () if first.inner is None else (first.inner,)
    directives: tuple[str, ...] = (first.directives,) if first.directives else ()
    if len(same) > 1:
        sets = tuple(dict.fromkeys(each.inner for each in same if each.inner is not None))
        directives = tuple(dict.fromkeys(each.directives for each in same if each.directives))
    leaves = sum(each.leaves for each in sets) or 1
    return Item(
        key=first.key, name=first.name, arguments=first.arguments, directives=directives, sets=sets, leaves=leaves
    )


def as_set(items: tuple[Item, ...], fragments: tuple[Fragment, ...]) -> SelectionSet:
    """Make a selection set of what is left of one."""
    return SelectionSet((*_as_fields(items), *fragments))


def marked_otherwise(items: tuple[Item, ...], fragments: tuple[Fragment, ...]) -> tuple[Item, ...]:
    """Name the fields that bear more directives for some types of an interface than for others."""
    marks: dict[str, set[str]] = {}
    for each in fragments:
        _collect_marks(each.inner, marks)
    return tuple(each for each in items if not marks.get(each.key, set()).issubset(each.directives))


def _collect_marks(selected: SelectionSet, marks: dict[str, set[str]]) -> None:
    for each in selected.selections:
        if isinstance(each, Fragment):
            _collect_marks(each.inner, marks)
        elif each.directives:
            marks.setdefault(each.key, set()).add(each.directives)


def _as_fields(items: tuple[Item, ...]) -> Iterator[Field]:
    for each in items:
        first, *others = each.directives or ("",)
        for inner in each.sets or (None,):
            yield _field(each, first, inner)
        for directives in others:
            yield _field(each, directives, each.sets[0] if each.sets else None)


def _field(item: Item, directives: str, inner: SelectionSet | None) -> Field:
    return Field(key=item.key, name=item.name, arguments=item.arguments, directives=directives, inner=inner)
