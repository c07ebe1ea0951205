"""A system that does not let us in refuses everything, and none of it is the fault of what is refused.

A token has ended, a right was taken away, an address has changed: whatever is sent is answered 401, 403 or 404. To park it all for
a person would be wrong, since all is well again when the credential is. So the system is paused: one delivery at a time is tried,
after pauses that grow up to a minute, and when one is let in all go on in their order. It is said once when it begins, and once
when it is over.

One delivery may be forbidden while the others are not: when others were let in between two refusals of it, it is about that
delivery, which is then refused as any other. A 401 is never about a delivery.

Pure but for the note: the time is an argument.

>>> access = Access()
>>> no = NotAdmitted("ticketing answered 401", status=401)
>>> access.denied("event-1", no, now=10.0), access.retry_at, access.reason
(True, 11.0, 'answered 401')
>>> access.denied("event-2", no, now=10.5), access.retry_at       # it was on its way already
(True, 11.0)
>>> access.denied("event-1", no, now=11.0), access.retry_at
(True, 13.0)
>>> access.admitted(now=13.1)
>>> access.retry_at is None
True
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from adapters.errors import NotAdmitted

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0
_MOST_REMEMBERED: Final = 1_000
"""deliveries that were refused; more, and those that were refused first are forgotten."""


class Access:
    """Whether one system lets us in, as its deliveries find out."""

    def __init__(self, note: Callable[[str], None] = lambda _: None) -> None:
        """`note` is told of the reason when it no longer does, and of nothing when it does again."""
        self._note = note
        self._pause = FIRST_PAUSE
        self._admitted_at = float("-inf")
        self._denied: dict[str, float] = {}
        self.retry_at: float | None = None
        """when the next delivery is tried, by time.monotonic(); None: nothing holds any back."""
        self.reason = ""
        """empty while it lets us in."""

    def denied(self, delivery: str, error: NotAdmitted, *, now: float) -> bool:
        """Take note of a refusal; False: it is about this delivery only."""
        before = self._denied.pop(delivery, None)
        self._denied[delivery] = now
        if len(self._denied) > _MOST_REMEMBERED:
            del self._denied[next(iter(self._denied))]
        if before is not None and self._admitted_at > before and error.may_be_of_one:
            return False
        if self.retry_at is None:
            self._pause = FIRST_PAUSE
            self.reason = f"answered {error.status}" + (f": {error.hint}" if error.hint else "")
            self._note(self.reason)
        elif now < self.retry_at:  # it was on its way already
            return True
        else:
            self._pause = min(2 * self._pause, LONGEST_PAUSE)
        self.retry_at = now + self._pause
        return True

    def admitted(self, *, now: float) -> None:
        """Take note that a delivery was let in, whatever became of it."""
        self._admitted_at = now
        if self.retry_at is None:
            return
        self.retry_at = None
        self.reason = ""
        self._note("")
