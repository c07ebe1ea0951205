"""Everything that is kept to answer the next request faster shares one bound in bytes.

In: values that say what they weigh. Out: the values, as long as all of them together weigh less than the bound. One LRU order
holds for all tables of a process: a table that is used grows at the cost of those that are not. A weight is an estimate; who
makes a value also knows the factors, and a test compares them with the memory of a process.

All calls come from the event loop's thread: there is no lock. A look-up is O(1).
"""

from __future__ import annotations

from collections.abc import Hashable
from operator import attrgetter
from typing import Final, Generic, Protocol, TypeVar

from cachetools import LRUCache

KEY_BYTES: Final = 200
"""of one entry's place: two dictionaries, the LRU order, the key's tuple."""


class Weighed(Protocol):
    """A value that says what it weighs."""

    @property
    def weight(self) -> int:
        """Its bytes in memory, its key's included."""


T = TypeVar("T", bound=Weighed)


class SharedCache:
    """The bound, and the LRU order of all tables."""

    def __init__(self, most_bytes: int) -> None:
        self._kept: LRUCache[tuple[int, Hashable], Weighed] = LRUCache(most_bytes, getsizeof=attrgetter("weight"))
        self._tables = 0

    @property
    def bytes(self) -> int:
        """What all tables weigh together."""
        return int(self._kept.currsize)

    def table(self) -> Table[T]:
        """Open a new table."""
        self._tables += 1
        return Table(self._kept, self._tables)


class Table(Generic[T]):
    """Some of what is kept, by keys of its own."""

    def __init__(self, kept: LRUCache[tuple[int, Hashable], Weighed], number: int) -> None:
        self._kept = kept
        self._number = number

    def get(self, key: Hashable) -> T | None:
        """Look up, and keep for longer."""
        try:
            return self._kept[self._number, key]  # type: ignore[return-value]  # a number has one type of values
        except KeyError:
            return None

    def __setitem__(self, key: Hashable, value: T) -> None:
        """Keep; what was used longest ago in any table goes. A value that is larger than the bound is not kept."""
        if value.weight <= self._kept.maxsize:
            self._kept[self._number, key] = value

    def __len__(self) -> int:
        return len(self.values())

    def values(self) -> list[T]:
        """Give all of this table, in no order; it looks at every entry of all tables."""
        return [value for (number, _), value in self._kept.items() if number == self._number]  # type: ignore[misc]
