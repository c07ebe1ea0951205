"""GraphQL over WebSocket: a thin shell round a conversation, which knows sockets and tasks and decides nothing of the protocol.

In: an ASGI WebSocket. Out: what gateway/http/transport_ws.py commands is done: messages are sent, callers found out, operations run.

1. The head of the handshake passes the checks of any request, and its `Origin`, if it has one, must be one that may call: a
   browser sends cookies and opens WebSockets for any page. What is refused there is an HTTP response.
2. The token is in the head's `Authorization`, or in the payload of `connection_init` under that name (`authorization` too, and
   `X-Acts-For` for routers); the payload's wins. When the token is refused any more, the socket is closed with 4403.
3. Each operation is a task with a context of its own: its id in the log, its deadline, its place among the streams. Whatever
   ends the operation cancels the task, in the database too.
4. Messages are written one at a time, and whoever has one waits until it is written: a client that does not read makes its
   operations wait, and what they read from is bounded.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, replace
from typing import Any, Final, TypeAlias

import structlog
from starlette.types import Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from gateway import exact_json
from gateway.auth.principals import caller_of
from gateway.auth.tokens import Believed, Tokens
from gateway.errors import Code, Problem, Refused, code_of, printed, refuse
from gateway.exchange import Exchange
from gateway.federation.subgraph import Answer
from gateway.http import transport_ws as ws
from gateway.http.admission import Rules, check_host, check_origin, check_single, rules_of
from gateway.http.observe import request_id_of
from gateway.http.request import parsed, shaped
from gateway.http.response import Media, refusal
from gateway.http.said import Said
from gateway.http.streams import LONGEST_SLEEP, OpenStreams, finished
from gateway.http.watch import in_time
from gateway.operations.documents import Prepared
from gateway.operations.pipeline import LARGE, GraphRequest, Pipeline
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from graph.model.scope import Role

LONGEST_NAME: Final = 64
"""of an operation, in the log."""
TURN: Final = 50
"""messages of one client, after which others have their turn."""
CREDENTIALS: Final = {"authorization": b"authorization", "x-acts-for": b"x-acts-for"}
"""What is read of the payload of `connection_init`, by its name in lower case, and the header that it stands for."""

Callers: TypeAlias = Callable[[Scope, Mapping[bytes, bytes]], Awaitable[Believed]]
"""Says who calls, by the headers; raises Refused."""


def callers_by(tokens: Tokens) -> Callers:
    """Say who calls by their tokens."""

    async def caller(_: Scope, headers: Mapping[bytes, bytes]) -> Believed:
        return await caller_of(tokens, headers)

    return caller


log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SocketContext:
    """What every socket of a process shares."""

    pipeline: Pipeline
    for_routers: Pipeline
    streams: OpenStreams
    callers: Callers
    settings: Settings
    metrics: Metrics


class SocketEndpoint:
    """The ASGI application behind one path, for WebSockets."""

    def __init__(self, context: SocketContext) -> None:
        self._context = context
        rules = rules_of(context.settings)
        self._rules: Rules = replace(rules, any_origin="*" in rules.origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket until it is closed."""
        exchange = Exchange(request_id_of(scope))
        await receive()
        try:
            caller = await self._admitted(scope)
        except Refused as refused:
            await refusal(_rejecting(send), exchange, Media.JSON, refused)
            return
        if ws.PROTOCOL not in scope["subprotocols"]:
            await send({"type": "websocket.accept"})
            reason = f"Subprotocol not acceptable: ask for {ws.PROTOCOL}"
            await send({"type": "websocket.close", "code": int(ws.CloseCode.SUBPROTOCOL), "reason": reason})
            return
        name = (b"x-request-id", exchange.request_id.encode())
        await send({"type": "websocket.accept", "subprotocol": ws.PROTOCOL, "headers": [name]})
        self._context.metrics.sockets(1)
        socket = _Socket(self._context, scope, send, exchange, caller)
        try:
            with bound_contextvars(request_id=exchange.request_id):
                await socket.run(receive)
        finally:
            self._context.metrics.sockets(-1)
            socket.log()

    async def _admitted(self, scope: Scope) -> Believed | None:
        """Check the head of a handshake; give the caller that it names, if it names one."""
        headers = dict(scope["headers"])
        check_single(each for each, _ in scope["headers"])
        check_host(headers.get(b"host"), scope["http_version"], self._rules)
        check_origin(headers.get(b"origin"), headers.get(b"host", b""), self._rules)
        return await self._context.callers(scope, headers) if b"authorization" in headers else None


def _rejecting(send: Send) -> Send:
    """Send an HTTP response where a WebSocket was asked for (ASGI's extension `websocket.http.response`)."""

    async def rejecting(message: Message) -> None:
        await send({**message, "type": f"websocket.{message['type']}"})

    return rejecting


class _Socket:
    """One socket."""

    def __init__(
        self, context: SocketContext, scope: Scope, send: Send, exchange: Exchange, caller: Believed | None
    ) -> None:
        self._context = context
        self._scope = scope
        self._send = send
        self._exchange = exchange
        self._caller = caller
        """None: until `connection_init` has said who calls."""
        self._talk = ws.Conversation()
        self._group: asyncio.TaskGroup
        self._counted: ExitStack
        """among its caller's sockets, once that is known."""
        self._used = 0.0
        """by time.monotonic(): when the last operation ended."""
        self._running: set[asyncio.Task[None]] = set()
        self._operations: dict[int, asyncio.Task[None]] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._turn = asyncio.Lock()
        self._is_closed = False
        self._said = Said()
        self._close = ""
        """the code and the reason with which we have closed it."""

    async def run(self, receive: Receive) -> None:
        """Do what the client says until it is gone, or until something of ours breaks that is no operation's."""
        try:
            with ExitStack() as self._counted:
                await self._converse(receive)
        except Exception:
            log.exception("websocket failed", request_id=self._exchange.request_id)
            await self._do(self._talk.broken())

    async def _converse(self, receive: Receive) -> None:
        async with asyncio.TaskGroup() as self._group:
            try:
                self._later("init", self._context.settings.streams.init_seconds, self._miss_init)
                await self._listen(receive)
            finally:
                self._cancel_timers()
            self._is_closed = True
            self._cancel_all()

    async def _listen(self, receive: Receive) -> None:
        while (message := await receive())["type"] != "websocket.disconnect":
            try:
                await self._do(self._heard(message))
            except _NotWritable:  # what is sent from here came from the client: a pong
                await self._do(self._talk.unreadable("What is to be sent back nests too deep."))
            if self._said.messages % TURN == 0:
                await asyncio.sleep(0)  # neither reading nor sending waits while there is something to read

    def log(self) -> None:
        """Say how it went."""
        log.info(
            "websocket",
            request_id=self._exchange.request_id,
            closed=self._close,
            subject=self._caller.principal.subject if self._caller else "",
            seconds=round(time.monotonic() - self._exchange.started, 1),
        )

    def _heard(self, message: Message) -> ws.Commands:
        text = message.get("text")
        if text is None:
            return self._talk.unreadable("A message is a text, and not bytes.")
        data = text.encode()
        self._said.note(len(data))
        if self._caller is None:
            if self._said.bytes > LARGE:
                return self._talk.unreadable(f"A caller who is not known says at most {LARGE} bytes.")
            return self._read(data)
        try:
            with self._context.pipeline.metered(self._caller.principal, self._said.lately):
                return self._read(data)
        except Refused as refused:
            return self._talk.overloaded(refused.problems[0].message)

    def _read(self, data: bytes) -> ws.Commands:
        try:
            return self._talk.received(parsed(data))
        except Refused:
            return self._talk.unreadable("A message is JSON.")

    async def _do(self, commands: ws.Commands) -> None:
        for command in commands:
            match command:
                case ws.Send(message=message):
                    await self._write({"type": "websocket.send", "text": _text(message)})
                case ws.Close(code=code, reason=reason):
                    self._close = f"{int(code)} {reason}"
                    self._cancel_all()
                    await self._write({"type": "websocket.close", "code": int(code), "reason": reason})
                    self._is_closed = True
                case ws.Authenticate(payload=payload):
                    self._spawn(self._authenticate(payload))
                case ws.Start(number=number, payload=payload):
                    await self._start(number, payload)
                case ws.Stop(number=number):
                    self._operations[number].cancel()

    async def _write(self, message: Message) -> None:
        async with self._turn:
            if self._is_closed:
                return
            try:
                await self._send(message)
            except OSError:  # the client is gone; the server says so to whoever reads
                self._is_closed = True

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = self._group.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    def _later(self, name: str, seconds: float, then: Callable[[], None]) -> None:
        """Call something later, in the place of what this name had before: a task that sleeps takes kilobytes."""
        if name in self._timers:
            self._timers[name].cancel()
        self._timers[name] = asyncio.get_running_loop().call_later(seconds, then)

    def _cancel_timers(self) -> None:
        for each in self._timers.values():
            each.cancel()

    def _cancel_all(self) -> None:
        self._cancel_timers()
        current = asyncio.current_task()
        for each in self._running - {current}:
            each.cancel()

    # Who calls, and for how long

    def _miss_init(self) -> None:
        self._spawn(self._do(self._talk.waited()))

    async def _authenticate(self, payload: Mapping[str, Any]) -> None:
        try:
            headers = _credentials(payload)
            if headers or self._caller is None:
                self._caller = await self._context.callers(self._scope, headers)
        except Refused as refused:
            await self._do(self._talk.denied(refused.problems[0].message))
            return
        try:
            self._counted.enter_context(self._context.streams.socket(self._caller.principal.subject))
        except Refused as refused:
            await self._do(self._talk.overloaded(refused.problems[0].message))
            return
        if self._caller.expires < math.inf:
            self._look_at_token()
        self._used = time.monotonic()
        self._look_at_operations()
        await self._do(self._talk.accepted())

    def _look_at_operations(self) -> None:
        """Close the socket where nothing has run for a while; else look again later."""
        seconds = self._context.settings.streams.idle_seconds
        left = seconds if self._talk.living else self._used + seconds - time.monotonic()
        if left > 0:
            self._later("idle", left, self._look_at_operations)
        else:
            self._spawn(self._do(self._talk.idle(seconds)))

    def _look_at_token(self) -> None:
        """Close the socket where the token is refused by now; else look again later."""
        assert self._caller is not None, "a token has been shown"
        left = self._caller.expires - time.time()
        if left > 0:
            self._later("token", min(left, LONGEST_SLEEP), self._look_at_token)
        else:
            self._spawn(self._do(self._talk.denied("The token has expired.")))

    # Operations

    async def _start(self, number: int, payload: Mapping[str, Any]) -> None:
        try:
            request = replace(shaped(payload, queries_only=False, size=self._said.lately), can_stream=True)
        except Refused as refused:
            await self._do(self._talk.unreadable(refused.problems[0].message))
            return
        most = self._context.settings.streams.operations
        if self._talk.living > most:
            message = f"The socket runs {most} operations, which is as many as it may (`streams.operations`)."
            problem = Problem(code=Code.TOO_MANY_REQUESTS, message=message)
            await self._do(self._talk.failed(number, [printed(problem, self._exchange.request_id)]))
            return
        task = self._operations[number] = self._spawn(self._operate(number, request))
        task.add_done_callback(lambda _: self._operations.pop(number))

    async def _operate(self, number: int, request: GraphRequest) -> None:
        """Run one operation, and say what becomes of it."""
        exchange = Exchange(f"{self._exchange.request_id}-{number}")
        with bound_contextvars(request_id=exchange.request_id):
            try:
                await self._run(number, request, exchange)
            except Refused as refused:
                exchange.code = refused.problems[0].code.value
                errors = [printed(each, exchange.request_id) for each in refused.problems]
                await self._do(self._talk.failed(number, errors))
            except Exception:
                log.exception("request failed", request_id=exchange.request_id)
                exchange.code = Code.INTERNAL.value
                problem = Problem(code=Code.INTERNAL, message="The request could not be answered.")
                await self._do(self._talk.failed(number, [printed(problem, exchange.request_id)]))
            finally:
                self._used = time.monotonic()
                exchange.status = 200
                self._context.metrics.count(exchange)

    async def _run(self, number: int, request: GraphRequest, exchange: Exchange) -> None:
        assert self._caller is not None, "nothing is started before the caller is known"
        principal = exchange.principal = self._caller.principal
        context = self._context
        pipeline = context.for_routers if principal.role is Role.ROUTER else context.pipeline
        deadline = exchange.started + context.settings.deadline_seconds
        async with in_time(deadline):
            prepared = await pipeline.prepare(request, principal)
            exchange.operation = prepared.name[:LONGEST_NAME]
            if not prepared.is_subscription:
                answer = await pipeline.answer(prepared, request, principal, deadline)
        if prepared.is_subscription:
            await self._stream(number, pipeline, prepared, request, exchange)
        else:
            await self._answer(number, answer, exchange)

    async def _answer(self, number: int, answer: Answer, exchange: Exchange) -> None:
        """Send the answer of a query or a mutation, or of a subscription that cannot begin."""
        answer = finished(answer, exchange.request_id)
        if errors := answer.get("errors"):
            exchange.code = code_of(errors[0]).value
        if "data" not in answer:
            await self._do(self._talk.failed(number, list(answer["errors"])))
            return
        await self._do(self._talk.next(number, answer))
        await self._do(self._talk.completed(number))

    async def _stream(
        self, number: int, pipeline: Pipeline, prepared: Prepared, request: GraphRequest, exchange: Exchange
    ) -> None:
        principal, streams = exchange.principal, self._context.streams
        assert principal is not None, "it has just been set"
        deadline = exchange.started + self._context.settings.deadline_seconds
        with streams.room("websocket", principal, exchange) as opened:
            async with in_time(deadline):
                begun = await pipeline.subscribe(prepared, request, principal, deadline)
            if isinstance(begun, dict):
                opened.reason = code_of(begun["errors"][0]).value
                await self._answer(number, begun, exchange)
                return
            exchange.answered = time.monotonic()
            async with aclosing(streams.payloads(opened, begun)) as payloads:
                async for each in payloads:
                    if each.answer is None:
                        await self._do(self._talk.reached(number, each.cursor))
                    else:
                        await self._do(self._talk.next(number, each.answer))
            await self._do(self._talk.completed(number))


class _NotWritable(Exception):
    """A message cannot be written as JSON."""


def _text(message: Mapping[str, Any]) -> str:
    """Write a message; a ping's payload goes back with the digits that it came with. Raises _NotWritable."""
    try:
        return exact_json.dumps(message).decode()
    except (TypeError, RecursionError) as error:  # as of what nests 250 deep
        raise _NotWritable from error


def _credentials(payload: Mapping[str, Any]) -> dict[bytes, bytes]:
    """Read the headers that stand in the payload of `connection_init`; all else in it is the client's own."""
    found = {}
    for name, value in payload.items():
        header = CREDENTIALS.get(name.lower())
        if header is None:
            continue
        if not isinstance(value, str) or header in found:
            raise refuse(Code.UNAUTHENTICATED, f"`{name}` in the payload of connection_init is not one text.")
        found[header] = value.encode()
    return found
