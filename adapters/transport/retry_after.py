"""A system may say when it wants to be asked again, and may say so in two ways, or nonsense.

In: the value of a Retry-After header. Out: seconds from now, never more than `LONGEST`, or None. Source: RFC 9110, 10.2.3.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST: Final = 3_600.0
"""seconds; a system that asks for more is asked again after this."""


def retry_after(value: str | None, *, now: datetime) -> float | None:
    """Read a Retry-After, of seconds or an HTTP date, as seconds from now; None for none, and for what is neither.

    >>> retry_after("120", now=datetime.now(UTC))
    120.0
    >>> retry_after("Wed, 21 Oct 2026 07:28:00 GMT", now=datetime(2026, 10, 21, 7, 27, 30, tzinfo=UTC))
    30.0
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(min(int(text[:12]), LONGEST))
    try:
        seconds = (parsedate_to_datetime(text).astimezone(UTC) - now).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(seconds, 0.0), LONGEST)
