"""What is believed of a TMF678 bill and of what it is made of.

An answer may be a proxy's, or another account's: whatever is not of the account that was asked for is `Nonsense`. Money
comes as a decimal number and is kept in integer minor units, exactly or not at all: a tenth of a cent is no money.

Pure: `Bill` and `Rate` out of answers.

>>> money_of({"unit": "EUR", "value": 19.99}, "amountDue"), money_of({"unit": "JPY", "value": 1500}, "amountDue")
(Money(amount=1999, currency='EUR'), Money(amount=1500, currency='JPY'))
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from adapters.billing import BILL_STATES, Bill, Money, Rate
from adapters.errors import Malformed, Nonsense
from adapters.tmf.tmf630 import read_time

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
_WHOLE: Final = frozenset(
    {
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "UYI",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    }
)
_THOUSANDTHS: Final = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
"""Currencies of ISO 4217 whose minor unit is not the hundredth."""
_MOST: Final = 10**15
"""Up to fifteen digits a double gives back as they were written; beyond, nobody knows what was."""


def bill_of(answer: object, where: str) -> Bill:
    """Read one bill; `where` is its place in the answer."""
    bill = _object(answer, where)
    start, end = _period(bill, "billingPeriod", where)
    state = _text(bill, "state", where)
    if state is not None and state not in BILL_STATES:
        raise _nonsense("has a state that is none of TMF678", where, "state")
    return Bill(
        id=_id(bill, where),
        account=_reference(bill, "billingAccount", where),
        number=_text(bill, "billNo", where),
        state=state,
        dated_at=_time(bill, "billDate", where),
        due_at=_time(bill, "paymentDueDate", where),
        start=start,
        end=end,
        amount_due=_money(bill, "amountDue", where),
        remaining=_money(bill, "remainingAmount", where),
        tax_excluded=_money(bill, "taxExcludedAmount", where),
        tax_included=_money(bill, "taxIncludedAmount", where),
    )


def rate_of(answer: object, where: str) -> Rate:
    """Read one applied rate; `where` is its place in the answer."""
    rate = _object(answer, where)
    start, end = _period(rate, "periodCoverage", where)
    return Rate(
        id=_id(rate, where),
        bill=_reference(rate, "bill", where),
        name=_text(rate, "name", where),
        kind=_text(rate, "appliedBillingRateType", where),
        at=_time(rate, "date", where),
        start=start,
        end=end,
        tax_excluded=_money(rate, "taxExcludedAmount", where),
        tax_included=_money(rate, "taxIncludedAmount", where),
    )


def money_of(value: object, where: str) -> Money:
    """Read an amount of money."""
    told = _object(value, where)
    unit, amount = told.get("unit"), told.get("value")
    if not isinstance(unit, str) or len(unit) != 3 or not unit.isascii() or not unit.isalpha():
        raise _nonsense("has an amount without a currency", where, "unit")
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        raise _nonsense("has an amount that is no number", where, "value")
    currency = unit.upper()
    # A float prints as the shortest decimal that it is read from: what billing wrote, and not what a float holds of it.
    minor = Decimal(str(amount)).scaleb(_digits(currency))
    if not minor.is_finite() or minor != minor.to_integral_value() or abs(minor) >= _MOST:
        raise _nonsense("has an amount that is not whole in the currency's smallest unit", where, "value")
    return Money(amount=int(minor), currency=currency)


def _digits(currency: str) -> int:
    if currency in _WHOLE:
        return 0
    return 3 if currency in _THOUSANDTHS else 2


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


def _text(held: Mapping[str, Any], name: str, where: str) -> str | None:
    found = held.get(name)
    if not isinstance(found, str | None):
        raise _nonsense(f"has a {name} that is no string", where, name)
    return found


def _time(held: Mapping[str, Any], name: str, where: str) -> int | None:
    value = held.get(name)
    if value is None:
        return None
    try:
        return read_time(value, name)
    except Malformed as exc:
        raise _nonsense(f"has a {name} that is no time with a zone", where, name) from exc


def _period(held: Mapping[str, Any], name: str, where: str) -> tuple[int | None, int | None]:
    value = held.get(name)
    if value is None:
        return None, None
    inside = f"{where}.{name}"
    period = _object(value, inside)
    return _time(period, "startDateTime", inside), _time(period, "endDateTime", inside)


def _money(held: Mapping[str, Any], name: str, where: str) -> Money | None:
    value = held.get(name)
    return None if value is None else money_of(value, f"{where}.{name}")


def _nonsense(what: str, where: str, member: str) -> Nonsense:
    return Nonsense(
        f"A bill that billing answered {what}",
        hint="Look whether its address leads to the right system",
        where=f"{where}.{member}".lstrip("."),
    )
