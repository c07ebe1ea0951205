"""JSON whose numbers keep their digits: a custom scalar is opaque, and its number must leave as it came.

orjson reads an integer beyond 64 bits and a long decimal as the nearest double, and refuses 1e400. So a text that may hold
such a number is read by the standard library: integers of any size as `int`, decimals that a double would change as
`ExactNumber`. All others go through orjson alone; one pass over the bytes finds out. `dumps` writes what `loads` gives.

Source: RFC 8259, 6 (a number has any size and precision); GraphQL, 3.5 (custom scalars).

>>> dumps(loads(b'[18446744073709551616, 0.12345678901234567890, 1e400, 0.1]'))
b'[18446744073709551616,0.12345678901234567890,1e400,0.1]'
"""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from typing import Any, Final, Self

import orjson

LONGEST_INTEGER: Final = 4_000
"""digits; Python refuses to read more than 4,300, since that takes quadratic time."""
_DIGITS: Final = bytes.maketrans(b"123456789.", b"0000000000")
_LONG: Final = b"0" * 17
_EXPONENTS: Final = bytes.maketrans(b":[]}{ \n\r\tE", b",,,,,,,,,e")
_NUMERIC: Final = b"0123456789.+-"
_LOSSY: Final = re.compile(rb"(?:[\[:,\s]|^)-?(?:[0-9.]{17}|[0-9.]+[eE][-+]?[0-9]{3})")
_PAIR: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class ExactNumber(float):
    """A number that no double is: the nearest double (which may be infinite) to whoever calculates, its text to the writer."""

    __slots__ = ("text",)

    text: str

    def __new__(cls, text: str) -> Self:
        """Take a JSON number."""
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ExactNumber) and other.text == self.text

    def __ne__(self, other: object) -> bool:  # else float's own would be asked
        return not self == other

    def __hash__(self) -> int:
        return hash(self.text)


def loads(text: bytes) -> Any:
    """Read JSON in UTF-8, or raise ValueError. It nests as deep as the reader can follow: about a thousand levels."""
    return loads_exact(text) if _may_lose_digits(text) else orjson.loads(text)


def loads_exact(text: bytes) -> Any:
    """Read as `loads` does, without looking first whether that is needed."""
    # The standard library takes half a surrogate pair for a character; nothing could write it any more.
    if _SURROGATE.search(_PAIR.sub(b"", text)):
        raise ValueError("a string is no Unicode")
    try:
        return json.loads(text.decode(), parse_int=_integer, parse_float=_decimal, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("it nests too deep") from None


def dumps(value: Any, *, option: int = 0) -> bytes:
    """Write as JSON; `option` is orjson's. TypeError for what cannot be written: a plain double that is not finite, too."""
    try:
        text = orjson.dumps(value, default=_fragment, option=option)
    except TypeError:  # an integer beyond 64 bits, perhaps
        text = orjson.dumps(written(value), option=option)
    if b"null" in text and _holds_infinity(value):  # which orjson writes as null
        raise TypeError("a number is not finite")
    return text


def written(value: Any) -> Any:
    """Give a copy of a JSON value that orjson can write, its numbers as texts where orjson would refuse or change them."""
    if isinstance(value, dict):
        return {key: written(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [written(each) for each in value]
    return _fragment(value) if is_beyond(value) else value


def is_beyond(value: Any) -> bool:
    """Tell whether a value is a number that orjson refuses or changes."""
    return isinstance(value, ExactNumber) or (type(value) is int and not -(2**63) <= value < 2**64)


def _holds_infinity(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_infinity, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_infinity, value))
    return type(value) is float and not math.isfinite(value)


def _may_lose_digits(text: bytes) -> bool:
    # Three passes of memory's speed over all texts, and a regular expression, which takes ten times that, over few: those
    # with 17 digits in a row, and those where nothing but an e is left of what stood between two delimiters.
    long = _LONG in text.translate(_DIGITS)
    if not long and b",e," not in text.translate(_EXPONENTS, _NUMERIC):
        return False
    return _LOSSY.search(text) is not None


def _integer(text: str) -> int | ExactNumber:
    return int(text) if len(text) <= LONGEST_INTEGER else ExactNumber(text)


def _decimal(text: str) -> float:
    value = float(text)
    exponent = text.lower().partition("e")[2].lstrip("+-0")
    # A few digits of exponent keep Decimal quick; with more, no finite double but 0 has that value.
    same = len(exponent) < 5 and math.isfinite(value) and Decimal(text) == Decimal(repr(value))
    return value if same else ExactNumber(text)


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def _fragment(value: Any) -> Any:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text.encode())
    if type(value) is int:
        return orjson.Fragment(str(value).encode())
    raise TypeError(f"{type(value).__name__} is no JSON")
