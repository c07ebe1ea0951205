"""Each surrounding system wants to know who asks, in one of a few ways, and what proves it changes while we run.

A `Credential` gives the headers of a request. A token or a password in a file is read again when the file has changed. A token of
OAuth2 (RFC 6749, section 4.4: client credentials) is kept until shortly before it ends, asked for once for all who wait, and
asked for anew when the system does not take it. What proves who we are on the connection itself is in `tls.py`.

No secret is in any `repr` or error.
"""

from __future__ import annotations

import asyncio
import time
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, Protocol, TypeAlias
from urllib.parse import quote_plus, urlencode

import orjson
from pydantic import SecretStr

from adapters.errors import AdapterError, Busy, Nonsense, NotAdmitted, TimedOut, Unreachable
from adapters.transport.files import Watched, read_secret

Secret: TypeAlias = Callable[[], str]
"""Gives a secret as it is now."""
Form: TypeAlias = Callable[[str, str, Mapping[str, str], float], Awaitable[tuple[int, bytes]]]
"""POSTs a form to an address, with headers, until a deadline; gives the status and the body."""

_EARLY_SECONDS: Final = 30.0
_EARLY_PART: Final = 0.2
"""of its life a token is replaced before it ends, and no earlier than these seconds."""
_WAIT: Final = frozenset({408, 425, 429})
_FORM: Final = "application/x-www-form-urlencoded"


class Credential(Protocol):
    """What says who asks."""

    async def headers(self, form: Form, *, deadline: float) -> Mapping[str, str]:
        """Give the headers of the next request; raises AdapterError where they must be asked for and cannot be had."""
        ...

    def refused(self, headers: Mapping[str, str]) -> bool:
        """Take note that the system has answered 401 to these; tell whether there may be others at once."""
        ...


def fixed(secret: SecretStr) -> Secret:
    """Give a secret that stays as it is."""
    return secret.get_secret_value


def in_file(path: Path) -> Secret:
    """Give a secret as its file has it; raises OSError or ValueError where there is none to begin with."""
    return Watched([path], lambda: read_secret(path)).current


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token or a key that somebody else has given us."""

    secret: Secret = field(repr=False)
    header: str = "Authorization"
    scheme: str = "Bearer"
    """the word before it; empty: there is none."""

    async def headers(self, form: Form, *, deadline: float) -> Mapping[str, str]:  # noqa: ARG002 - nobody is asked
        """Give it as it is now."""
        return self._now()

    def refused(self, headers: Mapping[str, str]) -> bool:
        """Tell whether its file holds another one by now."""
        return self._now() != headers

    def _now(self) -> dict[str, str]:
        return {self.header: f"{self.scheme} {self.secret()}".lstrip()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Basic:
    """A name and a password (RFC 7617)."""

    user: str
    password: Secret = field(repr=False)

    async def headers(self, form: Form, *, deadline: float) -> Mapping[str, str]:  # noqa: ARG002 - nobody is asked
        """Give them as they are now."""
        return self._now()

    def refused(self, headers: Mapping[str, str]) -> bool:
        """Tell whether its file holds another password by now."""
        return self._now() != headers

    def _now(self) -> dict[str, str]:
        return {"Authorization": basic(self.user, self.password())}


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How we are known at an authorization server, and what we ask it for."""

    token_url: str
    client_id: str
    client_secret: Secret = field(repr=False)
    scope: str = ""
    audience: str = ""
    """a parameter that some servers want; not of RFC 6749."""
    sent_as: Literal["basic", "form"] = "basic"
    """where the client's secret is put (RFC 6749, section 2.3.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Granted:
    """A token, and until when it is good, by time.monotonic()."""

    header: str = field(repr=False)
    renew_at: float
    ends_at: float


class ClientCredentials:
    """A token of OAuth2, asked for when it is needed."""

    def __init__(self, system: str, client: Client) -> None:
        self._system = system
        self._client = client
        self._granted: _Granted | None = None
        self._asking = asyncio.Lock()

    def __repr__(self) -> str:
        return f"ClientCredentials({self._system!r}, {self._client!r})"

    async def headers(self, form: Form, *, deadline: float) -> Mapping[str, str]:
        """Give the token; ask for one where there is none, or for the next one where it is about to end."""
        async with self._asking:
            granted = self._granted
            if granted is None or time.monotonic() >= granted.renew_at:
                granted = await self._renewed(form, deadline)
        return {"Authorization": granted.header}

    def refused(self, headers: Mapping[str, str]) -> bool:
        """Forget the token, unless another one was given meanwhile."""
        if self._granted is not None and headers.get("Authorization") == self._granted.header:
            self._granted = None
        return True

    async def _renewed(self, form: Form, deadline: float) -> _Granted:
        """Ask for a token; while the server is away the one that we have is good until it ends."""
        try:
            self._granted = await self._ask(form, deadline)
        except (Busy, Unreachable, TimedOut):
            if self._granted is None or time.monotonic() >= self._granted.ends_at:
                raise
        return self._granted

    async def _ask(self, form: Form, deadline: float) -> _Granted:
        client, asked_at = self._client, time.monotonic()
        wanted = {"grant_type": "client_credentials", "scope": client.scope, "audience": client.audience}
        headers = {"Accept": "application/json", "Content-Type": _FORM}
        if client.sent_as == "basic":
            headers["Authorization"] = basic(quote_plus(client.client_id), quote_plus(client.client_secret()))
        else:
            wanted |= {"client_id": client.client_id, "client_secret": client.client_secret()}
        body = urlencode({name: value for name, value in wanted.items() if value})
        try:
            status, answer = await form(client.token_url, body, headers, deadline)
        except AdapterError as error:
            error.may_have_happened = False  # nothing was asked of the system itself
            raise
        self._check(status)
        return self._read(answer, asked_at)

    def _check(self, status: int) -> None:
        said = f"The authorization server of {self._system} answered {status}"
        if status >= 500 or status in _WAIT:
            busy = Busy(said, hint="It is asked again later", status=status)
            busy.may_have_happened = False
            raise busy
        if not 200 <= status < 300:
            raise NotAdmitted(said, hint="Look at the client's id, its secret and its scope", status=status)

    def _read(self, answer: bytes, asked_at: float) -> _Granted:
        """Read the answer of RFC 6749, section 5.1; a token without an end is good until it is refused."""
        try:
            told: Any = orjson.loads(answer)
        except orjson.JSONDecodeError:
            told = None
        token = told.get("access_token") if isinstance(told, dict) else None
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise self._nonsense("no token", "access_token")
        if str(told.get("token_type", "Bearer")).lower() != "bearer":
            raise self._nonsense("a token that is none of Bearer", "token_type")
        lifetime = _seconds(told.get("expires_in"))
        early = min(_EARLY_SECONDS, lifetime * _EARLY_PART)
        return _Granted(header=f"Bearer {token}", renew_at=asked_at + lifetime - early, ends_at=asked_at + lifetime)

    def _nonsense(self, what: str, where: str) -> Nonsense:
        nonsense = Nonsense(
            f"The authorization server of {self._system} answered {what}",
            hint="Look whether token_url leads to its token endpoint",
            where=where,
        )
        nonsense.may_have_happened = False
        return nonsense


def basic(user: str, password: str) -> str:
    """Write the Authorization of RFC 7617.

    >>> basic("Aladdin", "open sesame")
    'Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=='
    """
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _seconds(value: object) -> float:
    """Read `expires_in`; some servers write it as a string."""
    text = str(value)
    return float(text) if text.isascii() and text.isdigit() and len(text) <= 10 else float("inf")
