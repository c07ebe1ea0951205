"""A graph that breaks the schema: errors at their paths, and null at the nearest place that may be null, as the specification says."""

from __future__ import annotations

import os

import pytest
from graphql import parse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graph.compiler.cursor import CursorKey
from graph.model.scope import Principal
from graph.store.store import Store
from resolvers.knowledge.schema import knowledge_schema
from tests.resolvers.answers import Answered
from tests.resolvers.caller import KEY, OPERATOR, PRINCIPALS, Caller, caller
from tests.resolvers.operations import Asked, allowed, operations
from tests.resolvers.oracle import oracle
from tests.resolvers.tenants import tenants
from tests.resolvers.world import load
from tests.selection import examples

pytestmark = pytest.mark.timeout(1800)

EXAMPLES = int(os.environ.get("TRUNKLINE_EXAMPLES", examples(360))) // 3
KNOWN = knowledge_schema()
SEAL = CursorKey(KEY)
BROKEN = tenants().changed(
    [
        ("sla-plain", "name", None),
        ("sla-gold", "tier", "PLATINUM"),
        ("order-a1", "externalId", None),
        ("service-b1", "state", "weird"),
        ("service-a3", "effect", "broken"),
        ("port-p1", "number", 2**31),
        ("port-t1", "number", -(2**31)),
        ("alarm-s1", "changedAt", "yesterday"),
        ("boost-a1", "startAt", "never"),
        ("alarm-s2", "record", "{not JSON"),
        ("alarm-a1", "ackState", None),
        ("usage-a1", "octets", "many"),
        ("usage-b1", "mbps", 1.5),
        ("site-1", "latitude", "north"),
        ("site-2", "longitude", 7),
        ("card-c1", "slot", "12"),
        ("customer-b", "segment", 7),
        ("trunk-2", "capacityMbps", True),
        ("event-s1", "payload", None),
    ]
)


@pytest.fixture(scope="module")
async def asking(store: Store) -> Caller:
    """The subgraph over what was written by hand, or by another version."""
    await load(store, BROKEN)
    return caller(store)


def expected(text: str, variables: dict[str, object], principal: Principal) -> Answered:
    return oracle(KNOWN.graphql, KNOWN.mappings, BROKEN, principal, SEAL).ask(parse(text), variables)


@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), print_blob=True)
@given(asked=operations(KNOWN, tenants(), SEAL, without_arguments=True), principal=st.sampled_from(PRINCIPALS))
async def test_errors_are_where_graphql_core_has_them(asking: Caller, asked: Asked, principal: Principal) -> None:
    principal = allowed(asked, principal)
    found = expected(asked.text, dict(asked.variables), principal)
    assert await asking.ask(asked.text, asked.variables, principal) == found


@pytest.mark.parametrize(
    ("text", "path"),
    [
        pytest.param('{ service(id: "service-a2") { id sla { name } } }', ("service", "sla", "name"), id="null"),
        pytest.param('{ k: service(id: "service-b1") { s: state } }', ("k", "s"), id="unknown word"),
        pytest.param('{ port(id: "port-p1") { id number } }', ("port", "number"), id="more than 32 bits"),
        pytest.param('{ alarm(id: "alarm-s1") { changedAt } }', ("alarm", "changedAt"), id="no time"),
        pytest.param('{ alarm(id: "alarm-s2") { record } }', ("alarm", "record"), id="no JSON"),
        pytest.param('{ site(id: "site-1") { latitude } }', ("site", "latitude"), id="no number"),
        pytest.param(
            "{ alarms(last: 9) { edges { node { changedAt } } } }",
            ("alarms", "edges", 6, "node", "changedAt"),
            id="in a list",
        ),
        pytest.param(
            '{ node(id: "alarm-s1") { ... on Alarm { changedAt alarmedObject { __typename } } } }',
            ("node", "changedAt"),
            id="behind an interface",
        ),
    ],
)
async def test_an_inconsistent_value_is_an_error_at_its_path(asking: Caller, text: str, path: tuple[str, ...]) -> None:
    found = await asking.ask(text, {}, OPERATOR)
    assert found == expected(text, {}, OPERATOR)
    assert found.errors == ((path, "INCONSISTENT_DATA"),)
