"""Ten thousand subscribers must not ask the database ten thousand times what is new.

One reader in a process follows the sequence of events for all of them: it reads each new event once, and puts it into the
*tail* of each subscriber whom it interests. A tail is a bounded queue; a subscriber is a tail and the position that it has
come to. The reader is woken when this process has given positions, and looks every 50 ms what others have given, by one read
of the sequence and its last event. Where nobody subscribes it does nothing.

A subscriber that comes back asks for what is after a position. Far back it is served from the graph, in pages; for the last
page it takes its tail first, then reads up to where the tail begins, then goes on with the tail: no gap, and what is in both
is given once, since positions only rise.

A subscriber that is slower than events come fills its tail, and loses it (`tail.py`).

Those who come back are served a page at a time, in the order in which they ask: a million events that a hundred of them want take no
more memory than a page for each, and nobody's second page is read before another's first. A page is as long as it is short in
bytes. A position that cannot be found is waited for, and then said (`Missing`), to all who follow: it may have been anybody's.

    events = EventReader(store, most=1_000)
    ...                                             # `events.keep()` runs beside everything else
    async with aclosing(events.follow(Interest(types=frozenset({"AlarmRaised"})), after=17)) as following:
        async for each in following: ...            # an event, or after a silence how far it has come
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import structlog

from graph.errors import DeadlineExceeded, GraphError
from graph.ledger.sequence import (
    PATIENCE_SECONDS,
    End,
    Gap,
    Interest,
    Missing,
    Page,
    Sequenced,
    all_between,
    end_of,
    missing_between,
    wanted_between,
)
from graph.ledger.tail import Restored, Tails
from graph.store.store import Store

MOST: Final = 1_000
"""events that a tail holds, where nothing else is set."""
_POLL_SECONDS: Final = 0.05
_AGAIN_SECONDS: Final = 0.5
"""after the database was away."""
_STORE_SECONDS: Final = 5.0
_PAGE_SECONDS: Final = 20.0
PAGE: Final = 500
"""positions that are read together, at most: events have no bound in bytes, so a page that takes too long is halved."""
REPLAY: Final = 50
"""events of theirs in a page of those who come back, about: a subscriber reads them slowly."""
PAGE_CHARACTERS: Final = 250_000
"""of payloads in such a page, about."""
_FIRST: Final = 8
"""positions of the first page, from which on pages grow: nobody knows how large the events are."""
_PAGES: Final = 4
"""that are read at a time for those who come back, in this process; the rest wait, in the order in which they ask."""
BEAT_SECONDS: Final = 30.0
"""of silence, after which a subscriber is told how far it has come."""
_PUTS: Final = 10_000
"""into tails, after which everything else in the process has its turn: some milliseconds."""
_SETTLED_SECONDS: Final = 0.05
"""in which a commit that is seen in part is seen whole."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing of interest has come up to a position that has been read."""

    position: int
    at: int
    """epoch milliseconds by the database's clock, at which the sequence had not come further than that position."""
    id: str
    """of the event there; empty where it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLag:
    """How far behind the subscribers of a process are."""

    waiting: int
    """events that the one has not taken who has most of them, of those who have caught up;"""
    replaying: int
    """how many have not,"""
    behind: int
    """and how many positions the last of these has to go."""


def _say(error: Exception) -> None:
    if isinstance(error, GraphError):
        log.warning("the reader of events waits for the database", reason=str(error))
    else:
        log.error("the reader of events failed, and tries again", exc_info=error)


def _next_size(size: int, page: Sequence[Sequenced | Missing]) -> int:
    """Give how long the next page is: twice as long, unless that could be too much at once."""
    most = max(len(page) / REPLAY, sum(each.size for each in page if isinstance(each, Sequenced)) / PAGE_CHARACTERS)
    if most > 1:
        return max(1, size // 2)
    return min(PAGE, size * 2) if most <= 1 / 2 else size


class EventReader:
    """Follows the sequence for all subscribers of this process, while `keep` runs."""

    def __init__(self, store: Store, *, types: Sequence[str], most: int = MOST) -> None:
        """Follow events of these types; a tail holds `most` of them."""
        self._store = store
        self._types = sorted(types)
        self._tails = Tails(most)
        self._present = 0
        self._woken = asyncio.Event()
        self._known = asyncio.Event()
        self._position = 0
        self._event = ""
        """the id of the event there; empty where it is not known."""
        self._at = 0
        """when the end was looked at up to which all was read last."""
        self._event_at = 0
        """when the event that was read last was."""
        self.answered_at = 0.0
        """when the database answered last, by `time.monotonic()`."""
        self._gap = Gap()
        self._fallen_since: float | None = None
        self._restored: End | None = None
        """the end to which the sequence fell last."""
        self._size = PAGE
        self._pages = asyncio.Semaphore(_PAGES)
        self._replaying: dict[object, int] = {}
        """where each of those is who have not caught up."""

    # The reader ------------------------------------------------------------------------------------------------------

    def wake(self) -> None:
        """Look now: positions have been given."""
        self._woken.set()

    async def keep(self) -> None:
        """Read what is new for whoever follows, until cancelled: whatever else ended it would silence every stream."""
        failed: str | None = None
        while True:
            while not self._present:
                self._known.clear()
                self._woken.clear()
                await self._woken.wait()
            self._woken.clear()
            try:
                await self._read()
            except Exception as error:  # noqa: BLE001 - also what nobody has thought of
                if failed != repr(error):
                    _say(error)
                failed = repr(error)
                await asyncio.sleep(_AGAIN_SECONDS)
            else:
                failed = None
                await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(_POLL_SECONDS):
                await self._woken.wait()
        except TimeoutError:
            return

    async def _read(self) -> None:
        """Read up to the end, and hand out what is read."""
        end = await end_of(self._store, deadline=time.monotonic() + _STORE_SECONDS)
        self.answered_at = time.monotonic()
        if not self._known.is_set():
            # A batch's positions and the next one are of one transaction, so whoever has read the one by now has the others to read.
            # But a read that runs while a commit is applied may see a node and not yet the index over others (as in `positions.py`);
            # nobody has looked for gaps up to here, so pages up to here are read a moment later. After this, `_hand_out` looks.
            await asyncio.sleep(_SETTLED_SECONDS)
            self._position, self._event, self._at = end.position, end.event, end.now
            self._known.set()
        if self._has_fallen(end) or (end.position == self._position and self._is_of_another_past(end, end.event)):
            return
        while self._position < end.position:
            upto = min(end.position, self._position + self._size)
            page = await self._all(upto)
            if self._is_of_another_past(end, *(each.id for each in page[:1] if each.position == self._position)):
                return
            if not await self._hand_out([each for each in page if each.position > self._position], upto):
                return
            await asyncio.sleep(0)  # subscribers have their turn between two pages
        self._at = end.now

    async def _all(self, upto: int) -> list[Sequenced]:
        """Read the next page, after the event that was last; one that takes too long is smaller the next time."""
        deadline = time.monotonic() + _PAGE_SECONDS
        try:
            page = await all_between(self._store, self._position - 1, upto, self._types, deadline=deadline)
        except DeadlineExceeded:
            self._size = max(1, self._size // 2)
            raise
        self._size = min(PAGE, self._size * 2)
        return page

    def _has_fallen(self, end: End) -> bool:
        """Tell whether the end is before what was read; where it stays there, begin anew from it.

        A replica that is behind shows an earlier end too, for a moment.
        """
        if end.position >= self._position:
            self._fallen_since = None
            return False
        now = time.monotonic()
        self._fallen_since = now if self._fallen_since is None else self._fallen_since
        if now - self._fallen_since >= PATIENCE_SECONDS:
            self._begin_anew(end)
        return True

    def _is_of_another_past(self, end: End, *found: str) -> bool:
        """Tell whether another event stands where the last that was read stood; then begin anew from the end."""
        if not any(each and self._event and each != self._event for each in found):
            return False
        self._begin_anew(end)
        return True

    def _begin_anew(self, end: End) -> None:
        log.error("a backup was restored, without what was read: streams end", read=self._position, end=end.position)
        self._position, self._event, self._at = end.position, end.event, end.now
        self._fallen_since, self._restored = None, end
        self._gap.close()
        for tail in self._tails.all():
            tail.restored(end)

    async def _hand_out(self, page: Sequence[Sequenced], upto: int) -> bool:
        """Hand out a page as far as it has no gap; tell whether that is all of it. Subscribers have their turn in between."""
        wanted, put = set(self._types), 0
        for event in page:
            if not self._reaches(event.position - 1, event.at):
                return False
            if event.type in wanted:
                put += self._tails.put(event)
            self._position, self._event, self._event_at = event.position, event.id, event.at
            if put >= _PUTS:
                put = 0
                await asyncio.sleep(0)
        return self._reaches(upto, self._event_at)

    def _reaches(self, position: int, at: int) -> bool:
        """Come to a position where nothing is between, or what is between has been waited for; tell whether that is so."""
        if self._position < position:
            if not self._gap.is_given_up(self._position):
                return False
            missing = Missing(position=position, count=position - self._position, at=at)
            for tail in self._tails.all():
                tail.put(missing)
            self._position, self._event = position, ""
        self._gap.close()
        return True

    # Subscribers -----------------------------------------------------------------------------------------------------

    @property
    def present(self) -> int:
        """How many follow."""
        return self._present

    @property
    def position(self) -> int:
        """Up to where all was read."""
        return self._position

    @property
    def lag(self) -> StreamLag:
        """How far behind those are who follow."""
        return StreamLag(
            waiting=max(map(len, self._tails.all()), default=0),
            replaying=len(self._replaying),
            behind=self._position - min(self._replaying.values(), default=self._position),
        )

    async def follow(self, interest: Interest, after: int) -> AsyncGenerator[Sequenced | Missing | Silence, None]:
        """Give every event of interest after a position, in order, for ever; and every BEAT_SECONDS without one, say so.

        Raises Lagged, Restored, and the GraphError of a page that could not be read: whoever follows knows how far it has come.
        """
        self._present += 1
        self.wake()
        try:
            await self._known.wait()
            restored, last = self._restored, after
            async with aclosing(self._past(interest, after)) as past:
                async for upto, each in past:
                    last = upto
                    if each is not None:
                        yield each
            if self._restored is not None and self._restored is not restored:
                raise Restored(self._restored)
            with self._tails.opened(interest) as tail:
                begin = self._position
                if begin > last:
                    for each in await self._whole(last, begin, interest):
                        yield each
                    last = begin
                while True:
                    taken = await tail.take(BEAT_SECONDS)
                    if taken is not None and taken.position > last:
                        yield taken
                    # All that was read is in tails: where this one is empty, no event waits between the two.
                    if taken is None and not tail.is_waiting and self._position >= last:
                        yield Silence(position=self._position, at=self._at, id=self._event)
        finally:
            self._present -= 1

    async def _past(
        self, interest: Interest, after: int
    ) -> AsyncGenerator[tuple[int, Sequenced | Missing | None], None]:
        """Give what is after a position, page by page, until the last page is near; each with where that is read up to."""
        last, size, key = after, _FIRST, object()
        try:
            while self._position - last > size:
                self._replaying[key] = last
                page = await self._whole(last, last + size, interest)
                for each in page:
                    yield last, each
                last += size
                yield last, None
                size = _next_size(size, page)
        finally:
            self._replaying.pop(key, None)

    async def _whole(self, after: int, upto: int, interest: Interest) -> list[Sequenced | Missing]:
        """Read a page once nothing of it is missing; what stays away is in its place as missing."""
        patience = time.monotonic() + PATIENCE_SECONDS
        while (page := await self._page(after, upto, interest)).count < upto - after:
            if time.monotonic() > patience and (whole := await self._with_gaps(page, after, upto)) is not None:
                return whole
            await asyncio.sleep(_SETTLED_SECONDS)
        return [*page.events]

    async def _with_gaps(self, page: Page, after: int, upto: int) -> list[Sequenced | Missing] | None:
        """Put what is missing into a page; None where an event has come since the page was read, which is in neither."""
        at = page.events[0].at if page.events else self._at
        gaps = await missing_between(self._store, after, upto, at, deadline=time.monotonic() + _PAGE_SECONDS)
        missing = sum(each.count for each in gaps)
        if page.count + missing != upto - after:
            return None
        log.error("events are missing in the sequence", after=after, upto=upto, missing=missing)
        return sorted([*page.events, *gaps], key=lambda each: each.position)

    async def _page(self, after: int, upto: int, interest: Interest) -> Page:
        """Read a page; one that takes too long, by halves."""
        try:
            async with self._pages:
                deadline = time.monotonic() + _PAGE_SECONDS
                return await wanted_between(self._store, after, upto, interest, deadline=deadline)
        except DeadlineExceeded:
            if upto - after <= 1:
                raise
        middle = (after + upto) // 2
        first, second = await self._page(after, middle, interest), await self._page(middle, upto, interest)
        return Page(count=first.count + second.count, events=(*first.events, *second.events))
