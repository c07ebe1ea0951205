"""How a GraphQL type and field stand in the graph: closed sets of values that declare, and do nothing.

The schema belongs to the rooms above, the compiler to this one. Where they meet, each field carries one of these values
as metadata (`resolvers.knowledge` writes them, Strawberry keeps them, the SDL does not show them) and the compiler reads
them from `Mappings`. A new kind of field is a new member of `FieldMapping`; mypy then names every `match` that lacks it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graph.model.model import LABELS, RELATIONSHIPS, Inside


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """One relationship followed in one direction."""

    type: str
    reverse: bool
    label: str = ""
    """the label arrived at; empty where the relationship may end on several."""

    def __post_init__(self) -> None:
        if self.type not in RELATIONSHIPS:
            raise ValueError(f"no relationship {self.type} in the model")

    @property
    def inside(self) -> bool:
        """Tell whether this step keeps a customer inside its slice."""
        wanted = Inside.REVERSE if self.reverse else Inside.FORWARD
        return RELATIONSHIPS[self.type].inside is wanted

    @property
    def single(self) -> bool:
        """Tell whether this step leads to one node at most."""
        known = RELATIONSHIPS[self.type]
        return known.one_start if self.reverse else known.one_end


def hops(*texts: str) -> tuple[Hop, ...]:
    """Read hops as they are drawn: `SUBSCRIBES_TO>` forward, `<HAS_PORT` against the arrow.

    >>> [(h.type, h.label) for h in hops("<HAS_PORT", "<HOLDS")]
    [('HAS_PORT', 'Card'), ('HOLDS', 'NetworkElement')]

    Where a relationship may end on several labels, one of them can be named.

    >>> hops("STEP_OF>:Boost")[0].label
    'Boost'
    """
    return tuple(_hop(text) for text in texts)


def _hop(text: str) -> Hop:
    drawn, _, label = text.partition(":")
    reverse = drawn.startswith("<")
    name = drawn.strip("<>")
    known = RELATIONSHIPS[name]
    far = known.starts if reverse else known.ends
    if label and label not in far:
        raise ValueError(f"{drawn} leads to no {label}")
    return Hop(type=name, reverse=reverse, label=label or (far[0] if len(far) == 1 else ""))


# Types -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeType:
    """Objects of this type are nodes of one label."""

    label: str

    def __post_init__(self) -> None:
        if self.label not in LABELS:
            raise ValueError(f"no label {self.label} in the model")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationType:
    """Objects of this type are relationships: their properties, and the nodes at both ends."""

    type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputedType:
    """Objects of this type exist only in an answer (Impact, Viewer, Path and their parts)."""


TypeMapping = NodeType | RelationType | ComputedType


# Fields ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A value of the object itself: a property of its node or relationship, or a column of a computed one."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EndOf:
    """The node at one end of a relation object: `start` or `end`, or a named node of a computed object."""

    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Along:
    """What is reached over relationships: one object, a list or a page, as the field's own type says."""

    hops: tuple[Hop, ...]
    order: tuple[str, ...] = ()
    """the order of a list that is not a page: properties of the last relationship; then by id."""
    at_most: int = 1_000
    """the bound of a list that is not a page; one that has more is refused, never cut."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ById:
    """The node of a label with the id in argument `id`."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyById:
    """The node with the id in argument `id`; its label is in the id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Everything:
    """A page of all nodes of a label that the caller may see."""

    label: str
    having: str = ""
    """a text property; nodes that lack it are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entities:
    """Federation's `_entities(representations:)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouped:
    """An object of no node, that only groups its fields: `viewer`, `_service`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCaller:
    """`role` or `subject` of the caller."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixed:
    """A text that is the same in every answer."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactField:
    """`impact(of:, assume:)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactList:
    """The `services` or `customers` of an impact, worst first, or its `counts` by severity and effect."""

    of: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PathField:
    """`path(from:, to:)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathNodes:
    """The nodes of one label along a path, in order."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchField:
    """`search(text:, first:)`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A node by the id that a change returned, or that an event kept; the payload's other fields are given."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """The object of a subscription's root field: what happened, whose stored values were kept when it did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRows:
    """A list of what happened to several nodes of a label: rows of kept values, of which the first is a node's id."""

    name: str
    label: str
    columns: tuple[str, ...]
    """the names of a row's values, that of the id included."""
    role: str
    """by which name the objects of the list know the node."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNode:
    """The node of a kept id, whose label is one of those that the field's type may have.

    It is kept under `name:Label` for its own label, and empty under all others.
    """

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptNodes:
    """A list of the nodes of a label whose ids were kept, as they are now; those that the caller may not see are left out."""

    name: str
    label: str


FieldMapping = (
    Stored
    | EndOf
    | Along
    | ById
    | AnyById
    | Everything
    | Entities
    | Grouped
    | OfCaller
    | Fixed
    | ImpactField
    | ImpactList
    | PathField
    | PathNodes
    | SearchField
    | Changed
    | Happening
    | KeptRows
    | KeptNode
    | KeptNodes
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mappings:
    """Everything the compiler knows of a schema besides the schema itself."""

    types: Mapping[str, TypeMapping]
    fields: Mapping[tuple[str, str], FieldMapping]

    def label(self, type_name: str) -> str | None:
        """Give the label of a node type, None for any other type."""
        match self.types.get(type_name):
            case NodeType(label=label):
                return label
            case _:
                return None


def enum_name(word: str) -> str:
    """Spell a vocabulary word as a GraphQL enum value.

    >>> enum_name("atRisk"), enum_name("PREMIUM"), enum_name("A")
    ('AT_RISK', 'PREMIUM', 'A')
    """
    if word.isupper():
        return word
    return "".join("_" + c if c.isupper() else c.upper() for c in word)
