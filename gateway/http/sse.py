"""Answers as server-sent events, for clients and networks that have no WebSockets: one operation, one response.

GraphQL over SSE in its distinct connections mode (https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md), over POST or
GET with `Accept: text/event-stream`:

    event: next          data: an answer; of a subscription's event also `id:`, its cursor
    event: complete      data: (empty); nothing follows
    id: a cursor         and no event: the stream has come so far (HTML Living Standard, 9.2.6: the last id is set, and nothing is
                         dispatched)

A client that was cut off sends the last `id` back in `Last-Event-ID`, and hears what came after it. What is refused before
anything ran is an ordinary response with its status: a client that sees one need not read events. A comment goes out at the
beginning and after each `comment_seconds` of silence, so that neither the client nor anybody on the way takes the
connection for dead.

Source of the framing: HTML Living Standard, 9.2.6 (an event without data is not dispatched, so `complete` has a data line).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any, Final

import orjson
from starlette.types import Send

from gateway.http.response import EVENTS
from gateway.http.streams import EXPIRED, Open, Payload, has_expired, until_expired

HEAD: Final = (
    (b"content-type", EVENTS + b"; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"vary", b"Accept, Authorization"),
    (b"x-accel-buffering", b"no"),  # nginx would keep events until it has a page of them
)
COMMENT: Final = b":\n\n"
END: Final = b"event: complete\ndata:\n\n"


def event(answer: Mapping[str, Any] | orjson.Fragment, cursor: str | None) -> bytes:
    r"""Write an answer as an event.

    >>> event({"data": None}, "c")
    b'event: next\nid: c\ndata: {"data":null}\n\n'
    """
    name = b"" if cursor is None else b"id: " + cursor.encode() + b"\n"
    return b"event: next\n" + name + b"data: " + orjson.dumps(answer) + b"\n\n"


def heartbeat(cursor: str) -> bytes:
    r"""Write how far a stream has come, for clients that know ids, and a comment for those that do not.

    >>> heartbeat("c")
    b':\nid: c\n\n'
    """
    return b":\nid: " + cursor.encode() + b"\n\n"


async def begin(send: Send) -> None:
    """Begin the response."""
    await send({"type": "http.response.start", "status": 200, "headers": list(HEAD)})
    await send({"type": "http.response.body", "body": COMMENT, "more_body": True})


async def answer_once(send: Send, answer: Mapping[str, Any]) -> None:
    """Send the answer of a query or a mutation, and the end."""
    await begin(send)
    await send({"type": "http.response.body", "body": event(answer, None) + END})


async def stream(send: Send, opened: Open, payloads: AsyncIterator[Payload], comment_seconds: float) -> None:
    """Send answers until there are no more, or until the caller's token is refused."""
    opened.exchange.answered = time.monotonic()
    await begin(send)
    expiring = asyncio.ensure_future(until_expired(opened.exchange.expires))
    try:
        # A client may go while one of them is sent: whoever closes the payloads then finds nobody reading them.
        async with aclosing(_or_silence(payloads, expiring, comment_seconds)) as written:
            async for each in written:
                await send({"type": "http.response.body", "body": each, "more_body": True})
        if expiring.done():
            opened.reason = EXPIRED
            last = event(has_expired(opened.exchange.request_id), None)
            await send({"type": "http.response.body", "body": last, "more_body": True})
    finally:
        expiring.cancel()
    await send({"type": "http.response.body", "body": END})


async def _next(payloads: AsyncIterator[Payload]) -> Payload | None:
    return await anext(payloads, None)


def _written(payload: Payload) -> bytes:
    if payload.answer is not None:
        return event(payload.answer, payload.cursor)
    return heartbeat(payload.cursor) if payload.cursor is not None else COMMENT


async def _or_silence(
    payloads: AsyncIterator[Payload], until: asyncio.Future[None], seconds: float
) -> AsyncGenerator[bytes, None]:
    """Give each answer as an event, and a comment after so many seconds of silence, until it is time to end."""
    coming: asyncio.Future[Payload | None] | None = None
    try:
        while not until.done():
            coming = coming or asyncio.ensure_future(_next(payloads))
            waited: set[asyncio.Future[Any]] = {coming, until}
            await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                payload, coming = coming.result(), None
                if payload is None:
                    return
                yield _written(payload)
            elif not until.done():
                yield COMMENT
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
