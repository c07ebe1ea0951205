"""Second stage of a read: a logical tree and a kind of scope become one Cypher query, and the layout of its answer.

The recursion follows the tree. At each object there is an `Item`: the variables that stand for it in the query, and the
row that its values are put into. A field puts expressions into the row and says in the layout where they are. Fields are
compiled in the order of their names, whatever order the caller wrote, so that equal selections give equal texts; the
layout keeps the caller's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, assert_never

from graphql import GraphQLObjectType, GraphQLSchema

from graph import explore
from graph.bind import Binding, Caller, CursorPart, EntityIds, Given, Outcome, PageSize
from graph.cypher import (
    All,
    Binary,
    Call,
    Case,
    Const,
    Expr,
    Get,
    HasLabel,
    IsNull,
    ListOf,
    Match,
    NodePattern,
    Not,
    Order,
    Param,
    Query,
    Return,
    Slice,
    Sub,
    Unwind,
    Var,
    With,
)
from graph.errors import Refused
from graph.filters import Filtered, SortKey, after
from graph.layout import (
    Body,
    Choice,
    Constant,
    Cursor,
    Edges,
    EntityList,
    Inline,
    Leaf,
    Many,
    Member,
    Nodes,
    Object,
    One,
    Page,
    PageInfo,
    PageMember,
    Total,
)
from graph.mapping import (
    Along,
    AnyById,
    ById,
    Changed,
    EndOf,
    Entities,
    Everything,
    Fixed,
    Grouped,
    ImpactField,
    ImpactList,
    Mappings,
    NodeType,
    OfCaller,
    PathField,
    PathNodes,
    RelationType,
    SearchField,
    Stored,
)
from graph.model import LABELS, RELATIONSHIPS, Kind, label_of
from graph.names import Names
from graph.query import Field, Selection, Tree
from graph.scope import ScopeKind
from graph.slice import Source, Walk, along, both, everything, visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One statement, what its parameters are, and where its answer has what."""

    query: Query
    parameters: tuple[tuple[str, Binding], ...]
    layout: Object
    tree: Tree


@dataclass(slots=True)
class Row:
    """The places of one object's row; an expression that is there already is not put twice."""

    places: list[Expr] = field(default_factory=list)
    ahead: list[tuple[Expr, str]] = field(default_factory=list)
    """what a WITH must compute before the row: a subquery that aggregates may not stand in a list (Neo4j)."""

    def put(self, expr: Expr) -> int:
        """Give the place of an expression."""
        if expr not in self.places:
            self.places.append(expr)
        return self.places.index(expr)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """An object in the making: what stands for it in the query."""

    var: str = ""
    """the node or relationship that its stored values are properties of."""
    columns: Mapping[str, Expr] = field(default_factory=dict)
    """the values of a computed object."""
    ends: Mapping[str, str] = field(default_factory=dict)
    """the nodes that a relation or computed object leads to, by role."""
    outer: tuple[str, ...] = ()
    """every variable that is bound here; a WITH inside must keep them all."""


_HEAD: Final = "head"


def compile_read(
    schema: GraphQLSchema, mappings: Mappings, tree: Tree, variables: Mapping[str, Any], kind: ScopeKind
) -> Compiled:
    """Compile an operation for all requests of this variable shape by callers of this kind of scope."""
    arguments = [source.values(variables) for source in tree.sources]
    compiler = _Compiler(schema=schema, mappings=mappings, arguments=arguments, kind=kind)
    row = Row()
    layout = compiler.members(tree.root, Item(), row)
    query = Query((Return(ListOf(tuple(row.places)), "data"),))
    return Compiled(query=query, parameters=tuple(compiler.names.parameters), layout=layout, tree=tree)


@dataclass(slots=True, kw_only=True)
class _Compiler:
    """The recursion; it only appends to `names`."""

    schema: GraphQLSchema
    mappings: Mappings
    arguments: Sequence[Mapping[str, Any]]
    kind: ScopeKind
    names: Names = field(default_factory=Names)

    def members(self, selection: Selection, item: Item, row: Row) -> Object:
        """Compile the fields of one object into its row."""
        found: dict[str, Member] = {}
        for each in sorted(selection.fields, key=lambda f: (f.name, f.key)):
            found[each.key] = self._member(selection.type, each, item, row)
        return Object(type=selection.type, members=tuple((each.key, found[each.key]) for each in selection.fields))

    def _member(self, owner: str, asked: Field, item: Item, row: Row) -> Member:
        if asked.name == "__typename":
            return Constant(value=owner)
        match self.mappings.fields[owner, asked.name]:
            case Stored(name=name):
                return self._leaf(asked, item, name, row)
            case EndOf(role=role):
                inner = Item(var=item.ends[role], outer=item.outer)
                return Inline(body=self.members(asked.selections[0], inner, row))
            case Along() as mapping:
                return self._along(asked, mapping, item, row)
            case ById(label=label):
                key = self.names.parameter(Given(slot=self._slot(asked), path=("id",)))
                return self._by_id(asked, label, key, row)
            case Changed(label=label):
                return self._by_id(asked, label, self.names.parameter(Outcome(name=asked.name)), row)
            case AnyById():
                return self._any_by_id(asked, row)
            case Everything(label=label):
                return self._page(asked, lambda: everything(self.names, self.kind, label, item.outer), item, row)
            case Entities():
                return self._entities(asked, row)
            case Grouped():
                return Inline(body=self.members(asked.selections[0], Item(), row))
            case OfCaller(name=name):
                value = self.names.parameter(Caller(name=name))
                return Leaf(index=row.put(value), type=asked.named_type, required=asked.type.endswith("!"))
            case Fixed(value=value):
                return Constant(value=value)
            case ImpactField() | ImpactList() | PathField() | PathNodes() | SearchField() as mapping:
                return self._explore(asked, mapping, item, row)
            case never:
                assert_never(never)

    def _slot(self, asked: Field) -> int:
        assert asked.slot is not None  # the mapping is of a field that takes arguments
        return asked.slot

    def _leaf(self, asked: Field, item: Item, name: str, row: Row) -> Leaf:
        value = item.columns[name] if name in item.columns else Get(item.var, name)
        return Leaf(index=row.put(value), type=asked.named_type, required=asked.type.endswith("!"))

    # Objects -------------------------------------------------------------------------------------------------------

    def body(self, selections: Sequence[Selection], var: str, outer: tuple[str, ...]) -> tuple[Expr, Body]:
        """Compile one node whose type is one of the selections' into the expression of its row."""
        if len(selections) == 1:
            row = Row()
            layout = self.members(selections[0], Item(var=var, outer=outer), row)
            return ListOf(tuple(row.places)), layout
        options = []
        whens: list[tuple[Expr, Expr]] = []
        for each in selections:
            tagged, option = self.tagged(each, var, outer)
            options.append(option)
            whens.append((HasLabel(var, self._label(each.type)), tagged))
        return Case(tuple(whens)), Choice(options=tuple(options))

    def tagged(self, selection: Selection, var: str, outer: tuple[str, ...]) -> tuple[Expr, Object]:
        """Compile one node of an abstract type: its row begins with the name of its type."""
        row = Row([Const(selection.type)])
        layout = self.members(selection, Item(var=var, outer=outer), row)
        return ListOf(tuple(row.places)), layout

    def _label(self, type_name: str) -> str:
        label = self.mappings.label(type_name)
        assert label is not None  # only node types are behind an interface or a union
        return label

    def _one(self, asked: Field, query: Query, body: Body, row: Row) -> One:
        index = row.put(Call(_HEAD, (Sub("COLLECT", query),)))
        return One(index=index, body=body, required=asked.type.endswith("!"))

    def _by_id(self, asked: Field, label: str, key: Param, row: Row) -> One:
        var = self.names.variable()
        match = Match(NodePattern(var, label, key), where=visible(self.names, self.kind, var, (label,)))
        item, body = self.body(asked.selections, var, (var,))
        return self._one(asked, Query((match, Return(item, limit=Const(1)))), body, row)

    def _any_by_id(self, asked: Field, row: Row) -> One:
        slot = self._slot(asked)
        label = label_of(self.arguments[slot]["id"])
        for each in asked.selections:
            if label and self.mappings.label(each.type) == label.name:
                var = self.names.variable()
                key = self.names.parameter(Given(slot=slot, path=("id",)))
                match = Match(NodePattern(var, label.name, key), where=visible(self.names, self.kind, var, (label.name,)))
                item, option = self.tagged(each, var, (var,))
                query = Query((match, Return(item, limit=Const(1))))
                return self._one(asked, query, Choice(options=(option,)), row)
        return One(index=row.put(Const(None)), body=Choice(options=()), required=False)

    def _entities(self, asked: Field, row: Row) -> EntityList:
        slot = self._slot(asked)
        named = {each.get("__typename") for each in self.arguments[slot]["representations"] if isinstance(each, dict)}
        lists, options = [], []
        for each in asked.selections:
            if each.type in named:
                expr, option = self._entities_of(each, slot)
                lists.append(expr)
                options.append(option)
        return EntityList(index=row.put(ListOf(tuple(lists))), slot=slot, options=tuple(options))

    def _entities_of(self, selection: Selection, slot: int) -> tuple[Expr, Object]:
        label = self._label(selection.type)
        key, var = self.names.variable(), self.names.variable()
        keys = self.names.parameter(EntityIds(slot=slot, type=selection.type))
        condition = visible(self.names, self.kind, var, (label,))
        match = Match(NodePattern(var, label, Var(key)), where=condition, optional=True)
        row = Row()
        option = self.members(selection, Item(var=var, outer=(key, var)), row)
        item = Case(((Not(IsNull(Var(var))), ListOf(tuple(row.places))),))
        return Sub("COLLECT", Query((Unwind(keys, key), match, Return(item)))), option

    # Relationships -------------------------------------------------------------------------------------------------

    def _along(self, asked: Field, mapping: Along, item: Item, row: Row) -> Member:
        labels = [self._label(each.type) for each in asked.selections if self.mappings.label(each.type)]

        once = isinstance(self.mappings.types.get(self._element(asked)), NodeType)
        walk = Walk(start=item.var, path=mapping.hops, labels=labels, outer=item.outer, once=once)

        def source() -> Source:
            return along(self.names, self.kind, walk)

        if self._is_connection(asked):
            return self._page(asked, source, item, row)
        found = source()
        outer = _joined(item.outer, found)
        if asked.type.startswith("["):
            return self._list(asked, mapping, found, outer, row)
        value, body = self.body(asked.selections, found.node, outer)
        return self._one(asked, Query((*found.clauses, Return(value, limit=Const(1)))), body, row)

    def _list(self, asked: Field, mapping: Along, found: Source, outer: tuple[str, ...], row: Row) -> Many:
        inner = Row()
        layout = self.members(asked.selections[0], self._item(asked.selections[0].type, found, outer), inner)
        keys = [Get(found.relationship, name) for name in mapping.order] + [Get(found.node, "id")]
        order = tuple(Order(key) for key in keys)
        slotted = Return(ListOf(tuple(inner.places)), order=order, limit=Const(mapping.at_most))
        return Many(index=row.put(Sub("COLLECT", Query((*found.clauses, slotted)))), body=layout)

    def _item(self, type_name: str, found: Source, outer: tuple[str, ...]) -> Item:
        match self.mappings.types[type_name]:
            case RelationType():
                # The node that a relationship was followed from is in the row too, so either end can be asked for.
                ends = (found.node, found.near) if found.reverse else (found.near, found.node)
                return Item(var=found.relationship, ends=dict(zip(("start", "end"), ends, strict=True)), outer=outer)
            case NodeType():
                return Item(var=found.node, outer=outer)
            case other:
                raise TypeError(f"{type_name} is {other}, which no list has")

    def _is_connection(self, asked: Field) -> bool:
        named = self.schema.type_map[asked.named_type]
        return isinstance(named, GraphQLObjectType) and "nodes" in named.fields

    # Pages ---------------------------------------------------------------------------------------------------------

    def _page(self, asked: Field, source: Any, item: Item, row: Row) -> Page:
        slot = self._slot(asked)
        arguments = self.arguments[slot]
        backward = is_backward(arguments)
        members: dict[str, PageMember] = {}
        index = None
        if any(each.name in {"edges", "nodes", "pageInfo"} for each in asked.selections[0].fields):
            expr, members = self._rows(asked, source(), item, backward=backward)
            index = row.put(expr)
        for each in asked.selections[0].fields:
            if each.name == "totalCount":
                members[each.key] = Total(index=row.put(self._total(asked, source())))
            elif each.name == "__typename":
                members[each.key] = Constant(value=asked.named_type)
        ordered = tuple((each.key, members[each.key]) for each in asked.selections[0].fields)
        return Page(index=index, slot=slot, backward=backward, members=ordered)

    def _total(self, asked: Field, found: Source) -> Expr:
        clauses = found.where(self._filter(asked, found))
        return Sub("COUNT", Query((*clauses, Return(Var(found.node)))))

    def _filter(self, asked: Field, found: Source) -> Expr:
        slot = self._slot(asked)
        given = self.arguments[slot].get("filter")
        label = self.mappings.label(self._element(asked))
        if not given or label is None:
            return All(())
        filtered = Filtered(names=self.names, var=found.node, label=LABELS[label], slot=slot)
        return filtered.condition(given, ("filter",), negated=False)

    def _element(self, asked: Field) -> str:
        """Give the type of a connection's nodes, or of the field itself where it is no connection."""
        named = self.schema.type_map[asked.named_type]
        if isinstance(named, GraphQLObjectType) and "nodes" in named.fields:
            return str(named.fields["nodes"].type).strip("[]!")
        return asked.named_type

    def _rows(
        self, asked: Field, found: Source, item: Item, *, backward: bool
    ) -> tuple[Expr, dict[str, PageMember]]:
        outer = _joined(item.outer, found)
        element = self._item(self._element(asked), found, outer)
        keys = self._sort_keys(asked, found)
        context = f"{asked.named_type}:{','.join(key.word for key in keys)}"
        condition = both(self._filter(asked, found), self._places(asked, keys, context))
        condition = both(condition, self._indexed_start(asked, keys, item, condition))
        row = Row()
        members: dict[str, PageMember] = {}
        for each in sorted(asked.selections[0].fields, key=lambda f: (f.name, f.key)):
            if each.name in {"edges", "nodes", "pageInfo"}:
                members[each.key] = self._page_member(asked, each, element, row, (keys, context))
        more = any(each.name == "hasPreviousPage" if backward else each.name == "hasNextPage" for each in _infos(asked))
        size = self.names.parameter(PageSize(slot=self._slot(asked), more=int(more)))
        order = tuple(Order(key.expr, key.descending != backward) for key in keys)
        return _ordered(found.where(condition), row, order, size, outer), members

    def _page_member(
        self, page: Field, asked: Field, element: Item, row: Row, place: tuple[tuple[SortKey, ...], str]
    ) -> PageMember:
        keys, context = place
        arguments = self.arguments[self._slot(page)]
        if asked.name == "nodes":
            return Nodes(body=self.members(asked.selections[0], element, row))
        if asked.name == "edges":
            edge = asked.selections[0]
            return Edges(members=tuple((e.key, self._edge(edge.type, e, element, row, place)) for e in edge.fields))
        fields = asked.selections[0].fields
        wants_cursor = any(each.name.endswith("Cursor") for each in fields)
        cursor = Cursor(index=row.put(_key_list(keys)), context=context) if wants_cursor else None
        beyond = arguments.get("before" if is_backward(arguments) else "after") is not None
        return PageInfo(keys=tuple((each.key, each.name) for each in fields), cursor=cursor, beyond=beyond)

    def _edge(
        self, owner: str, asked: Field, element: Item, row: Row, place: tuple[tuple[SortKey, ...], str]
    ) -> Cursor | Object | Constant:
        keys, context = place
        match asked.name:
            case "cursor":
                return Cursor(index=row.put(_key_list(keys)), context=context)
            case "node":
                return self.members(asked.selections[0], element, row)
            case _:
                return Constant(value=owner)

    def _sort_keys(self, asked: Field, found: Source) -> tuple[SortKey, ...]:
        keys = []
        for each in self.arguments[self._slot(asked)].get("orderBy") or ():
            name, descending = each["field"], each.get("direction") == "DESC"
            label = self.mappings.label(self._element(asked))
            property_ = next(p for p in LABELS[label or ""].properties if order_name(p.name) == name)
            word = f"{'-' if descending else ''}{property_.name}"
            keys.append(SortKey(expr=Get(found.node, property_.name), descending=descending, word=word))
        keys = list({key.expr: key for key in reversed(keys)}.values())[::-1]
        identity = Get(found.node, "id")
        if not any(key.expr == identity for key in keys):
            keys.append(SortKey(expr=identity, descending=False, word="id"))
        return tuple(keys)

    def _places(self, asked: Field, keys: tuple[SortKey, ...], context: str) -> Expr:
        slot = self._slot(asked)
        conditions = []
        for argument, flip in (("after", False), ("before", True)):
            if self.arguments[slot].get(argument) is not None:
                place = tuple(
                    self.names.parameter(CursorPart(slot=slot, argument=argument, index=i, context=context))
                    for i in range(len(keys))
                )
                flipped = tuple(SortKey(expr=k.expr, descending=k.descending != flip, word=k.word) for k in keys)
                conditions.append(after(flipped, place))
        return both(*conditions)

    def _indexed_start(self, asked: Field, keys: tuple[SortKey, ...], item: Item, condition: Expr) -> Expr:
        """Let a list of a whole label read its index in order: a range that excludes nothing, where nothing else does."""
        first = keys[0].expr
        label = self.mappings.label(self._element(asked))
        if item.var or condition != All(()) or self.kind is not ScopeKind.EVERYTHING or label is None:
            return All(())
        known = LABELS[label].property(first.name) if isinstance(first, Get) else None
        if known is None or not known.indexed or known.kind is not Kind.STRING:
            return All(())
        return Binary(">=", first, Const(""))

    # Exploring -----------------------------------------------------------------------------------------------------

    def _explore(
        self, asked: Field, mapping: ImpactField | ImpactList | PathField | PathNodes | SearchField, item: Item, row: Row
    ) -> Member:
        match mapping:
            case ImpactField():
                return self._computed(asked, explore.impact(self.names, self.kind, self._slot(asked)), row)
            case ImpactList(of=of):
                size = self.names.parameter(PageSize(slot=self._slot(asked), more=0))
                found = explore.impact_list(self.names, of, item.columns["hits"], size)
                ahead = self.names.variable()
                rows, layout = self._computed_rows(asked, found)
                row.ahead.append((rows, ahead))
                return Many(index=row.put(Var(ahead)), body=layout)
            case PathField():
                if self.kind is not ScopeKind.EVERYTHING:
                    raise Refused("path shows the network of all.", code="FORBIDDEN", hint="Ask as an operator or analyst.")
                return self._computed(asked, explore.path(self.names, self._slot(asked)), row)
            case PathNodes(label=label):
                found = explore.path_nodes(self.names, item.var, label)
                return self._computed_list(asked, found, row)
            case SearchField():
                return self._search(asked, row)
            case never:
                assert_never(never)

    def _computed(self, asked: Field, found: explore.Computed, row: Row) -> One:
        item = Item(var=found.var, columns=found.columns, ends=found.ends, outer=found.bound)
        inner = Row()
        layout = self.members(asked.selections[0], item, inner)
        kept = tuple((Var(each), "") for each in found.bound)
        ahead = (With((*kept, *inner.ahead)),) if inner.ahead else ()
        query = Query((*found.clauses, *ahead, Return(ListOf(tuple(inner.places)), limit=Const(1))))
        return self._one(asked, query, layout, row)

    def _computed_list(self, asked: Field, found: explore.Computed, row: Row) -> Many:
        rows, layout = self._computed_rows(asked, found)
        return Many(index=row.put(rows), body=layout)

    def _computed_rows(self, asked: Field, found: explore.Computed) -> tuple[Expr, Object]:
        item = Item(var=found.var, columns=found.columns, ends=found.ends, outer=found.bound)
        inner = Row()
        layout = self.members(asked.selections[0], item, inner)
        last = Return(ListOf(tuple(inner.places)), order=found.order)
        return Sub("COLLECT", Query((*found.clauses, last))), layout

    def _search(self, asked: Field, row: Row) -> Many:
        slot = self._slot(asked)
        size = self.names.parameter(PageSize(slot=slot, more=0))
        lists: Expr | None = None
        options = []
        for each in asked.selections:
            label = self._label(each.type)
            if not LABELS[label].searched:
                continue
            found = explore.search(self.names, self.kind, label, slot)
            order = (Order(Get(found.node, "name")), Order(Get(found.node, "id")))
            kept = With(((Var(found.node), ""),), order=order, limit=size)
            value, option = self.tagged(each, found.node, (found.node,))
            rows = Sub("COLLECT", Query((*found.clauses, kept, Return(value, order=order))))
            lists = rows if lists is None else Binary("+", lists, rows)
            options.append(option)
        assert lists is not None  # some label is searched
        return Many(index=row.put(Slice(lists, size)), body=Choice(options=tuple(options)))


def order_name(property_name: str) -> str:
    """Spell a property as the value of an order enum: `committedMbps` is COMMITTED_MBPS."""
    return "".join("_" + c if c.isupper() else c.upper() for c in property_name)


def is_backward(arguments: Mapping[str, Any]) -> bool:
    """Tell whether a page is read from its end: `last`, or `before` without `first`."""
    if arguments.get("last") is not None:
        return True
    return arguments.get("before") is not None and arguments.get("first") is None


def _ordered(clauses: tuple[Any, ...], row: Row, order: tuple[Order, ...], size: Expr, outer: tuple[str, ...]) -> Expr:
    """Sort and cut first, then ask further: a subquery must not run for rows that the page leaves out."""
    value = ListOf(tuple(row.places))
    if any(_asks_further(each) for each in row.places):
        kept = With(tuple((Var(each), "") for each in outer), order=order, limit=size)
        return Sub("COLLECT", Query((*clauses, kept, Return(value, order=order))))
    return Sub("COLLECT", Query((*clauses, Return(value, order=order, limit=size))))


def _asks_further(expr: Expr) -> bool:
    return isinstance(expr, (Sub, Case, Binary)) or (isinstance(expr, Call) and expr.name == _HEAD)


def _joined(outer: tuple[str, ...], found: Source) -> tuple[str, ...]:
    """List every variable that is bound once a source has been read, each once."""
    return tuple(dict.fromkeys(each for each in (*outer, found.near, found.relationship, found.node) if each))


def _infos(asked: Field) -> list[Field]:
    return [inner for each in asked.selections[0].fields if each.name == "pageInfo" for inner in each.selections[0].fields]


def _key_list(keys: tuple[SortKey, ...]) -> ListOf:
    return ListOf(tuple(key.expr for key in keys))
