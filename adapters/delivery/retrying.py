"""Whether to tell a system again, and when, follows from what went wrong and not from which system it is."""

from __future__ import annotations

from typing import Final

from adapters.errors import AdapterError, Busy, Conflict, Nonsense, NotAdmitted, Rejected, Unreachable
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead
from graph.ledger.retry import is_over, pause_ms

MOST_CONFLICTS: Final = 10
"""attempts: somebody may work on a thing for some minutes."""


class Waits(Exception):
    """Something else must be told first, and will be."""

    def __init__(self, message: str, *, at_least_ms: int) -> None:
        super().__init__(message)
        self.at_least_ms = at_least_ms


def failed(claimed: Claim, error: Exception, *, processing_seconds: float) -> Again | Dead:
    """Decide about a delivery that could not be told: again after a pause, or parked for a person.

    `processing_seconds` is what the system may take at most for a request whose answer was lost.
    """
    if is_over(claimed.attempts, claimed.age_ms, refused=_is_refusal(claimed, error)):
        return Dead(claim=claimed, error=str(error))
    wait = 0.0
    if isinstance(error, Busy | Unreachable) and error.retry_after is not None:
        wait = error.retry_after
    if isinstance(error, AdapterError) and error.may_have_happened:
        # In full: what was lost may have been sent a moment ago, after other requests for the same delivery.
        wait = max(wait, processing_seconds)
    least = error.at_least_ms if isinstance(error, Waits) else 0
    pause = pause_ms(claimed.attempts, at_least_ms=max(least, int(wait * 1_000)))
    return Again(claim=claimed, error=str(error), pause_ms=pause)


def held(claimed: Claim, error: Exception, *, seconds: float) -> Again | Dead:
    """Decide about a delivery that waits with all others of its system: again when these are tried, however often that is."""
    if is_over(claimed.attempts, claimed.age_ms, refused=False):
        return Dead(claim=claimed, error=str(error))
    return Again(claim=claimed, error=str(error), pause_ms=max(0, int(seconds * 1_000)))


def _is_refusal(claimed: Claim, error: Exception) -> bool:
    if isinstance(error, Conflict):
        return claimed.attempts >= MOST_CONFLICTS
    return isinstance(error, Rejected | NotAdmitted | Nonsense | ValueError)
