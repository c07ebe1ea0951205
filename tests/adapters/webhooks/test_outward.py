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
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from aiohttp import web
from pydantic import SecretStr

from adapters.errors import AdapterError, Busy, Malformed, Nonsense, Rejected, TimedOut, Unreachable
from adapters.webhooks.outward import SIGNATURE, Rules, check_callback, is_outside, outward, signature
from tests.adapters.conftest import soon

RULES = Rules(hosts=("noc.example.com", ".oss.example.com", "9.9.9.9", "127.0.0.1"), secret=SecretStr("s" * 32))
HERE = replace(RULES, loopback=True)

# IANA's special-purpose address registries, every row (IPv4: 2021-02-04 and later; IPv6: 2025-10-09): the block, and whether
# it is globally reachable; None where the registry says neither.
REGISTRY: dict[str, bool | None] = {
    "0.0.0.0/8": False,
    "0.0.0.0/32": False,
    "10.0.0.0/8": False,
    "100.64.0.0/10": False,
    "127.0.0.0/8": False,
    "169.254.0.0/16": False,
    "172.16.0.0/12": False,
    "192.0.0.0/24": False,
    "192.0.0.0/29": False,
    "192.0.0.8/32": False,
    "192.0.0.9/32": True,
    "192.0.0.10/32": True,
    "192.0.0.170/32": False,
    "192.0.0.171/32": False,
    "192.0.2.0/24": False,
    "192.31.196.0/24": True,
    "192.52.193.0/24": True,
    "192.88.99.0/24": None,
    "192.88.99.2/32": False,
    "192.168.0.0/16": False,
    "192.175.48.0/24": True,
    "198.18.0.0/15": False,
    "198.51.100.0/24": False,
    "203.0.113.0/24": False,
    "240.0.0.0/4": False,
    "255.255.255.255/32": False,
    "::1/128": False,
    "::/128": False,
    "::ffff:0:0/96": False,
    "64:ff9b::/96": True,
    "64:ff9b:1::/48": False,
    "100::/64": False,
    "100:0:0:1::/64": False,
    "2001::/23": False,
    "2001::/32": None,
    "2001:1::1/128": True,
    "2001:1::2/128": True,
    "2001:1::3/128": True,
    "2001:2::/48": False,
    "2001:3::/32": True,
    "2001:4:112::/48": True,
    "2001:10::/28": None,
    "2001:20::/28": True,
    "2001:30::/28": True,
    "2001:db8::/32": False,
    "2002::/16": None,
    "2620:4f:8000::/48": True,
    "3fff::/20": False,
    "5f00::/16": False,
    "fc00::/7": False,
    "fe80::/10": False,
}
OTHERS = [
    *("224.0.0.0/4", "ff00::/8", "fec0::/10", "::/96", "::ffff:0:0:0/96", "200::/7", "4000::/3", "8000::/1"),
    *("64:ff9b::/96", "2001::/23", "192.0.0.0/24"),
]
"""Multicast; what stands for an address of IPv4, or once did; what was given to nobody; ranges for protocols, of which parts
are reachable."""
NEXT_TO_THEM = [
    *("1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0"),
    *("169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0"),
    *("192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "9.9.9.9"),
    *(
        "2001:200::",
        "2001:db7:ffff::",
        "2001:db9::",
        "2001:ffff::",
        "2003::",
        "2620:fe::fe",
        "3ffe:ffff::",
        "3fff:1000::",
    ),
]


@pytest.mark.parametrize("block", [*(each for each, is_global in REGISTRY.items() if not is_global), *OTHERS])
def test_an_address_inside_is_one(block: str) -> None:
    network = ip_network(block)
    for each in (network[0], network[network.num_addresses // 2], network[-1]):
        assert not is_outside(each), each


@pytest.mark.parametrize("block", [each for each, is_global in REGISTRY.items() if is_global is False])
def test_what_python_knows_of_the_registry_agrees(block: str) -> None:
    """Versions of `ipaddress` differ by what they do not know yet; nothing that one calls private is outside."""
    network = ip_network(block)
    for each in (network[0], network[-1]):
        assert not (each.is_private and is_outside(each)), each


@pytest.mark.parametrize("address", NEXT_TO_THEM)
def test_an_address_outside_is_one(address: str) -> None:
    assert is_outside(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["::ffff:127.0.0.1", "::ffff:9.9.9.9", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::a00:1", "2002:7f00:1::"],
)
def test_what_stands_for_another_is_inside(address: str) -> None:
    assert not is_outside(ip_address(address))


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
