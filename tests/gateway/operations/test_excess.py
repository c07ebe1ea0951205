"""Whoever is refused for the cost learns which list to cut and to what, and with that it passes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from graphql import parse

from gateway.areas import product_sdl
from gateway.errors import Code, Problem, Refused
from gateway.operations.cost import WALK, amount, cost_of
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.operations.schema import read_schema
from gateway.preparing.cache import SharedCache
from gateway.preparing.new_work import UNMETERED, NewWork
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Limits, Settings
from graph.model.scope import Principal, Role
from tests.gateway.subgraph import DictSubgraph

OPERATOR = Principal(subject="operator", role=Role.OPERATOR)
MOST = Limits().cost

TO_ELEMENT = "port { card { networkElement { name } } }"
ROUTE = f"route {{ position trunk {{ name terminations {{ end {TO_ELEMENT} }} }} }}"
SERVICES = f"services {{ nodes {{ name {ROUTE} accessPoints {{ end {TO_ELEMENT} }} }} }}"


class Served(DictSubgraph):
    """Never asked: only its SDL counts."""

    def __init__(self) -> None:
        super().__init__()
        self.sdl = product_sdl()


def pipeline(new_work: NewWork | None = None, **limits: int) -> Pipeline:
    preparing = Preparing(cache=SharedCache(10_000_000), new_work=new_work or NewWork(UNMETERED))
    return Pipeline(Served(), Settings(limits=Limits(**limits)), preparing=preparing)


async def refused(query: str, gates: Pipeline | None = None, **variables: Any) -> Problem:
    gates = gates or pipeline()
    request = GraphRequest(query=query, variables=variables, operation_name=None, queries_only=True)
    prepared = await gates.prepare(request, OPERATOR)
    with pytest.raises(Refused) as found:
        gates.values(prepared, variables, OPERATOR)
    (problem,) = found.value.problems
    assert problem.code is Code.COST_LIMIT_EXCEEDED
    return problem


def cost(query: str, **variables: Any) -> int:
    return amount(cost_of(parse(query), read_schema(product_sdl())), variables)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("query ($c: ID!) { customer(id: $c) { name " + SERVICES, id="a customer's services"),
        pytest.param(
            "{ customers { nodes { name services { nodes { name accessPoints { " + TO_ELEMENT,
            id="all customers' access points",
        ),
        pytest.param(f"{{ customers {{ nodes {{ {SERVICES}", id="all customers, with their routes to the elements"),
        pytest.param(
            "{ viewer { customers { nodes { services { totalCount nodes { route { trunk { name } } accessPoints { "
            + TO_ELEMENT,
            id="the caller's customers, with trunks and ports",
        ),
    ],
)
def test_a_natural_query_of_four_levels_passes_with_default_pages(query: str) -> None:
    closed = query + " }" * (query.count("{") - query.count("}"))
    assert cost(closed) <= MOST


async def test_the_list_is_named_with_the_page_that_passes() -> None:
    problem = await refused(
        f"{{ customers(first: 50) {{ nodes {{ {SERVICES.replace('services', 'services(first: 50)')} }} }} }}"
    )
    whole = 20 + 50 * (2 + 20 + 50 * (2 + 10 * (1 + 1 + 2 * 4) + 2 * 4))
    assert problem.message == (
        f"The operation costs {whole}; at most {MOST} is allowed: the list `customers` has up to 50 rows, 50 in all."
    )
    assert problem.hint == "With `customers(first: 18)` it would pass; page on with the cursor."


IDS = ["x"] * 400


@pytest.mark.parametrize(
    ("query", "given", "variables", "told"),
    [
        pytest.param(
            "{ all: customers(last: %d) { nodes { services { nodes { name route { position } } } } } }",
            1_000,
            {},
            "`all(last: %d)`",
            id="an alias and last",
        ),
        pytest.param(
            "{ customers(first: %d) { ...C } } fragment C on CustomerConnection {"
            " nodes { ... on Customer { services(first: 200) { edges { node { name } } } } } }",
            1_000,
            {},
            "`customers(first: %d)`",
            id="above a fragment",
        ),
        pytest.param(
            "{ customers(first: 100) { ...C } } fragment C on CustomerConnection {"
            " nodes { ... on Customer { services(first: %d) { edges { node { customer { sla: name } } } } } } }",
            1_000,
            {},
            "`customers.nodes.services(first: %d)`",
            id="in a fragment",
        ),
        pytest.param(
            "query ($of: [ID!]!) { impact(of: $of) { services(first: %d) { service { customer { name services("
            "first: 100) { nodes { name } } } } } } }",
            1_000,
            {"of": IDS},
            "`impact.services(first: %d)`",
            id="beside what arguments cost",
        ),
        pytest.param(
            "{ customers(first: %d) { nodes { services(first: %d) { nodes { tickets(first: %d) { nodes { id } } } "
            "} } } a: customers(first: %d) { nodes { services(first: %d) { nodes { id } } } } }",
            1_000,
            {},
            "pages of %d in all of its lists",
            id="no list alone",
        ),
    ],
)
async def test_what_is_told_passes_and_no_more_does(
    query: str, given: int, variables: dict[str, Any], told: str
) -> None:
    problem = await refused(query.replace("%d", str(given)), **variables)
    page = int(re.findall(r"(?:: |of )(\d+)", problem.hint)[0])
    assert problem.hint.startswith("With " + told % page)
    assert cost(query.replace("%d", str(page)), **variables) <= MOST
    assert cost(query.replace("%d", str(page + 1)), **variables) > MOST


async def test_a_page_in_a_variable_is_cut_too() -> None:
    query = "query ($n: Int) { customers(first: $n) { nodes { services { nodes { name route { position } } } } } }"
    page = int(re.findall(r"`customers\(first: (\d+)\)`", (await refused(query, n=1_000)).hint)[0])
    assert cost(query, n=page) <= MOST < cost(query, n=page + 1)


async def test_where_there_is_nothing_to_cut_no_page_is_told() -> None:
    query = "{ " + " ".join(f"a{n}: path(from: 1, to: 2) {{ hops }}" for n in range(45)) + " }"
    assert (
        await refused(query, pipeline(root_fields=100))
    ).hint == "Ask for fewer nested lists, or in several operations."


async def test_telling_it_takes_from_the_callers_allowance() -> None:
    seconds = iter(range(1_000))
    new_work = NewWork(100, clock=lambda: 0.0, cpu=lambda: float(next(seconds)))
    gates = pipeline(new_work)
    query = "{ customers(first: 1000) { nodes { services { nodes { name orders: orderItems { nodes { id } } } } } } }"
    hints = [bool((await refused(query, gates)).hint) for _ in range(6)]
    assert hints[0]
    assert not hints[-1], "who has nothing left is told the cost alone"
    assert re.match(r"The operation costs \d+; at most 100000 is allowed\.", (await refused(query, gates)).message)


@pytest.mark.parametrize(
    ("query", "variables", "expected"),
    [
        ('{ search(text: "a") { id } }', {}, 2_500 + 10),
        ('{ search(text: "a", first: 1) { id } }', {}, 2_500 + 1),
        ("query ($t: String!) { search(text: $t, first: 0) { id } }", {"t": "abc"}, 2_500),
        ("{ path(from: 1, to: 2) { hops } }", {}, 2_500),
        ("{ impact(of: [1, 2, 3]) { totalServices } }", {}, 60 + 3 * 40),
        ("query ($of: [ID!]!) { impact(of: $of) { totalServices } }", {"of": ["a"] * 100}, 60 + 100 * 40),
        ("{ impact(of: 1) { services(first: 2) { effect } } }", {}, 60 + 40 + 2),
        ("{ services(first: 0) { totalCount } }", {}, WALK),
    ],
)
def test_what_walks_the_network_costs_what_it_walks(query: str, variables: dict[str, Any], expected: int) -> None:
    assert cost(query, **variables) == expected


def test_a_thousand_ids_of_an_impact_are_not_too_many() -> None:
    assert cost("query ($of: [ID!]!) { impact(of: $of) { totalServices } }", of=["a"] * 1_000) <= MOST
