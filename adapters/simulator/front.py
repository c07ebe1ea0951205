"""What every stand-in does with a request before it looks at what is asked: who is calling, what type, how much.

And what it answers when that is not in order: TM Forum's error body, which for the others is as good as any.
"""

from __future__ import annotations

from typing import Final

import orjson
from pydantic import SecretStr
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from adapters.errors import Malformed
from adapters.simulator.faults import JSON
from adapters.tmf import error_body

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


async def read_object(request: Request, *media: str) -> dict[str, object]:
    """Read a JSON object."""
    try:
        found = orjson.loads(await read_bytes(request, *media))
    except orjson.JSONDecodeError as exc:
        raise Malformed("The body is no JSON", field="") from exc
    if not isinstance(found, dict):
        raise Malformed("The body is no JSON object", field="")
    return found


def answer(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    """Answer with JSON."""
    return Response(orjson.dumps(body), status, headers, media_type=JSON)


async def refused(_: Request, exc: Exception) -> Response:
    """Say no."""
    assert isinstance(exc, HTTPException)
    body = error_body(str(exc.status_code), exc.detail, status=exc.status_code)
    return answer(exc.status_code, body, dict(exc.headers or {}))


async def malformed(_: Request, exc: Exception) -> Response:
    """Say what of a body is wrong."""
    assert isinstance(exc, Malformed)
    return answer(400, error_body("invalidBody", exc.message, message=exc.field, status=400))
