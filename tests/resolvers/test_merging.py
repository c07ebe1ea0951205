"""Merging by GraphQL: operators see and settle what is proposed; customers see nothing of it, and nothing of each other."""

from __future__ import annotations

from typing import Any, Final

import pytest
from graphql import GraphQLObjectType

from graph.changes.policy import AlarmPolicy, Ordering
from graph.model.companies import company_of
from graph.model.scope import Principal, Role
from graph.store.store import Store
from resolvers.knowledge.subgraph import KnowledgeSubgraph
from tests.graph.changes.network import Laid, lay, report
from tests.resolvers.caller import CUSTOMER_A, CUSTOMER_B, KEY, OPERATOR, Caller

STRANGER: Final = Principal(subject="s", role=Role.CUSTOMER, customers=("customer-s",))
MERGE: Final = """mutation($from: ID!, $into: ID!, $dry: Boolean!, $key: String!) {
  mergeCustomers(from: $from, into: $into, dryRun: $dry, idempotencyKey: $key) {
    customer { id services { totalCount } mergedFrom { nodes { id } } }
    stub { id services { totalCount } mergedInto { id } }
    moved { services tickets orders externalNames leads stubs }
    userErrors { code path message }
  }
}"""
UNDO: Final = """mutation($id: ID!, $key: String!) {
  undoMergeCustomers(customerId: $id, idempotencyKey: $key) {
    customer { id services { totalCount } } stub { id mergedInto { id } services { totalCount } } moved { services } userErrors { code }
  }
}"""
DECLINE: Final = """mutation($id: ID!, $key: String!) {
  declineCustomerMatch(matchId: $id, reason: "no", idempotencyKey: $key) { match { id state note settledBy } userErrors { code } }
}"""
MATCHES: Final = """{
  customerMatches(filter: { state: { eq: PROPOSED } }) { nodes { id state reason foundAt settledAt customers { nodes { id } } } }
  customer(id: "customer-a") { matches { totalCount nodes { id } } goneAt }
}"""
PLACE: Final = """mutation($name: String!, $key: String!) {
  placeOrder(items: [{ id: "1" }], customer: { id: $key, name: $name }, idempotencyKey: $key) { order { customer { id } } userErrors { code } }
}"""
SLICE: Final = """{
  viewer { customers { nodes { id name segment status accountRef
    services { totalCount nodes { id name affectedBy { totalCount } } }
    orders { totalCount } tickets { totalCount nodes { id services { nodes { id } } } } alarms { totalCount nodes { id } }
    events { totalCount nodes { id type aggregateId } }
  } } }
  services { totalCount nodes { id customer { id } } }
  ports { totalCount nodes { id services { nodes { id } } } }
  trunks { totalCount nodes { id services { totalCount nodes { id } } } }
  search(text: "service") { id }
}"""


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await laid.run("MATCH (n) WHERE n:Port OR n:Trunk OR n:Service SET n.name = n.id, n.words = 'service'")
    await laid.run("CREATE (:Customer {id: 'customer-s', name: 's'})")
    text = "MATCH (c:Customer) SET c.segment = 'x', c.status = 'active', c.accountRef = 'x', c.company = $company"
    await laid.run(text, company=company_of("acme").core)
    await laid.run("MATCH (c:Customer {id: 'customer-s'}) SET c.company = 's'")
    await laid.run("MATCH (c:Customer) WHERE c.id <> 'customer-s' SET c.name = 'Acme'")
    return laid


@pytest.fixture
def asking(laid: Laid) -> Caller:
    return Caller(subgraph=KnowledgeSubgraph(laid.store, KEY, AlarmPolicy(ticketing="desk", ordering=Ordering())))


async def answered(asking: Caller, text: str, principal: Principal = OPERATOR, **given: Any) -> dict[str, Any]:
    answer = await asking.response(text, given, principal)
    assert "errors" not in answer, answer
    found: dict[str, Any] = answer["data"]
    return found


async def merge(asking: Caller, *, dry: bool = False, key: str = "m") -> dict[str, Any]:
    given: dict[str, Any] = {"from": "customer-b", "into": "customer-a", "dry": dry, "key": key}
    found: dict[str, Any] = (await answered(asking, MERGE, **given))["mergeCustomers"]
    return found


async def test_an_operator_merges_and_takes_it_back(asking: Caller) -> None:
    dry = await merge(asking, dry=True, key="d")
    assert dry["moved"] == {"services": 2, "tickets": 0, "orders": 0, "externalNames": 0, "leads": 0, "stubs": 0}
    assert dry["customer"] == {"id": "customer-a", "services": {"totalCount": 1}, "mergedFrom": {"nodes": []}}
    found = await merge(asking)
    assert found["moved"] == dry["moved"]
    assert found["customer"] == {
        "id": "customer-a",
        "services": {"totalCount": 3},
        "mergedFrom": {"nodes": [{"id": "customer-b"}]},
    }
    assert found["stub"] == {"id": "customer-b", "services": {"totalCount": 0}, "mergedInto": {"id": "customer-a"}}
    assert await merge(asking) == found
    [refused] = (await merge(asking, key="again"))["userErrors"]
    assert (refused["code"], refused["path"]) == ("CUSTOMER_MERGED", ["from"])
    undone = (await answered(asking, UNDO, id="customer-b", key="u"))["undoMergeCustomers"]
    assert undone["stub"] == {"id": "customer-b", "mergedInto": None, "services": {"totalCount": 2}}
    assert undone["moved"] == {"services": 2}


async def test_a_match_is_seen_and_declined_by_operators(asking: Caller) -> None:
    made = (await answered(asking, PLACE, name="ACME Ltd", key="new"))["placeOrder"]["order"]["customer"]["id"]
    found = await answered(asking, MATCHES)
    pairs = [{each["id"] for each in node["customers"]["nodes"]} for node in found["customerMatches"]["nodes"]]
    assert pairs in ([{"customer-a", made}, {"customer-b", made}], [{"customer-b", made}, {"customer-a", made}])
    [mine] = found["customer"]["matches"]["nodes"]
    declined = (await answered(asking, DECLINE, id=mine["id"], key="d"))["declineCustomerMatch"]
    assert declined["match"] == {"id": mine["id"], "state": "DECLINED", "note": "no", "settledBy": "op"}
    assert len((await answered(asking, MATCHES))["customerMatches"]["nodes"]) == 1


async def test_a_token_of_a_stub_sees_nothing_of_the_other_and_a_stranger_sees_nothing_at_all(
    asking: Caller, laid: Laid
) -> None:
    await laid.raise_(report("card-3"))
    before = {each.subject: await answered(asking, SLICE, each) for each in (CUSTOMER_A, CUSTOMER_B, STRANGER)}
    await merge(asking)
    after = {each.subject: await answered(asking, SLICE, each) for each in (CUSTOMER_A, CUSTOMER_B, STRANGER)}
    assert after["s"] == before["s"], "byte for byte: what others are merged into is nothing to it"
    [stub] = after["b"]["viewer"]["customers"]["nodes"]
    assert stub["services"]["totalCount"] == stub["tickets"]["totalCount"] == stub["alarms"]["totalCount"] == 0
    assert stub["events"] == before["b"]["viewer"]["customers"]["nodes"][0]["events"], "its past, and no more"
    assert [after["b"][each]["totalCount"] for each in ("services", "ports", "trunks")] == [0, 0, 0]
    assert after["b"]["search"] == []
    assert {each["id"] for each in after["a"]["services"]["nodes"]} == {"service-a", "service-b", "service-c"}
    assert after["a"]["viewer"]["customers"]["nodes"][0]["tickets"]["totalCount"] == 2
    await answered(asking, UNDO, id="customer-b", key="u")
    for each in (CUSTOMER_A, CUSTOMER_B, STRANGER):
        assert await answered(asking, SLICE, each) == before[each.subject]


async def test_customers_may_not_ask_who_is_like_them(asking: Caller) -> None:
    customer = asking.schema.type_map["Customer"]
    assert isinstance(customer, GraphQLObjectType)
    for name in ("matches", "mergedInto", "mergedFrom", "goneAt"):
        node = customer.fields[name].ast_node
        assert node
        assert "operatorOnly" in {each.name.value for each in node.directives or ()}
    await merge(asking)
    text = '{ customer(id: "customer-b") { mergedInto { id } mergedFrom { totalCount } matches { totalCount } } }'
    hidden = {"mergedInto": None, "mergedFrom": {"totalCount": 0}, "matches": {"totalCount": 0}}
    assert (await answered(asking, text, CUSTOMER_B))["customer"] == hidden, "nor would it be told, if it might"
    for text, given in (
        (MERGE, {"from": "customer-b", "into": "customer-a", "dry": True, "key": "k"}),
        (UNDO, {"id": "customer-b", "key": "k"}),
        (DECLINE, {"id": "customermatch-1", "key": "k"}),
    ):
        answer = await asking.response(text, given, CUSTOMER_A)
        assert [each["extensions"]["code"] for each in answer["errors"]] == ["FORBIDDEN"]
