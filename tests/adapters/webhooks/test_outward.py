"""No address that somebody else names leads inside, whatever it is dressed up as, and whatever its name means a moment later."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from adapters.errors import AdapterError, Busy, Malformed, Nonsense, Rejected, TimedOut, Unreachable
from adapters.webhooks.outward import SIGNATURE, Rules, check_callback, is_outside, outward, signature
from tests.adapters.conftest import soon

RULES = Rules(hosts=("noc.example.com", ".oss.example.com", "9.9.9.9", "127.0.0.1"), secret=SecretStr("s" * 32))
HERE = replace(RULES, loopback=True)

INSIDE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1",
    "fc00::1", "fd12::1", "ff02::1", "fec0::1", "::ffff:127.0.0.1", "::ffff:9.9.9.9", "::127.0.0.1", "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2001:0:7f00:1::", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_one(address: str) -> None:
    assert not is_outside(ip_address(address))


@pytest.mark.parametrize("address", ["9.9.9.9", "1.1.1.1", "2620:fe::fe"])
def test_an_address_outside_is_one(address: str) -> None:
    assert is_outside(ip_address(address))


@pytest.mark.parametrize(
    "callback",
    [
        "https://noc.example.com",
        "https://noc.example.com:8443/a/b",
        "https://x.oss.example.com/",
        "https://9.9.9.9/hear",
    ],
)
def test_a_callback_at_an_allowed_host_may_be_called(callback: str) -> None:
    assert check_callback(callback, RULES) == callback


@pytest.mark.parametrize(
    ("callback", "why"),
    [
        ("", "1 to"),
        (None, "1 to"),
        (7, "1 to"),
        ("https://noc.example.com/" + "x" * 1_000, "1 to"),
        ("http://noc.example.com", "https"),
        ("ftp://noc.example.com", "https"),
        ("//noc.example.com", "https"),
        ("file:///etc/passwd", "https"),
        ("https://user:secret@noc.example.com", "credential"),
        ("https://noc.example.com?a=b", "query"),
        ("https://noc.example.com#a", "query"),
        ("https://noc.example.com:99999", "no address"),
        ("https://[::1", "no address"),
        ("https://noc.exam ple.com", "characters"),
        ("https://noc.example.com\\@evil.example", "characters"),
        ("https://nöc.example.com", "characters"),
        ("https://evil.example", "not allowed"),
        ("https://evilnoc.example.com", "not allowed"),
        ("https://oss.example.com.evil.example", "not allowed"),
        ("https://localhost", "not allowed"),
        ("https://169.254.169.254/latest", "not allowed"),
        ("https://[::ffff:9.9.9.9]", "not allowed"),
        ("https://127.0.0.1", "public Internet"),
    ],
)
def test_no_other_may(callback: object, why: str) -> None:
    with pytest.raises(Malformed) as caught:
        check_callback(callback, RULES)
    assert caught.value.field == "callback"
    assert why in caught.value.message


@pytest.mark.parametrize("host", ["127.1", "0x7f000001", "2130706433", "0177.0.0.1", "127.0.0.1."])
def test_an_address_in_another_spelling_is_still_inside(host: str) -> None:
    with pytest.raises(Malformed, match="public Internet"):
        check_callback(f"https://{host}", replace(RULES, hosts=(host.rstrip("."),)))


def test_loopback_is_called_only_where_that_is_wanted() -> None:
    for callback in ("http://127.0.0.1:8080/x", "http://localhost", "https://[::1]:1"):
        assert check_callback(callback, HERE) == callback
        with pytest.raises(Malformed):
            check_callback(callback, replace(RULES, hosts=()))
    for callback in ("http://10.0.0.1", "http://noc.example.com"):
        with pytest.raises(Malformed):
            check_callback(callback, HERE)


@asynccontextmanager
async def hearing(answer: Any) -> AsyncIterator[tuple[str, list[web.Request]]]:
    """Somebody who is told: gives where, and what was heard."""
    heard: list[web.Request] = []

    async def hear(request: web.Request) -> web.StreamResponse:
        await request.read()
        heard.append(request)
        found: web.StreamResponse = await answer(request)
        return found

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", hear)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    try:
        yield f"http://127.0.0.1:{port}", heard
    finally:
        await runner.cleanup()


async def taken(_: web.Request) -> web.StreamResponse:
    return web.Response(status=204)


async def tell(address: str, *, rules: Rules = HERE, seconds: float = 5.0) -> None:
    async with outward(rules) as way:
        await way.post(address, "alarmCreateEvent", {"eventId": "e"}, deadline=soon(seconds))


async def test_what_is_sent_is_signed() -> None:
    async with hearing(taken) as (address, heard):
        await tell(f"{address}/base/")
    [request] = heard
    assert request.path == "/base/listener/alarmCreateEvent"
    moment, _, digest = request.headers[SIGNATURE].removeprefix("t=").partition(",v1=")
    body = await request.read()
    wanted = hmac.new(b"s" * 32, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
    assert digest == wanted
    assert abs(time.time() - int(moment)) < 30
    assert signature(SecretStr("t" * 32), int(moment), body) != request.headers[SIGNATURE]
    assert request.headers.get("Authorization") is None


@pytest.mark.parametrize(
    ("status", "error"), [(500, Busy), (503, Busy), (429, Busy), (400, Rejected), (404, Rejected), (204, None)]
)
async def test_what_it_answers_decides(status: int, error: type[AdapterError] | None) -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(status=status, headers={"Retry-After": "7"}, text="secret")

    async with hearing(answer) as (address, _):
        if error is None:
            await tell(address)
            return
        with pytest.raises(error) as caught:
            await tell(address)
    assert "secret" not in str(caught.value)
    if isinstance(caught.value, Busy):
        assert caught.value.retry_after == 7.0


async def test_a_redirect_is_not_followed() -> None:
    async with hearing(taken) as (inside, heard):

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(status=307, headers={"Location": inside})

        async with hearing(answer) as (address, _):
            with pytest.raises(Nonsense):
                await tell(address)
    assert heard == []


async def test_a_body_without_an_end_is_not_read() -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(status=200)
        await response.prepare(request)
        for _ in range(1_000):
            await response.write(b"x" * 65_536)
            await asyncio.sleep(0.01)
        return response

    async with hearing(answer) as (address, _):
        began = time.monotonic()
        await tell(address)
        assert time.monotonic() - began < 2.0


async def test_one_that_does_not_answer_costs_its_time_only() -> None:
    async def answer(_: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    async with hearing(answer) as (address, _):
        with pytest.raises(TimedOut):
            await tell(address, seconds=0.2)


async def test_a_name_that_leads_inside_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was outside when it was registered; it is looked at again when the connection is made."""
    asked: list[str] = []

    def resolves(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in ("9.9.9.9", "127.0.0.1")]

    async with hearing(taken) as (address, heard):
        port = address.rpartition(":")[2]
        monkeypatch.setattr(socket, "getaddrinfo", resolves)
        with pytest.raises(Unreachable, match="public Internet"):
            await tell(f"https://noc.example.com:{port}", rules=RULES)
    assert asked == ["noc.example.com"]
    assert heard == []


async def test_what_the_settings_do_not_allow_any_more_is_not_called() -> None:
    async with hearing(taken) as (address, heard):
        with pytest.raises(Malformed):
            await tell(address, rules=replace(RULES, hosts=()))
    assert heard == []
