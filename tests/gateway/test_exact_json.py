"""Numbers leave as they came, and what is no JSON is refused by either reader."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.exact_json import ExactNumber, TooManyNumbers, dumps, loads

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


@given(NUMBERS, st.sampled_from(['{"a":%s}', "[%s]", '[1, %s ,"x"]']))
@example("-9223372036854775809", "[%s]")
@example("18446744073709551616", "[%s]")
def test_without_decimals_integers_stay_the_same_and_others_are_the_nearest_double_at_least(
    number: str, frame: str
) -> None:
    text = (frame % number).encode()
    found, exact = loads(text, decimals=False), loads(text)
    if "." not in number and "e" not in number:
        assert dumps(found) == dumps(exact)
    else:
        value = found["a"] if isinstance(found, dict) else found[-2] if len(found) > 1 else found[0]
        assert float(value) == float(number)


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
    assert dumps({"a": [None, {"b": (1.5, None)}]}) == b'{"a":[null,{"b":[1.5,null]}]}'
    with pytest.raises(TypeError):
        dumps([None, {"a": {"b": ([1, "c"], (value,))}}])


@given(st.lists(st.one_of(st.text(), NUMBERS.map(lambda text: f" {text},"))), NUMBERS)
def test_what_looks_like_a_number_in_a_string_stays(parts: list[str], number: str) -> None:
    words = [*parts, '"', "\\", '\\"1e400', "\\\\", "\\ud800", ", 1e400, "]
    found = loads(b"[" + orjson.dumps(words) + f",1e400,{number},".encode() + orjson.dumps(words) + b"]")
    assert found[0] == found[3] == words
    assert dumps(found[1]) == b"1e400"
    assert same(dumps(found[2]).decode(), number)


@pytest.mark.parametrize("constant", ["NaN", "Infinity", "-Infinity", "1e400NaN", "NaN1e400", "01e400", "1e400.", "-"])
@pytest.mark.parametrize(
    "frame", ["[%s,1e400]", "[1e400,%s]", '{"a":1e400,"b":%s,"c":1e400}', "[18446744073709551616,%s]"]
)
def test_a_constant_among_exact_numbers_is_no_json(constant: str, frame: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        loads((frame % constant).encode())


def test_sixteen_digits_with_a_short_exponent_stay() -> None:
    assert dumps(loads(b"[9007199254740993e0]")) == b"[9007199254740993e0]"


def test_no_more_exact_numbers_are_read_than_allowed() -> None:
    doubles = b"[" + b",".join([b"13.404953999999998", b"0.1", b'"1e400"', b"18446744073709551616"] * 10)
    assert len(loads(doubles + b",1e400,1e400]", most=2)) == 42
    with pytest.raises(TooManyNumbers):
        loads(doubles + b",1e400,1e400,1e400]", most=2)


def cpu_seconds(work: Callable[[], object]) -> float:
    """What the quickest of three times takes."""

    def once() -> float:
        begun = time.process_time()
        work()
        return time.process_time() - begun

    return min(once() for _ in range(3))


def test_one_long_number_does_not_make_all_others_slow() -> None:
    doubles = b"[" + b",".join([b"0.1"] * 100_000)
    plain = cpu_seconds(lambda: loads(doubles + b"]"))
    assert cpu_seconds(lambda: loads(doubles + b",1e400]")) < 20 * plain
    assert cpu_seconds(lambda: loads(doubles + b",18446744073709551616]")) < 20 * plain


def test_to_look_for_an_infinity_costs_little() -> None:
    sent = [{"__typename": "Product", "id": f"{number}", "weight": None} for number in range(20_000)]
    assert cpu_seconds(lambda: dumps(sent)) < 12 * cpu_seconds(lambda: orjson.dumps(sent))


@pytest.mark.parametrize(
    ("text", "written"),
    [("0e999", "0.0"), ("-0.000e-999", "-0.0"), ("1e-999", "1e-999"), ("-0.00000000000000001e-400", None)],
)
def test_nothing_is_a_double_and_next_to_nothing_is_none(text: str, written: str | None) -> None:
    assert dumps(loads(text.encode())).decode() == (written or text)
