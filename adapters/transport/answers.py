"""Why a system refuses is in the body of its refusal, and whoever mends that needs to read it.

A body may hold anything: megabytes, control characters, the credential that we have just sent. So its start is kept, without
what looks like a credential; operators see it, and nobody else does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from typing import Final

import aiohttp

MOST_CHARACTERS: Final = 2_000
_MOST_BYTES: Final = 8_192
_SECONDS: Final = 0.5
"""for the rest of a refusal: that it is one is known already."""
_HIDDEN: Final = "[hidden]"
_NAMES: Final = r"password|passwd|secret|token|authorization|api[_-]?key|access[_-]?key|credential|cookie|session"
_NAMED: Final = re.compile(
    rf"""(["']?[\w.-]*(?:{_NAMES})[\w.-]*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&<>}}\]]+)""", re.IGNORECASE
)
_SCHEMES: Final = re.compile(r"\b(Bearer|Basic|Digest|Key|Token)\s+[\w.~+/=-]{6,}", re.IGNORECASE)
_BLANK: Final = re.compile(r"[\x00-\x20\x7f-\x9f\ufeff]+")


def kept(body: bytes, secrets: Iterable[str] = ()) -> str:
    r"""Give the start of a body as text on one line, at most `MOST_CHARACTERS`, without credentials.

    >>> kept(b'{"reason": "no such customer"}  ')
    '{"reason": "no such customer"}'
    >>> kept(b'Authorization: Bearer abcdef.123 is not valid', ["abcdef.123"])
    'Authorization: [hidden] [hidden] is not valid'
    >>> kept(b'{"api_key": "s3cret", "at": 7}')
    '{"api_key": [hidden], "at": 7}'
    """
    text = body[:_MOST_BYTES].decode("utf-8", "replace")
    for secret in secrets:
        text = text.replace(secret, _HIDDEN)
    text = _SCHEMES.sub(rf"\1 {_HIDDEN}", _BLANK.sub(" ", text)).strip()
    return _NAMED.sub(rf"\1{_HIDDEN}", text)[:MOST_CHARACTERS]


async def answer_of(content: aiohttp.StreamReader, secrets: Iterable[str]) -> str:
    """Read the start of a refusal, without what we have just sent as a secret; empty where the rest of it does not come."""
    body = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            while len(body) < _MOST_BYTES and (piece := await content.read(_MOST_BYTES - len(body))):
                body += piece
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass  # what came is kept
    return kept(bytes(body), secrets)
