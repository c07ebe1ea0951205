"""Small operations over small supergraphs, by feature: the plan as text, and the answer that subgraphs give to it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from graphql import OperationType, parse, validate

from gateway.federation.planning import Budget, Planner
from gateway.federation.planning.normalize import normalize
from gateway.federation.query_graph import QueryGraph
from gateway.federation.streaming import StreamingFederation
from gateway.federation.subgraph import Answer, Operation, StreamEvent
from gateway.federation.supergraph import Supergraph
from gateway.federation.supergraph_sdl import read_supergraph
from gateway.syntax import definition_of
from graph.model.scope import Principal, Role
from tests.gateway.federation.planning.simulated import SimulatedSubgraph
from tests.gateway.federation.planning.soundness import check_plan
from tests.gateway.federation.planning.world import merged, world_of
from tests.graph.case_files import Case, cases, read, write

FOLDER = Path(__file__).parent / "cases"
CASES = cases(FOLDER)
SECTIONS = ("plan", "answer")
OPERATOR = Principal(subject="cases", role=Role.OPERATOR)


def supergraph_of(case: Case) -> Supergraph:
    return read_supergraph(case.file.with_suffix(".graphql").read_text(encoding="utf-8"))


def operation_of(case: Case) -> str:
    lines = case.given.splitlines()
    return "\n".join(each for each in lines if not each.startswith(("variables: ", "merged: ")))


async def answered(supergraph: Supergraph, text: str, variables: Mapping[str, Any]) -> Answer:
    world = world_of(supergraph)
    subgraphs = {graph: SimulatedSubgraph(supergraph, graph, world) for graph in supergraph.endpoints}
    federation = StreamingFederation(supergraph, subgraphs, budget=Budget(), share=False)
    operation = Operation(key=text, document=parse(text), name=None)
    asked = (operation, variables, OPERATOR)
    if definition_of(operation.document).operation is OperationType.SUBSCRIPTION:
        events = await federation.subscribe(*asked, None, time.monotonic() + 60)
        assert not isinstance(events, dict), events
        (event,) = [each async for each in events]
        assert isinstance(event, StreamEvent)
        return event.answer
    return await federation.execute(*asked, time.monotonic() + 60)


async def found_for(case: Case) -> Mapping[str, str]:
    supergraph = supergraph_of(case)
    text = operation_of(case)
    assert supergraph.public.schema is not None
    assert validate(supergraph.public.schema, parse(text)) == []
    plan = Planner(QueryGraph(supergraph), Budget()).plan(normalize(parse(text), case.variables))
    check_plan(supergraph, plan)
    answer = await answered(supergraph, text, case.variables)
    if case.setting("merged") != "differs":
        assert json.dumps(answer) == json.dumps(merged(supergraph, world_of(supergraph), text, case.variables))
    return {"plan": str(plan).strip("\n"), "answer": json.dumps(answer, indent=1)}


@pytest.mark.parametrize("case", CASES, ids=lambda each: f"{each.file.stem}: {each.title}")
async def test_a_case_is_planned_and_answered_as_it_says(case: Case, *, update_cases: bool) -> None:
    if update_cases:
        pytest.skip("written anew by the test below")
    assert tuple(case.expected) == SECTIONS, "a section is missing, or no test reads it: pytest --update-cases"
    assert all(case.expected.values()), "an empty expectation says nothing"
    assert await found_for(case) == case.expected


async def test_titles_are_unique_and_cases_are_there(*, update_cases: bool) -> None:
    if update_cases:
        for file in sorted(FOLDER.glob("*.txt")):
            write(file, [(case, await found_for(case)) for case in read(file)])
    titles = [each.title for each in CASES]
    assert len(titles) > 40
    assert len(titles) == len(set(titles))
