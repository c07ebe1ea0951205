"""What customer management says of its customers: made once, kept as it is said there, never deleted, and older news passed over."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any, Final

import pytest

from graph.changes.customers.records import (
    FEW_MISSED,
    CustomerRecord,
    Known,
    differing,
    note_missing,
    take_records,
    values_of,
)
from graph.changes.orders.requests import Party
from graph.changes.policy import AlarmPolicy
from graph.changes.tasks import Settling, cancel_task, retry_task, skip_task
from graph.model.identity import external_key
from graph.store.store import Store
from tests.graph.changes.bandwidth.network import POLICY as SELLING
from tests.graph.changes.customers.test_merging import CRM, codes, owner, placed
from tests.graph.changes.customers.ways import OPERATOR, Merged
from tests.graph.changes.network import AT, Laid, lay, soon

POLICY: Final = AlarmPolicy(customer_management="crm")
TOLD: Final = CustomerRecord(
    external_id="4711", name="Acme Ltd", status="active", segment="retail", account="ACC-1", at=AT
)
KNOWN: Final = Known(
    id="customer-1",
    name="Acme Ltd",
    status="active",
    segment="retail",
    account="ACC-1",
    record="4711",
    told_at=AT,
    gone_at=None,
    version=1,
    merged_into=None,
    took_account="",
    taken_account="",
    looked_at=None,
    now=AT + 10,
)


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(TOLD, id="the same again"),
        pytest.param(replace(TOLD, at=AT + 5), id="the same, later"),
        pytest.param(replace(TOLD, name="Old Ltd", at=AT - 1), id="older news"),
        pytest.param(replace(TOLD, external_id="4712", name="Other"), id="another record of the same customer"),
        pytest.param(CustomerRecord(external_id="4711", at=AT), id="nothing but its id"),
    ],
)
def test_what_is_no_news_is_not_written(told: CustomerRecord) -> None:
    assert values_of(KNOWN, told, POLICY) is None


def test_what_is_told_is_taken_and_the_rest_stays() -> None:
    said = CustomerRecord(external_id="4711", status="suspended", at=AT + 1)
    found = values_of(KNOWN, said, POLICY)
    assert found is not None
    assert (found.name, found.status, found.segment, found.account) == ("Acme Ltd", "suspended", "retail", "ACC-1")
    gone = values_of(KNOWN, CustomerRecord(external_id="4711", at=AT + 1, is_gone=True), POLICY)
    assert gone is not None
    assert (gone.name, gone.gone_at) == ("Acme Ltd", AT + 1)
    assert values_of(None, CustomerRecord(external_id="4711", at=AT, is_gone=True), POLICY) is None
    new = values_of(None, CustomerRecord(external_id="4711", at=AT), POLICY)
    assert new is not None
    assert new.name == "4711"
    ahead = replace(KNOWN, told_at=AT + 10 * 86_400_000)
    assert values_of(ahead, replace(TOLD, name="New"), POLICY) is not None, "a clock that was wrong does not silence it"


@pytest.fixture
async def merged(empty_store: Store) -> Merged:
    await lay(empty_store)
    return Merged(laid=Laid(store=empty_store))


async def take(merged: Merged, *records: CustomerRecord) -> int:
    return await take_records(merged.laid.store, POLICY, records, subject="system:crm", deadline=soon())


async def missing(merged: Merged, *seen: str, at: int = AT + 1) -> int:
    store = merged.laid.store
    return await note_missing(store, POLICY, set(seen), at=at, subject="system:crm", deadline=soon())


async def customer_of(merged: Merged, record: str) -> list[Any]:
    text = (
        "MATCH (:ExternalName {key: $key})-[:NAMES]->(c:Customer) "
        "RETURN c.id, c.name, c.status, c.segment, c.accountRef, c.goneAt"
    )
    [row] = await merged.laid.rows(text, key=external_key("crm", record))
    return row


async def test_a_customer_is_made_once_and_kept_as_it_is_said(merged: Merged) -> None:
    counts = await asyncio.gather(*(take(merged, TOLD) for _ in range(4)))
    assert sorted(counts) == [0, 0, 0, 1]
    customer, *values = await customer_of(merged, "4711")
    assert values == ["Acme Ltd", "active", "retail", "ACC-1", None]
    assert await take(merged, replace(TOLD, name="Acme Limited", at=AT + 2)) == 1
    assert await take(merged, replace(TOLD, name="Acme", at=AT + 1)) == 0
    assert (await customer_of(merged, "4711"))[:2] == [customer, "Acme Limited"]
    found = await merged.laid.events("Customer")
    assert [each[1:] for each in found] == [(1, "CustomerAdded", [customer]), (2, "CustomerChanged", [customer])]


async def test_a_customer_that_an_order_made_is_the_one_that_is_meant(merged: Merged) -> None:
    made = await owner(merged.laid, await placed(merged.laid, CRM, Party(id="4711", name="acme")))
    assert await take(merged, TOLD) == 1
    assert (await customer_of(merged, "4711"))[:2] == [made, "Acme Ltd"]
    assert await merged.matches() == {}


async def test_who_is_new_or_renamed_is_compared(merged: Merged) -> None:
    await take(merged, TOLD, replace(TOLD, external_id="4712", name="Other AG"))
    assert await merged.matches() == {}
    await take(merged, replace(TOLD, external_id="4712", name="ACME", at=AT + 1))
    pair = tuple(sorted([(await customer_of(merged, each))[0] for each in ("4711", "4712")]))
    assert await merged.matches() == {pair: "proposed"}


async def test_a_merge_keeps_what_each_record_says_apart(merged: Merged) -> None:
    await take(merged, TOLD, replace(TOLD, external_id="4712", name="ACME"))
    first, second = [(await customer_of(merged, each))[0] for each in ("4711", "4712")]
    before = await merged.hung()
    await merged.merge(second, first)
    assert (await customer_of(merged, "4712"))[0] == first
    await take(merged, replace(TOLD, external_id="4712", name="ACME Two", at=AT + 1))
    assert (await customer_of(merged, "4712"))[1] == "Acme Ltd"
    [[name]] = await merged.laid.rows("MATCH (c:Customer {id: $id}) RETURN c.name", id=second)
    assert name == "ACME Two", "it is the stub's"
    await merged.undo(second)
    assert await merged.hung() == before


async def test_a_stub_that_customer_management_comes_to_know_has_its_name_at_the_other(merged: Merged) -> None:
    made = await owner(merged.laid, await placed(merged.laid, CRM, Party(id="4711", name="x")))
    await merged.merge(made, "customer-a")
    assert await take(merged, TOLD) == 1
    assert (await customer_of(merged, "4711"))[0] == "customer-a"
    await merged.undo(made)
    assert (await customer_of(merged, "4711"))[:2] == [made, "Acme Ltd"]


async def test_who_is_gone_is_marked_and_asked_about_until_it_is_back(merged: Merged) -> None:
    await take(merged, TOLD, replace(TOLD, external_id="4712", name="Other"))
    customer = (await customer_of(merged, "4711"))[0]
    assert await missing(merged, "4712") == 0, "one look may be wrong"
    assert await missing(merged, "4712", at=AT + 2) == 1
    assert await missing(merged, "4712", at=AT + 3) == 0
    assert (await customer_of(merged, "4711"))[1:] == ["Acme Ltd", "active", "retail", "ACC-1", AT + 2]
    text = "MATCH (t:Task {kind: 'customerGone'}) RETURN t.id, t.about, t.state"
    [[task, about, state]] = await merged.laid.rows(text)
    assert (about, state) == (customer, "OPEN")
    store, settling = merged.laid.store, Settling(task=task, reason="seen to")
    retried = await retry_task(store, OPERATOR, SELLING, task, idempotency_key="r", deadline=soon())
    cancelled = await cancel_task(store, OPERATOR, SELLING, settling, idempotency_key="c", deadline=soon())
    assert codes(retried) == codes(cancelled) == ["TASK_OF_CUSTOMER"]
    await take(merged, replace(TOLD, at=AT + 4))
    assert (await customer_of(merged, "4711"))[5] is None
    assert [row[2] for row in await merged.laid.rows(text)] == ["DONE"]
    await take(merged, CustomerRecord(external_id="4711", at=AT + 5, is_gone=True))
    [[again]] = await merged.laid.rows("MATCH (t:Task {kind: 'customerGone', state: 'OPEN'}) RETURN t.id")
    skipping = Settling(task=str(again), reason="its services are ended")
    assert (await skip_task(store, OPERATOR, SELLING, skipping, idempotency_key="s", deadline=soon())).user_errors == ()


async def test_older_news_is_passed_over_though_the_newer_said_the_same(merged: Merged) -> None:
    await take(merged, TOLD)
    assert await take(merged, replace(TOLD, at=AT + 200)) == 0
    assert len(await merged.laid.events("Customer")) == 1, "nothing has changed"
    assert await take(merged, replace(TOLD, name="Old", at=AT + 100)) == 0
    assert await take(merged, CustomerRecord(external_id="4711", at=AT + 100, is_gone=True)) == 0
    await missing(merged, "4711", at=AT + 400)
    assert await take(merged, replace(TOLD, name="Old", at=AT + 300)) == 0, "a look has seen it since"
    assert (await customer_of(merged, "4711"))[1:] == ["Acme Ltd", "active", "retail", "ACC-1", None]
    assert await take(merged, replace(TOLD, name="New", at=AT + 500)) == 1


async def test_a_clock_that_is_ahead_silences_nothing(merged: Merged) -> None:
    [[now]] = await merged.laid.rows("RETURN datetime.realtime().epochMillis")
    await take(merged, replace(TOLD, at=now + 3_600_000))
    [[told]] = await merged.laid.rows("MATCH (c:Customer {accountRef: 'ACC-1'}) RETURN c._toldAt")
    assert told < now + 60_000


async def test_two_records_of_one_customer_in_one_batch_are_one_record(merged: Merged) -> None:
    text = (
        "MATCH (c:Customer {id: 'customer-a'}) UNWIND $rows AS row "
        "CREATE (:ExternalName {id: 'externalname-' + row[0], key: row[1]})-[:NAMES]->(c)"
    )
    await merged.laid.run(text, rows=[[each, external_key("crm", each)] for each in ("C-1", "C-2")])
    told = (replace(TOLD, external_id="C-1", name="One"), replace(TOLD, external_id="C-2", name="Two"))
    assert await take(merged, *told) == 1
    assert (await customer_of(merged, "C-2"))[1] == "One"
    assert [each[:3] for each in await merged.laid.events("Customer")] == [("customer-a", 1, "CustomerChanged")]


async def test_a_look_takes_only_what_differs(merged: Merged) -> None:
    told = [replace(TOLD, external_id=each, is_looked_at=True) for each in ("4711", "4712", "4713")]
    await take(merged, *told[:2])
    said = [told[0], replace(told[1], status="suspended", at=AT + 1), told[2]]
    assert await differing(merged.laid.store, POLICY, said, deadline=soon()) == said[1:]
    written = "MATCH (c:Customer) RETURN c.id, c._locked, c._toldAt ORDER BY c.id"
    before = await merged.laid.rows(written)
    assert await differing(merged.laid.store, POLICY, said[:1], deadline=soon()) == []
    assert await merged.laid.rows(written) == before, "nothing is locked"


async def test_a_look_that_misses_many_is_not_believed(merged: Merged) -> None:
    names = [f"N-{number}" for number in range(FEW_MISSED + 2)]
    await take(merged, *(replace(TOLD, external_id=each, name=each) for each in names))
    for at in (AT + 1, AT + 2, AT + 3):
        assert await missing(merged, names[0], at=at) == 0
    await missing(merged, *names[1:], at=AT + 4)
    await missing(merged, *names, at=AT + 5)
    assert await missing(merged, *names[1:], at=AT + 6) == 0, "it was there in between"
    assert await missing(merged, *names[1:], at=AT + 7) == 1


async def test_customer_management_goes_on_saying_who_the_one_customer_is(merged: Merged) -> None:
    await take(merged, TOLD)
    [managed, *_] = await customer_of(merged, "4711")
    before = await merged.hung()
    assert codes(await merged.merge(managed, "customer-a")) == ["CUSTOMER_MANAGED"]
    assert await merged.hung() == before
    assert (await merged.merge("customer-a", managed)).user_errors == ()
    await take(merged, replace(TOLD, name="Acme New", at=AT + 1))
    assert (await customer_of(merged, "4711"))[:2] == [managed, "Acme New"]


async def accounts(merged: Merged, *customers: str) -> list[str]:
    text = "UNWIND $ids AS id MATCH (c:Customer {id: id}) RETURN c.accountRef"
    return [str(row[0]) for row in await merged.laid.rows(text, ids=list(customers))]


async def test_an_account_that_a_merge_has_brought_is_the_stubs_until_one_of_its_own_is_told(merged: Merged) -> None:
    told = (replace(TOLD, account=""), replace(TOLD, external_id="4712", name="Bolt", account="X"))
    await take(merged, *told)
    into, stub = [(await customer_of(merged, each))[0] for each in ("4711", "4712")]
    await merged.merge(stub, into)
    assert await accounts(merged, into) == ["X"]
    [[payload]] = await merged.laid.rows("MATCH (e:Event {type: 'CustomerMerged'}) RETURN e.payload")
    assert '"accountRef":"X"' in payload
    await take(merged, replace(told[0], at=AT + 1, status="suspended"))
    assert await accounts(merged, into) == ["X"], "it has none of its own still"
    await take(merged, replace(told[1], at=AT + 2, account="Y"))
    assert await accounts(merged, into, stub) == ["Y", "Y"], "it is billed to the account that the stub has"
    assert len({each[1] for each in await merged.laid.events("Customer") if each[0] == into}) == 3
    await merged.undo(stub)
    assert await accounts(merged, into, stub) == ["", "Y"]
    await merged.merge(stub, into)
    await take(merged, replace(told[0], at=AT + 3, account="OWN"))
    await take(merged, replace(told[1], at=AT + 4, account="Z"))
    await merged.undo(stub)
    assert await accounts(merged, into, stub) == ["OWN", "Z"]


async def test_an_account_goes_along_over_two_merges_and_back(merged: Merged) -> None:
    await merged.laid.run("MATCH (c:Customer) SET c.accountRef = ''")
    await merged.laid.run("CREATE (:Customer {id: 'customer-c', name: 'c', accountRef: ''})")
    three = [
        replace(TOLD, external_id=f"C-{number}", name=f"N{number}", account=account)
        for number, account in enumerate(("X", "", ""))
    ]
    await take(merged, *three)
    first, second, third = [(await customer_of(merged, f"C-{number}"))[0] for number in range(3)]
    await merged.merge(first, second)
    await merged.merge(second, third)
    await take(merged, replace(three[0], account="Y", at=AT + 1))
    assert await accounts(merged, first, third) == ["Y", "Y"]
    await merged.undo(second)
    assert await accounts(merged, first, second, third) == ["Y", "Y", ""]
    await merged.undo(first)
    assert await accounts(merged, first, second, third) == ["Y", "", ""]


async def test_a_name_that_is_another_things_makes_no_customer(merged: Merged) -> None:
    key = external_key("crm", "4711")
    text = "MATCH (s:Service {id: 'service-a'}) CREATE (:ExternalName {id: 'externalname-9', key: $key})-[:NAMES]->(s)"
    await merged.laid.run(text, key=key)
    assert await take(merged, TOLD) == 0
    assert len(await merged.laid.rows("MATCH (c:Customer) RETURN c.id")) == 2
