from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import httpx
import orjson
import pytest

from adapters.billing import Bills, Money
from adapters.billing.outbound.money import money_of
from adapters.billing.outbound.tmf678 import CHUNK, Tmf678
from adapters.billing.outbound.tmf678_resource import FIELDS, RATE_FIELDS
from adapters.errors import Nonsense, Unreachable
from adapters.passed_over import PassedOver
from adapters.simulator.billing.billing import BillingSystem, serving
from adapters.simulator.faults import Kind, Rule
from adapters.transport.transport import System, opened
from tests.adapters.conftest import JSON, asking, http, saying, soon
from tests.adapters.schema import properties_of, published

BILL: dict[str, Any] = {
    "billNo": "2026-01",
    "state": "sent",
    "billDate": "2026-02-01T00:00:00+01:00",
    "paymentDueDate": "2026-02-15T00:00:00Z",
    "billingPeriod": {"startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2026-02-01T00:00:00Z"},
    "amountDue": {"unit": "EUR", "value": 1234.56},
    "remainingAmount": {"unit": "EUR", "value": 0},
    "taxExcludedAmount": {"unit": "EUR", "value": 1037.45},
    "taxIncludedAmount": {"unit": "EUR", "value": 1234.56},
}
RATE = {
    "name": "Bandwidth",
    "appliedBillingRateType": "appliedBillingCharge",
    "date": "2026-01-31T00:00:00Z",
    "taxExcludedAmount": {"unit": "EUR", "value": 0.1},
}


def euro(value: str) -> Money:
    return Money(value=Decimal(value), currency="EUR", digits=2)


@pytest.fixture
async def system() -> AsyncIterator[BillingSystem]:
    async with serving() as found:
        yield found


@pytest.fixture
async def bills(system: BillingSystem) -> AsyncIterator[Bills]:
    async with opened(System(name="billing", address=system.address)) as transport:
        yield Tmf678(transport)


async def test_bills_are_read_by_account_the_latest_first(system: BillingSystem, bills: Bills) -> None:
    old = system.bill("acc,1", {**BILL, "billDate": "2026-01-01T00:00:00Z"})["id"]
    new = system.bill("acc,1", BILL)["id"]
    system.bill("acc-2", {})
    system.bill("acc-3", BILL)
    found = await bills.bills(["acc,1", "acc-2", "acc-none", "acc,1"], deadline=soon())
    assert {account: [each.id for each in held] for account, held in found.items()} == {
        "acc,1": [new, old],
        "acc-2": ["BILL-00000003"],
    }
    bill = found["acc,1"][0]
    assert (bill.number, bill.state, bill.amount_due) == ("2026-01", "sent", euro("1234.56"))
    assert (bill.dated_at, bill.start, bill.end) == (1769900400000, 1767225600000, 1769904000000)
    assert bill.remaining == euro("0")
    empty = found["acc-2"][0]
    assert (empty.number, empty.amount_due, empty.dated_at, empty.start) == (None, None, None, None)


async def test_what_a_bill_is_made_of_is_read_by_bill(system: BillingSystem, bills: Bills) -> None:
    one = system.bill("acc-1", BILL, [RATE, {**RATE, "date": "2026-01-01T00:00:00Z", "name": "first"}])["id"]
    system.bill("acc-1", BILL, [RATE])
    found = await bills.rates([one, "BILL-none"], deadline=soon())
    assert [each.name for each in found[one]] == ["first", "Bandwidth"]
    assert found[one][0].tax_excluded == euro("0.1")
    assert list(found) == [one]


async def test_many_accounts_are_few_requests_and_every_page_is_read(system: BillingSystem, bills: Bills) -> None:
    accounts = [f"acc-{number}" for number in range(2 * CHUNK + 1)]
    for account in accounts:
        for _ in range(3):
            system.bill(account, BILL)
    found = await bills.bills(accounts, deadline=soon(20))
    assert {account: len(held) for account, held in found.items()} == dict.fromkeys(accounts, 3)


def listed(*bills: Any, total: int | None = None) -> bytes:
    return http("200 OK", orjson.dumps(bills), JSON, f"X-Total-Count: {len(bills) if total is None else total}")


def held(**changes: Any) -> dict[str, Any]:
    return {"id": "B1", "billingAccount": {"id": "acc-1"}, **BILL, **changes}


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        pytest.param(listed(held(billingAccount={"id": "acc-2"})), "[0].billingAccount.id", id="another's bill"),
        pytest.param(http("200 OK", b"{}", JSON), "body", id="no list"),
        pytest.param(listed(held(), total=10**6), "X-Total-Count", id="a list without an end"),
    ],
)  # fmt: skip
async def test_what_makes_no_sense_is_said_by_its_place(answer: bytes, where: str) -> None:
    async with saying(answer) as other, asking(other.address) as transport:
        with pytest.raises(Nonsense) as caught:
            await Tmf678(transport).bills(["acc-1"], deadline=soon(20))
    assert caught.value.where == where
    assert "acc-2" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "name", "where"),
    [
        pytest.param({"state": "disputed"}, "state", "[0].state", id="a state of its own"),
        pytest.param({"billDate": "2026-01-01"}, "dated_at", "[0].billDate", id="a time without a zone"),
        pytest.param({"billingPeriod": 7}, "start", "[0].billingPeriod", id="no period"),
        pytest.param({"billingPeriod": {"endDateTime": 0}}, "end", "[0].billingPeriod.endDateTime", id="no end"),
        pytest.param({"amountDue": {"unit": "EUR", "value": 1234567890123456}}, "amount_due", "[0].amountDue.value", id="more than a double keeps"),
        pytest.param({"amountDue": {"unit": "EUR", "value": "ten"}}, "amount_due", "[0].amountDue.value", id="money in words"),
        pytest.param({"amountDue": {"unit": "EUR", "value": "1e400"}}, "amount_due", "[0].amountDue.value", id="money without an end"),
        pytest.param({"amountDue": {"unit": "EUR", "value": "NaN"}}, "amount_due", "[0].amountDue.value", id="no number"),
        pytest.param({"amountDue": {"unit": "EUR", "value": True}}, "amount_due", "[0].amountDue.value", id="money that is true"),
        pytest.param({"amountDue": {"value": 1}}, "amount_due", "[0].amountDue.unit", id="money of no currency"),
        pytest.param({"amountDue": {"unit": "\u20ac", "value": 1}}, "amount_due", "[0].amountDue.unit", id="a sign for a currency"),
        pytest.param({"taxExcludedAmount": 7}, "tax_excluded", "[0].taxExcludedAmount", id="a number for money"),
        pytest.param({"billNo": ["7"]}, "number", "[0].billNo", id="a number in a list"),
    ],
)  # fmt: skip
async def test_one_value_that_cannot_be_read_costs_nothing_else(changed: dict[str, Any], name: str, where: str) -> None:
    answer = listed(held(**changed), {**held(), "id": "B2"})
    async with saying(answer) as other, asking(other.address) as transport:
        first, second = sorted((await Tmf678(transport).bills(["acc-1"], deadline=soon()))["acc-1"], key=lambda b: b.id)
    value = getattr(first, name)
    assert isinstance(value, Nonsense)
    assert value.where == where
    values = [getattr(bill, each) for bill in (first, second) for each in bill.__dataclass_fields__]
    same_period = {"start", "end"} if changed.get("billingPeriod") == 7 else set()
    assert sum(isinstance(each, Nonsense) for each in values) == max(1, len(same_period))
    assert second.amount_due == euro("1234.56")


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(held(billingAccount=None), id="nobody's bill"),
        pytest.param(held(id=""), id="no id"),
        pytest.param(7, id="no bill"),
    ],
)
async def test_a_bill_that_is_nobodys_is_passed_over_and_counted(odd: Any) -> None:
    counted: list[str] = []
    async with saying(listed(odd, {**held(), "id": "B2"})) as other, asking(other.address) as transport:
        found = await Tmf678(transport, PassedOver("billing", counted.append)).bills(["acc-1"], deadline=soon())
    assert [each.id for each in found["acc-1"]] == ["B2"]
    assert counted == ["billing"]


@pytest.mark.parametrize(
    ("unit", "value", "exact", "minor"),
    [
        ("EUR", 0.1, "0.1", 10),
        ("eur", -19.99, "-19.99", -1999),
        ("EUR", 0.0125, "0.0125", None),
        ("EUR", 1e-07, "0.0000001", None),
        ("EUR", 10.505, "10.505", None),
        ("EUR", "10.50", "10.50", 1050),
        ("EUR", 1e14, "100000000000000", 10**16),
        ("JPY", 1500.0, "1500", 1500),
        ("JPY", 1.5, "1.5", None),
        ("KWD", 1.234, "1.234", 1234),
    ],
)
def test_money_is_exact(unit: str, value: float | str, exact: str, minor: int | None) -> None:
    money = money_of({"unit": unit, "value": value}, "")
    assert (f"{money.value:f}", money.minor, money.currency) == (exact, minor, unit.upper())


async def test_a_billing_that_is_away_is_said(system: BillingSystem, bills: Bills) -> None:
    system.faults.order(Rule(kind=Kind.DOWN))
    with pytest.raises(Unreachable):
        await bills.bills(["acc-1"], deadline=soon())


async def test_it_can_be_billed_by_http(system: BillingSystem, bills: Bills) -> None:
    async with httpx.AsyncClient(base_url=system.address) as person:
        made = await person.post("/simulator/bills", json={"account": "acc-9", "bill": BILL, "rates": [RATE]})
        assert made.status_code == 201
        assert [*published("CustomerBill", 678).iter_errors(made.json())] == []
        rates = await person.get("/tmf-api/customerBillManagement/v4/appliedCustomerBillingRate")
        assert [*published("AppliedCustomerBillingRate", 678).iter_errors(rates.json()[0])] == []
    assert list(await bills.bills(["acc-9"], deadline=soon())) == ["acc-9"]


@pytest.mark.parametrize(
    ("definition", "fields"), [("CustomerBill", FIELDS), ("AppliedCustomerBillingRate", RATE_FIELDS)]
)
def test_what_is_asked_for_is_published(definition: str, fields: tuple[str, ...]) -> None:
    assert set(fields) <= properties_of(definition, 678)
