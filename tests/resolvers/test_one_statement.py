"""One operation is one statement, run once, whatever it asks for."""

from __future__ import annotations

from graph.store.store import Store
from tests.resolvers.caller import BOTH, OPERATOR, Counting, caller
from tests.resolvers.world import World, load

MANY_ROOTS = """query($id: ID!, $no: Boolean!) {
  viewer { role customers { totalCount nodes { id services(first: 2) { edges { cursor node { name sla { tier } } } } } } }
  node(id: $id) { __typename ... on Card { ports { totalCount nodes { trunk { terminations { port { id } } } } } } }
  card(id: "card-c2") { networkElement { site { name } } }
  a: services(first: 3, orderBy: [{field: NAME}]) { totalCount pageInfo { hasNextPage endCursor } nodes { id } }
  b: services(last: 3, filter: {effect: {eq: DOWN}}) { nodes { ...S } }
  alarms { nodes { affects { nodes { severity service { ...S } } } alarmedObject { __typename } } }
  impact(of: [$id]) { totalServices counts { services } services { service { id } } customers { customer { name } } }
  search(text: "köln") { __typename id }
  gone: ports @include(if: $no) { totalCount }
}
fragment S on Service { id customer { name } route { trunk { id services { totalCount } } } }"""


async def test_an_operation_of_many_root_fields_is_one_statement_run_once(store: Store, world: World) -> None:
    await load(store, world)
    for principal in (OPERATOR, BOTH):
        counting = Counting(store)
        answer = await caller(counting).response(MANY_ROOTS, {"id": "card-c1", "no": False}, principal)
        assert len(answer["data"]) == 8
        assert answer["data"]["node"]["ports"]["totalCount"] >= 3
        assert len(counting.texts) == 1


async def test_what_needs_no_data_needs_no_statement(store: Store) -> None:
    counting = Counting(store)
    answer = await caller(counting).response('{ __typename a: card(id: "card-c1") @skip(if: true) { id } }')
    assert answer == {"data": {"__typename": "Query"}}
    assert counting.texts == []


async def test_many_entities_are_one_statement(store: Store, world: World) -> None:
    await load(store, world)
    counting = Counting(store)
    asked = [{"__typename": each.label, "id": each.id} for each in world.nodes.values()]
    text = (
        "query($r: [_Any!]!) { _entities(representations: $r) { __typename ... on Node { id } ... on Card { slot } } }"
    )
    answer = await caller(counting).response(text, {"r": asked})
    assert [each["id"] for each in answer["data"]["_entities"]] == list(world.nodes)
    assert len(counting.texts) == 1
