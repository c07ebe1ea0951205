"""A subscriber that is slower than events come must cost no more than a few of them.

What was read and is not yet taken by a subscriber is in its *tail*, a bounded queue. Where that is full it is thrown away, and
`Lagged` says up to where: the subscriber knows the last position that it has taken, and comes back with that.

    tails = Tails(most=1_000)
    with tails.opened(Interest(types=frozenset({"AlarmRaised"}))) as tail:
        tails.put(event)                            # by the reader, into the tails of those whom it interests
        await tail.take()                           # by the subscriber: the event; raises Lagged and Restored
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from graph.ledger.sequence import End, Interest, Missing, Sequenced


class Lagged(Exception):
    """A subscriber was slower than events came; `event` is the latest that it has not got."""

    def __init__(self, event: Sequenced | Missing) -> None:
        super().__init__("The subscriber was slower than the events")
        self.event = event


class Restored(Exception):
    """A backup was restored that has not what was read: positions mean other events from here on."""

    def __init__(self, end: End) -> None:
        super().__init__("What was read has not happened")
        self.end = end


class Tail:
    """What has come since a subscriber has come, and was not taken yet."""

    __slots__ = ("_items", "_lagged", "_most", "_restored", "_taker", "interest")

    def __init__(self, interest: Interest, most: int) -> None:
        self.interest = interest
        self._most = most
        self._items: deque[Sequenced | Missing] | None = None
        self._lagged: Sequenced | Missing | None = None
        self._restored: End | None = None
        self._taker: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        """Count what waits."""
        return len(self._items or ())

    def put(self, event: Sequenced | Missing) -> None:
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

    async def take(self, seconds: float) -> Sequenced | Missing | None:
        """Wait for the next event, and give nothing where none comes in so many seconds; raises Lagged and Restored."""
        if not self.is_waiting:
            await self._woken(seconds)
        if self._items:
            return self._items.popleft()
        if self._restored is not None:
            raise Restored(self._restored)
        if self._lagged is not None:
            raise Lagged(self._lagged)
        return None

    async def _woken(self, seconds: float) -> None:
        """Wait until something comes: by a timer of the loop, which takes a fifth of what a timeout takes of time and memory."""
        loop = asyncio.get_running_loop()
        self._items = None  # an empty deque is large
        self._taker = loop.create_future()
        timer = loop.call_later(seconds, self._wake)
        try:
            await self._taker
        finally:
            timer.cancel()
            self._taker = None


class Tails:
    """The tails of all who follow in this process, found by the customers that an event concerns."""

    def __init__(self, most: int) -> None:
        """Open tails that hold `most` events each."""
        self._most = most
        self._everyone: dict[Tail, None] = {}
        """of those who are told of every customer's."""
        self._by_customer: dict[str, dict[Tail, None]] = {}

    def all(self) -> set[Tail]:
        """Give every tail, once."""
        return {*self._everyone, *(each for tails in self._by_customer.values() for each in tails)}

    def put(self, event: Sequenced) -> int:
        """Put an event into the tails of those whom it interests; give how many tails were looked at."""
        tails: Collection[Tail] = self._everyone
        theirs = [found for each in event.customers if (found := self._by_customer.get(each))]
        if theirs:
            tails = dict(self._everyone)
            for each in theirs:
                tails.update(each)
        for tail in tails:
            if event.type in tail.interest.types:
                tail.put(event)
        return len(tails)

    @contextmanager
    def opened(self, interest: Interest) -> Iterator[Tail]:
        """Open a tail for as long as the block runs."""
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
