"""What every stand-in does with a request before it looks at what is asked: who is calling, what type, how much.

And what it answers when that is not in order: TM Forum's error body, which for the others is as good as any. Those that
speak TM Forum's APIs also list what they keep in one way, by its filters, fields and pages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from adapters.errors import Malformed
from adapters.simulator.faults import JSON
from adapters.simulator.manners import POLITE, Manners
from adapters.tmf.tmf630 import error_body, matches, page_headers, page_of, read_fields, read_query, select

MOST_BYTES: Final = 1_048_576


def authenticate(
    request: Request, wanted: SecretStr | None, *, header: str = "authorization", scheme: str = "Bearer "
) -> None:
    """Let only those pass who bring this."""
    if wanted is not None and request.headers.get(header) != f"{scheme}{wanted.get_secret_value()}":
        raise HTTPException(401)


async def read_bytes(request: Request, *media: str) -> bytes:
    """Read a body of one of these types."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in media:
        raise HTTPException(415)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise HTTPException(413)
    return bytes(body)


async def read_json(request: Request, *media: str) -> object:
    """Read JSON of one of these types; of that of the swaggers, where none is named."""
    body = await read_bytes(request, *(media or ("application/json",)))
    try:
        found: object = orjson.loads(body)
    except orjson.JSONDecodeError as exc:
        raise Malformed("The body is no JSON", field="") from exc
    return found


async def read_object(request: Request, *media: str) -> dict[str, Any]:
    """Read a JSON object."""
    found = await read_json(request, *media)
    if not isinstance(found, dict):
        raise Malformed("The body is no JSON object", field="")
    return found


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(orjson.dumps(body), status, headers, media_type=JSON)


def listed(request: Request, path: str, found: Sequence[Mapping[str, Any]], manners: Manners = POLITE) -> Response:
    """Answer with those that fit the filters, the fields and the page that are asked for."""
    pairs = parse_qsl(request.url.query, keep_blank_values=True)
    asked = read_query(pairs, most=manners.most)
    fitting = [each for each in found if matches(each, asked.filters)]
    page = page_of(len(fitting), asked)
    body = [select(each, asked.fields) for each in fitting[page.first : page.end]]
    return answer(page.status, body, _said(page_headers(page, path, pairs), manners))


def shown(request: Request, resource: Mapping[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Answer with the fields that are asked for."""
    return answer(200, select(resource, read_fields(parse_qsl(request.url.query))), headers)


def _said(headers: Mapping[str, str], manners: Manners) -> dict[str, str]:
    """Leave out of the headers of a page what this system does not say."""
    return {name: each for name, each in headers.items() if (manners.links if name == "Link" else manners.counts)}


async def refused(_: Request, exc: Exception) -> Response:
    """Say no."""
    assert isinstance(exc, HTTPException)
    body = error_body(str(exc.status_code), exc.detail, status=exc.status_code)
    return answer(exc.status_code, body, dict(exc.headers or {}))


async def malformed(_: Request, exc: Exception) -> Response:
    """Say what of a body is wrong."""
    assert isinstance(exc, Malformed)
    message = f"{exc.field}: {exc.hint}" if exc.hint else exc.field
    return answer(400, error_body("invalidBody", exc.message, message=message, status=400))
