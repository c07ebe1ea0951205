"""Connections: a page of a list by keyset, its total, and what comes before and after it.

A page starts after (or before) a place, which is the values of the order's keys at one row, not a count of rows: so it
is stable while others write. A page that is read from its end (`last`) is read in the opposite order and turned round
by the shaper. All selections of one page (`nodes`, `edges`, aliases of them) share one row per node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from graph.compiler.bind import CursorPart, Names, PageSize
from graph.compiler.clauses import (
    All,
    Binary,
    Call,
    Case,
    Const,
    Expr,
    Get,
    ListOf,
    Order,
    Query,
    Return,
    Sub,
    Var,
    With,
)
from graph.compiler.filters import Filtered, SortKey, after
from graph.compiler.layout import Constant, Cursor, Edges, Nodes, Object, Page, PageInfo, PageMember, Total
from graph.compiler.parts import (
    Item,
    Listed,
    Recursion,
    Row,
    ahead_of,
    element_type,
    in_common,
    item_of,
    joined,
    kept,
    slot_of,
)
from graph.compiler.query import Field
from graph.compiler.slice import Source, both
from graph.model.model import LABELS, Kind
from graph.model.scope import ScopeKind


def page(recursion: Recursion, asked: Field, source: Callable[[], Source], item: Item, row: Row) -> Page:
    """Put a page into the row of the object that it belongs to."""
    slot = slot_of(asked)
    inside = asked.selections[0]
    members: dict[str, PageMember] = {}
    index = None
    context = _context(recursion, asked)
    if any(each.name in _ROWS for each in inside.fields):
        rows = _Rows(recursion=recursion, asked=asked, found=source(), item=item, context=context)
        expr, members = rows.compiled()
        index = row.put(expr)
    for each in inside.fields:
        if each.name == "totalCount":
            members[each.key] = Total(index=row.put(_total(recursion, asked, source())))
        elif each.name == "__typename":
            members[each.key] = Constant(value=inside.type)
    ordered = tuple((each.key, members[each.key]) for each in inside.fields)
    arguments = recursion.arguments[slot]
    placed = tuple(name for name in _PLACES if arguments.get(name) is not None)
    told = placed or any(isinstance(each, PageInfo | Edges) for _, each in ordered)
    return Page(
        index=index,
        slot=slot,
        backward=is_backward(arguments),
        context=context,
        owner=row.put(Get(item.var, "id")) if item.var and told else None,
        placed=placed,
        members=ordered,
    )


_ROWS = frozenset({"edges", "nodes", "pageInfo"})
_PLACES = ("after", "before")


def _context(recursion: Recursion, asked: Field) -> str:
    """Name a list to its cursors: its field and its order."""
    order = recursion.arguments[slot_of(asked)].get("orderBy") or ()
    keys = (("-" if each.get("direction") == "DESC" else "") + each["field"] for each in order)
    return f"{asked.named_type}.{asked.name}:{','.join(keys)}"


def is_backward(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a page is read from its end: `last`, or `before` without `first`."""
    if arguments.get("last") is not None:
        return True
    return arguments.get("before") is not None and arguments.get("first") is None


def order_name(property_name: str) -> str:
    """Spell a property as the value of an order enum.

    >>> order_name("committedMbps")
    'COMMITTED_MBPS'
    """
    return "".join("_" + c if c.isupper() else c.upper() for c in property_name)


def _total(recursion: Recursion, asked: Field, found: Source) -> Expr:
    clauses = found.where(_filter(recursion, asked, found))
    return Sub("COUNT", Query((*clauses, Return(Var(found.node)))))


def _filter(recursion: Recursion, asked: Field, found: Source) -> Expr:
    slot = slot_of(asked)
    given = recursion.arguments[slot].get("filter")
    label = recursion.mappings.label(element_type(recursion.schema, asked))
    if not given or label is None:
        return All(())
    filtered = Filtered(names=recursion.names, var=found.node, label=LABELS[label], slot=slot)
    return filtered.condition(given, ("filter",), negated=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows of one page."""

    recursion: Recursion
    asked: Field
    found: Source
    item: Item
    context: str

    def compiled(self) -> tuple[Expr, dict[str, PageMember]]:
        """Give the expression of the rows, and the members of the connection that read them."""
        outer = joined(self.item.outer, self.found)
        keys = self._sort_keys()
        condition = both(_filter(self.recursion, self.asked, self.found), self._places(keys))
        condition = both(condition, self._indexed_start(keys, condition))
        row = Row(joins=True, own={})
        members = self._members(row, outer, ListOf(tuple(key.expr for key in keys)))
        size = self.recursion.names.parameter(PageSize(slot=slot_of(self.asked), more=int(self._wants_more())))
        order = tuple(Order(key.expr, key.descending != self._backward()) for key in keys)
        found = Listed(clauses=self.found.where(condition), around=self.item.outer, outer=outer, order=order)
        return _ordered(self.recursion.names, found, row, size), members

    def _arguments(self) -> Mapping[str, Any]:
        return self.recursion.arguments[slot_of(self.asked)]

    def _backward(self) -> bool:
        return is_backward(self._arguments())

    def _label(self) -> str | None:
        return self.recursion.mappings.label(element_type(self.recursion.schema, self.asked))

    def _wants_more(self) -> bool:
        beyond = "hasPreviousPage" if self._backward() else "hasNextPage"
        infos = [each for each in self.asked.selections[0].fields if each.name == "pageInfo"]
        return any(inner.name == beyond for each in infos for inner in each.selections[0].fields)

    def _members(self, row: Row, outer: tuple[str, ...], place: ListOf) -> dict[str, PageMember]:
        element_name = element_type(self.recursion.schema, self.asked)
        element = item_of(self.recursion.mappings, element_name, self.found, outer)
        members: dict[str, PageMember] = {}
        for each in sorted(self.asked.selections[0].fields, key=lambda f: (f.name, f.key)):
            match each.name:
                case "nodes":
                    members[each.key] = Nodes(body=self.recursion.members(each.selections[0], element, row))
                case "edges":
                    edge = each.selections[0]
                    inner = ((e.key, self._edge(edge.type, e, element, row, place)) for e in edge.fields)
                    members[each.key] = Edges(members=tuple(inner))
                case "pageInfo":
                    members[each.key] = self._info(each, row, place)
        return members

    def _edge(self, owner: str, asked: Field, element: Item, row: Row, place: ListOf) -> Cursor | Object | Constant:
        match asked.name:
            case "cursor":
                return Cursor(index=row.put(place))
            case "node":
                return self.recursion.members(asked.selections[0], element, row)
            case _:
                return Constant(value=owner)

    def _info(self, asked: Field, row: Row, place: ListOf) -> PageInfo:
        fields = asked.selections[0].fields
        wanted = any(each.name.endswith("Cursor") for each in fields)
        cursor = Cursor(index=row.put(place)) if wanted else None
        beyond = self._arguments().get("before" if self._backward() else "after") is not None
        return PageInfo(keys=tuple((each.key, each.name) for each in fields), cursor=cursor, beyond=beyond)

    def _sort_keys(self) -> tuple[SortKey, ...]:
        keys: dict[Expr, SortKey] = {}
        for each in self._arguments().get("orderBy") or ():
            descending = each.get("direction") == "DESC"
            label = LABELS[self._label() or ""]
            name = next(p.name for p in label.properties if order_name(p.name) == each["field"])
            stored = Get(self.found.node, name)
            keys.setdefault(stored, SortKey(expr=stored, descending=descending))
        identity = Get(self.found.node, "id")
        keys.setdefault(identity, SortKey(expr=identity, descending=False))
        return tuple(keys.values())

    def _places(self, keys: tuple[SortKey, ...]) -> Expr:
        slot = slot_of(self.asked)
        conditions = []
        for argument, flip in (("after", False), ("before", True)):
            if self._arguments().get(argument) is not None:
                place = tuple(
                    self.recursion.names.parameter(
                        CursorPart(slot=slot, argument=argument, index=i, context=self.context)
                    )
                    for i in range(len(keys))
                )
                flipped = tuple(SortKey(expr=k.expr, descending=k.descending != flip) for k in keys)
                conditions.append(after(flipped, place))
        return both(*conditions)

    def _indexed_start(self, keys: tuple[SortKey, ...], condition: Expr) -> Expr:
        """Let a list of a whole label read its index in order: a range that excludes nothing, where nothing else does."""
        label = self._label()
        whole = self.recursion.kind is ScopeKind.EVERYTHING and not self.item.var and condition == All(())
        first = keys[0].expr
        if not whole or label is None or not isinstance(first, Get):
            return All(())
        known = LABELS[label].property(first.name)
        usable = known.indexed and known.kind is Kind.STRING
        return Binary(">=", first, Const("")) if usable else All(())


def _ordered(names: Names, found: Listed, row: Row, size: Expr) -> Expr:
    """Sort and cut first, then ask further: a subquery must not run for rows that the page leaves out."""
    if row.ahead or any(_asks_further(each) for each in row.places):
        first = With(kept(found.outer), order=found.order, limit=size)
        cut = in_common(names, row, replace(found, clauses=(*found.clauses, first)))
        return Sub("COLLECT", Query((*cut, *ahead_of(row, found.outer), Return(row.list(), order=found.order))))
    return Sub("COLLECT", Query((*found.clauses, Return(row.list(), order=found.order, limit=size))))


def _asks_further(expr: Expr) -> bool:
    return isinstance(expr, (Sub, Case, Binary)) or (isinstance(expr, Call) and expr.name == "head")
