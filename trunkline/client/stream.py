"""One subscription over as many connections as it takes: it comes back by itself, and goes on after what was taken last.

In: a document that can resume, and how an event is read. Out: an asynchronous iterator, which ends where the gateway says that
there is no more, or with a TrunklineError (errors.py) where coming back would not help.

1. `cursor` is that of the last event that is dealt with: the one in hand is dealt with once the next is asked for. It moves on by
   heartbeats too, so it is worth keeping where nothing happens.
2. After EventUnreadable the same stream can be asked again, and gives what comes after that event.
3. Waiting for an event can be cancelled, as by a timeout. That closes the connection; who asks again gets another one, and what comes
   after what was taken.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from types import TracebackType
from typing import Generic, Self, TypeAlias, TypeVar

from trunkline.client import connection
from trunkline.client.connection import Cut, Gateway, Heartbeat
from trunkline.client.documents import Resumable
from trunkline.client.errors import EventUnreadable
from trunkline.client.events import Event
from trunkline.client.resuming import Closed, Ending, Failed, NotAccepted, Resuming

T = TypeVar("T")
Read: TypeAlias = Callable[[Event], T]

log = logging.getLogger("trunkline.client")


class Stream(Generic[T]):
    """The events of a subscription; `async with` closes its connection where it is left before its end."""

    def __init__(self, gateway: Gateway, asked: Resumable, read: Read[T]) -> None:
        self._gateway = gateway
        self._asked = asked
        self._read = read
        self._resuming = Resuming(after=asked.after, can_renew_token=callable(gateway.token))
        self._not_before = 0.0
        """when the next connection may be opened, whoever asks."""
        self._events = self._follow()

    @property
    def cursor(self) -> str | None:
        """The cursor to go on after another time: all up to it is dealt with. None: nothing was heard yet."""
        return self._resuming.after

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        try:
            event = await anext(self._events)
        except asyncio.CancelledError:
            self._events = self._follow()  # a generator that was cancelled gives nothing more, and no error
            raise
        try:
            return self._read(event)
        except (LookupError, TypeError, ValueError) as error:
            reason = event.errors[0].get("message") if event.errors else repr(error)
            raise EventUnreadable(f"An event cannot be shown: {reason}", event.cursor, event.errors) from error

    async def aclose(self) -> None:
        """End the subscription."""
        await self._events.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _follow(self) -> AsyncGenerator[Event, None]:
        """Give events over one connection after another."""
        resuming = self._resuming
        while True:
            await asyncio.sleep(self._not_before - time.monotonic())
            variables, began = self._asked.variables_after(resuming.after), time.monotonic()
            try:
                async with aclosing(connection.heard(self._gateway, self._asked.text, variables)) as coming:
                    async for each in coming:
                        resuming.hear(is_event=not isinstance(each, Heartbeat), seconds=time.monotonic() - began)
                        if not isinstance(each, Heartbeat):
                            yield each
                        resuming.take(each.cursor)
            except Cut as cut:
                seconds = resuming.cut(cut.ending)
                self._not_before = time.monotonic() + seconds
                log.warning("%s; again in %.1f s", _told(cut.ending), seconds)
            else:
                return


def _told(ending: Ending) -> str:
    match ending:
        case Closed(code=None, reason=reason):
            return f"The connection is cut: {reason}"
        case Closed(code=code, reason=reason):
            return f"The gateway has closed the connection ({code} {reason})"
        case NotAccepted(status=status):
            return f"The gateway answers with status {status}"
        case Failed(errors=errors):
            return str(errors[0].get("message", "The subscription failed")).rstrip(".")
