from __future__ import annotations

from collections.abc import AsyncIterator
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest

from adapters.billing.inbound.states import EVENTS
from adapters.billing.inbound.usage import BASE, PLACE, usage_routes
from adapters.billing.telling import record_of
from gateway.settings.settings import Settings
from graph.changes.policy import AlarmPolicy
from graph.model.scope import Principal, Role
from graph.model.usage import Usage
from graph.store.store import Store
from tests.adapters.endpoint.composed import Port, endpoint, routed, soon
from tests.adapters.schema import published
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid
from tests.resolvers.tenants import tenants
from tests.resolvers.world import load

METER = "system:nms"
OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
HOUR = 3_600_000
OCTETS = 2**53 + 1

NAMED: dict[str, Any] = {
    "externalId": "U100",
    "sourceSystemId": "nms-3",
    "service": "service-a1",
    "startDateTime": "2026-01-31T12:00:00+01:00",
    "endDateTime": "2026-01-31T12:00:00Z",
    "octets": OCTETS,
    "mbps": 500,
}


def body(**changes: Any) -> dict[str, Any]:
    """A record, with other characteristics, or without those that are None."""
    named = {name: value for name, value in {**NAMED, **changes}.items() if value is not None}
    return {
        "usageSpecification": {"id": "bandwidthInterval"},
        "usageCharacteristic": [{"name": name, "value": value} for name, value in named.items()],
    }


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await load(empty_store, tenants())
    return Laid(store=empty_store)


@pytest.fixture
async def client(laid: Laid, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    port = Port(laid.store, settings)
    port.policy = AlarmPolicy(billing="billing")
    async with routed(endpoint(BASE, usage_routes, port, settings), settings, BASE) as client:
        yield client


async def post(client: httpx.AsyncClient, mint: Mint, told: Any, role: str = METER) -> httpx.Response:
    return await client.post("/usage", json=told, headers=mint.bearer(role))


async def patch(client: httpx.AsyncClient, mint: Mint, usage: str, told: Any, role: str = METER) -> httpx.Response:
    headers = {**mint.bearer(role), "content-type": "application/merge-patch+json"}
    return await client.patch(f"/usage/{usage}", content=orjson.dumps(told), headers=headers)


def characteristics(usage: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each["value"] for each in usage["usageCharacteristic"]}


async def test_a_record_is_taken_and_comes_back_as_it_is(client: httpx.AsyncClient, mint: Mint, laid: Laid) -> None:
    told = {**body(), "usageType": "boost", "status": "rated", "x-meter": {"row": [1, None]}}
    told["usageCharacteristic"].append({"name": "colour", "value": {"deep": [1]}})
    answer = await post(client, mint, told)
    assert answer.status_code == 201
    shown = answer.json()
    assert answer.headers["location"] == shown["href"] == f"{PLACE}/{shown['id']}"
    assert (shown["usageType"], shown["status"], shown["x-meter"]) == ("boost", "rated", {"row": [1, None]})
    assert characteristics(shown) == {
        **NAMED,
        "startDateTime": "2026-01-31T11:00:00.000Z",
        "endDateTime": "2026-01-31T12:00:00.000Z",
        "octets": str(OCTETS),
        "colour": {"deep": [1]},
    }
    read = (await client.get(f"/usage/{shown['id']}", headers=mint.bearer("operator"))).json()
    party = {"id": "customer-a", "name": "Stadtwerke A", "role": "customer", "@referredType": "Customer"}
    assert read == {**shown, "relatedParty": [party]}
    assert [*published("Usage", 635).iter_errors(read)] == []
    [[delivered]] = await laid.rows("MATCH (d:Delivery {system: 'billing'}) RETURN d.orderKey")
    assert delivered == "service-a1"


async def test_the_same_again_is_the_same_record(client: httpx.AsyncClient, mint: Mint) -> None:
    first, second = [await post(client, mint, body()) for _ in range(2)]
    assert (second.status_code, second.json()) == (201, first.json())
    other = await post(client, mint, body(octets=1))
    assert (other.status_code, other.json()["code"]) == (409, "CONFLICT")
    assert "octets" in other.json()["message"]


async def test_what_was_not_measured_may_be_told_later(client: httpx.AsyncClient, mint: Mint, laid: Laid) -> None:
    missing = dict.fromkeys(("startDateTime", "endDateTime", "octets", "mbps"))
    told = {**body(**missing), "usageDate": "2026-01-31T12:00:00Z", "usageType": "call"}
    told["usageCharacteristic"].append({"name": "calls", "value": 3})
    first = await post(client, mint, told)
    assert first.status_code == 201, first.text
    shown = first.json()
    assert characteristics(shown) == {
        "externalId": "U100",
        "sourceSystemId": "nms-3",
        "service": "service-a1",
        "calls": 3,
    }
    read = await client.get(f"/usage/{shown['id']}", headers=mint.bearer(METER))
    assert read.json()["usageDate"] == shown["usageDate"] == "2026-01-31T12:00:00.000Z"
    assert [*published("Usage", 635).iter_errors(read.json())] == []
    assert await laid.rows("MATCH (d:Delivery {system: 'billing'}) RETURN d.id") == []

    more = [{"name": name, "value": NAMED[name]} for name in missing if name != "mbps"]
    for wrong in (more, [*read.json()["usageCharacteristic"][1:], *more]):
        refused = await patch(client, mint, shown["id"], {"usageCharacteristic": wrong})
        assert (refused.status_code, "cannot be changed" in refused.json()["message"]) == (400, True)
    patched = await patch(
        client, mint, shown["id"], {"usageCharacteristic": [*read.json()["usageCharacteristic"], *more]}
    )
    assert patched.status_code == 200, patched.text
    assert characteristics(patched.json()) == {
        "externalId": "U100",
        "sourceSystemId": "nms-3",
        "service": "service-a1",
        "startDateTime": "2026-01-31T11:00:00.000Z",
        "endDateTime": "2026-01-31T12:00:00.000Z",
        "octets": str(OCTETS),
        "calls": 3,
    }
    again = await post(client, mint, {**body(startDateTime=None, endDateTime=None, octets=None), "usageType": "call"})
    assert (again.status_code, characteristics(again.json())["octets"]) == (201, str(OCTETS))
    other = await post(client, mint, {**body(mbps=501), "usageType": "call"})
    assert (other.status_code, "mbps" in other.json()["message"]) == (409, True)
    [[payload]] = await laid.rows("MATCH (d:Delivery {system: 'billing'}) RETURN d.payload")
    assert (orjson.loads(payload)["octets"], orjson.loads(payload)["mbps"]) == (OCTETS, 500)


async def test_what_no_service_is_known_for_is_kept_and_listed_as_unmatched(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, settings: Settings
) -> None:
    shown = (await post(client, mint, body(service="circuit 9"))).json()
    assert characteristics(shown)["service"] == "circuit 9"
    port = Port(laid.store, settings)
    found = await port.ask("{ unmatchedUsage { nodes { externalId serviceRef } } }", {}, OPERATOR, soon())
    assert {"externalId": "U100", "serviceRef": "circuit 9"} in found["data"]["unmatchedUsage"]["nodes"]


@pytest.mark.sampled(5)
@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        pytest.param({"service": None}, "usageCharacteristic.service: is missing", id="of nothing"),
        pytest.param({"octets": -1}, f"usageCharacteristic.octets: is no whole number from 0 to {2**63 - 1}", id="less than nothing"),
        pytest.param({"octets": 2**63}, "no whole number from 0 to", id="more than is kept"),
        pytest.param({"octets": 2**70}, "a number of more than 64 bits", id="more than a number holds"),
        pytest.param({"octets": "1e3"}, "octets: is no whole number", id="no digits"),
        pytest.param({"octets": "9" * 5_000}, "octets: is no whole number", id="digits without an end"),
        pytest.param({"octets": 1.5}, "octets: is a number, not a whole number", id="a fraction"),
        pytest.param({"mbps": True}, "mbps: is true or false, not a whole number", id="no number"),
        pytest.param({"mbps": 2**31}, "mbps: is no whole number from 0 to 2147483647", id="more than 32 bits"),
        pytest.param({"startDateTime": "2026-01-31T12:00:00"}, "startDateTime: is no date and time with a zone", id="no zone"),
        pytest.param({"endDateTime": "2026-01-31T11:00:00Z"}, "endDateTime: is not after startDateTime", id="no interval"),
        pytest.param({"externalId": ""}, "externalId: is empty", id="no id"),
        pytest.param({"externalId": "x" * 256}, "externalId: has 256 characters", id="a long id"),
        pytest.param({"service": ["a"]}, "service: is a list, not a string", id="a list of services"),
        pytest.param({"sourceSystemId": None}, "sourceSystemId: is missing", id="one of several sources"),
    ],
)  # fmt: skip
async def test_what_cannot_be_a_record_is_refused_by_name(
    client: httpx.AsyncClient, mint: Mint, laid: Laid, changes: dict[str, Any], fault: str
) -> None:
    answer = await post(client, mint, body(**changes))
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_USER_INPUT")
    assert fault in answer.json()["message"]
    assert await laid.rows("MATCH (u:Usage {externalId: 'U100'}) RETURN u.id") == []


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("told", "fault"),
    [
        pytest.param([], "the body: is a list, not an object", id="a list"),
        pytest.param({"usageSpecification": {}}, "usageCharacteristic: is missing", id="no characteristics"),
        pytest.param({**body(), "status": "lost"}, "status: is none of received,", id="a state of its own"),
        pytest.param({**body(), "usageCharacteristic": [{"name": "octets"}]}, "[0].value: is missing", id="no value"),
        pytest.param(
            {**body(), "usageCharacteristic": body()["usageCharacteristic"] * 2}, "names externalId a second time", id="twice"
        ),
    ],
)  # fmt: skip
async def test_what_is_no_usage_is_refused(client: httpx.AsyncClient, mint: Mint, told: Any, fault: str) -> None:
    answer = await post(client, mint, told)
    assert answer.status_code == 400
    assert fault in answer.json()["message"]


async def test_only_who_speaks_for_the_source_and_operators_tell_of_it(client: httpx.AsyncClient, mint: Mint) -> None:
    assert (await post(client, mint, body(), "system:other")).status_code == 403
    assert (await post(client, mint, body(), "analyst")).status_code == 403
    customer = await client.post("/usage", json=body(), headers=mint.customer("customer-a"))
    assert customer.status_code == 403
    assert (await post(client, mint, body(), "operator")).status_code == 201


async def test_who_speaks_for_one_source_need_not_name_it(client: httpx.AsyncClient, mint: Mint) -> None:
    told = body(sourceSystemId=None)
    shown = (await post(client, mint, told, "system:other")).json()
    assert characteristics(shown)["sourceSystemId"] == "nms-2"


async def test_a_customer_reads_its_own_and_nothing_that_tells_of_others(client: httpx.AsyncClient, mint: Mint) -> None:
    own = (await post(client, mint, {**body(), "x-meter": "secret"})).json()["id"]
    others = (await post(client, mint, body(externalId="U101", service="service-b1"))).json()["id"]
    waiting = (await post(client, mint, body(externalId="U102", service="circuit 9"))).json()["id"]
    headers = mint.customer("customer-a")
    listed = await client.get("/usage", headers=headers)
    ids = {each["id"] for each in listed.json()}
    assert own in ids
    assert not ids & {others, waiting, "usage-b1", "usage-b2", "usage-n1"}
    assert "x-meter" not in listed.text
    [seen] = [each for each in listed.json() if each["id"] == own]
    assert characteristics(seen)["service"] == "service-a1"
    unknown = await client.get("/usage/usage-unknown", headers=headers)
    forbidden = await client.get(f"/usage/{others}", headers=headers)
    assert unknown.status_code == forbidden.status_code == 404
    assert unknown.content == forbidden.content


async def test_a_system_reads_what_its_sources_have_told(client: httpx.AsyncClient, mint: Mint) -> None:
    own = (await post(client, mint, body())).json()["id"]
    assert [each["id"] for each in (await client.get("/usage?externalId=U100", headers=mint.bearer(METER))).json()] == [
        own
    ]
    other = await client.get("/usage?externalId=U100", headers=mint.bearer("system:other"))
    assert other.json() == []
    assert (await client.get(f"/usage/{own}", headers=mint.bearer("system:other"))).status_code == 404


async def test_a_list_is_filtered_and_paged(client: httpx.AsyncClient, mint: Mint) -> None:
    for number in range(5):
        start, end = f"2026-02-0{number + 1}T00:00:00Z", f"2026-02-0{number + 1}T01:00:00Z"
        told = body(externalId=f"P{number}", startDateTime=start, endDateTime=end)
        await post(client, mint, {**told, "status": "rated" if number % 2 else "received"})
    headers = mint.bearer("operator")
    since = "usageDate.gte=2026-02-02T01:00:00Z"

    async def found(query: str) -> list[str]:
        answer = await client.get(f"/usage?{query}", headers=headers)
        assert answer.status_code in (200, 206), answer.text
        return [characteristics(each)["externalId"] for each in answer.json()]

    assert await found(since) == ["P1", "P2", "P3", "P4"]
    assert await found(f"{since}&status=rated") == ["P1", "P3"]
    assert await found("usageDate=2026-02-03T01:00:00Z") == ["P2"]
    assert await found(f"{since}&usageDate.lt=2026-02-04T01:00:00Z") == ["P1", "P2"]
    page = await client.get(f"/usage?{since}&offset=1&limit=2&fields=status", headers=headers)
    assert page.status_code == 206
    assert [sorted(each) for each in page.json()] == [["href", "id", "status"]] * 2
    assert (page.headers["x-total-count"], page.headers["x-result-count"]) == ("4", "2")
    assert 'rel="next"' in page.headers["link"]
    beyond = await client.get(f"/usage?{since}&offset=9", headers=headers)
    assert (beyond.json(), beyond.headers["x-total-count"]) == ([], "4")


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("query", "fault"),
    [
        ("colour=red", "colour: cannot be filtered by; what can: id,"),
        ("status=lost", "status: is none of"),
        ("usageDate.gt=now", "usageDate.gt: is no date and time"),
        ("offset=100001", "offset: is more than 100000"),
        ("limit=0", "limit: limit is a whole number"),
    ],
)
async def test_what_cannot_be_asked_is_refused(client: httpx.AsyncClient, mint: Mint, query: str, fault: str) -> None:
    answer = await client.get(f"/usage?{query}", headers=mint.bearer("operator"))
    assert answer.status_code == 400
    assert fault in answer.json()["message"]


async def test_what_is_no_json_is_refused(client: httpx.AsyncClient, mint: Mint) -> None:
    headers = {**mint.bearer(METER), "Content-Type": "application/json"}
    assert (await client.post("/usage", content=b"[" * 100_000, headers=headers)).status_code == 400
    assert (await client.post("/usage", content=b"{}", headers=mint.bearer(METER))).status_code == 415
    large = {**deepcopy(body()), "description": "x" * 300_000}
    assert (await post(client, mint, large)).status_code == 413


def test_an_id_follows_from_source_and_id() -> None:
    given: dict[str, Any] = {"service": "s", "start": 0, "end": HOUR, "octets": 0, "mbps": 0}
    one, other = Usage(source="a", external_id="bc", **given), Usage(source="ab", external_id="c", **given)
    assert one.id != other.id


class TestStates:
    """What becomes of a record that is there."""

    BILLING = "system:billing"

    @pytest.fixture
    async def usage(self, client: httpx.AsyncClient, mint: Mint, laid: Laid) -> str:
        made = await client.post("/usage", json=body(), headers=mint.bearer(METER))
        await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
        return str(made.json()["id"])

    async def state(self, laid: Laid) -> Any:
        [[state]] = await laid.rows("MATCH (u:Usage {source: 'nms-3'}) RETURN u.state")
        return state

    def event(self, usage: str, status: str | None, at: str = "2026-02-01T00:00:00Z", **more: Any) -> dict[str, Any]:
        named = [{"name": "externalId", "value": usage}]
        told = {"id": "USG-1", "status": status, "usageCharacteristic": named, **more}
        return {"eventTime": at, "event": {"usage": {name: each for name, each in told.items() if each is not None}}}

    async def heard(self, client: httpx.AsyncClient, mint: Mint, told: Any, name: str = "usageStateChangeEvent") -> int:
        answer = await client.post(f"/listener/{name}", json=told, headers=mint.bearer(self.BILLING))
        return answer.status_code

    @pytest.mark.sampled(1)
    @pytest.mark.parametrize("who", [METER, BILLING, "operator"])
    async def test_it_is_patched_by_its_source_by_billing_and_by_an_operator(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, usage: str, who: str
    ) -> None:
        rated = [{"taxExcludedRatingAmount": {"unit": "EUR", "value": 0.0125}}]
        patch = {"status": "rated", "ratedProductUsage": rated}
        answer = await client.patch(f"/usage/{usage}", json=patch, headers=mint.bearer(who))
        assert (answer.status_code, answer.json()["status"]) == (200, "rated")
        assert answer.json()["ratedProductUsage"] == rated
        assert await self.state(laid) == "rated"
        shown = (await client.get(f"/usage/{usage}", headers=mint.bearer(METER))).json()
        assert (shown["status"], shown["ratedProductUsage"]) == ("rated", rated)
        assert [*published("Usage", 635).iter_errors(shown)] == []
        whole = await client.patch(f"/usage/{usage}", json={**shown, "status": "billed"}, headers=mint.bearer(METER))
        assert (whole.status_code, whole.json()) == (200, {**shown, "status": "billed"})
        [[told]] = await laid.rows("MATCH (d:Delivery) WHERE d.state = 'READY' RETURN count(d)")
        assert told == (1 if who == self.BILLING else 2), "nothing is told that billing has told itself"

    @pytest.mark.parametrize("who", [METER, BILLING])
    async def test_a_patch_without_a_status_keeps_the_state(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, usage: str, who: str
    ) -> None:
        """Billing cannot read the record, and so does not know its state."""
        billed = self.event(usage, "billed", "2026-02-03T00:00:00Z")
        assert await self.heard(client, mint, billed) == 204
        rated = [{"taxExcludedRatingAmount": {"unit": "EUR", "value": 0.0125}}]
        answer = await client.patch(f"/usage/{usage}", json={"ratedProductUsage": rated}, headers=mint.bearer(who))
        assert (answer.status_code, answer.json()["ratedProductUsage"]) == (200, rated)
        assert answer.json().get("status") == (None if who == self.BILLING else "billed")
        assert await self.state(laid) == "billed"
        assert await self.events(laid) == [("UsageStateChanged", "billed"), ("UsageChanged", "billed")]
        for same in ({"ratedProductUsage": rated}, {"status": "billed"} if who == METER else {}):
            assert (await client.patch(f"/usage/{usage}", json=same, headers=mint.bearer(who))).status_code == 200
        assert len(await self.events(laid)) == 2, "what is as it was is no event"
        later = self.event(usage, "rejected", "2026-02-04T00:00:00Z")
        assert await self.heard(client, mint, later) == 204
        assert await self.state(laid) == "rejected", "news of a state that is later than the last one is no late news"

    async def events(self, laid: Laid) -> list[tuple[object, object]]:
        said = await laid.rows(
            "MATCH (e:Event) WHERE e.type IN ['UsageStateChanged', 'UsageChanged'] "
            "RETURN e.type, e.payload ORDER BY e.aggregateVersion"
        )
        return [(kind, orjson.loads(payload)["state"]) for kind, payload in said]

    async def test_billing_hears_of_a_new_state_and_the_customer_too(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, usage: str
    ) -> None:
        await client.patch(f"/usage/{usage}", json={"status": "rejected"}, headers=mint.bearer(METER))
        [[payload]] = await laid.rows("MATCH (d:Delivery) WHERE d.state = 'READY' RETURN d.payload")
        assert record_of(orjson.loads(payload)).state == "rejected"  # type: ignore[union-attr]  # it is of usage
        assert [each[2:] for each in await laid.events() if each[2] == "UsageStateChanged"] == [
            ("UsageStateChanged", ["customer-a"])
        ]

    @pytest.mark.sampled(2)
    @pytest.mark.parametrize(
        ("patch", "fault"),
        [
            pytest.param({"status": "lost"}, "status: is none of", id="a state that is none"),
            pytest.param({"usageType": "other"}, "usageType: cannot be changed", id="another type"),
            pytest.param({"id": "usage-x"}, "id: cannot be changed", id="another id"),
            pytest.param([], "is a list, not an object", id="no object"),
        ],
    )
    async def test_what_was_measured_stays(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, usage: str, patch: Any, fault: str
    ) -> None:
        answer = await client.patch(f"/usage/{usage}", json=patch, headers=mint.bearer(METER))
        assert answer.status_code == 400
        assert fault in answer.json()["message"]
        assert await self.state(laid) == "received"

    @pytest.mark.parametrize("who", ["system:other", "analyst"])
    async def test_nobody_else_changes_it(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, usage: str, who: str
    ) -> None:
        answer = await client.patch(f"/usage/{usage}", json={"status": "rated"}, headers=mint.bearer(who))
        assert answer.status_code in (403, 404)
        unknown = await client.patch("/usage/usage-none", json={"status": "rated"}, headers=mint.bearer(who))
        assert (unknown.status_code, unknown.json()) == (answer.status_code, answer.json())
        assert await self.state(laid) == "received"

    async def test_events_move_it_on_and_a_late_one_does_not_move_it_back(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, usage: str
    ) -> None:
        for told, state in (
            (self.event(usage, "rated"), "rated"),
            (self.event(usage, "billed", "2026-02-03T00:00:00Z"), "billed"),
            (self.event(usage, "rated", "2026-02-02T00:00:00Z"), "billed"),
            (self.event("usage-none", "received", "2026-02-04T00:00:00Z"), "billed"),
            (self.event("", None), "billed"),
            (self.event("U100", "rerated", "2026-02-05T00:00:00Z"), "billed"),
        ):
            assert await self.heard(client, mint, told) == 204
            assert await self.state(laid) == state
        named = [{"name": name, "value": value} for name, value in NAMED.items()]
        theirs = self.event("", "rerated", "2026-02-06T00:00:00Z", usageCharacteristic=named)
        assert await self.heard(client, mint, theirs, "usageAttributeValueChangeEvent") == 204
        assert await self.state(laid) == "rerated", "it is known by its source and the source's id, too"

    @pytest.mark.parametrize(
        ("first", "then"),
        [
            pytest.param("2099-01-01T00:00:00Z", None, id="of the future"),
            pytest.param(None, "1970-01-01T00:00:10Z", id="of the past, when the state before is of now"),
        ],
    )
    async def test_a_clock_that_is_wrong_hides_no_later_state(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, usage: str, first: str | None, then: str | None
    ) -> None:
        now = datetime.now(UTC).isoformat()
        assert await self.heard(client, mint, self.event(usage, "rated", first or now)) == 204
        assert await self.heard(client, mint, self.event(usage, "billed", then or datetime.now(UTC).isoformat())) == 204
        assert await self.state(laid) == "billed"
        assert await self.heard(client, mint, self.event(usage, "guided", "1970-01-01T00:00:00Z")) == 204
        assert await self.state(laid) == "billed", "such a time moves nothing back"

    @pytest.mark.sampled(4)
    @pytest.mark.parametrize("name", EVENTS)
    async def test_each_listener_of_the_standard_is_there(
        self, client: httpx.AsyncClient, mint: Mint, usage: str, name: str
    ) -> None:
        assert await self.heard(client, mint, self.event(usage, "rated"), name) == 204

    async def test_a_record_that_its_source_tells_of_in_an_event_is_taken(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid
    ) -> None:
        told = {"event": {"usage": body(externalId="U7")}}
        answer = await client.post("/listener/usageCreateEvent", json=told, headers=mint.bearer(METER))
        assert answer.status_code == 204
        assert await laid.rows("MATCH (u:Usage {source: 'nms-3'}) RETURN u.externalId") == [["U7"]]

    async def test_the_same_record_again_moves_its_state_on_and_never_back(
        self, client: httpx.AsyncClient, mint: Mint, laid: Laid, usage: str
    ) -> None:
        for status, state in (("guided", "guided"), ("received", "guided"), ("billed", "billed"), ("rated", "billed")):
            again = await client.post("/usage", json={**body(), "status": status}, headers=mint.bearer(METER))
            assert (again.status_code, again.json()["id"], again.json()["status"]) == (201, usage, state)
            assert await self.state(laid) == state
