"""The table of what is published is whole, and every event that the graph appends is as its schema says."""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import jsonschema
import orjson
import pytest

from adapters.kafka.async_api import envelope
from adapters.kafka.cloud_events import CONTENT_TYPE, POSITION, Naming, Record, record_of
from adapters.kafka.event_types import EVENT_TYPES
from gateway.settings.kafka import EventName
from graph.changes.alarms.acknowledge import acknowledge_alarm, unacknowledge_alarm
from graph.changes.alarms.comments import Comment, comment_alarm
from graph.changes.customers.records import CustomerRecord, take_records
from graph.changes.orders.cancelling import Cancellation, cancel_order
from graph.changes.orders.changing import OrderChange, change_order
from graph.changes.orders.moving import Advance, Move, advance_order
from graph.changes.orders.placing import place_order
from graph.changes.orders.requests import ItemRequest, OrderRequest, Party
from graph.changes.policy import AlarmPolicy, Ordering
from graph.changes.tickets.reported import report_tickets
from graph.ledger.positions import place
from graph.ledger.sequence import Sequenced, all_between
from graph.model.event_kinds import KINDS, LEFT_OUT
from graph.model.model import LABELS
from graph.model.scope import Principal, Role
from graph.store.store import Store
from tests.graph.changes.customers.ways import Merged
from tests.graph.changes.network import POLICY, Laid, lay, report, soon
from tests.graph.changes.tickets.test_reported import said
from tests.graph.changes.tickets.test_requests import changed, reported

TOP = Path(__file__).parents[3]
NAMING = Naming(prefix="trunkline.", source="trunkline")
OPERATOR = Principal(subject="9:issuer-a:ann", role=Role.OPERATOR)
NAMES_OF_CLASSES = {"AlarmPolicy"}


def _names() -> Iterator[str]:
    """Give each name in the graph's code that could be a type of event."""
    for room in ("changes", "inventory", "ledger"):
        for path in (TOP / "graph" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    if re.fullmatch(r"[A-Z][a-z]+([A-Z][a-z]+)+", node.value):
                        yield node.value
                    yield from re.findall(r"type: '([A-Z]\w+)'", node.value)


def test_every_type_that_the_graph_appends_is_in_the_table_and_no_other() -> None:
    known = {*LEFT_OUT, *(event for kind in KINDS.values() for event in kind.events)}
    assert known == set(EVENT_TYPES)
    assert set(_names()) - set(LABELS) - NAMES_OF_CLASSES - (set(KINDS) - known) == known


def test_the_settings_know_the_same_types() -> None:
    assert set(get_args(EventName)) == set(EVENT_TYPES)


def test_every_schema_is_one() -> None:
    for each in EVENT_TYPES.values():
        jsonschema.Draft202012Validator.check_schema(each.schema)


def told(record: Record) -> Any:
    """Give the CloudEvent of a record, which is as its schema says."""
    assert record.value is not None
    event = orjson.loads(record.value)
    kind = EVENT_TYPES[event["type"].removeprefix("trunkline.")]
    checker = jsonschema.FormatChecker()
    jsonschema.Draft202012Validator(envelope(kind.name, kind.schema), format_checker=checker).validate(event)
    unknown = set(event["data"]) - set(kind.properties) - {"customers"}
    assert not unknown, f"{kind.name} has members that its schema does not name: {unknown}"
    return event


async def published(store: Store) -> list[tuple[Record, Any]]:
    """Give what is published of all events of a store, and what it says."""
    await place(store, owner="tests", renew=False, deadline=soon())
    events = await all_between(store, 0, 1_000, list(EVENT_TYPES), deadline=soon())
    records = [record_of(each, NAMING, most_bytes=1_000_000) for each in events]
    return [(each, told(each)) for each in records]


async def test_an_alarm_and_what_follows_are_as_their_schemas_say(empty_store: Store) -> None:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    alarm = await laid.raise_(report("trunk-1"))
    await laid.raise_(report("card-3", 2))
    by: dict[str, Any] = {"idempotency_key": "k", "deadline": soon()}
    await acknowledge_alarm(empty_store, OPERATOR, POLICY, alarm_id=alarm, **by)
    await unacknowledge_alarm(empty_store, OPERATOR, POLICY, alarm_id=alarm, **{**by, "idempotency_key": "u"})
    comment = Comment(alarm=alarm, text="hm", user="ann", system="")
    await comment_alarm(empty_store, OPERATOR, POLICY, comment, **{**by, "idempotency_key": "c"})
    await laid.clear(alarm)
    found = await published(empty_store)
    types = {event["type"].removeprefix("trunkline.") for _, event in found}
    wanted = {"AlarmRaised", "AlarmEffectChanged", "AlarmCleared", "AlarmAcknowledged", "AlarmUnacknowledged"}
    assert {*wanted, "AlarmCommented", "DowntimeBegan"} <= types
    record, event = found[0]
    assert record.topic == "trunkline.AlarmRaised"
    assert (record.key, dict(record.headers)) == (
        alarm.encode(),
        {"content-type": CONTENT_TYPE.encode(), POSITION: b"1"},
    )
    assert (event["subject"], event["sequence"], event["data"]["alarm"]) == (alarm, f"{1:020d}", alarm)
    [impact] = [each for each in event["data"]["impacts"] if each["service"] == "service-b"]
    assert impact["before"] == {"effect": None, "severity": None}
    assert impact["after"]["effect"] == "down"
    assert event["data"]["customers"] == ["customer-a", "customer-b"]
    assert "trunkline.DowntimeBegan" in {each.topic for each, _ in found}


async def test_tickets_and_what_becomes_of_them_are_as_their_schemas_say(empty_store: Store) -> None:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    alarm = await laid.raise_(report("trunk-1"))
    ticket = (await reported(laid, OPERATOR)).ids["ticket"]
    assert (await changed(laid, "commentTicket", ticket, OPERATOR)).user_errors == ()
    theirs = said("7", "service-a")
    for each in (theirs, replace(theirs, status="inProgress", changed_at=2_000)):
        await report_tickets(empty_store, POLICY, [each], subject="desk", deadline=soon())
    found = {event["type"].removeprefix("trunkline."): event["data"] for _, event in await published(empty_store)}
    assert {"ProblemReported", "TicketCommented", "TicketReported", "TicketStatusChanged"} <= set(found)
    assert found["ProblemReported"]["services"] == ["service-a"]
    assert found["TicketStatusChanged"]["statusBefore"] == "acknowledged"
    turns = found["AlarmRaised"]["ticketTurns"]
    assert {(each["customer"], each["doing"]) for each in turns} == {("customer-a", "open"), ("customer-b", "open")}
    assert found["AlarmRaised"]["alarm"] == alarm


async def test_what_happens_to_an_order_is_as_its_schemas_say(empty_store: Store) -> None:
    await lay(empty_store)
    asked = OrderRequest(kind="product", items=(ItemRequest(id="1"),), external_id="PO-1", party=Party(id="customer-a"))
    policy, by = replace(POLICY, ordering=Ordering()), {"deadline": soon()}
    order = (await place_order(empty_store, OPERATOR, policy, asked, idempotency_key="1", **by)).ids["order"]
    change = OrderChange(order=order, values={"priority": "1", "requestedStartAt": 4_000_000_000_000})
    await change_order(empty_store, OPERATOR, policy, change, idempotency_key="2", **by)
    for number, state in enumerate(("inProgress", "assessingCancellation", "inProgress")):
        if state == "assessingCancellation":
            cancel = Cancellation(order=order, reason="too late")
            await cancel_order(empty_store, OPERATOR, policy, cancel, idempotency_key="3", **by)
            continue
        advance = Advance(order=order, moves=(Move(to=state),), reason="it goes on")
        await advance_order(empty_store, OPERATOR, advance, idempotency_key=f"4{number}", **by)
    found = [(event["type"].removeprefix("trunkline."), event["data"]) for _, event in await published(empty_store)]
    mine = [(kind, data) for kind, data in found if kind.startswith("Order")]
    assert [kind for kind, _ in mine] == [
        "OrderPlaced",
        "OrderChanged",
        "OrderStateChanged",
        "OrderCancellationRequested",
        "OrderStateChanged",
        "OrderStateChanged",
        "OrderCancellationDecided",
    ]
    assert {data["order"] for _, data in mine} == {order}
    assert mine[-1][1]["cancellationState"] == "terminatedWithError"
    assert all(data["customers"] == ["customer-a"] for _, data in mine)


async def test_what_becomes_of_customers_is_as_its_schemas_say(empty_store: Store) -> None:
    merged = Merged(laid=Laid(store=empty_store))
    policy = AlarmPolicy(customer_management="crm")
    for at, name, is_gone in ((1, "Acme", False), (2, "Acme Ltd", False), (3, None, True)):
        told = CustomerRecord(external_id="1", name=name, at=at, is_gone=is_gone)
        other = CustomerRecord(external_id="2", name="ACME", at=1)
        await take_records(empty_store, policy, [told, other], subject="crm", deadline=soon())
    [[match], *_] = await merged.laid.rows("MATCH (m:CustomerMatch) RETURN m.id")
    await merged.decline(str(match), "two")
    first, second = [str(each) for [each] in await merged.laid.rows("MATCH (c:Customer) RETURN c.id ORDER BY c.id")]
    await merged.merge(first, second)
    await merged.undo(first)
    found = {event["type"].removeprefix("trunkline."): event["data"] for _, event in await published(empty_store)}
    assert {each for each in EVENT_TYPES if each.startswith("Customer")} <= set(found)
    assert found["CustomerMerged"]["moved"]["externalNames"] == 1
    assert found["CustomerMerged"]["customers"] == []


def sequenced(**more: Any) -> Sequenced:
    given: dict[str, Any] = {
        "position": 7,
        "id": "event-1",
        "type": "AlarmRaised",
        "about": "alarm-1",
        "at": int(time.time() * 1_000),
        "payload": {
            "alarm": "alarm-1",
            "state": "raised",
            "perceivedSeverity": "major",
            "resource": None,
            "impacts": {"customer-1": [[f"service-{n}", None, None, "down", "critical"] for n in range(200)]},
            "tickets": {},
        },
        "customers": frozenset({"customer-1"}),
    }
    return Sequenced(**{**given, **more})


def test_what_is_too_large_is_left_out_and_named() -> None:
    record = record_of(sequenced(), NAMING, most_bytes=10_000)
    assert record.value is not None
    assert len(record.value) < 10_000
    event = orjson.loads(record.value)
    assert event["data"]["omitted"] == ["impacts"]
    assert event["data"]["customers"] == ["customer-1"]
    kind = EVENT_TYPES["AlarmRaised"]
    jsonschema.validate(event, envelope(kind.name, kind.schema))


def test_the_prefix_and_the_source_are_the_operators() -> None:
    record = record_of(sequenced(), Naming(prefix="", source="urn:noc:west"), most_bytes=1_000_000)
    assert record.topic == "AlarmRaised"
    assert record.value is not None
    assert orjson.loads(record.value)["source"] == "urn:noc:west"


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_an_event_without_what_it_must_say_breaks_its_schema(name: str) -> None:
    kind = EVENT_TYPES[name]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, kind.schema)
