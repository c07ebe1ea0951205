"""Two customers become one, and two again: what is open goes on, what follows is right, and what cannot be is refused."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Final

import pytest

from graph.changes.bandwidth.policy import SpendCap
from graph.changes.customers import moving
from graph.changes.customers.hindrances import OPEN_ORDERS, OPEN_TICKETS
from graph.changes.orders import states
from graph.changes.orders.placing import place_order
from graph.changes.orders.requests import ItemRequest, OrderRequest, Party
from graph.changes.outcome import Outcome
from graph.changes.policy import AlarmPolicy, Ordering
from graph.changes.tasks import Settling, skip_task
from graph.changes.tickets import tickets
from graph.changes.tickets.owners import Reported
from graph.changes.tickets.problems import report_problem
from graph.changes.tickets.reported import report_tickets
from graph.changes.tickets.request_rules import Problem
from graph.changes.tickets.ticketing import Answered, Heard, settle_deliveries
from graph.errors import Refused
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Done
from graph.membership import build, build_missing, check
from graph.model.scope import CLAIMABLE, Principal, Role
from graph.model.vocabulary import ORDER_STATES, TICKET_STATES
from graph.store.store import Store
from tests.graph.changes.bandwidth.network import ANNA, HOUR, OPERATOR, laid_out
from tests.graph.changes.bandwidth.network import POLICY as SELLING
from tests.graph.changes.customers.ways import Merged
from tests.graph.changes.locks import recorded
from tests.graph.changes.network import AT, POLICY, Laid, lay, report, soon
from tests.graph.changes.test_lock_order import claim

A: Final = "customer-a"
B: Final = "customer-b"
ORDERS: Final = AlarmPolicy(ordering=Ordering(systems=frozenset({"crm"})))
CRM: Final = Principal(subject="9:issuer-a:crm", role=Role.SYSTEM, system="crm", sources=("crm",))
ADA: Final = Principal(subject="9:issuer-a:ada", role=Role.CUSTOMER, customers=(A,), changes=CLAIMABLE)
BOB: Final = Principal(subject="9:issuer-a:bob", role=Role.CUSTOMER, customers=(B,), changes=CLAIMABLE)


@pytest.fixture
async def laid(empty_store: Store) -> Laid:
    await lay(empty_store)
    laid = Laid(store=empty_store)
    await laid.run("MATCH (s:Service) SET s.state = 'active'")
    await laid.run("MATCH (c:Customer) SET c.accountRef = ''")
    return laid


@pytest.fixture
def merged(laid: Laid) -> Merged:
    return Merged(laid=laid)


def codes(outcome: Outcome) -> list[str]:
    return [each.code for each in outcome.user_errors]


async def placed(laid: Laid, principal: Principal, party: Party | None, external: str = "PO-1") -> Outcome:
    asked = OrderRequest(kind="product", items=(ItemRequest(id="1"),), external_id=external, party=party)
    return await place_order(laid.store, principal, ORDERS, asked, idempotency_key=None, deadline=soon())


async def owner(laid: Laid, outcome: Outcome) -> str:
    [[customer]] = await laid.rows("MATCH (:Order {id: $id})-[:PLACED_BY]->(c) RETURN c.id", id=outcome.ids["order"])
    return str(customer)


async def test_a_merge_is_made_once_and_told(laid: Laid, merged: Merged) -> None:
    await placed(laid, BOB, None)
    told = {"services": 2, "orders": 1, "tickets": 0, "externalNames": 0, "leads": 0, "stubs": 0}
    before = await merged.hung()
    dry = await merged.merge(B, A, dry_run=True)
    assert (dry.ids, dry.counts) == ({"customer": A, "stub": B}, told)
    assert await merged.hung() == before, "a dry run writes nothing"
    outcome = await merged.merge(B, A, key="once")
    assert await merged.merge(B, A, key="once") == outcome, "remembered, with its counts"
    assert outcome.counts == told
    assert await laid.events("CustomerMerge") == [(B, 1, "CustomerMerged", [])], "it concerns neither of the two"
    assert await merged.matches() == {(A, B): "merged"}
    undone = await merged.undo(B)
    assert undone.counts == told
    assert await merged.hung() == before
    assert await merged.matches() == {(A, B): "declined"}
    assert [kind for _, _, kind, _ in await laid.events("CustomerMerge")] == ["CustomerMerged", "CustomerMergeUndone"]


async def test_what_cannot_be_merged_is_refused(merged: Merged) -> None:
    assert codes(await merged.merge(A, A)) == ["SAME_CUSTOMER"]
    assert codes(await merged.merge(A, "customer-none")) == ["CUSTOMER_NOT_FOUND"]
    assert codes(await merged.merge("customer-none", A)) == ["CUSTOMER_NOT_FOUND"]
    assert codes(await merged.merge("", "")) == ["CUSTOMER_NOT_FOUND"]
    assert codes(await merged.undo(A)) == ["NOT_MERGED"]
    assert codes(await merged.undo("customer-none")) == ["CUSTOMER_NOT_FOUND"]
    await merged.merge(B, A)
    assert codes(await merged.merge(B, A)) == ["CUSTOMER_MERGED"]
    assert codes(await merged.merge(A, B)) == ["CUSTOMER_MERGED"]
    for principal in (CRM, ADA, Principal(subject="x", role=Role.ANALYST)):
        with pytest.raises(Refused):
            await replace(merged, by=principal).merge(A, B)
        with pytest.raises(Refused):
            await replace(merged, by=principal).undo(B)


async def test_too_much_for_one_transaction_is_refused_before_anything_is_locked(
    laid: Laid, merged: Merged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "MOST", 1)
    written = "MATCH (n) RETURN n.id, n._locked ORDER BY n.id"
    before = await laid.rows(written)
    for dry_run in (False, True):
        assert codes(await merged.merge(B, A, dry_run=dry_run)) == ["TOO_MANY_MOVED"]
    assert [each for each in await laid.rows(written) if each not in before and each[1]] == []
    assert (await merged.merge(A, B)).user_errors == (), "one service is not too many"


async def test_a_dry_run_locks_nothing(laid: Laid, merged: Merged, monkeypatch: pytest.MonkeyPatch) -> None:
    await laid.run("CREATE (:Customer {id: 'customer-c', name: 'c', accountRef: ''})")
    await merged.merge(B, "customer-c")
    with recorded(monkeypatch) as seen:
        assert (await merged.merge(A, "customer-c", dry_run=True)).ids
        dry = await merged.undo(B, dry_run=True)
    assert seen.orders() == [], "nothing was locked"
    assert dry.counts == (await merged.undo(B)).counts


def test_what_is_over_is_so_for_a_merge_as_well() -> None:
    assert set(OPEN_TICKETS) == set(TICKET_STATES) - tickets.FINAL
    assert set(OPEN_ORDERS) == set(ORDER_STATES) - states.FINAL


async def test_two_that_merge_at_once_make_no_circle(laid: Laid, merged: Merged) -> None:
    outcomes = await asyncio.gather(merged.merge(A, B), merged.merge(B, A))
    assert sorted(map(codes, outcomes)) == [[], ["CUSTOMER_MERGED"]]
    assert len(await laid.rows("MATCH (a:Customer)-[:MERGED_INTO]->(b:Customer) RETURN a.id, b.id")) == 1


async def test_a_merge_is_undone_after_that_of_its_customer(laid: Laid, merged: Merged) -> None:
    await laid.run("CREATE (:Customer {id: 'customer-c', name: 'c', accountRef: 'ACC-C'})")
    before, written = await merged.hung(), await merged.customers()
    await merged.merge(B, A)
    await merged.merge(A, "customer-c")
    assert codes(await merged.undo(B)) == ["UNDO_HINDERED"]
    await merged.undo(A)
    await merged.undo(B)
    assert await merged.hung() == before
    assert await merged.customers() == written


async def test_an_account_is_taken_where_there_is_none_and_given_back(laid: Laid, merged: Merged) -> None:
    await laid.run("MATCH (c:Customer {id: 'customer-b'}) SET c.accountRef = 'ACC-B'")
    await merged.merge(B, A)
    accounts = "MATCH (c:Customer) RETURN c.accountRef ORDER BY c.id"
    assert await laid.rows(accounts) == [["ACC-B"], ["ACC-B"]]
    await merged.undo(B)
    assert await laid.rows(accounts) == [[""], ["ACC-B"]]
    await laid.run("MATCH (c:Customer {id: 'customer-a'}) SET c.accountRef = 'ACC-A'")
    await merged.merge(B, A)
    assert await laid.rows(accounts) == [["ACC-A"], ["ACC-B"]], "one that has an account keeps it"


async def test_whoever_names_a_stub_means_the_other(laid: Laid, merged: Merged) -> None:
    made = await owner(laid, await placed(laid, CRM, Party(id="4711", name="New Ltd")))
    await merged.merge(made, A)
    for number, party in enumerate((Party(id="4711", name="New Ltd"), Party(id=made))):
        assert await owner(laid, await placed(laid, CRM, party, f"PO-{number + 2}")) == A
    await merged.undo(made)
    assert await owner(laid, await placed(laid, CRM, Party(id="4711"), "PO-9")) == made


async def test_a_token_of_a_stub_orders_for_nobody(laid: Laid, merged: Merged) -> None:
    await merged.merge(B, A)
    assert codes(await placed(laid, BOB, None)) == ["CUSTOMER_MERGED"]
    assert await owner(laid, await placed(laid, ADA, None)) == A
    both = replace(BOB, customers=(A, B))
    for number, party in enumerate((None, Party(id=A), Party(id=B)), 2):
        assert await owner(laid, await placed(laid, both, party, f"PO-{number}")) == A, "the stub is the other"


async def test_both_have_used_an_external_id(laid: Laid, merged: Merged) -> None:
    theirs = await placed(laid, BOB, None)
    await laid.run("MATCH (o:Order {id: $id}) SET o._content = 'another'", id=theirs.ids["order"])
    ours = await placed(laid, ADA, None)
    await merged.merge(B, A)
    assert await placed(laid, ADA, None) == ours


async def test_an_external_id_that_only_the_stub_has_used_is_free(laid: Laid, merged: Merged) -> None:
    theirs = await placed(laid, BOB, None, "7")
    other = await placed(laid, BOB, None, "8")
    await laid.run("MATCH (o:Order {id: $id}) SET o._content = 'another'", id=other.ids["order"])
    await merged.merge(B, A)
    for external, order in (("7", theirs), ("8", other)):
        ours = await placed(laid, ADA, None, external)
        assert ours.user_errors == ()
        assert ours != order
        assert await placed(laid, ADA, None, external) == ours, "and then it is its own"


async def test_a_ticket_that_turns_out_closed_leaves_its_services_to_the_other_open_one(
    laid: Laid, merged: Merged
) -> None:
    alarm = await laid.raise_(report("card-3"))
    await merged.merge(A, B)
    await laid.raise_(report("card-3", changed_at=AT + 1, perceived_severity="critical"))
    key = f"{alarm}:{A}"
    heard = Heard(order_key=key, their_id="T1", status="closed", changed_at=None)
    closed = Answered(outcome=Done(claim=await claim(laid, key)), heard=heard, is_closed=True)
    await settle_deliveries(laid.store, POLICY, [closed], subject="desk", deadline=soon())
    services = {key: each[::2] for key, each in (await laid.tickets()).items()}
    assert services == {
        key: ("closed", ["service-a"]),
        f"{alarm}:{B}": ("acknowledged", ["service-a", "service-b", "service-c"]),
    }
    last = [each for each in await laid.told() if each[0] == f"{alarm}:{B}"][-1]
    assert last[2] == "amend", "and the ticketing system is told"


async def test_tickets_of_one_alarm_go_on_each_with_its_services(laid: Laid, merged: Merged) -> None:
    alarm = await laid.raise_(report("card-3"))
    services = {key: each[2] for key, each in (await laid.tickets()).items()}
    assert services == {f"{alarm}:{A}": ["service-a"], f"{alarm}:{B}": ["service-b", "service-c"]}
    await merged.merge(B, A)
    await laid.raise_(report("card-3", changed_at=AT + 1, perceived_severity="major"))
    assert {key: each[2] for key, each in (await laid.tickets()).items()} == services
    await laid.clear(alarm)
    assert {each[0] for each in (await laid.tickets()).values()} == {"resolved"}
    await laid.raise_(report("card-3", raised_at=AT + 2))
    assert {key: each[::2] for key, each in (await laid.tickets()).items()} == {
        f"{alarm}:{A}": ("inProgress", ["service-a", "service-b", "service-c"]),
        f"{alarm}:{B}": ("resolved", ["service-b", "service-c"]),
    }, "it returns to one customer, in one ticket"


async def test_a_ticket_that_only_the_stub_had_goes_on(laid: Laid, merged: Merged) -> None:
    await laid.run("CREATE (:Customer {id: 'customer-c', name: 'c', accountRef: ''})")
    alarm = await laid.raise_(report("card-2"))
    assert (await laid.tickets()).keys() == {f"{alarm}:{A}", f"{alarm}:{B}"}
    await merged.merge(B, "customer-c")
    await laid.clear(alarm)
    await laid.raise_(report("card-2", raised_at=AT + 1))
    assert (await laid.tickets())[f"{alarm}:{B}"][0] == "inProgress"
    assert (await laid.tickets()).keys() == {f"{alarm}:{A}", f"{alarm}:{B}"}


async def test_a_ticket_under_way_that_turns_out_closed_is_followed_for_the_other(laid: Laid, merged: Merged) -> None:
    await laid.run("CREATE (:Customer {id: 'customer-c', name: 'c', accountRef: ''})")
    alarm = await laid.raise_(report("card-2"))
    key = f"{alarm}:{B}"
    claimed: Claim = await claim(laid, key)
    await merged.merge(B, "customer-c")
    heard = Heard(order_key=key, their_id="T1", status="closed", changed_at=None)
    closed = Answered(outcome=Done(claim=claimed), heard=heard, is_closed=True)
    await settle_deliveries(laid.store, POLICY, [closed], subject="desk", deadline=soon())
    found = await laid.tickets()
    assert found[key][0] == "closed"
    assert found[f"{alarm}:customer-c"][::2] == ("acknowledged", ["service-b", "service-c"])
    text = "MATCH (t:Ticket)-[:OPENED_FOR]->(c) WHERE t.orderKey ENDS WITH 'customer-b' OR t.orderKey ENDS WITH 'customer-c' RETURN DISTINCT c.id"
    assert await laid.rows(text) == [["customer-c"]]


async def test_what_people_open_there_for_a_stub_is_the_others(laid: Laid, merged: Merged) -> None:
    await merged.merge(B, A)
    told = Reported(
        their_id="T9", key=None, status="held", severity="minor", changed_at=None, services=("service-b",), customer=B
    )
    await report_tickets(laid.store, POLICY, [told], subject="desk", deadline=soon())
    text = "MATCH (t:Ticket {externalId: 'T9'})-[:OPENED_FOR]->(c) RETURN c.id"
    assert await laid.rows(text) == [[A]]


async def test_what_is_open_about_both_hinders_an_undo(laid: Laid, merged: Merged) -> None:
    await merged.merge(B, A)
    problem = Problem(service="service-b", description="slow")
    asked = await report_problem(laid.store, ADA, POLICY, problem, idempotency_key="p", deadline=soon())
    refused = await merged.undo(B, key="the same")
    assert codes(refused) == ["UNDO_HINDERED"]
    assert asked.ids["ticket"] in refused.user_errors[0].message
    await laid.run("MATCH (t:Ticket) SET t.status = 'closed'")
    item = ItemRequest(id="1", action="modify", service="service-b")
    order = OrderRequest(kind="product", items=(item,), external_id="PO-5")
    outcome = await place_order(laid.store, ADA, ORDERS, order, idempotency_key=None, deadline=soon())
    refused = await merged.undo(B)
    assert outcome.ids["order"] in refused.user_errors[0].message
    await laid.run("MATCH (o:Order) SET o.state = 'completed'")
    assert (await merged.undo(B, key="the same")).counts == {
        "services": 2,
        "orders": 0,
        "tickets": 0,
        "externalNames": 0,
        "leads": 0,
        "stubs": 0,
    }
    assert await owner(laid, outcome) == A, "what came since stays"


async def test_a_lead_that_came_since_goes_with_its_service(laid: Laid, merged: Merged) -> None:
    await merged.merge(B, A)
    text = (
        "MATCH (c:Customer {id: $into}) MATCH (s:Service {id: $service}) "
        "CREATE (s)<-[:SUGGESTED_FOR]-(:Lead {id: 'lead-' + $service})-[:ABOUT]->(c)"
    )
    for service in ("service-a", "service-b"):
        await laid.run(text, into=A, service=service)
    await merged.undo(B)
    about = "MATCH (l:Lead)-[:ABOUT]->(c) RETURN l.id, c.id ORDER BY l.id"
    assert await laid.rows(about) == [["lead-service-a", A], ["lead-service-b", B]]


async def test_who_is_gone_and_merged_is_asked_about_when_it_is_itself_again(laid: Laid, merged: Merged) -> None:
    await laid.run("MATCH (c:Customer) SET c._record = c.id, c.goneAt = 1")
    await laid.run("CREATE (:Task {id: 'task-1', kind: 'customerGone', state: 'OPEN', about: $b, openAbout: $b})", b=B)
    await merged.merge(B, A)
    asked = "MATCH (t:Task {kind: 'customerGone'}) RETURN t.about, t.state ORDER BY t.state"
    assert await laid.rows(asked) == [[B, "DONE"]]
    await merged.undo(B)
    assert await laid.rows(asked) == [[B, "DONE"], [B, "OPEN"]]


async def test_stored_slices_are_forgotten_and_right_when_they_are_stored_again(laid: Laid, merged: Merged) -> None:
    for customer in (A, B):
        await build(laid.store, customer, deadline=soon())
    await merged.merge(B, A)
    assert (await check(laid.store, deadline=soon())).customers == 0
    left = "MATCH (m:Membership {customer: $id}) RETURN m.id"
    assert await laid.rows(left, id=B)
    assert await build_missing(laid.store, many=1_000, deadline=soon()) == 1
    assert await laid.rows(left, id=B) == [], "of a stub nothing stays"
    assert await build_missing(laid.store, many=1_000, deadline=soon()) == 0
    for customer in (A, B):
        await build(laid.store, customer, deadline=soon())
    found = await check(laid.store, deadline=soon())
    assert (found.customers, found.differing) == (1, ()), "the stub holds nothing"
    await merged.undo(B)
    for customer in (A, B):
        await build(laid.store, customer, deadline=soon())
    assert (await check(laid.store, deadline=soon())).differing == ()


async def test_boosts_go_on_and_what_was_spent_counts_for_the_one_customer(empty_store: Store) -> None:
    booked = await laid_out(empty_store)
    merged = Merged(laid=booked.laid)
    booked.policy = replace(SELLING, cap=SpendCap(amount=1_500, currency="EUR"))
    bob = replace(ANNA, subject="9:issuer-a:bob", customers=(B,))
    first = await booked.book(service="service-b", mbps=100, start=HOUR, by=bob)
    await merged.merge(B, A)
    second = await booked.book(service="service-b", mbps=100, start=HOUR, by=ANNA)
    assert (await booked.boost(first.ids["boost"]))["status"] == "SCHEDULED"
    assert (await booked.boost(second.ids["boost"]))["status"] == "REQUESTED", "both together are above the cap"
    await merged.undo(B)
    third = await booked.book(mbps=100, start=HOUR, by=ANNA)
    assert (await booked.boost(third.ids["boost"]))["status"] == "REQUESTED", "what came since was booked by the one"


async def test_a_match_is_no_task_of_others(laid: Laid, merged: Merged) -> None:
    await placed(laid, CRM, Party(id="1", name="Acme"))
    await placed(laid, OPERATOR, Party(id="2", name="ACME Inc."), "PO-2")
    [[task]] = await laid.rows("MATCH (t:Task {kind: 'customerMatch'}) RETURN t.id")
    settling = Settling(task=str(task), reason="no")
    outcome = await skip_task(laid.store, OPERATOR, SELLING, settling, idempotency_key="s", deadline=soon())
    assert codes(outcome) == ["TASK_OF_MATCH"]
    assert len(await merged.matches()) == 1
