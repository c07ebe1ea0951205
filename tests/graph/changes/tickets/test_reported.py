from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
import structlog.testing

from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.owners import Reported
from graph.changes.tickets.reported import report_tickets
from graph.changes.tickets.ticketing import Heard, note_tickets, open_tickets
from graph.ledger.retention import sweep
from graph.model.identity import external_key, loaded_id
from graph.store.store import Store
from tests.graph.changes.network import AT, POLICY, Laid, lay, report, soon

DESK = POLICY.ticketing
LINKS = (
    "MATCH (t:Ticket) WHERE t.orderKey IS NULL RETURN t.externalId, t.status, t.severity, "
    "COLLECT { MATCH (t)-[:OPENED_FOR]->(c:Customer) RETURN c.id ORDER BY c.id }, "
    "COLLECT { MATCH (t)-[:CONCERNS]->(s:Service) RETURN s.id ORDER BY s.id } ORDER BY t.externalId"
)


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    return Laid(store=empty_store)


def said(their_id: str, *services: str, **more: Any) -> Reported:
    given: dict[str, Any] = {"key": None, "status": "acknowledged", "severity": "minor", "changed_at": 1_000} | more
    given.setdefault("customer", None)
    return Reported(their_id=their_id, **{"services": services, **given})


async def reported(laid: Laid, *tickets: Reported, policy: AlarmPolicy = POLICY) -> list[list[Any]]:
    await report_tickets(laid.store, policy, tickets, subject="system:desk", deadline=soon())
    return await laid.rows(LINKS)


async def names(laid: Laid, name: str, service: str, *, system: str = DESK) -> None:
    """Let the ticketing system call a service by a name of its own."""
    text = (
        "MATCH (s:Service {id: $service}) "
        "CREATE (:ExternalName {id: $id, key: $key, system: $system, name: $name})-[:NAMES]->(s)"
    )
    key = external_key(system, name)
    await laid.run(text, service=service, id=f"externalname-{key}", key=key, system=system, name=name)


async def test_a_ticket_about_a_service_is_its_customers(laid: Laid) -> None:
    assert await reported(laid, said("7", "service-a", severity="P1")) == [
        ["7", "acknowledged", "indeterminate", ["customer-a"], ["service-a"]]
    ]
    [event] = await laid.events()
    assert event == (loaded_id("Ticket", DESK, "7"), 1, "TicketReported", ["customer-a"])


async def test_a_service_is_known_by_the_name_that_this_system_has_for_it(laid: Laid) -> None:
    await names(laid, "L2-77", "service-b")
    await names(laid, "other's", "service-a", system="other")
    found = await reported(laid, said("7", "L2-77"), said("8", "other's"))
    assert found == [["7", "acknowledged", "minor", ["customer-b"], ["service-b"]]]


async def test_a_service_is_known_by_the_name_of_a_system_whose_names_this_one_uses(laid: Laid) -> None:
    sharing = replace(POLICY, names_of=((DESK, ("inventory", "nms")),))
    await names(laid, "L2-77", "service-b", system="inventory")
    await names(laid, "L2-77", "service-a", system="nms")
    await names(laid, "L2-78", "service-a", system="nms")
    await names(laid, "L2-79", "service-a", system="other")
    await names(laid, "L2-80", "service-b", system="inventory")
    await names(laid, "L2-80", "service-a")
    tickets = [said(str(number), f"L2-{number}") for number in range(77, 81)]
    assert await reported(laid, *tickets) == [["80", "acknowledged", "minor", ["customer-a"], ["service-a"]]], (
        "it uses no names but its own"
    )
    assert [(row[0], row[4]) for row in await reported(laid, *tickets, policy=sharing)] == [
        ("77", ["service-b"]),
        ("78", ["service-a"]),
        ("80", ["service-a"]),
    ], "its own names come first, then those of the others in their order"


async def test_what_names_nothing_of_ours_is_left_alone_and_counted(laid: Laid) -> None:
    with structlog.testing.capture_logs() as lines:
        assert await reported(laid, said("7", "service-none", "L2"), said("8"), said("9", services=None)) == []
    [line] = lines
    assert (line["tickets"], line["unknown_names"]) == (2, 2)
    assert await laid.events() == []


@pytest.mark.parametrize(
    ("services", "customer", "expected"),
    [
        pytest.param(["service-a", "service-b"], None, None, id="of two customers, and it says none"),
        pytest.param(["service-a", "service-b"], "customer-b", ("customer-b", ["service-b"]), id="it says which"),
        pytest.param(["service-a"], "customer-b", None, id="it says another than whose it is"),
        pytest.param(["service-a"], "customer-none", None, id="it says one of ours that is not there"),
        pytest.param(["service-a"], "ACME", ("customer-a", ["service-a"]), id="it says it in its own words"),
        pytest.param(["service-a", "service-b"], "ACME", None, id="of two, in its own words"),
        pytest.param(["service-b", "service-c", "x"], None, ("customer-b", ["service-b", "service-c"]), id="of one"),
    ],
)
async def test_it_is_never_another_tenants(
    laid: Laid, services: list[str], customer: str | None, expected: Any
) -> None:
    found = await reported(laid, said("7", *services, customer=customer))
    assert [(row[3], row[4]) for row in found] == ([([expected[0]], expected[1])] if expected else [])


async def test_it_follows_what_is_said_later_and_passes_over_what_is_older(laid: Laid) -> None:
    await reported(laid, said("7", "service-b"))
    assert (await reported(laid, said("7", "service-c", status="inProgress", changed_at=2_000)))[0][1:] == [
        "inProgress",
        "minor",
        ["customer-b"],
        ["service-c"],
    ]
    old = said("7", "service-a", changed_at=1_500)
    assert (await reported(laid, old))[0][3:] == [["customer-b"], ["service-c"]]
    assert (await reported(laid, said("7", services=None, status="held", changed_at=3_000)))[0][1:] == [
        "held",
        "minor",
        ["customer-b"],
        ["service-c"],
    ]
    assert [each[2] for each in await laid.events()] == ["TicketReported", "TicketStatusChanged", "TicketStatusChanged"]


async def test_one_that_becomes_anothers_is_taken_from_the_first(laid: Laid) -> None:
    await reported(laid, said("7", "service-a"))
    assert (await reported(laid, said("7", "service-b", changed_at=2_000)))[0][3:] == [["customer-b"], ["service-b"]]
    assert (await reported(laid, said("7", changed_at=3_000)))[0][3:] == [[], []]
    assert [each[3] for each in await laid.events()] == [["customer-a"], ["customer-a", "customer-b"], ["customer-b"]]


async def test_one_of_1970_is_not_swept_and_reported_again(laid: Laid) -> None:
    now = int(time.time() * 1_000)
    for _ in range(2):
        await reported(laid, said("7", "service-a", status="closed"))
        work = partial(sweep, kind="tickets", before=now - 86_400_000, most=10)
        assert await laid.store.write(work, deadline=soon()) == 0
    assert len(await laid.events()) == 1


async def test_what_is_no_news_is_not_written(laid: Laid) -> None:
    await reported(laid, said("7", "service-a"))
    before = await laid.events()
    for _ in range(2):
        await reported(laid, said("7", "service-a"))
    assert await laid.events() == before


async def test_a_ticket_that_we_opened_is_none_of_these(laid: Laid) -> None:
    alarm = await laid.raise_(report("trunk-1"))
    key = f"{alarm}:customer-a"
    assert await reported(laid, said("17", "service-a", key=key)) == []
    await laid.run("MATCH (t:Ticket {orderKey: $key}) SET t.externalId = '17'", key=key)
    assert await reported(laid, said("17", "service-a", key="taken away")) == []
    assert len(await reported(laid, said("18", "service-a", key="theirs"))) == 1


async def test_reported_at_the_same_time_it_is_one(laid: Laid) -> None:
    tickets = [said(str(number), "service-a", "service-c", customer="customer-a") for number in range(5)]
    await asyncio.gather(*(report_tickets(laid.store, POLICY, tickets, subject="s", deadline=soon()) for _ in range(4)))
    assert len(await laid.rows(LINKS)) == 5
    assert [each[1] for each in await laid.events()] == [1] * 5


async def test_it_is_looked_at_with_ours_while_it_is_open(laid: Laid) -> None:
    await reported(laid, said("7", "service-a"), said("8", "service-a", status="closed"))
    known = await open_tickets(laid.store, DESK, after="", most=10, deadline=soon())
    assert [(each.their_id, each.is_ours) for each in known] == [("7", False)]


async def test_how_far_ahead_a_time_is_believed_is_the_operators_choice(laid: Laid) -> None:
    ahead, policy = int(time.time() * 1_000) + 600_000, replace(POLICY, skew_ms=60_000)
    await reported(laid, said("7", "service-a", changed_at=ahead), policy=policy)
    assert (await reported(laid, said("7", "service-a", status="held")))[0][1] == "acknowledged"
    assert (await reported(laid, said("7", "service-a", status="held"), policy=policy))[0][1] == "held"
    alarm = await laid.raise_(report("port-b"))
    key = f"{alarm}:customer-b"
    await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
    words = []
    for at, word, chosen in ((ahead, "inProgress", policy), (AT, "held", POLICY), (AT, "pending", policy)):
        heard = Heard(order_key=key, their_id="9", status=word, changed_at=at)
        await note_tickets(laid.store, chosen, [heard], subject="system:desk", deadline=soon())
        words += await laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.status", key=key)
    assert words == [["inProgress"], ["inProgress"], ["pending"]]


async def test_a_time_of_the_far_future_makes_no_later_report_old(laid: Laid) -> None:
    far, real = 4_000_000_000_000, AT
    await reported(laid, said("7", "service-a", changed_at=far))
    [[_, status, *_]] = await reported(laid, said("7", "service-a", changed_at=real, status="pending"))
    assert status == "pending"
    alarm = await laid.raise_(report("port-b"))
    key = f"{alarm}:customer-b"
    await laid.run("MATCH (d:Delivery) SET d.state = 'DONE'")
    for at, word in ((far, "inProgress"), (real, "pending"), (real - 1, "held")):
        heard = Heard(order_key=key, their_id="9", status=word, changed_at=at)
        await note_tickets(laid.store, POLICY, [heard], subject="system:desk", deadline=soon())
    assert await laid.rows("MATCH (t:Ticket {orderKey: $key}) RETURN t.status", key=key) == [["pending"]]
