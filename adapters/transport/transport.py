"""Every surrounding system is asked over HTTP, and every one of them can hang, lie, flood or be gone.

What is done about that is the same for all: a deadline from the caller over all of an exchange, a cap on what is read,
no redirects, no cookies, a breaker, and errors of our own. Nothing is asked twice: only the ledger knows whether that
would be right. There is one exception: a request that was answered 401 was not acted upon, so it is sent once more where the
credential is another one by then. (aiohttp itself repeats a GET or a PUT whose connection turns out to be closed: the one changes nothing, the
other nothing more by being repeated. It never does so for a POST or a PATCH.)

In: a `Call`. Out: an `Answer` with a status of 2xx, or an `AdapterError`. One `Transport` per system, opened in the
lifespan of whoever uses it.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Final, cast
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
import orjson
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from adapters.errors import AdapterError, Busy, Conflict, Nonsense, NotAdmitted, Rejected, TimedOut, Unreachable
from adapters.transport.answers import answer_of, kept
from adapters.transport.breaker import Breaker
from adapters.transport.credentials import Credential
from adapters.transport.retry_after import retry_after
from adapters.transport.tls import TlsFiles

MOST_BYTES: Final = 1_048_576
_CHUNK: Final = 65_536
_TOKEN_SHARE: Final = 0.9
"""of the time for a call may pass until there is a token: an authorization server that is silent is told as such."""
_WAIT: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_ABOUT_US: Final = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.PROXY_AUTHENTICATION_REQUIRED})
_NOT_HERE: Final = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.GONE})
"""of a path that names no thing: the address is wrong."""
_CONFLICT: Final = frozenset({HTTPStatus.CONFLICT, HTTPStatus.PRECONDITION_FAILED})


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A surrounding system, as the operator describes it."""

    name: str
    """in logs and errors."""
    address: str
    """what all paths are below."""
    credential: Credential | None = None
    """what says who asks; None: nobody wants to know."""
    tls: TlsFiles | None = None
    """None: TLS as the machine has it."""
    most_bytes: int = MOST_BYTES
    """of one answer."""
    failures: int = 5
    """in a row, after which the breaker opens."""
    fair_seconds: float = 1.0
    """A system that had less time than this before a caller's deadline is not taken for down."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(f"the address of {self.name} is not http(s)://HOST[:PORT][/PATH]")
        if parts.username or parts.password:
            raise ValueError(f"the address of {self.name} holds a credential: give it apart, it would be printed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """What is asked of it."""

    method: str
    path: tuple[str, ...]
    """segments, as they are: they are quoted here."""
    query: tuple[tuple[str, str], ...] = ()
    body: object = None
    """any JSON; bytes as they are, whose type is in the headers; nothing is sent for None."""
    headers: Mapping[str, str] = field(default_factory=dict)
    reads: frozenset[int] = frozenset()
    """statuses whose answers are read though they are none of 2xx: they say why."""
    names_thing: bool = False
    """whether the path names a thing, which may be gone; if not, 404 says that the address is wrong."""

    def __post_init__(self) -> None:
        if not {"", ".", ".."}.isdisjoint(self.path):
            raise ValueError("a path with such a segment would lead elsewhere")

    def __str__(self) -> str:
        return f"{self.method} {'/'.join(self.path)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What it said, with a status of 2xx or one that the call reads."""

    system: str
    status: int
    headers: Mapping[str, str]
    """by names in lower case."""
    body: bytes
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """what was sent as one, and is hidden in what is kept."""

    def start(self) -> str:
        """Give the start of it without credentials, as `AdapterError.answer` keeps it: a refusal may come with any status."""
        return kept(self.body, self.secrets)

    def json(self) -> object:
        """Read it as JSON, or raise Nonsense."""
        media = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
            said = "HTML" if media.endswith("html") else "something else"
            raise Nonsense(
                f"{self.system} answered {said} with {self.status} where JSON belongs",
                hint="Look whether its address leads to a proxy or a login page",
                where="content-type",
            )
        try:
            return cast("object", orjson.loads(self.body))
        except orjson.JSONDecodeError as exc:
            raise Nonsense(f"{self.system} answered what is not JSON", where="body") from exc


class Transport:
    """The way to one system."""

    def __init__(self, system: System, session: aiohttp.ClientSession) -> None:
        self._system = system
        self._session = session
        self._tls = system.tls.watched() if system.tls else None
        self.name = system.name
        self.breaker = Breaker(failures=system.failures, now=time.monotonic())

    async def exchange(self, call: Call, *, deadline: float) -> Answer:
        """Ask once; the deadline is an absolute time.monotonic()."""
        now = time.monotonic()
        if deadline <= now:
            raise TimedOut(f"There was no time left to ask {self.name} for {call}", hint="Give it more time")
        if wait := self.breaker.admit(now=now):
            raise Unreachable(
                f"{self.name} was not asked: it has failed several times in a row",
                hint=f"It is tried again in {wait:.0f} s",
                retry_after=wait,
            )
        with self._noted(deadline - now), _seam(self.name, call):
            async with asyncio.timeout(deadline - now):
                return await self._admitted(call, deadline)

    async def _admitted(self, call: Call, deadline: float) -> Answer:
        """Send it; once more where the credential was not taken and there may be another: nothing was done then."""
        credential = self._system.credential
        if credential is None:
            return await self._send(call, {})
        headers = await self._shown(credential, deadline)
        try:
            return await self._send(call, headers)
        except NotAdmitted as error:
            if error.status != HTTPStatus.UNAUTHORIZED or not credential.refused(headers):
                raise
        return await self._send(call, await self._shown(credential, deadline))

    async def _shown(self, credential: Credential, deadline: float) -> Mapping[str, str]:
        """Give what says who asks; where it cannot be had, the error says that it is about that."""
        try:
            return await credential.headers(self._form, deadline=deadline)
        except AdapterError as error:
            error.of_credential = True
            raise

    async def _form(self, address: str, body: str, headers: Mapping[str, str], deadline: float) -> tuple[int, bytes]:
        """POST a form to another address than the system's: where tokens are."""
        call = Call(method="POST", path=())
        seconds = max(0.0, deadline - time.monotonic()) * _TOKEN_SHARE
        with _seam(f"The authorization server of {self.name}", call):
            async with (
                asyncio.timeout(seconds),
                self._session.post(
                    address, data=body, headers=headers, allow_redirects=False, ssl=self._ssl
                ) as response,
            ):
                return response.status, await self._read(response)

    @property
    def _ssl(self) -> ssl.SSLContext | bool:
        return True if self._tls is None else self._tls.current()

    async def _send(self, call: Call, credential: Mapping[str, str]) -> Answer:
        headers = {"Accept": "application/json", "Accept-Encoding": "identity", **call.headers, **credential}
        data = None
        if call.body is not None:
            data = call.body if isinstance(call.body, bytes) else orjson.dumps(call.body)
            headers.setdefault("Content-Type", "application/json")
        secrets = tuple(each.split()[-1] for each in credential.values())
        async with self._session.request(
            call.method,
            _url(self._system.address, call),
            data=data,
            headers=headers,
            allow_redirects=False,
            ssl=self._ssl,
        ) as response:
            try:
                _accept(self.name, call, response)
            except (Busy, Rejected, NotAdmitted) as refusal:
                refusal.answer = await answer_of(response.content, secrets)
                raise
            body = await self._read(response)
            found = {name.lower(): value for name, value in response.headers.items()}
            return Answer(system=self.name, status=response.status, headers=found, body=body, secrets=secrets)

    async def _read(self, response: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in response.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._system.most_bytes:
                response.close()
                raise Nonsense(f"{self.name} answered more than {self._system.most_bytes} bytes", where="body")
        return bytes(body)

    @contextmanager
    def _noted(self, seconds: float) -> Iterator[None]:
        """Tell the breaker how a call ended that had so much time."""
        try:
            yield
        except AdapterError as error:
            if isinstance(error, TimedOut) and seconds < self._system.fair_seconds:
                self.breaker.abandoned(now=time.monotonic())
                raise
            away = isinstance(error, Unreachable | TimedOut) or (isinstance(error, Busy) and error.status >= 500)
            (self.breaker.failed if away else self.breaker.succeeded)(now=time.monotonic())
            raise
        except BaseException:  # cancelled, most likely
            self.breaker.abandoned(now=time.monotonic())
            raise
        self.breaker.succeeded(now=time.monotonic())


@asynccontextmanager
async def opened(system: System) -> AsyncIterator[Transport]:
    """Keep connections to a system while the block runs."""
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=None, sock_read=None),
        auto_decompress=False,  # we ask for none; a small body must not become a large one
    ) as session:
        yield Transport(system, session)


def _url(address: str, call: Call) -> URL:
    path = "".join(f"/{quote(each, safe='')}" for each in call.path)
    query = f"?{urlencode(call.query, quote_via=quote)}" if call.query else ""
    return URL(f"{address.rstrip('/')}{path}{query}", encoded=True)


def _accept(name: str, call: Call, response: aiohttp.ClientResponse) -> None:
    """Let 2xx pass. No message holds the body of anything else: it may hold anything."""
    if response.status in call.reads:
        return
    said = f"{name} answered {response.status} to {call}"
    later = response.headers.get("Retry-After")
    refusal = refusal_of(said, response.status, later, names_thing=call.names_thing)
    if refusal is not None:
        raise refusal


def refusal_of(said: str, status: int, later: str | None, *, names_thing: bool) -> AdapterError | None:
    """Make the error that a status means, with these words and the value of Retry-After; None for 2xx.

    This is the one table of what answers mean (docs/reliability.md), whoever was asked.
    """
    if 200 <= status < 300:
        return None
    if status >= 500 or status in _WAIT:
        wait = retry_after(later, now=datetime.now(UTC))
        return Busy(said, hint="It is asked again later", status=status, retry_after=wait)
    if status in _CONFLICT:
        return Conflict(said, hint="It was changed there meanwhile: look at it", status=status)
    if status in _ABOUT_US:
        return NotAdmitted(said, hint="Look at our credential and our rights there", status=status)
    if status in _NOT_HERE and not names_thing:
        return NotAdmitted(said, hint="Look at its address in the settings", status=status)
    if status >= 400:
        return Rejected(said, hint="Look into its own log for the reason", status=status)
    hint = "Redirects are not followed: give the address it leads to, and look whether that is a login page"
    return NotAdmitted(said, hint=hint, status=status)


@contextmanager
def _seam(name: str, call: Call) -> Iterator[None]:
    """Turn what the client library raises into errors of ours."""
    try:
        yield
    except aiohttp.ClientConnectorError as exc:  # before anything was sent
        raise Unreachable(
            f"{name} cannot be reached: {_reason(exc)}", hint="Look at its address, and whether it runs"
        ) from exc
    except (aiohttp.ClientResponseError, HttpProcessingError) as exc:
        raise Nonsense(f"{name} answered {call} with what is not HTTP", where="head") from exc
    except aiohttp.InvalidURL as exc:
        raise Unreachable(f"{name} cannot be reached: its address makes no URL", hint="Look at its address") from exc
    except TimeoutError as exc:
        raise TimedOut(
            f"{name} did not answer {call} in time", hint="Look there before asking again", may_have_happened=True
        ) from exc
    except (aiohttp.ClientError, OSError) as exc:
        raise Unreachable(
            f"The connection to {name} was lost during {call}",
            hint="Look there before asking again",
            may_have_happened=True,
        ) from exc


def _reason(exc: aiohttp.ClientConnectorError) -> str:
    if isinstance(exc, aiohttp.ClientSSLError):
        return "its certificate, or its TLS, is not accepted"
    if isinstance(exc, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    return exc.strerror or "no connection"
