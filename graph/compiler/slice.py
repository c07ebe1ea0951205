"""The caller's slice, as Cypher: where a list starts, and what a single node must satisfy.

Nothing else in the compiler writes a condition of visibility. A node is reached in one of four ways, and each has its
function here: as the start of a list (`everything`), by its id (`visible`), along relationships from a node that is
already in the slice (`along`), or as one of a set that was found otherwise (`visible` again). A step that the model
marks as inside needs no condition: whoever may see its start may see its end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from graph.compiler.bind import ScopeIds
from graph.compiler.clauses import (
    All,
    AnyOf,
    Binary,
    Clause,
    Const,
    Expr,
    Get,
    HasLabel,
    Match,
    NodePattern,
    Query,
    Return,
    Step,
    Sub,
    Union,
    Var,
    With,
)
from graph.compiler.names import Names
from graph.errors import Refused
from graph.model.mapping import Hop
from graph.model.model import RELATIONSHIPS
from graph.model.scope import ScopeKind, slice_paths


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Clauses that bind a row's node, and its last relationship and the node before where a list is of relationships."""

    clauses: tuple[Clause, ...]
    node: str
    relationship: str = ""
    near: str = ""
    reverse: bool = False
    """whether the last relationship points from `node` to `near`."""

    def where(self, condition: Expr) -> tuple[Clause, ...]:
        """Give the clauses with one more condition at the last of them."""
        if condition == All(()):
            return self.clauses
        *before, last = self.clauses
        assert isinstance(last, (Match, With))
        return (*before, replace(last, where=both(last.where, condition)))


def both(*conditions: Expr) -> Expr:
    """Join conditions, leaving out those that say nothing."""
    parts: list[Expr] = []
    for each in conditions:
        parts += each.items if isinstance(each, All) else (each,)
    return All(tuple(parts))


def visible(names: Names, kind: ScopeKind, var: str, labels: Sequence[str]) -> Expr:
    """Give the condition that a node, of one of these labels, is in the caller's slice."""
    match kind:
        case ScopeKind.EVERYTHING:
            return All(())
        case ScopeKind.CUSTOMERS if len(labels) == 1:
            return _owned(names, var, labels[0])
        case ScopeKind.CUSTOMERS:
            return AnyOf(tuple(both(HasLabel(var, each), _owned(names, var, each)) for each in labels))
        case ScopeKind.NOTHING:
            raise Refused("This caller reads nothing here.", code="FORBIDDEN", hint="Use a token with another role.")
        case never:
            assert_never(never)


def _owned(names: Names, var: str, label: str) -> Expr:
    if label == "Customer":
        return Binary("IN", Get(var, "id"), names.parameter(ScopeIds()))
    return AnyOf(tuple(Sub("EXISTS", Query((_from_customer(names, path, var, ""),))) for path in slice_paths(label)))


def _from_customer(names: Names, path: tuple[Hop, ...], var: str, label: str) -> Match:
    """Match a path of the slice from the caller's customers to a node."""
    owner = names.variable()
    steps = [Step(hop.type, hop.reverse, NodePattern("", hop.label)) for hop in path[:-1]]
    steps.append(Step(path[-1].type, path[-1].reverse, NodePattern(var, label)))
    return Match(NodePattern(owner, "Customer"), tuple(steps), where=_named(names, owner))


def _named(names: Names, customer: str) -> Expr:
    return Binary("IN", Get(customer, "id"), names.parameter(ScopeIds()))


def _gathered(names: Names, path: tuple[Hop, ...], var: str) -> tuple[Clause, ...]:
    """Gather the nodes at the end of a path of the slice, each once after every step.

    Thousands of services share a few trunks: without this a hub customer's sites are counted once per service.
    """
    owner = names.variable()
    clauses: list[Clause] = []
    here = owner
    for index, hop in enumerate(path):
        there = var if index == len(path) - 1 else names.variable()
        where = _named(names, owner) if index == 0 else All(())
        label = "Customer" if index == 0 else ""
        step = Step(hop.type, hop.reverse, NodePattern(there, hop.label))
        clauses += [Match(NodePattern(here, label), (step,), where=where), With(((Var(there), ""),), distinct=True)]
        here = there
    return tuple(clauses)


def everything(names: Names, kind: ScopeKind, label: str, having: str = "") -> Source:
    """Start a list of all nodes of a label in the slice; a customer's begins at the customer, never at the label."""
    found = _everything(names, kind, label)
    # A range that excludes nothing but absence: read from the property's index.
    return replace(found, clauses=found.where(Binary(">=", Get(found.node, having), Const("")))) if having else found


def _everything(names: Names, kind: ScopeKind, label: str) -> Source:
    var = names.variable()
    match kind:
        case ScopeKind.EVERYTHING:
            return Source(clauses=(Match(NodePattern(var, label)),), node=var)
        case ScopeKind.CUSTOMERS if label == "Customer":
            return Source(clauses=(Match(NodePattern(var, label), where=_owned(names, var, label)),), node=var)
        case ScopeKind.CUSTOMERS:
            return _owned_nodes(names, label, var)
        case ScopeKind.NOTHING:
            raise Refused("This caller reads nothing here.", code="FORBIDDEN", hint="Use a token with another role.")
        case never:
            assert_never(never)


def _owned_nodes(names: Names, label: str, var: str) -> Source:
    paths = slice_paths(label)
    if not paths:
        return Source(clauses=(Match(NodePattern(var, label), where=Const(value=False)),), node=var)
    if len(paths) == 1:
        return Source(clauses=_gathered(names, paths[0], var), node=var)
    ways = tuple(Query((*_gathered(names, path, var), Return(Var(var)))) for path in paths)
    return Source(clauses=(Union(ways), With(((Var(var), ""),))), node=var)


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A walk over relationships from a node of the slice."""

    start: str
    path: tuple[Hop, ...]
    labels: Sequence[str]
    """the labels that the end may have, where the last hop leaves that open."""
    outer: tuple[str, ...]
    once: bool
    """whether each node counts once, however many relationships lead to it."""


def along(names: Names, kind: ScopeKind, walk: Walk) -> Source:
    """Follow relationships from a node of the slice, to nodes of the slice."""
    start, path, labels, outer = walk.start, walk.path, walk.labels, walk.outer
    steps: list[Step] = []
    conditions: list[Expr] = []
    near, relationship, node = start, "", start
    for hop in path:
        near, relationship, node = node, names.variable(), names.variable()
        steps.append(Step(hop.type, hop.reverse, NodePattern(node, hop.label), relationship))
        if not hop.inside:
            conditions.append(visible(names, kind, node, (hop.label,) if hop.label else labels))
    clauses: tuple[Clause, ...] = (Match(NodePattern(start), tuple(steps), where=both(*conditions)),)
    if walk.once and _repeats(path):
        kept = tuple((Var(each), "") for each in (*outer, node))
        return Source(clauses=(*clauses, With(kept, distinct=True)), node=node)
    return Source(clauses=clauses, node=node, relationship=relationship, near=near, reverse=path[-1].reverse)


def _repeats(path: tuple[Hop, ...]) -> bool:
    """Tell whether a node may be met twice: by parallel relationships, or by different ways."""
    parallel = any(RELATIONSHIPS[hop.type].properties for hop in path)
    return parallel or not all(_single(hop) for hop in path[:-1])


def _single(hop: Hop) -> bool:
    known = RELATIONSHIPS[hop.type]
    return known.one_start if hop.reverse else known.one_end
