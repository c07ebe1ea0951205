"""Orders are asked of the compiled reads, in the caller's scope; a system is shown the orders that it has placed.

What an order came as is not in a customer's slice: there are two texts, with it and without. Each item brings what it has to do with others,
so that a page of orders is read in parts, each within what an operation may cost.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.listing import Listing, Part, in_full, orders_of
from adapters.endpoint.reading import Questions, Reader, asked_as, questions
from adapters.errors import Malformed
from adapters.order_management.api import Api
from adapters.order_management.encode import encode, encode_cancellation
from adapters.tmf.shape import Time, Word, faults
from adapters.tmf.tmf630 import COMPARED, Filter, Sort, read_time, write_time
from graph.changes.orders.requests import MOST_RELATIONS
from graph.changes.policy import Ordering
from graph.model.mapping import enum_name
from graph.model.model import LABELS
from graph.model.scope import Principal, Role
from graph.model.vocabulary import CANCELLATION_STATES, ORDER_STATES

MOST_VALUES: Final = 100
_OWN_ID: Final = re.compile(LABELS["Order"].id_prefix + "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_AT_ONCE: Final = 90_000
"""what one question may cost, as `gateway/operations/cost.py` counts: less than an operation may,"""
_OF_ITEM: Final = 4 * (1 + MOST_RELATIONS)
"""and what an item costs of it."""
_DATES: Final[Mapping[str, str]] = MappingProxyType(
    {"orderDate": "orderedAt", "requestedCompletionDate": "requestedCompletionAt"}
)
_TEXTS: Final = ("id", "externalId", "category", "priority")
_TOLD: Final = (*_TEXTS, "state", *(f"{name}.{each}" for name in _DATES for each in COMPARED))
_ORDERS: Final = {"id": "ID"}
_ITEM: Final = f"""externalId state action product offering quantity position failure service {{ id name }}
      relatesTo(first: {MOST_RELATIONS}) {{ nodes {{ relationshipType other {{ externalId }} }} }}"""
_FIELDS: Final = """id externalId system state description category priority orderedAt requestedStartAt requestedCompletionAt
    expectedCompletionAt startedAt completedAt cancelledAt cancellationReason customer { id name }"""


def _asking(most_items: int, *, whole: bool, why: bool) -> Questions:
    """Write the questions to a list of orders with up to so many items; `whole`: as they came, too; `why`: why one has failed, in full."""
    came = " request" if whole else ""
    detail = " failureDetail" if why else ""
    fields = f"{_FIELDS}{came} items(first: {most_items}) {{ nodes {{ {_ITEM}{came}{detail} }} }}"
    return questions("orders", "Order", fields)


_CANCELLATIONS: Final = questions(
    "orderCancellations", "OrderCancellation", "id state reason requestedFor askedAt effectiveAt order { id }"
)
_PUBLISHED: Final = (
    *("id", "href", "@type", "@baseType", "@schemaLocation", "state", *_TEXTS, "description", "note", "relatedParty"),
    *("orderDate", "completionDate", "expectedCompletionDate", "requestedStartDate", "requestedCompletionDate"),
    *("cancellationDate", "cancellationReason", "notificationContact", "startDate", "channel", "agreement"),
    *("billingAccount", "externalReference", "orderRelationship", "orderTotalPrice", "payment", "quote"),
)
_PUBLISHED_OF_CANCELLATIONS: Final = (
    *("id", "href", "@type", "state", "cancellationReason", "requestedCancellationDate", "effectiveCancellationDate"),
)


def orders_listing(api: Api) -> Listing:
    """Say what a list of orders may be asked for by."""
    return Listing(
        place=api.place,
        published=(*_PUBLISHED, api.item),
        is_told=lambda each: ".".join(each.path) in _TOLD,
        told=_TOLD,
        orders=_ORDERS,
        narrowed_by="state or orderDate.gte",
    )


def cancellations_listing(api: Api) -> Listing:
    """Say what a list of requests to cancel may be asked for by."""
    return Listing(
        place=api.cancel_place,
        published=(*_PUBLISHED_OF_CANCELLATIONS, api.order),
        is_told=lambda each: each.path in (("id",), ("state",)),
        told=("id", "state"),
        orders=_ORDERS,
        narrowed_by="state",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReads:
    """What one caller may read of one API, until its deadline."""

    api: Api
    port: Port
    principal: Principal
    deadline: float
    """by `time.monotonic()`."""

    async def part(self, filters: Sequence[Filter], sorts: Sequence[Sort], offset: int, limit: int) -> Part:
        """Give a part of the orders that the caller sees, as the API has them."""
        wanted = {"and": [self._own(), *(filter_of([each]) for each in filters)]}
        order = in_full(orders_of(sorts, _ORDERS), ())
        asked = _asking(self._most_items, whole=self._is_whole, why=self._is_of_house)
        total, rows, step = 0, list[Mapping[str, Any]](), self._step
        for start in range(0, limit, step):
            page = await self._reader.page(asked, wanted, order, offset + start, min(step, limit - start))
            total, rows = page.total, [*rows, *page.rows]
            if offset + start + step >= total:
                break
        return Part(total=total, resources=[encode(self.api, each) for each in rows])

    async def one(self, order_id: str) -> Mapping[str, Any] | None:
        """Give an order; None when there is none that the caller sees."""
        part = await self.part([Filter(path=("id",), values=(order_id,))], (), 0, 1)
        return part.resources[0] if part.resources else None

    async def cancellations(self, filters: Sequence[Filter], sorts: Sequence[Sort], offset: int, limit: int) -> Part:
        """Give a part of the requests to cancel orders that the caller sees."""
        wanted = {"and": [self._own(), *map(_filter_of_cancellation, filters)]}
        order = in_full(orders_of(sorts, _ORDERS), ())
        page = await self._reader.page(_CANCELLATIONS, wanted, order, offset, limit)
        shown = [encode_cancellation(self.api, each) for each in page.rows if each["order"]]
        return Part(total=page.total, resources=shown)

    async def cancellation(self, cancellation_id: str) -> Mapping[str, Any] | None:
        """Give a request to cancel; None when there is none that the caller sees."""
        part = await self.cancellations([Filter(path=("id",), values=(cancellation_id,))], (), 0, 1)
        return part.resources[0] if part.resources else None

    def _own(self) -> dict[str, Any]:
        """Give the filter of what this API has for the caller: a system has what it has placed."""
        own: dict[str, Any] = {"kind": {"eq": enum_name(self.api.kind)}}
        if self.principal.effective is Role.SYSTEM:
            own["system"] = {"eq": self.principal.system}
        return own

    @property
    def _is_whole(self) -> bool:
        return self.principal.effective is not Role.CUSTOMER

    @property
    def _is_of_house(self) -> bool:
        """Whether the caller may learn what others have: which ports and trunks are full, and by how much."""
        return self.principal.effective in (Role.OPERATOR, Role.ANALYST)

    @property
    def _most_items(self) -> int:
        return (self.port.policy.ordering or Ordering()).most_items

    @property
    def _step(self) -> int:
        """How many orders are asked for together."""
        return max(1, _AT_ONCE // (self._most_items * _OF_ITEM))

    @property
    def _reader(self) -> Reader:
        return Reader(port=self.port, principal=asked_as(self.principal), deadline=self.deadline)


def filter_of(filters: Sequence[Filter]) -> dict[str, Any]:
    """Make the filter that holds for exactly the orders that were asked for; raises Malformed for what the graph cannot tell."""
    found: dict[str, Any] = {}
    for each in filters:
        name = ".".join(each.path)
        if name not in _TOLD:
            raise Malformed(f"cannot be filtered by; what can: {', '.join(_TOLD)}", field=name)
        if len(each.values) > MOST_VALUES:
            raise Malformed(f"has more than {MOST_VALUES} values", field=name)
        if name == "externalId":  # one that nobody has given is ours
            values = [value for value in each.values if not _OWN_ID.fullmatch(value)]
            found |= {"externalId": {"in": values}} if values else {"id": {"in": []}}
        elif name in _TEXTS:
            found[name] = {"in": list(each.values)}
        elif name == "state":
            found["state"] = {"in": _words(ORDER_STATES, each.values)}
        else:
            bound = found.setdefault(_DATES[each.path[0]], {"range": {}})["range"]
            bound[each.path[-1]] = _moment(each.values, name)
    return found


def _filter_of_cancellation(wanted: Filter) -> dict[str, Any]:
    if len(wanted.values) > MOST_VALUES:
        raise Malformed(f"has more than {MOST_VALUES} values", field=wanted.path[0])
    if wanted.path == ("id",):
        return {"id": {"in": list(wanted.values)}}
    return {"state": {"in": _words(CANCELLATION_STATES, wanted.values)}}


def _words(words: tuple[str, ...], values: Sequence[str]) -> list[str]:
    _check(Word(words=words), values, "state")
    return [enum_name(value) for value in dict.fromkeys(values)]


def _moment(values: Sequence[str], name: str) -> str:
    _check(Time(), values, name)
    if len(values) != 1:
        raise Malformed("takes one time", field=name)
    return write_time(read_time(values[0], name))


def _check(shape: Word | Time, values: Sequence[str], name: str) -> None:
    for value in values:
        for fault in faults(shape, value):
            raise Malformed(fault.problem, field=name)
