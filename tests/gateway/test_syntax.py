"""What is read off documents in one place for all: conditions, variables, arguments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from graphql import FieldNode, OperationDefinitionNode, SchemaDefinitionNode, parse

from gateway.federation.subgraph import TextOperation
from gateway.syntax import arguments_of, conditions_of, definition_of, fragments_of, is_included, variables_in

DOCUMENT = parse(
    'query Q($a: Boolean!, $b: Boolean!, $c: Int) @trace(id: $c) { x @skip(if: $a) ...F @include(if: $b) y(text: "$z") }'
    " fragment F on Query { z @skip(if: $a) @include(if: true) }"
)


@pytest.mark.parametrize(
    ("marks", "variables", "included"),
    [
        ("", {}, True),
        ("@skip(if: true)", {}, False),
        ("@skip(if: false)", {}, True),
        ("@include(if: true)", {}, True),
        ("@include(if: false)", {}, False),
        ("@include(if: $a)", {"a": True}, True),
        ("@include(if: $a)", {"a": False}, False),
        ("@skip(if: $a) @include(if: $b)", {"a": False, "b": True}, True),
        ("@skip(if: $a) @include(if: $b)", {"a": True, "b": True}, False),
        ("@skip(if: $a) @include(if: $b)", {"a": False, "b": False}, False),
        ("@other(if: false)", {}, True),
    ],
)
def test_a_selection_is_asked_for_where_it_is_included_and_not_skipped(
    marks: str, variables: dict[str, bool], *, included: bool
) -> None:
    (field,) = definition_of(parse(f"{{ x {marks} }}")).selection_set.selections
    assert isinstance(field, FieldNode)
    assert is_included(field, variables) is included


def test_a_document_is_read() -> None:
    assert isinstance(definition_of(DOCUMENT), OperationDefinitionNode)
    assert list(fragments_of(DOCUMENT)) == ["F"]
    assert conditions_of(DOCUMENT) == ("a", "b")
    assert variables_in(definition_of(DOCUMENT).selection_set) == {"a", "b"}
    assert variables_in(*definition_of(DOCUMENT).directives or ()) == {"c"}


def test_arguments_are_plain_values() -> None:
    (schema,) = parse(
        'schema @link(url: "u", import: [{name: "@a", as: "@b"}, "C"], for: SECURITY) { query: Q }'
    ).definitions
    assert isinstance(schema, SchemaDefinitionNode)
    (link,) = schema.directives or ()
    assert arguments_of(link) == {"url": "u", "import": [{"name": "@a", "as": "@b"}, "C"], "for": "SECURITY"}


def test_an_operation_that_is_a_text_is_parsed_when_it_is_read() -> None:
    operation = TextOperation(key="k", text="{ a }")
    assert operation.document is operation.document
    assert (
        definition_of(operation.document).selection_set == definition_of(parse("{ a }", no_location=True)).selection_set
    )
    explained = replace(operation, explain=True)
    assert (explained.key, explained.text, explained.explain) == ("k", "{ a }", True)
    assert explained.document is operation.document
