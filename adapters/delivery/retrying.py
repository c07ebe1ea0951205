"""Whether to tell a system again, and when, follows from what went wrong and not from which system it is."""

from __future__ import annotations

from adapters.errors import AdapterError, Busy, Nonsense, Rejected, Unreachable
from graph.ledger.claims import Claim
from graph.ledger.outcomes import Again, Dead, ParkedFor
from graph.ledger.retry import is_over, pause_ms


def failed(claimed: Claim, error: Exception, *, processing_seconds: float, at_least_ms: int = 0) -> Again | Dead:
    """Decide about a delivery that could not be told: again after a pause, or parked for a person.

    `processing_seconds` is what the system may take at most for a request whose answer was lost.
    """
    refused = isinstance(error, Rejected | Nonsense | ValueError)
    answer = (error.answer or None) if isinstance(error, AdapterError) else None
    if is_over(claimed.attempts, claimed.age_ms, refused=refused):
        return Dead(claim=claimed, error=str(error), reason=_reason(error), answer=answer)
    wait = 0.0
    if isinstance(error, Busy | Unreachable) and error.retry_after is not None:
        wait = error.retry_after
    if isinstance(error, AdapterError) and error.may_have_happened:
        # In full: what was lost may have been sent a moment ago, after other requests for the same delivery.
        wait = max(wait, processing_seconds)
    pause = pause_ms(claimed.attempts, at_least_ms=max(at_least_ms, int(wait * 1_000)))
    return Again(claim=claimed, error=str(error), pause_ms=pause, answer=answer)


def _reason(error: Exception) -> ParkedFor:
    """Say why a delivery is parked, in one of the words by which operators find it."""
    match error:
        case Rejected():
            return "refused"
        case Nonsense():
            return "invalidAnswer"
        case ValueError():
            return "fault"
        case _:
            return "expired"
