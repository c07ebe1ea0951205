"""What a sales system keeps: leads, each with the state that its people give it.

The shape is that of TM Forum's version 4 APIs where they have the same member; `status` is set by the server first, and by people
after that.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Final

from adapters.errors import Malformed
from adapters.simulator.api import Changed, Entries, Resource
from adapters.simulator.journal import Journal
from adapters.simulator.published import NOTE, check, entities, parties
from adapters.tmf.shape import Many, Text, Thing, Time, Whole, Word
from adapters.tmf.tmf630 import merge_patch, write_time

STATES: Final = ("acknowledged", "inProgress", "accepted", "rejected", "cancelled")
UPDATE: Final = frozenset(
    {
        *("name", "description", "status", "statusChangeReason", "category", "priority", "rating", "relatedParty"),
        *("relatedEntity", "note", "validFor", "externalIdentifier"),
    }
)
_TEXT: Final = Text()
_IDENTIFIER: Final = Thing(
    fields=MappingProxyType({"id": _TEXT, "owner": _TEXT, "externalIdentifierType": _TEXT}), required=("id",)
)
_PERIOD: Final = Thing(fields=MappingProxyType({"startDateTime": Time(), "endDateTime": Time()}))
_LEAD: Final = Thing(
    fields=MappingProxyType(
        {
            "@type": _TEXT,
            "name": _TEXT,
            "description": _TEXT,
            "status": Word(words=STATES),
            "statusChangeReason": _TEXT,
            "category": _TEXT,
            "priority": _TEXT,
            "rating": Whole(),
            "externalIdentifier": Many(of=_IDENTIFIER),
            "relatedParty": parties(),
            "relatedEntity": entities(),
            "note": Many(of=NOTE),
            "validFor": _PERIOD,
        }
    ),
    required=("name",),
)
_DECIDED_HERE: Final = ("id", "href", "creationDate", "statusChangeDate")


class Leads:
    """All leads, by id, in the order in which they came."""

    def __init__(self, kept: Journal, *, path: str, clock: Callable[[], int]) -> None:
        self._kept = kept
        self._path = path
        self._clock = clock
        self.held: dict[str, Resource] = {}

    def restore(self, entries: Entries) -> None:
        """Take over what an earlier life has kept; of each lead the last that was said."""
        for entry in entries:
            if isinstance(lead := entry.get("lead"), dict):
                self.held[str(lead["id"])] = lead

    def all(self) -> list[Resource]:
        """Give them all."""
        return list(self.held.values())

    def get(self, known_as: str) -> Resource | None:
        """Give one, or None."""
        return self.held.get(known_as)

    def create(self, body: object) -> Resource:
        """Take a lead in, or raise Malformed."""
        told = check(_LEAD, body)
        if "status" in told:
            raise Malformed("status is the server's to set", field="status")
        now, known_as = write_time(self._clock()), f"LEAD-{len(self.held) + 1:08d}"
        decided = {"id": known_as, "href": f"{self._path}/{known_as}", "creationDate": now, "statusChangeDate": now}
        rest = {name: value for name, value in told.items() if name not in _DECIDED_HERE}
        return self._keep({**decided, "status": STATES[0], **rest})

    def change(self, known_as: str, patch: object) -> Changed:
        """Apply a merge patch, or raise Malformed, KeyError."""
        before = self.held[known_as]
        after = check(_LEAD, merge_patch(before, patch))
        moved = after["status"] != before["status"]
        stamped = {**after, "statusChangeDate": write_time(self._clock())} if moved else after
        return Changed(before=before, after=self._keep(stamped))

    def _keep(self, lead: Resource) -> Resource:
        self.held[str(lead["id"])] = lead
        self._kept.write({"lead": lead})
        return lead
