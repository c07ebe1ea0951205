from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

import orjson
import pytest

from graph.changes.policy import AlarmPolicy
from graph.changes.usage.usage import MOST_TOGETHER, Taken, join_usage, record_usage
from graph.errors import Refused
from graph.ledger.retention import sweep
from graph.model.identity import external_key
from graph.model.scope import Principal, Role
from graph.model.usage import Usage
from graph.store.store import Store
from tests.graph.changes.network import AT, SOURCE, SYSTEM, Laid, lay, soon

BILLED = AlarmPolicy(billing="billing")
HOUR = 3_600_000
OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


def usage(number: int = 1, service: str = "service-a", **more: Any) -> Usage:
    start = AT + number * HOUR
    given: dict[str, Any] = {"source": SOURCE, "external_id": f"U{number}", "service": service}
    given |= {"start": start, "end": start + HOUR, "octets": 2**40 + number, "mbps": 100}
    return Usage(**{**given, **more})


async def take(laid: Laid, *records: Usage, principal: Principal = SYSTEM, policy: AlarmPolicy = BILLED) -> list[Taken]:
    return list(await record_usage(laid.store, principal, policy, records, deadline=soon()))


async def name_it(laid: Laid, name: str, service: str, source: str = SOURCE) -> None:
    text = (
        "MATCH (s:Service {id: $service}) "
        "CREATE (:ExternalName {id: 'externalname-' + $name, key: $key, system: $source, name: $name})-[:NAMES]->(s)"
    )
    await laid.run(text, service=service, name=name, source=source, key=external_key(source, name))


async def kept(laid: Laid) -> list[list[Any]]:
    text = (
        "MATCH (u:Usage) RETURN u.externalId, u.octets, u.state, "
        "HEAD(COLLECT { MATCH (u)-[:USED_BY]->(s:Service) RETURN s.id }), u.awaits IS NULL ORDER BY u.externalId"
    )
    return await laid.rows(text)


async def told(laid: Laid) -> list[tuple[str, int, str, dict[str, Any]]]:
    text = (
        "MATCH (d:Delivery)-[:TELLS]->(e:Event) WHERE d.system = 'billing' "
        "RETURN d.orderKey, d.version, d.subject, d.payload ORDER BY d.orderKey, d.version"
    )
    rows = await laid.rows(text)
    return [(key, version, subject, orjson.loads(payload)) for key, version, subject, payload in rows]


async def test_a_record_is_of_a_service_and_billing_is_to_be_told_of_it(laid: Laid) -> None:
    await laid.run("MATCH (c:Customer {id: 'customer-a'}) SET c.accountRef = 'acc-a'")
    [taken] = await take(laid, usage())
    assert taken == Taken(usage=usage(), service="service-a")
    assert await kept(laid) == [["U1", 2**40 + 1, "received", "service-a", True]]
    [(key, version, subject, said)] = await told(laid)
    assert (key, version, subject) == ("service-a", 1, "service-a")
    assert said == {
        "telling": "usage",
        "id": usage().id,
        "source": SOURCE,
        "externalId": "U1",
        "service": {"id": "service-a", "name": "service-a"},
        "customer": {"id": "customer-a", "name": "a", "account": "acc-a"},
        "from": AT + HOUR,
        "to": AT + 2 * HOUR,
        "octets": 2**40 + 1,
        "mbps": 100,
        "kind": "bandwidth",
        "state": "received",
    }
    assert await laid.events() == [("service-a", 1, "UsageRecorded", ["customer-a"])]


async def test_billing_is_told_of_a_record_once_it_is_complete(laid: Laid) -> None:
    poor = usage(start=None, end=None, octets=None, at=AT)
    [taken] = await take(laid, poor)
    assert (taken.usage, taken.service) == (poor, "service-a")
    assert await laid.rows("MATCH (u:Usage) RETURN u.from, u.to, u.octets, u.mbps") == [[AT, AT, None, 100]]
    assert await told(laid) == []
    await take(laid, replace(usage(octets=None), state="rated"))
    assert await told(laid) == []
    [taken] = await take(laid, usage(mbps=None))
    assert taken.usage == usage(state="rated")
    [(_, version, _, said)] = await told(laid)
    assert (version, said["octets"], said["from"], said["state"]) == (3, 2**40 + 1, AT + HOUR, "rated")
    assert "changed" not in said
    for again in (usage(), poor):
        await take(laid, again)
    assert len(await told(laid)) == 1
    with pytest.raises(Refused, match="octets"):
        await take(laid, usage(octets=1))


async def test_what_completes_a_record_keeps_the_characteristics_that_it_does_not_name(laid: Laid) -> None:
    def saying(**values: Any) -> dict[str, Any]:
        named = [{"name": name, "value": value} for name, value in values.items()]
        return {"usageCharacteristic": named, "usageType": "bandwidth"}

    await take(laid, usage(octets=None, record={**saying(cell="K7", grade="poor"), "x-meter": 3}))
    await take(laid, usage(record=saying(grade="good", octets="7", unit="MB")))
    [[text]] = await laid.rows("MATCH (u:Usage) RETURN u.record")
    assert orjson.loads(text) == {**saying(cell="K7", grade="good", octets="7", unit="MB"), "x-meter": 3}


async def test_what_is_not_complete_is_told_when_it_is_even_where_its_service_came_later(laid: Laid) -> None:
    await take(laid, usage(service="NEW", octets=None))
    await name_it(laid, "NEW", "service-a")
    assert await join_usage(laid.store, BILLED, deadline=soon) == 1
    assert await told(laid) == []
    await take(laid, usage(service="NEW"))
    assert [said["octets"] for _, _, _, said in await told(laid)] == [2**40 + 1]


async def test_a_meter_of_1970_is_not_swept_and_billed_again(laid: Laid) -> None:
    early = usage(start=0, end=HOUR)
    now = int(time.time() * 1_000)
    for _ in range(2):
        await take(laid, early)
        await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
        work = partial(sweep, kind="usage", before=now - 24 * HOUR, most=10)
        assert await laid.store.write(work, deadline=soon()) == 0
    assert len(await told(laid)) == 1


async def test_the_name_of_the_source_is_as_good_as_our_id(laid: Laid) -> None:
    await name_it(laid, "circuit 7", "service-b")
    [taken] = await take(laid, usage(service="circuit 7"))
    assert taken.service == "service-b"


async def test_a_name_is_that_of_its_source_only(laid: Laid) -> None:
    await name_it(laid, "circuit 7", "service-b", source="another")
    [taken] = await take(laid, usage(service="circuit 7"))
    assert taken.service is None


async def test_the_same_again_is_one_record_told_once(laid: Laid) -> None:
    first = await take(laid, usage())
    assert await take(laid, usage()) == first
    assert len(await kept(laid)) == len(await told(laid)) == 1


async def test_many_who_tell_the_same_at_once_have_told_it_once(laid: Laid) -> None:
    records = [usage(number) for number in range(5)]
    await asyncio.gather(*(take(laid, *records[shift:], *records[:shift]) for shift in range(5)))
    assert len(await kept(laid)) == 5
    assert [(key, version) for key, version, _, _ in await told(laid)] == [("service-a", n) for n in range(1, 6)]


async def test_a_record_that_says_something_else_than_before_is_refused_and_nothing_is_taken(laid: Laid) -> None:
    await take(laid, usage(1))
    with pytest.raises(Refused, match=r"U1.*: octets, service") as caught:
        await take(laid, usage(2), replace(usage(1), octets=7, service="service-b"))
    assert caught.value.code == "CONFLICT"
    assert await kept(laid) == [["U1", 2**40 + 1, "received", "service-a", True]]
    assert len(await laid.events()) == 1


async def test_two_of_one_id_in_one_telling_are_refused(laid: Laid) -> None:
    with pytest.raises(Refused, match="Two records have the id 'U1'"):
        await take(laid, usage(1), replace(usage(1), octets=7))
    assert await kept(laid) == []


@pytest.mark.parametrize("count", [0, MOST_TOGETHER + 1])
async def test_none_and_too_many_are_refused(laid: Laid, count: int) -> None:
    with pytest.raises(Refused, match="One to 500 records"):
        await take(laid, *(usage(number) for number in range(count)))


async def test_what_matches_nothing_waits_for_its_name_and_joins_then(laid: Laid) -> None:
    await take(laid, usage(1, "circuit 9"), usage(2, "circuit 9"), usage(3, "circuit 10"))
    assert [row[3:] for row in await kept(laid)] == [[None, False]] * 3
    assert await told(laid) == []
    assert {kind for _, _, kind, _ in await laid.events()} == {"UsageUnmatched"}
    assert await join_usage(laid.store, BILLED, deadline=soon) == 0
    await name_it(laid, "circuit 9", "service-c")
    assert await join_usage(laid.store, BILLED, deadline=soon) == 2
    assert await join_usage(laid.store, BILLED, deadline=soon) == 0
    assert [row[3:] for row in await kept(laid)] == [["service-c", True], ["service-c", True], [None, False]]
    assert [(key, version, said["externalId"]) for key, version, _, said in await told(laid)] == [
        ("service-c", 1, "U1"),
        ("service-c", 2, "U2"),
    ]


async def test_a_service_that_comes_later_than_its_usage_has_it_then(laid: Laid) -> None:
    await take(laid, usage(1, "service-new"))
    await laid.run("CREATE (:Service {id: 'service-new', name: 'new'})")
    assert await join_usage(laid.store, BILLED, deadline=soon) == 1
    [(_, _, _, said)] = await told(laid)
    assert said["customer"] is None


async def test_what_waits_is_found_however_much_else_waits(laid: Laid, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.changes.usage.usage._JOINED_AT_ONCE", 2)
    await take(laid, *(usage(number, f"circuit {number % 3}") for number in range(9)))
    for number in range(3):
        await name_it(laid, f"circuit {number}", "service-a")
    joined = await asyncio.gather(*(join_usage(laid.store, BILLED, deadline=soon) for _ in range(3)))
    assert sum(joined) == 9
    assert [version for _, version, _, _ in await told(laid)] == list(range(1, 10))


async def test_what_was_joined_and_is_told_again_stays_where_it_is(laid: Laid) -> None:
    await take(laid, usage(1, "circuit 9"))
    await name_it(laid, "circuit 9", "service-c")
    await join_usage(laid.store, BILLED, deadline=soon)
    [taken] = await take(laid, usage(1, "circuit 9"))
    assert taken.service == "service-c"
    assert len(await told(laid)) == 1


async def test_billing_is_not_told_what_it_has_told_itself(laid: Laid) -> None:
    billing = Principal(subject="9:issuer-a:b", role=Role.SYSTEM, system="billing", sources=("billing", "cdr"))
    await take(laid, usage(1, source="cdr"), principal=billing)
    await take(laid, usage(2, "circuit 9", source="cdr"), principal=billing)
    await take(laid, usage(3, source="billing"), principal=OPERATOR)
    await name_it(laid, "circuit 9", "service-c", source="cdr")
    assert await join_usage(laid.store, BILLED, deadline=soon) == 1
    assert await told(laid) == []


async def test_without_billing_the_record_is_kept_and_nobody_told(laid: Laid) -> None:
    await take(laid, usage(), policy=AlarmPolicy())
    assert len(await kept(laid)) == 1
    assert await told(laid) == []


async def test_only_whoever_speaks_for_a_source_tells_of_its_usage(laid: Laid) -> None:
    other = Principal(subject="9:issuer-a:x", role=Role.SYSTEM, system="x", sources=("x",))
    customer = Principal(subject="9:issuer-a:c", role=Role.CUSTOMER, customers=("customer-a",))
    for principal in (other, customer):
        with pytest.raises(Refused) as caught:
            await take(laid, usage(), principal=principal)
        assert caught.value.code == "FORBIDDEN"
    assert await kept(laid) == []
