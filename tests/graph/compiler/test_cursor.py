"""A cursor is a place in one list, for whoever was given it, and says nothing."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.compiler.cursor import KEY_BYTES, CursorKey, Place, StreamCursors, list_context
from graph.errors import Refused
from graph.model.scope import Scope, ScopeKind

KEY = CursorKey(bytes(range(KEY_BYTES)))
CONTEXT = "ServiceConnection.services:NAME"
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
        pytest.param("PortConnection.ports:NAME", id="a list of another type"),
        pytest.param("ServiceConnection.others:NAME", id="a list of another field"),
        pytest.param("ServiceConnection.services:-NAME", id="another direction"),
        pytest.param("ServiceConnection.services:", id="another order"),
        pytest.param(list_context(CONTEXT, {"filter": {"name": {"eq": "a"}}}), id="another filter"),
    ],
)
def test_a_cursor_of_one_list_is_refused_by_another(context: str) -> None:
    with pytest.raises(Refused):
        KEY.open(KEY.seal(["a", "b"], CONTEXT), context)


def test_a_cursor_of_one_objects_list_is_refused_by_anothers() -> None:
    sealed = KEY.seal(["a"], CONTEXT, "customer-a")
    assert KEY.open(sealed, CONTEXT) == ["a"]
    KEY.check_owner(sealed, CONTEXT, "customer-a")
    for owner in ("customer-b", None):
        with pytest.raises(Refused):
            KEY.check_owner(sealed, CONTEXT, owner)


def test_a_filter_that_says_nothing_is_none() -> None:
    assert list_context(CONTEXT, {}) == list_context(CONTEXT, {"filter": None}) == list_context(CONTEXT, {"filter": {}})


def test_a_filter_is_the_same_whatever_the_order_of_its_keys() -> None:
    one, other = {"name": {"eq": "a"}, "id": {"in": [2**70]}}, {"id": {"in": [2**70]}, "name": {"eq": "a"}}
    assert list_context(CONTEXT, {"filter": one, "first": 3}) == list_context(CONTEXT, {"filter": other, "after": "x"})


def test_a_cursor_of_another_key_is_refused() -> None:
    with pytest.raises(Refused):
        CursorKey(b"x" * KEY_BYTES).open(KEY.seal(["a"], CONTEXT), CONTEXT)


def test_lengths_come_in_classes() -> None:
    lengths = {len(KEY.seal(["x" * n], CONTEXT)) for n in range(24)}
    assert len(lengths) == 1
    assert len(KEY.seal(["x" * 24], CONTEXT)) > lengths.pop()


def test_a_key_has_one_length_and_is_not_shown() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        CursorKey(b"short")
    assert repr(KEY) == "CursorKey(...)"


@pytest.mark.parametrize(
    ("sealed", "place"),
    [([7, 8], Place(position=7, at=8, mark="")), ([7, 8, "abc".ljust(12)], Place(position=7, at=8, mark="abc"))],
)
def test_a_cursor_of_a_stream_may_be_from_before_there_were_marks(sealed: list[Any], place: Place) -> None:
    cursors = StreamCursors(KEY, "alerts", Scope(kind=ScopeKind.CUSTOMERS, customers=("customer-a",)))
    context = 'subscription alerts ["customers","customer-a"]'
    assert cursors.open(KEY.seal(sealed, context)) == place
    assert cursors.open(cursors.seal(place)) == place
