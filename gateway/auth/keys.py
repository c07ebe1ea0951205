"""An issuer's keys change while we run, its server may be away, and a caller must not make us ask it all the time.

A `KeyRing` holds the last good set of one issuer. It is read again when it is older than MAX_AGE, and when a token
names a key that is not in it, but never more often than once in PAUSE; while a read fails, the last good set stays.
Only asymmetric signing keys are taken from a set: whatever else stands there does not count.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import aiohttp
import orjson
import structlog
from joserfc import jwk
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

from gateway.errors import Code, refuse
from gateway.settings.settings import Issuer

PAUSE: Final = 30.0
FIRST_PAUSE: Final = 5.0
"""before a set was ever read."""
MAX_AGE: Final = 600.0
MOST_BYTES: Final = 262_144
TIMEOUT: Final = aiohttp.ClientTimeout(total=5)

log = structlog.get_logger(__name__)

VerifyingKey = ECKey | RSAKey | OKPKey


class KeysUnavailable(Exception):
    """The set could not be read; the message says why."""


class KeySource(Protocol):
    """Where a set of keys comes from."""

    async def read(self) -> bytes:
        """Give the set as JSON, or raise KeysUnavailable."""
        ...


class KeyFile:
    """A set in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def read(self) -> bytes:
        """Read the file."""
        try:
            return await asyncio.to_thread(self._path.read_bytes)
        except OSError as error:
            raise KeysUnavailable(f"{self._path} cannot be read: {error.strerror}") from error


class KeyAddress:
    """A set behind an http address; redirects are not followed.

    A session for each read: they are half a minute apart at least, and a connection kept for that long is a dead one.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def read(self) -> bytes:
        """Fetch the set."""
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.get(self._url, allow_redirects=False) as response,
            ):
                if response.status != 200:
                    raise KeysUnavailable(f"{self._url} answers {response.status}")
                body = await response.content.read(MOST_BYTES + 1)
                while len(body) <= MOST_BYTES and (more := await response.content.read(MOST_BYTES)):
                    body += more
        except (aiohttp.ClientError, TimeoutError) as error:
            raise KeysUnavailable(f"{self._url} cannot be reached ({type(error).__name__})") from error
        if len(body) > MOST_BYTES:
            raise KeysUnavailable(f"{self._url} answers more than {MOST_BYTES} bytes")
        return body


class KeyRing:
    """The keys of one issuer."""

    def __init__(self, source: KeySource) -> None:
        self._source = source
        self._keys: Mapping[str, VerifyingKey] = {}
        self._read_at = -MAX_AGE
        self._tried_at = -MAX_AGE
        self._lock = asyncio.Lock()

    async def key(self, kid: str | None) -> VerifyingKey | None:
        """Give the key of that id, reading the set again where that may help; None where there is none."""
        now = time.monotonic()
        if now - self._read_at > MAX_AGE or self._find(kid) is None:
            await self._refresh()
        if not self._keys:
            left = FIRST_PAUSE - (time.monotonic() - self._tried_at)
            raise refuse(Code.ISSUER_UNAVAILABLE, "The keys of the token's issuer are away.", retry_after=max(left, 1))
        return self._find(kid)

    async def check(self) -> int:
        """Read the set now; give the number of its keys, or raise KeysUnavailable."""
        self._keys = _keys(await self._source.read())
        self._read_at = time.monotonic()
        return len(self._keys)

    def _find(self, kid: str | None) -> VerifyingKey | None:
        if kid is None:
            return next(iter(self._keys.values())) if len(self._keys) == 1 else None
        return self._keys.get(kid)

    async def _refresh(self) -> None:
        async with self._lock:
            pause = PAUSE if self._keys else FIRST_PAUSE
            if time.monotonic() - self._tried_at < pause:
                return
            self._tried_at = time.monotonic()
            try:
                await self.check()
            except KeysUnavailable as error:
                log.warning("the keys of an issuer are away", reason=str(error), kept=len(self._keys))


def _keys(text: bytes) -> dict[str, VerifyingKey]:
    try:
        found = orjson.loads(text)["keys"]
        keys = {str(each.get("kid", "")): each for each in found}
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise KeysUnavailable("what should be a set of keys (JWKS) is none") from error
    taken = {kid: key for kid, each in keys.items() if (key := _key(each)) is not None}
    if not taken:
        raise KeysUnavailable("the set has no key that verifies signatures")
    return taken


def _key(given: dict[str, Any]) -> VerifyingKey | None:
    if given.get("use", "sig") != "sig" or given.get("kty") not in {"EC", "RSA", "OKP"}:
        return None
    try:
        key = jwk.import_key(given)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, ECKey | RSAKey | OKPKey) else None


def key_rings(issuers: Sequence[Issuer]) -> dict[str, KeyRing]:
    """Make a ring for each issuer, by its name."""
    return {
        each.issuer: KeyRing(KeyFile(each.jwks_file) if each.jwks_file else KeyAddress(each.jwks_url))
        for each in issuers
    }
