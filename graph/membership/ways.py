"""Which relationships put a shared node into a customer's slice follows from the model; here they become statements.

Every text is made when this module is imported, from the names of the model and nothing else. A step is taken for many
nodes at once, each distinct: thousands of services lead to a few trunks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from graph.model.mapping import Hop
from graph.model.model import LABELS
from graph.model.scope import STORED, is_shared, slice_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A relationship on the way from a customer to a shared node."""

    near: str
    """the label of the end that is nearer to the customer."""
    hop: Hop


def _taken(step: Step) -> str:
    """Make the statement that takes a step: `$batch.ids` are near nodes; rows are ids of far ones."""
    far = f"{_arrow(step.hop)}(far:{step.hop.label})"
    return f"UNWIND $batch.ids AS id MATCH (near:{step.near} {{id: id}}){far} RETURN DISTINCT far.id"


def _arrow(hop: Hop) -> str:
    return f"<-[:{hop.type}]-" if hop.reverse else f"-[:{hop.type}]->"


def _depth(label: str) -> int:
    return max(map(len, slice_paths(label)))


def _steps() -> tuple[Step, ...]:
    """Give each step once, those that lead to a label before those that lead on from it."""
    found = {
        Step(near=before, hop=hop)
        for label in SHARED
        for path in slice_paths(label)
        for before, hop in zip(("Customer", *(each.label for each in path)), path, strict=False)
    }
    return tuple(sorted(found, key=lambda each: (_depth(each.near), each.near, each.hop.type)))


def _behind(label: str) -> tuple[str, ...]:
    """Make the statements that go from nodes of a label (`$batch.ids`) back to customers whose slice is stored."""
    return tuple(_back(label, path) for path in slice_paths(label))


def _back(label: str, path: tuple[Hop, ...]) -> str:
    text = f"UNWIND $batch.ids AS id MATCH (n{len(path)}:{label} {{id: id}})"
    nodes = ["Customer", *(hop.label for hop in path)]
    for place in range(len(path) - 1, -1, -1):
        back = Hop(type=path[place].type, reverse=not path[place].reverse, label=nodes[place])
        text += f" WITH DISTINCT n{place + 1} MATCH (n{place + 1}){_arrow(back)}(n{place}:{nodes[place]})"
    return f"{text} WHERE NOT n0.{STORED} IS NULL RETURN DISTINCT n0.id"


def _drop(label: str) -> str:
    """Make the statement that takes memberships away (rows of id, customer, node) where no way is left to the node."""
    ways = (_way(label, path) for path in slice_paths(label))
    conditions = " AND ".join(f"NOT EXISTS {{ {each} }}" for each in ways)
    return f"UNWIND $batch.rows AS row MATCH (m:Membership {{id: row.id}}) WHERE {conditions} DELETE m"


def _way(label: str, path: tuple[Hop, ...]) -> str:
    steps = "".join(f"{_arrow(hop)}(:{hop.label})" for hop in path[:-1])
    return f"MATCH (c:Customer {{id: row.customer}}){steps}{_arrow(path[-1])}(n:{label} {{id: row.node}}) RETURN n"


SHARED: Final = tuple(label for label in LABELS if is_shared(label))
STEPS: Final = _steps()
TAKE: Final[Mapping[Step, str]] = MappingProxyType({each: _taken(each) for each in STEPS})
BEHIND: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({each.near: _behind(each.near) for each in STEPS})
"""By the label of the near end of a step."""
DROP: Final[Mapping[str, str]] = MappingProxyType({label: _drop(label) for label in SHARED})
"""By the label of the shared node."""
FROM_END: Final[Mapping[str, bool]] = MappingProxyType({each.hop.type: each.hop.reverse for each in STEPS})
"""The types of relationships that put shared nodes into slices, and whether the end is what is nearer to the customer."""
