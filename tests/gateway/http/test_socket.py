"""What a graphql-transport-ws server must answer, over real sockets: each line of the protocol's table is a test."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import orjson
import pytest
from structlog.testing import capture_logs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gateway.http import unsent
from gateway.http.said import PERIOD, Said
from gateway.http.serving import bound, bounds_of, listening
from gateway.settings.settings import Settings
from gateway.settings.streams import Streams
from tests.gateway.conftest import Mint, application
from tests.gateway.streaming import StreamSubgraph
from tests.selection import is_full

PROTOCOL: Final = "graphql-transport-ws"
INIT: Final[dict[str, Any]] = {"type": "connection_init"}
SECONDS: Final = 20.0
"""that nothing here may take, however slow the machine is."""


@asynccontextmanager
async def serving(subgraph: StreamSubgraph, settings: Settings) -> AsyncIterator[str]:
    sock = bound(settings)
    port = sock.getsockname()[1]
    async with listening(application(subgraph, settings), sock, bounds_of(settings)):
        yield f"ws://127.0.0.1:{port}/graphql"


@pytest.fixture(scope="module")
async def streaming() -> StreamSubgraph:
    return StreamSubgraph()


@pytest.fixture(scope="module")
async def url(streaming: StreamSubgraph, settings: Settings) -> AsyncIterator[str]:
    async with serving(streaming, settings) as found:
        yield found


class Client:
    """A client that says what it is told to."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, *messages: Any) -> None:
        for each in messages:
            await self.socket.send(each if isinstance(each, str | bytes) else orjson.dumps(each).decode())

    async def hear(self) -> dict[str, Any]:
        heard: dict[str, Any] = orjson.loads(await asyncio.wait_for(self.socket.recv(), SECONDS))
        return heard

    async def hear_answer(self) -> dict[str, Any]:
        """Pass over how far streams have come."""
        while (heard := await self.hear())["type"] == "ping":
            pass
        return heard

    async def subscribe(self, query: str, name: str = "1", **more: Any) -> None:
        await self.say({"type": "subscribe", "id": name, "payload": {"query": query, **more}})

    async def closed(self) -> tuple[int, str]:
        async with asyncio.timeout(SECONDS):
            await self.socket.wait_closed()
        assert self.socket.close_code is not None
        return self.socket.close_code, self.socket.close_reason or ""


@asynccontextmanager
async def opened(url: str, headers: dict[str, str] | None = None, **more: Any) -> AsyncIterator[Client]:
    protocols: Any = more.pop("subprotocols", [PROTOCOL])
    async with connect(url, subprotocols=protocols, additional_headers=headers, **more) as socket:
        yield Client(socket)


@asynccontextmanager
async def ready(url: str, token: str, **more: Any) -> AsyncIterator[Client]:
    async with opened(url, **more) as client:
        await client.say({**INIT, "payload": {"Authorization": f"Bearer {token}"}})
        assert await client.hear() == {"type": "connection_ack"}
        yield client


async def until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("asked", [None, ["graphql-ws"], ["mqtt", "graphql-ws"]])
async def test_another_sub_protocol_is_refused(url: str, asked: Any) -> None:
    async with opened(url, subprotocols=asked) as client:
        assert client.socket.subprotocol is None
        assert (await client.closed())[0] == 4406


async def test_ours_among_others_is_chosen(url: str) -> None:
    async with opened(url, subprotocols=["graphql-ws", PROTOCOL]) as client:
        assert client.socket.subprotocol == PROTOCOL


@pytest.mark.parametrize(
    ("origin", "status"), [("https://evil.test", 403), ("https://portal.test", None), ("null", 403)]
)
async def test_a_page_of_another_origin_is_refused_at_the_handshake(url: str, origin: Any, status: int | None) -> None:
    if status is None:
        async with opened(url, origin=origin) as client:
            assert client.socket.subprotocol == PROTOCOL
        return
    with pytest.raises(InvalidStatus) as refused:
        async with opened(url, origin=origin):
            pass
    assert refused.value.response.status_code == status
    assert b"ORIGIN_NOT_ALLOWED" in (refused.value.response.body or b"")


async def test_the_token_may_be_in_the_handshake_and_a_bad_one_is_refused_there(url: str, mint: Mint) -> None:
    payloads: list[dict[str, Any]] = [{}, {"payload": None}, {"payload": {}}, {"payload": {"client": "1.2"}}]
    for payload in payloads:
        async with opened(url, mint.bearer()) as client:
            await client.say({**INIT, **payload})
            assert await client.hear() == {"type": "connection_ack"}
    with pytest.raises(InvalidStatus) as refused:
        async with opened(url, {"Authorization": "Bearer x.y.z"}):
            pass
    assert refused.value.response.status_code == 401


@pytest.mark.parametrize("name", ["Authorization", "authorization"])
async def test_the_token_may_be_in_the_payload_of_the_beginning(url: str, mint: Mint, name: str) -> None:
    async with opened(url) as client:
        await client.say({**INIT, "payload": {name: f"Bearer {mint.token()}"}})
        assert await client.hear() == {"type": "connection_ack"}


@pytest.mark.parametrize("payload", [None, {}, {"Authorization": "Bearer x.y.z"}, {"Authorization": 7}])
async def test_without_a_token_that_is_believed_nobody_is_let_in(url: str, payload: Any) -> None:
    async with opened(url) as client:
        await client.say({**INIT, "payload": payload})
        code, reason = await client.closed()
        assert code == 4403
        assert "token" in reason or "Authorization" in reason


@pytest.mark.parametrize("payload", [[], "x", 7, True])
async def test_a_beginning_whose_payload_is_no_object_is_wrong(url: str, payload: Any) -> None:
    async with opened(url) as client:
        await client.say({**INIT, "payload": payload})
        assert (await client.closed())[0] == 4400


async def test_two_beginnings_are_too_many(url: str, mint: Mint) -> None:
    async with ready(url, mint.token()) as client:
        await client.say(INIT)
        assert await client.closed() == (4429, "Too many initialisation requests")


async def test_an_operation_before_the_acknowledgement_is_not_authorised(url: str) -> None:
    async with opened(url) as client:
        await client.subscribe("{ hello }")
        assert await client.closed() == (4401, "Unauthorized")


async def test_a_client_that_says_nothing_is_closed_after_a_while(settings: Settings) -> None:
    brief = settings.model_copy(update={"streams": Streams(init_seconds=0.2)})
    async with serving(StreamSubgraph(), brief) as url, opened(url) as client:
        await client.say({"type": "ping"})
        assert await client.closed() == (4408, "Connection initialisation timeout")


async def test_an_id_that_lives_is_taken_and_one_that_was_completed_is_free(url: str, mint: Mint) -> None:
    async with ready(url, mint.token()) as client:
        await client.subscribe("subscription { alerts { number } }", "a")
        await client.say({"type": "complete", "id": "a"})
        await client.subscribe("subscription { alerts { number } }", "a")
        await client.subscribe("subscription { alerts { number } }", "a")
        assert await client.closed() == (4409, "Subscriber for a already exists")


@pytest.mark.parametrize(
    "message",
    [
        "{",
        "[]",
        "7",
        b"{}",
        '{"type": "start"}',
        '{"type": "next", "id": "1"}',
        '{"type": "subscribe", "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ hello }"}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 7}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ hello }", "variables": []}}',
        '{"type": "ping", "payload": "x"}',
        "[" * 9_000,
        '{"type": "ping", "payload": {"n": ' + "[" * 300 + "]" * 300 + "}}",
        '{"type": "ping", "payload": {"n": [123456789012345678901,' + "[" * 900 + "]" * 900 + "]}}",
    ],
)
async def test_what_is_no_message_is_wrong(
    url: str, mint: Mint, message: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with ready(url, mint.token()) as client:
        await client.say(message)
        assert (await client.closed())[0] == 4400
    assert not [each for each in caplog.records if each.exc_info]


async def test_a_ping_is_answered_before_and_after_the_beginning(url: str, mint: Mint) -> None:
    ping: dict[str, Any] = {"type": "ping", "payload": {"n": 1}}
    async with opened(url, mint.bearer()) as client:
        await client.say(ping)
        assert await client.hear() == {"type": "pong", "payload": {"n": 1}}
        await client.say(INIT, {"type": "ping"})
        heard = [await client.hear(), await client.hear()]
        assert {"type": "pong"} in heard
        assert {"type": "connection_ack"} in heard


@pytest.mark.parametrize("number", ["123456789012345678901234567890", "1e400", "0.12345678901234567890"])
async def test_a_ping_of_somebody_who_is_not_known_is_answered_with_all_digits(url: str, number: str) -> None:
    async with opened(url) as client:
        await client.say('{"type":"ping","payload":{"n":' + number + "}}")
        text = await asyncio.wait_for(client.socket.recv(), SECONDS)
        assert text == '{"type":"pong","payload":{"n":' + number + "}}"


async def test_a_fault_of_ours_closes_the_socket_and_is_logged_once(settings: Settings, mint: Mint) -> None:
    nowhere = mint.settings().model_copy(update={"jwks_file": Path("\0")})  # no name that a file can have
    broken = settings.model_copy(update={"issuers": (nowhere,)})
    with capture_logs() as logged:
        async with serving(StreamSubgraph(), broken) as url, opened(url) as client:
            await client.say({**INIT, "payload": {"Authorization": f"Bearer {mint.token()}"}})
            assert (await client.closed())[0] == 1011
    assert [each["event"] for each in logged if each["log_level"] == "error"] == ["websocket failed"]


async def test_a_query_and_a_mutation_are_answered_and_completed(url: str, mint: Mint) -> None:
    async with ready(url, mint.token()) as client:
        await client.subscribe("query($n: String) { hello(name: $n) }", variables={"n": "you"})
        assert await client.hear() == {"type": "next", "id": "1", "payload": {"data": {"hello": "hello you"}}}
        assert await client.hear() == {"type": "complete", "id": "1"}
        await client.subscribe('mutation { acknowledge(id: "1") }')
        assert (await client.hear())["payload"] == {"data": {"acknowledge": "done"}}
        assert await client.hear() == {"type": "complete", "id": "1"}


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{ hello", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { alerts { number } few { number } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { alerts @include(if: true) { number } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ... @skip(if: false) { alerts { number } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { alerts { ... @defer { number } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __schema { queryType { name } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { refused { number } }", "CURSOR_EXPIRED"),
        ("{ away }", "STORE_UNAVAILABLE"),
        ("{ broken }", "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_what_cannot_run_is_an_error_of_its_operation_and_the_socket_stays(
    url: str, mint: Mint, query: str, code: str
) -> None:
    async with ready(url, mint.token()) as client:
        await client.subscribe(query)
        heard = await client.hear()
        assert (heard["type"], heard["id"]) == ("error", "1")
        assert heard["payload"][0]["extensions"]["code"] == code
        assert heard["payload"][0]["extensions"]["hint"]
        await client.subscribe("{ hello }")
        assert (await client.hear())["type"] == "next"


async def test_a_customer_may_not_subscribe_to_what_is_for_operators(url: str, mint: Mint) -> None:
    async with ready(url, mint.token("customer", customers=["customer-1"])) as client:
        await client.subscribe("subscription { ...F } fragment F on Subscription { secrets { number } }")
        assert (await client.hear())["payload"][0]["extensions"]["code"] == "FORBIDDEN"


async def test_a_message_over_the_size_limit_closes_the_socket(url: str, mint: Mint, settings: Settings) -> None:
    async with ready(url, mint.token()) as client:
        await client.say({"type": "ping", "payload": {"x": "x" * settings.limits.body_bytes}})
        assert (await client.closed())[0] == 1009


@pytest.mark.parametrize(
    ("text", "times"), [("x" * 17_000, 1), ("é" * 9_000, 1), ("x" * 100, 160)], ids=["large", "in bytes", "many"]
)
async def test_a_caller_who_is_not_known_says_little(url: str, text: str, times: int) -> None:
    async with opened(url) as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(times):
                await client.say({"type": "pong", "payload": {"x": text}})
        assert (await client.closed())[0] == 4400


@pytest.mark.parametrize(("objects", "times", "units"), [(300_000, 100, 10), (4_000, 1_000, 1)], ids=["large", "many"])
async def test_reading_messages_is_metered(
    settings: Settings, mint: Mint, objects: int, times: int, units: int
) -> None:
    limits = settings.limits.model_copy(update={"new_documents_per_minute": units, "body_bytes": 1_000_000})
    few = settings.model_copy(update={"limits": limits})
    message = '{"type": "ping", "payload": {"x": [' + "{}," * objects + "{}]}}"
    async with serving(StreamSubgraph(), few) as url, ready(url, mint.token()) as client:
        with contextlib.suppress(ConnectionClosed):
            for _ in range(times):  # a large one takes 20 ms of a second, another 0.1 ms of 40
                await client.say(message)
                await client.hear()
        assert (await client.closed())[0] == 1013


def test_what_is_said_is_counted_for_a_while() -> None:
    now = [0.0]
    said = Said(lambda: now[0])
    said.note(7)
    now[0] = PERIOD - 1
    said.note(5)
    assert (said.messages, said.bytes, said.lately) == (2, 12, 12)
    now[0] = PERIOD
    said.note(3)
    assert (said.messages, said.bytes, said.lately) == (3, 15, 3)


async def test_fragments_without_end_close_the_socket(url: str, mint: Mint) -> None:
    async def fragments() -> AsyncIterator[str]:
        for _ in range(2_000):
            yield ""
        yield "{}"

    async with ready(url, mint.token()) as client:
        with contextlib.suppress(ConnectionClosed):
            await client.socket.send(fragments())
        assert (await client.closed())[0] == 1009


async def test_events_come_in_order_with_their_cursors_and_one_can_go_on_from_any(
    url: str, mint: Mint, streaming: StreamSubgraph
) -> None:
    query = "subscription($after: String) { alerts(after: $after) { number } }"
    async with ready(url, mint.token()) as client:
        await client.subscribe(query)
        await until(lambda: streaming.open)
        first = len(streaming.log) + 1
        for _ in range(3):
            await streaming.publish()
        heard = [await client.hear() for _ in range(3)]
        assert [each["payload"]["data"]["alerts"]["number"] for each in heard] == [first, first + 1, first + 2]
        assert [each["payload"]["extensions"]["cursor"] for each in heard] == [f"{first + n}" for n in range(3)]
        await client.subscribe(query, "2", variables={"after": str(first)})
        again = [await client.hear() for _ in range(2)]
        assert [each["payload"]["data"]["alerts"]["number"] for each in again] == [first + 1, first + 2]
        await client.say({"type": "complete", "id": "1"}, {"type": "complete", "id": "2"})
        await until(lambda: not streaming.open)
        await client.say({"type": "complete", "id": "2"}, {"type": "complete", "id": "never"}, {"type": "ping"})
        assert await client.hear() == {"type": "pong"}


async def test_an_event_of_which_a_part_fails_has_errors_and_a_cursor_and_the_stream_goes_on(
    url: str, mint: Mint
) -> None:
    async with ready(url, mint.token()) as client:
        await client.subscribe("subscription { few { number broken } }")
        for number in (1, 2):
            payload = (await client.hear())["payload"]
            assert payload["data"] == {"few": {"number": number, "broken": None}}
            assert payload["errors"][0]["path"] == ["few", "broken"]
            assert payload["errors"][0]["extensions"]["requestId"]
            assert payload["extensions"] == {"cursor": str(number)}
        assert await client.hear() == {"type": "complete", "id": "1"}


async def test_a_client_that_lags_is_told_so_in_a_last_answer(url: str, mint: Mint) -> None:
    async with ready(url, mint.token()) as client:
        await client.subscribe("subscription { lagging { number } }")
        assert [(await client.hear())["payload"]["extensions"]["cursor"] for _ in range(2)] == ["1", "2"]
        last = (await client.hear())["payload"]
        assert last["data"] is None
        extensions = last["errors"][0]["extensions"]
        assert (extensions["code"], extensions["from"], extensions["to"]) == ("LAGGED", "2", "9")
        assert await client.hear() == {"type": "complete", "id": "1"}


async def test_how_far_a_stream_has_come_is_the_payload_of_a_ping(url: str, mint: Mint) -> None:
    async with ready(url, mint.token()) as client:
        await client.subscribe("subscription { quiet { number } }", "a")
        ping = await client.hear()
        assert ping == {"type": "ping", "payload": {"id": "a", "cursor": "0"}}
        await client.say({**ping, "type": "pong"})
        assert [(await client.hear())["type"] for _ in range(2)] == ["next", "complete"]


async def test_a_source_that_breaks_tells_no_secret(url: str, mint: Mint) -> None:
    async with ready(url, mint.token()) as client:
        await client.subscribe("subscription { breaking { number } }")
        heard = [await client.hear() for _ in range(4)]
        assert heard[2]["payload"]["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
        assert "secret" not in repr(heard)
        assert heard[3] == {"type": "complete", "id": "1"}


async def test_two_sockets_with_different_tokens_hear_each_its_own(
    url: str, mint: Mint, streaming: StreamSubgraph
) -> None:
    one = mint.token("customer", customers=["customer-1"], sub="one")
    two = mint.token("customer", customers=["customer-2"], sub="two")
    async with ready(url, one) as first, ready(url, two) as second:
        for each in (first, second):
            await each.subscribe("subscription { alerts { customer } }")
        await until(lambda: streaming.open == 2)
        for customer in ("customer-1", "customer-2", "customer-3", "customer-1"):
            await streaming.publish(customer)
        assert [(await first.hear())["payload"]["data"]["alerts"]["customer"] for _ in range(2)] == ["customer-1"] * 2
        assert (await second.hear())["payload"]["data"]["alerts"]["customer"] == "customer-2"
        await second.say({"type": "ping"})
        assert await second.hear() == {"type": "pong"}


async def test_a_token_that_expires_closes_the_socket_after_the_last_cursor(
    url: str, mint: Mint, streaming: StreamSubgraph
) -> None:
    async with ready(url, mint.token(exp=time.time() - 60 + 2.5)) as client:
        await client.subscribe("subscription { alerts { number } }")
        await until(lambda: streaming.open)
        await streaming.publish()
        assert (await client.hear())["payload"]["extensions"]["cursor"] == str(len(streaming.log))
        assert await client.closed() == (4403, "The token has expired.")
        await until(lambda: not streaming.open)


@pytest.mark.parametrize("query", ["{ slow }", "subscription { waiting { number } }"])
@pytest.mark.parametrize("how", ["close", "abort", "complete"])
async def test_work_for_a_client_that_is_gone_is_cancelled(
    settings: Settings, mint: Mint, query: str, how: str
) -> None:
    streaming = StreamSubgraph()
    patient = settings.model_copy(update={"deadline_seconds": 60.0})
    async with serving(streaming, patient) as url, ready(url, mint.token()) as client:
        await client.subscribe(query)
        await until(lambda: streaming.asked or streaming.asked_after)
        await asyncio.sleep(0.05)
        match how:
            case "close":
                await client.socket.close()
            case "abort":
                client.socket.transport.abort()
            case _:
                await client.say({"type": "complete", "id": "1"})
        await asyncio.wait_for(streaming.cancelled.wait(), SECONDS)


async def test_an_operation_that_is_too_slow_is_an_error_and_the_socket_stays(
    settings: Settings, mint: Mint, streaming: StreamSubgraph
) -> None:
    hurried = settings.model_copy(update={"deadline_seconds": 0.5})
    async with serving(streaming, hurried) as url, ready(url, mint.token()) as client:
        for number, query in enumerate(["{ slow }", "subscription { waiting { number } }"]):
            await client.subscribe(query, str(number))
            heard = await client.hear()
            assert (heard["type"], heard["payload"][0]["extensions"]["code"]) == ("error", "DEADLINE_EXCEEDED")
    assert not streaming.open


async def test_a_client_that_stops_reading_is_released_and_nothing_piles_up(settings: Settings, mint: Mint) -> None:
    streaming = StreamSubgraph()
    brief = settings.model_copy(update={"send_seconds": 1.0})
    async with serving(streaming, brief) as url, ready(url, mint.token(), max_queue=1, max_size=None) as client:
        await client.subscribe("subscription { flood { text } }")
        await until(lambda: streaming.given > 5)
        await until(lambda: not streaming.open)
        assert streaming.given < 200, "what was sent lies in the kernel's buffers, and ours has a bound"
        client.socket.transport.abort()


@pytest.mark.parametrize("count", [1_000] if is_full() else [20])
async def test_many_that_never_read_hold_no_more_than_all_may_and_nobody_waits_for_them(
    settings: Settings, mint: Mint, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Each is sent as much as it likes; together they have a bound, and are counted seldom."""
    totals: list[int] = []
    take = unsent.Tally.counted

    def counted(tally: unsent.Tally, total: int) -> None:
        totals.append(total)
        take(tally, total)

    monkeypatch.setattr(unsent, "UNSENT_BYTES", 2_000_000)
    monkeypatch.setattr(unsent.Tally, "counted", counted)
    streaming = StreamSubgraph()
    many = settings.model_copy(update={"connections": 5_000, "connections_per_address": 5_000})
    async with serving(streaming, many) as url, contextlib.AsyncExitStack() as stack:
        for number in range(count):
            silent = await stack.enter_async_context(ready(url, mint.token(sub=f"silent {number}"), max_queue=1))
            await silent.subscribe("subscription { flood { text } }")
            silent.socket.transport.pause_reading()
        reading = await stack.enter_async_context(ready(url, mint.token(sub="reads")))
        await until(lambda: totals)
        for _ in range(20):
            await reading.say({"type": "ping"})
            assert await reading.hear() == {"type": "pong"}
        assert max(totals) <= 2_000_000
        assert len(totals) < streaming.given
        assert streaming.open < count


async def test_a_client_that_is_silent_and_answers_no_ping_is_released(settings: Settings, mint: Mint) -> None:
    streaming = StreamSubgraph()
    brief = settings.model_copy(update={"send_seconds": 1.0})
    async with serving(streaming, brief) as url, ready(url, mint.token()) as client:
        await client.subscribe("subscription { alerts { number } }")
        await until(lambda: streaming.open)
        client.socket.transport.pause_reading()
        await until(lambda: not streaming.open)
        client.socket.transport.abort()


async def test_there_is_room_for_so_many_streams_and_operations(settings: Settings, mint: Mint) -> None:
    streaming = StreamSubgraph()
    few = settings.model_copy(update={"streams": Streams(most=3, per_principal=2, operations=4)})
    async with serving(streaming, few) as url:
        async with ready(url, mint.token()) as client, ready(url, mint.token(sub="other")) as other:
            for name in "ab":
                await client.subscribe("subscription { alerts { number } }", name)
            await until(lambda: streaming.open == 2)
            await client.subscribe("subscription { alerts { number } }", "c")
            assert (await client.hear())["payload"][0]["extensions"]["code"] == "TOO_MANY_STREAMS"
            await other.subscribe("subscription { alerts { number } }", "a")
            await until(lambda: streaming.open == 3)
            await other.subscribe("subscription { alerts { number } }", "b")
            assert (await other.hear())["payload"][0]["extensions"]["code"] == "OVERLOADED"
            for name in "cde":
                await client.subscribe("{ slow }", name)
            heard = await client.hear()
            assert (heard["id"], heard["payload"][0]["extensions"]["code"]) == ("e", "TOO_MANY_REQUESTS")
        await until(lambda: not streaming.open)
        async with ready(url, mint.token()) as client:
            await client.subscribe("subscription { alerts { number } }", "a")
            await until(lambda: streaming.open == 1)


async def test_a_caller_has_room_for_so_many_sockets(settings: Settings, mint: Mint) -> None:
    few = settings.model_copy(update={"streams": Streams(per_principal=2)})
    async with serving(StreamSubgraph(), few) as url:
        async with ready(url, mint.token()), ready(url, mint.token()), opened(url, mint.bearer()) as third:
            await third.say(INIT)
            code, reason = await third.closed()
            assert (code, "streams.per_principal" in reason) == (1013, True)
            async with ready(url, mint.token(sub="other")):
                pass
        await asyncio.sleep(0.2)
        async with ready(url, mint.token()) as client:
            await client.say({"type": "ping"})
            assert await client.hear() == {"type": "pong"}


async def test_a_socket_without_operations_is_closed_and_one_with_a_stream_stays(
    settings: Settings, mint: Mint
) -> None:
    brief = settings.model_copy(update={"streams": Streams(idle_seconds=1.0)})
    streaming = StreamSubgraph()
    async with serving(streaming, brief) as url, ready(url, mint.token()) as busy:
        await busy.subscribe("subscription { alerts { number } }")
        await until(lambda: streaming.open)
        async with ready(url, mint.token()) as idle:
            assert await idle.closed() == (1000, "No operation for 1 seconds.")
        await streaming.publish()
        assert (await busy.hear())["type"] == "next"
        await busy.say({"type": "complete", "id": "1"})
        assert (await busy.closed())[0] == 1000


async def test_websockets_count_among_the_connections_of_an_address(settings: Settings, mint: Mint) -> None:
    few = settings.model_copy(update={"connections_per_address": 2})
    async with (
        serving(StreamSubgraph(), few) as url,
        ready(url, mint.token()),
        ready(url, mint.token()),
        httpx.AsyncClient() as client,
    ):
        assert (await client.get(url.replace("ws://", "http://"))).status_code == 503


async def test_what_is_no_handshake_is_refused(url: str) -> None:
    head = {"Connection": "Upgrade", "Upgrade": "websocket"}
    async with httpx.AsyncClient(timeout=SECONDS) as client:
        for method, more in (("GET", {}), ("POST", {}), ("GET", {"X-Long": "x" * 9_000})):
            answer = await client.request(method, url.replace("ws://", "http://"), headers={**head, **more})
            assert answer.status_code in {400, 405, 426}, answer.text


async def test_a_server_that_ends_says_so_and_waits_for_nobody(settings: Settings, mint: Mint) -> None:
    async with serving(StreamSubgraph(), settings) as url:
        client = await connect(url, subprotocols=[PROTOCOL], additional_headers=mint.bearer())  # type: ignore[list-item]
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    with pytest.raises(ConnectionClosed) as ended:
        await client.recv()
    assert ended.value.rcvd is not None
    assert ended.value.rcvd.code == 1012


async def test_streams_and_sockets_are_counted(url: str, mint: Mint, streaming: StreamSubgraph) -> None:
    async with httpx.AsyncClient() as http, ready(url, mint.token()) as client:
        await client.subscribe("subscription { few { number } }")
        for _ in range(3):
            await client.hear()
        await client.subscribe("subscription { alerts { number } }")
        await until(lambda: streaming.open)
        text = (await http.get(url.replace("ws://", "http://").replace("/graphql", "/metrics"))).text
        assert 'trunkline_streams{transport="websocket"} 1.0' in text
        assert "trunkline_websockets 1.0" in text
        assert 'trunkline_streams_ended_total{reason="complete",transport="websocket"}' in text
        assert 'trunkline_stream_events_total{transport="websocket"}' in text
