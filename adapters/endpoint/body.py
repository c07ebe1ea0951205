"""A body can be endless, slow, compressed, or numbers that no machine keeps; none of that may reach whoever decodes it.

The body is read as it arrives, up to the cap; of one that is too large a little more is read and thrown away, so that
the client sees the answer and not a broken connection. Then it is JSON, or it is refused.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from typing import Any, Final

import orjson
from starlette.requests import Request

from adapters.endpoint.errors import CLOSE, Refusal, TooLarge
from adapters.tmf.shape import Oversized

JSON: Final = ("application/json",)
XML: Final = ("application/xml", "text/xml")
PATCH: Final = ("application/merge-patch+json", "application/json")
PATIENCE: Final = 4
"""So many times what is allowed is read before a body is refused."""
_LONG: Final = re.compile(rb"[0-9]{19}")
_WIDEST: Final = 20
_LEAST, _MOST = -(2**63), 2**64 - 1


async def read_json(request: Request, media: tuple[str, ...], most: int, deadline: float) -> object:
    """Read the body of a request as JSON; raises Refusal, TooLarge, or starlette's ClientDisconnect."""
    return parsed(await read_body(request, media, most, deadline))


async def read_body(request: Request, media: tuple[str, ...], most: int, deadline: float) -> bytes:
    """Read the body of a request as it is; raises the same."""
    check_media(request, media)
    length = request.headers.get("content-length", "0")
    if not length.isascii() or not length.isdigit() or len(length) > _WIDEST or int(length) > PATIENCE * most:
        raise TooLarge(most)
    try:
        async with asyncio.timeout(deadline - time.monotonic()):
            return await _bytes(request, most)
    except TimeoutError:
        raise Refusal("REQUEST_TIMEOUT", headers=CLOSE) from None


def parsed(body: bytes) -> object:
    """Read JSON so that every number in it can be written as it was read, or is an `Oversized`."""
    try:
        document: object = orjson.loads(body)
        # orjson makes a float of an integer beyond 64 bits; long ones are rare, and worth a second, slower reading.
        return json.loads(body, parse_int=_integer) if _LONG.search(body) else document
    except (ValueError, RecursionError):
        raise Refusal("BAD_REQUEST", "The body is not JSON in UTF-8.") from None


def _integer(text: str) -> Any:
    value = int(text) if len(text) <= _WIDEST else _MOST + 1
    return value if _LEAST <= value <= _MOST else Oversized()


def check_media(request: Request, media: tuple[str, ...]) -> None:
    """Refuse a body of another media type, another charset than UTF-8, or a compressed one; raises Refusal."""
    kind, *parameters = (each.strip() for each in request.headers.get("content-type", "").lower().split(";"))
    charsets = [
        value.strip("\"' ")
        for name, _, value in (each.partition("=") for each in parameters)
        if name.strip() == "charset"
    ]
    if kind not in media or any(each not in ("utf-8", "utf8") for each in charsets):
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", f"Send Content-Type: {' or '.join(media)}, in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refusal("UNSUPPORTED_MEDIA_TYPE", "Send the body as it is, without Content-Encoding.")


async def _bytes(request: Request, most: int) -> bytes:
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > PATIENCE * most:
            break
        if size <= most:
            chunks.append(chunk)
    if size > most:
        raise TooLarge(most)
    return b"".join(chunks)
