"""graphql-transport-ws is a conversation in which most of what a client can say is wrong at most times: one table decides.

Sans-IO: messages and news go in, commands come out, and nothing here waits, sends or knows a socket (gateway/http/socket.py does
what the commands say). The protocol is that of https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md; names of messages
and numbers of close codes are its own.

    state     WAITING --connection_init--> CHECKING --accepted--> READY        any --a Close command--> CLOSED

A row of TABLE says what a message does in a state. What has no row is in none of them: a client that says it is closed with 4400.
In CLOSED everything is passed over.

1. An operation lives from its `subscribe` until `complete` or `error`, whoever sends it. Its id is free again then, so a
   *number* that is never used twice names it between here and the socket: what a task of an ended operation still says is
   dropped, though its id may live again.
2. A `complete` for an id that does not live says nothing: both sides may end an operation at the same time.

Example: in WAITING, `{"type": "connection_init"}` gives `(Authenticate(payload={}),)`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeGuard

import orjson

PROTOCOL: Final = "graphql-transport-ws"
"""the sub-protocol's name in a handshake."""
LONGEST_ID: Final = 255
"""characters: it is sent back with every message of the operation."""
LONGEST_REASON: Final = 123
"""bytes of a close frame's reason (RFC 6455, 5.5)."""


class CloseCode(enum.IntEnum):
    """Why a socket is closed, in the protocol's numbers and those of RFC 6455."""

    NORMAL = 1000
    INTERNAL = 1011
    TRY_AGAIN_LATER = 1013
    BAD_REQUEST = 4400
    UNAUTHORIZED = 4401
    FORBIDDEN = 4403
    SUBPROTOCOL = 4406
    INIT_TIMEOUT = 4408
    ALREADY_EXISTS = 4409
    TOO_MANY_INITS = 4429


class State(enum.Enum):
    """How far a conversation has come."""

    WAITING = enum.auto()
    """for `connection_init`,"""
    CHECKING = enum.auto()
    """whose token is being verified."""
    READY = enum.auto()
    CLOSED = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """Send a message."""

    message: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """Close the socket, and end all that runs."""

    code: CloseCode
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate:
    """Find out who is calling, and then say `accepted` or `denied`."""

    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Run an operation, and say what becomes of it under its number."""

    number: int
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """End an operation that its client wants no more."""

    number: int


Command: TypeAlias = Send | Close | Authenticate | Start | Stop
Commands: TypeAlias = tuple[Command, ...]
Message: TypeAlias = Mapping[str, Any]


class Conversation:
    """One socket's conversation."""

    def __init__(self) -> None:
        self.state = State.WAITING
        self._living: dict[str, int] = {}
        """the number of each operation that lives, by its id,"""
        self._ids: dict[int, str] = {}
        """and its id by its number."""
        self._last = 0

    @property
    def living(self) -> int:
        """Count the operations that run."""
        return len(self._living)

    # What the client says

    def received(self, message: Any) -> Commands:
        """Take a message: any JSON."""
        if self.state is State.CLOSED:
            return ()
        if not isinstance(message, dict):
            return self._close(CloseCode.BAD_REQUEST, "A message is a JSON object.")
        kind = message.get("type")
        row = TABLE.get((self.state, kind)) if isinstance(kind, str) else None
        if row is None:
            return self._close(CloseCode.BAD_REQUEST, "There is no such message from a client.")
        return row(self, message)

    def unreadable(self, reason: str) -> Commands:
        """Take what is no message: a binary frame, or a text that is no JSON."""
        return self._close(CloseCode.BAD_REQUEST, reason)

    def overloaded(self, reason: str) -> Commands:
        """Take that the client has caused as much work as it may for now."""
        return self._close(CloseCode.TRY_AGAIN_LATER, reason)

    def broken(self) -> Commands:
        """Take that something of ours is broken."""
        return self._close(CloseCode.INTERNAL, "Something is broken here; the log says what.")

    # What became of commands, and of time

    def accepted(self) -> Commands:
        """Take that the caller is known."""
        if self.state is not State.CHECKING:
            return ()
        self.state = State.READY
        return (Send(message={"type": "connection_ack"}),)

    def denied(self, reason: str) -> Commands:
        """Take that nobody knows the caller, or that the caller's token has expired."""
        return self._close(CloseCode.FORBIDDEN, reason)

    def waited(self) -> Commands:
        """Take that the time for `connection_init` is over."""
        if self.state is not State.WAITING:
            return ()
        return self._close(CloseCode.INIT_TIMEOUT, "Connection initialisation timeout")

    def idle(self, seconds: float) -> Commands:
        """Take that nothing has run for so long."""
        return self._close(CloseCode.NORMAL, f"No operation for {seconds:g} seconds.")

    def next(self, number: int, answer: Mapping[str, Any] | orjson.Fragment) -> Commands:
        """Take an answer of an operation; there may be more."""
        if number not in self._ids:
            return ()
        return (Send(message={"id": self._ids[number], "type": "next", "payload": answer}),)

    def reached(self, number: int, cursor: str | None) -> Commands:
        """Take how far an operation has come without an event: a ping's payload is free for that."""
        if number not in self._ids or cursor is None:
            return ()
        return (Send(message={"type": "ping", "payload": {"id": self._ids[number], "cursor": cursor}}),)

    def failed(self, number: int, errors: list[Any]) -> Commands:
        """Take that an operation did not run; it has ended by that."""
        if number not in self._ids:
            return ()
        return (Send(message={"id": self._forget(number), "type": "error", "payload": errors}),)

    def completed(self, number: int) -> Commands:
        """Take that an operation has ended."""
        if number not in self._ids:
            return ()
        return (Send(message={"id": self._forget(number), "type": "complete"}),)

    # Rows of the table

    def init(self, message: Message) -> Commands:
        """Begin: who is calling is in the payload, or was in the head of the handshake."""
        payload = message.get("payload")
        if not (payload is None or isinstance(payload, dict)):
            return self._close(CloseCode.BAD_REQUEST, "The payload of connection_init is not an object.")
        self.state = State.CHECKING
        return (Authenticate(payload=payload or {}),)

    def init_again(self, _: Message) -> Commands:
        """Refuse a second beginning."""
        return self._close(CloseCode.TOO_MANY_INITS, "Too many initialisation requests")

    def ping(self, message: Message) -> Commands:
        """Answer with the same payload."""
        payload = message.get("payload")
        if payload is None:
            return (Send(message={"type": "pong"}),)
        if not isinstance(payload, dict):
            return self._close(CloseCode.BAD_REQUEST, "The payload of ping is not an object.")
        return (Send(message={"type": "pong", "payload": payload}),)

    def pong(self, message: Message) -> Commands:
        """Take an answer that nobody waits for."""
        payload = message.get("payload")
        if not (payload is None or isinstance(payload, dict)):
            return self._close(CloseCode.BAD_REQUEST, "The payload of pong is not an object.")
        return ()

    def unauthorized(self, _: Message) -> Commands:
        """Refuse an operation of somebody who is not known yet."""
        return self._close(CloseCode.UNAUTHORIZED, "Unauthorized")

    def subscribe(self, message: Message) -> Commands:
        """Begin an operation."""
        name, payload = message.get("id"), message.get("payload")
        if not _is_id(name):
            return self._close(CloseCode.BAD_REQUEST, f"An id is a text of 1 to {LONGEST_ID} characters.")
        if not isinstance(payload, dict):
            return self._close(CloseCode.BAD_REQUEST, "The payload of subscribe is not an object.")
        if name in self._living:
            return self._close(CloseCode.ALREADY_EXISTS, f"Subscriber for {name} already exists")
        self._last += 1
        self._living[name] = self._last
        self._ids[self._last] = name
        return (Start(number=self._last, payload=payload),)

    def complete(self, message: Message) -> Commands:
        """End an operation, if it lives."""
        name = message.get("id")
        if not _is_id(name):
            return self._close(CloseCode.BAD_REQUEST, f"An id is a text of 1 to {LONGEST_ID} characters.")
        if name not in self._living:
            return ()
        number = self._living[name]
        self._forget(number)
        return (Stop(number=number),)

    def _forget(self, number: int) -> str:
        name = self._ids.pop(number)
        del self._living[name]
        return name

    def _close(self, code: CloseCode, reason: str) -> Commands:
        if self.state is State.CLOSED:
            return ()
        self.state = State.CLOSED
        self._living.clear()
        self._ids.clear()
        return (Close(code=code, reason=_short(reason)),)


def _is_id(name: Any) -> TypeGuard[str]:
    return isinstance(name, str) and 0 < len(name) <= LONGEST_ID


def _short(reason: str) -> str:
    return reason.encode()[:LONGEST_REASON].decode(errors="ignore")


Row: TypeAlias = Callable[[Conversation, Message], Commands]
TABLE: Final[Mapping[tuple[State, str], Row]] = {
    (State.WAITING, "connection_init"): Conversation.init,
    (State.WAITING, "subscribe"): Conversation.unauthorized,
    (State.WAITING, "complete"): Conversation.complete,
    (State.WAITING, "ping"): Conversation.ping,
    (State.WAITING, "pong"): Conversation.pong,
    (State.CHECKING, "connection_init"): Conversation.init_again,
    (State.CHECKING, "subscribe"): Conversation.unauthorized,
    (State.CHECKING, "complete"): Conversation.complete,
    (State.CHECKING, "ping"): Conversation.ping,
    (State.CHECKING, "pong"): Conversation.pong,
    (State.READY, "connection_init"): Conversation.init_again,
    (State.READY, "subscribe"): Conversation.subscribe,
    (State.READY, "complete"): Conversation.complete,
    (State.READY, "ping"): Conversation.ping,
    (State.READY, "pong"): Conversation.pong,
}
"""What a message of a client does, by the state; the messages of a server are none of a client's."""
