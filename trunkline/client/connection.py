"""One connection: a subscription over a WebSocket, by gql's transport, with what it hears in the order in which it was sent.

In: the address, a token, a document with its variables. Out: answers and heartbeats, until the gateway says that there are no more;
`Cut`, with how it has ended, where there may be. gql does the protocol (graphql-transport-ws); added to it are

1. heartbeats: a `ping` whose payload has a cursor takes its turn between the answers,
2. a bound: no more than AHEAD answers wait here; what else comes waits in the gateway, which knows what to do with slow clients,
3. an end to silence: gql's own watch (`keep_alive_timeout`) cannot always be ended on Python 3.11, and holds up a close,
4. why it has ended: gql's errors are read here, and go no further.
"""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from gql import GraphQLRequest
from gql.transport.exceptions import TransportError, TransportProtocolError, TransportQueryError
from gql.transport.websockets import WebsocketsTransport
from graphql import ExecutionResult
from websockets.exceptions import ConnectionClosed, InvalidStatus, InvalidURI

from trunkline.client.errors import ProtocolError
from trunkline.client.events import Event
from trunkline.client.resuming import Closed, Ending, Failed, NotAccepted

TokenSource: TypeAlias = str | Callable[[], str | Awaitable[str]] | None
"""A token, or a function that gives one each time that a connection is opened."""
AHEAD: Final = 100
CONNECT_SECONDS: Final = 10.0
SILENT_SECONDS: Final = 75.0
"""without even a heartbeat, which comes after 30 seconds: the connection is dead."""
_CLOSE_SECONDS: Final = 1.0


class Cut(Exception):
    """The connection has ended, and there may be more over another one."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending)
        self.ending = ending


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """The stream has come so far without an event."""

    cursor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gateway:
    """Where it is, and who asks."""

    url: str
    token: TokenSource
    ssl: ssl.SSLContext | None

    def address(self, scheme: str) -> str:
        """Give the address for `http` or `ws`, as secure as the one that was given."""
        given, _, rest = self.url.partition("://")
        return f"{scheme}{'s' if given in {'https', 'wss'} else ''}://{rest}"

    async def authorization(self) -> dict[str, str]:
        """Give the header that says who asks; a function is asked each time."""
        token = self.token() if callable(self.token) else self.token
        token = await token if inspect.isawaitable(token) else token
        return {"Authorization": f"Bearer {token}"} if token else {}


async def heard(
    gateway: Gateway, document: str, variables: Mapping[str, Any]
) -> AsyncGenerator[Event | Heartbeat, None]:
    """Subscribe, and give what is heard until it is complete; raises Cut and ProtocolError."""
    transport = _Transport(gateway, await gateway.authorization())
    try:
        with _cuts():
            await transport.connect()
            request = GraphQLRequest(document, variable_values=dict(variables))
            async with aclosing(transport.subscribe(request)) as results:
                while (each := await _next(results)) is not None:
                    yield _read(each)
                    transport.take()
    finally:
        await transport.end()


async def _next(results: AsyncGenerator[ExecutionResult, None]) -> ExecutionResult | None:
    async with asyncio.timeout(SILENT_SECONDS):
        return await anext(results, None)


class _Transport(WebsocketsTransport):
    """gql's, with heartbeats in their turn, and a bound on what waits."""

    def __init__(self, gateway: Gateway, authorization: Mapping[str, str]) -> None:
        super().__init__(
            gateway.address("ws"),
            ssl=gateway.ssl or False,
            init_payload=dict(authorization),
            connect_timeout=CONNECT_SECONDS,
            close_timeout=3 * _CLOSE_SECONDS,
            subprotocols=[WebsocketsTransport.GRAPHQLWS_SUBPROTOCOL],
            # The gateway bounds an answer; one that is refused here would be sent again and again.
            connect_args={"close_timeout": _CLOSE_SECONDS, "max_size": None},
        )
        self._room = asyncio.Semaphore(AHEAD)

    def take(self) -> None:
        """Make room for another answer."""
        self._room.release()

    async def end(self) -> None:
        """Close the socket, and leave nothing running."""
        await self.close()
        if self.receive_data_task is not None:
            self.receive_data_task.cancel()  # it may wait for room
            await asyncio.gather(self.receive_data_task, return_exceptions=True)

    async def _handle_answer(
        self, answer_type: str, answer_id: int | None, execution_result: ExecutionResult | None
    ) -> None:
        if answer_type == "ping":
            answer_id, execution_result = _heartbeat(self.payloads["ping"])
        if execution_result is not None:
            await self._room.acquire()
        await super()._handle_answer(answer_type, answer_id, execution_result)

    async def _stop_listener(self, query_id: int) -> None:
        with contextlib.suppress(TransportError):  # nobody need be told where there is no connection
            await super()._stop_listener(query_id)


def _heartbeat(payload: Any) -> tuple[int | None, ExecutionResult | None]:
    """Read which operation a ping is about, and make an answer without data of it."""
    match payload:
        case {"id": str(number), "cursor": str(cursor)} if number.isdecimal():
            return int(number), ExecutionResult(data=None, errors=None, extensions={"cursor": cursor})
        case _:
            return None, None


def _read(result: ExecutionResult) -> Event | Heartbeat:
    # gql leaves errors as they came: mappings, not GraphQLError.
    errors: list[Any] = list(result.errors or ())
    cursor = (result.extensions or {}).get("cursor")
    if cursor is None and result.data is None and errors:
        raise Cut(Failed(errors=errors))
    if not isinstance(cursor, str):
        raise ProtocolError("An event has no cursor: the address is no Trunkline gateway's, or an older one's.")
    if result.data is None and not errors:
        return Heartbeat(cursor=cursor)
    return Event(data=result.data, errors=tuple(errors), cursor=cursor)


@contextlib.contextmanager
def _cuts() -> Iterator[None]:
    """Turn gql's errors into ours."""
    try:
        yield
    except TransportQueryError as error:
        raise Cut(Failed(errors=error.errors or [{"message": str(error)}])) from error
    except TransportProtocolError as error:
        raise ProtocolError(str(error)) from error
    except (TransportError, TimeoutError) as error:
        raise Cut(_ending(error)) from error


def _ending(error: BaseException) -> Ending:
    """Read from an error and its causes how a connection has ended, or why there was none."""
    causes = list(_causes(error))
    for each in causes:
        match each:
            case ConnectionClosed(rcvd=frame) if frame is not None:
                return Closed(code=frame.code, reason=frame.reason)
            case InvalidStatus(response=response):
                return NotAccepted(status=response.status_code)
            case InvalidURI():  # the one that was given is checked: somebody leads elsewhere
                raise ProtocolError(f"The gateway leads to an address that is none: {each}.") from error
            case ssl.SSLCertVerificationError():
                raise ProtocolError(f"The gateway's certificate is not trusted: {each.verify_message}.") from error
            case _:
                pass
    return Closed(code=None, reason=_reason(causes))


def _reason(causes: Sequence[BaseException]) -> str:
    """Say why, in the words of what lies deepest; a deadline that has passed has none, and has cancelled what it bounds."""
    if any(isinstance(each, TimeoutError) and not str(each) for each in causes):
        return "no answer came in time"
    return str(causes[-1]) or type(causes[-1]).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
