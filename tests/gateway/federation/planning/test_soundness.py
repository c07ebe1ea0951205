from __future__ import annotations

import random
from dataclasses import replace

import hypothesis
import pytest
from graphql import parse, validate
from hypothesis import strategies as st

from gateway.federation.planning import Budget, Planner, QueryPlan
from gateway.federation.planning.normalize import normalize
from gateway.federation.query_graph import QueryGraph
from gateway.federation.supergraph import Supergraph
from gateway.federation.supergraph_sdl import read_supergraph
from tests.gateway.federation.planning.models import Model
from tests.gateway.federation.planning.operations import Asking
from tests.gateway.federation.planning.soundness import check_plan
from tests.gateway.federation.planning.test_cases import FOLDER
from tests.selection import examples


def planned(feature: str, text: str) -> tuple[Supergraph, QueryPlan]:
    supergraph = read_supergraph((FOLDER / f"{feature}.graphql").read_text(encoding="utf-8"))
    return supergraph, Planner(QueryGraph(supergraph), Budget()).plan(normalize(parse(text), {}))


def changed(plan: QueryPlan, number: int, **changes: object) -> QueryPlan:
    requests = list(plan.requests)
    requests[number] = replace(requests[number], **changes)  # type: ignore[arg-type]  # the test names real fields
    return replace(plan, requests=tuple(requests))


@hypothesis.given(seed=st.integers(0, 2**32))
@hypothesis.settings(max_examples=examples(90))
def test_the_plan_of_a_random_operation_is_sound(seed: int) -> None:
    rnd = random.Random(seed)
    supergraph = read_supergraph(Model(rnd).text())
    schema = supergraph.public.schema
    assert schema is not None
    document = parse(Asking(schema, rnd, depth=3).text())
    hypothesis.assume(not validate(schema, document))  # where hardly any were valid, hypothesis would say so
    plan = Planner(QueryGraph(supergraph), Budget()).plan(normalize(document, {"yes": True}))
    check_plan(supergraph, plan)


def test_a_plan_that_leaves_something_out_is_not_sound() -> None:
    supergraph, plan = planned("entities", "{ user { name mail } }")
    check_plan(supergraph, plan)
    with pytest.raises(AssertionError, match="never fetched"):
        check_plan(supergraph, replace(plan, requests=plan.requests[:1]))


def test_a_plan_that_sends_what_it_did_not_wait_for_is_not_sound() -> None:
    supergraph, plan = planned("requirements", "{ product { label } }")
    check_plan(supergraph, plan)
    with pytest.raises(AssertionError, match="nothing was fetched"):
        check_plan(supergraph, changed(plan, 1, after=()))
    with pytest.raises(AssertionError, match="shipping was not fetched"):
        check_plan(supergraph, changed(plan, 2, after=(0,)))


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        pytest.param("mail", "score", "is not in B", id="a field of another subgraph"),
        pytest.param("mail", "id: mail", "is read from mail", id="another key"),
        pytest.param("... on User { mail }", "... on User { sku }", "is read from mail", id="another field"),
    ],
)
def test_a_plan_whose_text_is_wrong_is_not_sound(before: str, after: str, message: str) -> None:
    supergraph, plan = planned("entities", "{ user { name mail } }")
    text = plan.requests[1].text.replace(before, after)
    with pytest.raises(AssertionError, match=message):
        check_plan(supergraph, changed(plan, 1, text=text))


def test_a_plan_that_asks_an_external_field_is_not_sound() -> None:
    supergraph, plan = planned("provided", "{ review { author { mail } } }")
    text = plan.requests[0].text.replace("{ id }", "{ id mail }")
    with pytest.raises(AssertionError, match="is external"):
        check_plan(supergraph, changed(plan, 0, text=text))
