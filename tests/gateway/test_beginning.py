"""Beginning a subscription passes the gates that a query passes, and is work that takes from the allowance of whoever begins."""

from __future__ import annotations

import time
from contextlib import aclosing
from typing import Any

import pytest

from gateway.areas import KNOWLEDGE, federation_of
from gateway.errors import Code, Refused
from gateway.operations.pipeline import GraphRequest, Pipeline
from gateway.preparing.cache import SharedCache
from gateway.preparing.new_work import NewWork
from gateway.preparing.preparing import Preparing
from gateway.settings.settings import Settings
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal, Role
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.gateway.allowances import counted

ADA = Principal(subject="ada", role=Role.CUSTOMER, customers=("customer-1",))
BOB = Principal(subject="bob", role=Role.CUSTOMER, customers=("customer-2",))
OPERATOR = Principal(subject="op", role=Role.OPERATOR)
TIMES = 1_000
ALERTS = "subscription { alerts { kind alarm { id } } }"


def gateway(store: Store, new_work: NewWork | None = None) -> Pipeline:
    """The graph in a gateway in which no minute passes."""
    preparing = Preparing(cache=SharedCache(100_000_000), new_work=new_work or counted(120))
    graph = KnowledgeSubgraph(store, bytes(32), AlarmPolicy(), cache=preparing.cache.table(), meter=preparing.new_work)
    settings = Settings()
    return Pipeline(federation_of({KNOWLEDGE: graph}, settings, preparing), settings, None, preparing)


async def begin(pipeline: Pipeline, text: str, principal: Principal, **more: Any) -> str:
    """Begin a subscription, and end it after its first heartbeat; give the code of what refuses it."""
    request = GraphRequest(query=text, variables={}, operation_name=None, queries_only=False, can_stream=True, **more)
    try:
        prepared = await pipeline.prepare(request, principal)
        begun = await pipeline.subscribe(prepared, request, principal, time.monotonic() + 30)
    except Refused as refused:
        return str(refused.problems[0].code.value)
    if isinstance(begun, dict):
        return str(begun["errors"][0]["extensions"]["code"])
    async with aclosing(begun):
        await anext(begun)
    return ""


async def begun_until_refused(pipeline: Pipeline, texts: list[str]) -> tuple[int, str]:
    for number, text in enumerate(texts):
        code = await begin(pipeline, text, ADA)
        if code:
            return number, code
    return len(texts), ""


async def test_one_who_begins_a_thousand_different_subscriptions_is_refused_and_others_are_not(
    empty_store: Store,
) -> None:
    pipeline = gateway(empty_store, counted(20))
    texts = [f"subscription {{ a{number}: alerts {{ kind alarm {{ id }} }} }}" for number in range(TIMES)]
    begun, code = await begun_until_refused(pipeline, texts)
    assert code == Code.TOO_MANY_NEW_DOCUMENTS
    assert 15 < begun <= 20, "each takes one unit, and what its text weighs"
    assert await begin(pipeline, ALERTS, BOB) == ""


async def test_one_who_begins_the_same_subscription_a_thousand_times_takes_its_time_from_the_allowance(
    empty_store: Store,
) -> None:
    """Nothing of it is new after the first; what it takes each time is taken all the same."""
    pipeline = gateway(empty_store, NewWork(1, clock=lambda: 0.0))
    begun, code = await begun_until_refused(pipeline, [ALERTS] * TIMES)
    assert code == Code.TOO_MANY_NEW_DOCUMENTS
    assert 1 <= begun < TIMES
    assert await begin(pipeline, ALERTS, BOB) == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("subscription { alerts { kind } serviceEvents { kind } }", Code.GRAPHQL_VALIDATION_FAILED),
        ("subscription { a: alerts { kind } b: alerts { kind } }", Code.GRAPHQL_VALIDATION_FAILED),
        (
            "subscription { ...F } fragment F on Subscription { alerts { kind } serviceEvents { kind } }",
            Code.GRAPHQL_VALIDATION_FAILED,
        ),
        ("subscription { alerts { ... @defer { kind } } }", Code.GRAPHQL_VALIDATION_FAILED),
        ("subscription { alerts { services @stream { serviceId } } }", Code.GRAPHQL_VALIDATION_FAILED),
        ("subscription { alerts { ...F } } fragment F on Alert { alarm { record } }", Code.FORBIDDEN),
        ("subscription { alerts { ... on Alert { alarm { ... { record } } } } }", Code.FORBIDDEN),
        ("subscription { ...F } fragment F on Subscription { deliveries { kind } }", Code.FORBIDDEN),
        ('subscription { alerts(after: "Zm9yZ2Vk") { kind } }', Code.BAD_USER_INPUT),
    ],
)
async def test_what_a_customer_may_not_subscribe_to(store: Store, text: str, code: Code) -> None:
    pipeline = gateway(store)
    assert await begin(pipeline, text, ADA) == code
    if code is Code.FORBIDDEN:
        assert await begin(pipeline, text, OPERATOR) == ""


async def test_a_cursor_from_the_transport_is_checked_as_the_argument_is(empty_store: Store) -> None:
    """Another's, another field's, and none."""
    pipeline = gateway(empty_store)
    cursors = {}
    for field in ("alerts", "serviceEvents"):
        request = GraphRequest(
            query=f"subscription {{ {field} {{ kind }} }}",
            variables={},
            operation_name=None,
            queries_only=False,
            can_stream=True,
        )
        prepared = await pipeline.prepare(request, ADA)
        begun = await pipeline.subscribe(prepared, request, ADA, time.monotonic() + 30)
        assert not isinstance(begun, dict)
        async with aclosing(begun):
            cursors[field] = (await anext(begun)).cursor
    assert await begin(pipeline, ALERTS, ADA, after=cursors["alerts"]) == ""
    for principal, cursor in (
        (ADA, cursors["serviceEvents"]),
        (BOB, cursors["alerts"]),
        (OPERATOR, cursors["alerts"]),
        (ADA, cursors["alerts"][:-1]),
        (ADA, "none"),
    ):
        assert await begin(pipeline, ALERTS, principal, after=cursor) == Code.BAD_USER_INPUT
