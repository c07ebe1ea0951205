"""Whether one record fits the model: what a database would take without a word, and every reader stumble over later.

What a property may hold is the model's to say (`graph/model/bounds.py`); that the required ones are there is only ever checked
here. What is derived of others may be left out of a file, and is made anew: `key` of an external name, `identity` of an alarm,
the `company` and `companyForm` of a customer, and the `words` of a searched label, beside those that a file gives.

>>> check_line(b'{"label": "Lorry", "id": "lorry-1", "properties": {}}')
Traceback (most recent call last):
    ...
ValueError: there is no label 'Lorry'
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson

from graph.load.records import NodeRecord, Record, RelationshipRecord
from graph.model.alarm import key_of_stored
from graph.model.bounds import interval_problem, problem_of
from graph.model.companies import company_of
from graph.model.identity import external_key
from graph.model.model import LABELS, RELATIONSHIPS, Kind, Label, Property, label_of, searchable
from graph.model.times import NoTime, epoch_milliseconds

_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NODE_KEYS: Final = frozenset({"label", "id", "properties"})
_RELATIONSHIP_KEYS: Final = frozenset({"type", "start", "end", "properties"})


_LOADED: Final = tuple(label.name for label in LABELS.values() if not label.internal)
OF_PEOPLE: Final = frozenset({"CustomerMatch", "COMPARES", "MERGED_INTO"})
"""What a person says of two customers: a file could make a stub of itself, or a chain of stubs, with half of what belongs to it."""


def check_line(line: bytes | str) -> Record:
    """Read one line and give its record.

    Raises ValueError where it does not fit, with all that is wrong: a column, or the path of each property. A time may be
    written as RFC 3339 has it, and is milliseconds in the record.
    """
    try:
        raw = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise ValueError(f"column {exc.colno}: this is not JSON: {exc.msg}") from None
    if not isinstance(raw, dict) or not isinstance(raw.setdefault("properties", {}), dict):
        raise ValueError("a line is an object, and its properties are an object")  # noqa: TRY004  # one kind of fault
    match frozenset(raw):
        case keys if keys == _NODE_KEYS:
            record, problems = _node(raw)
        case keys if keys == _RELATIONSHIP_KEYS:
            record, problems = _relationship(raw)
        case _:
            raise ValueError("a node has label, id, properties; a relationship has type, start, end, properties")
    if problems:
        raise ValueError("; ".join(problems))
    return record


def problems_of(record: Record) -> list[str]:
    """Tell all that is wrong with a record; nothing when it fits."""
    match record:
        case NodeRecord(label=name, id=node_id, properties=properties):
            label = LABELS.get(name)
            if label is None or label.internal:
                return [f"there is no label {name!r}{_meant(name, _LOADED)}"]
            if name in OF_PEOPLE:
                return [_said_by_people(name)]
            found = [*_id_problems(label, node_id), *_property_problems(_beside_id(label), properties)]
            return [*found, *_open_problems(label, properties), *_interval_problems(label, properties)]
        case RelationshipRecord(type=name, start=start, end=end, properties=properties):
            kind = RELATIONSHIPS.get(name)
            if kind is None:
                return [f"there is no relationship type {name!r}{_meant(name, RELATIONSHIPS)}"]
            if name in OF_PEOPLE:
                return [_said_by_people(name)]
            ends = [*_end_problems("start", start, kind.starts), *_end_problems("end", end, kind.ends)]
            return [*ends, *_property_problems(kind.properties, properties)]


def _node(raw: dict[str, Any]) -> tuple[Record, list[str]]:
    name, node_id, properties = raw["label"], raw["id"], raw["properties"]
    label = LABELS.get(name) if isinstance(name, str) else None
    if label:
        properties = _derived(label, _as_declared(label.properties, properties))
    record = NodeRecord(label=str(name), id=str(node_id), properties=properties)
    return record, problems_of(record)


def _relationship(raw: dict[str, Any]) -> tuple[Record, list[str]]:
    kind, properties = RELATIONSHIPS.get(str(raw["type"])), raw["properties"]
    if kind:
        properties = _as_declared(kind.properties, properties)
    record = RelationshipRecord(
        type=str(raw["type"]), start=str(raw["start"]), end=str(raw["end"]), properties=properties
    )
    return record, problems_of(record)


def _as_declared(declared: tuple[Property, ...], properties: Mapping[str, Any]) -> dict[str, Any]:
    """Give properties as they are stored, where a file may write them in another way; what is wrong stays as it is."""
    kinds = {each.name: each.kind for each in declared}
    return {name: _stored(kinds.get(name), value) for name, value in properties.items()}


def _stored(kind: Kind | None, value: Any) -> Any:
    match kind, value:
        case Kind.FLOAT, int() if not isinstance(value, bool):
            return float(value)  # one database takes 50 and 50.0 for two types
        case Kind.TIME, str():
            try:
                return epoch_milliseconds(value)
            except NoTime:
                return value
        case _:
            return value


def _derived(label: Label, properties: dict[str, Any]) -> dict[str, Any]:
    if label.searched and isinstance(properties.get("name"), str):
        beside = [str(properties[each]) for each in ("model", "words") if each in properties]
        properties["words"] = searchable(properties["name"], *beside)
    if label.name == "Customer" and (company := company_of(str(properties.get("name") or ""))).core:
        properties |= {"company": company.core, "companyForm": company.form}
    if label.name == "Alarm":
        properties["identity"] = key_of_stored(properties)
    if label.name == "ExternalName":
        properties["key"] = external_key(str(properties.get("system")), str(properties.get("name")))
    return properties


def _beside_id(label: Label) -> tuple[Property, ...]:
    return tuple(each for each in label.properties if each.name != "id")


def _id_problems(label: Label, node_id: str) -> Iterator[str]:
    if not (node_id.startswith(label.id_prefix) and _UUID.fullmatch(node_id, len(label.id_prefix))):
        yield f"the id of a {label.name} is {label.id_prefix} and a UUID in lower case, not {node_id!r}"


def _end_problems(which: str, node_id: str, allowed: tuple[str, ...]) -> Iterator[str]:
    label = label_of(node_id)
    if label is None or label.name not in allowed:
        yield f"its {which} must be the id of a {' or '.join(allowed)}, not {node_id!r}"
    else:
        yield from _id_problems(label, node_id)


def _property_problems(declared: tuple[Property, ...], properties: Mapping[str, object]) -> Iterator[str]:
    by_name = {each.name: each for each in declared}
    meant = {name: _nearest(name, by_name.keys() - properties.keys()) for name in properties.keys() - by_name.keys()}
    for name, hint in sorted(meant.items()):
        yield f"properties: there is no property {name!r} here{hint and f' (did you mean {hint}?)'}"
    for each in declared:
        path = f"properties.{each.name}"
        if each.name not in properties:
            if each.required and not each.derived and each.name not in meant.values():
                yield f"{path} is missing"
        elif problem := problem_of(each, properties[each.name]):
            yield f"{path} {problem}"


def _interval_problems(label: Label, properties: Mapping[str, object]) -> Iterator[str]:
    if problem := interval_problem(label.interval, properties):
        yield f"properties.{problem}"


def _open_problems(label: Label, properties: Mapping[str, object]) -> Iterator[str]:
    """Refuse what only a change can put into its queue: it would be counted as waiting, and never be sent."""
    if label.name == "Delivery" and properties.get("state") in ("READY", "DEAD"):
        yield "properties.state must be DONE: what a system is still to be told is written by the change that it tells of"


def _said_by_people(name: str) -> str:
    return f"a {name} is not loaded: an operator says which customers are the same, by mergeCustomers or declineCustomerMatch"


def _meant(word: str, known: Iterable[str]) -> str:
    """Give the end of a sentence about a word that is none: which one may be meant; nothing where none is near."""
    found = _nearest(word, known)
    return f" (did you mean {found}?)" if found else ""


def _nearest(word: str, known: Iterable[str]) -> str:
    """Give the known word that is nearest; empty where none is near."""
    by_folded = {each.casefold(): each for each in sorted(known)}
    found = difflib.get_close_matches(word.casefold(), list(by_folded), n=1, cutoff=0.7)
    return by_folded[found[0]] if found else ""
