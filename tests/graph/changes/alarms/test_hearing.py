from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest

from graph.changes.alarms.acknowledge import acknowledge_alarm, hear_acknowledged, unacknowledge_alarm
from graph.changes.alarms.alarms import AlarmPolicy
from graph.changes.alarms.comments import Comment, comment_alarm
from graph.changes.policy import Hearing
from graph.errors import Refused
from graph.model.scope import Principal, Role
from graph.store.open_alarms import differing
from graph.store.store import Store
from tests.graph.changes.network import AT, SYSTEM, Laid, lay, report, soon

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
UMBRELLA = Principal(subject="9:issuer-a:umbrella", role=Role.SYSTEM, system="umbrella", sources=("umbrella",))
POLICY = AlarmPolicy(fault_management=Hearing(name="umbrella", sources=frozenset({"umbrella"})))
TOLD = """
MATCH (d:Delivery)-[:TELLS]->(e:Event) WHERE d.system = 'umbrella'
RETURN d.id, e.id, d.subject, d.orderKey, d.version, d.payload ORDER BY d.orderKey, d.version
"""


@pytest.fixture
async def laid(empty_store: Store) -> AsyncIterator[Laid]:
    await lay(empty_store)
    yield Laid(store=empty_store)
    assert await differing(empty_store, deadline=soon()) == [], "an alarm says that it is open on something else"


async def told(laid: Laid) -> list[dict[str, Any]]:
    rows = await laid.rows(TOLD)
    for delivery, event, subject, key, _, payload in rows:
        assert delivery == f"{event}:umbrella:{subject}"
        assert subject == key == orjson.loads(payload)["alarm"]
    return [{**orjson.loads(payload), "version": version} for *_, version, payload in rows]


async def heard(laid: Laid) -> list[tuple[str, int, str]]:
    return [(each["alarm"], each["version"], each["event"]) for each in await told(laid)]


async def test_an_alarm_is_told_whole_with_what_it_does_and_to_whom(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1", record={"x": 1}), policy=POLICY)
    [delivery] = await told(laid)
    assert (delivery["event"], delivery["alarm"], delivery["isTheirs"]) == ("AlarmRaised", alarm, False)
    assert delivery["values"]["alarmedObjectRef"] == "trunk-1"
    assert (delivery["values"]["state"], delivery["values"]["raisedAt"]) == ("raised", AT)
    assert (delivery["record"], delivery["object"], delivery["affectedCount"]) == ({"x": 1}, "trunk-1", 2)
    assert [(each["id"], each["effect"], each["severity"], each["customer"]) for each in delivery["affected"]] == [
        ("service-a", "degraded", "major", "customer-a"),
        ("service-b", "down", "major", "customer-b"),
    ]


async def test_what_another_alarm_does_to_it_is_told_of_both(laid: Laid) -> None:
    first = await laid.raise_(report("trunk-1", 1), policy=POLICY)
    second = await laid.raise_(report("trunk-2", 2), policy=POLICY)
    assert await heard(laid) == sorted(
        [(first, 1, "AlarmRaised"), (first, 2, "AlarmEffectChanged"), (second, 1, "AlarmRaised")]
    )
    assert [each["effect"] for each in (await told(laid))[1]["affected"]] == ["down", "down"]


async def test_each_change_is_told_in_its_version(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    for state, change in (("a", acknowledge_alarm), ("u", unacknowledge_alarm)):
        await change(laid.store, OPERATOR, POLICY, alarm_id=alarm, idempotency_key=state, deadline=soon())
    comment = Comment(alarm=alarm, text="on my way", user="ann")
    await comment_alarm(laid.store, OPERATOR, POLICY, comment, idempotency_key="c", deadline=soon())
    await laid.clear(alarm, policy=POLICY)
    await laid.raise_(report("trunk-1", raised_at=AT + 5), policy=POLICY)
    kinds = ["Raised", "Acknowledged", "Unacknowledged", "Commented", "Cleared", "Reopened"]
    assert await heard(laid) == [(alarm, n, f"Alarm{kind}") for n, kind in enumerate(kinds, start=1)]
    assert [each["values"]["ackState"] for each in await told(laid)][:3] == [
        "unacknowledged",
        "acknowledged",
        "unacknowledged",
    ]
    assert (await told(laid))[3]["record"]["comment"][0]["comment"] == "on my way"


async def test_only_events_of_the_policy_are_told(laid: Laid) -> None:
    policy = AlarmPolicy(fault_management=Hearing(name="umbrella", events=frozenset({"AlarmCleared"})))
    alarm = await laid.raise_(report("trunk-1"), policy=policy)
    await laid.clear(alarm, policy=policy)
    assert await heard(laid) == [(alarm, 2, "AlarmCleared")]


async def test_an_event_that_there_is_not_is_no_policy() -> None:
    with pytest.raises(ValueError, match="AlarmForgotten"):
        Hearing(name="umbrella", events=frozenset({"AlarmForgotten"}))


async def test_of_its_own_alarm_a_system_is_told_only_what_we_add(laid: Laid) -> None:
    own = report("trunk-1", source_system_id="umbrella", record={"id": "17"})
    alarm = await laid.raise_(own, UMBRELLA, POLICY)
    [effect] = await told(laid)
    assert (effect["isTheirs"], effect["affectedCount"]) == (True, 2)
    await laid.raise_(replace(own, specific_problem="news", record={"id": "17", "n": 2}), UMBRELLA, POLICY)
    assert len(await told(laid)) == 1, "its own news"
    await acknowledge_alarm(laid.store, OPERATOR, POLICY, alarm_id=alarm, idempotency_key="a", deadline=soon())
    comment = Comment(alarm=alarm, text="ours")
    await comment_alarm(laid.store, OPERATOR, POLICY, comment, idempotency_key="c", deadline=soon())
    assert [kind for _, _, kind in await heard(laid)] == ["AlarmRaised", "AlarmAcknowledged"]
    await laid.raise_(report("trunk-2", 2), policy=POLICY)
    assert ("AlarmEffectChanged", True) in [(each["event"], each["isTheirs"]) for each in await told(laid)]


async def test_an_own_alarm_that_harms_nobody_is_no_news(laid: Laid) -> None:
    own = report("card-1", source_system_id="umbrella", perceived_severity="minor")
    await laid.raise_(own, UMBRELLA, POLICY)
    assert await told(laid) == []


async def test_what_its_people_did_is_done_here_and_not_told_back(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    for _ in range(2):
        await hear_acknowledged(laid.store, POLICY, [alarm, alarm, "alarm-none"], deadline=soon())
    assert (await laid.alarm(alarm))["ack"] == "acknowledged"
    assert [kind for *_, kind, _ in await laid.events("Alarm")] == ["AlarmRaised", "AlarmAcknowledged"]
    assert len(await told(laid)) == 1
    await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
    await hear_acknowledged(laid.store, POLICY, [alarm], state="unacknowledged", deadline=soon())
    assert (await laid.alarm(alarm))["ack"] == "unacknowledged"


async def test_what_they_say_is_older_than_what_they_are_just_being_told(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    for key, change in (("a", acknowledge_alarm), ("u", unacknowledge_alarm)):
        await change(laid.store, OPERATOR, POLICY, alarm_id=alarm, idempotency_key=key, deadline=soon())
    for state, at in (("READY", 0), ("DONE", 4_000_000_000_000)):
        await laid.run("MATCH (d:Delivery) SET d.state = $state, d.nextAt = $at", state=state, at=at)
        await hear_acknowledged(laid.store, POLICY, [alarm], deadline=soon())
        assert (await laid.alarm(alarm))["ack"] == "unacknowledged"
    await laid.run("MATCH (d:Delivery) SET d.nextAt = 0")
    await hear_acknowledged(laid.store, POLICY, [alarm], deadline=soon())
    assert (await laid.alarm(alarm))["ack"] == "acknowledged"
    await laid.run("MATCH (d:Delivery {version: 1}) SET d.state = 'READY'")
    await hear_acknowledged(laid.store, POLICY, [alarm], state="unacknowledged", deadline=soon())
    assert (await laid.alarm(alarm))["ack"] == "acknowledged"


async def test_without_a_fault_management_system_nothing_is_told(laid: Laid) -> None:
    await laid.raise_(report("trunk-1"), policy=AlarmPolicy())
    assert await told(laid) == []


async def test_comments_outlive_a_report_and_make_it_no_news(laid: Laid) -> None:
    first = report("trunk-1", record={"n": 1, "comment": [{"comment": "theirs"}]})
    alarm = await laid.raise_(first)
    comment = Comment(alarm=alarm, text="ours", user="ann", system="noc", time="2026-01-01T12:00:00Z")
    for _ in range(2):
        await comment_alarm(laid.store, OPERATOR, POLICY, comment, idempotency_key="c", deadline=soon())
    said = [
        {"comment": "theirs"},
        {"comment": "ours", "userId": "ann", "systemId": "noc", "time": "2026-01-01T12:00:00Z"},
    ]
    assert await comments(laid) == said
    await laid.raise_(first)
    assert (await laid.alarm(alarm))["version"] == 2, "a repeat"
    await laid.raise_(replace(first, record={"n": 2, "comment": [{"comment": "theirs"}]}, changed_at=AT + 1))
    assert (await laid.alarm(alarm))["version"] == 3
    assert await comments(laid) == said


async def comments(laid: Laid) -> list[Any]:
    [[record]] = await laid.rows("MATCH (a:Alarm) RETURN a.record")
    found: list[Any] = orjson.loads(record)["comment"]
    return found


async def test_a_comment_on_an_alarm_of_others_finds_none(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    comment = Comment(alarm=alarm, text="mine?")
    outcome = await comment_alarm(laid.store, UMBRELLA, POLICY, comment, idempotency_key="c", deadline=soon())
    assert [each.code for each in outcome.user_errors] == ["ALARM_NOT_FOUND"]


async def test_there_is_an_end_to_comments(laid: Laid) -> None:
    many = [{"comment": str(each)} for each in range(1_000)]
    alarm = await laid.raise_(report("trunk-1", record={"comment": many}))
    comment = Comment(alarm=alarm, text="one more")
    with pytest.raises(Refused, match="no room"):
        await comment_alarm(laid.store, SYSTEM, POLICY, comment, idempotency_key="c", deadline=soon())


async def test_a_report_that_does_not_say_when_it_was_raised_keeps_what_is_known(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1", is_dated=False, record={"n": 1}))
    later = report("trunk-1", raised_at=AT + 60_000, is_dated=False, record={"n": 2})
    await laid.raise_(later)
    await laid.raise_(report("trunk-1", raised_at=AT + 30_000, is_dated=False, record={"n": 3}))
    await laid.raise_(replace(later, raised_at=AT + 90_000, cleared=True, cleared_at=AT + 90_000, record={"n": 4}))
    [[raised, cleared, version, record]] = await laid.rows(
        "MATCH (a:Alarm {id: $id}) RETURN a.raisedAt, a.clearedAt, a._version, a.record", id=alarm
    )
    assert (raised, cleared) == (AT, AT + 90_000)
    assert (version, record) == (3, '{"n":4}'), "the one in between was long under way"
