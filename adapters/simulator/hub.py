"""Whoever wants to know what people do with a ticket asks to be told: TMF's hub and its events.

Events go out in the order of the changes, one after another for each subscriber, so that a slow one holds up nobody
else. One that is not taken is lost, as with most systems that are out there: whoever must know everything also asks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlsplit
from uuid import uuid4

import aiohttp
import orjson
import structlog
from pydantic import SecretStr

from adapters.errors import Malformed
from adapters.tmf.tmf630 import matches, read_query

_SECONDS: Final = 5.0
_MOST_WAITING: Final = 10_000

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who is told, and of what."""

    id: str
    callback: str
    query: str
    """in the grammar of a list's filters, over the event; empty: everything."""

    def shown(self) -> dict[str, object]:
        """Give it as TMF's EventSubscription."""
        return {"id": self.id, "callback": self.callback, **({"query": self.query} if self.query else {})}


class AlreadyThere(Exception):
    """Someone has subscribed with this callback and query."""


class Hub:
    """Everyone who is told."""

    def __init__(self, session: aiohttp.ClientSession, *, many: bool = False) -> None:
        """With `many`, whoever subscribes twice is told twice."""
        self._session = session
        self._many = many
        self._waiting: dict[Subscription, asyncio.Queue[dict[str, object]]] = {}
        self._telling: dict[Subscription, asyncio.Task[None]] = {}

    def subscribe(self, body: object, *, known_as: str = "") -> Subscription:
        """Tell this callback from now on, or raise Malformed or AlreadyThere."""
        callback, query = _read(body)
        if not self._many and any((each.callback, each.query) == (callback, query) for each in self._waiting):
            raise AlreadyThere
        subscription = Subscription(id=known_as or uuid4().hex, callback=callback, query=query)
        self._waiting[subscription] = asyncio.Queue(_MOST_WAITING)
        self._telling[subscription] = asyncio.create_task(self._tell(subscription))
        return subscription

    def restore(self, entries: Sequence[Mapping[str, object]]) -> None:
        """Subscribe whoever an earlier life has subscribed and not unsubscribed."""
        told: dict[str, object] = {}
        for entry in entries:
            if isinstance(subscription := entry.get("subscription"), dict):
                told[str(subscription["id"])] = subscription
            told.pop(str(entry.get("unsubscribed")), None)
        for known_as, subscription in told.items():
            self.subscribe(subscription, known_as=known_as)

    def unsubscribe(self, subscription_id: str) -> Subscription | None:
        """Tell it no more; None when there is no such subscription."""
        found = next((each for each in self._waiting if each.id == subscription_id), None)
        if found is not None:
            self._telling.pop(found).cancel()
            del self._waiting[found]
        return found

    def announce(self, event_type: str, resource: str, value: Mapping[str, object], at: str) -> None:
        """Let everyone know who wants to."""
        event: dict[str, object] = {
            "eventId": uuid4().hex,
            "eventTime": at,
            "eventType": event_type,
            "event": {resource: value},
        }
        for subscription, waiting in self._waiting.items():
            if matches(event, read_query(parse_qsl(subscription.query)).filters):
                with suppress(asyncio.QueueFull):
                    waiting.put_nowait(event)

    async def close(self) -> None:
        """Tell nobody any more."""
        for each in self._telling.values():
            each.cancel()
        await asyncio.gather(*self._telling.values(), return_exceptions=True)

    async def _tell(self, subscription: Subscription) -> None:
        waiting = self._waiting[subscription]
        while True:
            event = await waiting.get()
            name = str(event["eventType"])
            url = f"{subscription.callback.rstrip('/')}/listener/{name[0].lower()}{name[1:]}"
            try:
                async with self._session.post(url, data=orjson.dumps(event), allow_redirects=False) as response:
                    if response.status >= 300:
                        log.info("an event was not taken", callback=subscription.callback, status=response.status)
            except (aiohttp.ClientError, OSError, ValueError) as exc:  # aiohttp's timeouts are OSErrors
                log.info("an event was lost", callback=subscription.callback, reason=type(exc).__name__)


@asynccontextmanager
async def opened(authorization: SecretStr | None, *, many: bool = False) -> AsyncIterator[Hub]:
    """Keep a hub while the block runs; callbacks bring this Authorization header."""
    headers = {"Content-Type": "application/json"}
    if authorization is not None:
        headers["Authorization"] = authorization.get_secret_value()
    timeout = aiohttp.ClientTimeout(total=_SECONDS)
    async with aiohttp.ClientSession(headers=headers, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session:
        hub = Hub(session, many=many)
        try:
            yield hub
        finally:
            await hub.close()


def _read(body: object) -> tuple[str, str]:
    if not isinstance(body, dict):
        raise Malformed("The body is no JSON object", field="")
    callback, query = body.get("callback"), body.get("query") or ""
    if not isinstance(callback, str) or urlsplit(callback).scheme not in ("http", "https"):
        raise Malformed("callback is no http or https address", field="callback")
    if not isinstance(query, str):
        raise Malformed("query is no string", field="query")
    matches({}, read_query(parse_qsl(query)).filters)  # so that a time in it that is none is found now
    return callback, query
