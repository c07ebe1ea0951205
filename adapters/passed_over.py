"""One item of another system's answer that cannot be read must not keep us from the others, nor go unseen.

So it is passed over: the log has it once for each item and reason, since it comes again with every poll, and each time is
counted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

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
