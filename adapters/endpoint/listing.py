"""A list of TM Forum's may be asked for by any published attribute and in any order (TMF630), and the graph can tell some of them.

What the graph can tell is asked of it. The rest is looked for among what is left, as it is shown to the caller: so nobody can ask
for what it does not see. That takes as long as there is something to look at, and is refused beyond `MOST_SCANNED`. An attribute
that no such resource has is refused in any case.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias

from starlette.responses import Response

from adapters.endpoint.edge import Call, answer
from adapters.errors import Malformed
from adapters.tmf.tmf630 import (
    COMPARED,
    Filter,
    ListQuery,
    Page,
    Sort,
    matches,
    page_headers,
    read_query,
    select,
    sorted_by,
)

PAGE: Final = 50
LONGEST_PAGE: Final = 100
LAST_OFFSET: Final = 100_000
"""An offset is walked; who wants more of a list narrows it."""
MOST_SCANNED: Final = 5_000
"""resources that are looked at one by one."""
MOST_SORTS: Final = 5


Orders: TypeAlias = Sequence[Mapping[str, str]]
"""What a compiled read is sorted by: `field`, and `direction`."""


def orders_of(sorts: Sequence[Sort], words: Mapping[str, str]) -> Orders:
    """Write what a list is sorted by as a compiled read takes it; `words` are the graph's, by attribute."""
    return [
        {"field": words[".".join(each.path)], "direction": "DESC" if each.is_descending else "ASC"} for each in sorts
    ]


def in_full(orders: Orders, usual: Orders) -> Orders:
    """Give the order of a list: that which is asked for, or the usual one, and by id where that says nothing."""
    wanted = list(orders or usual)
    return wanted if any(each["field"] == "ID" for each in wanted) else [*wanted, {"field": "ID"}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a list, and how long the list is."""

    total: int
    resources: Sequence[Mapping[str, Any]]


class Load(Protocol):
    """Gives a part of what the graph can tell."""

    def __call__(self, filters: Sequence[Filter], sorts: Sequence[Sort], offset: int, limit: int, /) -> Awaitable[Part]:
        """Give up to `limit` resources from the `offset`th on, as the caller sees them."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One kind of resource as lists have it."""

    place: str
    """where it is: `/tmf-api/alarmManagement/v4/alarm`."""
    published: Collection[str]
    """the names of its attributes."""
    is_told: Callable[[Filter], bool]
    """whether the graph can tell what a filter asks for."""
    told: Sequence[str]
    """the names of these filters, the usual ones."""
    orders: Mapping[str, str]
    """the attributes that the graph sorts by, and its word for each."""
    narrowed_by: str
    """what to filter by to get at the rest of a list that is too long."""


async def answer_list(call: Call, listing: Listing, load: Load) -> Response:
    """Answer a GET of a list."""
    asked = read_query(call.pairs, limit=PAGE, most=LONGEST_PAGE)
    if asked.offset > LAST_OFFSET:
        raise Malformed(f"is more than {LAST_OFFSET}; filter by {listing.narrowed_by} instead", field="offset")
    told = [each for each in asked.filters if listing.is_told(each)]
    rest = [each for each in asked.filters if not listing.is_told(each)]
    _check(rest, asked.sorts, listing)
    if rest or any(".".join(each.path) not in listing.orders for each in asked.sorts):
        part = await _scanned(told, rest, asked, listing, load)
    else:
        part = await load(told, asked.sorts, asked.offset, asked.limit)
    first = min(asked.offset, part.total)
    page = Page(total=part.total, first=first, end=first + len(part.resources), limit=asked.limit)
    body = [select(each, asked.fields) for each in part.resources]
    return answer(page.status, body, page_headers(page, listing.place, call.pairs))


def _check(rest: Sequence[Filter], sorts: Sequence[Sort], listing: Listing) -> None:
    """Refuse what no such resource has."""
    for each in rest:
        name = ".".join(each.path)
        is_plain = len(each.path) > 1 and each.path[0] in listing.told and each.path[-1] not in COMPARED
        if each.path[0] not in listing.published or is_plain:
            usual = ", ".join(listing.told)
            raise Malformed(f"cannot be filtered by; what can: {usual}, and other published attributes", field=name)
        if each.path[-1] in COMPARED:
            matches({}, [each])  # the values must be times
    if len(sorts) > MOST_SORTS or any(each.path[0] not in listing.published for each in sorts):
        raise Malformed(
            f"takes up to {MOST_SORTS} published attributes, with - before one to turn it round", field="sort"
        )


async def _scanned(
    told: Sequence[Filter], rest: Sequence[Filter], asked: ListQuery, listing: Listing, load: Load
) -> Part:
    """Look at all that is left, one by one."""
    found: list[Mapping[str, Any]] = []
    offset, total = 0, 1
    while offset < total:
        part = await load(told, (), offset, LONGEST_PAGE)
        total = part.total
        if total > MOST_SCANNED:
            field = ".".join(rest[0].path) if rest else "sort"
            text = f"can be asked for among at most {MOST_SCANNED}, and there are {total}; narrow the list by {listing.narrowed_by}"
            raise Malformed(text, field=field)
        if not part.resources:
            break
        found += [each for each in part.resources if matches(each, rest)]
        offset += len(part.resources)
    ordered = sorted_by(found, asked.sorts)
    return Part(total=len(ordered), resources=ordered[asked.offset : asked.offset + asked.limit])
