"""A whole gateway between a fault manager that speaks MTOSI and a central system that is told by TMF642."""

from __future__ import annotations

from typing import Any, get_args

import httpx
import pytest
from pydantic import SecretStr, ValidationError

from adapters.simulator.fault_management import alarm_management
from gateway.app import application
from gateway.http.serving import bound, listening
from gateway.policies import policy_of
from gateway.settings.fault_management import AlarmEvent, FaultManagement, OtherEvent
from gateway.settings.settings import Settings, load_settings
from graph.model.event_kinds import ALARM_KINDS, KINDS
from graph.store.store import Store
from tests.adapters.delivery.test_delivery import until
from tests.adapters.fault_management.inbound.test_notifications import alarm, message
from tests.gateway.conftest import Mint
from tests.graph.changes.network import Laid, lay

BASE = "/tmf-api/alarmManagement/v4"
ACKNOWLEDGE = 'mutation { acknowledgeAlarm(alarmId: "%s", idempotencyKey: "k") { userErrors { code } } }'
CLEAR = 'mutation { clearAlarm(alarmId: "%s", idempotencyKey: "c") { userErrors { code } } }'


async def test_an_alarm_goes_all_the_way_and_back(
    empty_store: Store, store_address: str, settings: Settings, mint: Mint
) -> None:
    laid = Laid(store=empty_store)
    await lay(empty_store)
    sock = bound(settings)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    authorization = SecretStr(mint.bearer("system:noc")["Authorization"])
    async with alarm_management.serving(callback_authorization=authorization) as noc:
        chosen = FaultManagement(address=noc.address, name="noc", callback=f"{base}{BASE}", poll_seconds=300)
        given = {"store": store_address, "deadline_seconds": 30.0, "fault_management": chosen}
        app = application(settings.model_copy(update=given))
        async with listening(app, sock), httpx.AsyncClient(base_url=base, timeout=60) as client:

            async def is_ready() -> bool:
                return (await client.get("/readyz")).is_success

            await until(is_ready)
            xml = {"Content-Type": "text/xml"}
            for target, system in (("trunk-1", "ems"), ("trunk-2", "ems")):
                headers = {**xml, **mint.bearer(f"system:{system}")}
                told = await client.post("/mtosi/v2/alarms", content=message(alarm(target)), headers=headers)
                assert told.status_code == 202, told.text
            await until(lambda: len(noc.alarms) == 2)
            first, second = sorted(noc.alarms.values(), key=lambda each: str(each["alarmedObject"]["id"]))
            assert {each["name"] for each in first["affectedService"]} == {"service-a", "service-b"}

            operator = mint.bearer("operator")
            for text in (ACKNOWLEDGE, CLEAR):
                asked = {"query": text % first["externalAlarmId"]}
                answer = (await client.post("/graphql", json=asked, headers=operator)).json()
                assert list(answer["data"].values()) == [{"userErrors": []}]

            def known() -> dict[str, Any]:
                return noc.alarms[first["id"]]

            await until(lambda: bool(known()["state"] == "cleared"))
            assert (known()["ackState"], known()["affectedService"]) == ("acknowledged", [])

            async with httpx.AsyncClient() as person:
                await person.patch(f"{noc.address}/alarm/{second['id']}", json={"ackState": "acknowledged"})

            async def is_noted() -> bool:
                return bool((await laid.alarm(second["externalAlarmId"]))["ack"] == "acknowledged")

            await until(is_noted)


def test_what_can_be_heard_is_what_happens() -> None:
    assert get_args(AlarmEvent) == ALARM_KINDS
    assert {*get_args(AlarmEvent), *get_args(OtherEvent)} == KINDS.keys()


def test_a_system_speaks_for_its_own_name_unless_the_settings_say_more() -> None:
    noc = FaultManagement(address="http://noc", name="noc", events=("AlarmRaised",))
    heard = policy_of(Settings(fault_management=noc)).fault_management
    assert heard is not None
    assert (sorted(heard.sources), sorted(heard.events)) == (["noc"], ["AlarmRaised"])
    more = Settings.model_validate({"fault_management": noc, "systems": {"noc": {"sources": ["a", "b"]}}})
    other = policy_of(more).fault_management
    assert other is not None
    assert sorted(other.sources) == ["a", "b"]
    assert policy_of(Settings()).fault_management is None


def test_its_secret_comes_from_a_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "key"
    secret.write_text("hush\n")
    monkeypatch.setenv("TRUNKLINE_FAULT_MANAGEMENT__ADDRESS", "http://noc")
    monkeypatch.setenv("TRUNKLINE_FAULT_MANAGEMENT__BEARER_FILE", str(secret))
    chosen = load_settings().fault_management
    assert chosen is not None
    assert chosen.bearer.get_secret_value() == "hush"


@pytest.mark.parametrize(
    "given",
    [
        {"address": "noc"},
        {"address": "http://user:pass@noc"},
        {"address": "http://noc?x=1"},
        {"address": "http://noc", "dialect": "smoke"},
        {"address": "http://noc", "events": ["AlarmForgotten"]},
        {"address": "http://noc", "events": []},
        {"address": "http://noc", "name": "a:b"},
        {"address": "http://noc", "request_seconds": 8},
    ],
    ids=str,
)
def test_what_is_no_such_system_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        FaultManagement.model_validate(given)


OTHERS = ("AlarmRaised", "ServiceStateChanged")


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ({"events": ["AlarmRaised", "TicketOpend"]}, "there is no event TicketOpend (did you mean TicketOpened?)"),
        ({"events": []}, "at least 1 item"),
        ({"events": OTHERS}, "does not know (ServiceStateChanged): give events_address"),
        ({"events": OTHERS, "dialect": "mtosi", "events_address": "http://noc/events"}, "which is for tmf642"),
    ],
)
def test_events_that_cannot_be_told_are_refused_with_what_to_do(section: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        FaultManagement.model_validate({"address": "http://noc", **section})
    assert said in str(refused.value)


@pytest.mark.parametrize(
    "section",
    [
        {"events": OTHERS, "events_address": "http://noc/tmf-api/event/v4/topic/t"},
        {"events": OTHERS, "dialect": "alerta"},
        {},
    ],
)
def test_events_are_told_where_the_dialect_has_them(section: dict[str, Any]) -> None:
    chosen = FaultManagement.model_validate({"address": "http://noc", **section})
    assert chosen.hears_others is bool(section)
    heard = policy_of(Settings(fault_management=chosen)).fault_management
    assert heard is not None
    assert heard.events == frozenset(section.get("events", ALARM_KINDS)), "without the setting, alarms and nothing else"
