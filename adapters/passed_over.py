"""One item of another system's answer that cannot be read must not keep us from the others, nor go unseen.

So it is passed over: the log has it once for each item and reason, since it comes again with every poll, and each time is
counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeAlias

import structlog
from cachetools import LRUCache

Count: TypeAlias = Callable[[str], None]
"""Told of each item that is passed over: the system's name."""
_MOST: Final = 10_000
"""items and reasons that are remembered; one that was forgotten is logged once more."""

log = structlog.get_logger(__name__)


class PassedOver:
    """What is passed over of one system's answers."""

    def __init__(self, system: str, count: Count = lambda _: None) -> None:
        self._system = system
        self._count = count
        self._logged: LRUCache[tuple[str, str], None] = LRUCache(_MOST)

    def note(self, item: str, reason: str) -> None:
        """Take note that an item is passed over: `item` is the other system's id of it, or its place in the answer."""
        self._count(self._system)
        if (item, reason) not in self._logged:
            self._logged[item, reason] = None
            log.warning("an item is passed over", system=self._system, item=item, reason=reason)

    def objects(self, items: Iterable[tuple[str, object]], reason: str) -> list[Mapping[str, Any]]:
        """Give what are objects of these items, each with its place in the answer; any other is passed over."""
        found: list[Mapping[str, Any]] = []
        for where, each in items:
            if isinstance(each, dict):
                found.append(each)
            else:
                self.note(where, reason)
        return found


def known_as(item: object, where: str) -> str:
    """Give the id of an item that may not be what was asked for, or else its place in the answer.

    >>> known_as({"id": 7}, "[0]"), known_as({"id": None}, "[1]"), known_as("7", "[2]"), known_as({"id": ".."}, "[3]")
    ('7', '[1]', '[2]', '[3]')
    """
    their_id = item.get("id") if isinstance(item, dict) else None
    if not isinstance(their_id, str | int) or isinstance(their_id, bool) or their_id in ("", ".", ".."):
        return where
    return str(their_id)
