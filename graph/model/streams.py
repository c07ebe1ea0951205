"""What a subscription gives, whoever answers it: events one by one, and an end that loses none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event of a subscription."""

    answer: dict[str, Any]
    """what a query with the subscription's selection would have answered; `errors` where a part could not be read. Several who
    ask the same are given this one object: whoever adds to it copies it first."""
    cursor: str
    """opaque: whoever subscribes with it as `after` hears what comes after this event."""


class StreamEnded(Exception):
    """A stream ends and no event is lost: `answer` has the reason in `errors`, with cursors in `extensions` where they help."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(answer["errors"][0]["message"])
        self.answer = answer
