"""Whoever looks at events on a terminal wants them as they come, and after a cut from where they stopped, without a gap.

In: a subscription. Out: each event as a line of JSON, `{"cursor": ..., "data": ..., "errors": ...}`, on standard output; what is
the matter otherwise, on standard error. It asks by server-sent events (gateway/http/sse.py) and sends the last cursor in
`Last-Event-ID` when it comes back, so that a document needs no variable for it.

It comes back after the connection was cut, the server was away, or events came faster than they were read: with full jitter, from
half a second up to MOST_SECONDS, or after `Retry-After`. It gives up where coming back would not help: a request that is refused, a
token that is refused and was not read from a file, a cursor that is not kept any more.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import aiohttp
import click
import orjson

from gateway.commands.asking import Caller, caller_options, first_error, hint_of
from gateway.commands.options import json_object
from gateway.errors import TREATMENTS, Code, CommandFailed

FIRST_SECONDS: Final = 0.5
MOST_SECONDS: Final = 30.0
SILENT_SECONDS: Final = 60.0
"""without even a comment: the connection is dead."""
LASTING_SECONDS: Final = 10.0
"""A connection that says how far it has come after that is good; each says it when it begins, and may fail right after it."""
PASSING: Final = frozenset(
    {Code.LAGGED}
    | {
        code
        for code, each in TREATMENTS.items()
        if each.status == HTTPStatus.TOO_MANY_REQUESTS or each.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    }
)
"""The codes of a last answer after which one can go on."""
EXPIRED: Final = "UNAUTHENTICATED"


class Cut(Exception):
    """There may be more after a while: the reason, the seconds that the server asks for, and the cursor that it names."""

    def __init__(self, reason: str, seconds: float = 0.0, after: str | None = None) -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.after = after


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted(Caller):
    """What is watched, and by whom."""

    document: str
    variables: Mapping[str, Any]

    def headers_after(self, after: str | None) -> dict[str, str]:
        """Give the head of a request that goes on after a cursor."""
        going_on = {} if after is None else {"Last-Event-ID": after}
        return {"Accept": "text/event-stream", **self.headers(), **going_on}


@dataclass(slots=True)
class Frames:
    """Server-sent events, from bytes that are cut anywhere (HTML Living Standard, 9.2.6)."""

    _rest: bytes = b""
    _fields: dict[bytes, bytes] = field(default_factory=dict)

    def feed(self, data: bytes) -> list[dict[bytes, bytes]]:
        r"""Give the events that are whole; comments are none.

        >>> Frames().feed(b":\n\nevent: next\nid: 1\ndata: {}\n\nevent: co")
        [{b'event': b'next', b'id': b'1', b'data': b'{}'}]
        """
        *lines, self._rest = (self._rest + data).split(b"\n")
        found = []
        for line in lines:
            if line:
                name, _, value = line.partition(b":")
                if name:
                    self._fields[name] = value.removeprefix(b" ")
            elif self._fields:
                found.append(self._fields)
                self._fields = {}
        return found


@click.command(help="Subscribe, and print each event as a line of JSON; after a cut it goes on by itself.")
@click.argument("document")
@caller_options
@click.option("--variables", default="{}", help="JSON object.")
@click.option("--after", help="Cursor of the last event that you have.")
@click.option("--count", type=click.IntRange(min=1), help="End after so many events.")
def command(  # noqa: PLR0913 - one for each option
    document: str,
    url: str,
    token: str,
    token_file: Path | None,
    variables: str,
    *,
    after: str | None,
    count: int | None,
) -> None:
    """Watch."""
    values = json_object(variables, "--variables")
    wanted = Wanted(url=url, document=document, variables=values, token=token, token_file=token_file)
    asyncio.run(_watch(wanted, after, count))


async def _watch(wanted: Wanted, after: str | None, count: int | None) -> None:
    """Print events until there are no more, or so many."""
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENT_SECONDS)
    watching = _Watching(after=after, left=count)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        while True:
            try:
                await watching.follow(session, wanted)
            except Cut as cut:
                watching.attempt += 1
                watching.after = cut.after or watching.after
                seconds = max(cut.seconds, pause(watching.attempt))
                click.echo(f"{cut}; again in {seconds:.1f} s", err=True)
                await asyncio.sleep(seconds)
            else:
                return


@dataclass(slots=True, kw_only=True)
class _Watching:
    """How far it has come."""

    after: str | None
    left: int | None
    """events that are still to be printed; None: all."""
    attempt: int = 0
    """to come back, since the connection was good."""

    async def follow(self, session: aiohttp.ClientSession, wanted: Wanted) -> None:
        """Print what comes over one connection."""
        began = time.monotonic()
        async with aclosing(answers(session, wanted, self.after)) as coming:
            async for cursor, answer in coming:
                self.after = cursor or self.after
                if answer is None:
                    if time.monotonic() - began >= LASTING_SECONDS:
                        self.attempt = 0
                    continue
                _print(cursor, answer)
                self.attempt = 0
                if self.left is not None:
                    self.left -= 1
                    if not self.left:
                        return


def pause(attempt: int) -> float:
    """Give the seconds to wait before an attempt: full jitter, so that those who were cut off together do not come back together."""
    return random.uniform(0, min(MOST_SECONDS, FIRST_SECONDS * 2 ** min(attempt, 10)))  # noqa: S311 - nobody must guess it


def _print(cursor: str | None, answer: Mapping[str, Any]) -> None:
    shown = {name: value for name, value in answer.items() if name != "extensions"}
    line = orjson.dumps({"cursor": cursor, **shown} if cursor else shown)
    click.echo(line.decode())


async def answers(
    session: aiohttp.ClientSession, wanted: Wanted, after: str | None
) -> AsyncGenerator[tuple[str | None, dict[str, Any] | None], None]:
    """Give each answer with its cursor, and cursors without an answer; raises Cut where more may come over another connection."""
    asked = {"query": wanted.document, "variables": wanted.variables}
    try:
        async with session.post(wanted.url, json=asked, headers=wanted.headers_after(after)) as response:
            await _check(response, wanted)
            frames = Frames()
            async for data in response.content.iter_any():
                for each in frames.feed(data):
                    if each.get(b"event") == b"complete":
                        return
                    if b"data" not in each:
                        yield each.get(b"id", b"").decode() or None, None
                        continue
                    answer = orjson.loads(each[b"data"])
                    _check_end(answer, wanted)
                    yield each.get(b"id", b"").decode() or None, answer
    except aiohttp.ClientPayloadError as error:
        raise Cut("The connection is cut: the stream has ended in the middle") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Cut(f"The connection is cut: {str(error) or 'nothing came any more'}") from error
    raise Cut("The server has ended the connection")


async def _check(response: aiohttp.ClientResponse, wanted: Wanted) -> None:
    """Raise where an answer is no stream."""
    if response.status == HTTPStatus.OK and response.content_type == "text/event-stream":
        return
    error = first_error(await response.read())
    message, hint = str(error.get("message", f"The answer's status is {response.status}")), hint_of(error)
    retried = response.status == HTTPStatus.TOO_MANY_REQUESTS or response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if retried or (response.status == HTTPStatus.UNAUTHORIZED and wanted.token_file):
        given = response.headers.get("Retry-After", "")
        raise Cut(message.rstrip("."), float(given) if given.isdecimal() else 0.0)
    raise CommandFailed(message, hint)


def _check_end(answer: Mapping[str, Any], wanted: Wanted) -> None:
    """Raise where an answer is the last of its stream, and says why."""
    errors = answer.get("errors")
    if not errors or answer.get("data") is not None or "cursor" in (answer.get("extensions") or {}):
        return
    extensions = errors[0].get("extensions") or {}
    code = str(extensions.get("code"))
    message = str(errors[0].get("message"))
    if code in PASSING or (code == EXPIRED and wanted.token_file):
        raise Cut(message.rstrip("."), after=extensions.get("from"))
    raise CommandFailed(message, hint_of(errors[0]))
