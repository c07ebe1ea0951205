"""Server-sent events over real HTTP: the framing, going on from a cursor, silence, expiry, and what is refused before them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import orjson
import pytest
from starlette.types import Message
from uvicorn.protocols.utils import ClientDisconnected

from gateway.exchange import Exchange
from gateway.http import sse
from gateway.http.serving import bound, bounds_of, listening
from gateway.http.streams import Open, Payload
from gateway.settings.settings import Settings
from gateway.settings.streams import Streams
from graph.model.scope import Principal, Role
from tests.gateway.conftest import Mint, application
from tests.gateway.streaming import StreamSubgraph

EVENTS: Final = {"Accept": "text/event-stream"}
SECONDS: Final = 20.0
ALERTS: Final = {"query": "subscription { alerts { number } }"}
FEW: Final = {"query": "subscription { few { number } }"}


@asynccontextmanager
async def serving(subgraph: StreamSubgraph, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    sock = bound(settings)
    base = f"http://127.0.0.1:{sock.getsockname()[1]}"
    async with (
        listening(application(subgraph, settings), sock, bounds_of(settings)),
        httpx.AsyncClient(base_url=base, timeout=SECONDS) as client,
    ):
        yield client


@pytest.fixture(scope="module")
async def streaming() -> StreamSubgraph:
    return StreamSubgraph()


@pytest.fixture(scope="module")
async def client(streaming: StreamSubgraph, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(streaming, settings) as found:
        yield found


async def post(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json=body, headers={**EVENTS, **headers})


async def until(holds: Callable[[], Any]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end, "it did not happen in time"
        await asyncio.sleep(0.02)


def events(text: str) -> list[dict[str, str]]:
    """The events of a stream, by the fields of the HTML standard; comments are none."""
    blocks = [each.split("\n") for each in text.split("\n\n") if each and not each.startswith(":")]
    return [
        {name: value.removeprefix(" ") for name, _, value in (line.partition(":") for line in each)} for each in blocks
    ]


async def test_how_far_a_stream_has_come_is_an_id_without_an_event(client: httpx.AsyncClient, mint: Mint) -> None:
    answer = await post(client, {"query": "subscription { quiet { number } }"}, **mint.bearer())
    assert answer.text.startswith(":\n\n:\nid: 0\n\nevent: next\ndata: ")


async def test_a_subscription_is_a_stream_of_answers_and_an_end(client: httpx.AsyncClient, mint: Mint) -> None:
    answer = await post(client, FEW, **mint.bearer())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text == (
        ":\n\n"
        'event: next\nid: 1\ndata: {"data":{"few":{"number":1}},"extensions":{"cursor":"1"}}\n\n'
        'event: next\nid: 2\ndata: {"data":{"few":{"number":2}},"extensions":{"cursor":"2"}}\n\n'
        "event: complete\ndata:\n\n"
    )


async def test_a_query_and_a_mutation_may_be_answered_so_too(client: httpx.AsyncClient, mint: Mint) -> None:
    for query, data in (
        ("{ hello }", '{"hello":"hello world"}'),
        ('mutation { acknowledge(id: "1") }', '{"acknowledge":"done"}'),
    ):
        answer = await post(client, {"query": query}, **mint.bearer())
        assert answer.text == f':\n\nevent: next\ndata: {{"data":{data}}}\n\nevent: complete\ndata:\n\n'


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("text/event-stream", "text/event-stream"),
        ("text/event-stream, application/json", "application/json"),
        ("text/event-stream, application/json;q=0.5", "text/event-stream"),
        ("text/event-stream, */*", "application/json"),
        ("application/graphql-response+json, text/event-stream", "application/graphql-response+json"),
        ("*/*", "application/json"),
    ],
)
async def test_one_answer_comes_in_the_media_type_that_is_liked_best(
    client: httpx.AsyncClient, mint: Mint, accept: str, media: str
) -> None:
    answer = await post(client, {"query": "{ hello }"}, Accept=accept, **mint.bearer())
    assert answer.headers["content-type"].partition(";")[0] == media


async def test_a_client_that_also_reads_json_gets_a_subscription_as_events(
    client: httpx.AsyncClient, mint: Mint
) -> None:
    answer = await post(client, FEW, Accept="application/json, text/event-stream;q=0.1", **mint.bearer())
    assert [each["event"] for each in events(answer.text)] == ["next", "next", "complete"]


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "application/graphql-response+json", "text/event-stream;q=0, */*"]
)
async def test_a_subscription_without_a_stream_is_refused_and_told_how(
    client: httpx.AsyncClient, mint: Mint, accept: str
) -> None:
    answer = await post(client, FEW, Accept=accept, **mint.bearer())
    assert answer.status_code == (400 if "graphql" in accept else 200)
    (error,) = answer.json()["errors"]
    assert error["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"
    assert "text/event-stream" in error["extensions"]["hint"]
    assert "graphql-transport-ws" in error["extensions"]["hint"]
    assert "data" not in answer.json()


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("{ nothing }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { alerts { number } few { number } }", 400, "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { refused { number } }", 400, "CURSOR_EXPIRED"),
        ("{ away }", 503, "STORE_UNAVAILABLE"),
        ("{ broken }", 500, "INTERNAL_SERVER_ERROR"),
    ],
)
async def test_what_is_refused_before_anything_ran_is_an_ordinary_response(
    client: httpx.AsyncClient, mint: Mint, query: str, status: int, code: str
) -> None:
    answer = await post(client, {"query": query}, **mint.bearer())
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (
        status,
        "application/graphql-response+json",
    )
    assert answer.json()["errors"][0]["extensions"]["code"] == code


async def test_a_caller_who_is_not_known_gets_no_stream(client: httpx.AsyncClient) -> None:
    assert (await post(client, ALERTS)).status_code == 401


async def test_get_streams_too_and_changes_nothing(client: httpx.AsyncClient, mint: Mint) -> None:
    headers = {**EVENTS, "GraphQL-Preflight": "1", **mint.bearer()}
    answer = await client.get("/graphql", params=FEW, headers=headers)
    assert [each["event"] for each in events(answer.text)] == ["next", "next", "complete"]
    change = {"query": 'mutation { acknowledge(id: "1") }'}
    assert (await client.get("/graphql", params=change, headers=headers)).status_code == 405
    del headers["GraphQL-Preflight"]
    assert (await client.get("/graphql", params=FEW, headers=headers)).status_code == 400


async def test_a_client_goes_on_after_the_last_id(
    client: httpx.AsyncClient, mint: Mint, streaming: StreamSubgraph
) -> None:
    for _ in range(4):
        await streaming.publish()
    headers = {**EVENTS, **mint.bearer(), "Last-Event-ID": str(len(streaming.log) - 2)}
    heard: list[str] = []
    async with client.stream("POST", "/graphql", json=ALERTS, headers=headers) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("id:"):
                heard.append(line)
                if len(heard) == 2:
                    await streaming.publish()
            if len(heard) == 3:
                break
    last = len(streaming.log)
    assert heard == [f"id: {last - 2}", f"id: {last - 1}", f"id: {last}"]
    await until(lambda: not streaming.open)


@pytest.mark.parametrize("given", ["x" * 5_000, "\xe9"])
async def test_a_last_id_that_is_no_cursor_is_refused(client: httpx.AsyncClient, mint: Mint, given: str) -> None:
    headers = {**EVENTS, **mint.bearer(), "Last-Event-ID": given.encode("latin-1")}
    answer = await client.post("/graphql", json=ALERTS, headers=headers)  # type: ignore[arg-type]  # bytes do as well
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT"


async def test_why_a_stream_ends_is_its_last_answer(client: httpx.AsyncClient, mint: Mint) -> None:
    for name, code in (("lagging", "LAGGED"), ("breaking", "INTERNAL_SERVER_ERROR")):
        answer = await post(client, {"query": f"subscription {{ {name} {{ number }} }}"}, **mint.bearer())
        found = events(answer.text)
        assert [each["event"] for each in found] == ["next", "next", "next", "complete"]
        assert "id" not in found[2], "a client goes on from the last event"
        last = orjson.loads(found[2]["data"])
        assert (last["data"], last["errors"][0]["extensions"]["code"]) == (None, code)
        assert "secret" not in answer.text


async def test_silence_is_broken_by_comments_and_a_token_that_expires_ends_the_stream(
    settings: Settings, mint: Mint
) -> None:
    brief = settings.model_copy(update={"streams": Streams(comment_seconds=0.2)})
    streaming = StreamSubgraph()
    async with serving(streaming, brief) as client:
        answer = await post(client, ALERTS, **mint.bearer(exp=time.time() - 60 + 2.0))
    assert answer.text.count(":\n\n") >= 3
    last, end = events(answer.text)
    assert orjson.loads(last["data"])["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
    assert end == {"event": "complete", "data": ""}
    assert not streaming.open


async def test_work_for_a_client_that_is_gone_is_cancelled(settings: Settings, mint: Mint) -> None:
    streaming = StreamSubgraph()
    patient = settings.model_copy(update={"deadline_seconds": 60.0})
    async with serving(streaming, patient) as client:
        for query in ("subscription { waiting { number } }", "subscription { alerts { number } }"):
            asking = asyncio.create_task(post(client, {"query": query}, **mint.bearer()))
            await until(lambda: streaming.open or ("waiting" in query and streaming.asked_after))  # noqa: B023
            await asyncio.sleep(0.05)
            asking.cancel()
            await until(lambda: streaming.cancelled.is_set() and not streaming.open)


async def test_a_client_that_goes_while_a_comment_is_sent_leaves_nothing_open() -> None:
    """The server says so where something is sent; nobody reads the events any more when the stream is closed then."""
    is_closed = asyncio.Event()

    async def silent() -> AsyncGenerator[Payload, None]:
        try:
            await asyncio.sleep(SECONDS)
            yield Payload(answer={}, cursor=None)
        finally:
            is_closed.set()

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) > 2:  # the head and the first comment
            raise ClientDisconnected

    caller = Principal(subject="someone", role=Role.OPERATOR)
    payloads = silent()
    stream = Open(transport="sse", principal=caller, exchange=Exchange("1"))
    with pytest.raises(ClientDisconnected):
        await sse.stream(send, stream, payloads, 0.01)
    assert is_closed.is_set()
    await payloads.aclose()


async def test_a_client_that_does_not_read_is_released(settings: Settings, mint: Mint) -> None:
    streaming = StreamSubgraph()
    brief = settings.model_copy(update={"send_seconds": 0.5})
    headers = {**EVENTS, **mint.bearer()}
    async with serving(streaming, brief) as client:
        flood = {"query": "subscription { flood { text } }"}
        async with client.stream("POST", "/graphql", json=flood, headers=headers):
            await until(lambda: streaming.given > 5)
            await until(lambda: not streaming.open)
        assert streaming.given < 200


async def test_there_is_room_for_so_many_streams(settings: Settings, mint: Mint) -> None:
    streaming = StreamSubgraph()
    few = settings.model_copy(update={"streams": Streams(per_principal=1)})
    async with serving(streaming, few) as client:
        async with client.stream("POST", "/graphql", json=ALERTS, headers={**EVENTS, **mint.bearer()}):
            await until(lambda: streaming.open)
            answer = await post(client, ALERTS, **mint.bearer())
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (429, "TOO_MANY_STREAMS")
        await until(lambda: not streaming.open)
        assert (await post(client, FEW, **mint.bearer())).status_code == 200


async def test_a_server_that_ends_waits_for_no_stream(settings: Settings, mint: Mint) -> None:
    streaming = StreamSubgraph()
    async with serving(streaming, settings) as client:
        asking = asyncio.create_task(post(client, ALERTS, **mint.bearer()))
        await until(lambda: streaming.open)
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    with pytest.raises(httpx.TransportError):
        await asking


async def test_a_page_may_send_its_last_id(client: httpx.AsyncClient) -> None:
    asked = {
        "Origin": "https://portal.test",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,last-event-id",
    }
    assert (await client.options("/graphql", headers=asked)).status_code == 200
