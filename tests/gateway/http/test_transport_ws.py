"""Each message in each state, and each thing that becomes of an operation: what the table commands."""

from __future__ import annotations

import itertools
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.http.transport_ws import (
    LONGEST_ID,
    LONGEST_REASON,
    TABLE,
    Authenticate,
    Close,
    CloseCode,
    Commands,
    Conversation,
    Send,
    Start,
    State,
    Stop,
)

INIT: Final[dict[str, Any]] = {"type": "connection_init"}
SUBSCRIBE: Final[dict[str, Any]] = {"type": "subscribe", "id": "a", "payload": {"query": "{ a }"}}
COMPLETE: Final[dict[str, Any]] = {"type": "complete", "id": "a"}
NO_OBJECTS: Final[list[Any]] = [[], "x", 1, True, False, 0]
NO_MESSAGES: Final[list[Any]] = [[], "x", 1, None, {}, {"type": 1}, {"type": None}, {"type": ["ping"]}, {"type": ""}]
OF_SERVERS: Final = [{"type": each, "id": "a"} for each in ("next", "error", "connection_ack", "start", "stop")]
PONG: Final = Send(message={"type": "pong"})


def in_state(state: State) -> Conversation:
    conversation = Conversation()
    if state is not State.WAITING:
        conversation.received(INIT)
    if state in {State.READY, State.CLOSED}:
        conversation.accepted()
    if state is State.CLOSED:
        conversation.denied("over")
    assert conversation.state is state
    return conversation


def ready() -> Conversation:
    return in_state(State.READY)


def code(commands: Commands) -> CloseCode:
    (command,) = commands
    assert isinstance(command, Close)
    return command.code


@pytest.mark.parametrize(
    ("state", "message", "expected"),
    [
        (State.WAITING, INIT, (Authenticate(payload={}),)),
        (State.WAITING, {**INIT, "payload": None}, (Authenticate(payload={}),)),
        (State.WAITING, {**INIT, "payload": {"a": 1}}, (Authenticate(payload={"a": 1}),)),
        (State.READY, SUBSCRIBE, (Start(number=1, payload={"query": "{ a }"}),)),
        *((state, {"type": "ping"}, (PONG,)) for state in (State.WAITING, State.CHECKING, State.READY)),
        *((state, {"type": "ping", "payload": None}, (PONG,)) for state in (State.WAITING, State.READY)),
        (
            State.WAITING,
            {"type": "ping", "payload": {"b": [1]}},
            (Send(message={"type": "pong", "payload": {"b": [1]}}),),
        ),
        *((state, {"type": "pong", "payload": {}}, ()) for state in (State.WAITING, State.CHECKING, State.READY)),
        *((state, COMPLETE, ()) for state in (State.WAITING, State.CHECKING, State.READY)),
    ],
)
def test_a_message_that_is_right(state: State, message: Any, expected: Commands) -> None:
    assert in_state(state).received(message) == expected


@pytest.mark.parametrize(
    ("state", "message", "expected"),
    [
        (State.CHECKING, INIT, CloseCode.TOO_MANY_INITS),
        (State.READY, INIT, CloseCode.TOO_MANY_INITS),
        (State.WAITING, SUBSCRIBE, CloseCode.UNAUTHORIZED),
        (State.CHECKING, SUBSCRIBE, CloseCode.UNAUTHORIZED),
        *((State.WAITING, {**INIT, "payload": each}, CloseCode.BAD_REQUEST) for each in NO_OBJECTS),
        *((State.READY, {**SUBSCRIBE, "payload": each}, CloseCode.BAD_REQUEST) for each in (*NO_OBJECTS, None)),
        *(
            (State.READY, {**each, "id": name}, CloseCode.BAD_REQUEST)
            for each in (SUBSCRIBE, COMPLETE)
            for name in ("", 1, None, ["a"], "x" * (LONGEST_ID + 1))
        ),
        (State.READY, {"type": "subscribe", "payload": {}}, CloseCode.BAD_REQUEST),
        (State.READY, {"type": "complete"}, CloseCode.BAD_REQUEST),
        (State.WAITING, {"type": "ping", "payload": []}, CloseCode.BAD_REQUEST),
        (State.WAITING, {"type": "pong", "payload": "x"}, CloseCode.BAD_REQUEST),
        *(
            (state, message, CloseCode.BAD_REQUEST)
            for state in (State.WAITING, State.CHECKING, State.READY)
            for message in (*NO_MESSAGES, *OF_SERVERS)
        ),
    ],
)
def test_a_message_that_is_wrong_closes_the_socket(state: State, message: Any, expected: CloseCode) -> None:
    conversation = in_state(state)
    assert code(conversation.received(message)) is expected
    assert conversation.state is State.CLOSED


@pytest.mark.parametrize("message", [INIT, SUBSCRIBE, COMPLETE, {"type": "ping"}, [], "x"])
def test_after_the_close_everything_is_passed_over(message: Any) -> None:
    conversation = in_state(State.CLOSED)
    assert conversation.received(message) == ()
    assert conversation.unreadable("x") == ()
    assert conversation.denied("x") == conversation.accepted() == conversation.waited() == ()
    assert conversation.next(1, {}) == conversation.failed(1, []) == conversation.completed(1) == ()


def test_the_table_has_a_row_for_each_message_of_a_client_in_each_state() -> None:
    kinds = ("connection_init", "subscribe", "complete", "ping", "pong")
    assert set(TABLE) == set(itertools.product((State.WAITING, State.CHECKING, State.READY), kinds))


def test_the_caller_is_acknowledged_once_and_only_when_it_has_begun() -> None:
    conversation = Conversation()
    assert conversation.accepted() == ()
    conversation.received(INIT)
    assert conversation.accepted() == (Send(message={"type": "connection_ack"}),)
    assert conversation.accepted() == ()


def test_a_client_that_never_begins_is_waited_for_so_long_and_one_that_has_begun_is_not() -> None:
    waiting = Conversation()
    waiting.received({"type": "ping"})
    assert code(waiting.waited()) is CloseCode.INIT_TIMEOUT
    assert in_state(State.CHECKING).waited() == ()
    assert ready().waited() == ()


def test_a_caller_that_is_denied_is_told_why_in_no_more_than_a_frame_holds() -> None:
    conversation = in_state(State.CHECKING)
    (command,) = conversation.denied("é" * 200)
    assert isinstance(command, Close)
    assert command.code is CloseCode.FORBIDDEN
    assert LONGEST_REASON - 2 < len(command.reason.encode()) <= LONGEST_REASON


def test_a_query_is_answered_and_completed_and_its_id_is_free_again() -> None:
    conversation = ready()
    conversation.received(SUBSCRIBE)
    answer = {"data": {"a": 1}}
    assert conversation.next(1, answer) == (Send(message={"id": "a", "type": "next", "payload": answer}),)
    assert conversation.completed(1) == (Send(message={"id": "a", "type": "complete"}),)
    assert conversation.received(SUBSCRIBE) == (Start(number=2, payload=SUBSCRIBE["payload"]),)


def test_an_error_ends_an_operation_and_leaves_the_socket() -> None:
    conversation = ready()
    conversation.received(SUBSCRIBE)
    assert conversation.failed(1, [{"message": "m"}]) == (
        Send(message={"id": "a", "type": "error", "payload": [{"message": "m"}]}),
    )
    assert conversation.completed(1) == ()
    assert (conversation.state, conversation.living) == (State.READY, 0)


def test_an_id_that_lives_cannot_be_used_again() -> None:
    conversation = ready()
    conversation.received(SUBSCRIBE)
    assert code(conversation.received(SUBSCRIBE)) is CloseCode.ALREADY_EXISTS


def test_what_an_ended_operation_still_says_does_not_reach_a_new_one_of_its_id() -> None:
    conversation = ready()
    conversation.received(SUBSCRIBE)
    assert conversation.received(COMPLETE) == (Stop(number=1),)
    assert conversation.received(COMPLETE) == ()
    conversation.received(SUBSCRIBE)
    assert conversation.next(1, {}) == conversation.failed(1, []) == conversation.completed(1) == ()
    assert conversation.living == 1
    assert conversation.completed(2) != ()


MESSAGES = st.one_of(
    st.sampled_from([INIT, SUBSCRIBE, COMPLETE, {"type": "ping"}, {**SUBSCRIBE, "id": "b"}]),
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=4)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3),
            st.dictionaries(st.sampled_from(["type", "id", "payload", "x"]), inner, max_size=4),
        ),
        max_leaves=6,
    ),
)


@given(st.lists(MESSAGES, max_size=12))
def test_whatever_a_client_says_it_is_closed_at_most_once_and_no_id_lives_twice(messages: list[Any]) -> None:
    conversation = Conversation()
    commands: list[Any] = []
    for each in messages:
        commands += conversation.received(each)
        commands += conversation.accepted()
    closes = [each for each in commands if isinstance(each, Close)]
    assert len(closes) <= 1
    assert not closes or commands[-1] is closes[0]
    started = [each.number for each in commands if isinstance(each, Start)]
    assert started == sorted(set(started))
    assert (conversation.state is State.CLOSED) == bool(closes)
