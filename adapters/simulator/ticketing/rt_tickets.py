"""What a Request Tracker keeps: tickets, the transactions that made them what they are, and what was written in these.

It refuses little. A status that the lifecycle does not have is answered with a sentence, a custom field that the queue
does not have with nothing at all, a repetition with another ticket. Times have whole seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from adapters.errors import Malformed
from adapters.simulator.journal import Journal

Record: TypeAlias = dict[str, object]

STATUSES: Final = ("new", "open", "stalled", "resolved", "rejected", "deleted")
ROBOT: Final = "RT_System"
_PLAIN: Final = ("Subject", "Priority", "Status")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What its administrator has made."""

    queue: str = "Customers"
    custom_fields: tuple[str, ...] = ("Order key", "Service")
    """that the queue has; all take many values."""


@dataclass(slots=True, kw_only=True)
class RtTickets:
    """Everything, by number, in the order in which it was made."""

    layout: Layout
    state: Journal
    clock: Callable[[], int]
    """epoch milliseconds."""
    tickets: dict[int, Record] = field(default_factory=dict)
    transactions: dict[int, Record] = field(default_factory=dict)
    attachments: dict[int, Record] = field(default_factory=dict)

    def restore(self, entries: Iterable[Mapping[str, object]]) -> None:
        """Take over what an earlier life has kept; of each record the last state counts."""
        for entry in entries:
            for kind, kept in (
                ("ticket", self.tickets),
                ("transaction", self.transactions),
                ("attachment", self.attachments),
            ):
                record = entry.get(kind)
                if isinstance(record, dict):
                    kept[int(record["id"])] = record

    def create(self, body: Mapping[str, object], user: str) -> Record:
        """Open a ticket, or raise Malformed; that its queue is there was looked at before."""
        status = str(body.get("Status") or "new")
        if status not in STATUSES:
            raise Malformed(f"Status '{status}' isn't a valid status for tickets in this queue.", field="Status")
        number, now = len(self.tickets) + 1, self._now()
        ticket: Record = {
            "id": number,
            "EffectiveId": number,
            "Queue": self.layout.queue,
            "Subject": str(body.get("Subject") or ""),
            "Status": status,
            "Priority": _number(body.get("Priority")),
            "Creator": user,
            "Created": now,
            "LastUpdated": now,
            "CustomFields": {name: [] for name in self.layout.custom_fields},
        }
        self._set_fields(ticket, body)
        self._keep(ticket)
        made = self._add(ticket, "Create", user)
        if body.get("Content"):
            self._attach(made, body)
        return ticket

    def update(self, ticket: Record, body: Mapping[str, object], user: str) -> list[str]:
        """Change what can be changed, and say in prose what became of each wish."""
        said = [self._set(ticket, name, body[name], user) for name in sorted(body) if name in _PLAIN]
        said += [f"Custom field {name} changed" for name in self._set_fields(ticket, body, user)]
        if "MergeInto" in body:
            ticket["EffectiveId"] = _number(body["MergeInto"])
            said.append("Merge Successful")
        if any(said):
            self._touch(ticket)
        return [each for each in said if each]

    def write(self, ticket: Record, kind: str, body: Mapping[str, object], user: str) -> Record:
        """Comment or correspond. Correspondence opens a new or resolved ticket, by itself, as a fresh installation does."""
        made = self._add(ticket, kind, user, Data=f"{body.get('Subject') or 'No Subject'}\n")
        self._attach(made, body)
        if "Status" in body:
            self._set(ticket, "Status", body["Status"], user)
        elif kind == "Correspond" and ticket["Status"] in ("new", "resolved"):
            self._set(ticket, "Status", "open", ROBOT)
        self._touch(ticket)
        return made

    def effective(self, number: int) -> Record | None:
        """Give a ticket by its number: of one that was merged into another, the other."""
        ticket = self.tickets.get(number)
        return ticket and self.tickets.get(_number(ticket["EffectiveId"]))

    def last_transaction(self, ticket: Record) -> int:
        """Give the number of the last thing that was done to it."""
        return max(number for number, each in self.transactions.items() if each["ObjectId"] == ticket["id"])

    def with_key(self, field_name: str, value: str) -> list[Record]:
        """Give the tickets that have this in a custom field, for whoever looks from outside."""
        return [each for each in self.tickets.values() if value in custom_fields(each).get(field_name, [])]

    def _set(self, ticket: Record, name: str, value: object, user: str) -> str:
        wanted: object = _number(value) if name == "Priority" else str(value)
        before = ticket[name]
        if name == "Status" and wanted not in STATUSES:
            return f"Ticket {ticket['id']}: Status '{wanted}' isn't a valid status for this ticket."
        if wanted == before:
            return ""
        ticket[name] = wanted
        kind = "Status" if name == "Status" else "Set"
        self._add(ticket, kind, user, Field=name, OldValue=str(before), NewValue=str(wanted))
        return f"Ticket {ticket['id']}: {name} changed from '{before}' to '{wanted}'"

    def _set_fields(self, ticket: Record, body: Mapping[str, object], user: str = "") -> list[str]:
        wanted, changed = body.get("CustomFields"), []
        kept = custom_fields(ticket)
        for name, value in wanted.items() if isinstance(wanted, dict) else ():
            values = [str(each) for each in (value if isinstance(value, list) else [value]) if each not in (None, "")]
            if name in kept and kept[name] != values:
                kept[name] = values
                changed.append(name)
                if user:
                    self._add(ticket, "CustomField", user, Field=name, NewValue=", ".join(values))
        return changed

    def _add(self, ticket: Record, kind: str, user: str, **more: str) -> Record:
        made: Record = {"Field": "", "OldValue": "", "NewValue": "", "Data": "", **more}
        made |= {"id": len(self.transactions) + 1, "Type": kind, "Creator": user, "Created": self._now()}
        made |= {"ObjectType": "RT::Ticket", "ObjectId": ticket["id"]}
        self.transactions[len(self.transactions) + 1] = made
        self.state.write({"transaction": made})
        return made

    def _attach(self, transaction: Record, body: Mapping[str, object]) -> None:
        made: Record = {
            "id": len(self.attachments) + 1,
            "TransactionId": transaction["id"],
            "ContentType": str(body.get("ContentType") or "text/plain"),
            "Filename": "",
            "Content": str(body.get("Content") or ""),
        }
        self.attachments[len(self.attachments) + 1] = made
        self.state.write({"attachment": made})

    def _touch(self, ticket: Record) -> None:
        ticket["LastUpdated"] = self._now()
        self._keep(ticket)

    def _keep(self, ticket: Record) -> None:
        self.tickets[_number(ticket["id"])] = ticket
        self.state.write({"ticket": ticket})

    def _now(self) -> str:
        return datetime.fromtimestamp(self.clock() // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def custom_fields(ticket: Record) -> dict[str, list[str]]:
    """Give the values of a ticket's custom fields, by name."""
    kept = ticket["CustomFields"]
    assert isinstance(kept, dict)
    return kept


def _number(value: object) -> int:
    """Read a number as is done over there: what is none is 0."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() else 0
