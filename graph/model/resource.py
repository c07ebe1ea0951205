"""Inventories speak different protocols of the same equipment; what they say becomes one value, and is judged by the model.

A `Resource` is what one source says of one thing, under the source's own name for it. It need not say everything: what
is not among its properties, it has no opinion of. Which properties there are, and what they may hold, is the model's.

>>> Resource(kind="Card", name="KOL/1", inside="KOL", properties={"slot": 1, "model": "LC-8"}).properties["slot"]
1
>>> Resource(kind="Card", name="KOL/1", properties={"slot": "one"})
Traceback (most recent call last):
    ...
ValueError: slot must be a whole number of 32 bits, not 'one'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from graph.model.bounds import problem_of, text_problem
from graph.model.identity import external_key
from graph.model.kinds import Form
from graph.model.model import LABELS, Property

Value: TypeAlias = str | int

KINDS: Final = ("NetworkElement", "Card", "Port", "Trunk")
"""In the order in which they can be made: each may lie in, or end on, one of those before it."""
SAME_PORT: Final = "a trunk joins two different ports, and this one ends on the same port at A and at Z"
STATES: Final = ("operationalState", "administrativeState")
PROPERTIES: Final[Mapping[str, Mapping[str, Property]]] = MappingProxyType(
    {
        kind: MappingProxyType(
            {each.name: each for each in LABELS[kind].properties if each.name not in ("id", "words")}
        )
        for kind in KINDS
    }
)
"""What can be said of each kind of thing."""
_NOTHING: Final[Mapping[str, Value]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What a source says of one thing."""

    kind: str
    """one of `KINDS`."""
    name: str
    """what the source calls it."""
    inside: str | None = None
    """what the source calls that which holds it: the site of an element, the element of a card, the card of a port."""
    ends: tuple[str, str] | None = None
    """what the source calls the ports at a trunk's A and Z end."""
    properties: Mapping[str, Value] = field(default_factory=lambda: _NOTHING)
    """by the model's names, with the model's words."""
    removed: bool = False
    """it is there no more."""
    aliases: tuple[tuple[str, str], ...] = ()
    """what other systems call it, as the source says: system and name of each."""

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(problem)

    @property
    def rank(self) -> int:
        """Before what it must be known: things are made from the element on, and removed from the trunk on."""
        place = KINDS.index(self.kind)
        return 2 * len(KINDS) - 1 - place if self.removed else place

    @property
    def references(self) -> tuple[str, ...]:
        """The names of other things that it speaks of."""
        return (*([self.inside] if self.inside else []), *(self.ends or ()))

    def key(self, system: str) -> str:
        """Give what its external name is found by."""
        return external_key(system, self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class NotTaken:
    """What a source says of a thing for which the graph has no place."""

    kind: str
    """what the source calls its kind; empty where it does not say."""
    name: str
    """what the source calls it."""
    reason: str
    """why it has no place."""
    removed: bool = False
    """it is there no more."""

    def __post_init__(self) -> None:
        for problem in _text_problems("the name", self.name):
            raise ValueError(problem)

    @property
    def rank(self) -> int:
        """Come last: what is gone can only be looked for when the rest of the feed is done."""
        return 2 * len(KINDS)

    def key(self, system: str) -> str:
        """Give what its external name is found by."""
        return external_key(system, self.name)


RANKS: Final = 2 * len(KINDS) + 1
"""How many ranks there are, of resources and of what is not taken."""


def as_record(resource: Resource | NotTaken) -> dict[str, Any]:
    """Write it as JSON holds it."""
    if isinstance(resource, NotTaken):
        told = {"kind": resource.kind, "name": resource.name, "notTaken": resource.reason}
        return {**told, "removed": True} if resource.removed else told
    record: dict[str, Any] = {"kind": resource.kind, "name": resource.name, "properties": dict(resource.properties)}
    if resource.inside is not None:
        record["inside"] = resource.inside
    if resource.ends is not None:
        record["ends"] = list(resource.ends)
    if resource.removed:
        record["removed"] = True
    if resource.aliases:
        record["aliases"] = [list(each) for each in resource.aliases]
    return record


def entry_of(record: Mapping[str, Any]) -> Resource | NotTaken:
    """Read what `as_record` wrote of either; what an earlier version took and this one does not is not taken."""
    if "notTaken" not in record:
        try:
            return resource_of(record)
        except ValueError as error:
            return NotTaken(
                kind=record["kind"], name=record["name"], reason=str(error), removed=record.get("removed", False)
            )
    removed = record.get("removed", False)
    return NotTaken(kind=record["kind"], name=record["name"], reason=record["notTaken"], removed=removed)


def resource_of(record: Mapping[str, Any]) -> Resource:
    """Read what `as_record` wrote of a resource."""
    ends = record.get("ends")
    return Resource(
        kind=record["kind"],
        name=record["name"],
        inside=record.get("inside"),
        ends=(ends[0], ends[1]) if ends else None,
        properties=record["properties"],
        removed=record.get("removed", False),
        aliases=tuple((system, name) for system, name in record.get("aliases", ())),
    )


def _problems(resource: Resource) -> Iterator[str]:
    if resource.kind not in KINDS:
        yield f"is of none of the kinds {', '.join(KINDS)}"
        return
    yield from _text_problems("the name", resource.name)
    for each in resource.references:
        yield from _text_problems("the name of another thing", each)
    for system, name in resource.aliases:
        yield from _text_problems("the name of another system", system)
        yield from _text_problems("the name in another system", name, Form.EXTERNAL)
    yield from _place_problems(resource)
    for name, value in resource.properties.items():
        declared = PROPERTIES[resource.kind].get(name)
        if declared is None:
            yield f"{name} is no property of a {resource.kind}"
        elif value == "":
            yield f"{name} must not be empty"  # what a source does not say is left out
        elif problem := problem_of(declared, value):
            yield f"{name} {problem}"


def _place_problems(resource: Resource) -> Iterator[str]:
    if resource.kind == "Trunk" and resource.inside is not None:
        yield "is a trunk, which lies in nothing"
    if resource.kind != "Trunk" and resource.ends is not None:
        yield f"is a {resource.kind}, and has no ends"
    if resource.ends is not None and resource.ends[0] == resource.ends[1]:
        yield SAME_PORT


def _text_problems(what: str, value: object, form: Form = Form.NAME) -> Iterator[str]:
    problem = text_problem(form, value) if isinstance(value, str) else f"must be a string, not {value!r:.60}"
    if problem:
        yield f"{what} {problem}"
