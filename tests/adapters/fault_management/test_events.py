"""What each dialect says of services, equipment and tickets: as published, and once in effect."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree

from adapters.errors import AdapterError, Suspended
from adapters.event_words import WORDS, EventNotice, notice_of
from adapters.fault_management.outbound.alerta import Alerta
from adapters.fault_management.outbound.mtosi import Mtosi
from adapters.fault_management.outbound.mtosi_events import write_event
from adapters.fault_management.outbound.tmf688 import Tmf688
from adapters.simulator.fault_management import alerta, event_management, notified
from adapters.simulator.faults import Kind, Rule
from adapters.simulator.journal import read_journal
from adapters.soap.elements import name_of, tag
from adapters.tmf.events import event_body
from adapters.transport.transport import System, opened
from adapters.xml.parser import Element
from graph.model.event_kinds import KINDS
from tests.adapters.conftest import soon
from tests.adapters.fault_management.alarms.published import faults
from tests.adapters.schema import published

ADA = {"id": "customer-a", "name": "Ada"}
CARD = {"name": "N1/3", "model": "LC", "slot": 3, "operationalState": "disabled", "administrativeState": "unlocked"}
TRUNK = {"name": "T1", "layerRate": "ODU2", "capacityMbps": 10_000, "operationalState": "enabled"}
SERVICE = {
    "name": "Ada's <line>",
    "state": "active",
    "effect": "down",
    "customer": ADA,
    "alarms": ["alarm-1"],
    "since": 5,
}
RATE = {
    "name": "Ada's <line>",
    "state": "active",
    "customer": ADA,
    "effectiveMbps": 500,
    "bookedMbps": 500,
    "committedMbps": 100,
    "threshold": 400,
}
TICKET = {
    "status": "inProgress",
    "severity": "major",
    "externalId": "T-7",
    "customers": [ADA],
    "services": [{"id": "service-a", "name": "Ada's line"}],
}


def card(*changed: str, **more: Any) -> dict[str, Any]:
    named = {"resource": "Card", "name": "EQ=/slot=3", "element": "MD=north;ME=N1", "properties": CARD}
    return {**named, "changed": list(changed), "was": {}, "place": [], **more}


def notice(kind: str, about: str, values: dict[str, Any], number: int = 1) -> EventNotice:
    payload = {"eventId": f"event-{number}", "kind": kind, "at": 1_772_362_800_000, "about": about, "values": values}
    return notice_of(payload)


NOTICES = {
    "ServiceStateChanged": notice("ServiceStateChanged", "service-a", SERVICE),
    "service that works": notice("ServiceStateChanged", "service-a", {**SERVICE, "effect": None}),
    "ServiceRateChanged": notice("ServiceRateChanged", "service-a", RATE),
    "rate without a threshold": notice(
        "ServiceRateChanged", "service-a", {**RATE, "threshold": None, "customer": None}
    ),
    "ResourceAdded": notice("ResourceAdded", "card-3", card()),
    "trunk": notice("ResourceAdded", "trunk-1", card(resource="Trunk", name="T1", element="", properties=TRUNK)),
    "ResourceRemoved": notice("ResourceRemoved", "card-3", card()),
    "ResourceStateChanged": notice("ResourceStateChanged", "card-3", card("operationalState")),
    "ResourceChanged": notice("ResourceChanged", "card-3", card("model", "slot")),
    "ResourceMoved": notice("ResourceMoved", "card-3", card(place=["networkelement-2"])),
    "TicketOpened": notice("TicketOpened", "ticket-1", TICKET),
    "TicketStatusChanged": notice("TicketStatusChanged", "ticket-1", {**TICKET, "status": "closed"}),
    "TicketChanged": notice("TicketChanged", "ticket-1", {**TICKET, "externalId": None}),
}
ALL = pytest.mark.parametrize("told", [pytest.param(each, id=name) for name, each in NOTICES.items()])
THINGS = {"service": ("Service", 638), "resource": ("Resource", 639), "troubleTicket": ("TroubleTicket", 621)}


def test_every_kind_has_its_words_and_a_notice_in_these_tests() -> None:
    assert WORDS.keys() == KINDS.keys()
    assert {each.kind.name for each in NOTICES.values()} == {k for k, kind in KINDS.items() if kind.about != "alarm"}


@ALL
def test_an_event_of_tmf688_is_as_published_and_so_is_the_thing_in_it(told: EventNotice) -> None:
    body = event_body(told)
    assert [*published("Event_Create", 688).iter_errors(body)] == []
    definition, api = THINGS[told.member]
    assert [*published(definition, api).iter_errors(body["event"][told.member])] == []
    listened = {"event": {told.member: body["event"][told.member]}, "eventType": body["eventType"]}
    assert [*published(told.words.tmf, api).iter_errors(listened)] == [], "the API has such an event"


def test_what_moved_says_where_it_is_now() -> None:
    moved = event_body(NOTICES["ResourceMoved"])["event"]["resource"]
    [relation] = moved["resourceRelationship"]
    assert (relation["relationshipType"], relation["resource"]["id"]) == ("isContainedIn", "networkelement-2")
    trunk = event_body(
        notice("ResourceMoved", "trunk-1", card(resource="Trunk", properties=TRUNK, place=["port-1", "port-2"]))
    )
    ends = trunk["event"]["resource"]["resourceRelationship"]
    assert [(each["relationshipType"], each["resource"]["id"]) for each in ends] == [
        ("aEnd", "port-1"),
        ("zEnd", "port-2"),
    ]
    element = card(resource="NetworkElement", properties={"name": "N1"}, place=["site-1"])
    shown = event_body(notice("ResourceMoved", "networkelement-1", element))["event"]["resource"]
    assert shown["place"]["id"] == "site-1"
    assert [*published("Resource", 639).iter_errors(shown)] == []


def test_a_new_rate_brings_its_threshold_in_every_dialect() -> None:
    told = NOTICES["ServiceRateChanged"]
    [service] = event_body(told)["event"].values()
    said = {each["name"]: each["value"] for each in service["serviceCharacteristic"]}
    assert said == {"effectiveMbps": 500, "bookedMbps": 500, "committedMbps": 100, "threshold": 400}
    made = write_event(told, "d", "2026-03-01T12:00:00Z")
    [attributes] = made.iterfind(f"{tag('avc:attributeList')}/{tag('tev:service')}")
    assert {etree.QName(each).localname: each.text for each in attributes} == {
        "name": "Ada's <line>",
        **{name: str(value) for name, value in said.items()},
        "customer": "Ada",
    }
    assert told.sentence == "Service Ada's <line>: 500 Mbit/s"


@ALL
def test_a_notification_of_mtosi_is_as_published(told: EventNotice) -> None:
    assert faults(write_event(told, "event-1:noc:x", "2026-03-01T12:00:00Z")) == []


def test_equipment_is_named_within_its_element_and_says_just_what_changed() -> None:
    made = write_event(NOTICES["ResourceStateChanged"], "d", "2026-03-01T12:00:00Z")
    assert name_of(made.find(tag("ei:objectName")), made) == (("MD", "north"), ("ME", "N1"), ("EQ", "/slot=3"))
    assert made.findtext(tag("ei:objectType")) == "EQ"
    [state] = made.iterfind(f"{tag('sc:attributeList')}/{tag('eq:eq')}/{tag('cri:ituStateAndStatusList')}/*")
    assert (state.tag, state.text) == (tag("itu:x721.OperationalState"), "DISABLED")
    removed = write_event(NOTICES["ResourceRemoved"], "d", "2026-03-01T12:00:00Z")
    assert [etree.QName(each).localname for each in removed][-1] == "osTime"


class Side:
    """A system that hears events, and what it knows of them by the id of the event's delivery."""

    def __init__(self, system: Any, served: Any, journal: Path) -> None:
        self.system, self.served, self.journal, self.faults = system, served, journal, served.faults

    async def tell(self, told: EventNotice, *, repeats: bool = False) -> str | None:
        said: str | None = await self.system.notify(told, repeats=repeats, delivery_id=told.id, deadline=soon())
        return said

    def known(self) -> list[str]:
        """Give how often it knows of anything, in the order in which it heard of it first."""
        match self.served:
            case event_management.EventManagement():
                return [each["eventId"] for each in self.served.events.values()]
            case notified.Listener():
                return list(self.served.events)
            case _:
                return [each["attributes"]["eventId"] for each in self.served.alerts.values()]

    def said(self) -> list[tuple[str, str]]:
        """Give what each was about and the state that it said; Alerta keeps the last of each, and its journal all."""
        match self.served:
            case event_management.EventManagement():
                return [_of_event(each) for each in self.served.events.values()]
            case notified.Listener():
                return [_of_notification(each) for each in self.served.events.values()]
            case _:
                entries: list[Any] = read_journal(self.journal)
                return [*dict.fromkeys((each["attributes"]["about"], each["value"]) for each in entries)]


def _of_event(event: dict[str, Any]) -> tuple[str, str]:
    thing = event["event"][event["domain"]]
    state = thing["status"] if "status" in thing else thing["serviceCharacteristic"][0]["value"]
    return event["source"]["id"], "working" if state == "none" else state


def _of_notification(event: Element) -> tuple[str, str]:
    if (ticket := event.find(f".//{tag('tev:troubleTicket')}")) is not None:
        return ticket.findtext(tag("tev:id")) or "", ticket.findtext(tag("tev:status")) or ""
    [(_, service)] = name_of(event.find(tag("ei:objectName")), event)
    return service, event.findtext(f".//{tag('tev:effect')}") or "working"


@asynccontextmanager
async def serving(name: str, journal: Path) -> AsyncIterator[Side]:
    server: Any = {"tmf688": event_management, "mtosi": notified, "alerta": alerta}[name]
    made: Any = {"tmf688": Tmf688, "mtosi": Mtosi, "alerta": Alerta}[name]
    async with (
        server.serving(journal=journal) as served,
        opened(System(name="umbrella", address=served.address, failures=1_000)) as transport,
    ):
        yield Side(made(transport), served, journal)


@pytest.fixture(params=["tmf688", "mtosi", "alerta"])
async def side(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Side]:
    async with serving(request.param, tmp_path / "journal") as found:
        yield found


@ALL
async def test_a_strict_system_takes_it(side: Side, told: EventNotice) -> None:
    assert await side.tell(told) is None
    assert side.known() == [told.id]


@pytest.mark.parametrize("kind", [Kind.SILENT, Kind.TRUNCATED, Kind.DOWN, Kind.ERROR])
async def test_an_answer_that_was_lost_makes_no_second_event(side: Side, kind: Kind) -> None:
    told = NOTICES["ResourceAdded"]
    side.faults.order(Rule(kind=kind, times=1, method="POST"))
    with pytest.raises((AdapterError, TimeoutError)):
        await asyncio.wait_for(side.tell(told), 1)
    await side.tell(told, repeats=True)
    assert side.known() == [told.id]


async def test_a_topic_that_cannot_be_asked_is_told_again(tmp_path: Path) -> None:
    async with serving("tmf688", tmp_path / "journal") as side:
        side.faults.order(Rule(kind=Kind.UNPROCESSABLE, times=1, method="GET"))
        assert await side.tell(NOTICES["ResourceAdded"], repeats=True) is None
        assert await side.tell(NOTICES["ResourceAdded"], repeats=True) == "it was heard before"
        assert side.known() == ["event-1"]


async def test_alerta_has_one_informational_alert_of_each_thing_with_its_last_news(tmp_path: Path) -> None:
    async with serving("alerta", tmp_path / "journal") as side:
        for number, effect in enumerate(("degraded", "down", None)):
            await side.tell(notice("ServiceStateChanged", "service-a", {**SERVICE, "effect": effect}, number))
        await side.tell(NOTICES["TicketOpened"])
        first, second = side.served.alerts.values()
    assert (first["event"], first["severity"], first["status"]) == ("ServiceState service-a", "informational", "open")
    assert (first["value"], first["text"]) == ("working", "Service Ada's <line>: working")
    assert (first["service"], first["attributes"]["customer"]) == (["Ada's <line>"], "Ada")
    assert (second["event"], second["value"], second["service"]) == (
        "TroubleTicket ticket-1",
        "inProgress",
        ["Ada's line"],
    )


async def test_what_a_blackout_swallows_is_told_again(tmp_path: Path) -> None:
    async with serving("alerta", tmp_path / "journal") as side, httpx.AsyncClient() as person:
        await person.post(f"{side.served.address}/blackout", json={"environment": "Production"})
        with pytest.raises(Suspended):
            await side.tell(NOTICES["ResourceAdded"])
        assert side.known() == []


DOCS = Path(__file__).parents[3] / "docs" / "fault-management.md"


def test_the_docs_have_the_table() -> None:
    rows = [
        f"| `{name}` | {', '.join((*(f'`{each}`' for each in kind.events), *(f'a ticket is told to {each}' for each in kind.doings)))} "
        f"| `{words.tmf}` | `{words.mtosi.partition(':')[2]}` | {words.alerta} |"
        for name, kind in KINDS.items()
        for words in [WORDS[name]]
    ]
    text = DOCS.read_text(encoding="utf-8")
    assert [each for each in rows if each not in text] == []
    assert re.findall(r"^\| `(\w+)` \|.*\| `\w+Event` \| `\w+` \|", text, re.MULTILINE) == list(KINDS)
