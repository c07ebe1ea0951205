"""Request Tracker keeps a ticket's story as transactions, and what was written in them as attachments.

Two kinds of messages are told apart there: a correspondence is for whoever reported the ticket, a comment is among the
people who work there. Customers read what we read. So a comment is a note only if it is one of ours, which its subject
says; one that we wrote for somebody else begins with that author's name. What was written in HTML becomes its text.

Pure: `TicketHistory` out of answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Final

from adapters.ticketing import StatusChange, TicketHistory, TicketNote
from adapters.ticketing.outbound.rt_resource import RtDesk, RtTicket, an_object, id_in, text_in, time_in

TRANSACTION: Final = ("Type", "OldValue", "NewValue", "Data", "Created", "Creator", "ObjectId")
"""What is asked for of a transaction; Data is the subject of a message."""
ATTACHMENT: Final = ("TransactionId", "ContentType", "Content")
AUTHOR: Final = "trunkline"
_SUBJECT: Final = "trunkline "
_FOR: Final = f"{_SUBJECT}for "
_AFTER_AUTHOR: Final = ":\n\n"
_HIDDEN: Final = frozenset({"script", "style", "head"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RtTransaction:
    """Something that was done to a ticket."""

    id: str
    ticket: str
    kind: str
    old: str
    new: str
    subject: str
    author: str
    at: int | None

    @property
    def is_note(self) -> bool:
        """Tell whether it is a message for those outside."""
        return self.kind == "Correspond" or (self.kind == "Comment" and self.subject.startswith(_SUBJECT))


def subject_of(delivery_id: str) -> str:
    """Give the subject of the comment that a delivery makes, by which it is found again."""
    return f"{_SUBJECT}{delivery_id}"


def subject_for(delivery_id: str) -> str:
    """Give the same of a comment that we write for somebody else."""
    return f"{_FOR}{delivery_id}"


def written_for(author: str, text: str) -> str:
    """Write what somebody else says, who has no user there."""
    return f"{' '.join(author.split())}{_AFTER_AUTHOR}{text}"


def transaction_of(answer: object, where: str) -> RtTransaction:
    """Read one transaction; `where` is its place in the answer."""
    found = an_object(answer, where)
    creator = found.get("Creator")
    return RtTransaction(
        id=id_in(found, "id", where),
        ticket=id_in(found, "ObjectId", where),
        kind=text_in(found, "Type", where),
        old=text_in(found, "OldValue", where),
        new=text_in(found, "NewValue", where),
        subject=text_in(found, "Data", where).strip(),
        author=text_in(creator, "id", f"{where}.Creator") if isinstance(creator, dict) else "",
        at=time_in(found, "Created", where),
    )


def texts_of(answers: Iterable[tuple[str, object]]) -> dict[str, str]:
    """Read what was written, by transaction: of several parts the first that is text, without the files beside it."""
    found: dict[str, str] = {}
    for where, each in answers:
        part = an_object(each, where)
        media, text = text_in(part, "ContentType", where), text_in(part, "Content", where)
        if media.startswith("text/") and text:
            found.setdefault(id_in(part, "TransactionId", where), _plain(text) if media == "text/html" else text)
    return found


def history_of(
    ticket: RtTicket, transactions: Sequence[RtTransaction], texts: Mapping[str, str], desk: RtDesk
) -> TicketHistory:
    """Tell a ticket's story from its transactions, oldest first."""
    notes = [_note(each, texts.get(each.id, "")) for each in transactions if each.is_note]
    changes = []
    for status, at in _statuses(ticket, transactions):
        changes.append(StatusChange(status=desk.status_of(status), word=status, reason="", at=at))
    return TicketHistory(id=ticket.id, external_id=ticket.key, notes=tuple(notes), changes=tuple(changes))


def _note(transaction: RtTransaction, text: str) -> TicketNote:
    author = AUTHOR if transaction.kind == "Comment" else transaction.author
    if transaction.kind == "Comment" and transaction.subject.startswith(_FOR):
        author, _, text = text.replace("\r\n", "\n").partition(_AFTER_AUTHOR)
    return TicketNote(author=author, text=text, at=transaction.at)


def _statuses(ticket: RtTicket, transactions: Sequence[RtTransaction]) -> list[tuple[str, int | None]]:
    """Give the statuses that it got. The first is told by no transaction but the one that ended it."""
    made = [(each.new, each.at) for each in transactions if each.kind == "Status"]
    first = next((each.old for each in transactions if each.kind == "Status"), ticket.status)
    return [(first, ticket.created_at), *made]


class _Text(HTMLParser):
    """Keeps what a reader of a page would see of its text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002 - the library's signature
        self._hidden += tag in _HIDDEN
        if tag in ("br", "p", "div", "li"):
            self.seen.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden = max(0, self._hidden - (tag in _HIDDEN))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.seen.append(data)


def _plain(html: str) -> str:
    parser = _Text()
    parser.feed(html)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.seen).splitlines())
    return "\n".join(line for line in lines if line)
