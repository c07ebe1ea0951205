"""What is believed of a TMF678 bill and of what it is made of.

An answer may be a proxy's, or another account's: whatever is not of the account that was asked for is `Nonsense`. Any other
value that cannot be read is so by itself.

Pure: `Bill` and `Rate` out of answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from adapters.billing import BILL_STATES, Bill, Rate, Read
from adapters.billing.outbound.money import money_of
from adapters.errors import Nonsense
from adapters.tmf.tmf630 import time_in_answer

T = TypeVar("T")

FIELDS: Final = (
    "id",
    "billNo",
    "state",
    "billDate",
    "paymentDueDate",
    "billingPeriod",
    "billingAccount",
    "amountDue",
    "remainingAmount",
    "taxExcludedAmount",
    "taxIncludedAmount",
)
RATE_FIELDS: Final = (
    "id",
    "name",
    "appliedBillingRateType",
    "date",
    "periodCoverage",
    "bill",
    "taxExcludedAmount",
    "taxIncludedAmount",
)


def bill_of(answer: object, where: str) -> Bill:
    """Read one bill, whose id and account must be there; `where` is its place in the answer."""
    bill = _object(answer, where)
    start, end = _period(bill, "billingPeriod", where)
    return Bill(
        id=_id(bill, where),
        account=_reference(bill, "billingAccount", where),
        number=_read(_text, bill, "billNo", where),
        state=_read(_state, bill, "state", where),
        dated_at=_read(_time, bill, "billDate", where),
        due_at=_read(_time, bill, "paymentDueDate", where),
        start=start,
        end=end,
        amount_due=_read(money_of, bill, "amountDue", where),
        remaining=_read(money_of, bill, "remainingAmount", where),
        tax_excluded=_read(money_of, bill, "taxExcludedAmount", where),
        tax_included=_read(money_of, bill, "taxIncludedAmount", where),
    )


def rate_of(answer: object, where: str) -> Rate:
    """Read one applied rate, whose id and bill must be there; `where` is its place in the answer."""
    rate = _object(answer, where)
    start, end = _period(rate, "periodCoverage", where)
    return Rate(
        id=_id(rate, where),
        bill=_reference(rate, "bill", where),
        name=_read(_text, rate, "name", where),
        kind=_read(_text, rate, "appliedBillingRateType", where),
        at=_read(_time, rate, "date", where),
        start=start,
        end=end,
        tax_excluded=_read(money_of, rate, "taxExcludedAmount", where),
        tax_included=_read(money_of, rate, "taxIncludedAmount", where),
    )


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Nonsense("Billing answered what is no object", where=where)
    return value


def _id(held: Mapping[str, Any], where: str) -> str:
    found = held.get("id")
    if not isinstance(found, str) or not found:
        raise _nonsense("has no id that is a string", where, "id")
    return found


def _reference(held: Mapping[str, Any], name: str, where: str) -> str:
    return _id(_object(held.get(name), f"{where}.{name}"), f"{where}.{name}")


def _read(read: Callable[[object, str], T], held: Mapping[str, Any], name: str, where: str) -> Read[T]:
    """Read one value, where there is one; what is wrong with it is its own affair."""
    value = held.get(name)
    if value is None:
        return None
    try:
        return read(value, f"{where}.{name}")
    except Nonsense as nonsense:
        return nonsense


def _text(value: object, where: str) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _nonsense("has a text that is none", where)
    return str(value)


def _state(value: object, where: str) -> str:
    if not isinstance(value, str) or value not in BILL_STATES:
        raise _nonsense("has a state that is none of TMF678", where)
    return value


def _time(value: object, where: str) -> int:
    moment = time_in_answer(value)
    if moment is None:
        raise _nonsense("has a time that is none with a zone", where)
    return moment


def _period(held: Mapping[str, Any], name: str, where: str) -> tuple[Read[int], Read[int]]:
    value = held.get(name)
    if value is None:
        return None, None
    inside = f"{where}.{name}"
    if not isinstance(value, dict):
        nonsense = _nonsense("has a period that is none", inside)
        return nonsense, nonsense
    return _read(_time, value, "startDateTime", inside), _read(_time, value, "endDateTime", inside)


def _nonsense(what: str, where: str, member: str = "") -> Nonsense:
    return Nonsense(
        f"A bill that billing answered {what}",
        hint="Look whether its address leads to the right system",
        where=f"{where}.{member}".strip("."),
    )
