from __future__ import annotations

import asyncio
import logging
import sys

import httpx
import orjson
import pytest
import structlog
from starlette.applications import Starlette
from structlog.testing import capture_logs

from gateway.exchange import Exchange
from gateway.http.health import KEPT_SECONDS, health_routes
from gateway.settings.settings import Settings
from gateway.telemetry.log import configure_log
from gateway.telemetry.metrics import Metrics
from tests.gateway.conftest import Mint, serving


async def test_a_request_leaves_one_line_without_what_is_secret(client: httpx.AsyncClient, mint: Mint) -> None:
    token = mint.token("customer", customers=["customer-1"])
    body = {"query": "query Greeting($name: String) { hello(name: $name) }", "variables": {"name": "secret value"}}
    with capture_logs() as lines:
        answer = await client.post("/graphql", json=body, headers={"Authorization": f"Bearer {token}"})
    (line,) = lines
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["milliseconds"] > 0
    expected = {
        "event": "request",
        "method": "POST",
        "path": "/graphql",
        "status": 200,
        "operation": "Greeting",
        "role": "customer",
    }
    assert expected.items() <= line.items()
    assert "secret value" not in str(lines)
    assert not any(part in str(lines) for part in token.split("."))


async def test_the_reason_of_a_fault_is_in_the_log_under_the_requests_id(client: httpx.AsyncClient, mint: Mint) -> None:
    with capture_logs() as lines:
        answer = await client.post("/graphql", json={"query": "{ broken }"}, headers=mint.bearer())
    fault, request = lines
    assert fault["request_id"] == request["request_id"] == answer.headers["x-request-id"]
    assert fault["log_level"] == "error"
    assert request["code"] == "INTERNAL_SERVER_ERROR"


async def test_requests_are_counted_by_status_and_code(client: httpx.AsyncClient, mint: Mint) -> None:
    async def count() -> float:
        text = (await client.get("/metrics")).text
        name = 'trunkline_request_seconds_count{code="GRAPHQL_PARSE_FAILED",status="200"} '
        return sum(float(line.removeprefix(name)) for line in text.splitlines() if line.startswith(name))

    before = await count()
    for _ in range(3):
        await client.post("/graphql", json={"query": "{"}, headers=mint.bearer())
    assert await count() - before == 3


async def test_health_needs_no_token_and_leaves_no_line(client: httpx.AsyncClient) -> None:
    with capture_logs() as lines:
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code == 200
        nothing = await client.get("/nothing")
        assert (nothing.status_code, nothing.text) == (404, "Nothing is here. GraphQL is at /graphql.\n")
    assert lines == []


async def test_what_is_not_ready_says_why(settings: Settings) -> None:
    async def ready() -> str:
        return "The database is away."

    async with serving(Starlette(routes=[*health_routes(ready, Metrics())]), settings) as client:
        assert (await client.get("/livez")).status_code == 200
        answer = await client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "not ready", "reason": "The database is away."}
        assert answer.headers["retry-after"] == "1"


async def test_a_system_that_does_not_let_us_in_is_named_and_does_not_keep_requests_away(settings: Settings) -> None:
    metrics = Metrics()

    async def ready() -> str:
        return ""

    async with serving(Starlette(routes=[*health_routes(ready, metrics, metrics.paused)]), settings) as client:
        for reason in ("answered 401: Look at our credential", ""):
            metrics.admits("ticketing", reason)
            answer = await client.get("/readyz")
            said = {"paused": {"ticketing": reason}} if reason else {}
            assert (answer.status_code, answer.json()) == (200, {"status": "ready", **said})
            gauge = f'trunkline_system_paused{{system="ticketing"}} {1.0 if reason else 0.0}'
            assert gauge in (await client.get("/metrics")).text


async def test_many_who_ask_whether_it_is_ready_cost_one_look(settings: Settings) -> None:
    looks = 0
    over = asyncio.Event()

    async def ready() -> str:
        nonlocal looks
        looks += 1
        await over.wait()
        return "" if looks > 1 else "The database is away."

    async with serving(Starlette(routes=[*health_routes(ready, Metrics())]), settings) as client:
        asking = [asyncio.create_task(client.get("/readyz")) for _ in range(20)]
        await asyncio.sleep(0.3)
        over.set()
        assert {(await each).status_code for each in asking} == {503}
        assert looks == 1
        await asyncio.sleep(KEPT_SECONDS * 1.5)
        assert (await client.get("/readyz")).status_code == 200


def test_a_log_line_is_json_also_from_libraries(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    before = structlog.get_config()
    handlers = logging.root.handlers[:]
    try:
        configure_log("info")
        structlog.get_logger("ours").info("one", number=1)
        structlog.get_logger("ours").debug("not shown")
        logging.getLogger("theirs").warning("two %s", "words")
        logging.getLogger("theirs").info("not shown")
        secret = "what a caller sent"
        try:
            raise ValueError("reason" if secret else "")  # noqa: TRY301
        except ValueError:
            structlog.get_logger("ours").exception("three")
    finally:
        structlog.configure(**before)
        logging.root.handlers[:] = handlers
    sys.stderr.flush()
    lines = [orjson.loads(line) for line in capfdbinary.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["one", "two words", "three"]
    assert lines[2]["exception"][0]["exc_value"] == "reason"
    assert lines[2]["exception"][0]["frames"]
    assert secret not in str(lines[2]), "the values in the frames stay out of the log"


def test_an_exchange_that_never_began_an_answer_is_counted_too() -> None:
    metrics = Metrics()
    metrics.count(Exchange("x"))
    assert b'status="0"' in metrics.text()
