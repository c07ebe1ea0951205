r"""Request Tracker is asked in a language of its own, TicketSQL, as text: what is asked must not be able to end a string in it.

Its grammar is nowhere written down as such; what is used here was tried on version 5.0.3. A backslash quotes the next
character inside of single quotes. A query that does not mention EffectiveId leaves out tickets that were merged into
others; one that was deleted is left out of every query, and can only be asked for by its number.

>>> by_key("Order key", r"o'clock\1")
"'CF.{Order key}' = 'o\\'clock\\\\1' AND EffectiveId > 0"
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

TOLD: Final = ("Create", "Status", "Correspond", "Comment")
"""The kinds of transactions that tell a ticket's story."""
_MERGED_TOO: Final = "EffectiveId > 0"


def quoted(text: str) -> str:
    """Write a string."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def by_key(field: str, key: str) -> str:
    """Ask for the tickets that have this in a custom field; it is compared there without regard to case."""
    return f"{_custom(field)} = {quoted(key)} AND {_MERGED_TOO}"


def by_ids(their_ids: Sequence[str]) -> str:
    """Ask for tickets by number."""
    return f"({_any('id', their_ids)}) AND {_MERGED_TOO}"


def naming_services(queue: str, field: str, since: int | None) -> str:
    """Ask for the tickets of a queue that name a service, those of old only while somebody works on them."""
    news = f"LastUpdated >= {quoted(_second(since))}" if since is not None else "Status = '__Active__'"
    return f"Queue = {quoted(queue)} AND {_custom(field)} IS NOT NULL AND {news}"


def transactions_of(their_ids: Sequence[str]) -> str:
    """Ask for the story of tickets; without the type, things of other kinds that have these numbers are given, too."""
    kinds = " OR ".join(f"Type = {quoted(each)}" for each in TOLD)
    return f"ObjectType = 'RT::Ticket' AND ({_any('TicketId', their_ids)}) AND ({kinds})"


def comments_about(their_id: str, subject: str) -> str:
    """Ask for the comments on a ticket that have this subject."""
    return f"ObjectType = 'RT::Ticket' AND TicketId = {their_id} AND Type = 'Comment' AND Subject = {quoted(subject)}"


def _custom(field: str) -> str:
    return f"'CF.{{{field}}}'"


def _any(field: str, numbers: Sequence[str]) -> str:
    return " OR ".join(f"{field} = {each}" for each in numbers)


def _second(milliseconds: int) -> str:
    """Write a time as it is understood by a user whose time zone there is UTC; with a zone it is misread."""
    return datetime.fromtimestamp(milliseconds // 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
