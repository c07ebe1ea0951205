"""The text of a statement: nothing of a request's values, and nothing of what does not matter."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import Refused
from graph.model.scope import Principal, Role
from tests.graph.compiler.compiling import prepared, reads
from tests.selection import examples

OPERATOR = Principal(subject="op", role=Role.OPERATOR)
CUSTOMER = Principal(subject="c", role=Role.CUSTOMER, customers=("customer-1",))
WILD = st.text(min_size=1).map(lambda each: f"☂{each}")
READS = reads()

VALUES = """query($id: ID!, $in: [ID!]!, $text: String!, $name: String, $f: ServiceFilter) {
  service(id: $id) { id }
  node(id: $id) { id }
  services(filter: {id: {in: $in}, name: {eq: $name, contains: $text}}) { nodes { id } }
  b: services(filter: $f) { totalCount }
  search(text: $text) { id }
  impact(of: $in) { totalServices }
}"""


@settings(max_examples=examples(60))
@given(values=st.lists(WILD, min_size=3, max_size=6, unique=True), principal=st.sampled_from((OPERATOR, CUSTOMER)))
def test_no_variable_is_in_the_text(values: list[str], principal: Principal) -> None:
    variables: dict[str, Any] = {
        "id": f"service-{values[0]}",
        "in": values,
        "text": values[1],
        "name": values[2],
        "f": {"or": [{"name": {"in": values}}, {"not": {"kind": {"eq": values[0]}}}]},
    }
    text = prepared(VALUES, variables, principal, READS).text
    assert not [each for each in values if each in text]
    assert "☂" not in text


@settings(max_examples=examples(60))
@given(
    value=WILD.filter(lambda each: all(c.isprintable() for c in each)), principal=st.sampled_from((OPERATOR, CUSTOMER))
)
def test_no_literal_is_in_the_text(value: str, principal: Principal) -> None:
    word = json.dumps(value, ensure_ascii=False)
    text = f"""{{ service(id: {word}) {{ id }} services(filter: {{name: {{contains: {word}}}}}) {{ totalCount }}
      search(text: {word}) {{ id }} impact(of: [{word}]) {{ totalServices }} }}"""
    assert "☂" not in prepared(text, {}, principal).text


FIELDS = ("id", "name", "b: name", "customer { id name }", "sla { tier }", "route { trunk { name id } position }")


@given(order=st.permutations(FIELDS))
def test_the_order_of_fields_does_not_change_the_text(order: list[str]) -> None:
    text = prepared(f'{{ service(id: "service-1") {{ {" ".join(order)} }} }}', {}, CUSTOMER, READS).text
    assert text == prepared(f'{{ service(id: "service-1") {{ {" ".join(FIELDS)} }} }}', {}, CUSTOMER, READS).text


ALIKE = {
    "aliases": ("{ cards { nodes { id name } } }", "{ x: cards { y: nodes { a: id b: name } } }"),
    "fragments": ("{ cards { nodes { id name } } }", "{ cards { nodes { ...F } } } fragment F on Card { id name }"),
    "names": ("query A { cards { totalCount } }", "query B { cards { totalCount } }"),
    "literal or variable": (
        'query { card(id: "card-1") { id } }',
        'query($id: ID! = "card-2") { card(id: $id) { id } }',
    ),
    "sizes": ("{ cards(first: 2) { nodes { id } } }", "{ cards(first: 900) { nodes { id } } }"),
    "the same value asked for twice": ('{ card(id: "card-1") { id } }', '{ card(id: "card-1") { id i: id j: id } }'),
}


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_what_does_not_matter_is_not_in_the_text(pair: tuple[str, str]) -> None:
    assert prepared(pair[0], {}, OPERATOR).text == prepared(pair[1], {}, OPERATOR).text


def test_all_customers_share_one_text() -> None:
    other = Principal(subject="d", role=Role.CUSTOMER, customers=tuple(f"customer-{i}" for i in range(9)))
    text = "{ services { nodes { id } } }"
    assert prepared(text, {}, CUSTOMER).text == prepared(text, {}, other).text


SHAPES = {
    "a value": ("query($n: String) { services(filter: {name: {eq: $n}}) { totalCount } }", [{"n": "a"}, {"n": "b"}], 1),
    "null, absent, present": (
        "query($n: String) { services(filter: {name: {eq: $n}}) { totalCount } }",
        [{"n": "a"}, {"n": None}, {}],
        3,
    ),
    "the length of a list": (
        "query($n: [String!]) { services(filter: {name: {in: $n}}) { totalCount } }",
        [{"n": ["a"]}, {"n": ["a", "b"]}, {"n": []}],
        1,
    ),
    "the kind of an id": (
        "query($id: ID!) { node(id: $id) { id } }",
        [{"id": "card-1"}, {"id": "card-2"}, {"id": "port-1"}],
        2,
    ),
    "a direction": (
        "query($d: OrderDirection!) { services(orderBy: [{field: NAME, direction: $d}]) { nodes { id } } }",
        [{"d": "ASC"}, {"d": "DESC"}],
        2,
    ),
}


@pytest.mark.parametrize(("text", "variables", "texts"), SHAPES.values(), ids=SHAPES)
def test_a_text_is_compiled_once_per_shape_of_variables(text: str, variables: list[dict[str, Any]], texts: int) -> None:
    compiler = reads()
    made = [prepared(text, each, OPERATOR, compiler) for each in variables]
    assert len({each.text for each in made}) == texts
    assert len({id(each) for each in made}) == texts
    assert len({id(prepared(text, each, OPERATOR, compiler)) for each in variables}) == texts, "and kept"


@pytest.mark.parametrize(
    "text",
    [
        'query($v: String!) { _entities(representations: [{__typename: $v, id: "port-1"}]) { __typename } }',
        "query($v: _Any!) { _entities(representations: [$v]) { __typename } }",
    ],
)
def test_half_a_representation_is_refused(text: str) -> None:
    """Its type would decide the text without being in the shape of the variables."""
    variables = {"v": {"__typename": "Port", "id": "port-1"} if "_Any!)" in text else "Port"}
    with pytest.raises(Refused) as refused:
        prepared(text, variables, OPERATOR)
    assert refused.value.code == "BAD_USER_INPUT"


def test_types_of_representations_are_in_the_shape() -> None:
    text = "query($r: [_Any!]!) { _entities(representations: $r) { __typename } }"
    compiler = reads()
    made = [
        prepared(text, {"r": [{"__typename": each, "id": "x"}]}, OPERATOR, compiler).text for each in ("Port", "Card")
    ]
    assert made[0] != made[1]
