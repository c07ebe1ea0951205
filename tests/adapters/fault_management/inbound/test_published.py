"""Our reading of the published shape, beside the published shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, assert_never

import pytest

from adapters.fault_management.alarms.words import ACK_STATES, STATES
from adapters.fault_management.inbound.alarms import BASE
from adapters.fault_management.inbound.shape import ACK_ALARMS, ALARM, CLEAR_ALARMS, MATCHED
from adapters.tmf.shape import Anything, Flag, Identifier, Many, Shape, Text, Thing, Time, Whole, Word
from tests.adapters.fault_management.inbound.published import swagger
from tests.adapters.schema import REFERENCE

OURS = {
    "state": STATES,
    "ackState": ACK_STATES,
}
"""Words that the published description names and its schema does not."""
STRICTER = {("alarmedObject", "id")}
"""What we require and the published schema does not: an alarm that is of nothing cannot be placed."""


@pytest.fixture(scope="module")
def published() -> Mapping[str, Any]:
    document = swagger()
    if document is None:
        pytest.skip(f"the published swagger is not part of the project: {REFERENCE} names the folder that has it")
    return document


def resolved(schema: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" not in schema:
        return schema
    found: Mapping[str, Any] = document["definitions"][schema["$ref"].rpartition("/")[2]]
    return found


def compare(shape: Shape, schema: Mapping[str, Any], document: Mapping[str, Any], path: tuple[str, ...]) -> None:
    schema = resolved(schema, document)
    match shape:
        case Text() | Identifier():
            assert schema["type"] == "string", path
            assert "enum" not in schema, path
        case Word():
            assert schema["type"] == "string", path
            assert set(shape.words) == set(schema.get("enum", OURS.get(path[-1], ()))), path
        case Whole():
            assert schema["type"] == "integer", path
        case Time():
            assert (schema["type"], schema["format"]) == ("string", "date-time"), path
        case Flag():
            assert schema["type"] == "boolean", path
        case Many():
            assert schema["type"] == "array", path
            assert shape.least == schema.get("minItems", 0), path
            compare(shape.of, schema["items"], document, path)
        case Thing():
            assert schema["type"] == "object", path
            assert {name for name in shape.required if (*path, name) not in STRICTER} == set(
                schema.get("required", ())
            ), path
            for name, each in shape.fields.items():
                compare(each, schema["properties"][name], document, (*path, name))
        case Anything():
            pytest.fail(f"{path} may hold anything")
        case never:
            assert_never(never)


def test_our_shape_of_an_alarm_is_the_published_one(published: Mapping[str, Any]) -> None:
    schema = published["definitions"]["Alarm_Create"]
    own = {name: each for name, each in ALARM.fields.items() if name not in ("id", "href")}
    compare(Thing(fields=own, required=ALARM.required), schema, published, ())
    assert own.keys() == schema["properties"].keys()


def test_every_field_of_an_inner_object_is_known(published: Mapping[str, Any]) -> None:
    for name, each in ALARM.fields.items():
        inner = each.of if isinstance(each, Many) else each
        if isinstance(inner, Thing):
            schema = resolved(published["definitions"]["Alarm"]["properties"][name], published)
            assert inner.fields.keys() == resolved(schema.get("items", schema), published)["properties"].keys()


@pytest.mark.parametrize(("name", "shape"), [("AckAlarms", ACK_ALARMS), ("ClearAlarms", CLEAR_ALARMS)])
def test_our_shape_of_a_task_is_the_published_one(published: Mapping[str, Any], name: str, shape: Thing) -> None:
    schema = published["definitions"][f"{name}_Create"]
    compare(shape, schema, published, ())
    pattern = shape.fields["alarmPattern"]
    assert isinstance(pattern, Many)
    assert isinstance(pattern.of, Thing)
    assert set(pattern.of.fields) == set(MATCHED)


def test_the_address_is_the_published_one(published: Mapping[str, Any]) -> None:
    assert published["basePath"].rstrip("/") == BASE
