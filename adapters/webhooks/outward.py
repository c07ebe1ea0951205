"""Addresses that others give us must not lead inside: whoever names one could have us ask what only we can reach.

An address is https, of a host that the operator has allowed, and leads to an address of the public Internet: what a name
resolves to is looked at when the connection is made, once, and that is what is connected to, so a name that means
something else a moment later helps nobody. Redirects are not followed, answers are not read but for their status, and what
is sent is signed, so that whoever hears it knows that it is from us.

>>> is_outside(ip_address("9.9.9.9")), is_outside(ip_address("169.254.169.254")), is_outside(ip_address("3fff::1"))
(True, False, False)
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver
from pydantic import SecretStr
from yarl import URL

from adapters.errors import Busy, Malformed, Nonsense, Rejected, TimedOut, Unreachable
from adapters.transport.retry_after import retry_after

SIGNATURE: Final = "Trunkline-Signature"
LONGEST: Final = 1_000
"""characters of a callback."""
_WAIT: Final = frozenset({408, 425, 429})
_UNICAST: Final = IPv6Network("2000::/3")
"""All of IPv6 that is given to hosts of the public Internet (RFC 4291; IANA's IPv6 address space). Outside of it are loopback,
mapped and translated addresses of IPv4 (`::ffff:0:0/96`, `64:ff9b::/96`, `64:ff9b:1::/48`), link-local and site-local ones,
unique local ones, SRv6 segments (`5f00::/16`), multicast, and what is not given to anybody."""
_SPECIAL: Final[tuple[IPv4Network | IPv6Network, ...]] = (
    *map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")),
    *map(
        IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"),
            *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        ),
    ),
)
"""What is not, or not surely, reachable by its own address from everywhere: IANA's special-purpose registries (RFC 6890, RFC 8190;
each row whose "Globally Reachable" is not True in iana-ipv4-special-registry-1.csv and iana-ipv6-special-registry-1.csv, compared
in November 2026; a test has the rows), and multicast (RFC 5771). Ranges for protocols (`2001::/23`, `192.0.0.0/24`) are refused whole. The table is ours: what `ipaddress` calls global differs
between versions of Python."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What the operator allows."""

    hosts: tuple[str, ...]
    """names; one that begins with a dot stands for all below it. None: nobody is called."""
    loopback: bool = False
    """http and this machine's own addresses as well, to try things out."""
    secret: SecretStr
    """what is sent is signed with it."""


def check_callback(text: object, rules: Rules) -> str:
    """Give a callback that may be called, or raise Malformed with the reason."""
    if not isinstance(text, str) or not text or len(text) > LONGEST:
        raise Malformed(f"is no text of 1 to {LONGEST} characters", field="callback")
    parts = _parts(text)
    host = (parts.hostname or "").rstrip(".")
    here = rules.loopback and _is_loopback(host)
    if parts.scheme != "https" and not (parts.scheme == "http" and here):
        raise Malformed("is not https://HOST[:PORT][/PATH]", field="callback")
    if parts.query or parts.fragment or parts.username or parts.password:
        raise Malformed("has a query, a fragment or a credential", field="callback")
    if not (here or any(host == each or (each.startswith(".") and host.endswith(each)) for each in rules.hosts)):
        raise Malformed("is at a host that is not allowed: the setting `hubs` says which are", field="callback")
    if (literal := _literal(host)) is not None and not _may_call(literal, rules):
        raise Malformed("leads to an address that is not on the public Internet", field="callback")
    return text


def is_outside(address: IPv4Address | IPv6Address) -> bool:
    """Tell whether an address is on the public Internet, and stands for no other."""
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return not any(address in each for each in _SPECIAL)


def signature(secret: SecretStr, moment: int, body: bytes) -> str:
    """Sign what is sent at a moment (seconds): `t=...,v1=...`, HMAC-SHA256 over the moment, a dot and the body, in hex."""
    digest = hmac.new(secret.get_secret_value().encode(), f"{moment}.".encode() + body, hashlib.sha256)
    return f"t={moment},v1={digest.hexdigest()}"


class Outward:
    """Tells callbacks."""

    def __init__(self, rules: Rules, session: aiohttp.ClientSession) -> None:
        self._rules = rules
        self._session = session

    async def post(self, callback: str, name: str, body: Mapping[str, Any], *, deadline: float) -> None:
        """POST an event to `CALLBACK/listener/NAME`, once; raises AdapterError for what is not 2xx."""
        check_callback(callback, self._rules)  # the settings may be others than when it was registered
        data, moment = orjson.dumps(body), int(time.time())
        headers = {"Content-Type": "application/json", SIGNATURE: signature(self._rules.secret, moment, data)}
        url = URL(f"{callback.rstrip('/')}/listener/{name}", encoded=True)
        try:
            async with (
                asyncio.timeout(max(0.0, deadline - time.monotonic())),
                self._session.post(url, data=data, headers=headers, allow_redirects=False) as response,
            ):
                _accept(response)
        except TimeoutError as error:
            raise TimedOut("The callback did not answer in time", may_have_happened=True) from error
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Unreachable(f"The callback cannot be reached: {_reason(error)}") from error


class _Looking(AbstractResolver):
    """Resolves names, and gives nothing where one of the addresses is inside."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Resolve a name once; raises OSError for what must not be called."""
        found = await self._resolver.resolve(host, port, family)
        if not all(_may_call(ip_address(each["host"].partition("%")[0]), self._rules) for each in found):
            raise OSError("its name leads to an address that is not on the public Internet")
        return found

    async def close(self) -> None:
        """Let go."""
        await self._resolver.close()


@asynccontextmanager
async def outward(rules: Rules) -> AsyncIterator[Outward]:
    """Open the way to callbacks while the block runs."""
    connector = aiohttp.TCPConnector(resolver=_Looking(rules), use_dns_cache=False, limit=32, limit_per_host=4)
    async with aiohttp.ClientSession(
        connector=connector, cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, trust_env=False
    ) as session:
        yield Outward(rules, session)


def _parts(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise Malformed("is no address", field="callback") from None
    if not text.isascii() or any(each.isspace() for each in text) or "\\" in text:
        raise Malformed("has characters that no address has", field="callback")
    return parts


def _is_loopback(host: str) -> bool:
    literal = _literal(host)
    return host == "localhost" or (literal is not None and literal.is_loopback)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    """Read an address that is written as one; also in the forms that only a resolver understands (`127.1`, `0x7f000001`)."""
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return ip_address(socket.inet_aton(host))
    except OSError:
        return None


def _may_call(address: IPv4Address | IPv6Address, rules: Rules) -> bool:
    return is_outside(address) or (rules.loopback and address.is_loopback)


def _accept(response: aiohttp.ClientResponse) -> None:
    """Let 2xx pass; the body is not read, and its connection not used again."""
    status = response.status
    response.close()
    if status >= 500 or status in _WAIT:
        wait = retry_after(response.headers.get("Retry-After"), now=datetime.now(UTC))
        raise Busy(f"The callback answered {status}", status=status, retry_after=wait)
    if status >= 400:
        raise Rejected(f"The callback answered {status}", status=status)
    if not 200 <= status < 300:
        raise Nonsense(f"The callback answered {status}: redirects are not followed", where="status")


def _reason(error: Exception) -> str:
    match error:
        case aiohttp.ClientSSLError():
            return "its certificate, or its TLS, is not accepted"
        case aiohttp.ClientConnectorError() if "public Internet" in str(error.os_error):
            return "its name leads to an address that is not on the public Internet"
        case aiohttp.ClientConnectorDNSError():
            return "its name is not known"
        case _:
            return "no connection, or a lost one"
