"""Whatever a customer asks, no statement of it walks over what others have: so no clock can tell of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from graph.compiler.clauses import Query
from graph.model.model import RELATIONSHIPS
from graph.model.scope import Principal, Role
from tests.graph.compiler.compiling import asked, known, prepared, reads
from tests.resolvers.breakages import BREAKAGES, Breakage
from tests.resolvers.every_path import Question, paths
from tests.resolvers.tenants import tenants
from tests.resolvers.walks import walks_outside

CUSTOMER = Principal(subject="c", role=Role.CUSTOMER, customers=("customer-a",))
OPERATOR = Principal(subject="o", role=Role.OPERATOR)

QUESTIONS = list(
    {each.text: each for each in paths(known(), tenants()).questions() if each.about != "PathField"}.values()
)
"""One of each text; a customer is refused a path."""


def statement(question: Question, principal: Principal = CUSTOMER) -> Query:
    return reads().compiled(*asked(question.text, question.variables), principal).query


def outside(about: str = "") -> Iterator[str]:
    for each in QUESTIONS:
        if about in {"", each.about}:
            yield from walks_outside(statement(each))


def test_no_statement_of_a_customer_walks_outside_the_slice() -> None:
    found = {each.text: problems for each in QUESTIONS if (problems := walks_outside(statement(each)))}
    assert not found


def test_every_relationship_that_a_customer_may_ask_over_is_walked() -> None:
    texts = " ".join(
        prepared(each.text, each.variables, CUSTOMER).text
        for each in QUESTIONS
        if each.about in {"AnyById", "Everything"}
    )
    assert not {name for name in RELATIONSHIPS if f":{name}]" not in texts}


def test_statements_of_an_operator_do_and_this_is_noticed() -> None:
    found = {problem for each in QUESTIONS for problem in walks_outside(statement(each, OPERATOR))}
    assert {"begins at any Trunk", "walks over ROUTED_OVER against the arrow"} <= found


_ONLY_CONDITIONS = {"a path", "the total of a page", "a step out of the slice", "a step to what is no member"}
NOTICED = [each for each in BREAKAGES if each.name not in _ONLY_CONDITIONS]
"""The breakages that make a statement walk elsewhere; the others only leave a condition out."""


@pytest.mark.sampled(4)
@pytest.mark.parametrize("breakage", [each for each in NOTICED if each.about != "Changed"], ids=lambda each: each.name)
def test_a_statement_that_begins_elsewhere_is_noticed(breakage: Breakage) -> None:
    with breakage.made():
        assert set(outside(breakage.about))
