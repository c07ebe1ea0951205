"""What is asked about must be there; whether it is hidden or does not exist, nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest

from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.resolvers.caller import CUSTOMER_A, KEY, OPERATOR, Caller, caller
from tests.resolvers.meaning import Graph, slice_of
from tests.resolvers.tenants import A, tenants
from tests.resolvers.world import load

WORLD = tenants()
SEEN = slice_of(Graph(world=WORLD), [A])
HIDDEN = next(each for each in WORLD.ids("Port") if each not in SEEN)
TEXT = "query($of: [ID!]!) { suffering: impact(of: $of) { totalServices } }"


@pytest.fixture
async def asking(store: Store) -> Caller:
    await load(store, WORLD)
    return caller(store)


async def error(asking: Caller, of: list[str], principal: Principal) -> dict[str, Any]:
    answer = await asking.response(TEXT, {"of": of}, principal)
    assert "data" not in answer
    [found] = answer["errors"]
    assert isinstance(found, dict)
    return found


@pytest.mark.sampled(3)
@pytest.mark.parametrize("unknown", ["port-zip", "zip", "", "service-a1", "customer-a"])
async def test_what_is_not_there_or_cannot_fail_is_an_error_that_names_it(asking: Caller, unknown: str) -> None:
    for principal in (OPERATOR, CUSTOMER_A):
        found = await error(asking, ["card-c1", unknown], principal)
        assert repr(unknown) in found["message"]
        assert "card-c1" not in found["message"]
        assert (found["path"], found["extensions"]["code"]) == (["suffering"], "BAD_USER_INPUT")


async def test_what_is_hidden_is_answered_as_what_is_not_there(asking: Caller) -> None:
    hidden, unknown = [await error(asking, [each], CUSTOMER_A) for each in (HIDDEN, "port-zip")]
    assert hidden == {**unknown, "message": unknown["message"].replace("port-zip", HIDDEN)}
    assert "data" in await asking.response(TEXT, {"of": [HIDDEN]}, OPERATOR)


async def test_only_some_of_many_are_named(asking: Caller) -> None:
    found = await error(asking, [f"port-{number}" for number in range(15)], OPERATOR)
    assert found["message"].startswith("There is nothing that could fail with the id 'port-0', ")
    assert " and 5 more" in found["message"]
    assert len((await error(asking, ["x" * 5_000], OPERATOR))["message"]) < 400


async def test_nothing_is_asked_of_nothing(asking: Caller) -> None:
    assert await asking.response(TEXT, {"of": []}) == {"data": {"suffering": {"totalServices": 0}}}


async def test_who_has_no_contract_is_judged_by_the_tier_that_is_set(asking: Caller, store: Store) -> None:
    text = '{ impact(of: ["site-2"]) { services { severity effect service { sla { id } } } } }'
    premium = Caller(subgraph=KnowledgeSubgraph(store, KEY, AlarmPolicy(default_tier="PREMIUM")))
    found = []
    for each in (asking, premium):
        rows = (await each.response(text))["data"]["impact"]["services"]
        found.append({(row["effect"], row["severity"]) for row in rows if row["service"]["sla"] is None})
    assert found == [{("DOWN", "MINOR")}, {("DOWN", "CRITICAL")}]
