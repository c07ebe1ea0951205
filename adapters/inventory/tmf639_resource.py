"""A TMF639 resource says nearly everything by free lists: characteristics and relationships. Here it is said which ones.

`category` (or `@type`) is the kind. The inventory's `id` is the name of a thing, since others refer to it by that;
`name` is for people. Containment is the relationship `isContainedIn` (`containedIn` is believed too), a trunk's ends are
`aEnd` and `zEnd`, an element's site is its `place`; all else are characteristics by the model's names. The swagger has
the words `enable`, `disable` and `shutdown` for the states; X.731's are believed as well. What else a resource holds is
let pass. What we write carries our id as the characteristic `externalId`.

Swagger: TMF639 v4.0.0, `Resource`, `Resource_Create`, `Resource_Update`.

>>> raw = {"id": "R1", "category": "card", "operationalState": "disable",
...        "resourceCharacteristic": [{"name": "slot", "value": 3}],
...        "resourceRelationship": [{"relationshipType": "isContainedIn", "resource": {"id": "R0", "href": ""}}]}
>>> read(raw)
Resource(kind='Card', name='R1', inside='R0', ends=None, properties={'operationalState': 'disabled', 'slot': 3}, removed=False)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from adapters.errors import Malformed
from graph.model.model import Kind
from graph.model.resource import KINDS, PROPERTIES, STATES, Resource, Value

OURS: Final = "externalId"
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
_DELETED: Final = "ResourceDeleteEvent"
_ROLES: Final = {"containedin": "inside", "iscontainedin": "inside", "aend": "a", "zend": "z"}


def read(raw: object, where: str = "", *, removed: bool = False) -> Resource:
    """Read a resource; raises Malformed with the field. `where` is put before the field's name."""
    if not isinstance(raw, dict):
        raise Malformed("A resource is an object", field=where.rstrip("."))
    kind = _kind(raw, where)
    related = dict(_related(raw, where))
    ends = (related["a"], related["z"]) if "a" in related and "z" in related else None
    if ends is None and ("a" in related or "z" in related):
        raise Malformed("A trunk has both an aEnd and a zEnd, or neither is said", field=f"{where}resourceRelationship")
    return made(
        where,
        kind=kind,
        name=_text(raw, "id", where),
        inside=related.get("inside", _place(raw, where) if kind == "NetworkElement" else None),
        ends=ends,
        properties=_properties(raw, kind, where),
        removed=removed,
    )


def read_told(raw: object, where: str = "") -> Resource:
    """Read a resource, or a TMF639 event about one: a `ResourceDeleteEvent` says that it is there no more."""
    if not (isinstance(raw, dict) and "eventType" in raw):
        return read(raw, where)
    event = raw.get("event")
    if not isinstance(event, dict) or "resource" not in event:
        raise Malformed("has no resource", field=f"{where}event")
    return read(event["resource"], f"{where}event.resource.", removed=raw["eventType"] == _DELETED)


def made(where: str, **given: Any) -> Resource:
    """Make a resource of what was read; raises Malformed."""
    try:
        return Resource(**given)
    except ValueError as error:
        raise Malformed(str(error), field=where.rstrip(".")) from None


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


def _kind(raw: Mapping[str, Any], where: str) -> str:
    for field in ("category", "@type"):
        if isinstance(word := raw.get(field), str) and word.lower() in _KINDS:
            return _KINDS[word.lower()]
    raise Malformed(f"neither it nor @type is one of {', '.join(CATEGORIES.values())}", field=f"{where}category")


def _properties(raw: Mapping[str, Any], kind: str, where: str) -> dict[str, Value]:
    found: dict[str, Value] = {}
    if raw.get("name") is not None:
        found["name"] = _text(raw, "name", where)
    for state, words in _WORDS.items():
        if state in PROPERTIES[kind] and raw.get(state) is not None:
            found[state] = _word(raw[state], words, f"{where}{state}")
    for number, each in enumerate(_items(raw, "resourceCharacteristic", where)):
        at = f"{where}resourceCharacteristic[{number}]"
        name, value = each.get("name"), each.get("value")
        if not isinstance(name, str):
            raise Malformed("has no name", field=at)
        declared = PROPERTIES[kind].get(name)
        if declared is not None and name not in STATES and name != "name" and value is not None:
            found[name] = _number(value, at) if declared.kind is Kind.INTEGER else _string(value, at)
    return found


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


def _place(raw: Mapping[str, Any], where: str) -> str | None:
    place = raw.get("place")
    if place is None:
        return None
    if not isinstance(place, dict):
        raise Malformed("is no object", field=f"{where}place")
    return _text(place, "id" if place.get("id") is not None else "name", f"{where}place.")


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


def _string(value: object, at: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Malformed("has a value that is no text", field=at)
    return str(value)


def _number(value: object, at: str) -> int:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        return int(value)
    if type(value) is int:
        return value
    raise Malformed("has a value that is no whole number", field=at)


def _word(value: object, words: Mapping[str, str], at: str) -> str:
    if not isinstance(value, str) or value not in words:
        raise Malformed(f"is none of {', '.join(words)}", field=at)
    return words[value]


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
