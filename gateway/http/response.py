"""An answer on the wire: which media type, which status, which headers.

`negotiate` reads Accept: a media type that is named wins over a wildcard, the higher q wins among those named, and
application/graphql-response+json wins a tie. A client that names none, or asks for anything, gets application/json: it
may not know the newer one. Server-sent events are no media type of one answer, so they are asked for apart; what is refused to a
client that reads nothing else comes as application/graphql-response+json. `refusal` and `answered` then make the whole response, so that every path through the
endpoint, authentication and a failure alike, ends in the same headers.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

import orjson
from starlette.types import Send

from gateway.errors import TREATMENTS, Code, Headers, Refused, code_of, completed, printed, refuse
from gateway.exchange import Exchange


class Media(enum.Enum):
    """The media types that answers come in."""

    GRAPHQL = b"application/graphql-response+json"
    JSON = b"application/json"

    def status(self, code: Code) -> int:
        """Give the status of a request error in this media type."""
        treatment = TREATMENTS[code]
        return treatment.status if self is Media.GRAPHQL else treatment.legacy


FIXED: Final = {
    media: (
        (b"content-type", media.value + b"; charset=utf-8"),
        (b"cache-control", b"no-store"),
        (b"vary", b"Accept, Authorization"),
    )
    for media in Media
}
EVENTS: Final = b"text/event-stream"
"""Server-sent events (gateway/http/sse.py): a row of answers."""
ANYTHING: Final = frozenset({b"*/*", b"application/*"})


def negotiate(accept: bytes) -> Media:
    """Choose the media type of the answer, or refuse."""
    if accept in _SIMPLE:
        return _SIMPLE[accept]
    wanted = _preferences(accept)
    quality, media = _best(wanted)
    if quality > 0:
        return media
    if wanted.get(EVENTS, 0.0) > 0:
        return Media.GRAPHQL
    raise refuse(Code.NOT_ACCEPTABLE, "None of the accepted media types is one that answers come in.")


def accepts_events(accept: bytes) -> bool:
    """Tell whether a client can read server-sent events: it has to say so, no wildcard does."""
    return EVENTS in accept.lower() and _preferences(accept).get(EVENTS, 0.0) > 0


def prefers_events(accept: bytes) -> bool:
    """Tell whether a client wants server-sent events rather than a single answer, also where there is only one."""
    return accepts_events(accept) and _preferences(accept)[EVENTS] > _best(_preferences(accept))[0]


def _preferences(accept: bytes) -> dict[bytes, float]:
    return dict(map(_preference, accept.lower().split(b",")))


def _best(wanted: Mapping[bytes, float]) -> tuple[float, Media]:
    """Give the best media type for a single answer, and how well it is liked; 0.0: not at all."""
    named = [(wanted[media.value], media) for media in Media if media.value in wanted]
    best = max(named, key=lambda each: each[0], default=(0.0, Media.JSON))
    if best[0] > 0:
        return best
    refused = {media for quality, media in named if quality == 0}
    wildcard = max((wanted[each] for each in ANYTHING if each in wanted), default=0.0)
    return next(((wildcard, each) for each in (Media.JSON, Media.GRAPHQL) if each not in refused), (0.0, Media.JSON))


_SIMPLE: Final = {
    b"": Media.JSON,
    b"*/*": Media.JSON,
    Media.JSON.value: Media.JSON,
    Media.GRAPHQL.value: Media.GRAPHQL,
}


def _preference(part: bytes) -> tuple[bytes, float]:
    media, *parameters = (each.strip() for each in part.split(b";"))
    quality = 1.0
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.strip() == b"q":
            quality = _quality(value.strip())
        elif name.strip() == b"charset" and value.strip(b' "') not in {b"utf-8", b"utf8"}:
            quality = 0.0
    return media, quality


def _quality(text: bytes) -> float:
    try:
        value = float(text)
    except ValueError:
        return 0.0
    return value if 0 <= value <= 1 else 0.0


class Refusing(Protocol):
    """How the callers of an endpoint are told no; what stands round it knows nothing of its protocol."""

    async def __call__(self, send: Send, exchange: Exchange, headers: Mapping[bytes, bytes], refused: Refused) -> None:
        """Answer a request that has these headers."""
        ...


async def refuse_graphql(send: Send, exchange: Exchange, headers: Mapping[bytes, bytes], refused: Refused) -> None:
    """Answer as GraphQL over HTTP does."""
    try:
        media = negotiate(headers.get(b"accept", b""))
    except Refused:
        media = Media.JSON
    await refusal(send, exchange, media, refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefuseWith:
    """Answer in JSON of another shape: `body` makes it of status, code, message and hint."""

    body: Callable[[int, str, str, str], Mapping[str, Any]]

    async def __call__(
        self,
        send: Send,
        exchange: Exchange,
        headers: Mapping[bytes, bytes],  # noqa: ARG002 - it has one media type only
        refused: Refused,
    ) -> None:
        """Send the first problem, which is why the request ended."""
        problem = refused.problems[0]
        treatment = TREATMENTS[problem.code]
        exchange.code = problem.code.value
        body = self.body(treatment.status, problem.code.value, problem.message, problem.hint or treatment.hint)
        more = (*refused.headers, *_retry(refused.retry_after))
        await respond(send, treatment.status, Media.JSON, orjson.dumps(body), more)


async def refusal(send: Send, exchange: Exchange, media: Media, refused: Refused) -> None:
    """Send a request's problems."""
    code = refused.problems[0].code
    exchange.code = code.value
    errors = [printed(each, exchange.request_id) for each in refused.problems]
    headers = (*refused.headers, *_retry(refused.retry_after))
    await respond(send, media.status(code), media, orjson.dumps({"errors": errors}), headers)


async def answered(send: Send, exchange: Exchange, media: Media, answer: Mapping[str, Any]) -> None:
    """Send what the pipeline answered, executed or not."""
    errors = answer.get("errors")
    if not errors:
        await respond(send, 200, media, orjson.dumps(answer))
        return
    code = code_of(errors[0])
    exchange.code = code.value
    executed = "data" in answer
    status = 200 if executed else media.status(code)
    headers = () if executed else _retry(_retry_after(errors[0]))
    body = {**answer, "errors": completed(errors, exchange.request_id)}
    await respond(send, status, media, orjson.dumps(body), headers)


def _retry_after(error: Mapping[str, Any]) -> float | None:
    extensions = error.get("extensions") or {}
    return extensions.get("retryAfter")


def _retry(seconds: float | None) -> Headers:
    return () if seconds is None else ((b"retry-after", b"%d" % max(1, math.ceil(seconds))),)


async def respond(send: Send, status: int, media: Media, body: bytes, headers: Headers = ()) -> None:
    """Send a whole response."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*FIXED[media], length, *headers]})
    await send({"type": "http.response.body", "body": body})
