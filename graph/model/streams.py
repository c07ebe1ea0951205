"""What a subscription gives, whoever answers it: events one by one, how far it has come, and an end that loses none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event of a subscription."""

    answer: dict[str, Any]
    """what a query with the subscription's selection would have answered; `errors` where a part could not be read. Several who
    ask the same are given this one object: whoever adds to it copies it first."""
    cursor: str
    """opaque: whoever subscribes with it as `after` hears what comes after this event."""
    at: int | None = None
    """when it happened, in epoch milliseconds by the source's clock; None where nobody knows."""
    replayed: bool = field(default=False, compare=False)
    """whether it was read for somebody who has come back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """A stream has come so far, and nothing up to here is still to be sent: it may be long until the next event."""

    cursor: str
    """as that of an event."""


Heard: TypeAlias = StreamEvent | Heartbeat


class StreamEnded(Exception):
    """A stream ends and no event is lost: `answer` has the reason in `errors`, with cursors in `extensions` where they help."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer["errors"][0]["message"])
        self.answer = answer
