"""What is believed of a TMF678 bill and of what it is made of.

An answer may be a proxy's, or another account's: whatever is not of the account that was asked for is `Nonsense`. Any other
value that cannot be read is so by itself. Money is a decimal number, and is kept exactly or not at all (TMF678 v4.0.0,
Money: a float).

Pure: `Bill` and `Rate` out of answers.

>>> rate = money_of({"unit": "EUR", "value": 0.0125}, "taxExcludedAmount")
>>> str(rate.value), rate.minor, money_of({"unit": "JPY", "value": 1500.0}, "amountDue").minor
('0.0125', None, 1500)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, TypeVar

from adapters.billing import BILL_STATES, Bill, Money, Rate, Read
from adapters.errors import Nonsense
from adapters.tmf.tmf630 import time_in_answer
from graph.model.currencies import minor_digits

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
_DIGITS_OTHERWISE: Final = 2
"""of a currency that is not in use any more."""
_MOST_DIGITS: Final = 15
"""Up to so many a double gives back as they were written; beyond, nobody knows what was."""
_LONGEST_TEXT: Final = 40
_MOST: Final = Decimal(10**18)


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
        amount_due=_read(_money, bill, "amountDue", where),
        remaining=_read(_money, bill, "remainingAmount", where),
        tax_excluded=_read(_money, bill, "taxExcludedAmount", where),
        tax_included=_read(_money, bill, "taxIncludedAmount", where),
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
        tax_excluded=_read(_money, rate, "taxExcludedAmount", where),
        tax_included=_read(_money, rate, "taxIncludedAmount", where),
    )


def money_of(value: object, where: str) -> Money:
    """Read an amount of money; a string of digits is one, too."""
    told = _object(value, where)
    unit = told.get("unit")
    if not isinstance(unit, str) or len(unit) != 3 or not unit.isascii() or not unit.isalpha():
        raise _nonsense("has an amount without a currency", where, "unit")
    amount = _decimal(told.get("value"))
    if amount is None:
        raise _nonsense("has an amount that is no number, or one of more digits than are exact", where, "value")
    currency = unit.upper()
    return Money(value=amount, currency=currency, digits=_digits(currency))


def _decimal(value: object) -> Decimal | None:
    """Read a number as it was written, not as a float holds it: a float prints as the shortest that it is read from."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > _LONGEST_TEXT:
        return None
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    if not number.is_finite() or abs(number) >= _MOST:
        return None
    if not isinstance(value, str) and len(number.normalize().as_tuple().digits) > _MOST_DIGITS:
        return None
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number


def _digits(currency: str) -> int:
    known = minor_digits(currency)
    return _DIGITS_OTHERWISE if known is None else known


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


def _money(value: object, where: str) -> Money:
    return money_of(value, where)


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
