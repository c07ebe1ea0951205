"""What holds of plans whatever the supergraph: budgets, order, and how they grow."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from graphql import parse

from gateway.federation.execution.completing import complete
from gateway.federation.execution.faults import Telling
from gateway.federation.execution.projection import projection
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


def test_threads_that_plan_at_once_share_nothing_that_changes() -> None:
    """Each thread has a query graph of its own; that plans come out right under pressure is seen as well."""
    one = planner(ENTITIES.read_text())
    query = "{ users { id: mail friends { name score manager { mail } } } order { note } }"
    expected = str(plan(ENTITIES.read_text(), query))
    together = threading.Barrier(4)
    graphs: list[QueryGraph] = []

    def many() -> set[str]:
        together.wait(timeout=30)
        graphs.append(one._graph())
        return {str(one.plan(normalize(parse(query), {}))) for _ in range(20)}

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            found = [each.result(timeout=60) for each in [threads.submit(many) for _ in range(4)]]
    finally:
        sys.setswitchinterval(interval)
    assert found == [{expected}] * 4
    assert len({id(each) for each in (*graphs, one._graph())}) == 5


def test_what_an_answer_is_made_by_changes_nothing_of_the_graph() -> None:
    """The loop makes answers of plans that another thread may have made: it asks a graph that remembers nothing by that."""
    supergraph = read_supergraph((FOLDER / "interfaces.graphql").read_text(encoding="utf-8"))
    assert supergraph.public.schema is not None
    made = Planner(QueryGraph(supergraph), Budget()).plan(normalize(parse("{ node { __typename } }"), {}))
    untouched = QueryGraph(supergraph)
    before = _remembered(untouched)
    projection(untouched, supergraph.public.schema, made)
    complete(untouched, supergraph.public.schema, made, {"node": {"__typename": "Nothing"}}, [])
    Telling(graph=untouched, plan=made, root={"node": {}}).visible(("node", "x"))
    assert _remembered(untouched) == before


def _remembered(graph: QueryGraph) -> dict[str, int]:
    return {name: len(each) for name, each in vars(graph).items() if isinstance(each, dict)}
