"""What subscribers hear of alarms, services, equipment and deliveries, each as far as it is theirs."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, Final

import pytest

from graph.changes.deliveries import replay_delivery
from graph.changes.events import Event, append
from graph.changes.tickets.problems import report_problem
from graph.changes.tickets.request_rules import Problem, TicketRequest
from graph.changes.tickets.requests import change_ticket
from graph.changes.tickets.ticketing import Heard, note_tickets
from graph.compiler.leaves import rfc3339
from graph.ledger.claims import claim as claim_due
from graph.ledger.lanes import take_lanes
from graph.ledger.outcomes import Dead, settle
from graph.store.store import Store, Transaction
from tests.graph.changes.network import AT, POLICY, Laid, lay, report, soon
from tests.resolvers.caller import OPERATOR
from tests.resolvers.streaming import A, B, Process, Stream, beat, nothing_more, process, taken

ALERTS = """subscription { alerts {
  kind at cursor alarmId perceivedSeverity severity totalServices
  alarm { id state }
  services { serviceId effect severity effectBefore severityBefore service { id customer { id } } }
  tickets { id customer { id } }
} }"""


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    """The network, laid."""
    await lay(empty_store)
    return Laid(store=empty_store)


async def alerts(stream: Stream, count: int) -> list[dict[str, Any]]:
    return [each.answer["data"]["alerts"] for each in await taken(stream, count)]


def services(alert: dict[str, Any]) -> list[tuple[Any, ...]]:
    names = ("serviceId", "effectBefore", "severityBefore", "effect", "severity")
    return [tuple(each[name] for name in names) for each in alert["services"]]


async def test_an_alarm_is_an_alert_when_it_begins_and_when_it_is_over(laid: Laid) -> None:
    async with process(laid.store) as here, aclosing(await here.stream(ALERTS)) as stream:
        alarm = await laid.raise_(report("card-1"))
        [began] = await alerts(stream, 1)
        assert (began["kind"], began["alarmId"], began["severity"]) == ("BEGAN", alarm, "CRITICAL")
        assert began["alarm"] == {"id": alarm, "state": "RAISED"}
        assert services(began) == [
            ("service-a", None, None, "DOWN", "CRITICAL"),
            ("service-b", None, None, "DOWN", "MAJOR"),
        ]
        assert sorted(each["customer"]["id"] for each in began["tickets"]) == ["customer-a", "customer-b"]
        await laid.clear(alarm)
        [ended] = await alerts(stream, 1)
        assert (ended["kind"], ended["alarmId"], ended["severity"]) == ("ENDED", alarm, "CRITICAL")
        assert services(ended) == [
            ("service-a", "DOWN", "CRITICAL", None, None),
            ("service-b", "DOWN", "MAJOR", None, None),
        ]
        assert began["at"] <= ended["at"]
        assert began["cursor"] != ended["cursor"]


async def test_a_customer_hears_of_its_own_services_only(laid: Laid) -> None:
    async with (
        process(laid.store) as here,
        aclosing(await here.stream(ALERTS, A)) as a,
        aclosing(await here.stream(ALERTS, B)) as b,
    ):
        alarm = await laid.raise_(report("card-1"))
        [for_a], [for_b] = await alerts(a, 1), await alerts(b, 1)
        assert (for_a["severity"], services(for_a)) == (
            "CRITICAL",
            [("service-a", None, None, "DOWN", "CRITICAL")],
        )
        assert (for_b["severity"], services(for_b)) == ("MAJOR", [("service-b", None, None, "DOWN", "MAJOR")])
        assert [each["customer"]["id"] for each in for_a["tickets"]] == ["customer-a"]
        assert for_a["alarm"]["id"] == for_b["alarm"]["id"] == alarm
        await laid.clear(alarm)
        [over] = await alerts(a, 1)
        assert (over["kind"], over["alarmId"], over["alarm"]) == ("ENDED", alarm, None)


async def test_what_changes_for_others_only_is_not_heard(laid: Laid) -> None:
    """card-2 is of customer-b; with trunk-1 down, service-a goes from at risk to down, and back."""
    async with process(laid.store) as here, aclosing(await here.stream(ALERTS, A)) as a:
        await laid.raise_(report("port-b", 1))
        await laid.raise_(report("port-a", 2))
        [alert] = await alerts(a, 1)
        assert services(alert) == [("service-a", None, None, "DOWN", "CRITICAL")]
        await nothing_more(a)


async def test_an_alarm_that_makes_another_one_worse_is_an_alert_of_both(laid: Laid) -> None:
    async with process(laid.store) as here, aclosing(await here.stream(ALERTS, A)) as a:
        first = await laid.raise_(report("trunk-2", 1))
        second = await laid.raise_(report("trunk-1", 2))
        begun, *both = await alerts(a, 3)
        assert (begun["alarmId"], begun["kind"]) == (first, "BEGAN")
        assert [(each[0], each[3]) for each in services(begun)] == [("service-a", "AT_RISK")]
        assert {each["alarmId"]: each["kind"] for each in both} == {first: "CHANGED", second: "BEGAN"}
        assert {each[3] for alert in both for each in services(alert)} == {"DOWN"}
        worse = next(each for each in both if each["alarmId"] == first)
        assert [each[1] for each in services(worse)] == ["AT_RISK"]


async def heard(here: Process, filter_: str, laid: Laid) -> list[Any]:
    """Raise and clear two alarms before anybody subscribes with a filter; give what is replayed."""
    text = "subscription { alerts { kind alarmId cursor } }"
    async with aclosing(await here.stream(text)) as stream:
        begun = await laid.raise_(report("port-y", 7))
        [event] = await taken(stream, 1)
    first, second = await laid.raise_(report("card-1", 1)), await laid.raise_(report("port-c", 2))
    await laid.clear(first, "k1")
    await laid.clear(second, "k2")
    await laid.clear(begun, "k3")
    names = {first: "card-1", second: "port-c", begun: "port-y"}
    asked = f"subscription {{ alerts(filter: {filter_}) {{ kind alarmId services {{ serviceId }} }} }}"
    found = []
    async with aclosing(await here.stream(asked, after=event.cursor)) as stream:
        while True:
            [alert] = await alerts(stream, 1)
            found.append((names[alert["alarmId"]], alert["kind"], [each["serviceId"] for each in alert["services"]]))
            if (names[alert["alarmId"]], alert["kind"]) == ("port-y", "ENDED"):
                return found


async def test_a_filter_narrows_alerts_and_their_services(laid: Laid) -> None:
    async with process(laid.store) as here:
        found = await heard(here, '{customer: {eq: "customer-b"}, service: {in: ["service-b", "service-a"]}}', laid)
        assert found == [
            ("card-1", "BEGAN", ["service-b"]),
            ("card-1", "ENDED", ["service-b"]),
            ("port-y", "ENDED", ["service-b"]),
        ]


async def test_a_filter_asks_for_severity_resource_and_kind(laid: Laid) -> None:
    async with (
        process(laid.store) as here,
        aclosing(
            await here.stream(
                'subscription { alerts(filter: {severityAtLeast: MAJOR, resource: {eq: "card-1"}, kind: {eq: ENDED}}) '
                "{ kind alarmId severity } }"
            )
        ) as stream,
    ):
        first, second = await laid.raise_(report("card-1", 1)), await laid.raise_(report("port-c", 2))
        await laid.clear(second, "k2")
        await laid.clear(first, "k1")
        assert await alerts(stream, 1) == [{"kind": "ENDED", "alarmId": first, "severity": "CRITICAL"}]
        await nothing_more(stream)


async def test_nothing_is_as_severe_as_cleared(laid: Laid) -> None:
    async with process(laid.store) as here:
        refused = await here.refused("subscription { alerts(filter: {severityAtLeast: CLEARED}) { kind } }")
        assert refused["code"] == "BAD_USER_INPUT"


async def test_services_turn(laid: Laid) -> None:
    kinds = "{kind: {in: [EFFECT_BEGAN, EFFECT_ENDED]}}"
    shown = "kind serviceId effect from to service { id } downtime { id effect } services { serviceId } tickets { ticketId }"
    text = f"subscription {{ serviceEvents(filter: {kinds}) {{ {shown} }} }}"
    async with process(laid.store) as here, aclosing(await here.stream(text, A)) as stream:
        alarm = await laid.raise_(report("card-1"))
        await laid.clear(alarm)
        began, ended = [each.answer["data"]["serviceEvents"] for each in await taken(stream, 2)]
        assert (began["kind"], began["effect"], began["to"]) == ("EFFECT_BEGAN", "DOWN", None)
        assert (began["services"], began["tickets"]) == ([{"serviceId": "service-a"}], [])
        assert (ended["kind"], ended["from"], ended["serviceId"]) == ("EFFECT_ENDED", began["from"], "service-a")
        assert ended["to"] is not None
        assert began["downtime"] == ended["downtime"]
        await nothing_more(stream)


BOOSTS: Final = (
    ("BoostScheduled", "SCHEDULED", None),
    ("BoostActivated", "ACTIVATED", None),
    ("BoostChanged", "ACTIVATED", None),
    ("BoostAboutToEnd", "ACTIVATED", None),
    ("BoostTerminated", "TERMINATED", "DURATION_EXPIRED"),
    ("BoostDeclined", "TERMINATED", "BOOKING_DECLINED"),
)
BOOST_KINDS: Final = ["SCHEDULED", "ACTIVATED", "CHANGED", "ABOUT_TO_END", "TERMINATED", "DECLINED"]


async def boosted(laid: Laid, service: str = "service-a", customer: str = "customer-a") -> None:
    """Let a boost be booked and go its way, as the changes write it down."""
    text = "MATCH (s:Service {id: $id}) CREATE (b:Boost {id: 'boost-' + $id})-[:BOOSTS]->(s) SET b += $values"
    values = {"mbps": 500, "startAt": AT, "endAt": AT + 7_200_000, "status": "ACTIVATED"}
    await laid.run(text, id=service, values={**values, "price": 1, "currency": "EUR"})

    async def work(transaction: Transaction) -> None:
        for number, (kind, status, reason) in enumerate(BOOSTS):
            told = {**values, "boost": f"boost-{service}", "service": service, "customer": customer}
            event = Event(
                type=kind,
                aggregate_id=service,
                aggregate_version=number + 1,
                at=AT + number,
                principal="tests",
                payload={**told, "status": status, "reason": reason},
                customers=(customer,),
            )
            append(transaction, event)

    await laid.store.write(work, deadline=soon())


async def test_a_boost_is_heard_of_by_its_customer_from_its_booking_to_its_end(laid: Laid) -> None:
    shown = "kind at boostId boost { id mbps } serviceId service { id } mbps startAt endAt status reason"
    text = f"subscription {{ boostEvents {{ {shown} }} }}"
    async with (
        process(laid.store) as here,
        aclosing(await here.stream(text, A)) as mine,
        aclosing(await here.stream(text, B)) as theirs,
    ):
        await boosted(laid)
        events = [each.answer["data"]["boostEvents"] for each in await taken(mine, len(BOOSTS))]
        assert [each["kind"] for each in events] == BOOST_KINDS
        assert [each["reason"] for each in events] == [reason for _, _, reason in BOOSTS]
        assert events[0] == {
            "kind": "SCHEDULED",
            "at": rfc3339(AT),
            "boostId": "boost-service-a",
            "boost": {"id": "boost-service-a", "mbps": 500},
            "serviceId": "service-a",
            "service": {"id": "service-a"},
            "mbps": 500,
            "startAt": rfc3339(AT),
            "endAt": rfc3339(AT + 7_200_000),
            "status": "SCHEDULED",
            "reason": None,
        }
        await nothing_more(mine)
        await nothing_more(theirs)


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("filter_", "kinds"),
    [
        pytest.param("{kind: {in: [ABOUT_TO_END, DECLINED]}}", ["ABOUT_TO_END", "DECLINED"], id="by kind"),
        pytest.param('{boost: {eq: "boost-service-a"}}', BOOST_KINDS, id="by boost"),
        pytest.param('{boost: {eq: "boost-service-b"}}', [], id="of another boost"),
        pytest.param('{service: {in: ["service-a"]}}', BOOST_KINDS, id="by service"),
        pytest.param('{customer: {eq: "customer-b"}}', [], id="of another customer"),
    ],
)
async def test_events_of_boosts_are_narrowed(laid: Laid, filter_: str, kinds: list[str]) -> None:
    text = f"subscription {{ boostEvents(filter: {filter_}) {{ kind }} }}"
    async with process(laid.store) as here, aclosing(await here.stream(text, A)) as stream:
        await boosted(laid)
        assert [each.answer["data"]["boostEvents"]["kind"] for each in await taken(stream, len(kinds))] == kinds
        await nothing_more(stream)


TICKETS = """subscription { serviceEvents(filter: {kind: {in: [
  PROBLEM_REPORTED, TICKET_OPENED, TICKET_STATUS_CHANGED, TICKET_CLOSED
]}}) {
  kind serviceId services { serviceId service { id } } effect from downtime { id } tickets { ticketId status ticket { id } }
} }"""


async def turns(stream: Stream, count: int) -> list[tuple[str, list[str], list[tuple[str, str]]]]:
    """Take events of tickets; give the kind, the services, and each ticket with the status that was kept."""
    found = []
    for each in await taken(stream, count):
        event = each.answer["data"]["serviceEvents"]
        assert (event["effect"], event["from"], event["downtime"]) == (None, None, None)
        assert [one["service"]["id"] for one in event["services"]] == [one["serviceId"] for one in event["services"]]
        assert event["serviceId"] == event["services"][0]["serviceId"]
        assert all(one["ticket"]["id"] == one["ticketId"] for one in event["tickets"])
        tickets = [(one["ticketId"], one["status"]) for one in event["tickets"]]
        found.append((event["kind"], [one["serviceId"] for one in event["services"]], tickets))
    return found


async def test_a_service_tells_of_the_tickets_that_an_alarm_opens_and_resolves(laid: Laid) -> None:
    """One event for each alarm: who sees several customers sees a ticket for each; each customer sees its own."""
    async with (
        process(laid.store) as here,
        aclosing(await here.stream(TICKETS)) as everything,
        aclosing(await here.stream(TICKETS, B)) as b,
    ):
        alarm = await laid.raise_(report("card-1"))
        [(kind, services_, opened)] = await turns(everything, 1)
        assert (kind, services_, [status for _, status in opened]) == (
            "TICKET_OPENED",
            ["service-a", "service-b"],
            ["ACKNOWLEDGED"] * 2,
        )
        [(_, _, mine)] = await turns(b, 1)
        assert mine == [opened[1]]
        await laid.clear(alarm)
        assert await turns(b, 1) == [("TICKET_STATUS_CHANGED", ["service-b"], [(mine[0][0], "RESOLVED")])]
        await nothing_more(b)


async def test_a_service_tells_of_a_problem_and_of_what_becomes_of_its_ticket(laid: Laid) -> None:
    """What the event kept is told again to who comes back, whatever the ticket is by then."""
    problem = Problem(service="service-a", description="It is slow")
    async with process(laid.store) as here:
        async with aclosing(await here.stream(TICKETS, A)) as a, aclosing(await here.stream(TICKETS, B)) as b:
            first = await beat(a)
            await beat(b)
            made = await report_problem(laid.store, OPERATOR, POLICY, problem, idempotency_key="k", deadline=soon())
            ticket = str(made.ids["ticket"])
            [[key]] = await laid.rows("MATCH (t:Ticket {id: $id}) RETURN t.orderKey", id=ticket)
            await laid.run("MATCH (d:Delivery {openKey: $key}) SET d.state = 'DONE'", key=key)
            for number, status in enumerate(("inProgress", "inProgress", "resolved")):
                heard = Heard(order_key=key, their_id="7", status=status, changed_at=AT + number)
                await note_tickets(laid.store, POLICY, [heard], subject="desk", deadline=soon())
            request = TicketRequest(doing="closeTicket", ticket=ticket)
            await change_ticket(laid.store, OPERATOR, POLICY, request, idempotency_key="c", deadline=soon())
            told = await turns(a, 4)
            await nothing_more(b)
        assert told == [
            ("PROBLEM_REPORTED", ["service-a"], [(ticket, "ACKNOWLEDGED")]),
            ("TICKET_STATUS_CHANGED", ["service-a"], [(ticket, "IN_PROGRESS")]),
            ("TICKET_STATUS_CHANGED", ["service-a"], [(ticket, "RESOLVED")]),
            ("TICKET_CLOSED", ["service-a"], [(ticket, "CLOSED")]),
        ]
        async with aclosing(await here.stream(TICKETS, A, after=first.cursor)) as a:
            assert await turns(a, 4) == told


async def test_a_ticket_of_a_service_that_has_changed_hands_is_told_to_neither(laid: Laid) -> None:
    problem = Problem(service="service-a", description="It is slow")
    async with process(laid.store) as here:
        async with aclosing(await here.stream(TICKETS, A)) as a, aclosing(await here.stream(TICKETS, B)) as b:
            cursors = [(await beat(each)).cursor for each in (a, b)]
        await report_problem(laid.store, OPERATOR, POLICY, problem, idempotency_key="k", deadline=soon())
        await laid.run("MATCH (:Customer)-[r:SUBSCRIBES_TO]->(:Service {id: 'service-a'}) DELETE r")
        await laid.run(
            "MATCH (c:Customer {id: 'customer-b'}) MATCH (s:Service {id: 'service-a'}) CREATE (c)-[:SUBSCRIBES_TO]->(s)"
        )
        for principal, cursor in zip((A, B), cursors, strict=True):
            async with aclosing(await here.stream(TICKETS, principal, after=cursor)) as stream:
                await nothing_more(stream)


async def test_what_a_service_runs_over_is_heard_of_by_who_has_it(laid: Laid) -> None:
    text = """subscription { topologyChanges { kind resourceId resourceType cursor
      resource { __typename id ... on Trunk { terminations { end port { id } } } } } }"""
    changes = (("ResourceStateChanged", "trunk-2", CUSTOMERS), ("ResourceChanged", "port-b", CUSTOMERS[1:]))
    async with (
        process(laid.store) as here,
        aclosing(await here.stream(text)) as everything,
        aclosing(await here.stream(text, A)) as a,
    ):
        for number, each in enumerate((*changes, ("ResourceRemoved", "card-9", ()), changes[0])):
            await tell(laid.store, *each, at=AT + number)
        found = [each.answer["data"]["topologyChanges"] for each in await taken(everything, 4)]
        assert [(each["kind"], each["resourceId"], each["resourceType"]) for each in found] == [
            ("STATE_CHANGED", "trunk-2", "Trunk"),
            ("CHANGED", "port-b", "Port"),
            ("REMOVED", "card-9", "Card"),
            ("STATE_CHANGED", "trunk-2", "Trunk"),
        ]
        assert found[1]["resource"] == {"__typename": "Port", "id": "port-b"}
        assert found[2]["resource"] is None
        trunk = found[0]["resource"]
        assert [each["port"]["id"] for each in trunk["terminations"]] == ["port-t2", "port-u2"]
        mine = [each.answer["data"]["topologyChanges"] for each in await taken(a, 2)]
        assert [(each["resourceId"], each["resource"]) for each in mine] == [("trunk-2", trunk)] * 2
        # Not over what it has run over before, and does no more.
        await laid.run("MATCH (:Service {id: 'service-a'})-[r:ROUTED_OVER]->(:Trunk {id: 'trunk-2'}) DELETE r")
        await tell(laid.store, *changes[0], at=AT + 9)
        await nothing_more(a)


CUSTOMERS = ("customer-a", "customer-b")


async def tell(store: Store, type_: str, about: str, customers: Sequence[str], *, at: int) -> None:
    """Write an event as an inventory's changes do."""
    payload = {"resource": about}
    event = Event(
        type=type_, aggregate_id=about, aggregate_version=1, at=at, principal="t", payload=payload, customers=customers
    )

    async def work(transaction: Transaction) -> None:
        append(transaction, event)

    await store.write(work, deadline=soon())


async def test_operators_hear_of_what_waits_for_a_person(laid: Laid) -> None:
    text = "subscription { deliveries { kind deliveryId reason error delivery { id state system } } }"
    async with process(laid.store) as here, aclosing(await here.stream(text)) as stream:
        await laid.raise_(report("port-a"))
        leases = await take_lanes(laid.store, "desk", owner="one", ttl_ms=10_000, deadline=soon())
        [claim] = await claim_due(laid.store, leases, most=16, hold_ms=6_000, deadline=soon())
        dead = Dead(claim=claim, error="no such desk", reason="refused")

        async def park(transaction: Transaction) -> None:
            await settle(transaction, [dead])

        await laid.store.write(park, deadline=soon())
        [parked] = [each.answer["data"]["deliveries"] for each in await taken(stream, 1)]
        assert (parked["kind"], parked["deliveryId"], parked["reason"]) == ("PARKED", claim.id, "REFUSED")
        assert parked["error"] == "no such desk"
        assert parked["delivery"] == {"id": claim.id, "state": "DEAD", "system": "desk"}
        await replay_delivery(laid.store, OPERATOR, delivery_id=claim.id, idempotency_key="again", deadline=soon())
        [replayed] = [each.answer["data"]["deliveries"] for each in await taken(stream, 1)]
        assert (replayed["kind"], replayed["deliveryId"], replayed["reason"]) == ("REPLAYED", claim.id, None)
