"""Any subscription is made to resume, and what it says otherwise is left as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest
from graphql import GraphQLEnumType, build_schema, parse, validate

from trunkline.client import InvalidDocument, documents, events
from trunkline.client.documents import resumable

SCHEMA = build_schema((Path(__file__).parents[3] / "schema.graphql").read_text(encoding="utf-8"), assume_valid_sdl=True)
FIXED = (documents.ALERTS, documents.SERVICE_EVENTS, documents.TOPOLOGY_CHANGES, documents.DELIVERIES)


@pytest.mark.parametrize("text", FIXED)
def test_the_clients_own_subscriptions_are_the_schemas(text: str) -> None:
    assert validate(SCHEMA, parse(text)) == []
    assert resumable(text, {}, None).text == text


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (events.Severity, "Severity"),
        (events.Effect, "Effect"),
        (events.AlertKind, "AlertKind"),
        (events.ServiceEventKind, "ServiceEventKind"),
        (events.TopologyChangeKind, "TopologyChangeKind"),
        (events.DeliveryEventKind, "DeliveryEventKind"),
    ],
)
def test_the_words_of_values_are_the_schemas(words: Any, name: str) -> None:
    enum = SCHEMA.type_map[name]
    assert isinstance(enum, GraphQLEnumType)
    assert set(get_args(words)) == set(enum.values)


@pytest.mark.parametrize(
    ("text", "given", "after", "variable", "asked"),
    [
        ("subscription { alerts { kind } }", {}, None, "after", {}),
        ("subscription { alerts { kind } }", {}, "c", "after", {"after": "c"}),
        ('subscription { alerts(after: "b") { kind } }', {}, None, "after", {"after": "b"}),
        ('subscription { alerts(after: "b") { kind } }', {}, "c", "after", {"after": "c"}),
        ("subscription { alerts(after: null) { kind } }", {}, None, "after", {}),
        ("subscription ($x: String) { alerts(after: $x) { kind } }", {"x": "b"}, None, "x", {"x": "b"}),
        ("subscription ($x: String) { alerts(after: $x) { kind } }", {"x": "b"}, "c", "x", {"x": "c"}),
        (
            "subscription ($after: AlertFilter) { alerts(filter: $after) { kind } }",
            {"after": {}},
            "c",
            "after_",
            {"after": {}, "after_": "c"},
        ),
        ("subscription A { alerts { ...F } } fragment F on Alert { kind }", {}, "c", "after", {"after": "c"}),
    ],
)
def test_a_subscription_takes_its_cursor_from_a_variable(
    text: str, given: dict[str, Any], after: str | None, variable: str, asked: dict[str, Any]
) -> None:
    made = resumable(text, given, after)
    assert validate(SCHEMA, parse(made.text)) == []
    assert made.variable == variable
    assert f"after: ${variable}" in made.text
    assert made.variables_after(made.after) == asked
    assert made.variables_after("z")[variable] == "z"


@pytest.mark.parametrize(
    ("text", "given", "after"),
    [
        ("subscription { alerts { kind } }", {}, ""),
        ('subscription { alerts(after: "") { kind } }', {}, None),
        ("subscription ($a: String) { alerts(after: $a) { kind } }", {"a": ""}, None),
        ("subscription ($a: String) { alerts(after: $a) { kind } }", {"a": "kept"}, ""),
    ],
)
def test_an_empty_cursor_is_refused_wherever_it_stands(text: str, given: dict[str, Any], after: str | None) -> None:
    with pytest.raises(ValueError, match="`after` is empty"):
        resumable(text, given, after)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("subscription { alerts { ", r"(?s)Syntax Error.*:1:25"),
        ("{ services { totalCount } }", "no subscription"),
        ("subscription A { alerts { kind } } subscription B { alerts { kind } }", "2 operations"),
        ("fragment F on Alert { kind }", "0 operations"),
        ("subscription { alerts { kind } deliveries { kind } }", "one field"),
        ("subscription { ...F } fragment F on Subscription { alerts { kind } }", "one field"),
        ("subscription { alerts(after: 7) { kind } }", "not a text"),
    ],
)
def test_what_is_not_one_subscription_is_refused_before_it_is_sent(text: str, said: str) -> None:
    with pytest.raises(InvalidDocument, match=said):
        resumable(text, {}, None)
