"""A request says once what decides about it, is for us, and is of no web page that may not call."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.types import Receive, Scope, Send

from gateway.http.middleware import open_middleware, routed
from gateway.http.serving import bound, listening
from gateway.settings.settings import Settings
from gateway.telemetry.metrics import Metrics
from tests.gateway.conftest import Mint

BODY = b'{"query": "{ hello }"}'


async def sent(
    gateway: httpx.URL, *lines: bytes, version: bytes = b"1.1", path: bytes = b"/graphql"
) -> tuple[int, Any]:
    """Send a request with exactly these header fields; gives status and body."""
    reader, writer = await asyncio.open_connection(gateway.host, gateway.port)
    try:
        fixed = (b"POST " + path + b" HTTP/" + version, *lines, b"content-length: %d" % len(BODY), b"connection: close")
        writer.write(b"\r\n".join([*fixed, b"", BODY]))
        head, _, body = (await asyncio.wait_for(reader.read(), 10)).partition(b"\r\n\r\n")
        assert b"location:" not in head.lower()
        return int(head.split()[1]), orjson.loads(body) if body.startswith(b"{") else body.decode()
    finally:
        writer.close()


def message(body: Any) -> str:
    return str(body["errors"][0]["message"])


def code(body: Any) -> str:
    return str(body["errors"][0]["extensions"]["code"])


class TestSingle:
    """RFC 9110, section 5.3; RFC 9112, section 3.2."""

    @pytest.mark.parametrize("order", [1, -1])
    async def test_two_tokens_are_no_request(self, gateway: httpx.URL, mint: Mint, order: int) -> None:
        tokens = [f"Authorization: {mint.bearer(role)['Authorization']}".encode() for role in ("operator", "analyst")]
        status, body = await sent(gateway, b"Host: x", b"Content-Type: application/json", *tokens[::order])
        assert (status, code(body)) == (400, "BAD_REQUEST")
        assert "authorization more than once" in message(body)

    @pytest.mark.parametrize(
        "second",
        [
            b"Host: y",
            b"host: x",
            b"Authorization:",
            b"Content-Type: text/plain",
            b"Content-Encoding: identity",
            b"X-Acts-For: Bearer b",
            b"Origin: https://portal.test",
            b"Idempotency-Key: b",
        ],
    )
    async def test_nor_are_two_of_any_field_that_decides(self, gateway: httpx.URL, mint: Mint, second: bytes) -> None:
        name = second.partition(b":")[0].lower()
        firsts = {
            b"host": b"x",
            b"authorization": mint.bearer()["Authorization"].encode(),
            b"content-type": b"application/json",
            name: {b"host": b"x", b"content-type": b"application/json"}.get(name, b"a"),
        }
        lines = [each + b": " + value for each, value in firsts.items()]
        status, body = await sent(gateway, *lines, second)
        assert (status, code(body)) == (400, "BAD_REQUEST")
        assert f"{name.decode()} more than once" in message(body)

    async def test_other_fields_may_come_twice(self, gateway: httpx.URL, mint: Mint) -> None:
        token = b"Authorization: " + mint.bearer()["Authorization"].encode()
        twice = [b"Accept: application/json", b"Accept: */*", b"Via: a", b"Via: b"]
        assert await sent(gateway, b"Host: x", b"Content-Type: application/json", token, *twice) == (
            200,
            {"data": {"hello": "hello world"}},
        )

    async def test_a_request_says_whom_it_asks(self, gateway: httpx.URL, mint: Mint) -> None:
        lines = [b"Authorization: " + mint.bearer()["Authorization"].encode(), b"Content-Type: application/json"]
        status, body = await sent(gateway, *lines)
        assert (status, message(body)) == (400, "The request has no Host.")
        assert (await sent(gateway, *lines, version=b"1.0"))[0] == 200


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    await JSONResponse({"data": scope["method"]})(scope, receive, send)


async def serve(**given: Any) -> AsyncIterator[httpx.URL]:
    settings = Settings(listen="127.0.0.1:0", **given)
    sock = bound(settings)
    endpoint = open_middleware(echo, settings, Metrics())
    async with listening(routed([Route("/graphql", endpoint), Mount("/tmf-api", endpoint)]), sock):
        yield httpx.URL(f"http://127.0.0.1:{sock.getsockname()[1]}")


@pytest.fixture(scope="module")
async def without_tokens() -> AsyncIterator[httpx.URL]:
    async for each in serve(origins=("https://portal.test",), hosts=("Gateway.test",)):
        yield each


@pytest.fixture(scope="module")
async def with_names(mint: Mint) -> AsyncIterator[httpx.URL]:
    async for each in serve(issuers=(mint.settings(),), hosts=("gateway.test",)):
        yield each


class TestHost:
    """A web page that gives its own name our address asks us under that name."""

    @pytest.mark.parametrize(
        "host", ["127.0.0.1", "127.0.0.1:8000", "localhost:1", "LOCALHOST", "[::1]:8000", "127.8.8.8", "gateway.test."]
    )
    async def test_our_names_are_loopbacks_and_those_that_are_set(self, without_tokens: httpx.URL, host: str) -> None:
        assert await sent(without_tokens, b"Host: " + host.encode()) == (200, {"data": "POST"})

    @pytest.mark.parametrize(
        "host",
        [
            "evil.test",
            "evil.test:8000",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "xlocalhost",
            "10.0.0.1",
            "[::ffff:9.9.9.9]",
            "0.0.0.0",
            "",
            "localhost,evil.test",
        ],
    )
    async def test_no_others_are(self, without_tokens: httpx.URL, host: str) -> None:
        status, body = await sent(without_tokens, b"Host: " + host.encode())
        assert (status, code(body)) == (421, "MISDIRECTED_REQUEST")

    @pytest.mark.parametrize("host", ["127.0.0.1@evil.test", "127.0.0.1/evil", "[::1", "a b", "localhost:x", "\xe4"])
    async def test_what_is_none_is_refused_everywhere(
        self, without_tokens: httpx.URL, gateway: httpx.URL, host: str
    ) -> None:
        for each in (without_tokens, gateway):
            status, body = await sent(each, b"Host: " + host.encode())
            assert (status, code(body)) == (400, "BAD_REQUEST")

    async def test_one_is_needed_whatever_the_version(self, without_tokens: httpx.URL) -> None:
        assert (await sent(without_tokens, version=b"1.0"))[0] == 421

    async def test_with_tokens_only_names_that_are_set_count(self, with_names: httpx.URL, gateway: httpx.URL) -> None:
        assert (await sent(with_names, b"Host: gateway.test"))[0] == 200
        assert (await sent(with_names, b"Host: localhost"))[0] == 421
        status, _ = await sent(gateway, b"Host: any.test")
        assert status == 401, "where none are set, any name is ours"


class TestOrigin:
    """Where no token is needed, any page could call."""

    @pytest.mark.parametrize("origin", [b"https://portal.test", b"http://localhost:8000"])
    async def test_a_known_page_may_call(self, without_tokens: httpx.URL, origin: bytes) -> None:
        assert (await sent(without_tokens, b"Host: localhost:8000", b"Origin: " + origin))[0] == 200

    @pytest.mark.parametrize(
        "origin", [b"https://evil.test", b"null", b"http://localhost:9000", b"https://portal.test.evil.test", b""]
    )
    async def test_another_may_not(self, without_tokens: httpx.URL, origin: bytes) -> None:
        status, body = await sent(without_tokens, b"Host: localhost:8000", b"Origin: " + origin)
        assert (status, code(body)) == (403, "ORIGIN_NOT_ALLOWED")

    async def test_a_known_page_is_told_so_before_it_calls(self, without_tokens: httpx.URL) -> None:
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}
        async with httpx.AsyncClient(base_url=without_tokens) as client:
            answer = await client.options("/graphql", headers=asked | {"Origin": "https://portal.test"})
            assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://portal.test")
            answer = await client.options("/graphql", headers=asked | {"Origin": "https://evil.test"})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("path", [b"/graphql/", b"/livez/", b"//evil.test/graphql", b"/graphql//"])
async def test_no_path_leads_to_the_clients_host(gateway: httpx.URL, path: bytes) -> None:
    assert await sent(gateway, b"Host: evil.test", path=path) == (404, "Nothing is here. GraphQL is at /graphql.\n")


async def test_nor_does_one_without_its_slash(without_tokens: httpx.URL) -> None:
    assert await sent(without_tokens, b"Host: localhost", path=b"/tmf-api") == (
        404,
        "Nothing is here. GraphQL is at /graphql.\n",
    )
