"""A system that is down is hurt by being asked, and each attempt at it costs the ledger a deadline.

So after a few failures in a row nobody asks any more for a while; then one call is let through to see. While it is away
the pauses grow, up to half a minute: that is the longest that a system which is back is left waiting. Whoever has
something to tell it reads `retry_at` and waits, instead of burning attempts.

Pure: the time is an argument, so that nothing here sleeps.

>>> breaker = Breaker(failures=2, now=0.0)
>>> breaker.failed(now=1.0), breaker.failed(now=2.0)
(None, None)
>>> breaker.admit(now=2.5), breaker.retry_at
(0.5, 3.0)
>>> breaker.admit(now=3.0)       # one is let through, to see;
0.0
>>> breaker.admit(now=3.5)       # the others wait for what becomes of it
0.5
>>> breaker.succeeded(now=3.6)
>>> breaker.retry_at is None, breaker.closed_at
(True, 3.6)
"""

from __future__ import annotations

from typing import Final

FIRST_PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 30.0


class Breaker:
    """Closed: calls pass. Open: none does until `retry_at`; then one, whose end decides."""

    def __init__(self, *, failures: int, now: float) -> None:
        self._most = failures
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._probing = False
        self.retry_at: float | None = None
        """when the next call is let through; None while all are."""
        self.closed_at: float | None = now
        """since when calls pass; None while they do not."""

    def admit(self, *, now: float) -> float:
        """Give 0.0 when a call may be made, else the seconds to wait. Who is admitted says how it ended."""
        if self.retry_at is None:
            return 0.0
        if now < self.retry_at:
            return self.retry_at - now
        self._probing = True
        self.retry_at = now + self._pause
        return 0.0

    def succeeded(self, *, now: float) -> None:
        """Take note that the system is there, whatever it said."""
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._probing = False
        self.retry_at = None
        if self.closed_at is None:
            self.closed_at = now

    def failed(self, *, now: float) -> None:
        """Take note that it is not. A call that began before the breaker opened does not make the pause longer."""
        self._failures += 1
        if self._probing:
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            self._open(now)
        elif self.retry_at is None and self._failures >= self._most:
            self._open(now)

    def abandoned(self, *, now: float) -> None:
        """Take note that the caller went away: that tells nothing, so the next one may see instead."""
        if self._probing:
            self._probing = False
            self.retry_at = now

    def _open(self, now: float) -> None:
        self._probing = False
        self.closed_at = None
        self.retry_at = now + self._pause
