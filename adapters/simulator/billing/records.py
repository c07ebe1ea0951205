"""What a billing system keeps: usage, problems and documents as it was told of them; and bills and prices that it has made itself.

What comes is checked as TMF635 and TMF656 say; what the server decides (id, href) a client cannot set. Two records may bear
the same foreign id: whose fault that is, is for others to find out. A document has a name, and is replaced under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from adapters.errors import Malformed
from adapters.simulator import published
from adapters.simulator.journal import Journal
from adapters.simulator.published import check
from adapters.tmf.shape import Shape
from adapters.tmf.tmf630 import merge_patch

Resource: TypeAlias = dict[str, Any]

USAGE: Final = "usage"
PROBLEM: Final = "serviceProblem"
BILL: Final = "customerBill"
RATE: Final = "appliedCustomerBillingRate"
OFFERING: Final = "productOffering"
PRICE: Final = "productOfferingPrice"
KINDS: Final = (USAGE, PROBLEM, BILL, RATE, OFFERING, PRICE)
DOCUMENT: Final = "document"
_PREFIXES: Final = {USAGE: "USG", PROBLEM: "SP", BILL: "BILL", RATE: "RATE", OFFERING: "PO", PRICE: "POP"}
_DECIDED_HERE: Final = ("id", "href")
UPDATES: Final[Mapping[str, frozenset[str]]] = {
    USAGE: frozenset(
        {
            *("description", "ratedProductUsage", "relatedParty", "status"),
            *("usageCharacteristic", "usageSpecification", "usageType"),
        }
    ),
    PROBLEM: frozenset(
        {
            *("affectedLocation", "affectedNumberOfServices", "affectedResource", "affectedService", "category"),
            *("characteristic", "creationDate", "description", "externalIdentifier", "impactImportanceFactor"),
            *("impactPattern", "lastUpdate", "name", "note", "originatorParty", "parentProblem", "priority"),
            *("problemEscalation", "reason", "relatedEntity", "relatedEvent", "relatedParty", "resolutionDate"),
            *("responsibleParty", "rootCauseResource", "rootCauseService", "slaViolation", "status"),
            *("statusChangeDate", "statusChangeReason", "troubleTicket", "underlyingAlarm", "underlyingProblem"),
        }
    ),
}
"""The members of Usage_Update and ServiceProblem_Update."""
_SHAPES: Final[Mapping[str, Shape]] = {USAGE: published.USAGE, PROBLEM: published.PROBLEM}


class Records:
    """All that it keeps, by kind and id, in the order in which it came."""

    def __init__(self, state: Journal, *, paths: Mapping[str, str]) -> None:
        self._state = state
        self._paths = paths
        self._held: dict[str, dict[str, Resource]] = {kind: {} for kind in KINDS}
        self.documents: dict[str, bytes] = {}
        """by name."""

    def restore(self, entries: list[dict[str, object]]) -> None:
        """Take over what an earlier life has kept; of each record the last state counts."""
        for entry in entries:
            kind, value = str(entry.get("kind")), entry.get("value")
            if kind in self._held and isinstance(value, dict):
                self._held[kind][value["id"]] = value
            if kind == DOCUMENT and isinstance(value, str):
                self.documents[str(entry["name"])] = value.encode()

    def all(self, kind: str) -> list[Resource]:
        """Give all of a kind."""
        return list(self._held[kind].values())

    def get(self, kind: str, known_as: str) -> Resource | None:
        """Give one, or None."""
        return self._held[kind].get(known_as)

    def create(self, kind: str, body: object) -> Resource:
        """Keep a new record, or raise Malformed."""
        told = _checked(kind, body)
        return self.add(kind, {name: value for name, value in told.items() if name not in _DECIDED_HERE})

    def add(self, kind: str, value: Mapping[str, Any]) -> Resource:
        """Keep what is made here, such as a bill."""
        return self.put_as(f"{_PREFIXES[kind]}-{len(self._held[kind]) + 1:08d}", kind, value)

    def put_as(self, known_as: str, kind: str, value: Mapping[str, Any]) -> Resource:
        """Keep what is made here under an id of its maker's, in the place of one that has it."""
        return self._keep(kind, {"id": known_as, "href": f"{self._paths[kind]}/{known_as}", **value})

    def change(self, kind: str, known_as: str, patch: object) -> Resource:
        """Apply a merge patch, or raise Malformed, KeyError."""
        before = self._held[kind][known_as]
        for name in patch if isinstance(patch, dict) else ():
            if name not in UPDATES[kind]:
                raise Malformed(f"{name} is none of what a change may have", field=name)
        after = merge_patch(before, patch)
        return self._keep(kind, _checked(kind, after))

    def put(self, name: str, document: bytes) -> None:
        """Keep a document, in the place of one of that name."""
        self.documents[name] = document
        self._state.write({"kind": DOCUMENT, "name": name, "value": document.decode()})

    def _keep(self, kind: str, value: Resource) -> Resource:
        self._held[kind][value["id"]] = value
        self._state.write({"kind": kind, "value": value})
        return value


def _checked(kind: str, body: object) -> Resource:
    return check(_SHAPES[kind], body)
