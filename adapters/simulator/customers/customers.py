"""What customer management keeps: customers as TMF629 has them, version 4, each with the id that it gives them."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from adapters.simulator.api import Changed, Entries, Resource
from adapters.simulator.journal import Journal
from adapters.simulator.published import check
from adapters.tmf.shape import Many, Text, Thing, Time
from adapters.tmf.tmf630 import merge_patch

UPDATE: Final = frozenset(
    {
        *("name", "status", "statusReason", "account", "agreement", "characteristic", "contactMedium", "creditProfile"),
        *("engagedParty", "paymentMethod", "relatedParty", "validFor"),
    }
)
"""The members of `Customer_Update`."""
_TEXT: Final = Text()
_PARTY: Final = Thing(
    fields=MappingProxyType({"id": _TEXT, "name": _TEXT, "role": _TEXT, "@referredType": _TEXT}),
    required=("id", "@referredType"),
)
_ACCOUNT: Final = Thing(fields=MappingProxyType({"id": _TEXT, "name": _TEXT}), required=("name",))
_CHARACTERISTIC: Final = Thing(fields=MappingProxyType({"name": _TEXT}), required=("name", "value"))
_PERIOD: Final = Thing(fields=MappingProxyType({"startDateTime": Time(), "endDateTime": Time()}))
_CUSTOMER: Final = Thing(
    fields=MappingProxyType(
        {
            "@type": _TEXT,
            "name": _TEXT,
            "status": _TEXT,
            "statusReason": _TEXT,
            "account": Many(of=_ACCOUNT),
            "characteristic": Many(of=_CHARACTERISTIC),
            "engagedParty": _PARTY,
            "relatedParty": Many(of=_PARTY),
            "validFor": _PERIOD,
        }
    ),
    required=("name", "engagedParty"),
)


class Customers:
    """All customers, by id, in the order in which they came."""

    def __init__(self, kept: Journal, *, path: str) -> None:
        self._kept = kept
        self._path = path
        self._made = 0
        self.held: dict[str, Resource] = {}

    def restore(self, entries: Entries) -> None:
        """Take over what an earlier life has kept; of each customer the last that was said."""
        for entry in entries:
            if isinstance(customer := entry.get("customer"), dict):
                self.held[str(customer["id"])] = customer
                self._made += 1
            self.held.pop(str(entry.get("removed")), None)

    def all(self) -> list[Resource]:
        """Give them all."""
        return list(self.held.values())

    def get(self, known_as: str) -> Resource | None:
        """Give one, or None."""
        return self.held.get(known_as)

    def create(self, body: object) -> Resource:
        """Take a customer in, or raise Malformed."""
        told = check(_CUSTOMER, body)
        self._made += 1
        known_as = f"C-{self._made:06d}"
        return self._keep({**told, "id": known_as, "href": f"{self._path}/{known_as}"})

    def change(self, known_as: str, patch: object) -> Changed:
        """Apply a merge patch, or raise Malformed, KeyError."""
        before = self.held[known_as]
        return Changed(before=before, after=self._keep(check(_CUSTOMER, merge_patch(before, patch))))

    def remove(self, known_as: str) -> None:
        """Take one away, as people there do; nobody is told."""
        del self.held[known_as]
        self._kept.write({"removed": known_as})

    def _keep(self, customer: Resource) -> Resource:
        self.held[str(customer["id"])] = customer
        self._kept.write({"customer": customer})
        return customer
