"""How an amount of money in an answer is read: a decimal number, kept exactly or not at all (TMF v4, Money: a float).

>>> str(money_of({"unit": "EUR", "value": 0.0125}, "taxExcludedAmount").value), money_of({"unit": "JPY", "value": 1500.0}, "amountDue").minor
('0.0125', 1500)
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from adapters.billing import Money
from adapters.errors import Nonsense
from graph.model.currencies import minor_digits

_DIGITS_OTHERWISE: Final = 2
"""of a currency that is not in use any more."""
_MOST_DIGITS: Final = 15
"""Up to so many a double gives back as they were written; beyond, nobody knows what was."""
_LONGEST_TEXT: Final = 40
_MOST: Final = Decimal(10**18)


def money_of(value: object, where: str) -> Money:
    """Read an amount of money; a string of digits is one, too. Raises Nonsense, which names the member that is wrong."""
    if not isinstance(value, dict):
        raise _nonsense("no object for an amount of money", where)
    unit = value.get("unit")
    if not isinstance(unit, str) or len(unit) != 3 or not unit.isascii() or not unit.isalpha():
        raise _nonsense("an amount without a currency", f"{where}.unit")
    amount = decimal_of(value.get("value"))
    if amount is None:
        raise _nonsense("an amount that is no number, or one of more digits than are exact", f"{where}.value")
    currency = unit.upper()
    return Money(value=amount, currency=currency, digits=_digits(currency))


def decimal_of(value: object) -> Decimal | None:
    """Read a number as it was written, not as a float holds it: a float prints as the shortest that it is read from."""
    if isinstance(value, bool) or not isinstance(value, int | float | str) or len(str(value)) > _LONGEST_TEXT:
        return None
    if isinstance(value, str) and "_" in value:  # Python's own way to write one
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


def _nonsense(what: str, where: str) -> Nonsense:
    return Nonsense(
        f"The answer has {what}", hint="Look whether the address leads to the right system", where=where.strip(".")
    )
