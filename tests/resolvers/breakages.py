"""The predicate of the slice, taken away once for each kind of field: what a two-tenant test must notice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

from graph.compiler import slice as slices
from graph.compiler.bind import Names
from graph.compiler.clauses import All, Clause, Expr, Match, NodePattern, Query, Return, Sub, Var
from graph.compiler.parts import Recursion, element_type
from graph.compiler.query import Field
from graph.compiler.slice import Source, Walk
from graph.model.mapping import Along, AnyById, ById, Changed, Entities, Everything, ImpactField, PathField, SearchField
from graph.model.scope import ScopeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """One hole in the wall."""

    name: str
    kind: type
    """the kind of field that it opens."""
    target: str
    replacement: Any
    about: str
    """which questions are to notice."""
    stored: bool = False
    """whether it is in what is asked of a slice that is stored."""

    @contextmanager
    def made(self) -> Iterator[None]:
        """Make the hole, and close it."""
        with mock.patch(self.target, self.replacement):
            yield


def _all_see_it(*_arguments: object) -> Expr:
    return All(())


def _found_by_all(names: Names, _kind: ScopeKind, label: str, key: Expr, outer: tuple[str, ...] = ()) -> Source:
    return slices.by_id(names, ScopeKind.EVERYTHING, label, key, outer)


def _all_found_by_all(names: Names, _kind: ScopeKind, label: str, keys: Expr) -> Source:
    return slices.by_ids(names, ScopeKind.EVERYTHING, label, keys)


def _to_all(names: Names, walk: Walk) -> Source:
    return slices.along(names, ScopeKind.EVERYTHING, walk)


def _whole_label(names: Names, _kind: ScopeKind, label: str, having: str = "") -> Source:
    return slices.everything(names, ScopeKind.EVERYTHING, label, having)


def _count_of_label(recursion: Recursion, asked: Field, found: Source) -> Expr:
    label = recursion.mappings.label(element_type(recursion.schema, asked))
    if label is None:  # a relationship
        return Sub("COUNT", Query((*found.clauses, Return(Var(found.node)))))
    return Sub("COUNT", Query((Match(NodePattern("every", label)), Return(Var("every")))))


def _by_its_id_alone(_names: Names, label: str, key: str, var: str) -> tuple[Clause, ...]:
    return (Match(NodePattern(var, label, Var(key))),)


_NO_ROLE = SimpleNamespace(EVERYTHING=ScopeKind.CUSTOMERS, CUSTOMERS=ScopeKind.CUSTOMERS)

BREAKAGES = (
    Breakage(
        name="an object that is no member",
        kind=ById,
        target="graph.compiler.slice._stored",
        replacement=_by_its_id_alone,
        about="ById",
        stored=True,
    ),
    Breakage(
        name="entities that are no members",
        kind=Entities,
        target="graph.compiler.slice._stored",
        replacement=_by_its_id_alone,
        about="Entities",
        stored=True,
    ),
    Breakage(
        name="a step to what is no member",
        kind=Along,
        target="graph.compiler.slice._is_member",
        replacement=_all_see_it,
        about="AnyById",
        stored=True,
    ),
    Breakage(
        name="an object by its id",
        kind=ById,
        target="graph.compiler.compile.by_id",
        replacement=_found_by_all,
        about="ById",
    ),
    Breakage(
        name="any object by its id",
        kind=AnyById,
        target="graph.compiler.compile.by_id",
        replacement=_found_by_all,
        about="AnyById",
    ),
    Breakage(
        name="entities",
        kind=Entities,
        target="graph.compiler.compile.by_ids",
        replacement=_all_found_by_all,
        about="Entities",
    ),
    Breakage(
        name="what a change returns",
        kind=Changed,
        target="graph.compiler.compile.by_id",
        replacement=_found_by_all,
        about="Changed",
    ),
    Breakage(
        name="a step out of the slice",
        kind=Along,
        target="graph.compiler.slice.visible",
        replacement=_all_see_it,
        about="AnyById",
    ),
    Breakage(
        name="a list of what others have on a shared node",
        kind=Along,
        target="graph.compiler.slice._from_own",
        replacement=_to_all,
        about="AnyById",
    ),
    Breakage(
        name="a step that is taken for one inside",
        kind=Along,
        target="graph.model.mapping.Hop.inside",
        replacement=property(lambda _hop: True),
        about="AnyById",
    ),
    Breakage(
        name="a list of everything",
        kind=Everything,
        target="graph.compiler.compile.everything",
        replacement=_whole_label,
        about="Everything",
    ),
    Breakage(
        name="the total of a page",
        kind=Everything,
        target="graph.compiler.pages._total",
        replacement=_count_of_label,
        about="Everything",
    ),
    Breakage(
        name="an impact",
        kind=ImpactField,
        target="graph.compiler.impact.everything",
        replacement=_whole_label,
        about="ImpactField",
    ),
    Breakage(
        name="a search",
        kind=SearchField,
        target="graph.compiler.explore.everything",
        replacement=_whole_label,
        about="SearchField",
    ),
    Breakage(
        name="a path",
        kind=PathField,
        target="graph.compiler.explore.ScopeKind",
        replacement=_NO_ROLE,
        about="PathField",
    ),
)
