"""Order management places, reads, changes and cancels orders by TMF622 and TMF641, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import httpx
import pytest

from adapters.order_management.api import APIS, PRODUCTS, SERVICES, Api
from adapters.order_management.decode import customer_in, order_of
from gateway.settings.settings import Settings
from graph.changes.orders.moving import Advance, Move, advance_order
from graph.model.scope import Principal, Role
from graph.store.store import Store
from tests.adapters.order_management.desk import body, calling, changing, crm, customer, item, laid_in, port_of, related
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid, soon

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    return await laid_in(empty_store)


@pytest.fixture(params=APIS, ids=lambda each: each.kind)
def api(request: pytest.FixtureRequest) -> Api:
    found: Api = request.param
    return found


@pytest.fixture
async def client(api: Api, laid: Laid, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(api, port_of(laid, settings), settings) as client:
        yield client


@pytest.fixture
def mine(mint: Mint) -> dict[str, str]:
    return crm(mint)


async def placed(client: httpx.AsyncClient, api: Api, headers: dict[str, str], sent: dict[str, Any]) -> dict[str, Any]:
    answer = await client.post(f"/{api.order}", json=sent, headers=headers)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == found["href"]
    return found


async def moved(laid: Laid, order: str, to: str) -> None:
    advance = Advance(order=order, moves=(Move(to=to),))
    outcome = await advance_order(laid.store, OPERATOR, advance, idempotency_key=f"{order}{to}", deadline=soon())
    assert outcome.user_errors == ()


async def test_what_order_management_places_it_reads_again_as_it_came(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], mint: Mint
) -> None:
    sent = body(
        api,
        item(api, "1", quantity=2),
        item(api, "2", **related(api, "1"), **{api.item: [item(api, "2.1")]}),
        externalId="PO-7",
        description="Two lines",
        category="B2B",
        priority="1",
        requestedCompletionDate="2126-03-01T12:00:00.000Z",
        note=[{"text": "soon", "author": "ann"}],
        **{"@type": f"Big{api.type}"},
    )
    order = await placed(client, api, mine, sent)
    assert order["state"] == "acknowledged"
    shown = {name: value for name, value in deepcopy(order).items() if name in sent}
    for each in shown[api.item]:
        assert each.pop("state") == "acknowledged"
        for inner in each.get(api.item, ()):
            assert inner.pop("state") == "acknowledged"
    ours = shown["relatedParty"].pop()
    assert (ours["name"], ours["role"]) == ("New Ltd", "customer")
    assert ours["id"].startswith("customer-")
    assert shown == sent
    for headers in (mine, mint.bearer("operator"), mint.bearer("analyst")):
        one = await client.get(f"/{api.order}/{order['id']}", headers=headers)
        assert (one.status_code, one.json()) == (200, order)
        every = await client.get(f"/{api.order}", headers=headers)
        assert (every.status_code, every.json()) == (200, [order])


async def test_the_same_again_is_answered_with_the_same_order(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], laid: Laid
) -> None:
    first = await placed(client, api, mine, body(api, externalId="PO-1"))
    assert await placed(client, api, mine, body(api, externalId="PO-1")) == first
    other = await client.post(f"/{api.order}", json=body(api, externalId="PO-1", priority="2"), headers=mine)
    assert (other.status_code, other.json()["code"]) == (409, "CONFLICT")
    assert other.json()["message"].startswith("externalId: ")
    keyed = {**mine, "Idempotency-Key": "k"}
    again = [await placed(client, api, keyed, body(api)) for _ in range(2)]
    assert again[0] == again[1]
    assert again[0]["id"] != (await placed(client, api, mine, body(api)))["id"]
    assert await laid.rows("MATCH (o:Order) RETURN count(o)") == [[3]]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"relatedParty": []}, "relatedParty", id="no party at all"),
        pytest.param(
            {"relatedParty": [{"id": "9", "@referredType": "Customer"}]}, "relatedParty.id", id="an unknown customer"
        ),
        pytest.param(
            {"relatedParty": [{"id": "8", "@referredType": "x"}, {"id": "9", "@referredType": "x"}]},
            "relatedParty",
            id="nobody can tell which party",
        ),
        pytest.param({"relatedParty": [{"id": "9"}]}, "relatedParty[0].@referredType", id="a party of no type"),
        pytest.param({"requestedStartDate": "2001-01-01T00:00:00Z"}, "requestedStartDate", id="a date in the past"),
        pytest.param({"requestedStartDate": "soon"}, "requestedStartDate", id="a date that is none"),
        pytest.param({"externalId": ""}, "externalId", id="an external id that is empty"),
        pytest.param({"note": "soon"}, "note", id="a note that is no list"),
    ],
)
async def test_what_is_wrong_is_told_with_its_field_and_nothing_is_written(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], laid: Laid, change: dict[str, Any], field: str
) -> None:
    answer = await client.post(f"/{api.order}", json={**body(api), **change}, headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT"), answer.text
    assert answer.json()["message"].startswith(f"{field}: "), answer.json()
    assert await laid.rows("MATCH (n:Order|OrderItem|Task|Event) RETURN count(n)") == [[0]]


async def test_what_is_wrong_with_items_is_told_with_the_item(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str]
) -> None:
    party = {"relatedParty": [{"id": "customer-a", "@referredType": "Customer", "@type": "RelatedParty"}]}
    cases: list[tuple[list[dict[str, Any]], str]] = [
        ([], api.item),
        ([{"id": "1"}], f"{api.item}[0].action"),
        (
            [item(api, "1", **related(api, "2")), item(api, "2", **related(api, "1"))],
            f"{api.item}[0].{api.relationship}",
        ),
        ([item(api, "1", **related(api, "7"))], f"{api.item}[0].{api.relationship}"),
        ([item(api, "1"), item(api, "1")], f"{api.item}[1].id"),
        ([changing(api, "1", "modify", "service-b")], f"{api.item}[0].{api.kind}"),
        ([changing(api, "1", "delete", "service-none")], f"{api.item}[0].{api.kind}"),
        ([item(api, str(number)) for number in range(21)], api.item),
        ([item(api, "1", **{api.item: [item(api, str(number)) for number in range(20)]})], api.item),
    ]
    for items, field in cases:
        answer = await client.post(f"/{api.order}", json={api.item: items, **party}, headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT"), answer.text
        assert field in answer.json()["message"], (field, answer.json()["message"])
    assert (await client.get(f"/{api.order}", headers=mine)).json() == []


async def test_who_may_not_order_is_refused(client: httpx.AsyncClient, api: Api, mint: Mint) -> None:
    for headers in (crm(mint, "nms"), mint.bearer("analyst"), customer(mint, "customer-a", claims=False)):
        answer = await client.post(f"/{api.order}", json=body(api), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert (await client.post(f"/{api.order}", json=body(api))).status_code == 401


async def test_a_list_is_filtered_cut_and_slimmed(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], mint: Mint, laid: Laid
) -> None:
    orders = [await placed(client, api, mine, body(api, externalId=f"PO-{n}", priority=str(n % 2))) for n in range(5)]
    await moved(laid, orders[0]["id"], "inProgress")
    by_id = sorted(each["id"] for each in orders)

    async def ids(query: str) -> list[str]:
        answer = await client.get(f"/{api.order}?{query}", headers=mine)
        assert answer.status_code in (200, 206), answer.text
        return [each["id"] for each in answer.json()]

    assert await ids("") == by_id
    assert await ids("state=inProgress") == [orders[0]["id"]]
    assert set(await ids("externalId=PO-1,PO-2")) == {orders[1]["id"], orders[2]["id"]}
    assert await ids(f"externalId={orders[1]['id']}") == [], "one that nobody has given is none"
    like_ours = await placed(client, api, crm(mint, "shop"), body(api, externalId="order-4711"))
    found = await client.get(f"/{api.order}?externalId=order-4711", headers=crm(mint, "shop"))
    assert [each["id"] for each in found.json()] == [like_ours["id"]]
    assert set(await ids("priority=1&state=acknowledged")) == {orders[1]["id"], orders[3]["id"]}
    assert await ids(f"orderDate.gt={orders[4]['orderDate']}") == []
    assert set(await ids(f"orderDate.gte={orders[0]['orderDate']}")) == set(by_id)
    assert await ids("sort=-externalId&limit=2") == [orders[4]["id"], orders[3]["id"]]
    assert set(await ids("relatedParty.id=4711")) == set(by_id)
    page = await client.get(f"/{api.order}?offset=1&limit=2&fields=state", headers=mine)
    assert page.status_code == 206
    assert page.headers["x-total-count"] == "5"
    assert [sorted(each) for each in page.json()] == [["href", "id", "state"]] * 2
    for query in ("state=open", "colour=red", "orderDate.gte=soon", "sort=colour"):
        answer = await client.get(f"/{api.order}?{query}", headers=mine)
        assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")


async def test_each_sees_its_own_orders(client: httpx.AsyncClient, api: Api, mint: Mint, laid: Laid) -> None:
    ada, bob, shop = customer(mint, "customer-a"), customer(mint, "customer-b"), crm(mint, "shop")
    sent = {api.item: [item(api, "1", **related(api, "2")), changing(api, "2", "modify", "service-a")]}
    own = await placed(client, api, ada, sent)
    party = {"id": "customer-a", "name": "a", "role": "customer", "@referredType": "Customer", "@type": "RelatedParty"}
    assert own["relatedParty"] == [party]
    assert [each["id"] for each in own[api.item]] == ["1", "2"]
    assert api.relationship in own[api.item][0]
    theirs = await placed(client, api, crm(mint), body(api, note=[{"text": "for us"}], relatedParty=[party]))
    assert "note" in theirs
    every = (await client.get(f"/{api.order}", headers=ada)).json()
    assert {each["id"] for each in every} == {own["id"], theirs["id"]}
    assert all("note" not in each for each in every), "what came is not in its slice"
    for headers in (bob, shop):
        assert (await client.get(f"/{api.order}", headers=headers)).json() == []
        answers = [await client.get(f"/{api.order}/{each}", headers=headers) for each in (theirs["id"], "order-none")]
        answers += [
            await client.patch(f"/{api.order}/{each}", json={"priority": "9"}, headers=headers)
            for each in (theirs["id"], "order-none")
        ]
        assert {each.status_code for each in answers} == {404}
        assert len({each.content for each in answers}) == 1
        cancels = [
            await client.post(f"/{api.cancel}", json={api.order: {"id": each}}, headers=headers)
            for each in (theirs["id"], "order-none")
        ]
        assert [each.status_code for each in cancels] == [400, 400]
        assert cancels[0].content == cancels[1].content
    assert (await client.get(f"/{api.order}/{own['id']}", headers=crm(mint))).status_code == 404, "it has not placed it"
    assert await laid.rows("MATCH (o:Order) WHERE o.state <> 'acknowledged' RETURN o") == []


async def test_a_patch_changes_what_is_not_begun(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], mint: Mint, laid: Laid
) -> None:
    order = await placed(client, api, mine, body(api, description="first", externalId="PO-1"))
    where, date = f"/{api.order}/{order['id']}", "2126-03-01T12:00:00.000Z"
    patched = await client.patch(
        where, json={"description": None, "priority": "2", "requestedStartDate": date}, headers={**mine, **MERGE}
    )
    assert patched.status_code == 200, patched.text
    assert patched.json() == {
        **{name: value for name, value in order.items() if name != "description"},
        "priority": "2",
        "requestedStartDate": date,
    }
    back = await client.patch(where, json={**patched.json(), "priority": "3"}, headers=mine)
    assert (back.status_code, back.json()["priority"]) == (200, "3"), back.text
    for patch, field in (
        ({"externalId": "PO-2"}, "externalId"),
        ({"note": [{"text": "x"}]}, "note"),
        ({"externalId": None}, "externalId"),
        ({"state": "gone"}, "state"),
        ({"requestedStartDate": "2001-01-01T00:00:00Z"}, "requestedStartDate"),
        ({api.item: [{**item(api, "1"), "action": "delete"}]}, f"{api.item}[0].action"),
        ({api.item: [{"id": "7", "action": "add"}]}, f"{api.item}[0].action"),
    ):
        refused = await client.patch(where, json=patch, headers=mine)
        assert (refused.status_code, refused.json()["code"]) == (400, "BAD_USER_INPUT"), refused.text
        assert refused.json()["message"].startswith(f"{field}: "), refused.json()
    moving = await client.patch(where, json={api.item: [{"id": "1", "state": "inProgress"}]}, headers=mine)
    assert moving.status_code == 403, "only operators move orders"
    await moved(laid, order["id"], "inProgress")
    late = await client.patch(where, json={"priority": "4"}, headers=mine)
    assert (late.status_code, late.json()["code"]) == (409, "CONFLICT")
    assert (await client.delete(where, headers=mint.bearer("operator"))).status_code == 405


async def test_operators_move_an_order_by_its_items(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], mint: Mint
) -> None:
    order = await placed(client, api, mine, body(api, item(api, "1"), item(api, "2")))
    where, operator = f"/{api.order}/{order['id']}", mint.bearer("operator")
    for states, then in (
        ([{"id": "1", "state": "inProgress"}], "inProgress"),
        ([{"id": "1", "state": "completed"}, {"id": "2", "state": "inProgress"}], "inProgress"),
        ([{"id": "1", "state": "completed"}, {"id": "2", "state": "completed"}], "completed"),
    ):
        answer = await client.patch(where, json={api.item: states}, headers=operator)
        assert (answer.status_code, answer.json()["state"]) == (200, then), answer.text
    assert "completionDate" in answer.json()
    over = await client.patch(where, json={api.item: [{"id": "1", "state": "inProgress"}]}, headers=operator)
    assert (over.status_code, over.json()["code"]) == (409, "CONFLICT")
    assert "stays so" in over.json()["message"]


async def test_operators_move_all_of_an_order_by_its_state(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], mint: Mint
) -> None:
    order = await placed(client, api, mine, body(api, item(api, "1"), item(api, "2")))
    where = f"/{api.order}/{order['id']}"
    answer = await client.patch(where, json={"state": "held"}, headers=mint.bearer("operator"))
    assert (answer.status_code, answer.json()["state"]) == (200, "held"), answer.text
    assert {each["state"] for each in answer.json()[api.item]} == {"held"}
    assert (await client.patch(where, json={"state": "pending"}, headers=mine)).status_code == 403


async def test_an_order_of_the_other_api_cannot_be_cancelled(laid: Laid, settings: Settings, mint: Mint) -> None:
    for own, other in ((PRODUCTS, SERVICES), (SERVICES, PRODUCTS)):
        async with calling(own, port_of(laid, settings), settings) as client:
            order = await placed(client, own, crm(mint), body(own))
        async with calling(other, port_of(laid, settings), settings) as client:
            sent = {other.order: {"id": order["id"]}}
            assert (await client.post(f"/{other.cancel}", json=sent, headers=crm(mint))).status_code == 400
    assert await laid.rows("MATCH (o:Order) RETURN DISTINCT o.state") == [["acknowledged"]]


async def test_a_request_to_cancel_is_kept_with_what_becomes_of_it(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], mint: Mint, laid: Laid
) -> None:
    first, second = [await placed(client, api, mine, body(api)) for _ in range(2)]
    await moved(laid, second["id"], "inProgress")
    reason = {"cancellationReason": "too late", "requestedCancellationDate": "2126-03-01T12:00:00.000Z"}
    found = []
    for order, state in ((first, "done"), (second, "accepted")):
        answer = await client.post(f"/{api.cancel}", json={api.order: {"id": order["id"]}, **reason}, headers=mine)
        assert (answer.status_code, answer.json()["state"]) == (201, state), answer.text
        assert answer.headers["location"] == answer.json()["href"]
        assert answer.json()[api.order]["href"] == order["href"]
        assert {name: answer.json()[name] for name in reason} == reason
        found.append(answer.json())
    every = await client.get(f"/{api.cancel}", headers=mine)
    assert (every.status_code, every.json()) == (200, sorted(found, key=lambda each: str(each["id"])))
    assert (await client.get(f"/{api.cancel}?state=accepted", headers=mine)).json() == [found[1]]
    one = await client.get(f"/{api.cancel}/{found[0]['id']}", headers=mine)
    assert (one.status_code, one.json()) == (200, found[0])
    assert (await client.get(f"/{api.cancel}/{found[0]['id']}", headers=crm(mint, "shop"))).status_code == 404
    shown = (await client.get(f"/{api.order}/{first['id']}", headers=mine)).json()
    assert (shown["state"], shown["cancellationReason"]) == ("cancelled", "too late")
    again = await client.post(f"/{api.cancel}", json={api.order: {"id": first["id"]}}, headers=mine)
    assert (again.status_code, again.json()["code"]) == (409, "CONFLICT")
    assert (await client.post(f"/{api.cancel}", json={}, headers=mine)).status_code == 400


async def test_the_body_that_the_conformance_kit_sends_is_taken(laid: Laid, settings: Settings, mint: Mint) -> None:
    """TMF622: somebody is named by an id alone; TMF641: nobody is named, which only a customer may leave out."""
    party = {"id": "456-dd-df45", "@referredType": "Individual"}
    async with calling(PRODUCTS, port_of(laid, settings), settings) as client:
        sent = {"productOrderItem": [{"id": "123", "action": "add"}], "relatedParty": [party]}
        made = [await placed(client, PRODUCTS, crm(mint), sent) for _ in range(2)]
        assert {each["relatedParty"][0]["id"] for each in made} == {"456-dd-df45"}
        assert made[0]["id"] != made[1]["id"]
    async with calling(SERVICES, port_of(laid, settings), settings) as client:
        bare: dict[str, Any] = {"serviceOrderItem": [{"id": "1", "action": "add", "service": {}}]}
        order = await placed(client, SERVICES, customer(mint, "customer-a"), bare)
        assert order["relatedParty"][0]["id"] == "customer-a"
        assert (await client.post("/serviceOrder", json=bare, headers=crm(mint))).status_code == 400


PARTIES = [
    {"id": "1", "role": "Customer", "@referredType": "Organization"},
    {"id": "2", "role": "seller", "@referredType": "Organization"},
    {"id": "3", "role": "payer", "@referredType": "Customer"},
]


@pytest.mark.parametrize(
    ("parties", "found"),
    [
        pytest.param(PARTIES, "1", id="the role says it"),
        pytest.param(PARTIES[1:], "3", id="the type says it"),
        pytest.param(PARTIES[1:2], "2", id="there is one only"),
        pytest.param([PARTIES[1], PARTIES[1]], None, id="nobody can tell"),
        pytest.param([PARTIES[0], PARTIES[0]], None, id="two customers"),
    ],
)
def test_whose_order_it_is_is_read_from_its_parties(parties: list[dict[str, str]], found: str | None) -> None:
    party = customer_in(parties)
    assert (None if party is None else party["id"]) == found


def test_a_product_to_change_is_known_by_the_service_that_realizes_it() -> None:
    product = {"id": "P-1", "realizingService": [{"id": "L-1"}], "productOffering": {"id": "gold"}}
    sent = {"productOrderItem": [{"id": "1", "action": "modify", "product": product}]}
    [read] = order_of(PRODUCTS, sent).items
    assert (read.service, read.offering) == ("L-1", "gold")
    del product["realizingService"]
    assert order_of(PRODUCTS, sent).items[0].service == "P-1"


async def test_a_patch_is_done_whole_or_not_at_all_and_once(
    client: httpx.AsyncClient, api: Api, mine: dict[str, str], mint: Mint
) -> None:
    order = await placed(client, api, mine, body(api, priority="1"))
    where, operator = f"/{api.order}/{order['id']}", mint.bearer("operator")
    for headers, state, status in ((operator, "completed", 409), (mine, "held", 403)):
        answer = await client.patch(where, json={"priority": "9", "state": state}, headers=headers)
        assert answer.status_code == status, answer.text
        assert (await client.get(where, headers=mine)).json() == order, "nothing of it is written"
    keyed, patch = {**operator, "Idempotency-Key": "k"}, {"priority": "2", "state": "held"}
    first = await client.patch(where, json=patch, headers=keyed)
    assert (first.status_code, first.json()["priority"], first.json()["state"]) == (200, "2", "held")
    assert (await client.patch(where, json={"priority": "3"}, headers=operator)).status_code == 200
    again = await client.patch(where, json=patch, headers=keyed)
    assert (again.status_code, again.json()["priority"]) == (200, "3"), "a repetition changes nothing"
    other = await client.patch(where, json={"priority": "4"}, headers=keyed)
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_CONFLICT")
