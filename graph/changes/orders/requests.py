"""What somebody orders, as values that cannot be wrong by themselves: whether it may be had is looked at where it is placed.

Refused here, with the field: no item, an item whose id is another's, a relationship to an item that is not there, relationships in a circle
(nobody could say what comes first), an order that asks for nothing, a text that is too long or no text, an end before its beginning.

>>> ring = [ItemRequest(id=a, relations=(Relation(to=b, kind="reliesOn"),)) for a, b in (("1", "2"), ("2", "1"))]
>>> OrderRequest(kind="product", items=tuple(ring))
Traceback (most recent call last):
    ...
graph.errors.Refused: Items are related in a circle: 1, 2, 1
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final, Literal, TypeAlias

import orjson

from graph.changes.catalogue import MOST_MBPS
from graph.errors import Refused
from graph.model.bounds import INTEGERS, text_problem
from graph.model.kinds import LONGEST, Form

Kind: TypeAlias = Literal["product", "service"]
Action: TypeAlias = Literal["add", "modify", "delete", "noChange"]

LONGEST_DESCRIPTION: Final = 10_000
"""characters; also of a reason."""
MOST_RELATIONS: Final = 20
"""of one item."""
_CHANGING: Final = frozenset({"modify", "delete"})
_OF_NEW: Final = frozenset({"site_a", "site_z", "mbps", "characteristics"})
"""What an item says of a new service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """What an item has to do with another of the same order."""

    to: str
    """the other's id within the order."""
    kind: str
    """in the words of whoever orders: reliesOn, bundles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRequest:
    """One item that is asked for."""

    id: str
    """within the order."""
    action: Action = "add"
    product: str = ""
    """what it is called."""
    offering: str = ""
    """what it is sold as: its id, or its name."""
    service: str = ""
    """which service is to be changed, as whoever orders names it."""
    quantity: int | None = None
    relations: tuple[Relation, ...] = ()
    size: int = 1
    """so many items it stands for: itself, and those within it."""
    site_a: str = ""
    """where one end of a new service is to be, as whoever orders names the site,"""
    site_z: str = ""
    """and the other end."""
    mbps: int | None = None
    """the rate of a new service; None: `characteristics` say it, or the product."""
    characteristics: Mapping[str, object] = field(default_factory=dict)
    """what else is said of what is ordered, by its names there."""
    request: Mapping[str, Any] | None = None
    """the item as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Whose order it is, as whoever orders says."""

    id: str = ""
    """our id, or what they call the customer."""
    name: str = ""
    segment: str = ""
    account: str = ""
    is_reference: bool = False
    """whether it is said to be a customer that is known: none is made of that without a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRequest:
    """What is asked for."""

    kind: Kind
    items: tuple[ItemRequest, ...]
    external_id: str = ""
    """what whoever orders calls it; empty: nothing."""
    party: Party | None = None
    description: str = ""
    category: str = ""
    priority: str = ""
    requested_start: int | None = None
    """epoch milliseconds."""
    requested_completion: int | None = None
    request: Mapping[str, Any] | None = None
    """the order as it came, without its items."""

    def __post_init__(self) -> None:
        _check_names(self)
        _check_items(self.items)
        _check_circle(self.items)
        check_interval(self.requested_start, self.requested_completion)

    @property
    def size(self) -> int:
        """How many items it has, those within others included."""
        return sum(each.size for each in self.items)

    @property
    def content(self) -> str:
        """Equal for equal orders."""
        return hashlib.sha256(orjson.dumps(self.given(), option=orjson.OPT_SORT_KEYS)).hexdigest()

    def given(self) -> dict[str, object]:
        """Give all that it says, for JSON.

        Sites, rates and characteristics are left out where an item says none, or its `request` has them: what was placed before they were
        known is the same order still.
        """
        return {**asdict(self), "items": [_given(each) for each in self.items]}


def _given(item: ItemRequest) -> dict[str, object]:
    said = asdict(item)
    known = item.request is not None
    return {name: value for name, value in said.items() if not (name in _OF_NEW and (known or not value))}


def bad(message: str, *path: str, hint: str = "") -> Refused:
    """Give the refusal of what cannot be; `path` is the field."""
    return Refused(message, code="BAD_USER_INPUT", path=path, hint=hint)


def check_text(text: str, *path: str, most: int = LONGEST_DESCRIPTION) -> None:
    """Raise Refused for what is too long or no text; what is empty is nothing."""
    if len(text) > most:
        raise bad(f"It has {len(text)} characters, and at most {most} are taken", *path)
    # The bound of a form is its own; here only its characters count.
    for begin in range(0, len(text), LONGEST):
        if problem := text_problem(Form.TEXT, text[begin : begin + LONGEST]):
            raise bad(f"It {problem}", *path)


def check_interval(start: int | None, end: int | None) -> None:
    """Raise Refused for an end before its beginning."""
    if start is not None and end is not None and end < start:
        raise bad("It is to be completed before it is to begin", "requestedCompletionAt")


def past_problem(start: int | None, end: int | None, *, now: int, skew: int) -> Refused | None:
    """Give the refusal of what is asked for a time that is over, as far as clocks may differ."""
    for value, name in ((start, "requestedStartAt"), (end, "requestedCompletionAt")):
        if value is not None and value < now - skew:
            return bad("It lies in the past", name)
    return None


def _check_names(order: OrderRequest) -> None:
    check_text(order.description, "description")
    texts = {"externalId": order.external_id, "category": order.category, "priority": order.priority}
    for name, text in texts.items():
        _check_name(text, name)
    if order.party is not None:
        party = {"id": order.party.id, "name": order.party.name}
        for name, text in (party | {"segment": order.party.segment, "account": order.party.account}).items():
            _check_name(text, "customer", name)


def _check_name(text: str, *path: str) -> None:
    if text and (problem := text_problem(Form.NAME, text)):
        raise bad(f"It {problem}", *path)


def _check_items(items: tuple[ItemRequest, ...]) -> None:
    if not items:
        raise bad("An order has at least one item", "items")
    if all(each.action == "noChange" for each in items):
        raise bad("Nothing is to be done: every item is noChange", "items")
    seen: set[str] = set()
    for number, each in enumerate(items):
        place = ("items", str(number))
        for problem in _problems(each, place):
            raise problem
        if each.id in seen:
            raise bad(f"Another item has the id {each.id} already", *place, "id")
        seen.add(each.id)


def _problems(item: ItemRequest, place: tuple[str, ...]) -> Iterator[Refused]:
    texts = {"product": item.product, "offering": item.offering, "siteA": item.site_a, "siteZ": item.site_z}
    for name, text in {"id": item.id, **texts}.items():
        if problem := text_problem(Form.NAME if name == "id" else Form.TEXT, text):
            yield bad(f"It {problem}", *place, name)
    if item.mbps is not None and not 1 <= item.mbps <= MOST_MBPS:
        yield bad(f"It is no rate from 1 to {MOST_MBPS} Mbit/s", *place, "mbps")
    if item.quantity is not None and (item.quantity < 1 or item.quantity not in INTEGERS):
        yield bad(f"It is no number from 1 to {INTEGERS[-1]}", *place, "quantity")
    if item.action in _CHANGING and not item.service:
        yield bad(f"It does not say which service to {item.action}", *place, "serviceId")
    if len(item.relations) > MOST_RELATIONS:
        yield bad(f"It has {len(item.relations)}, and at most {MOST_RELATIONS} are taken", *place, "relationships")
    for each in item.relations:
        if problem := text_problem(Form.TEXT, each.kind):
            yield bad(f"Its relationshipType {problem}", *place, "relationships")


def _check_circle(items: tuple[ItemRequest, ...]) -> None:
    places = {each.id: str(number) for number, each in enumerate(items)}
    for each in items:
        for relation in each.relations:
            if relation.to not in places:
                raise bad(f"There is no item {relation.to}", "items", places[each.id], "relationships")
    try:
        TopologicalSorter({each.id: [one.to for one in each.relations] for each in items}).prepare()
    except CycleError as circle:
        ring = [str(each) for each in circle.args[1]]
        text = f"Items are related in a circle: {', '.join(ring)}"
        raise bad(text, "items", min((places[each] for each in ring), key=int), "relationships") from None
