"""A request is any bytes until it has the shape of a GraphQL request.

Read in this order, and refused at the first that does not hold: media type and charset, number of bytes, JSON, the
shape. Nothing here knows GraphQL itself.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any, Final, TypeGuard
from urllib.parse import parse_qsl

import orjson
from starlette.types import Receive

from gateway import exact_json
from gateway.errors import Code, Headers, refuse
from gateway.http.watch import ClientGone
from gateway.operations.pipeline import GraphRequest

PREFLIGHT: Final = (b"graphql-preflight", b"apollo-require-preflight")
"""Headers that a web page cannot send without asking first; any of them proves that the browser asked."""
CLOSE: Final[Headers] = ((b"connection", b"close"),)
"""After a body that was not read to its end, the connection is of no more use."""
MOST_PARAMETERS: Final = 10
LONGEST_NUMBER: Final = 18
MOST_EXACT: Final = 1_000
"""numbers of a request that no double is."""
PATIENCE: Final = 4
"""So many times what is allowed is read before a body is refused: a client that is still sending when the connection is
closed sees a broken connection and not the reason."""


def read_parameters(query_string: bytes, headers: Mapping[bytes, bytes]) -> GraphRequest:
    """Read a GET request."""
    if not any(headers.get(each) for each in PREFLIGHT):
        raise refuse(Code.PREFLIGHT_REQUIRED, "A GET request needs a header that no web page can send unasked.")
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS
        )
    except ValueError:
        raise refuse(Code.BAD_REQUEST, "The address's parameters cannot be read.") from None
    given: dict[str, Any] = dict(pairs)
    for name in ("variables", "extensions"):
        if name in given:
            given[name] = parsed(given[name].encode()) if given[name] else None
    return shaped(given, queries_only=True)


async def receive_body(headers: Mapping[bytes, bytes], receive: Receive, most_bytes: int, deadline: float) -> bytes:
    """Receive a POST request."""
    _check_content_type(headers)
    return await _bytes(headers, receive, most_bytes, deadline)


def read_body(body: bytes) -> GraphRequest:
    """Read what was received."""
    return shaped(parsed(body), queries_only=False, size=len(body))


def _check_content_type(headers: Mapping[bytes, bytes]) -> None:
    content_type = headers.get(b"content-type", b"")
    if content_type != b"application/json":
        media, *parameters = (each.strip() for each in content_type.lower().split(b";"))
        if media != b"application/json":
            raise refuse(Code.UNSUPPORTED_MEDIA_TYPE, "The body's media type is not application/json.")
        for parameter in parameters:
            name, _, value = parameter.partition(b"=")
            if name.strip() == b"charset" and value.strip(b' "') not in {b"utf-8", b"utf8"}:
                raise refuse(Code.UNSUPPORTED_MEDIA_TYPE, "The body's charset is not UTF-8.")
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise refuse(Code.UNSUPPORTED_MEDIA_TYPE, "The body is compressed.")


async def _bytes(headers: Mapping[bytes, bytes], receive: Receive, most: int, deadline: float) -> bytes:
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > LONGEST_NUMBER or int(length) > PATIENCE * most:
        raise _too_large(most)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body: bytes = message.get("body", b"")
    if message.get("more_body"):
        try:
            async with asyncio.timeout(deadline - time.monotonic()):
                body = await _rest(body, receive, most)
        except TimeoutError:
            raise refuse(Code.REQUEST_TIMEOUT, "The body did not arrive in time.", headers=CLOSE) from None
    if len(body) > most:
        raise _too_large(most)
    return body


async def _rest(first: bytes, receive: Receive, most: int) -> bytes:
    """Collect a body; of one that is too large no more than its first chunks are kept, though more is read."""
    chunks, size, more = [first], len(first), True
    while more and size <= PATIENCE * most:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        if size <= most:
            chunks.append(chunk)
        size += len(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


def _too_large(most: int) -> Exception:
    return refuse(Code.PAYLOAD_TOO_LARGE, f"The body has more than {most} bytes.", headers=CLOSE)


def parsed(text: bytes) -> Any:
    """Read JSON whose numbers keep their digits, or refuse."""
    try:
        return exact_json.loads(text, most=MOST_EXACT)
    except exact_json.TooManyNumbers as error:
        raise refuse(Code.BAD_REQUEST, f"Of the request's numbers {error}.") from None
    except ValueError as error:
        raise refuse(Code.BAD_REQUEST, f"The request is not JSON in UTF-8{_place(error)}.") from None


def _place(error: ValueError) -> str:
    """Say where, unless numbers had to be replaced to read it: then it is somewhere else there."""
    if not isinstance(error, orjson.JSONDecodeError):
        return ""
    return f": {error.msg} (line {error.lineno}, column {error.colno})"


def shaped(given: Any, *, queries_only: bool, size: int = 0) -> GraphRequest:
    """Give JSON that has the shape of a GraphQL request, or refuse."""
    if not isinstance(given, dict):
        raise refuse(Code.BAD_REQUEST, "The request is not a JSON object; batches are not taken.")
    query = given.get("query")
    if not isinstance(query, str):
        raise refuse(Code.BAD_REQUEST, "`query` is not a string.")
    name = given.get("operationName")
    if not (name is None or isinstance(name, str)):
        raise refuse(Code.BAD_REQUEST, "`operationName` is not a string.")
    variables, extensions = given.get("variables"), given.get("extensions")
    if not _object_or_null(variables):
        raise refuse(Code.BAD_REQUEST, "`variables` is not an object.")
    if not _object_or_null(extensions):
        raise refuse(Code.BAD_REQUEST, "`extensions` is not an object.")
    return GraphRequest(
        query=query,
        variables=variables or {},
        operation_name=name,
        queries_only=queries_only,
        explain=_is_asked(extensions, "queryPlan"),
        size=size,
    )


def _is_asked(extensions: dict[str, Any] | None, name: str) -> bool:
    asked = (extensions or {}).get(name)
    if not isinstance(asked, bool | None):
        raise refuse(Code.BAD_REQUEST, f"`extensions.{name}` is not true or false.")
    return bool(asked)


def _object_or_null(value: Any) -> TypeGuard[dict[str, Any] | None]:
    return value is None or isinstance(value, dict)
