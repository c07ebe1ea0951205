"""Whether to tell a system again, and when, follows from what went wrong and not from which system it is."""

from __future__ import annotations

from typing import Final

from adapters.errors import AdapterError, Busy, Conflict, Nonsense, NotAdmitted, Rejected, Suspended, Unreachable
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead, ParkedFor
from graph.ledger.retry import is_over, pause_ms

MOST_CONFLICTS: Final = 10
"""attempts: somebody may work on a thing for some minutes."""


class Waits(Exception):
    """Something else must be over first, and will be: another delivery, or what the system does about this one."""

    def __init__(self, message: str, *, at_least_ms: int, at_most_ms: int | None = None) -> None:
        super().__init__(message)
        self.at_least_ms = at_least_ms
        self.at_most_ms = at_most_ms
        """the longest pause, however often it was looked already; None: pauses grow as those of a failure do."""


def failed(claimed: Claim, error: Exception, *, processing_seconds: float) -> Again | Dead:
    """Decide about a delivery that could not be told: again after a pause, or parked for a person.

    `processing_seconds` is what the system may take at most for a request whose answer was lost. What its people have suspended is
    never given up: they know when it goes on, and it counts for nothing afterwards.
    """
    refused, is_suspended = _is_refusal(claimed, error), isinstance(error, Suspended)
    answer = (error.answer or None) if isinstance(error, AdapterError) else None
    if not is_suspended and is_over(claimed.tries, claimed.age_ms, refused=refused):
        return Dead(claim=claimed, error=str(error), reason=_reason(error), answer=answer)
    wait = 0.0
    if isinstance(error, Busy | Unreachable) and error.retry_after is not None:
        wait = error.retry_after
    if isinstance(error, AdapterError) and error.may_have_happened:
        # In full: what was lost may have been sent a moment ago, after other requests for the same delivery.
        wait = max(wait, processing_seconds)
    pause = pause_ms(claimed.attempts, at_least_ms=int(wait * 1_000))
    if isinstance(error, Waits):
        pause = _within(pause, error)
    return Again(claim=claimed, error=str(error), pause_ms=pause, answer=answer, is_suspended=is_suspended)


def held(claimed: Claim, error: Exception, *, seconds: float) -> Again | Dead:
    """Decide about a delivery that waits with all others of its system: again when these are tried, however often that is."""
    answer = (error.answer or None) if isinstance(error, AdapterError) else None
    if is_over(claimed.tries, claimed.age_ms, refused=False):
        return Dead(claim=claimed, error=str(error), reason="expired", answer=answer)
    return Again(claim=claimed, error=str(error), pause_ms=max(0, int(seconds * 1_000)), answer=answer)


def _within(pause: int, waits: Waits) -> int:
    most = pause if waits.at_most_ms is None else min(pause, waits.at_most_ms)
    return max(most, waits.at_least_ms)


def _is_refusal(claimed: Claim, error: Exception) -> bool:
    if isinstance(error, Conflict):
        return claimed.tries >= MOST_CONFLICTS
    return isinstance(error, Rejected | NotAdmitted | Nonsense | ValueError)


def _reason(error: Exception) -> ParkedFor:
    """Say why a delivery is parked, in one of the words by which operators find it."""
    match error:
        case Rejected() | NotAdmitted() | Conflict():
            return "refused"
        case Nonsense():
            return "invalidAnswer"
        case ValueError():
            return "fault"
        case _:
            return "expired"
