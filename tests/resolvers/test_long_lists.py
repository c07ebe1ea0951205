"""A list that is no page is answered whole, or refused: never cut without a word."""

from __future__ import annotations

import time
from typing import Any

import pytest

from graph.store.store import Store, Transaction
from tests.conftest import wipe
from tests.resolvers.caller import OPERATOR, Caller, caller

POINTS = "{ services { nodes { id accessPoints { end port { id } } } } }"
ROUTE = "{ services { nodes { id route { path position trunk { id } } } } }"


async def lay(store: Store, points: int, hops: int) -> Caller:
    async def work(transaction: Transaction) -> None:
        text = (
            "CREATE (s:Service {id: 'service-1'}) WITH s UNWIND range(1, $points) AS i "
            "CREATE (s)-[:ACCESSED_AT {end: 'A'}]->(:Port {id: 'port-' + toString(i)})"
        )
        await transaction.run(text, {"points": points})
        text = (
            "MATCH (s:Service {id: 'service-1'}) UNWIND range(1, $hops) AS i "
            "CREATE (s)-[:ROUTED_OVER {path: 'WORKING', position: i}]->(:Trunk {id: 'trunk-' + toString(i)})"
        )
        await transaction.run(text, {"hops": hops})

    await wipe(store)
    await store.write(work, deadline=time.monotonic() + 60)
    return caller(store)


async def ask(asking: Caller, text: str) -> dict[str, Any]:
    return await asking.response(text, {}, OPERATOR)


async def test_as_many_as_there_may_be_are_all_there(store: Store) -> None:
    asking = await lay(store, 1_000, 1_000)
    [service] = (await ask(asking, POINTS))["data"]["services"]["nodes"]
    assert len({each["port"]["id"] for each in service["accessPoints"]}) == 1_000
    [service] = (await ask(asking, ROUTE))["data"]["services"]["nodes"]
    assert [each["position"] for each in service["route"]] == list(range(1, 1_001))


@pytest.mark.parametrize(("text", "field"), [(POINTS, "accessPoints"), (ROUTE, "route")])
async def test_one_more_is_refused_with_what_to_do(store: Store, text: str, field: str) -> None:
    asking = await lay(store, 1_001, 1_001)
    response = await ask(asking, text)
    [error] = response["errors"]
    assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert error["message"].startswith(f"A list {field} has more than 1,000 items.")
    other = (await ask(asking, '{ port(id: "port-7") { services { nodes { id } } } }'))["data"]["port"]
    assert other == {"services": {"nodes": [{"id": "service-1"}]}}, "the way that the hint names"


async def test_of_several_trunks_that_end_at_a_port_one_is_named_and_all_are_listed(store: Store) -> None:
    async def work(transaction: Transaction) -> None:
        text = (
            "CREATE (p:Port {id: 'port-1'}) WITH p UNWIND range(0, 4) AS i "
            "CREATE (:Trunk {id: 'trunk-' + toString(9 - i)})-[:TERMINATES_ON {end: 'A'}]->(p)"
        )
        await transaction.run(text, {})

    await wipe(store)
    await store.write(work, deadline=time.monotonic() + 60)
    asking = caller(store)
    text = '{ port(id: "port-1") { trunk { id } trunks(first: 3) { totalCount nodes { id } } } ports { nodes { trunk { id } } } }'
    data = (await ask(asking, text))["data"]
    assert data["port"]["trunk"] == data["ports"]["nodes"][0]["trunk"] == {"id": "trunk-5"}
    assert data["port"]["trunks"] == {
        "totalCount": 5,
        "nodes": [{"id": "trunk-5"}, {"id": "trunk-6"}, {"id": "trunk-7"}],
    }
