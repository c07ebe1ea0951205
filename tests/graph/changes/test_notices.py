"""What a central fault management system hears beside alarms: written with the change, in order, and never its own news."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import orjson
import pytest

from graph.changes.alarms.consequences import By
from graph.changes.notices import TELLING
from graph.changes.policy import AlarmPolicy, Hearing
from graph.changes.tickets.owners import Reported
from graph.changes.tickets.problems import report_problem
from graph.changes.tickets.reported import report_tickets
from graph.changes.tickets.request_rules import Problem, TicketRequest
from graph.changes.tickets.requests import change_ticket
from graph.changes.tickets.ticketing import Heard, note_tickets
from graph.inventory.equipment import Hand, change, make, move, remove
from graph.model.event_kinds import ALARM_KINDS, KINDS
from graph.model.identity import external_key, loaded_id
from graph.model.resource import Resource
from graph.model.scope import CLAIMABLE, Principal, Role
from graph.store.store import Store, Transaction
from tests.graph.changes.network import Laid, lay, report, soon

OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
ADA = Principal(subject="9:issuer-a:ada", role=Role.CUSTOMER, customers=("customer-a",), changes=CLAIMABLE)
OTHERS = frozenset(KINDS.keys() - set(ALARM_KINDS))
NAMED = """
MATCH (e:NetworkElement {id: $id})
CREATE (:ExternalName {id: 'externalname-' + $name, key: $key, system: $system, name: $name})-[:NAMES]->(e)
"""
HEARING = Hearing(name="umbrella", sources=frozenset({"umbrella", "nms"}), events=OTHERS)
POLICY = AlarmPolicy(ticketing="desk", fault_management=HEARING)
TOLD = """
MATCH (d:Delivery)-[:TELLS]->(e:Event) WHERE d.system = 'umbrella'
RETURN d.id, e.id, d.subject, d.orderKey, d.version, d.payload ORDER BY e.id, d.orderKey
"""


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


async def told(laid: Laid, about: str = "") -> list[dict[str, Any]]:
    """Everything that is to be told, in the order in which it happened."""
    found = []
    for delivery, event, subject, key, version, payload in await laid.rows(TOLD):
        said = orjson.loads(payload)
        if said.get("telling") != TELLING:
            continue
        assert (delivery, subject) == (f"{event}:umbrella:{said['about']}", said["about"])
        found.append({**said, "key": key, "version": version})
    return [each for each in found if each["about"].startswith(about)]


def brief(notices: list[dict[str, Any]], *values: str) -> list[tuple[Any, ...]]:
    return [(each["kind"], each["about"], *(each["values"][name] for name in values)) for each in notices]


async def test_a_service_is_told_with_the_state_that_it_has_now(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    await laid.raise_(report("trunk-2", 2), policy=POLICY)
    await laid.clear(alarm, policy=POLICY)
    found = await told(laid, "service-a")
    assert brief(found, "effect") == [
        ("ServiceStateChanged", "service-a", "degraded"),
        ("ServiceStateChanged", "service-a", "down"),  # one effect after another is one change
        ("ServiceStateChanged", "service-a", "atRisk"),
    ]
    assert [each["version"] for each in found] == sorted({each["version"] for each in found})
    assert {each["key"] for each in found} == {"service-a"}
    assert found[0]["values"]["customer"] == {"id": "customer-a", "name": "a"}
    [over] = [each for each in await told(laid, "service-b") if each["values"]["effect"] is None]
    assert over["event"] == "DowntimeEnded"


async def test_what_an_alarm_makes_of_a_ticket_is_told_in_the_order_of_the_ticket(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"), policy=POLICY)
    await laid.raise_(report("trunk-1", perceived_severity="minor"), policy=POLICY)
    await laid.clear(alarm, policy=POLICY)
    [mine] = {each["about"] for each in await told(laid, "ticket") if each["key"] == f"{alarm}:customer-a"}
    found = await told(laid, mine)
    assert brief(found, "status")[0] == ("TicketOpened", mine, "acknowledged")
    assert brief(found, "status")[-1] == ("TicketStatusChanged", mine, "resolved")
    assert found[0]["eventId"].endswith(f":{mine}"), "an event of an alarm may be told of several tickets"
    assert found[0]["values"]["customers"] == [{"id": "customer-a", "name": "a"}]
    assert found[0]["values"]["services"] == [{"id": "service-a", "name": "service-a"}]


async def test_a_customers_and_the_desks_own_tickets_are_told(laid: Laid) -> None:
    problem = Problem(service="service-a", description="It is slow")
    made = await report_problem(laid.store, ADA, POLICY, problem, idempotency_key="r", deadline=soon())
    ticket = made.ids["ticket"]
    request = TicketRequest(doing="closeTicket", ticket=ticket)
    await change_ticket(laid.store, ADA, POLICY, request, idempotency_key="c", deadline=soon())
    theirs = Reported(
        their_id="T-1",
        key=None,
        status="inProgress",
        severity="minor",
        changed_at=5,
        services=("service-b",),
        customer=None,
    )
    await report_tickets(laid.store, POLICY, [theirs], subject="desk", deadline=soon())
    found = await told(laid)
    assert brief(found, "status")[:2] == [
        ("TicketOpened", ticket, "acknowledged"),
        ("TicketStatusChanged", ticket, "closed"),
    ]
    assert [(each["kind"], each["values"]["externalId"]) for each in found[2:]] == [("TicketOpened", "T-1")]
    assert {each["key"] for each in found[:2]} == {ticket}


async def test_what_the_system_did_itself_is_not_told_to_it(laid: Laid) -> None:
    desk = replace(POLICY, ticketing="umbrella")
    alarm = await laid.raise_(report("trunk-1"), policy=desk)
    before = await told(laid, "ticket")
    assert before, "what follows from an alarm is told, whoever has raised it"
    heard = Heard(order_key=f"{alarm}:customer-a", their_id="T-9", status="inProgress", changed_at=None)
    await laid.run("MATCH (d:Delivery) WHERE d.orderKey CONTAINS ':customer' SET d.state = 'DONE', d.openKey = null")
    await note_tickets(laid.store, desk, [heard], subject="umbrella", deadline=soon())
    assert await laid.rows("MATCH (e:Event {type: 'TicketStatusChanged'}) RETURN count(e)") == [[1]]
    assert await told(laid, "ticket") == before


async def test_equipment_is_told_from_its_first_day_to_its_last(laid: Laid) -> None:
    await changed(laid, Hand(by=By(principal=OPERATOR, policy=POLICY), system="inventory"))
    found = await told(laid)
    assert [(each["kind"], each["values"]["name"], each["values"]["element"]) for each in found] == [
        ("ResourceAdded", "N1/3", "N1"),
        ("ResourceStateChanged", "N1/3", "N1"),
        ("ResourceChanged", "N1/3", "N1"),
        ("ResourceMoved", "N1/3", "N2"),
        ("ResourceRemoved", "N1/3", "N2"),
    ]
    assert {each["about"] for each in found} == {loaded_id("Card", "inventory", "N1/3")}
    added, disabled, renamed, moved, removed = (each["values"] for each in found)
    assert (added["resource"], added["properties"]["model"]) == ("Card", "LC")
    assert (disabled["changed"], disabled["properties"]["operationalState"]) == (["operationalState"], "disabled")
    assert (renamed["changed"], renamed["was"]) == (["model"], {"model": "LC"})
    assert moved["place"] == ["networkelement-2"]
    assert removed["was"]["model"] == "LC-2"
    assert [each["version"] for each in found] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("system", "principal"),
    [
        pytest.param("umbrella", OPERATOR, id="its own feed"),
        pytest.param("nms", OPERATOR, id="a feed of a source that it speaks for"),
        pytest.param("inventory", replace(OPERATOR, system="umbrella"), id="its own request"),
    ],
)
async def test_of_equipment_it_is_not_told_what_it_brought_itself(
    laid: Laid, system: str, principal: Principal
) -> None:
    await changed(laid, Hand(by=By(principal=principal, policy=POLICY), system=system))
    assert await told(laid) == []


async def test_nothing_but_alarms_is_told_unless_the_settings_say_so(laid: Laid) -> None:
    policy = replace(POLICY, fault_management=Hearing(name="umbrella"))
    await laid.raise_(report("trunk-1"), policy=policy)
    await changed(laid, Hand(by=By(principal=OPERATOR, policy=policy), system="inventory"))
    kinds = {orjson.loads(row[-1]).get("telling") for row in await laid.rows(TOLD)}
    assert kinds == {None}


async def changed(laid: Laid, hand: Hand) -> None:
    """A card comes, fails, is another model, moves, and goes."""
    for number in (1, 2):
        given = {"id": f"networkelement-{number}", "name": f"N{number}", "system": hand.system}
        await laid.run(NAMED, **given, key=external_key(hand.system, f"N{number}"))
    new = Resource(kind="Card", name="N1/3", inside="N1", properties={"name": "N1/3", "model": "LC", "slot": 3})
    card = loaded_id("Card", hand.system, new.name)
    steps: list[Callable[[Transaction], Awaitable[object]]] = [
        lambda transaction: make(transaction, hand, new),
        lambda transaction: change(transaction, hand, card, {"operationalState": "disabled"}),
        lambda transaction: change(transaction, hand, card, {"model": "LC-2"}),
        lambda transaction: move(transaction, hand, card, ("networkelement-2",)),
        lambda transaction: remove(transaction, hand, card),
    ]
    for step in steps:
        assert await laid.store.write(step, deadline=soon())
