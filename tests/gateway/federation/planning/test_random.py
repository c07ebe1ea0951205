from __future__ import annotations

import json
import os
import random
import time

import hypothesis
import pytest
from graphql import parse, validate
from hypothesis import strategies as st

from gateway.federation.federation import Federation
from gateway.federation.planning import Budget
from gateway.federation.subgraph import Operation
from gateway.federation.supergraph_sdl import read_supergraph
from graph.model.scope import Principal, Role
from tests.gateway.federation.planning.models import Model
from tests.gateway.federation.planning.operations import Asking
from tests.gateway.federation.planning.simulated import SimulatedSubgraph
from tests.gateway.federation.planning.world import merged
from tests.selection import is_full

pytestmark = pytest.mark.long

OPERATIONS = int(os.environ.get("RANDOM_OPERATIONS", "2000" if is_full() else "100"))
PER_GRAPH = 5
OPERATOR = Principal(subject="random", role=Role.OPERATOR)
VARIABLES = {"x": 3, "yes": True}


async def check(seed: int) -> int:
    rnd = random.Random(seed)
    model = Model(rnd)
    supergraph = read_supergraph(model.text())
    schema = supergraph.public.schema
    assert schema is not None
    world = model.world()
    subgraphs = {graph: SimulatedSubgraph(supergraph, graph, world) for graph in supergraph.endpoints}
    federation = Federation(supergraph, subgraphs, budget=Budget(), share=False)
    made = 0
    for number in range(4 * PER_GRAPH):
        if made == PER_GRAPH:
            break
        text = Asking(schema, rnd, depth=rnd.randint(1, 4)).text()
        document = parse(text)
        if validate(schema, document, max_errors=1):
            continue  # one key for two fields, mostly
        made += 1
        operation = Operation(key=f"{seed}:{number}", document=document, name=None)
        hypothesis.note(f"seed {seed}, operation {number}\n{model.text()}\n{text}")
        answer = await federation.execute(operation, VARIABLES, OPERATOR, time.monotonic() + 60)
        assert json.dumps(answer) == json.dumps(merged(supergraph, world, text, VARIABLES)), text
    return made


@hypothesis.given(seed=st.integers(0, 2**32))
@hypothesis.settings(max_examples=OPERATIONS // PER_GRAPH)
async def test_a_random_operation_over_random_subgraphs_is_answered_as_one_schema_would(seed: int) -> None:
    assert await check(seed) > 0, "no operation was valid, so nothing was compared"
