"""An answer of any bytes is read in a time that its length bounds."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gateway.exact_json import dumps
from gateway.federation.execution.leaves import TOO_DEEP
from gateway.federation.execution.reading import DEEPEST, MOST_EXACT, Unreadable, read_answer


def cpu_seconds(body: bytes) -> float:
    """What the quickest of three readings takes."""

    def once() -> float:
        begun = time.process_time()
        read_answer(body)
        return time.process_time() - begun

    return min(once() for _ in range(3))


def answer(text: bytes, value: bytes = b"null") -> bytes:
    return b'{"data":{"text":"%s","value":%s}}' % (text, value)


def depth(value: Any) -> int:
    levels = 0
    while isinstance(value, list | dict):
        levels += 1
        value = next(iter(value if isinstance(value, list) else value.values()))
    return levels


def test_brackets_in_a_string_do_not_make_the_reading_slow() -> None:
    flat = cpu_seconds(answer(b"[" * 500_000))
    assert cpu_seconds(answer(b"[" * 499_000 + b"[" * 200 + b"]" * 200)) < 10 * flat


@pytest.mark.parametrize("text", [b"", b"[" * 10_000 + b"]" * 150])
def test_what_is_too_deep_is_cut_whatever_stands_in_strings(text: bytes) -> None:
    data, _ = read_answer(answer(text, b"[" * 300 + b"]" * 300))
    assert data is not None
    value = data["value"]
    assert depth(value) == DEEPEST - 2
    while isinstance(value, list):
        (value,) = value
    assert value is TOO_DEEP
    nearly = b"[" * (DEEPEST - 2) + b"1" + b"]" * (DEEPEST - 2)
    data, _ = read_answer(answer(text, nearly))
    assert data is not None
    assert dumps(data["value"]) == nearly


def test_an_answer_has_a_bounded_number_of_exact_numbers() -> None:
    numbers = b",".join([b"1e999"] * MOST_EXACT)
    data, _ = read_answer(answer(b"", b"[%s]" % numbers))
    assert data is not None
    assert len(data["value"]) == MOST_EXACT
    with pytest.raises(Unreadable, match="more than 100000 are none"):
        read_answer(answer(b"", b"[%s,1e999]" % numbers))
