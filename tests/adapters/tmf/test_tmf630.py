from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.errors import Malformed
from adapters.tmf.tmf630 import (
    DEEPEST,
    MOST,
    Filter,
    error_body,
    matches,
    merge_patch,
    page_headers,
    page_of,
    quote_value,
    read_query,
    read_time,
    select,
    split_values,
    write_time,
)
from tests.adapters.schema import faults

TICKET: dict[str, object] = {
    "id": "TT-1",
    "href": "/TT-1",
    "status": "held",
    "priority": 3,
    "urgent": True,
    "share": 0.5,
    "nothing": None,
    "lastUpdate": "2026-03-01T12:00:00Z",
    "channel": {"id": "web", "name": "a, b"},
    "relatedParty": [{"id": "c-1", "role": "customer", "tags": ["x", "y"]}, {"id": "c-2", "role": "user"}],
}
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=12,
)


def found(query: str) -> bool:
    return matches(TICKET, read_query(parse_qsl(query, keep_blank_values=True)).filters)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status=held", True),
        ("status=hel", False),
        ("status=Held", False),
        ("status=closed,held", True),
        ("status=closed&status=held", True),
        ('status="held"', True),
        ("status='held'", True),
        ("status=held&id=TT-2", False),
        ("status=held&id=TT-1", True),
        ("status=", False),
        ("priority=3", True),
        ("priority=3.0", False),
        ("urgent=true", True),
        ("urgent=True", False),
        ("share=0.5", True),
        ("nothing=null", False),
        ("nothing=", False),
        ("missing=1", False),
        ("lastUpdate.gte=2026-03-01T13:00:00%2B01:00", True),
        ("lastUpdate.gt=2026-03-01T12:00:00Z", False),
        ("lastUpdate.lt=2026-03-01T12:00:00.001Z", True),
        ("lastUpdate.lte=2026-03-01T11:59:59Z", False),
        ("status.gte=2026-03-01T12:00:00Z", False),
        ("missing.gte=2026-03-01T12:00:00Z", False),
        ("channel.id=web", True),
        ('channel.name="a, b"', True),
        ("channel.name=a, b", False),
        ("channel=web", False),
        ("relatedParty.id=c-2", True),
        ("relatedParty.id=c-3", False),
        ("relatedParty.id=c-1&relatedParty.role=user", True),
        ("relatedParty.tags=y", True),
        ("relatedParty.id.more=c-1", False),
        ("relatedParty.0.id=c-1", False),
        ("", True),
        ("fields=status&offset=5&limit=1", True),
    ],
)
def test_filters_are_exact(query: str, expected: bool) -> None:  # noqa: FBT001 - a table
    assert found(query) is expected


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a,b", ["a", "b"]),
        ("a,", ["a", ""]),
        (",", ["", ""]),
        ('"a,b",c', ["a,b", "c"]),
        ("'a,b'", ["a,b"]),
        ('"a', ['"a']),
        ('a"b"', ['a"b"']),
        ('"a"b', ['"a"b']),
        ('""', [""]),
        ("it's", ["it's"]),
        ("a\n", ["a\n"]),
    ],
)
def test_values_are_parted_at_commas_outside_of_quotes(text: str, values: list[str]) -> None:
    assert split_values(text) == values


@given(st.lists(st.text(), min_size=1, max_size=5))
@example(["'a'", '"b"', "c,d"])
def test_values_come_back_as_they_were_quoted(values: list[str]) -> None:
    try:
        text = ",".join(map(quote_value, values))
    except Malformed:
        assert any("'" in each and '"' in each for each in values)
    else:
        assert split_values(text) == values


@given(st.text())
def test_any_text_is_some_values(text: str) -> None:
    assert len(split_values(text)) <= text.count(",") + 1


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8))), JSON)
def test_any_query_can_be_asked_of_anything(pairs: list[tuple[str, str]], value: object) -> None:
    asked = read_query([pair for pair in pairs if pair[0] not in ("offset", "limit")])
    assert matches({"a": value}, asked.filters) in (True, False)


def test_what_is_no_filter_is_none() -> None:
    asked = read_query([("fields", "a,b"), ("fields", "b,c"), ("offset", "2"), ("limit", "3"), ("x.y", "1")])
    assert (asked.fields, asked.offset, asked.limit) == (("a", "b", "c"), 2, 3)
    assert asked.filters == (Filter(path=("x", "y"), values=("1",)),)


@pytest.mark.parametrize("name", ["offset", "limit"])
@pytest.mark.parametrize("value", ["", "-1", "1.5", "x", "\u0663", "1e3", "9" * 10, " 1"])
def test_paging_by_what_is_no_number_names_the_parameter(name: str, value: str) -> None:
    with pytest.raises(Malformed) as caught:
        read_query([(name, value)])
    assert caught.value.field == name


def test_limits_are_bounded() -> None:
    assert read_query([("limit", "999999")]).limit == MOST
    assert read_query([], limit=7).limit == 7
    with pytest.raises(Malformed):
        read_query([("limit", "0")])


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ((), set(TICKET)),
        (("status",), {"id", "href", "status"}),
        (("missing",), {"id", "href"}),
        (("none",), {"id", "href"}),
        (("id",), {"id", "href"}),
    ],
)
def test_fields_are_exact_and_id_and_href_always_there(fields: tuple[str, ...], kept: set[str]) -> None:
    assert set(select(TICKET, fields)) == kept


@given(st.integers(0, 60), st.integers(0, 70), st.integers(1, 20))
def test_whoever_follows_next_sees_everything_once(total: int, offset: int, limit: int) -> None:
    seen: list[int] = []
    query = f"status=a%2Cb&offset={offset}&limit={limit}"
    for _ in range(100):
        pairs = parse_qsl(query)
        page = page_of(total, read_query(pairs))
        headers = page_headers(page, "/list", pairs)
        seen += range(page.first, page.end)
        assert headers["X-Total-Count"] == str(total)
        assert headers["X-Result-Count"] == str(page.end - page.first)
        assert page.status == (200 if page.end - page.first == total else 206)
        following = links(headers["Link"]).get("next")
        if following is None:
            break
        query = urlsplit(following).query
        assert dict(parse_qsl(query))["status"] == "a,b"
    assert seen == list(range(min(offset, total), total))


def links(header: str) -> dict[str, str]:
    parts = [each.partition(">; rel=") for each in header.split(", ")]
    return {rel.strip('"'): address.removeprefix("<") for address, _, rel in parts}


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        (0, {"self": 0, "first": 0, "last": 20, "next": 10}),
        (10, {"self": 10, "first": 0, "last": 20, "next": 20, "prev": 0}),
        (20, {"self": 20, "first": 0, "last": 20, "prev": 10}),
        (3, {"self": 3, "first": 0, "last": 20, "next": 13, "prev": 0}),
    ],
)
def test_a_page_names_its_neighbours(offset: int, expected: dict[str, int]) -> None:
    page = page_of(25, read_query([("offset", str(offset)), ("limit", "10")]))
    told = links(page_headers(page, "/list", [])["Link"])
    assert {rel: int(dict(parse_qsl(urlsplit(each).query))["offset"]) for rel, each in told.items()} == expected


def test_a_link_cannot_be_broken_out_of() -> None:
    header = page_headers(page_of(1, read_query([])), "/list", [("x", '>; rel="next"\r\nSet-Cookie: a')])["Link"]
    assert header.count(">") == len(links(header))
    assert "\r" not in header


def test_an_error_is_one_of_theirs() -> None:
    assert faults("error", error_body("20", "No", message="Do this", status=400)) == []
    assert faults("error", error_body("20", "No", status=400)) == []
    assert error_body("20", "No", status=400)["status"] == "400"


@pytest.mark.parametrize(
    ("target", "patch", "expected"),
    [  # the examples of RFC 7396, appendix A
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_a_merge_patch_does_as_its_rfc_says(target: object, patch: object, expected: object) -> None:
    assert merge_patch(target, patch) == expected


@given(JSON, JSON)
def test_a_merge_patch_twice_is_as_once_and_touches_nothing(target: object, patch: object) -> None:
    before = repr((target, patch))
    once = merge_patch(target, patch)
    assert merge_patch(once, patch) == once
    assert repr((target, patch)) == before


def test_a_patch_that_is_too_deep_is_refused_before_the_stack_is() -> None:
    patch: object = {}
    for _ in range(50_000):
        patch = {"a": patch}
    with pytest.raises(Malformed):
        merge_patch({}, patch)
    patch = 1
    for _ in range(DEEPEST):
        patch = {"a": patch}
    assert merge_patch({}, patch) == patch


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 00:00:00Z", 0),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999Z", -1),
        ("1970-01-01T00:00:00.0019999999Z", 1),
        ("1970-01-01T00:00:00.5-00:30", 1_800_500),
        ("2016-12-31T23:59:60Z", 1_483_228_800_000),
        ("2024-02-29T00:00:00Z", 1_709_164_800_000),
        ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
    ],
)
def test_a_time_with_a_zone_is_read(text: str, milliseconds: int) -> None:
    assert read_time(text, "at") == milliseconds


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01T12:00:00",
        "2026-03-01",
        "2026-03-01T12:00Z",
        "2026-03-01T12:00:00.Z",
        "2026-02-29T12:00:00Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T12:00:61Z",
        "2026-03-01T12:00:00+24:00",
        "2026-03-01T12:00:00+0100",
        "2026-W09-1T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T23:59:60Z",
        "2026-03-01T12:00:00Z\n",
        "\u0662026-03-01T12:00:00Z",
        " 2026-03-01T12:00:00Z",
        "",
        "now",
        1_772_362_800_000,
        None,
        True,
        ["2026-03-01T12:00:00Z"],
    ],
)
def test_what_is_no_time_with_a_zone_names_its_field(value: object) -> None:
    with pytest.raises(Malformed) as caught:
        read_time(value, "alarmRaisedTime")
    assert caught.value.field == "alarmRaisedTime"


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_a_time_comes_back_as_it_was_written(milliseconds: int) -> None:
    assert read_time(write_time(milliseconds), "at") == milliseconds


@given(st.text() | JSON)
def test_anything_is_a_time_or_malformed(value: object) -> None:
    try:
        assert isinstance(read_time(value, "at"), int)
    except Malformed as error:
        assert error.field == "at"  # noqa: PT017 - it need not be raised
