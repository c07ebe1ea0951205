"""What holds of plans whatever the supergraph: budgets, order, and how they grow."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from graphql import parse

from gateway.federation.planning import Budget, Planner, PlanningFailed, QueryPlan
from gateway.federation.planning.normalize import normalize
from gateway.federation.query_graph import QueryGraph
from gateway.federation.supergraph_sdl import read_supergraph
from tests.gateway.federation.planning.models import preamble
from tests.gateway.federation.planning.test_cases import FOLDER

ENTITIES = FOLDER / "entities.graphql"


def planner(text: str, budget: Budget | None = None) -> Planner:
    return Planner(QueryGraph(read_supergraph(text)), budget or Budget())


def plan(text: str, query: str, budget: Budget | None = None) -> QueryPlan:
    return planner(text, budget).plan(normalize(parse(query), {}))


def shared(graphs: int) -> str:
    """A supergraph whose subgraphs share every field but one of their own."""
    names = tuple(f"G{each}" for each in range(graphs))
    types = " ".join(f'@join__type(graph: {each}, key: "id")' for each in names)
    own = "\n".join(
        f"  own{each}: Node @join__field(graph: {each}) leaf{each}: Int @join__field(graph: {each})" for each in names
    )
    query = " ".join(f"@join__type(graph: {each})" for each in names)
    return f"{preamble(names)}type Query {query} {{ node: Node }}\ntype Node {types} {{\n  id: ID! next: Node name: String\n{own}\n}}"


def nested(graphs: int, depth: int) -> str:
    if depth == 0:
        return "{ id " + " ".join(f"leafG{each}" for each in range(graphs)) + " }"
    below = nested(graphs, depth - 1)
    return "{ " + " ".join(f"ownG{each} {below}" for each in range(graphs)) + f" next {below} }}"


def implementers(count: int) -> str:
    types = "".join(
        f'type T{n} implements Node @join__implements(graph: A, interface: "Node") @join__type(graph: A, key: "id") '
        "{ id: ID! name: String next: Node }\n"
        for n in range(count)
    )
    head = preamble(("A",))
    return f"{head}type Query @join__type(graph: A) {{ node: Node }}\ninterface Node @join__type(graph: A) {{ id: ID! name: String next: Node }}\n{types}"


def test_an_interface_with_many_implementers_is_asked_as_an_interface() -> None:
    made = plan(implementers(20), "{ node { name next { name next { name next { id } } } } }")
    (request,) = made.requests
    assert len(request.text) < 220


def test_a_wide_operation_over_subgraphs_that_share_everything_is_planned_with_few_requests() -> None:
    query = f"{{ node {nested(4, 3)} }}"
    started = time.perf_counter()
    made = plan(shared(4), query, Budget(fields=50_000))
    assert len(made.requests) <= 16
    assert time.perf_counter() - started < 10  # far from exponential, on any machine


@pytest.mark.parametrize("budget", [Budget(steps=3), Budget(fields=3)], ids=["steps", "fields"])
def test_planning_stops_at_its_budget(budget: Budget) -> None:
    with pytest.raises(PlanningFailed, match=r"too (many|large)"):
        plan(ENTITIES.read_text(), "{ users { name mail friends { name score manager { mail } } } }", budget)


def test_plans_do_not_depend_on_the_process() -> None:
    query = "{ users { id: mail friends { name score } } order { note } }"
    code = (
        "import sys; from tests.gateway.federation.planning.test_planning import plan, ENTITIES; "
        "print(plan(ENTITIES.read_text(), sys.argv[1]), end='')"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code, query],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            cwd=FOLDER.parents[4],
        ).stdout
        for seed in ("1", "2")
    }
    assert outputs == {str(plan(ENTITIES.read_text(), query))}


def test_a_field_without_a_way_is_named_as_that() -> None:
    text = (
        preamble(("A", "B"))
        + "type Query @join__type(graph: A) @join__type(graph: B) { thing: Thing @join__field(graph: A) }\n"
        + 'type Thing @join__type(graph: A) @join__type(graph: B, key: "id") '
        + "{ id: ID! @join__field(graph: B) name: String @join__field(graph: A) far: Int @join__field(graph: B) }"
    )
    with pytest.raises(PlanningFailed, match=r"no way to Thing\.far"):
        plan(text, "{ thing { name far } }")


def test_every_stage_prints() -> None:
    stages = planner(ENTITIES.read_text()).stages(parse("{ user { score } }"), {})
    assert list(stages) == ["normalize", "paths", "fetches", "plan"]
    assert "score from User@C" in stages["paths"]
    assert "by User { sku }" in stages["fetches"]
