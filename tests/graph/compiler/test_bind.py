"""What a request may put into parameters, and what it is told when it may not."""

from __future__ import annotations

from typing import Any

import pytest

from graph.compiler.bind import IDS_MOST, PAGE_MOST, Request, bind
from graph.compiler.cursor import CursorKey
from graph.errors import Refused
from graph.model.scope import Principal, Role, scope_of
from tests.graph.compiler.compiling import KEY, asked, reads

OPERATOR = Principal(subject="op", role=Role.OPERATOR)
CUSTOMER = Principal(subject="c", role=Role.CUSTOMER, customers=("customer-1", "customer-2"))


def parameters(text: str, variables: dict[str, Any] | None = None, principal: Principal = OPERATOR) -> list[Any]:
    compiler = reads()
    operation, values = asked(text, variables or {})
    made = compiler.prepared(operation, values, principal)
    return list(bind(made.parameters, compiler.request(made, values, principal, {})).values())


REFUSED = {
    "too many rows": f"{{ cards(first: {PAGE_MOST + 1}) {{ nodes {{ id }} }} }}",
    "a negative number of rows": "{ cards(last: -1) { nodes { id } } }",
    "both ends of a list": "{ cards(first: 1, last: 1) { nodes { id } } }",
    "a cursor that is none": '{ cards(after: "zip") { nodes { id } } }',
    "a cursor of another order": f'{{ cards(after: "{KEY.seal(["a"], "CardConnection.cards:NAME")}") {{ nodes {{ id }} }} }}',
    "too many ids": "{ impact(of: [" + '"card-1",' * (IDS_MOST + 1) + "]) { totalServices } }",
    "too many representations": "{ _entities(representations: ["
    + '{__typename: "Card", id: "a"},' * (IDS_MOST + 1)
    + "]) { __typename } }",
    "a representation without its key": '{ _entities(representations: [{__typename: "Card"}]) { __typename } }',
    "no words": '{ search(text: " -/ ") { id } }',
    "too many words": '{ search(text: "' + " ".join("abcdefghijklmnopq") + '") { id } }',
    "no time": '{ alarms(filter: {raisedAt: {eq: "noon"}}) { totalCount } }',
    "a time without a zone": '{ alarms(filter: {raisedAt: {eq: "2026-01-01T12:00:00"}}) { totalCount } }',
    "no number": '{ node(id: "port-1") { id } events(filter: {position: {eq: "x"}}) { totalCount } }',
    "more than a double": "{ sites(filter: {latitude: {range: {lt: 1e400}}}) { totalCount } }",
    "more than 64 bits": '{ events(filter: {position: {eq: "9223372036854775808"}}) { totalCount } }',
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_may_not_be_asked_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(Refused) as refused:
        parameters(text)
    assert refused.value.code in {"BAD_USER_INPUT", "LIMIT_EXCEEDED"}
    assert (refused.value.code == "LIMIT_EXCEEDED") == ("At most" in str(refused.value))
    assert refused.value.hint


POSITIONS = "query ($v: BigInt) { events(filter: {position: {range: {gt: $v}}}) { totalCount } }"


@pytest.mark.parametrize(
    "value",
    [
        2.5,
        2.0,
        float("inf"),
        float("nan"),
        True,
        "2.5",
        "1e3",
        "1_000",
        " 7",
        "7\n",
        "\u0667",
        "",
        [7],
        {"a": 7},
        2**63,
        -(2**63),
        10**4_000,
        "9" * 5_000,
        "x" * 100_000,
    ],
    ids=lambda each: f"{type(each).__name__} {each!r:.20}" if each != 10**4_000 else "int of 4,001 digits",
)
def test_nothing_is_rounded_to_a_whole_number(value: Any) -> None:
    with pytest.raises(Refused) as refused:
        parameters(POSITIONS, {"v": value})
    assert refused.value.code == "BAD_USER_INPUT"
    assert len(str(refused.value)) < 200


@pytest.mark.parametrize("value", [7, "7", "007", 2**63 - 1, str(1 - 2**63)])
def test_a_whole_number_is_given_as_itself_or_as_its_digits(value: Any) -> None:
    assert parameters(POSITIONS, {"v": value}) == [int(value)]


@pytest.mark.parametrize("value", [["2026-01-01T00:00:00Z"], {"a": 1}, 5, 2.5, True, "x" * 100_000])
def test_nothing_but_a_text_is_a_time(value: Any) -> None:
    with pytest.raises(Refused) as refused:
        parameters("query ($v: DateTime) { alarms(filter: {raisedAt: {eq: $v}}) { totalCount } }", {"v": value})
    assert refused.value.code == "BAD_USER_INPUT"
    assert len(str(refused.value)) < 200


BOUND = {
    "a page of the usual size": ("{ cards { nodes { id } } }", [10]),
    "one more, to know whether there are more": ("{ cards(first: 2) { pageInfo { hasNextPage } } }", [3]),
    "no more, when nobody asks": ("{ cards(first: 2) { pageInfo { hasPreviousPage } nodes { id } } }", [2]),
    "a time in any zone": (
        '{ alarms(filter: {raisedAt: {eq: "1970-01-01T01:00:01.5+01:00"}}) { totalCount } }',
        [1500],
    ),
    "a large number": ('{ events(filter: {position: {eq: "9223372036854775807"}}) { totalCount } }', [2**63 - 1]),
    "large numbers": ('{ events(filter: {position: {in: ["7", 8]}}) { totalCount } }', [[7, 8]]),
    "a word as it is stored": ("{ services(filter: {effect: {eq: AT_RISK}}) { totalCount } }", ["atRisk"]),
    "words to search for": ('{ search(text: "Köln-3 a*b", first: 1) { id } }', None),
}


@pytest.mark.parametrize(("text", "expected"), BOUND.values(), ids=BOUND)
def test_a_value_is_bound_as_the_graph_stores_it(text: str, expected: list[Any] | None) -> None:
    found = parameters(text)
    if expected is None:
        assert "köln* AND 3* AND a* AND b*" in found
    else:
        assert found == expected


def test_the_scope_is_the_callers_customers() -> None:
    assert ["customer-1", "customer-2"] in parameters("{ services { totalCount } }", {}, CUSTOMER)


def test_ids_are_asked_for_under_their_own_label_only_and_once() -> None:
    found = parameters('{ impact(of: ["card-1", "port-1", "card-1", "zip"]) { totalServices } }')
    assert [each for each in found if isinstance(each, list)].count(["card-1"]) >= 1
    assert not [each for each in found if isinstance(each, list) and ("zip" in each or len(each) > 1)]


def test_a_caller_who_reads_nothing_is_refused_but_may_ask_who_it_is() -> None:
    system = Principal(subject="s", role=Role.SYSTEM, system="nms")
    assert scope_of(system).customers == ()
    assert parameters("{ viewer { role } }", {}, system) == ["system"]
    for text in ("{ cards { nodes { id } } }", '{ node(id: "card-1") { id } }', '{ search(text: "a") { id } }'):
        with pytest.raises(Refused) as refused:
            parameters(text, {}, system)
        assert refused.value.code == "FORBIDDEN"


def test_a_request_holds_no_key_that_could_be_printed() -> None:
    request = Request(arguments=[], scope=scope_of(OPERATOR), caller={}, cursor_key=CursorKey(b"s" * 32), outcome={})
    assert "ssss" not in repr(request)


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        (
            {"f": {"or": [{}, {"raisedAt": {"range": {"gte": "noon"}}}]}},
            "Variable '$f' has at 'or.1.raisedAt.range.gte' what is no DateTime: 'noon' is not a time.",
        ),
        ({"t": 5}, "Variable '$t' has what is no DateTime: The value is not a time."),
        ({"t": ["2026-01-01T00:00:00Z"]}, "Variable '$t' has what is no DateTime: The value is not a time."),
    ],
)
def test_a_variable_that_holds_no_value_of_a_scalar_is_named(variables: dict[str, Any], told: str) -> None:
    text = """query ($f: AlarmFilter, $t: DateTime) {
      alarms(filter: {not: $f, and: [{changedAt: {eq: $t}}, {clearedAt: {eq: $t}}]}) { totalCount } }"""
    with pytest.raises(Refused) as refused:
        parameters(text, variables)
    assert (refused.value.message, refused.value.code) == (told, "BAD_USER_INPUT")


def test_an_argument_in_the_text_is_named_by_its_place() -> None:
    with pytest.raises(Refused) as refused:
        parameters('{ alarms(filter: {raisedAt: {range: {lt: "noon"}}}) { totalCount } }')
    assert refused.value.message == "Argument 'filter.raisedAt.range.lt': 'noon' is not a time."


def test_a_statement_that_is_too_long_exceeds_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.compiler.read.LONGEST_TEXT", 100)
    with pytest.raises(Refused) as refused:
        parameters("{ cards { nodes { id } } }")
    assert refused.value.code == "LIMIT_EXCEEDED"
