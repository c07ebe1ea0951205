"""A cursor is a place in one list, for whoever was given it, and says nothing."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.compiler.cursor import KEY_BYTES, CursorKey
from graph.errors import Refused

KEY = CursorKey(bytes(range(KEY_BYTES)))
CONTEXT = "ServiceConnection:name,id"
PLACES = st.lists(
    st.none() | st.text() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False), max_size=4
)


@given(place=PLACES)
def test_a_cursor_opens_to_its_place(place: list[object]) -> None:
    assert KEY.open(KEY.seal(place, CONTEXT), CONTEXT) == place


@given(place=PLACES)
def test_every_replica_gives_the_same_cursor(place: list[object]) -> None:
    assert CursorKey(bytes(range(KEY_BYTES))).seal(place, CONTEXT) == KEY.seal(place, CONTEXT)


@given(place=PLACES, at=st.integers(0, 500), flip=st.integers(1, 255))
def test_a_changed_cursor_is_refused(place: list[object], at: int, flip: int) -> None:
    sealed = KEY.seal(place, CONTEXT)
    raw = bytearray(base64.urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4)))
    raw[at % len(raw)] ^= flip
    with pytest.raises(Refused) as refused:
        KEY.open(base64.urlsafe_b64encode(raw).decode().rstrip("="), CONTEXT)
    assert refused.value.code == "BAD_USER_INPUT"


@given(text=st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        KEY.open(text, CONTEXT)


@pytest.mark.parametrize(
    "context",
    [
        pytest.param("PortConnection:name,id", id="another list"),
        pytest.param("ServiceConnection:-name,id", id="another direction"),
        pytest.param("ServiceConnection:id", id="another order"),
    ],
)
def test_a_cursor_of_one_list_is_refused_by_another(context: str) -> None:
    with pytest.raises(Refused):
        KEY.open(KEY.seal(["a", "b"], CONTEXT), context)


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(Refused):
        CursorKey(b"x" * KEY_BYTES).open(KEY.seal(["a"], CONTEXT), CONTEXT)


def test_lengths_come_in_classes() -> None:
    lengths = {len(KEY.seal(["x" * n], CONTEXT)) for n in range(29)}
    assert len(lengths) == 1
    assert len(KEY.seal(["x" * 29], CONTEXT)) > lengths.pop()


def test_a_key_has_one_length_and_is_not_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        CursorKey(b"short")
    assert repr(KEY) == "CursorKey(...)"
