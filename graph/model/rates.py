"""A rate as other systems write it: a number, digits, digits with a unit, or an object with an amount and a unit.

Pure.

>>> read_mbps("2 Gbps", "Mbps"), read_mbps({"amount": 500, "units": "Mbit/s"}, "bps"), read_mbps(2000.0, "Mbps"), read_mbps("fast", "Mbps")
(Decimal('2000'), Decimal('500'), Decimal('2000.0'), None)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias

Unit: TypeAlias = Literal["bps", "kbps", "Mbps", "Gbps"]

BITS: Final[Mapping[str, int]] = MappingProxyType({"bps": 1, "kbps": 10**3, "Mbps": 10**6, "Gbps": 10**9})
MEGA: Final = 10**6
WRITTEN: Final = re.compile(r"\s*([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z/]*)\s*")
"""An amount, and its unit where there is one."""
AMOUNTS: Final = ("amount", "value")
UNITS: Final = ("units", "unit", "unitOfMeasure")
"""Members of an object that is a rate."""
_SPELLED: Final = re.compile(r"([kMG]?)(?:bps|bit/s|b/s|bit|bits/s)", re.IGNORECASE)
_FACTORS: Final[Mapping[str, int]] = MappingProxyType({"": 1, "k": 10**3, "m": 10**6, "g": 10**9})


def read_mbps(value: object, unit: Unit) -> Decimal | None:
    """Read a rate in Mbit/s, `unit` where it names none; None where it cannot be read."""
    amount, word = _amount(value)
    bits = bits_of(word) if word else BITS[unit]
    return None if amount is None or bits is None else amount * bits / MEGA


def bits_of(word: str) -> int | None:
    """Read a unit, however it is spelled; None where it is none of a rate."""
    match = _SPELLED.fullmatch(word.strip())
    return _FACTORS[match[1].lower()] if match else None


def member(value: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """Give the first of these names that an object has a member of; the first, where it has none."""
    return next((each for each in names if each in value), names[0])


def _amount(value: object) -> tuple[Decimal | None, str]:
    """Read an amount, and the unit that stands with it; None where it is none."""
    match value:
        case bool() | None:
            return None, ""
        case int() | float() | Decimal():
            return _decimal(str(value)), ""
        case str():
            match = WRITTEN.fullmatch(value)
            return (_decimal(match[1]), match[2]) if match else (None, "")
        case dict():
            amount, _ = _amount(value.get(member(value, AMOUNTS)))
            return amount, str(value.get(member(value, UNITS), ""))
        case _:
            return None, ""


def _decimal(text: str) -> Decimal | None:
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
