"""Numbers leave as they came, and what is no JSON is refused by either reader."""

from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.exact_json import ExactNumber, dumps, loads

DIGITS = st.text("0123456789", min_size=1, max_size=40).map(lambda text: text.lstrip("0") or "0")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.text(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)
NUMBERS = st.builds(
    lambda sign, whole, fraction, exponent: f"{sign}{whole}{fraction}{exponent}",
    st.sampled_from(["", "-"]),
    DIGITS,
    st.one_of(st.just(""), st.text("0123456789", min_size=1, max_size=40).map(lambda text: f".{text}")),
    st.one_of(st.just(""), st.integers(-5_000, 5_000).map(lambda power: f"e{power}")),
)


def same(one: str, other: str) -> bool:
    """Whether two JSON numbers are the same number."""
    return _normal(one) == _normal(other)


def _normal(text: str) -> tuple[bool, str, int]:
    mantissa, _, exponent = text.lower().lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    kept = digits.rstrip("0")
    power = int(exponent or 0) - len(fraction) + len(digits) - len(kept)
    return (text.startswith("-"), kept, power) if kept else (False, "", 0)


@given(NUMBERS, st.sampled_from(['{"a":%s}', "[%s]", '[1, %s ,"x"]', '{"e":[{"f":%s}]}']))
def test_any_number_stays_the_same(number: str, frame: str) -> None:
    found = dumps(loads((frame % number).encode())).decode()
    before, _, behind = (frame % "#").replace(" ", "").partition("#")
    assert same(found.removeprefix(before).removesuffix(behind), number)


@given(VALUES)
def test_what_orjson_reads_without_loss_is_read_alike(value: object) -> None:
    text = orjson.dumps(value)
    assert loads(text) == orjson.loads(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b'{"a": NaN, "b": 1e400}', id="NaN"),
        pytest.param(b'{"a": -Infinity, "b": 1e400}', id="infinity"),
        pytest.param(b'{"a": "\\ud800", "b": 1e400}', id="half a character"),
        pytest.param(b'{"a": "\xff", "b": 1e400}', id="not UTF-8"),
        pytest.param(b'{"a": 18446744073709551616', id="cut off"),
        pytest.param(b'{"a": 018446744073709551616}', id="a leading zero"),
        pytest.param(b"[18446744073709551616," + b"[" * 100_000, id="too deep"),
    ],
)
def test_what_is_no_json_is_refused(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        loads(text)


def test_an_emoji_in_two_halves_is_a_character() -> None:
    assert loads(b'["\\ud83d\\ude00", 1e400]')[0] == "\N{GRINNING FACE}"


def test_ten_thousand_digits_take_no_time_and_stay() -> None:
    text = b"[" + b"9" * 10_000 + b"]"
    assert dumps(loads(text)) == text


def test_equal_doubles_may_be_different_numbers() -> None:
    one, other = ExactNumber("0.12345678901234567890"), ExactNumber("0.12345678901234567891")
    assert float(one) == float(other)
    assert one != other
    assert len({one, other, ExactNumber(one.text)}) == 2


@pytest.mark.parametrize("value", [math.inf, -math.inf, math.nan])
def test_what_json_cannot_say_is_not_written_as_null(value: float) -> None:
    with pytest.raises(TypeError):
        dumps({"a": [value]})
    assert dumps({"a": [None, 1.5, 2**70]}) == b'{"a":[null,1.5,1180591620717411303424]}'
