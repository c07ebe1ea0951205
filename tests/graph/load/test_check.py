from __future__ import annotations

import re
from typing import Any

import orjson
import pytest

from graph.load import NodeRecord
from graph.load.check import OF_PEOPLE, check_line, problems_of
from graph.load.statements import NODES, RELATIONSHIPS_BETWEEN, How
from graph.model.identity import external_key, loaded_id
from graph.model.model import LABELS, RELATIONSHIPS


def an_id(label: str, name: str = "x") -> str:
    return loaded_id(label, "test", name)


def site(**changes: object) -> dict[str, Any]:
    properties = {"name": "Köln 3", "role": "access", "latitude": 50.9, "longitude": 7, **changes}
    return {"label": "Site", "id": an_id("Site"), "properties": properties}


def boost(**changes: object) -> dict[str, Any]:
    properties = {"mbps": 5, "startAt": 1, "endAt": 2, "status": "SCHEDULED", "price": 3, "currency": "EUR", **changes}
    return {"label": "Boost", "id": an_id("Boost"), "properties": properties}


def joined(kind: str, start: str, end: str, /, **properties: object) -> dict[str, Any]:
    return {"type": kind, "start": an_id(start), "end": an_id(end), "properties": properties}


@pytest.mark.parametrize(("state", "is_taken"), [("DONE", True), ("READY", False), ("DEAD", False)])
def test_a_delivery_that_is_still_to_be_sent_is_not_loaded(state: str, *, is_taken: bool) -> None:
    said: dict[str, str | int | float | bool] = {
        "system": "desk",
        "subject": "s",
        "lane": "desk#0",
        "orderKey": "k",
        "payload": "{}",
        "state": state,
    }
    properties = {**said, "version": 1, "attempts": 0, "createdAt": 0, "nextAt": 0}
    problems = problems_of(NodeRecord(label="Delivery", id=an_id("Delivery"), properties=properties))
    assert problems == [] if is_taken else "must be DONE" in " ".join(problems)


def test_what_can_be_derived_is_filled_in() -> None:
    record = check_line(orjson.dumps(site()))
    assert record == NodeRecord(
        label="Site",
        id=an_id("Site"),
        properties={"name": "Köln 3", "role": "access", "latitude": 50.9, "longitude": 7.0, "words": "köln 3"},
    )
    assert type(record.properties["longitude"]) is float
    name = {"label": "ExternalName", "id": an_id("ExternalName"), "properties": {"system": "s", "name": "n"}}
    assert check_line(orjson.dumps(name)).properties["key"] == external_key("s", "n")


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        pytest.param(site(role="a\tb\r\nc"), "role", "a\tb\r\nc", id="a text of two lines"),
        pytest.param(boost(price=-1), "price", -1, id="a credit"),
    ],
)
def test_what_is_unusual_is_taken_as_it_is(line: dict[str, Any], name: str, value: object) -> None:
    assert check_line(orjson.dumps(line)).properties[name] == value


def test_a_thing_may_have_any_name_that_an_alarm_may_call_it_by() -> None:
    long = "a\tb" * 300
    line = {"label": "ExternalName", "id": an_id("ExternalName"), "properties": {"system": "s", "name": long}}
    assert check_line(orjson.dumps(line)).properties["key"] == external_key("s", long)


def test_a_time_may_be_written_as_people_do() -> None:
    record = check_line(orjson.dumps(boost(startAt="2026-01-31T13:00:00.250+01:00", endAt=1_769_860_801_000)))
    assert (record.properties["startAt"], record.properties["endAt"]) == (1_769_860_800_250, 1_769_860_801_000)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        pytest.param("2026-01-31t12:00:00z", 1_769_860_800_000, id="in small letters"),
        pytest.param("2026-01-31t12:00:00.5+01:00", 1_769_857_200_500, id="with an offset"),
        pytest.param("2016-12-31T23:59:60Z", 1_483_228_800_000, id="a leap second is the second that follows"),
        pytest.param("2017-01-01T00:59:60.250+01:00", 1_483_228_800_250, id="and that in another zone"),
    ],
)
def test_a_time_is_read_as_rfc_3339_allows_it(written: str, moment: int) -> None:
    assert check_line(orjson.dumps(boost(startAt=written, endAt=2**42))).properties["startAt"] == moment


def test_a_misspelt_property_is_one_fault_and_not_also_missing() -> None:
    line = site()
    line["properties"]["nmae"] = line["properties"].pop("name")
    with pytest.raises(ValueError, match=r"^properties: there is no property 'nmae' here \(did you mean name\?\)$"):
        check_line(orjson.dumps(line))


def test_what_is_derived_is_told_to_nobody() -> None:
    line = site()
    del line["properties"]["name"]
    with pytest.raises(ValueError, match=r"^properties\.name is missing$"):
        check_line(orjson.dumps(line))


def test_what_is_derived_is_derived_whatever_a_file_says() -> None:
    said = {"system": "s", "name": "n", "key": "another"}
    name = {"label": "ExternalName", "id": an_id("ExternalName"), "properties": said}
    assert check_line(orjson.dumps(name)).properties["key"] == external_key("s", "n")


def test_text_and_bytes_are_read_alike() -> None:
    assert check_line(orjson.dumps(boost()).decode()) == check_line(orjson.dumps(boost()))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        pytest.param(b"{", "not JSON", id="half an object"),
        pytest.param(b'{"label": "\xff"}', "not JSON", id="bytes that are no text"),
        pytest.param("\ud800", "not JSON", id="half a character"),
        pytest.param(b"[1]", "a line is an object", id="a list"),
        pytest.param({**site(), "properties": 3}, "its properties are an object", id="properties that are a number"),
        pytest.param({"label": "Site"}, "a node has label, id, properties", id="no id"),
        pytest.param({**site(), "type": "NAMES"}, "a node has", id="neither node nor relationship"),
        pytest.param({**site(), "label": "Lorry"}, "there is no label 'Lorry'", id="unknown label"),
        pytest.param({**site(), "label": ["Site"]}, "there is no label", id="a label that is a list"),
        pytest.param({**site(), "label": "LoadMark"}, "there is no label 'LoadMark'", id="internal label"),
        pytest.param(joined("MERGED_INTO", "Customer", "Customer"), "mergeCustomers", id="a merge"),
        pytest.param(joined("COMPARES", "CustomerMatch", "Customer"), "is not loaded", id="a comparison"),
        pytest.param(
            {"label": "CustomerMatch", "id": an_id("CustomerMatch"), "properties": {}}, "is not loaded", id="a match"
        ),
        pytest.param({**site(), "id": "site-1"}, "the id of a Site is site- and a UUID", id="no UUID"),
        pytest.param({**site(), "id": an_id("Card")}, "the id of a Site", id="the id of another label"),
        pytest.param({**site(), "id": 7}, "the id of a Site", id="an id that is a number"),
        pytest.param(site(colour="red"), "there is no property 'colour'", id="unknown property"),
        pytest.param(site(id="x"), "there is no property 'id'", id="the id among the properties"),
        pytest.param(site(role=None), "properties.role must be a string, not None", id="null"),
        pytest.param(site(latitude="50"), "properties.latitude must be a number, not '50'", id="text for a number"),
        pytest.param(site(latitude=True), "latitude must be a number, not True", id="a truth value for a number"),
        pytest.param(
            boost(mbps=1.5), "mbps must be a whole number of 32 bits, not 1.5", id="a fraction for an integer"
        ),
        pytest.param(
            boost(mbps=True), "mbps must be a whole number of 32 bits, not True", id="a truth value for an integer"
        ),
        pytest.param(
            boost(startAt="noon"),
            "properties.startAt must be a time with its zone, as 2026-01-31T12:00:00Z (RFC 3339), "
            "or whole milliseconds since 1970 in UTC, of the years 1 to 9999, not 'noon'",
            id="text that is no time",
        ),
        pytest.param(boost(startAt="2026-01-01T00:00:00"), "a time with its zone", id="a time without a zone"),
        pytest.param(boost(startAt=1.5), "whole milliseconds", id="a fraction of a millisecond"),
        pytest.param(b'{"label": "Site", x', "column 19: this is not JSON: ", id="the column of what is no JSON"),
        pytest.param(
            boost(mbps=2**31), "mbps must be a whole number of 32 bits", id="more than an Int of GraphQL holds"
        ),
        pytest.param(boost(startAt=253_402_300_800_000), "of the years 1 to 9999", id="a year that cannot be written"),
        pytest.param(boost(startAt="9999-12-31T23:59:59-23:59"), "of the years 1 to 9999", id="and one in UTC"),
        pytest.param(boost(startAt=2**63), "startAt must be a time", id="more than the database holds"),
        pytest.param(boost(status="on"), "status must be one of REQUESTED", id="a word that is not in the vocabulary"),
        pytest.param(boost(status=["SCHEDULED"]), "status must be a string", id="a list for a word"),
        pytest.param(
            {**site(), "label": "site"}, "no label 'site' (did you mean Site?)", id="a label in small letters"
        ),
        pytest.param(
            site(lattitude=1), "there is no property 'lattitude' here", id="a property beside the one that is meant"
        ),
        pytest.param(joined("LOCATED_IN", "Site", "Card"), "(did you mean LOCATED_AT?)", id="a misspelt type"),
        pytest.param(site(latitude=1e9), "latitude must be from -90 to 90, not 1000000000.0", id="no place on earth"),
        pytest.param(site(longitude=-181), "longitude must be from -180 to 180", id="a place twice round the earth"),
        pytest.param(site(name=""), "properties.name must not be empty", id="no name"),
        pytest.param(site(name=" \u3000"), "properties.name must not be empty", id="a blank name"),
        pytest.param(site(name="x" * 501), "must have at most 500 characters, not 501", id="a name without end"),
        pytest.param(site(role="a\u0000b"), "no character that cannot be read, as U+0000", id="a control character"),
        pytest.param(boost(mbps=0), "mbps must be at least 1, not 0", id="a boost of nothing"),
        pytest.param(boost(mbps=-5), "mbps must be at least 1, not -5", id="a boost that takes away"),
        pytest.param(boost(endAt=1), "endAt must be later than startAt", id="an end at the beginning"),
        pytest.param(
            boost(currency="EURO!"),
            "currency must be a currency of three capital letters (ISO 4217), not 'EURO!'",
            id="no currency",
        ),
        pytest.param(boost(currency="eur"), "three capital letters", id="a currency in small letters"),
        pytest.param(boost(startAt="2026-01-01T12:00:60Z"), "a time with its zone", id="a leap second at noon"),
        pytest.param(joined("EATS", "Site", "Card"), "no relationship type 'EATS'", id="unknown type"),
        pytest.param(joined("HOLDS", "Site", "Card"), "its start must be the id of a NetworkElement", id="wrong start"),
        pytest.param(joined("HAS_PORT", "Card", "Site"), "its end must be the id of a Port", id="wrong end"),
        pytest.param(joined("ACCESSED_AT", "Service", "Port"), "end is missing", id="missing on a relationship"),
        pytest.param(joined("ACCESSED_AT", "Service", "Port", end="B"), "end must be one of A, Z", id="wrong end word"),
        pytest.param(
            {**joined("HOLDS", "NetworkElement", "Card"), "end": "card-1"},
            "the id of a Card is",
            id="no UUID at an end",
        ),
    ],
)
def test_a_line_that_does_not_fit_is_told_why(line: dict[str, Any] | bytes | str, problem: str) -> None:
    text = orjson.dumps(line) if isinstance(line, dict) else line
    with pytest.raises(ValueError, match=re.escape(problem)):
        check_line(text)


def test_all_that_is_wrong_with_a_line_is_told_at_once() -> None:
    with pytest.raises(ValueError, match=r"colour.*latitude") as caught:
        check_line(orjson.dumps({**site(colour="red", latitude="50"), "id": "x"}))
    assert str(caught.value).count(";") == 2


@pytest.mark.parametrize(
    "label",
    [label for label in LABELS.values() if not label.internal and label.name not in OF_PEOPLE],
    ids=lambda each: each.name,
)
def test_each_required_property_is_missed(label: Any) -> None:
    required = {each.name for each in label.properties if each.required and not each.derived and each.name != "id"}
    problems = problems_of(NodeRecord(label=label.name, id=an_id(label.name), properties={}))
    assert {problem.removeprefix("properties.").removesuffix(" is missing") for problem in problems} == required


def test_there_is_a_statement_for_all_that_passes_the_check_and_for_nothing_else() -> None:
    loaded = {label.name for label in LABELS.values() if not label.internal}
    ends = {(kind.type, start, end) for kind in RELATIONSHIPS.values() for start in kind.starts for end in kind.ends}
    assert set(NODES) == {(how, label) for how in How for label in loaded}
    assert set(RELATIONSHIPS_BETWEEN) == {(how, each) for how in How for each in ends}
