"""What is given to many is written once, and what is one client's alone is not."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import orjson

from gateway.exchange import Exchange
from gateway.federation.subgraph import Heard, StreamEvent
from gateway.http.streams import Open, OpenStreams, Payload
from gateway.settings.streams import Streams
from gateway.telemetry.metrics import Metrics
from graph.model.scope import Principal, Role

CALLER = Principal(subject="one", role=Role.CUSTOMER, customers=("customer-1",))


async def payload(streams: OpenStreams, event: StreamEvent, request_id: str) -> Payload:
    """Give what a stream of one event sends."""

    async def source() -> AsyncGenerator[Heard, None]:
        yield event

    opened = Open(transport="sse", principal=CALLER, exchange=Exchange(request_id))
    [found] = [each async for each in streams.payloads(opened, source())]
    return found


async def test_one_event_for_many_is_written_once() -> None:
    streams = OpenStreams(Streams(), Metrics())
    event = StreamEvent(answer={"data": {"alerts": {"mbps": 2**70}}}, cursor="c")
    first, second = await payload(streams, event, "a"), await payload(streams, event, "b")
    assert first.answer is second.answer
    assert (
        orjson.dumps(first.answer) == b'{"data":{"alerts":{"mbps":1180591620717411303424}},"extensions":{"cursor":"c"}}'
    )


async def test_an_equal_event_of_another_is_written_by_itself() -> None:
    streams = OpenStreams(Streams(), Metrics())
    one, other = (StreamEvent(answer={"data": {"alerts": each}}, cursor="c") for each in (1, 2))
    found = [orjson.dumps((await payload(streams, each, "a")).answer) for each in (one, other, one)]
    assert [orjson.loads(each)["data"]["alerts"] for each in found] == [1, 2, 1]


async def test_errors_have_the_id_of_each_request() -> None:
    streams = OpenStreams(Streams(), Metrics())
    event = StreamEvent(answer={"data": None, "errors": [{"message": "no"}]}, cursor="c")
    found = [(await payload(streams, event, each)).answer for each in ("a", "b")]
    assert [each["errors"][0]["extensions"]["requestId"] for each in found] == ["a", "b"]  # type: ignore[index,call-overload]  # it is no fragment
