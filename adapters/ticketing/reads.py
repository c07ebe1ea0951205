"""Tickets are asked of the compiled reads, in the caller's scope, and shown as TMF621 (version 4) has them.

What is known here of a ticket is what its ticketing system has said, and whom it concerns; its notes and its history are asked
for there, and shown with one ticket, where they can be had. The ticketing system itself reads its own tickets. Our id is the id;
`externalId` is what its reporter calls it, or else the id that the ticketing system gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.listing import Listing, Part, in_full, orders_of
from adapters.endpoint.reading import Reader, asked_as, questions
from adapters.errors import Malformed
from adapters.ticketing.tmf621_resource import CAUSE, CUSTOMER, SERVICE, TICKET_TYPE
from adapters.tmf.shape import Time, Word, faults
from adapters.tmf.tmf630 import COMPARED, Filter, Sort, read_time, write_time
from graph.model.mapping import enum_name
from graph.model.model import LABELS
from graph.model.scope import Principal, Role
from graph.model.vocabulary import SEVERITIES, TICKET_STATES

MOST_VALUES: Final = 100
MOST_NAMED: Final = 100
"""services, and alarms, that a ticket names."""
UPDATED: Final = "lastUpdate"
_WORDS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"status": TICKET_STATES, "severity": SEVERITIES})
_TEXTS: Final = ("id", "externalId")
_TOLD: Final = (*_TEXTS, *_WORDS, *(f"{UPDATED}.{each}" for each in COMPARED))
_OURS: Final = {enum_name(word): word for each in LABELS["Ticket"].properties for word in each.words}
_FIELDS: Final = f"""id system externalId status severity changedAt description ticketType reference customer {{ id name }}
  services(first: {MOST_NAMED}) {{ nodes {{ id name }} }} alarms(first: {MOST_NAMED}) {{ nodes {{ id }} }}"""
LIST: Final = questions("tickets", "Ticket", _FIELDS)
_STORY: Final = """query Story($id: ID!) {
  ticket(id: $id) { notes { author text at } history { word status reason at } }
}"""


def listing_at(place: str) -> Listing:
    """Say what a list of tickets may be asked for by; `place` is where they are."""
    published = ("id", "href", "externalId", "name", "description", "ticketType", "status", "severity", UPDATED)
    return Listing(
        place=place,
        published=(*published, "relatedEntity", "relatedParty", "note", "statusChange", "@type"),
        is_told=lambda each: ".".join(each.path) in _TOLD,
        told=_TOLD,
        orders={"id": "ID"},
        narrowed_by="status or lastUpdate.gte",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketReads:
    """What one caller may read, until its deadline."""

    port: Port
    principal: Principal
    deadline: float
    """by `time.monotonic()`."""
    place: str
    """where tickets are."""

    async def part(self, filters: Sequence[Filter], sorts: Sequence[Sort], offset: int, limit: int) -> Part:
        """Give a part of the tickets that the caller sees, as TMF621 has them."""
        # Each by itself: two filters of one attribute must both hold.
        wanted = {"and": [filter_of([each]) for each in filters]} if filters else {}
        order = in_full(orders_of(sorts, {"id": "ID"}), ())
        reader = Reader(port=self.port, principal=asked_as(self.principal), deadline=self.deadline)
        page = await reader.page(LIST, _forced(self.principal, wanted), order, offset, limit)
        return Part(total=page.total, resources=[encode(each, self.place) for each in page.rows])

    async def one(self, ticket_id: str) -> Mapping[str, Any] | None:
        """Give a ticket; None when there is none that the caller sees."""
        part = await self.part([Filter(path=("id",), values=(ticket_id,))], (), 0, 1)
        return part.resources[0] if part.resources else None

    async def story(self, ticket_id: str) -> dict[str, Any]:
        """Give the notes and the history of a ticket that the caller sees, as TMF621 has them; nothing where they cannot be had."""
        answer = await self.port.ask(_STORY, {"id": ticket_id}, asked_as(self.principal), self.deadline)
        told = (answer.get("data") or {}).get("ticket") or {}
        notes = [_note(number, each) for number, each in enumerate(told.get("notes") or (), 1)]
        return _given(note=notes, statusChange=[_status_change(each) for each in told.get("history") or ()])


def _note(number: int, note: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": str(number), **_given(author=note["author"], date=note["at"], text=note["text"])}


def _status_change(change: Mapping[str, Any]) -> dict[str, Any]:
    word = _OURS.get(change["status"] or "", change["word"])
    return _given(status=word, changeReason=change["reason"], changeDate=change["at"])


def _given(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def encode(row: Mapping[str, Any], place: str) -> dict[str, Any]:
    """Write a ticket as TMF621 does; `row` has the fields of the GraphQL type Ticket that the caller may see."""
    alarms = [{"id": each["id"], "role": CAUSE, "@referredType": "Alarm"} for each in row["alarms"]["nodes"]]
    services = [
        {"id": each["id"], "name": each["name"], "role": "affected", "@referredType": SERVICE}
        for each in row["services"]["nodes"]
    ]
    known_as = f"{row['externalId']} of {row['system']}" if row["externalId"] else f"a ticket of {row['system']}"
    shown = {
        "id": row["id"],
        "href": f"{place}/{row['id']}",
        "@type": "TroubleTicket",
        "name": known_as,
        "description": row["description"] or f"What is known of {known_as}",
        "ticketType": row["ticketType"] or TICKET_TYPE,
        "status": _OURS[row["status"]],
        "severity": _OURS[row["severity"]],
        "relatedEntity": [*alarms, *services],
    }
    known = row["reference"] or row["externalId"]
    return {
        **shown,
        **_given(externalId=known, **{UPDATED: row["changedAt"]}, relatedParty=_parties(row["customer"])),
    }


def _parties(customer: Mapping[str, Any] | None) -> list[dict[str, str]]:
    if not customer:
        return []
    return [{"id": customer["id"], "name": customer["name"], "role": "customer", "@referredType": CUSTOMER}]


def filter_of(filters: Sequence[Filter]) -> dict[str, Any]:
    """Make the filter that holds for exactly the tickets that were asked for; raises Malformed for what the graph cannot tell."""
    found: dict[str, Any] = {}
    for each in filters:
        name = ".".join(each.path)
        if len(each.values) > MOST_VALUES:
            raise Malformed(f"has more than {MOST_VALUES} values", field=name)
        if name not in _TOLD:
            raise Malformed(f"cannot be filtered by; what can: {', '.join(_TOLD)}", field=name)
        if name == "externalId":
            values = {"in": list(each.values)}
            found["or"] = [{"reference": values}, {"externalId": values, "reference": {"eq": None}}]
        elif name in _TEXTS:
            found[name] = {"in": list(each.values)}
        elif name in _WORDS:
            _check(Word(words=_WORDS[name]), each.values, name)
            found[name] = {"in": [enum_name(value) for value in dict.fromkeys(each.values)]}
        else:
            _check(Time(), each.values, name)
            if len(each.values) != 1:
                raise Malformed("takes one time", field=name)
            bound = found.setdefault("changedAt", {"range": {}})["range"]
            bound[each.path[-1]] = write_time(read_time(each.values[0], name))
    return found


def _check(shape: Word | Time, values: Sequence[str], name: str) -> None:
    for value in values:
        for fault in faults(shape, value):
            raise Malformed(fault.problem, field=name)


def _forced(principal: Principal, wanted: dict[str, Any]) -> dict[str, Any]:
    if principal.effective is not Role.SYSTEM:
        return wanted
    return {"and": [{"system": {"eq": principal.system}}, wanted]}
