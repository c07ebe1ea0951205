"""Ten thousand subscribers must not ask the database ten thousand times what is new.

One reader in a process follows the sequence of events for all of them: it reads each new event once, and puts it into the
*tail* of each subscriber whom it interests. A tail is a bounded queue; a subscriber is a tail and the position that it has
come to. The reader is woken when this process has given positions, and looks every 50 ms what others have given, by one read
of the sequence and its last event. Where nobody subscribes it does nothing.

A subscriber that comes back asks for what is after a position. Far back it is served from the graph, in pages; for the last
page it takes its tail first, then reads up to where the tail begins, then goes on with the tail: no gap, and what is in both
is given once, since positions only rise.

A subscriber that is slower than events come fills its tail. Then the tail is thrown away, and `Lagged` says up to where: the
subscriber knows the last position that it has taken, and comes back with that.

    events = EventReader(store, most=1_000)
    ...                                             # `events.keep()` runs beside everything else
    async with aclosing(events.follow(Interest(types=frozenset({"AlarmRaised"})), after=17)) as following:
        async for each in following: ...            # an event, or after a silence how far it has come
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from graph.errors import DeadlineExceeded, GraphError
from graph.ledger.sequence import End, Interest, Sequenced, all_between, end_of, wanted_between
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
"""positions with which one who comes back begins: each may be an event of theirs, and a subscriber reads them slowly."""
_PAGES: Final = 4
"""that are read at a time for those who come back, in this process; the rest wait, in the order in which they ask."""
BEAT_SECONDS: Final = 30.0
"""of silence, after which a subscriber is told how far it has come."""
_SETTLED_SECONDS: Final = 0.05
"""in which a commit that is seen in part is seen whole."""
_PATIENCE_SECONDS: Final = 5.0
"""for a position that is not to be seen: then it is taken to have been taken away by hand."""

log = structlog.get_logger(__name__)


class Lagged(Exception):
    """A subscriber was slower than events came; `event` is the latest that it has not got."""

    def __init__(self, event: Sequenced) -> None:
        super().__init__("The subscriber was slower than the events")
        self.event = event


class Restored(Exception):
    """A backup was restored that has not what was read: positions mean other events from here on."""

    def __init__(self, end: End) -> None:
        super().__init__("What was read has not happened")
        self.end = end


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Nothing of interest has come up to a position that has been read."""

    position: int
    at: int
    """epoch milliseconds by the database's clock, at which the sequence had not come further than that position."""
    id: str
    """of the event there; empty where it is not known."""


class Tail:
    """What has come since a subscriber has come, and was not taken yet."""

    __slots__ = ("_items", "_lagged", "_most", "_restored", "_taker", "interest")

    def __init__(self, interest: Interest, most: int) -> None:
        self.interest = interest
        self._most = most
        self._items: deque[Sequenced] | None = None
        self._lagged: Sequenced | None = None
        self._restored: End | None = None
        self._taker: asyncio.Future[None] | None = None

    def put(self, event: Sequenced) -> None:
        """Add an event; where there is no room, throw all away."""
        if self._lagged is not None or (self._items is not None and len(self._items) >= self._most):
            self._items, self._lagged = None, event
        elif self._items is None:
            self._items = deque((event,))
        else:
            self._items.append(event)
        self._wake()

    def restored(self, end: End) -> None:
        """Throw all away: what was read has not happened."""
        self._items, self._restored = None, end
        self._wake()

    def _wake(self) -> None:
        if self._taker is not None and not self._taker.done():
            self._taker.set_result(None)

    @property
    def is_waiting(self) -> bool:
        """Tell whether something is to be taken, or was thrown away."""
        return bool(self._items) or self._lagged is not None or self._restored is not None

    async def take(self) -> Sequenced:
        """Wait for the next event; raises Lagged and Restored."""
        while not self._items:
            if self._restored is not None:
                raise Restored(self._restored)
            if self._lagged is not None:
                raise Lagged(self._lagged)
            self._items = None  # an empty deque is large
            self._taker = asyncio.get_running_loop().create_future()
            try:
                await self._taker
            finally:
                self._taker = None
        return self._items.popleft()


def _say(error: Exception) -> None:
    if isinstance(error, GraphError):
        log.warning("the reader of events waits for the database", reason=str(error))
    else:
        log.error("the reader of events failed, and tries again", exc_info=error)


async def _taken(tail: Tail) -> Sequenced | None:
    """Take the next event, or nothing in BEAT_SECONDS; raises Lagged."""
    try:
        async with asyncio.timeout(BEAT_SECONDS):
            return await tail.take()
    except TimeoutError:
        return None


class EventReader:
    """Follows the sequence for all subscribers of this process, while `keep` runs."""

    def __init__(self, store: Store, *, types: Sequence[str], most: int = MOST) -> None:
        """Follow events of these types; a tail holds `most` of them."""
        self._store = store
        self._types = sorted(types)
        self._most = most
        self._present = 0
        self._everyone: dict[Tail, None] = {}
        self._by_customer: dict[str, dict[Tail, None]] = {}
        self._woken = asyncio.Event()
        self._known = asyncio.Event()
        self._position = 0
        self._event = ""
        """the id of the event there; empty where it is not known."""
        self._at = 0
        """when the end was looked at up to which all was read last."""
        self._behind_since: float | None = None
        self._fallen_since: float | None = None
        self._restored: End | None = None
        """the end to which the sequence fell last."""
        self._size = PAGE
        self._pages = asyncio.Semaphore(_PAGES)

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
            if not self._hand_out([each for each in page if each.position > self._position], upto):
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
        if now - self._fallen_since >= _PATIENCE_SECONDS:
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
        self._fallen_since, self._behind_since, self._restored = None, None, end
        for tail in {*self._everyone, *(each for tails in self._by_customer.values() for each in tails)}:
            tail.restored(end)

    def _hand_out(self, page: Sequence[Sequenced], upto: int) -> bool:
        """Hand out a page as far as it has no gap; tell whether that is all of it."""
        wanted = set(self._types)
        for event in page:
            if event.position != self._position + 1 and not self._gives_up():
                return False
            self._behind_since = None
            if event.type in wanted:
                self._put(event)
            self._position, self._event = event.position, event.id
        if self._position < upto and not self._gives_up():
            return False
        if self._position < upto:
            self._position, self._event = upto, ""
        self._behind_since = None
        return True

    def _gives_up(self) -> bool:
        """Tell whether a position that is not there has been waited for long enough."""
        now = time.monotonic()
        if self._behind_since is None:
            self._behind_since = now
        if now - self._behind_since < _PATIENCE_SECONDS:
            return False
        log.error("an event is missing in the sequence", after=self._position)
        return True

    def _put(self, event: Sequenced) -> None:
        tails = dict(self._everyone)
        for customer in event.customers:
            tails.update(self._by_customer.get(customer, {}))
        for tail in tails:
            if event.type in tail.interest.types:
                tail.put(event)

    # Subscribers -----------------------------------------------------------------------------------------------------

    @property
    def present(self) -> int:
        """How many follow."""
        return self._present

    async def follow(self, interest: Interest, after: int) -> AsyncGenerator[Sequenced | Silence, None]:
        """Give every event of interest after a position, in order, for ever; and every BEAT_SECONDS without one, say so.

        Raises Lagged, Restored, and the GraphError of a page that could not be read: whoever follows knows how far it has come.
        """
        self._present += 1
        self.wake()
        try:
            await self._known.wait()
            last, size, restored = after, min(REPLAY, PAGE), self._restored
            while self._position - last > size:
                page = await self._page(last, last + size, interest)
                for event in page:
                    yield event
                last += size
                # Where few are of interest a page may be longer.
                size = min(PAGE, size * 2 if len(page) < REPLAY // 2 else REPLAY)
            if self._restored is not None and self._restored is not restored:
                raise Restored(self._restored)
            with self._tail(interest) as tail:
                begin = self._position
                if begin > last:
                    for event in await self._page(last, begin, interest):
                        yield event
                    last = begin
                while True:
                    taken = await _taken(tail)
                    if taken is not None and taken.position > last:
                        yield taken
                    # All that was read is in tails: where this one is empty, no event waits between the two.
                    if taken is None and not tail.is_waiting and self._position >= last:
                        yield Silence(position=self._position, at=self._at, id=self._event)
        finally:
            self._present -= 1

    async def _page(self, after: int, upto: int, interest: Interest) -> list[Sequenced]:
        """Read a page; one that takes too long, by halves."""
        try:
            async with self._pages:
                deadline = time.monotonic() + _PAGE_SECONDS
                return await wanted_between(self._store, after, upto, interest, deadline=deadline)
        except DeadlineExceeded:
            if upto - after <= 1:
                raise
        middle = (after + upto) // 2
        return [*await self._page(after, middle, interest), *await self._page(middle, upto, interest)]

    @contextmanager
    def _tail(self, interest: Interest) -> Iterator[Tail]:
        tail = Tail(interest, self._most)
        places = [self._everyone] if interest.customers is None else self._places(interest.customers)
        for each in places:
            each[tail] = None
        try:
            yield tail
        finally:
            for each in places:
                each.pop(tail, None)
            for customer in interest.customers or ():
                if not self._by_customer.get(customer, True):
                    del self._by_customer[customer]

    def _places(self, customers: frozenset[str]) -> list[dict[Tail, None]]:
        return [self._by_customer.setdefault(each, {}) for each in sorted(customers)]
