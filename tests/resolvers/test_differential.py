"""The compiled answer is the one that graphql-core gives on the same data: `data` byte for byte, errors by path and code.

Random operations over two tenants, for everybody who may ask. `TRUNKLINE_EXAMPLES=5000` asks more of them.
"""

from __future__ import annotations

import os

import pytest
from graphql import parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.compiler.cursor import CursorKey
from graph.model.scope import Principal
from resolvers.knowledge.schema import knowledge_schema
from tests.resolvers.caller import KEY, PRINCIPALS, Caller
from tests.resolvers.operations import Asked, allowed, operations
from tests.resolvers.oracle import oracle
from tests.resolvers.tenants import tenants
from tests.selection import examples

pytestmark = pytest.mark.timeout(1800)

EXAMPLES = int(os.environ.get("TRUNKLINE_EXAMPLES", examples(240)))
KNOWN = knowledge_schema()
WORLD = tenants()
SEAL = CursorKey(KEY)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), print_blob=True)
@given(asked=operations(KNOWN, WORLD, SEAL), principal=st.sampled_from(PRINCIPALS))
async def test_an_operation_has_one_answer(asking: Caller, asked: Asked, principal: Principal) -> None:
    principal = allowed(asked, principal)
    expected = oracle(KNOWN.graphql, KNOWN.mappings, WORLD, principal, SEAL).ask(parse(asked.text), asked.variables)
    assert await asking.ask(asked.text, asked.variables, principal) == expected


QUESTIONS = {
    "what is nested in a filtered page": """{
      services(first: 3, orderBy: [{field: COMMITTED_MBPS, direction: DESC}], filter: {not: {effect: {eq: DOWN}}}) {
        totalCount edges { cursor node { name sla { tier } route { path position trunk { id } } } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      }
    }""",
    "an impact of services without a customer or a contract": """{
      impact(of: ["card-c1", "site-2"]) {
        totalServices totalCustomers counts { severity effect services }
        services { service { id } effect severity } customers { customer { id } services severity }
      }
    }""",
    "alarms of several customers": """{
      alarms { totalCount nodes { id record affects { totalCount edges { cursor node { effect severity service { id } } } }
        alarmedObject { __typename ... on Card { slot } } causes { nodes { id } } causedBy { nodes { id } } } }
    }""",
    "words of several types": '{ search(text: "köln 1") { __typename id } s: search(text: "leit", first: 4) { id } }',
}


@pytest.mark.parametrize("principal", PRINCIPALS, ids=lambda each: each.subject)
@pytest.mark.parametrize("text", QUESTIONS.values(), ids=QUESTIONS)
async def test_a_question_has_one_answer(asking: Caller, text: str, principal: Principal) -> None:
    expected = oracle(KNOWN.graphql, KNOWN.mappings, WORLD, principal, SEAL).ask(parse(text), {})
    assert await asking.ask(text, {}, principal) == expected
