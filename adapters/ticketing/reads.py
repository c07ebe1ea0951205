"""Tickets are asked of the compiled reads, in the caller's scope, and shown as TMF621 (version 4) has them.

What is known here of a ticket is what its ticketing system has said, and whom it concerns; its notes and its history are asked
for there (the field `notes` of the GraphQL API). The ticketing system itself reads its own tickets. Our id is the id,
`externalId` the id that the ticketing system gave.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from adapters.endpoint.edge import Call
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
_FIELDS: Final = f"""id system externalId status severity changedAt customer {{ id name }}
  services(first: {MOST_NAMED}) {{ nodes {{ id name }} }} alarms(first: {MOST_NAMED}) {{ nodes {{ id }} }}"""
LIST: Final = questions("tickets", "Ticket", _FIELDS)


def listing_at(place: str) -> Listing:
    """Say what a list of tickets may be asked for by; `place` is where they are."""
    published = ("id", "href", "externalId", "name", "description", "ticketType", "status", "severity", UPDATED)
    return Listing(
        place=place,
        published=(*published, "relatedEntity", "relatedParty", "@type"),
        is_told=lambda each: ".".join(each.path) in _TOLD,
        told=_TOLD,
        orders={"id": "ID"},
        narrowed_by="status or lastUpdate.gte",
    )


async def part_of(
    call: Call, place: str, filters: Sequence[Filter], sorts: Sequence[Sort], offset: int, limit: int
) -> Part:
    """Give a part of the tickets that the caller sees, as TMF621 has them."""
    filter_ = _forced(call.principal, _filter_of(filters))
    order = in_full(orders_of(sorts, {"id": "ID"}), ())
    reader = Reader(port=call.port, principal=asked_as(call.principal), deadline=call.deadline)
    page = await reader.page(LIST, filter_, order, offset, limit)
    return Part(total=page.total, resources=[encode(each, place) for each in page.rows])


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
        "description": f"What is known of {known_as}",
        "ticketType": TICKET_TYPE,
        "status": _OURS[row["status"]],
        "severity": _OURS[row["severity"]],
        "relatedEntity": [*alarms, *services],
    }
    given = {"externalId": row["externalId"], UPDATED: row["changedAt"], "relatedParty": _parties(row["customer"])}
    return {**shown, **{name: value for name, value in given.items() if value}}


def _parties(customer: Mapping[str, Any] | None) -> list[dict[str, str]]:
    if not customer:
        return []
    return [{"id": customer["id"], "name": customer["name"], "role": "customer", "@referredType": CUSTOMER}]


def _filter_of(filters: Sequence[Filter]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in filters:
        name = ".".join(each.path)
        if len(each.values) > MOST_VALUES:
            raise Malformed(f"has more than {MOST_VALUES} values", field=name)
        if name in _TEXTS:
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
