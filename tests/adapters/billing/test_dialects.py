"""What every dialect of billing owes, each against its own stand-in."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from adapters.billing import Billing, CustomerRef, Record
from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, TimedOut, Unreachable
from adapters.simulator.faults import Kind, Rule
from tests.adapters.billing.dialects import ADA, AT, HOUR, NAMES, Told, dialect, downtime, facts, usage
from tests.adapters.conftest import soon


@pytest.fixture(params=NAMES)
async def told(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Told]:
    async with dialect(request.param, tmp_path / "spool") as found:
        yield found


@pytest.fixture(params=[each for each in NAMES if each != "spool"])
async def over_http(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Told]:
    async with dialect(request.param, tmp_path / "spool") as found:
        yield found


async def tell(told: Told, record: Record, *, again: bool = False) -> str:
    return await told.billing.tell(record, again=again, delivery_id="event-1:billing:service-1", deadline=soon())


def order(told: Told, *rules: Rule) -> None:
    assert told.system is not None
    told.system.faults.order(*rules)


async def test_it_is_billing_as_everyone_else_sees_it(told: Told) -> None:
    seen: Billing = told.billing
    assert seen.retry_at is None


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(usage(), id="usage"),
        pytest.param(usage(octets=0, mbps=0), id="usage of nothing"),
        pytest.param(usage(octets=None, mbps=400, end=AT + 7_201_007), id="a boost, of which nobody counts octets"),
        pytest.param(usage(customer=None), id="usage of a service that is nobody's"),
        pytest.param(usage(customer=replace(ADA, account="")), id="usage of a customer without an account"),
        pytest.param(downtime(), id="downtime that lasts"),
        pytest.param(downtime(end=AT + HOUR), id="downtime that is over"),
        pytest.param(downtime(end=AT, alarms=()), id="downtime of no length"),
    ],
)
async def test_billing_has_what_it_was_told(told: Told, record: Record) -> None:
    assert await tell(told, record)
    assert told.held() == [facts(record)]


@pytest.mark.parametrize("again", [False, True])
async def test_no_promise_is_told_where_there_is_no_contract(told: Told, *, again: bool) -> None:
    for record in (downtime(target=None), downtime(end=AT + HOUR, target=None)):
        assert await tell(told, record, again=again)
    assert told.held() == [facts(downtime(end=AT + HOUR, target=None))]


async def test_an_interval_whose_contract_is_over_gets_its_end(told: Told) -> None:
    await tell(told, downtime())
    await tell(told, downtime(end=AT + HOUR, target=None))
    [held] = told.held()
    assert held["end"] == AT + HOUR


async def test_what_may_have_been_heard_is_there_once(told: Told) -> None:
    records: list[Record] = [usage(1), usage(2), downtime(1), downtime(2, end=AT + HOUR)]
    first = [await tell(told, each) for each in records]
    assert [await tell(told, each, again=True) for each in records] == first
    assert len(set(first)) == len(told.held()) == 4


async def test_an_interval_gets_its_end(told: Told) -> None:
    begun = await tell(told, downtime(alarms=("alarm-1",)))
    assert await tell(told, downtime(end=AT + HOUR)) == begun
    assert told.held() == [facts(downtime(end=AT + HOUR))]


async def test_an_end_whose_beginning_nobody_has_heard_is_an_interval_too(told: Told) -> None:
    await tell(told, downtime(end=AT + HOUR))
    assert told.held() == [facts(downtime(end=AT + HOUR))]


async def test_what_is_told_later_leaves_others_as_they_are(told: Told) -> None:
    await tell(told, downtime(1))
    await tell(told, downtime(2))
    await tell(told, downtime(1, end=AT + HOUR))
    assert told.held() == [facts(downtime(1, end=AT + HOUR)), facts(downtime(2))]


async def test_nothing_is_told_without_time(told: Told) -> None:
    with pytest.raises(TimedOut):
        await told.billing.tell(usage(), again=False, delivery_id="d", deadline=time.monotonic() - 1)
    assert told.held() == []


@pytest.mark.parametrize(
    ("kind", "error", "may_have_happened"),
    [
        pytest.param(Kind.DOWN, Unreachable, True, id="it hangs up at once"),
        pytest.param(Kind.ERROR, Busy, True, id="it fails inside"),
        pytest.param(Kind.UNAVAILABLE, Busy, True, id="it is unavailable"),
        pytest.param(Kind.TOO_MANY, Busy, False, id="it has too much to do"),
        pytest.param(Kind.SILENT, Unreachable, True, id="it acts and says nothing"),
        pytest.param(Kind.HTML, Nonsense, True, id="something in front of it wants a login"),
    ],
)
@pytest.mark.parametrize("record", [usage(), downtime()], ids=["usage", "downtime"])
async def test_what_goes_wrong_is_said_and_mended_by_telling_again(
    over_http: Told, record: Record, kind: Kind, error: type[AdapterError], *, may_have_happened: bool
) -> None:
    order(over_http, Rule(kind=kind, seconds=1.0))
    with pytest.raises(error) as caught:
        await tell(over_http, record)
    assert caught.value.may_have_happened is may_have_happened
    order(over_http)
    await tell(over_http, record, again=True)
    assert over_http.held() == [facts(record)]


async def test_who_is_asked_too_often_in_vain_is_left_alone_for_a_while(tmp_path: Path) -> None:
    for name in ("tmf635", "ipdr"):
        async with dialect(name, tmp_path, failures=1) as told:
            order(told, Rule(kind=Kind.DOWN))
            with pytest.raises(Unreachable):
                await tell(told, usage())
            assert told.billing.retry_at is not None


@pytest.mark.parametrize("name", ["tmf635", "ipdr"])
async def test_what_billing_does_not_want_is_refused(name: str, tmp_path: Path) -> None:
    async with dialect(name, tmp_path, bearer=SecretStr("another")) as told:
        with pytest.raises(NotAdmitted) as caught:
            await tell(told, usage())
        assert caught.value.status == 401
        assert told.held() == []


async def test_an_account_is_told_only_where_there_is_one(told: Told) -> None:
    await tell(told, usage(customer=CustomerRef(id="customer-2", name="", account="")))
    [held] = told.held()
    assert (held["customer"], held["account"]) == ("customer-2", None)
