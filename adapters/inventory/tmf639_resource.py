"""A TMF639 resource says nearly everything by free lists: characteristics and relationships. Here it is said which ones.

`category` (or `@type`) is the kind. The inventory's `id` is the name of a thing, since others refer to it by that;
`name` is for people. Containment is the relationship `isContainedIn` (`containedIn` is believed too), a trunk's ends are
`aEnd` and `zEnd`, an element's site is its `place`; all else are characteristics by the model's names. The swagger has
the words `enable`, `disable` and `shutdown` for the states; X.731's are believed as well. What else a resource holds is
let pass. What we write carries our id as the characteristic `externalId`.

Writers differ, and what is meant is plain: categories and words of states in upper case or with blanks, several places of which
one is the site, numbers as texts, events under the names of older versions (`ResourceRemoveNotification`) are read as what they
say. An event of any other type is refused: whether the thing is there or gone is all that matters of it.

Swagger: TMF639 v4.0.0, `Resource`, `Resource_Create`, `Resource_Update`.

>>> raw = {"id": "R1", "category": "card", "operationalState": "disable",
...        "resourceCharacteristic": [{"name": "slot", "value": 3}],
...        "resourceRelationship": [{"relationshipType": "isContainedIn", "resource": {"id": "R0", "href": ""}}]}
>>> read(raw).inside, read(raw).properties
('R0', {'operationalState': 'disabled', 'slot': 3})
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from adapters.errors import Malformed
from adapters.inventory.no_place import NoPlace, trunk_reason
from graph.model.kinds import LONGEST
from graph.model.model import Kind as ModelKind
from graph.model.model import Property
from graph.model.resource import KINDS, PROPERTIES, STATES, NotTaken, Resource, Value

OURS: Final = "externalId"
ALIASES: Final = "externalIdentifier"
CONTAINED: Final = "isContainedIn"
A_END: Final = "aEnd"
Z_END: Final = "zEnd"
CATEGORIES: Final[Mapping[str, str]] = MappingProxyType({kind: kind[0].lower() + kind[1:] for kind in KINDS})
_KINDS: Final = {kind.lower(): kind for kind in KINDS}
TYPES: Final = {kind: "LogicalResource" if kind == "Trunk" else "PhysicalResource" for kind in KINDS}
_OPERATIONAL: Final = {"enable": "enabled", "disable": "disabled", "enabled": "enabled", "disabled": "disabled"}
_ADMINISTRATIVE: Final = {
    "locked": "locked",
    "unlocked": "unlocked",
    "shutdown": "shuttingDown",
    "shuttingDown": "shuttingDown",
}
_WORDS: Final = {"operationalState": _OPERATIONAL, "administrativeState": _ADMINISTRATIVE}
EVENTS: Final = (
    "ResourceCreateEvent",
    "ResourceAttributeValueChangeEvent",
    "ResourceStateChangeEvent",
    "ResourceDeleteEvent",
)
"""The types of events of TMF639 version 4; earlier versions and other writers have others that say the same."""
_EVENT: Final = re.compile(
    "[Rr]esource(Create|Creation|AttributeValueChange|StateChange|Change|(?P<gone>Delete|Deletion|Remove|Removal))"
    "(Event|Notification)"
)
_ROLES: Final = {"containedin": "inside", "iscontainedin": "inside", "aend": "a", "zend": "z"}


def read(raw: object, where: str = "", *, removed: bool = False) -> Resource:
    """Read a resource; raises Malformed with the field. `where` is put before the field's name.

    What the swagger allows and the graph has no place for is `NoPlace`: a category of its own, one end of a trunk, a value that
    is no number.
    """
    if not isinstance(raw, dict):
        raise Malformed("A resource is an object", field=where.rstrip("."))
    reading = _Reading(raw=raw, where=where, name=_text(raw, "id", where), removed=removed)
    kind = reading.kind()
    related = dict(_related(raw, where))
    try:
        return Resource(
            kind=kind,
            name=reading.name,
            inside=related.get("inside", _place(raw, where) if kind == "NetworkElement" else None),
            ends=reading.ends(related),
            properties=dict(reading.properties(kind)),
            removed=removed,
            aliases=tuple(_aliases(raw, where)),
        )
    except ValueError as error:
        raise reading.no_place(str(error)) from None


def read_told(raw: object, where: str = "") -> Resource:
    """Read a resource, or an event about one; raises Malformed, also for an event of another type than TMF639's."""
    if not (isinstance(raw, dict) and "eventType" in raw):
        return read(raw, where)
    removed = _is_removal(raw["eventType"], where)
    event = raw.get("event")
    if not isinstance(event, dict) or "resource" not in event:
        raise Malformed("has no resource", field=f"{where}event")
    return read(event["resource"], f"{where}event.resource.", removed=removed)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reading:
    """One resource that is being read: what is wrong with it names it."""

    raw: Mapping[str, Any]
    where: str
    name: str
    removed: bool

    def no_place(self, reason: str, field: str = "") -> NoPlace:
        """Say that the graph has no place for it."""
        try:
            thing = NotTaken(kind=_category(self.raw), name=self.name, reason=reason, removed=self.removed)
        except ValueError as error:  # not even for its name
            raise Malformed(str(error), field=f"{self.where}id") from None
        return NoPlace(thing, field=f"{self.where}{field}".rstrip("."))

    def kind(self) -> str:
        """Tell which kind of thing of the graph it is."""
        for field in ("category", "@type"):
            if isinstance(word := self.raw.get(field), str) and (kind := _KINDS.get(_folded(word))):
                return kind
        raise self.no_place(f"neither category nor @type is one of {', '.join(CATEGORIES.values())}", "category")

    def ends(self, related: Mapping[str, str]) -> tuple[str, str] | None:
        """Give the ends of a trunk."""
        a, z = related.get("a"), related.get("z")
        if (a is None) != (z is None):
            raise self.no_place(trunk_reason(int(a is not None), int(z is not None)), "resourceRelationship")
        return None if a is None or z is None else (a, z)

    def properties(self, kind: str) -> Iterator[tuple[str, Value]]:
        """Give what it says of itself, by the names of the model."""
        if label := _optional_text(self.raw, "name", self.where):
            yield "name", label
        for state, words in _WORDS.items():
            if state in PROPERTIES[kind] and self.raw.get(state) is not None:
                yield state, _word(self.raw[state], words, f"{self.where}{state}")
        for number, each in enumerate(_items(self.raw, "resourceCharacteristic", self.where)):
            at = f"resourceCharacteristic[{number}]"
            name, value = each.get("name"), each.get("value")
            if not isinstance(name, str):
                raise Malformed("has no name", field=f"{self.where}{at}")
            declared = PROPERTIES[kind].get(name)
            if declared is not None and name not in (*STATES, "name") and value not in (None, ""):
                yield name, self._value(declared, value, at)

    def _value(self, declared: Property, value: object, at: str) -> Value:
        is_number = declared.kind is ModelKind.INTEGER
        found = _number(value) if is_number else _string(value)
        if found is None:
            raise self.no_place(f"{declared.name} has a value that is no {'whole number' if is_number else 'text'}", at)
        return found


def write(resource: Resource) -> dict[str, Any]:
    """Write all but the id, which is the server's: a Resource_Create."""
    body: dict[str, Any] = {
        "@type": TYPES[resource.kind],
        "@baseType": "Resource",
        "category": CATEGORIES[resource.kind],
    }
    if "name" in resource.properties:
        body["name"] = resource.properties["name"]
    for state in STATES:
        if state in resource.properties:
            body[state] = _told(state, str(resource.properties[state]))
    body["resourceCharacteristic"] = [characteristic(*each) for each in _characteristics(resource)]
    body["resourceRelationship"] = list(_relationships(resource))
    if resource.kind == "NetworkElement" and resource.inside is not None:
        body["place"] = {"id": resource.inside, "name": resource.inside, "role": "site", "@referredType": "Site"}
    return body


def _is_removal(event_type: object, where: str) -> bool:
    """Tell whether a type of event says that a thing is there no more, or that it is there."""
    found = _EVENT.fullmatch(event_type) if isinstance(event_type, str) else None
    if found is None:
        raise Malformed(f"is none of {', '.join(EVENTS)}, nor an older name of one", field=f"{where}eventType")
    return found["gone"] is not None


def _category(raw: Mapping[str, Any]) -> str:
    """Give what the inventory calls the kind of a thing, as far as it says."""
    words = (raw.get(field) for field in ("category", "@type"))
    return next((word for word in words if isinstance(word, str)), "")[:LONGEST]


def _folded(word: str) -> str:
    """Spell a word without what writers spell differently.

    >>> _folded("NETWORK_ELEMENT"), _folded("Network Element")
    ('networkelement', 'networkelement')
    """
    return re.sub(r"[\s_-]", "", word).lower()


def _related(raw: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    for number, each in enumerate(_items(raw, "resourceRelationship", where)):
        at = f"{where}resourceRelationship[{number}]"
        kind = each.get("relationshipType")
        if not isinstance(kind, str):
            raise Malformed("has no relationshipType", field=at)
        role = _ROLES.get(kind.lower())
        if role is not None:
            other = each.get("resource")
            if not isinstance(other, dict):
                raise Malformed("has no resource", field=at)
            yield role, _text(other, "id", f"{at}.resource.")


def _aliases(raw: Mapping[str, Any], where: str) -> Iterator[tuple[str, str]]:
    """Give what other systems call it: `externalIdentifier`, of TMF639 from version 5 on, or a characteristic of that name."""
    said = list(_items(raw, ALIASES, where))
    for each in _items(raw, "resourceCharacteristic", where):
        if each.get("name") == ALIASES:
            value = each.get("value")
            said += [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]
    for each in said:
        owner = each.get("owner") or each.get("externalIdentifierType")
        if isinstance(owner, str) and isinstance(each.get("id"), str):
            yield owner, each["id"]


def _place(raw: Mapping[str, Any], where: str) -> str | None:
    """Give the site: of several places the one whose role is `site`, or else the first that has an id or a name."""
    place = raw.get("place")
    if place is None:
        return None
    places = place if isinstance(place, list) else [place]
    if not all(isinstance(each, dict) for each in places):
        raise Malformed("is no object", field=f"{where}place")
    sites = sorted(places, key=lambda each: str(each.get("role")).lower() != "site")
    named = (_optional_text(each, name, f"{where}place.") for each in sites for name in ("id", "name"))
    return next((each for each in named if each), None)


def _items(raw: Mapping[str, Any], name: str, where: str) -> list[dict[str, Any]]:
    found = raw.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise Malformed("is no list", field=f"{where}{name}")
    for number, each in enumerate(found):
        if not isinstance(each, dict):
            raise Malformed("is no object", field=f"{where}{name}[{number}]")
    return found


def _text(raw: Mapping[str, Any], name: str, where: str) -> str:
    value = raw.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed("is missing" if value is None else "is no text, or empty", field=f"{where}{name}")
    return value


def _optional_text(raw: Mapping[str, Any], name: str, where: str) -> str:
    """Give a text that need not be there; what is empty is not said."""
    return "" if raw.get(name) in (None, "") else _text(raw, name, where)


def _string(value: object) -> str | None:
    return None if isinstance(value, bool) or not isinstance(value, str | int | float) else str(value)


def _number(value: object) -> int | None:
    """Give a whole number, however its writer's language writes numbers."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if type(value) is int else None


def _word(value: object, words: Mapping[str, str], at: str) -> str:
    folded = {word.lower(): ours for word, ours in words.items()}
    if not isinstance(value, str) or value.lower() not in folded:
        raise Malformed(f"is none of {', '.join(words)}", field=at)
    return folded[value.lower()]


def _told(state: str, word: str) -> str:
    """Give the swagger's word, which comes before X.731's in each table."""
    return next(theirs for theirs, ours in _WORDS[state].items() if ours == word)


def _characteristics(resource: Resource) -> Iterator[tuple[str, Value]]:
    for name, value in resource.properties.items():
        if name not in (*STATES, "name"):
            yield name, value


def characteristic(name: str, value: Value) -> dict[str, Any]:
    """Write one characteristic."""
    return {"name": name, "value": value, "valueType": "integer" if isinstance(value, int) else "string"}


def _relationships(resource: Resource) -> Iterator[dict[str, Any]]:
    if resource.inside is not None and resource.kind != "NetworkElement":
        yield _relationship(CONTAINED, resource.inside)
    for role, end in zip((A_END, Z_END), resource.ends or (), strict=False):
        yield _relationship(role, end)


def _relationship(kind: str, other: str) -> dict[str, Any]:
    return {"relationshipType": kind, "resource": {"id": other, "href": other, "@referredType": "Resource"}}
