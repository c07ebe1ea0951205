"""Spans as a collector gets them over HTTP: which there are, what each is a part of, and what goes on to subgraphs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gateway.errors import SettingsBroken
from gateway.http.serving import bound, listening
from gateway.settings.settings import Settings
from gateway.telemetry import tracing
from tests.gateway.federation.conftest import Subgraphs, ask, gateway

CALLER = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
QUERY = "{ product { name note } }"


class Collector:
    """Keeps the spans that it is told."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.address = ""

    async def take(self, request: Request) -> Response:
        told = ExportTraceServiceRequest.FromString(await request.body())
        self.spans += [span for each in told.resource_spans for one in each.scope_spans for span in one.spans]
        return Response(b"", media_type="application/x-protobuf")

    def named(self, name: str) -> list[Span]:
        return [each for each in self.spans if each.name == name]


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    made = Collector()
    sock = bound(Settings(listen="127.0.0.1:0"))
    made.address = f"http://127.0.0.1:{sock.getsockname()[1]}/v1/traces"
    async with listening(Starlette(routes=[Route("/v1/traces", made.take, methods=["POST"])]), sock):
        yield made


async def test_a_request_is_a_tree_of_spans(collector: Collector, subgraphs: Subgraphs, supergraph: Path) -> None:
    async with gateway(supergraph, traces=collector.address) as client:
        await ask(client, QUERY)
        await ask(client, QUERY)
    first, second = sorted(collector.named("request"), key=lambda each: each.start_time_unix_nano)
    for stage in ("parse", "plan"):
        [found] = collector.named(stage)
        assert found.parent_span_id == first.span_id, "the second finds what the first has made"
    assert [each.parent_span_id for each in collector.named("project")] == [first.span_id, second.span_id]
    for request in (first, second):
        fetches = [each for each in collector.named("fetch") if each.parent_span_id == request.span_id]
        names = [{each.key: each.value for each in one.attributes}["subgraph"].string_value for one in fetches]
        assert sorted(names) == ["a", "b"]
        assert all(each.trace_id == request.trace_id for each in fetches)
    sent = {each.span_id.hex() for each in collector.named("fetch")}
    assert {headers["traceparent"].split("-")[2] for _, _, headers in subgraphs.asked} == sent


async def test_a_callers_trace_is_gone_on_with(collector: Collector, subgraphs: Subgraphs, supergraph: Path) -> None:
    async with gateway(supergraph, traces=collector.address) as client:
        await ask(client, QUERY, traceparent=CALLER)
        await ask(client, QUERY, traceparent="nonsense")
    first, second = sorted(collector.named("request"), key=lambda each: each.start_time_unix_nano)
    assert (first.trace_id.hex(), first.parent_span_id.hex()) == tuple(CALLER.split("-")[1:3])
    assert second.parent_span_id == b""
    assert subgraphs.asked[0][2]["traceparent"].split("-")[1] == first.trace_id.hex()


async def test_without_a_collector_nothing_is_sent(subgraphs: Subgraphs, supergraph: Path) -> None:
    async with gateway(supergraph) as client:
        await ask(client, QUERY, traceparent=CALLER)
    assert all("traceparent" not in headers for _, _, headers in subgraphs.asked)


async def test_a_collector_that_is_away_costs_no_answer(subgraphs: Subgraphs, supergraph: Path) -> None:
    async with gateway(supergraph, traces="http://127.0.0.1:9/v1/traces") as client:
        assert (await ask(client, QUERY))["data"]["product"] == {"name": "one", "note": "note 1"}
    assert subgraphs.calls("b") == 1


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.telemetry.tracing.find_spec", lambda _: None)
    with pytest.raises(SettingsBroken, match=r"install trunkline\[traces\]"):
        tracing.begin("http://127.0.0.1:4318/v1/traces")
    tracing.begin("")
