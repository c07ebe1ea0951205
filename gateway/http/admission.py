"""Before anybody asks who is calling, a request is one request, is meant for us, and is of no web page that may not call.

In: an ASGI request. Out: the request, or a refusal. Checked in this order:

1. What decides about a request is said once: two `Authorization` fields are two requests (RFC 9110, section 5.3). A
   request of HTTP/1.1 has one `Host`, and its form is right (RFC 9112, section 3.2).
2. `Host` is one of our names, where the settings have names. Where there are no issuers, only loopback's names are ours:
   otherwise a web page could give its own name our address (DNS rebinding), and ask us in its reader's browser.
3. Where there are no issuers, a web page's `Origin` is one of the setting `origins`. With issuers a token is needed, which
   no page has unasked, and CORS decides what a page may read.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.errors import Code, Headers, Refused, refuse
from gateway.exchange import exchange_of
from gateway.http.response import Refusing, refuse_graphql
from gateway.settings.settings import Settings

SINGLE: Final = frozenset(
    {
        b"authorization",
        b"content-encoding",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"origin",
        b"x-acts-for",
    }
)
"""Fields by which something is decided; the parser sees to `Content-Length` and `Transfer-Encoding`."""
CLOSE: Final[Headers] = ((b"connection", b"close"),)
LOOPBACK: Final = "localhost"
_HOST: Final = re.compile(rb"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<name>[A-Za-z0-9._~!$&'()*+,;=%-]*))(?::[0-9]*)?")
"""RFC 9110, section 7.2; RFC 3986, section 3.2.2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Whose requests are taken."""

    hosts: frozenset[str] = frozenset()
    """our names, in lower case."""
    any_host: bool = False
    loopback: bool = False
    """whether loopback's names are ours."""
    origins: frozenset[str] = frozenset()
    any_origin: bool = False


def rules_of(settings: Settings) -> Rules:
    """Give what the settings say about whose requests are taken."""
    hosts = frozenset(each.lower().rstrip(".") for each in settings.hosts)
    has_tokens = bool(settings.issuers)
    return Rules(
        hosts=hosts,
        any_host=has_tokens and not hosts,
        loopback=not has_tokens,
        origins=frozenset(settings.origins),
        any_origin=has_tokens or "*" in settings.origins,
    )


class Admission:
    """Wrap an ASGI application."""

    def __init__(self, app: ASGIApp, rules: Rules, refusing: Refusing = refuse_graphql) -> None:
        self._app = app
        self._rules = rules
        self._refusing = refusing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or refuse it."""
        headers = dict(scope["headers"])
        try:
            check_single(each for each, _ in scope["headers"])
            check_host(headers.get(b"host"), scope["http_version"], self._rules)
            check_origin(headers.get(b"origin"), headers.get(b"host", b""), self._rules)
        except Refused as refused:
            await self._refusing(send, exchange_of(scope), headers, refused)
            return
        await self._app(scope, receive, send)


def check_single(names: Iterable[bytes]) -> None:
    """Refuse a request that says twice what decides about it; the names are in lower case."""
    given = list(names)
    if len(given) == len(set(given)):  # most have none twice
        return
    twice = sorted(name.decode() for name, count in Counter(given).items() if count > 1 and name in SINGLE)
    if twice:
        hint = "Send each of these header fields once; look for a proxy that adds one."
        raise refuse(Code.BAD_REQUEST, f"The request has {twice[0]} more than once.", hint, headers=CLOSE)


def check_host(given: bytes | None, version: str, rules: Rules) -> None:
    """Refuse a request that is not for one of our names."""
    if given is None and version == "1.1":
        raise refuse(Code.BAD_REQUEST, "The request has no Host.", "Send the header field `Host`.", headers=CLOSE)
    found = _HOST.fullmatch(given or b"")
    if found is None:
        raise refuse(
            Code.BAD_REQUEST,
            "The request's Host is no name or address.",
            "Send it as HOST or HOST:PORT.",
            headers=CLOSE,
        )
    host = (found["v6"] or found["name"]).decode().lower().rstrip(".")
    if rules.any_host:
        return
    if not (host in rules.hosts or (rules.loopback and is_loopback(host))):
        raise refuse(Code.MISDIRECTED_REQUEST, "The request's Host is none of the names that are served here.")


def check_origin(given: bytes | None, host: bytes, rules: Rules) -> None:
    """Refuse a request of a web page that may not call."""
    if given is None or rules.any_origin:
        return
    origin = given.decode("latin-1")
    own = host.decode("latin-1").lower()
    if origin not in rules.origins and origin.lower() not in (f"http://{own}", f"https://{own}"):
        raise refuse(Code.ORIGIN_NOT_ALLOWED, "The request's Origin is not one that may call.")


@lru_cache(maxsize=256)
def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine and nothing else, by its name or an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == LOOPBACK
