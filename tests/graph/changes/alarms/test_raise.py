from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from graph.changes.alarms.alarms import AlarmPolicy, Amend, raise_alarm
from graph.changes.alarms.occurrence import Known
from graph.errors import Refused
from graph.model.scope import Principal, Role
from graph.store.open_alarms import differing
from graph.store.store import Store
from tests.graph.changes.network import AT, NAME, POLICY, SYSTEM, Laid, lay, report, soon

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
WELL: tuple[None, list[list[str]]] = (None, [])


@pytest.fixture
async def laid(empty_store: Store) -> AsyncIterator[Laid]:
    await lay(empty_store)
    yield Laid(store=empty_store)
    assert await differing(empty_store, deadline=soon()) == [], "an alarm says that it is open on something else"


async def test_a_failed_trunk_degrades_who_is_protected_and_takes_down_who_is_not(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    assert await laid.effects() == {
        "service-a": ("degraded", [["degraded", "major"]]),
        "service-b": ("down", [["down", "major"]]),
        "service-c": WELL,
    }
    assert await laid.events("Alarm") == [(alarm, 1, "AlarmRaised", ["customer-a", "customer-b"])]
    assert await laid.tickets() == {
        f"{alarm}:customer-a": ("acknowledged", "major", ["service-a"]),
        f"{alarm}:customer-b": ("acknowledged", "major", ["service-b"]),
    }
    assert await laid.told() == [
        (f"{alarm}:customer-a", 1, "open", "major"),
        (f"{alarm}:customer-b", 1, "open", "major"),
    ]


@pytest.mark.parametrize(
    ("target", "effects"),
    [
        pytest.param("card-1", {"service-a": "down", "service-b": "down"}, id="a card takes its ports and their trunk"),
        pytest.param(
            "port-t2", {"service-a": "atRisk", "service-c": "down"}, id="a port takes the trunk that ends there"
        ),
        pytest.param("port-b", {"service-b": "down"}, id="a port takes who is accessed there"),
        pytest.param(
            "networkelement-2",
            {"service-a": "down", "service-b": "down", "service-c": "down"},
            id="an element takes all its cards",
        ),
        pytest.param("card-4", {"service-a": "atRisk", "service-c": "down"}, id="the far end of a trunk counts too"),
    ],
)
async def test_what_fails_with_an_object(laid: Laid, target: str, effects: dict[str, str]) -> None:
    await laid.raise_(report(target))
    assert {service: effect for service, (effect, _) in (await laid.effects()).items() if effect} == effects


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"perceived_severity": "minor"}, id="too mild"),
        pytest.param({"alarm_type": "qualityOfServiceAlarm"}, id="of another type"),
        pytest.param({"cleared": True}, id="over already"),
    ],
)
async def test_an_alarm_that_asserts_no_failure_is_kept_without_effect(laid: Laid, more: dict[str, Any]) -> None:
    alarm = await laid.raise_(report("card-1", **more))
    assert (await laid.alarm(alarm))["object"] == "card-1"
    assert set(map(str, (await laid.effects()).values())) == {str(WELL)}
    assert await laid.tickets() == {}
    assert await laid.events() == [(alarm, 1, "AlarmRaised", [])]


async def test_two_alarms_together_do_what_neither_does_alone_and_both_say_so(laid: Laid) -> None:
    first = await laid.raise_(report("trunk-1", 1))
    second = await laid.raise_(report("trunk-2", 2))
    assert (await laid.effects())["service-a"] == ("down", [["down", "critical"], ["down", "critical"]])
    assert (first, 2, "AlarmEffectChanged", ["customer-a"]) in await laid.events()
    assert (second, 1, "AlarmRaised", ["customer-a", "customer-b"]) in await laid.events()
    assert (f"{first}:customer-a", 2, "amend", "critical") in await laid.told()
    assert (f"{second}:customer-a", 1, "open", "critical") in await laid.told()
    assert not [each for each in await laid.told() if each[0] == f"{first}:customer-b" and each[1] > 1]

    await laid.raise_(report("trunk-1", 1, cleared=True))
    assert (await laid.effects())["service-a"] == ("atRisk", [["atRisk", "minor"]])
    assert (await laid.effects())["service-b"] == WELL
    assert (f"{first}:customer-a", 3, "resolve", "critical") in await laid.told()
    assert (f"{first}:customer-b", 3, "resolve", "major") in await laid.told()
    assert (f"{second}:customer-a", 2, "amend", "minor") in await laid.told()
    assert (await laid.tickets())[f"{second}:customer-a"] == ("acknowledged", "minor", ["service-a"])
    assert (await laid.tickets())[f"{first}:customer-a"] == ("resolved", "critical", ["service-a"])


async def test_a_ticket_is_of_the_worst_of_a_customers_services_and_of_all_that_are_affected(laid: Laid) -> None:
    alarm = await laid.raise_(report("card-2"))
    assert (await laid.tickets())[f"{alarm}:customer-b"] == ("acknowledged", "major", ["service-b", "service-c"])


async def test_no_ticket_is_opened_below_the_severity_of_the_policy(laid: Laid) -> None:
    await laid.raise_(report("trunk-1"), policy=AlarmPolicy(ticketing="desk", ticket_from="critical"))
    assert await laid.tickets() == {}
    assert await laid.told() == []


async def test_without_a_ticketing_system_nothing_is_told(laid: Laid) -> None:
    await laid.raise_(report("trunk-1"), policy=AlarmPolicy())
    assert await laid.tickets() == {}
    assert await laid.told() == []


async def test_an_open_ticket_stays_through_a_severity_that_would_not_open_one(laid: Laid) -> None:
    policy = AlarmPolicy(ticketing="desk", ticket_from="major")
    first = await laid.raise_(report("trunk-1", 1), policy=policy)
    second = await laid.raise_(report("trunk-2", 2), policy=policy)
    await laid.raise_(report("trunk-1", 1, cleared=True), policy=policy)
    assert (await laid.tickets())[f"{second}:customer-a"] == ("acknowledged", "minor", ["service-a"])
    assert (await laid.tickets())[f"{first}:customer-a"][0] == "resolved"


async def test_a_repeat_changes_nothing(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    before = (await laid.events(), await laid.told())
    assert await laid.raise_(report("trunk-1")) == alarm
    assert (await laid.events(), await laid.told()) == before


async def test_an_update_that_makes_an_alarm_mild_ends_its_effect(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    await laid.raise_(report("trunk-1", perceived_severity="warning", changed_at=AT + 1))
    assert (await laid.effects())["service-b"] == WELL
    assert await laid.events("Alarm") == [
        (alarm, 1, "AlarmRaised", ["customer-a", "customer-b"]),
        (alarm, 2, "AlarmUpdated", ["customer-a", "customer-b"]),
    ]
    assert [each[2] for each in await laid.told()] == ["open", "resolve", "open", "resolve"]
    assert (await laid.alarm(alarm))["state"] == "updated"


async def test_a_report_without_an_external_id_is_the_same_by_what_it_is_about(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1", None))
    changed = report("trunk-1", None, perceived_severity="major", changed_at=AT + 1)
    assert await laid.raise_(changed) == alarm
    assert await laid.raise_(report("trunk-1", None, probable_cause="fire")) != alarm
    assert await laid.raise_(report("trunk-1", 1)) != alarm


async def test_an_alarm_that_returns_soon_is_the_same_and_so_is_its_ticket(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    await laid.raise_(report("trunk-1", cleared=True))
    assert await laid.raise_(report("trunk-1", raised_at=AT + 1)) == alarm
    assert (await laid.alarm(alarm))["state"] == "raised"
    assert (await laid.alarm(alarm))["cleared"] is None
    assert [each[2] for each in await laid.told()] == ["open", "resolve", "reopen"] * 2
    assert (await laid.tickets())[f"{alarm}:customer-a"] == ("inProgress", "major", ["service-a"])


async def test_an_alarm_that_returns_late_is_a_new_one(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    await laid.raise_(report("trunk-1", cleared=True))
    await laid.run("MATCH (a:Alarm {id: $id}) SET a._endedAt = a._endedAt - $ms", id=alarm, ms=POLICY.reopen_ms + 1)
    assert await laid.raise_(report("trunk-1", raised_at=AT + 1)) != alarm


async def test_whether_it_returns_soon_is_told_by_our_clock_alone(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    await laid.raise_(report("trunk-1", cleared=True, cleared_at=AT + 10))  # years ago by our clock
    assert await laid.raise_(report("trunk-1", raised_at=AT + 20)) == alarm


@pytest.mark.parametrize("cleared_at", [None, AT + 10], ids=["without", "with"])
async def test_the_repeat_of_an_old_report_does_not_bring_a_cleared_alarm_back(
    laid: Laid, cleared_at: int | None
) -> None:
    alarm = await laid.raise_(report("trunk-1", changed_at=AT + 9))
    await laid.raise_(report("trunk-1", cleared=True, cleared_at=cleared_at))
    assert await laid.raise_(report("trunk-1")) == alarm
    assert await laid.raise_(report("trunk-1", changed_at=AT + 9)) == alarm
    assert (await laid.alarm(alarm))["state"] == "cleared"


async def test_a_clear_that_bears_no_time_is_of_now(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1", changed_at=AT + 5))
    await laid.raise_(report("trunk-1", cleared=True))
    assert (await laid.alarm(alarm))["state"] == "cleared"
    assert (await laid.alarm(alarm))["severity"] == "cleared"


async def test_a_ticket_that_was_closed_there_is_followed_by_another_when_the_fault_returns(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    await laid.raise_(report("trunk-1", cleared=True))
    await laid.run("MATCH (t:Ticket) SET t.status = 'closed'")
    await laid.raise_(report("trunk-1", raised_at=AT + 1))
    assert (f"{alarm}:customer-a#2", 3, "open", "major") in await laid.told()
    assert (await laid.tickets())[f"{alarm}:customer-a"][0] == "closed"


async def test_a_ticket_closed_during_the_fault_is_followed_by_another_only_if_it_gets_worse(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1", 1))
    await laid.run("MATCH (t:Ticket) SET t.status = 'closed'")
    await laid.raise_(report("trunk-1", 1, changed_at=AT + 1))
    assert f"{alarm}:customer-a#2" not in await laid.tickets()
    await laid.raise_(report("trunk-2", 2))
    assert (await laid.tickets())[f"{alarm}:customer-a#2"] == ("acknowledged", "critical", ["service-a"])
    await laid.raise_(report("trunk-1", 1, cleared=True))
    assert (await laid.tickets())[f"{alarm}:customer-a#2"][0] == "resolved"


async def test_a_ticket_closed_before_the_clear_is_followed_by_another_when_the_fault_returns(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    await laid.run("MATCH (t:Ticket) SET t.status = 'closed'")
    await laid.raise_(report("trunk-1", cleared=True))
    assert [each[2] for each in await laid.told()] == ["open", "open"], "a closed ticket needs no telling"
    await laid.raise_(report("trunk-1", raised_at=AT + 1))
    assert f"{alarm}:customer-a#2" in await laid.tickets()


async def test_a_source_may_use_its_own_names(laid: Laid) -> None:
    alarm = await laid.raise_(report(NAME))
    assert (await laid.alarm(alarm))["object"] == "card-1"
    assert (await laid.effects())["service-a"][0] == "down"


async def test_what_matches_nothing_is_kept_and_awaits_its_name(laid: Laid) -> None:
    alarm = await laid.raise_(report("nothing that we know"))
    found = await laid.alarm(alarm)
    assert found["object"] is None
    assert found["awaits"] is not None
    assert await laid.rows("MATCH (a:Alarm) WHERE a.awaits >= '' RETURN a.id") == [[alarm]]
    matched = await laid.raise_(report("trunk-1", 2))
    assert (await laid.alarm(matched))["awaits"] is None


async def test_an_alarm_that_turns_out_to_be_on_something_else_moves_there(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    assert await laid.raise_(report("port-b", changed_at=AT + 1)) == alarm
    assert (await laid.alarm(alarm))["object"] == "port-b"
    assert {service: effect for service, (effect, _) in (await laid.effects()).items()} == {
        "service-a": None,
        "service-b": "down",
        "service-c": None,
    }
    await laid.raise_(report("nobody knows it", changed_at=AT + 2))
    assert (await laid.alarm(alarm))["object"] is None
    assert (await laid.alarm(alarm))["awaits"] is not None
    assert set(map(str, (await laid.effects()).values())) == {str(WELL)}


async def test_a_system_speaks_for_its_sources_only(laid: Laid) -> None:
    with pytest.raises(Refused) as refused:
        await laid.raise_(report("trunk-1", source_system_id="another"))
    assert refused.value.code == "FORBIDDEN"
    analyst = Principal(subject="9:issuer-a:eve", role=Role.ANALYST)
    with pytest.raises(Refused):
        await laid.raise_(report("trunk-1"), principal=analyst)
    assert await laid.rows("MATCH (a:Alarm) RETURN a.id") == []
    await laid.raise_(report("trunk-1", source_system_id="another"), principal=OPERATOR)


async def test_a_clear_by_id_ends_it_and_a_second_tells_nobody(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    assert (await laid.clear(alarm, "k1")).ids == {"alarm": alarm}
    told = await laid.told()
    assert [each[2] for each in told] == ["open", "resolve"] * 2
    assert (await laid.clear(alarm, "k2")).ids == {"alarm": alarm}
    assert await laid.told() == told
    [error] = (await laid.clear("alarm-none", "k3")).user_errors
    assert error.code == "ALARM_NOT_FOUND"


async def test_an_amendment_changes_the_alarm_that_it_names(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))

    def milder(known: Known) -> object:
        return replace(known.value, perceived_severity="warning", record={"changed": True})

    assert (await laid.amend(alarm, milder)).ids == {"alarm": alarm}  # type: ignore[arg-type]
    assert (await laid.alarm(alarm))["severity"] == "warning"
    assert (await laid.effects())["service-b"] == WELL
    [error] = (await laid.amend("alarm-none", milder)).user_errors  # type: ignore[arg-type]
    assert error.code == "ALARM_NOT_FOUND"


async def test_a_clear_that_was_long_under_way_does_not_hide_that_the_fault_is_back(laid: Laid) -> None:
    def cleared(at: int) -> Amend:
        return lambda known: replace(known.value, cleared=True, cleared_at=at)

    [[now]] = await laid.rows("RETURN timestamp()")
    alarm = await laid.raise_(report("trunk-1", raised_at=now))
    await laid.amend(alarm, cleared(now + 10))
    await laid.raise_(report("trunk-1", raised_at=now + 20))
    assert (await laid.alarm(alarm))["state"] == "raised"
    assert (await laid.amend(alarm, cleared(now + 10))).ids == {"alarm": alarm}
    assert (await laid.alarm(alarm))["state"] == "raised"
    await laid.amend(alarm, cleared(now + 30))
    assert (await laid.alarm(alarm))["state"] == "cleared"


async def test_an_amendment_that_fails_changes_nothing(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    before = await laid.events()

    def refuse(_: Known) -> object:
        raise Refused("no", code="BAD_USER_INPUT")

    with pytest.raises(Refused):
        await laid.amend(alarm, refuse)  # type: ignore[arg-type]
    assert await laid.events() == before


async def test_who_reports_the_same_alarm_at_the_same_moment_makes_one(laid: Laid) -> None:
    ids = await asyncio.gather(*(laid.raise_(report("trunk-1")) for _ in range(8)))
    assert len(set(ids)) == 1
    assert len(await laid.tickets()) == 2
    assert len(await laid.events("Alarm")) == 1


async def test_alarms_that_come_at_the_same_moment_are_added_up(laid: Laid) -> None:
    reports = [report(target, number) for number, target in enumerate(("trunk-1", "trunk-2", "port-a", "card-4"))]
    first, *_ = await asyncio.gather(*map(laid.raise_, reports))
    effect, affects = (await laid.effects())["service-a"]
    assert effect == "down"
    assert affects == [["down", "critical"]] * 4
    severities = {key: severity for key, (_, severity, _) in (await laid.tickets()).items()}
    assert severities.pop(f"{first}:customer-b") == "major"
    for key, severity in severities.items():
        assert severity == ("critical" if key.endswith(":customer-a") else "minor"), key
    await asyncio.gather(*(laid.raise_(replace(each, cleared=True)) for each in reports))
    assert set(map(str, (await laid.effects()).values())) == {str(WELL)}
    assert {status for status, _, _ in (await laid.tickets()).values()} == {"resolved"}


async def test_versions_of_an_alarm_have_no_gaps(laid: Laid) -> None:
    await asyncio.gather(*(laid.raise_(report(f"trunk-{1 + n % 2}", n)) for n in range(6)))
    seen: dict[str, list[int]] = {}
    for of, version, _, _ in await laid.events():
        seen.setdefault(of, []).append(version)
    for of, versions in seen.items():
        assert versions == list(range(1, len(versions) + 1)), of
        if not of.startswith("alarm-"):
            continue
        assert (await laid.alarm(of))["version"] == len(versions)


async def test_a_key_makes_a_report_once(laid: Laid) -> None:
    given = {"idempotency_key": "k", "deadline": soon()}
    first = await raise_alarm(laid.store, SYSTEM, POLICY, report("trunk-1"), **given)  # type: ignore[arg-type]
    again = await raise_alarm(laid.store, SYSTEM, POLICY, report("trunk-1"), **given)  # type: ignore[arg-type]
    assert again == first
    with pytest.raises(Refused, match="another change"):
        await raise_alarm(laid.store, SYSTEM, POLICY, report("trunk-2"), **given)  # type: ignore[arg-type]
