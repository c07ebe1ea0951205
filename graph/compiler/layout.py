"""Where in the record each key of the answer stands: what the compiler promises and the shaper relies on.

A row is a list; a member of an object names its index in the row of that object. `Page` members that share rows (two
aliases of `nodes`, say) point into one longer row.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A scalar or enum value; `type` is its GraphQL name."""

    index: int
    type: str
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A value that is known without asking: `__typename`."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """Members of an object whose type is known; the row may be null where `required` is false."""

    type: str
    members: tuple[tuple[str, Member], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An object of one of several types: the row's first place names the type, the rest is that type's row."""

    options: tuple[Object, ...]


Body = Object | Choice


@dataclass(frozen=True, slots=True, kw_only=True)
class One:
    """A nullable object in a place of the row."""

    index: int
    body: Body
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A nullable object whose values stand in the enclosing row; it is there if the value at `index` is."""

    index: int
    body: Object
    required: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """An object whose values stand in the enclosing row."""

    body: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A list of objects that are never null."""

    index: int
    body: Body


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityList:
    """`_entities`: one aligned list per type, put back in the order of the representations."""

    index: int
    slot: int
    options: tuple[Object, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AllThere:
    """A member that is refused where the list at `index` lacks an id of an argument."""

    index: int
    slot: int
    argument: str
    key: str
    """of the member in the answer."""
    of: One


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The opaque place of a row: its order keys are the list at this index."""

    index: int
    context: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """`totalCount`: a place in the row that encloses the page."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PageInfo:
    """`pageInfo`: its keys, each with the name of the field asked for."""

    keys: tuple[tuple[str, str], ...]
    cursor: Cursor | None
    """None where no cursor is asked for."""
    beyond: bool
    """whether there is something on the side that the page was reached from: a cursor was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes:
    """`nodes`: a row each."""

    body: Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """`edges`: keys that are a cursor, a node or a type name."""

    members: tuple[tuple[str, Cursor | Object | Constant], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A connection; `index` is None where only its total is asked for."""

    index: int | None
    slot: int
    backward: bool
    members: tuple[tuple[str, PageMember], ...]


PageMember = Constant | Total | PageInfo | Nodes | Edges
Member = Leaf | Constant | One | Joined | Inline | Many | EntityList | AllThere | Page
