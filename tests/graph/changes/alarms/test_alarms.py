from __future__ import annotations

import asyncio
import time
from typing import cast

import orjson
import pytest

from graph.changes.outcome import Outcome, UserError
from graph.errors import Refused
from graph.model.scope import Principal, Role
from graph.store.store import Transaction
from tests.graph.changes.conftest import OPERATOR, RAISED_AT, Scene

ALARM = "MATCH (a:Alarm {id: $id}) RETURN a.ackState, a.changedAt, a.state, a._version"
ACKNOWLEDGED_ELSEWHERE = """
MATCH (a:Alarm {id: 'alarm-0'}) SET a._lock = true REMOVE a._lock WITH a WHERE a.ackState = 'unacknowledged'
SET a.ackState = 'acknowledged', a._version = coalesce(a._version, 0) + 1 RETURN a._version
"""
CHANGED_ELSEWHERE = """
MATCH (a:Alarm {id: 'alarm-0'}) SET a._version = coalesce(a._version, 0) + 1 RETURN a._version
"""
DATED = "MATCH (e:Event {aggregateId: 'alarm-0'}) RETURN e.aggregateVersion, e.at"
EVENT = """
MATCH (e:Event) RETURN e.id, e.type, e.aggregateId, e.aggregateVersion, e.at, e.principal, e.payload, e.position,
COLLECT { MATCH (e)-[:CONCERNS_CUSTOMER]->(c:Customer) RETURN c.id ORDER BY c.id }
"""
NOT_FOUND = Outcome(
    ids={}, user_errors=(UserError(message="There is no such alarm", code="ALARM_NOT_FOUND", path=("alarmId",)),)
)


def system(name: str) -> Principal:
    return Principal(subject="9:issuer-a:probe", role=Role.SYSTEM, system=name, sources=(name,))


async def test_an_alarm_is_acknowledged_by_the_clock_of_the_database(scene: Scene) -> None:
    before = await scene.now()
    assert await scene.acknowledge("k") == Outcome(ids={"alarm": "alarm-0"})
    after = await scene.now()
    [[ack, changed_at, state, version]] = await scene.rows(ALARM, id="alarm-0")
    assert (ack, state, version) == ("acknowledged", "raised", 1)
    assert isinstance(changed_at, int)
    assert before <= changed_at <= after
    assert await scene.rows(ALARM, id="alarm-1") == [["unacknowledged", RAISED_AT, "raised", None]]


async def test_the_event_names_the_principal_and_concerns_each_affected_customer_once(scene: Scene) -> None:
    await scene.acknowledge("k")
    [[_, changed_at, _, _]] = await scene.rows(ALARM, id="alarm-0")
    [[event_id, kind, aggregate, version, at, principal, payload, position, customers]] = await scene.rows(EVENT)
    assert str(event_id).startswith("event-")
    assert str(event_id)[20] == "7", "uuid7, which sorts by time"
    assert (kind, aggregate, version, at) == ("AlarmAcknowledged", "alarm-0", 1, changed_at)
    assert principal == OPERATOR.subject
    assert orjson.loads(str(payload)) == {"alarm": "alarm-0", "ackState": "acknowledged"}
    assert position is None
    assert customers == ["customer-a", "customer-b"]


async def test_an_event_can_concern_nobody(scene: Scene) -> None:
    await scene.run("MATCH (:Alarm {id: 'alarm-0'})-[r:AFFECTS]->() DELETE r", {})
    await scene.acknowledge("k")
    [event] = await scene.rows(EVENT)
    assert event[-1] == []


async def test_a_second_acknowledgement_writes_and_announces_nothing(scene: Scene) -> None:
    await scene.acknowledge("k1")
    first = await scene.rows(ALARM, id="alarm-0")
    assert await scene.acknowledge("k2") == Outcome(ids={"alarm": "alarm-0"})
    assert await scene.rows(ALARM, id="alarm-0") == first
    assert await scene.events() == [["alarm-0", 1]]


async def test_a_cleared_alarm_can_be_acknowledged(scene: Scene) -> None:
    await scene.run("MATCH (a:Alarm {id: 'alarm-0'}) SET a.state = 'cleared'", {})
    await scene.acknowledge("k")
    [[ack, _, state, _]] = await scene.rows(ALARM, id="alarm-0")
    assert (ack, state) == ("acknowledged", "cleared")


async def test_an_unknown_alarm_is_a_user_error_and_leaves_nothing_but_its_record(scene: Scene) -> None:
    assert await scene.acknowledge("k", alarm="alarm-none") == NOT_FOUND
    assert await scene.events() == []
    assert await scene.rows("MATCH (a:Alarm) RETURN count(a)") == [[8]]


async def test_the_version_goes_on_counting_from_what_is_there(scene: Scene) -> None:
    await scene.run("MATCH (a:Alarm {id: 'alarm-0'}) SET a._version = 4", {})
    await scene.acknowledge("k")
    assert await scene.events() == [["alarm-0", 5]]


async def test_no_lock_is_left_behind(scene: Scene) -> None:
    await scene.acknowledge("k")
    assert await scene.rows("MATCH (a:Alarm {id: 'alarm-0'}) WHERE a._lock IS NOT NULL RETURN a.id") == []
    assert await scene.rows("MATCH (i:Idempotency) WHERE i._lock IS NOT NULL RETURN i.key") == []


async def beside(scene: Scene, text: str) -> list[tuple[int, int]]:
    """Acknowledge while another transaction holds the lock for a while; give the versions it made, and when it ended."""
    await scene.acknowledge("first", alarm="alarm-1")  # statements that are planned already do arrive in that while
    locked = asyncio.Event()

    async def slow(transaction: Transaction) -> list[tuple[int, int]]:
        rows = await transaction.run(text, {})
        locked.set()
        await asyncio.sleep(0.5)
        [[now]] = await transaction.run("RETURN datetime.realtime().epochMillis", {})
        return [cast("tuple[int, int]", (version, now)) for [version] in rows]

    async def acknowledging() -> None:
        await locked.wait()
        await scene.acknowledge("k")

    made, _ = await asyncio.gather(scene.store.write(slow, deadline=time.monotonic() + 60), acknowledging())
    return made


async def test_what_was_true_before_the_lock_is_not_relied_on(scene: Scene) -> None:
    # Neo4j lets us wait for the lock; the embedded database lets us pass, and then the other one sees that we did.
    elsewhere = await beside(scene, ACKNOWLEDGED_ELSEWHERE)
    [[_, _, _, version]] = await scene.rows(ALARM, id="alarm-0")
    assert version == 1
    assert len(elsewhere) + len(await scene.rows(DATED)) == 1


async def test_a_later_version_is_never_dated_before_an_earlier_one(scene: Scene) -> None:
    elsewhere = await beside(scene, CHANGED_ELSEWHERE)
    ours = [cast("tuple[int, int]", tuple(each)) for each in await scene.rows(DATED)]
    (first, earlier), (second, later) = sorted(elsewhere + ours)
    assert (first, second) == (1, 2)
    assert earlier <= later


async def test_of_many_who_acknowledge_one_alarm_one_does(scene: Scene) -> None:
    outcomes = await asyncio.gather(*(scene.acknowledge(f"k{number}") for number in range(32)))
    assert outcomes == [Outcome(ids={"alarm": "alarm-0"})] * 32
    assert await scene.events() == [["alarm-0", 1]]


async def test_alarms_of_the_same_customers_are_acknowledged_side_by_side(scene: Scene) -> None:
    alarms = [f"alarm-{number}" for number in range(8)]
    await asyncio.gather(*(scene.acknowledge(alarm, alarm) for alarm in alarms))
    assert await scene.events() == [[alarm, 1] for alarm in alarms]
    told = await scene.rows(
        "MATCH (c:Customer) RETURN c.id, COUNT { (:Event)-[:CONCERNS_CUSTOMER]->(c) } ORDER BY c.id"
    )
    assert told == [["customer-a", 8], ["customer-b", 8], ["customer-c", 0]]


async def test_a_system_acknowledges_alarms_of_its_own(scene: Scene) -> None:
    assert await scene.acknowledge("k", principal=system("fault-management")) == Outcome(ids={"alarm": "alarm-0"})
    assert await scene.events() == [["alarm-0", 1]]


async def test_to_a_system_an_alarm_of_another_source_is_one_that_does_not_exist(scene: Scene) -> None:
    assert await scene.acknowledge("k1", principal=system("billing")) == NOT_FOUND
    assert await scene.acknowledge("k2", alarm="alarm-none", principal=system("billing")) == NOT_FOUND
    assert await scene.events() == []


@pytest.mark.parametrize(
    "principal",
    [
        pytest.param(Principal(subject="s", role=Role.ANALYST), id="an analyst reads everything and changes nothing"),
        pytest.param(Principal(subject="s", role=Role.CUSTOMER, customers=("customer-a",)), id="a customer"),
        pytest.param(Principal(subject="s", role=Role.ROUTER), id="a router that acts for nobody"),
        pytest.param(Principal(subject="s", role=Role.ROUTER, acts_for=Role.CUSTOMER), id="a router for a customer"),
        pytest.param(Principal(subject="s", role=Role.SYSTEM), id="a system without a name"),
    ],
)
async def test_nobody_else_may(scene: Scene, principal: Principal) -> None:
    with pytest.raises(Refused) as refused:
        await scene.acknowledge("k", principal=principal)
    assert refused.value.code == "FORBIDDEN"
    assert await scene.rows("MATCH (i:Idempotency) RETURN i.key") == []


async def test_a_router_may_for_an_operator(scene: Scene) -> None:
    router = Principal(subject="s", role=Role.ROUTER, acts_for=Role.OPERATOR)
    assert await scene.acknowledge("k", principal=router) == Outcome(ids={"alarm": "alarm-0"})
