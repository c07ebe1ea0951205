"""Customer management is looked at and listened to, over HTTP, by a stand-in that speaks TMF629."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import Any, Final

import httpx
import pytest
from pydantic import SecretStr

from adapters.customer_management import inbound
from adapters.customer_management.looking import Looking
from adapters.customer_management.outbound.tmf629 import Tmf629
from adapters.customer_management.tmf629_resource import FIELDS, gone_of, record_of
from adapters.delivery.attending import Attention
from adapters.errors import Nonsense
from adapters.passed_over import PassedOver
from adapters.simulator.customers.customer_management import CustomerManagement, serving
from adapters.simulator.customers.customers import UPDATE
from adapters.simulator.manners import Manners
from adapters.transport.transport import System, opened
from gateway.settings.settings import Settings
from graph.changes.policy import AlarmPolicy
from graph.store.store import Store
from tests.adapters.conftest import JSON, asking, http, saying, soon
from tests.adapters.delivery.test_delivery import until
from tests.adapters.endpoint.composed import Port, endpoint, routed
from tests.adapters.schema import properties_of, published
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid

SYSTEM: Final = "crm"
POLICY: Final = AlarmPolicy(customer_management=SYSTEM)
LISTEN: Final = "/listener/customerAttributeValueChangeEvent"
PARTY: Final = {"id": "P-1", "name": "Acme party", "@referredType": "Organization"}


def body(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "engagedParty": PARTY, **more}


async def made(system: CustomerManagement, name: str, **more: Any) -> str:
    async with httpx.AsyncClient() as person:
        answer = await person.post(f"{system.address}/customer", json=body(name, **more))
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


# What is believed ------------------------------------------------------------------------------------------------


def test_a_customer_is_read_as_far_as_the_graph_has_a_place_for_it() -> None:
    told = body(
        "Acme",
        id=7,
        status="active",
        account=[{"name": "without an id"}, {"id": "ACC-1", "name": "a"}, {"id": "ACC-2", "name": "b"}],
        characteristic=[{"name": "size", "value": 3}, {"name": "segment", "value": "retail"}],
        contactMedium=[{"mediumType": "email"}],
    )
    found = record_of(told, at=5, segment="segment")
    assert (found.external_id, found.name, found.status) == ("7", "Acme", "active")
    assert (found.segment, found.account, found.at, found.is_gone) == ("retail", "ACC-1", 5, False)
    bare = record_of({"id": "8", "account": []}, at=5, segment="segment")
    assert (bare.name, bare.status, bare.segment, bare.account) == (None, None, None, "")
    assert record_of({"id": "8", "engagedParty": PARTY}, at=5, segment="").name == "Acme party"
    assert gone_of({"id": "8"}, at=6).is_gone


@pytest.mark.parametrize(
    ("told", "where"),
    [
        pytest.param([], "body", id="no object"),
        pytest.param({"name": "x"}, "id", id="no id"),
        pytest.param({"id": True}, "id", id="an id that is none"),
        pytest.param({"id": "x" * 501}, "id", id="an id that is too long"),
        pytest.param({"id": "1", "name": "x" * 501}, "name", id="a name that is too long"),
        pytest.param({"id": "1", "status": "\u0000"}, "status", id="a status that no protocol carries"),
        pytest.param({"id": "1", "account": {}}, "account", id="accounts that are no list"),
    ],
)
def test_what_makes_no_sense_is_not_believed(told: Any, where: str) -> None:
    with pytest.raises(Nonsense) as refused:
        record_of(told, at=5, segment="segment")
    assert refused.value.where == where


def test_the_stand_in_and_what_is_asked_for_are_as_published() -> None:
    assert properties_of("Customer_Update", 629) >= UPDATE
    assert set(FIELDS) <= properties_of("Customer", 629)
    assert list(published("Customer_Create", 629).iter_errors(body("Acme"))) == []


# Looking -----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["polite", "otherwise"])
async def system(request: pytest.FixtureRequest) -> AsyncIterator[CustomerManagement]:
    manners = Manners() if request.param == "polite" else Manners(links=False, counts=True, most=1, tags=False)
    async with serving(manners=manners) as found:
        yield found


@pytest.fixture
async def looking(system: CustomerManagement, empty_store: Store) -> AsyncIterator[Looking]:
    async with opened(System(name=SYSTEM, address=system.address, failures=1_000)) as transport:
        yield Looking(
            store=empty_store,
            management=Tmf629(transport, segment="segment"),
            policy=POLICY,
            attention=Attention(poll_seconds=60, request_seconds=20),
            list_seconds=20,
        )


async def customers(store: Store) -> list[list[Any]]:
    text = (
        "MATCH (x:ExternalName {system: 'crm'})-[:NAMES]->(c:Customer) "
        "RETURN x.name, c.name, c.status, c.goneAt IS NOT NULL ORDER BY x.name"
    )
    return await Laid(store=store).rows(text)


async def test_all_customers_are_read_and_those_that_are_gone_are_marked(
    system: CustomerManagement, looking: Looking
) -> None:
    first, second = await made(system, "Acme", status="active"), await made(system, "Bolt", status="new")
    await looking.look_now()
    assert await customers(looking.store) == [[first, "Acme", "active", False], [second, "Bolt", "new", False]]
    system.customers.remove(second)
    system.customers.change(first, {"status": "suspended"})
    await looking.look_now()
    assert await customers(looking.store) == [[first, "Acme", "suspended", False], [second, "Bolt", "new", False]]
    await looking.look_now()
    assert await customers(looking.store) == [[first, "Acme", "suspended", False], [second, "Bolt", "new", True]]
    system.customers.remove(first)
    await looking.look_now()
    assert [each[3] for each in await customers(looking.store)] == [False, True], "an empty list is not believed"


async def test_of_several_processes_one_looks(system: CustomerManagement, looking: Looking) -> None:
    await made(system, "Acme")
    await asyncio.gather(*(looking.look() for _ in range(4)))
    assert len(await customers(looking.store)) == 1
    await made(system, "Bolt")
    await looking.look()
    assert len(await customers(looking.store)) == 1, "it is not due yet"


async def test_one_that_cannot_be_read_costs_the_others_nothing() -> None:
    counted: list[str] = []
    answer = b'[{"id": "1", "name": "Acme"}, {"id": "2", "account": 7}, {"name": "x"}, 5]'
    async with saying(http("200 OK", answer, JSON, "X-Total-Count: 4")) as server, asking(server.address) as transport:
        client = Tmf629(transport, segment="segment", passed_over=PassedOver(SYSTEM, counted.append))
        found = await client.customers(at=5, deadline=soon())
    assert [each.external_id for each in found.records] == ["1"]
    assert found.there == {"1", "2"}, "it is there, whatever can be read of it"
    assert counted == [SYSTEM] * 3


# Listening ---------------------------------------------------------------------------------------------------------


@pytest.fixture
async def client(empty_store: Store, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    port = Port(empty_store, settings)
    port.policy = POLICY
    routes = partial(inbound.customer_routes, segment="segment")
    async with routed(endpoint(inbound.BASE, routes, port, settings), settings, inbound.BASE) as client:
        yield client


def event(at: str, **customer: Any) -> dict[str, Any]:
    return {"eventId": at, "eventTime": at, "event": {"customer": {"id": "C-1", **customer}}}


async def test_what_is_told_is_taken_and_older_news_is_passed_over(
    client: httpx.AsyncClient, mint: Mint, empty_store: Store
) -> None:
    headers = mint.bearer(f"system:{SYSTEM}")
    day = "2026-11-30T"
    told = [
        ("/listener/customerCreateEvent", event(f"{day}10:00:00Z", name="Acme", status="new")),
        ("/listener/customerStateChangeEvent", event(f"{day}12:00:00Z", status="active")),
        (LISTEN, event(f"{day}11:00:00Z", name="Older", status="new")),
        (LISTEN, event(f"{day}13:00:00Z", name="Acme Ltd")),
    ]
    for path, said in told:
        assert (await client.post(path, json=said, headers=headers)).status_code == 204
    assert await customers(empty_store) == [["C-1", "Acme Ltd", "active", False]]
    for _ in range(2):
        said = event(f"{day}14:00:00Z")
        assert (await client.post("/listener/customerDeleteEvent", json=said, headers=headers)).status_code == 204
    assert await customers(empty_store) == [["C-1", "Acme Ltd", "active", True]]
    assert len(await Laid(store=empty_store).events("Customer")) == 4


@pytest.mark.parametrize("role", ["system:nms", "analyst", "customer"])
async def test_nobody_else_tells_of_customers(
    client: httpx.AsyncClient, mint: Mint, empty_store: Store, role: str
) -> None:
    headers = mint.customer() if role == "customer" else mint.bearer(role)
    assert (await client.post(LISTEN, json=event("2026-11-30T10:00:00Z"), headers=headers)).status_code == 403
    assert await customers(empty_store) == []


async def test_what_is_no_event_is_refused_with_its_field(client: httpx.AsyncClient, mint: Mint) -> None:
    headers = mint.bearer(f"system:{SYSTEM}")
    for said, field in (
        ([], "event.customer"),
        ({"event": {"customer": {"id": ""}}}, "event.customer.id"),
        ({"event": {"customer": {"id": "1", "account": 5}}}, "event.customer.account"),
    ):
        answer = await client.post(LISTEN, json=said, headers=headers)
        assert answer.status_code == 400
        assert field in answer.text
    assert (await client.post("/listener/customerBornEvent", json={}, headers=headers)).status_code == 404


async def test_the_hub_there_calls_us(client: httpx.AsyncClient, mint: Mint, empty_store: Store) -> None:
    token = SecretStr(mint.bearer(f"system:{SYSTEM}")["Authorization"])
    async with (
        serving(callback_authorization=token) as system,
        opened(System(name=SYSTEM, address=system.address)) as transport,
    ):
        management = Tmf629(transport, segment="segment")
        registration = await management.subscribe(str(client.base_url), deadline=soon())
        first = await made(system, "Acme", status="new")

        async def is_heard() -> bool:
            return await customers(empty_store) == [[first, "Acme", "new", False]]

        await until(is_heard)
        await management.unsubscribe(registration, deadline=soon())
