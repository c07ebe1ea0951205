from __future__ import annotations

from typing import Any, cast

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
    build_schema,
    coerce_input_literal,
    parse_value,
)
from graphql.execution.values import VariableValues
from hypothesis import given
from hypothesis import strategies as st

from graph.compiler.literals import filled, has_variable

SCHEMA = build_schema("""
    type Query { asked(filter: Filter): Int }
    input Range { gte: Int, lt: Int = 7 }
    input Filter { all: [Filter!], state: State, in: [State!], range: Range, least: Int! = 3, must: Int! }
    input One @oneOf { a: Int, b: Int }
    enum State { UP DOWN }
""")
FILTER = cast("GraphQLInputObjectType", SCHEMA.type_map["Filter"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "state": st.sampled_from(["UP", "DOWN", None]),
    "states": st.lists(st.sampled_from(["UP", "DOWN"])) | st.none(),
    "number": st.integers(-9, 9) | st.none(),
    "range": st.fixed_dictionaries({}, optional={"gte": st.integers(0, 9)}) | st.none(),
}
LITERALS = [
    "{must: 1, state: $state}",
    "{must: $number}",
    "{must: 1, least: $number, in: $states}",
    "{must: 1, in: [$state, UP]}",
    "{must: 1, in: $state}",
    "{must: 1, range: {gte: $number}}",
    "{must: 1, range: {gte: 2, lt: $number}}",
    "{must: 1, range: $range}",
    "{must: 1, all: [{must: $number}, {must: 2, state: DOWN, range: {lt: $number}}]}",
    "{must: 1, all: {must: 2, least: $number}}",
    "{state: $state}",
]


@pytest.mark.parametrize("literal", LITERALS)
@given(variables=st.fixed_dictionaries({}, optional=VALUES))
def test_a_filled_literal_is_what_graphql_core_makes_of_it(literal: str, variables: dict[str, Any]) -> None:
    node = parse_value(literal)
    expected = coerce_input_literal(node, FILTER, VariableValues(sources={}, coerced=variables))
    found = filled(node, FILTER)(variables)
    assert found == expected
    assert found is Undefined or list(found) == list(expected), "the order of fields decides the order of parameters"


@pytest.mark.parametrize(
    ("literal", "variables"),
    [("[1, $n]", {}), ("[1, $n]", {"n": 2}), ("[1, $n]", {"n": None}), ("[[$n]]", {"n": 1}), ("$n", {"n": [1]})],
)
def test_lists_of_nullable_items_take_null_for_what_is_absent(literal: str, variables: dict[str, Any]) -> None:
    node = parse_value(literal)
    type_ = GraphQLNonNull(GraphQLList(SCHEMA.type_map["Int"]))
    expected = coerce_input_literal(node, type_, VariableValues(sources={}, coerced=variables))
    assert filled(node, type_)(variables) == expected


@pytest.mark.parametrize("variables", [{"n": 1}, {"n": None}, {}])
def test_an_object_of_exactly_one_field_is_left_to_graphql_core(variables: dict[str, Any]) -> None:
    node, type_ = parse_value("{a: $n}"), cast("GraphQLInputObjectType", SCHEMA.type_map["One"])
    expected = coerce_input_literal(node, type_, VariableValues(sources={}, coerced=variables))
    assert filled(node, type_)(variables) == expected


def test_only_what_holds_a_variable_waits_for_one() -> None:
    assert has_variable(parse_value("{a: [{b: $c}]}"))
    assert not has_variable(parse_value("{a: [{b: C}]}"))
