"""JSON whose numbers keep their digits: a custom scalar is opaque, and its number must leave as it came.

orjson reads an integer beyond 64 bits and a long decimal as the nearest double, and refuses 1e400. So a text that has such a
number is read by the standard library: integers of any size as `int`, decimals that a double would change as `ExactNumber`.
All others go through orjson alone; passes over the bytes find out. `dumps` writes what `loads` gives.

The standard library reads quickly as long as it calls no Python for each number. So `NaN`, which is no JSON, stands in the text
for each number that needs an `ExactNumber`, and only those are called back for.

Source: RFC 8259, 6 (a number has any size and precision); GraphQL, 3.5 (custom scalars).

>>> dumps(loads(b'[18446744073709551616, 0.12345678901234567890, 1e400, 0.1]'))
b'[18446744073709551616,0.12345678901234567890,1e400,0.1]'
"""

from __future__ import annotations

import contextlib
import json
import math
import re
from collections import deque
from collections.abc import Iterable
from decimal import Decimal
from itertools import chain
from typing import Any, Final, Self

import orjson

LONGEST_INTEGER: Final = 4_000
"""digits; Python refuses to read more than 4,300, since that takes quadratic time."""
_DIGITS: Final = bytes.maketrans(b"123456789.", b"0000000000")
_WHOLE: Final = bytes.maketrans(b"123456789", b"000000000")
_LONG_INTEGER: Final = b"0" * 19
"""as many digits as the shortest integer beyond 64 bits has, -9223372036854775809."""
_LONG: Final = b"0" * 16
_ROUGH: Final = bytes.maketrans(b"123456789.+-E", b"000000000000e")
_EXPONENTS: Final = bytes.maketrans(b":[]}{ \n\r\tE", b",,,,,,,,,e")
_NUMERIC: Final = b"0123456789.+-"
_SUSPECT: Final = re.compile(rb"[-0-9](?=[0-9.]{15}|[0-9.]*+[eE][-+]?[0-9]{3})[0-9.eE+-]++")
"""About 16 digits or more, or three digits of exponent: any 15 digits come back from a double."""
_NUMBER: Final = re.compile(rb"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][-+]?[0-9]++)?")
_LONGEST_WORD: Final = 18
"""digits of an integer that has 64 bits for certain."""
_PAIR: Final = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_SURROGATE: Final = re.compile(rb"\\u[dD][89a-fA-F]")


class TooManyNumbers(ValueError):
    """More numbers that no double is than the reader takes: each costs a hundred times what another does."""


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


_LEAVES: Final = frozenset({str, bool, int, float, type(None), ExactNumber})


def loads(text: bytes, *, most: int | None = None, decimals: bool = True) -> Any:
    """Read JSON in UTF-8, or raise ValueError. It nests as deep as the reader can follow: about a thousand levels.

    Without `decimals` the reader has no use for more digits of a decimal than a double has; integers keep theirs. Raises TooManyNumbers
    where more than `most` of its decimals are none that a double is.
    """
    if not decimals and _LONG_INTEGER not in text.translate(_WHOLE):
        with contextlib.suppress(ValueError):  # as of 1e400
            return orjson.loads(text)
    if not _may_lose_digits(text):
        return orjson.loads(text)
    outside, strings = _apart(text)
    marking = _Marking(most)
    marked = _SUSPECT.sub(marking.mark, outside)
    if not (marking.exact or marking.has_long_integer):
        return orjson.loads(text)
    # The standard library takes half a surrogate pair for a character; nothing could write it any more.
    if _SURROGATE.search(_PAIR.sub(b"", b'"'.join(strings))):
        raise ValueError("a string is no Unicode")
    try:
        return json.loads(_together(marked, strings).decode(), parse_constant=marking.next)
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
    """Tell whether a plain double is not finite; a level at a time, since a call for each value would cost ten times as much."""
    level = [value]
    while level:
        types = set(map(type, level))
        if float in types and not all(map(math.isfinite, [each for each in level if type(each) is float])):
            return True
        if types <= _LEAVES:
            return False
        level = list(chain.from_iterable(map(dict.values, level) if types == {dict} else map(_inside, level)))
    return False


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _may_lose_digits(text: bytes) -> bool:
    # A pass of memory's speed and two searches say no of most texts: there are no 16 digits in a row, signs and points counted, and no
    # e before three of them. Where it may be so, two passes more: for 16 digits in a row, and for what stood between two delimiters
    # and of which nothing but an e is left.
    rough = text.translate(_ROUGH)
    if _LONG not in rough and b"e000" not in rough:
        return False
    return _LONG in text.translate(_DIGITS) or b",e," in b"," + text.translate(_EXPONENTS, _NUMERIC) + b","


def _apart(text: bytes) -> tuple[bytes, list[bytes]]:
    """Give a text with `"` for each of its strings, and these, in which control characters stand for what is escaped."""
    if b"\1" in text:
        raise ValueError("a control character stands in it")
    pieces = text.replace(rb"\\", b"\1\1").replace(rb"\"", b"\1\2").split(b'"')
    if len(pieces) % 2 == 0:
        raise ValueError("a string does not end")
    return b'"'.join(pieces[::2]), pieces[1::2]


def _together(outside: bytes, strings: list[bytes]) -> bytes:
    pieces = [b""] * (2 * len(strings) + 1)
    pieces[::2], pieces[1::2] = outside.split(b'"'), strings
    return b'"'.join(pieces).replace(b"\1\2", rb"\"").replace(b"\1\1", rb"\\")


class _Marking:
    """Puts a `NaN` for each number that the standard library's reader would change or refuse, and gives them in that order."""

    def __init__(self, most: int | None) -> None:
        self._most = most
        self.exact: deque[ExactNumber] = deque()
        self.has_long_integer = False

    def mark(self, suspect: re.Match[bytes]) -> bytes:
        """Give what stands for a number; what is none is left for the reader to refuse."""
        found = _NUMBER.fullmatch(suspect[0])
        if found is None or not self._changes(found):
            return suspect[0]
        self.exact.append(ExactNumber(found[0].decode()))
        if self._most is not None and len(self.exact) > self._most:
            raise TooManyNumbers(f"more than {self._most} are none that a double is")
        return b"NaN"

    def _changes(self, number: re.Match[bytes]) -> bool:
        if number.lastindex is not None:
            return not _is_double(number[0].decode())
        self.has_long_integer = self.has_long_integer or len(number[0]) > _LONGEST_WORD
        return len(number[0]) > LONGEST_INTEGER

    def next(self, constant: str) -> ExactNumber:
        """Give the next; a constant too many is one of the text's own."""
        if not self.exact:
            raise ValueError(f"{constant} is no JSON")
        return self.exact.popleft()


def _is_double(text: str) -> bool:
    value = float(text)
    if not value:
        return not text.lower().partition("e")[0].strip("-0.")
    near = repr(value)
    if near == text:
        return True
    exponent = text.lower().partition("e")[2].lstrip("+-0")
    # A few digits of exponent keep Decimal quick; with more, no finite double has that value.
    return len(exponent) < 5 and math.isfinite(value) and Decimal(text) == Decimal(near)


def _fragment(value: Any) -> Any:
    if isinstance(value, ExactNumber):
        return orjson.Fragment(value.text.encode())
    if type(value) is int:
        return orjson.Fragment(str(value).encode())
    raise TypeError(f"{type(value).__name__} is no JSON")
