from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.endpoint.body import parsed
from adapters.endpoint.errors import MalformedBody, Refusal
from adapters.fault_management.alarms.words import ALARM_TYPES
from adapters.fault_management.inbound.codec import Seen, decode, encode
from adapters.fault_management.inbound.shape import ALARM, FIELDS
from adapters.tmf.shape import MOST_FAULTS, Flag, Identifier, Many, Shape, Text, Thing, Time, Word, faults
from graph.compiler.leaves import rfc3339
from graph.model.mapping import enum_name
from graph.model.vocabulary import ALARM_TYPES as OUR_TYPES
from tests.adapters.endpoint.bodies import FULL, LEAST

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
WRONG: Mapping[type, tuple[Any, ...]] = {
    Text: (7, None, True, [], {}, 1.5),
    Word: (7, None, True, [], {}, "nonsense", "", "RAISED"),
    Time: (
        7,
        None,
        True,
        [],
        {},
        "",
        "yesterday",
        "2026-01-01",
        "2026-01-01T12:00:00",
        "2026-02-30T12:00:00Z",
        "1969-12-31T23:59:59Z",
    ),
    Flag: (7, None, "true", [], {}, 0),
    Identifier: (None, True, [], {}, 1.5),
    Many: (7, None, True, "x", {}),
    Thing: (7, None, True, "x", []),
}


def faults_of(body: object) -> list[str]:
    with pytest.raises(MalformedBody) as refused:
        decode(body)
    assert refused.value.code == "BAD_USER_INPUT"
    return [str(each) for each in refused.value.faults]


def places(fields: Mapping[str, Shape], path: tuple[str | int, ...] = ()) -> list[tuple[tuple[str | int, ...], Shape]]:
    """Every place of the published shape, with what it may hold."""
    found: list[tuple[tuple[str | int, ...], Shape]] = []
    for name, shape in fields.items():
        here = (*path, name)
        found.append((here, shape))
        inner, below = (shape.of, (*here, 0)) if isinstance(shape, Many) else (shape, here)
        if below != here:
            found.append((below, inner))
        if isinstance(inner, Thing):
            found += places(inner.fields, below)
    return found


def replaced(body: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """A copy of a body with another value at a place, and what is on the way there made where it is missing."""
    if not path:
        return value
    step, *rest = path
    if isinstance(step, int):
        return [replaced(body[0] if body else {}, tuple(rest), value)]
    return {**(body or {}), step: replaced((body or {}).get(step), tuple(rest), value)}


def written(path: tuple[str | int, ...]) -> str:
    return "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in path).lstrip(".")


@pytest.mark.parametrize(
    ("path", "value"),
    [
        pytest.param(path, value, id=f"{written(path)} is not {value!r}")
        for path, shape in places(FIELDS)
        for value in WRONG[type(shape)]
    ],
)
def test_each_field_is_checked_and_named(path: tuple[str | int, ...], value: Any) -> None:
    [fault] = faults_of(replaced(FULL, path, value))
    assert fault.startswith(f"{written(path)}: ")


@pytest.mark.parametrize("name", LEAST)
def test_a_mandatory_field_is_missed(name: str) -> None:
    assert faults_of({key: value for key, value in LEAST.items() if key != name}) == [f"{name}: is missing"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        pytest.param({"alarmedObject": {"id": ""}}, "alarmedObject.id: is empty", id="an object with an empty id"),
        pytest.param({"sourceSystemId": ""}, "sourceSystemId: is empty", id="an empty source"),
        pytest.param(
            {"externalAlarmId": "x" * 256},
            "externalAlarmId: has 256 characters; at most 255 are taken",
            id="an id that no index holds",
        ),
        pytest.param(
            {"alarmDetails": "x" * 32_001},
            "alarmDetails: has 32001 characters; at most 32000 are taken",
            id="a text without end",
        ),
        pytest.param(
            {"comment": [{}] * 1_000_000}, "comment: has 1000000 items; at most 1000 are taken", id="a million items"
        ),
        pytest.param(
            {"x": {"y": [0] * 1_000_000}}, "x.y: has 1000000 items; at most 1000 are taken", id="also in an extension"
        ),
        pytest.param(
            {"x": {str(each): each for each in range(1_001)}},
            "x: has 1001 fields; at most 1000 are taken",
            id="too many fields",
        ),
    ],
)
def test_what_has_no_end_is_refused(change: dict[str, Any], fault: str) -> None:
    assert faults_of({**LEAST, **change}) == [fault]


def test_deep_nesting_is_refused_where_it_begins_to_be_too_deep() -> None:
    deep: Any = 1
    for _ in range(900):
        deep = {"x": deep}
    [fault] = faults_of({**LEAST, "y": deep})
    assert fault.endswith("is nested deeper than 32 levels")


@pytest.mark.parametrize("body", [None, 7, "x", [], [LEAST]])
def test_a_body_that_is_no_object_is_refused(body: object) -> None:
    [fault] = faults_of(body)
    assert fault.startswith("the body: is ")


def test_all_faults_are_told_at_once_and_nine_are_enough() -> None:
    assert faults_of({**LEAST, "state": 7, "probableCause": None}) == [
        "probableCause: is null, not a string",
        "state: is a number, not a string",
    ]
    assert len(faults_of({"comment": [7] * 1_000})) == MOST_FAULTS


def test_a_number_that_no_machine_keeps_is_named() -> None:
    text = orjson.dumps({**LEAST, "x": {"y": [0]}}).replace(b"[0]", b"[1, " + b"9" * 20 + b", " + b"9" * 300 + b"]")
    assert faults_of(parsed(text)) == [f"x.y[{place}]: is a number of more than 64 bits" for place in (1, 2)]
    kept = orjson.dumps({**LEAST, "x": 2**64 - 1, "y": -(2**63), "z": 1e300})
    assert decode(parsed(kept)).record == orjson.loads(kept)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"\xff", b'{"a": NaN}', b'"\\ud800"', b"1e999", b"[" * 5_000, b"[" * 1_000 + b"9" * 25 + b"]" * 1_000],
)
def test_what_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        parsed(text)
    assert (refused.value.code, refused.value.status) == ("BAD_REQUEST", 400)


def test_an_alarm_is_read() -> None:
    alarm = decode(FULL)
    assert alarm.identity == ("nms-1", "17")
    assert (alarm.alarmed_object, alarm.probable_cause, alarm.specific_problem) == ("card-c1", "powerProblem", "LOS")
    assert (alarm.perceived_severity, alarm.cleared, alarm.acknowledged) == ("critical", False, False)
    assert rfc3339(alarm.raised_at) == "2026-01-01T12:00:00.000Z"
    assert alarm.changed_at is not None
    assert rfc3339(alarm.changed_at) == "2026-01-01T12:30:00.123Z"
    assert alarm.cleared_at is not None
    assert rfc3339(alarm.cleared_at) == "2026-01-01T14:00:00.000Z"
    assert alarm.record == FULL


@pytest.mark.parametrize("published", ALARM_TYPES)
def test_each_published_type_is_one_of_ours(published: str) -> None:
    ours = decode({**LEAST, "alarmType": published}).alarm_type
    assert ours == "securityServiceOrMechanismViolation" if published not in OUR_TYPES else ours == published


def test_each_of_our_types_is_published() -> None:
    assert set(ALARM_TYPES.values()) == set(OUR_TYPES)


@pytest.mark.parametrize(
    "change",
    [
        {"state": "cleared"},
        {"perceivedSeverity": "cleared"},
        {"state": "cleared", "perceivedSeverity": "cleared"},
    ],
)
def test_state_or_severity_cleared_is_a_clear(change: dict[str, str]) -> None:
    assert decode({**LEAST, **change}).cleared


@pytest.mark.parametrize("change", [{}, {"state": "updated"}, {"alarmClearedTime": "2026-01-01T13:00:00Z"}])
def test_nothing_else_is_one(change: dict[str, str]) -> None:
    assert not decode({**LEAST, **change}).cleared


def row_of(body: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """What the graph would hold of an alarm and give as GraphQL does."""
    alarm = decode(body)
    times = {"raisedAt": alarm.raised_at, "changedAt": alarm.changed_at, "clearedAt": alarm.cleared_at}
    return {
        "id": "alarm-1",
        "sourceSystemId": alarm.source_system_id,
        "externalAlarmId": alarm.external_alarm_id,
        "alarmedObjectRef": alarm.alarmed_object,
        "alarmType": enum_name(alarm.alarm_type),
        "probableCause": alarm.probable_cause,
        "specificProblem": alarm.specific_problem,
        "perceivedSeverity": enum_name(alarm.perceived_severity),
        "state": enum_name(str(body["state"])),
        "ackState": "ACKNOWLEDGED" if alarm.acknowledged else "UNACKNOWLEDGED",
        **{name: None if at is None else rfc3339(at) for name, at in times.items()},
        "record": body,
        **more,
    }


def shown(body: Mapping[str, Any], *services: str, **more: Any) -> dict[str, Any]:
    return encode(Seen(row=row_of(body, **more), services=services, href="/alarm/alarm-1"))


def test_what_nobody_has_changed_comes_out_as_it_came_in() -> None:
    ours = {"id": "alarm-1", "href": "/alarm/alarm-1", "affectedService": [{"id": "service-1"}]}
    assert shown(FULL, "service-1") == {**FULL, **ours}


def test_current_values_are_put_over_the_record() -> None:
    changed = shown(
        {**FULL, "alarmType": "equipmentAlarm"},
        state="CLEARED",
        perceivedSeverity="CLEARED",
        ackState="ACKNOWLEDGED",
        clearedAt="2026-01-02T00:00:00.000Z",
        externalAlarmId=None,
        alarmedObjectRef="card-c2",
    )
    assert changed["state"] == changed["perceivedSeverity"] == "cleared"
    assert changed["ackState"] == "acknowledged"
    assert changed["alarmClearedTime"] == "2026-01-02T00:00:00.000Z"
    assert changed["alarmedObject"] == {"id": "card-c2"}
    assert "externalAlarmId" not in changed
    assert "affectedService" not in changed, "what a source thinks is affected is not what is"


def test_a_type_without_a_published_word_gets_one() -> None:
    assert shown(LEAST, alarmType="SECURITY_SERVICE_OR_MECHANISM_VIOLATION")["alarmType"] == "securityService"


def test_of_a_slice_only_typed_fields_are_shown() -> None:
    row = row_of(FULL, alarmedObject={"__typename": "Card", "id": "card-c1"})
    seen = {name: value for name, value in row.items() if name not in ("record", "alarmedObjectRef")}
    alarm = encode(Seen(row=seen, services=("service-1",), href="/alarm/alarm-1"))
    assert alarm["alarmedObject"] == {"id": "card-c1", "@type": "Card"}
    assert alarm["affectedService"] == [{"id": "service-1"}]
    assert not alarm.keys() - {
        *("id", "href", "sourceSystemId", "externalAlarmId", "alarmType", "probableCause", "specificProblem"),
        *("perceivedSeverity", "state", "ackState", "alarmRaisedTime", "alarmChangedTime", "alarmClearedTime"),
        *("alarmedObject", "affectedService"),
    }
    outside = encode(Seen(row={**seen, "alarmedObject": None}, services=(), href="/alarm/alarm-1"))
    assert "alarmedObject" not in outside


@given(extension=st.dictionaries(st.text(), JSON, max_size=5))
def test_any_extension_survives(extension: dict[str, Any]) -> None:
    body = {**extension, **FULL}
    read = parsed(orjson.dumps(body))
    alarm = decode(read)
    assert alarm.record == body
    assert orjson.loads(orjson.dumps(alarm.record)) == body
    assert shown(copy.deepcopy(body), "s") == {
        **body,
        "id": "alarm-1",
        "href": "/alarm/alarm-1",
        "affectedService": [{"id": "s"}],
    }


@given(body=st.dictionaries(st.sampled_from(list(FIELDS)), JSON) | JSON)
def test_anything_is_an_alarm_or_has_named_faults(body: Any) -> None:
    whole = {**LEAST, **body} if isinstance(body, dict) else body
    found = faults(ALARM, whole)
    if not found:
        assert decode(whole).record == whole
        return
    with pytest.raises(MalformedBody) as refused:
        decode(whole)
    assert refused.value.faults == found
    assert len(found) <= MOST_FAULTS
    assert all(fault.path or not isinstance(whole, dict) for fault in found)


def test_a_record_of_another_dialect_is_completed_by_what_the_graph_holds() -> None:
    whole = encode(Seen(row=row_of(FULL, record={"state": "raised", "x": 1}), services=(), href="/alarm/alarm-1"))
    assert decode(whole).alarm_type == "securityServiceOrMechanismViolation"
    assert whole["x"] == 1
