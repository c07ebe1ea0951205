"""Second stage of a read: a logical tree and a kind of scope become one Cypher query, and the layout of its answer.

The recursion follows the tree. At each object there is an `Item`: the variables that stand for it in the query, and the
row that its values are put into. A field puts expressions into the row and says in the layout where they are. Fields are
compiled in the order of their names, whatever order the caller wrote, so that equal selections give equal texts; the
layout keeps the caller's order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, assert_never

from graphql import GraphQLSchema

from graph.compiler.bind import Binding, Caller, EntityIds, Given, Names, Outcome
from graph.compiler.clauses import (
    At,
    Call,
    Case,
    Const,
    Expr,
    Get,
    HasLabel,
    IsNull,
    ListOf,
    Not,
    Order,
    Param,
    Query,
    Return,
    Sub,
    Unwind,
    Var,
    With,
)
from graph.compiler.explore import explored
from graph.compiler.layout import Body, Choice, Constant, EntityList, Inline, Joined, Leaf, Many, Member, Object, One
from graph.compiler.pages import page
from graph.compiler.parts import (
    Item,
    Listed,
    Row,
    ahead_of,
    element_type,
    first,
    in_common,
    is_list_of_pages,
    item_of,
    joined,
    label_of_type,
    one,
    slot_of,
    tagged,
)
from graph.compiler.query import Field, Selection, Tree
from graph.compiler.slice import Source, Walk, along, by_id, by_ids, by_rows, everything
from graph.model.mapping import (
    Along,
    AnyById,
    ById,
    Changed,
    EndOf,
    Entities,
    Everything,
    Fixed,
    Grouped,
    Happening,
    ImpactField,
    ImpactList,
    KeptNode,
    KeptNodes,
    KeptRows,
    Mappings,
    NodeType,
    OfCaller,
    PathField,
    PathNodes,
    SearchField,
    Stored,
)
from graph.model.model import label_of
from graph.model.scope import ScopeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """One statement, what its parameters are, and where its answer has what."""

    query: Query
    parameters: tuple[tuple[str, Binding], ...]
    layout: Object
    tree: Tree


def compile_read(
    schema: GraphQLSchema, mappings: Mappings, tree: Tree, variables: Mapping[str, Any], kind: ScopeKind
) -> Compiled:
    """Compile an operation for all requests of this variable shape by callers of this kind of scope."""
    arguments = [source.values(variables) for source in tree.sources]
    compiler = _Compiler(schema=schema, mappings=mappings, arguments=arguments, kind=kind)
    row = Row()
    layout = compiler.members(tree.root, Item(), row)
    query = Query((Return(row.list(), "data"),))
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
            case Stored() | OfCaller() | Fixed() | Grouped() | EndOf() as mapping:
                return self._here(asked, mapping, item, row)
            case ById() | AnyById() | Changed() | Entities() as mapping:
                return self._by_id(asked, mapping, row)
            case Happening() | KeptRows() | KeptNode() | KeptNodes() as mapping:
                return self._happened(asked, mapping, row)
            case Along() as mapping:
                return self._along(owner, asked, mapping, item, row)
            case Everything(label=label, having=having):
                return page(self, asked, lambda: everything(self.names, self.kind, label, having), item, row)
            case ImpactField() | ImpactList() | PathField() | PathNodes() | SearchField() as mapping:
                return explored(self, asked, mapping, item, row)
            case never:
                assert_never(never)

    def _here(self, asked: Field, mapping: Stored | OfCaller | Fixed | Grouped | EndOf, item: Item, row: Row) -> Member:
        """Compile what needs no further match."""
        match mapping:
            case Fixed(value=value):
                return Constant(value=value)
            case Stored(name=name):
                return _leaf(asked, item.columns.get(name, Get(item.var, name) if item.var else None), row)
            case OfCaller(name=name):
                return _leaf(asked, self.names.parameter(Caller(name=name)), row)
            case Grouped():
                return Inline(body=self.members(asked.selections[0], Item(), row))
            case EndOf(role=role):
                inner = Item(var=item.ends[role], outer=item.outer)
                if not asked.type.endswith("!"):
                    return self._if_there(asked, inner, row)
                return Inline(body=self.members(asked.selections[0], inner, row))
            case never:
                assert_never(never)

    def _if_there(self, asked: Field, item: Item, row: Row) -> One:
        """Compile a node that may be null; nothing is asked of one that is."""
        inner = Row()
        layout = self.members(asked.selections[0], item, inner)
        value = Case(((Not(IsNull(Var(item.var))), inner.list()),))
        return One(index=row.put(value), body=layout, required=False)

    # What happened -------------------------------------------------------------------------------------------------

    def _happened(
        self, asked: Field, mapping: Happening | KeptRows | KeptNode | KeptNodes, row: Row
    ) -> Inline | One | Many:
        match mapping:
            case Happening():
                (selection,) = asked.selections
                return Inline(body=self.members(selection, Item(columns=self._kept(selection)), row))
            case KeptRows():
                return self._kept_rows(asked, mapping, row)
            case KeptNode():
                return self._kept_node(asked, mapping, row)
            case KeptNodes(name=name, label=label):
                found = by_ids(self.names, self.kind, label, self.names.parameter(Outcome(name=name)))
                there = With(((Var(found.node), ""),), where=Not(IsNull(Var(found.node))))
                inner = Row()
                layout = self.members(asked.selections[0], Item(var=found.node, outer=(found.node,)), inner)
                rows = Query((*found.clauses, there, Return(inner.list())))
                return Many(index=row.put(Sub("COLLECT", rows)), body=layout)
            case never:
                assert_never(never)

    def _kept(self, selection: Selection) -> dict[str, Expr]:
        """Give a parameter for each kept value that is asked for."""
        stored = (self.mappings.fields.get((selection.type, each.name)) for each in selection.fields)
        names = sorted({each.name for each in stored if isinstance(each, Stored)})
        return {name: self.names.parameter(Outcome(name=name)) for name in names}

    def _kept_node(self, asked: Field, mapping: KeptNode, row: Row) -> One:
        found: list[Expr] = []
        options = []
        for each in asked.selections:
            label = label_of_type(self.mappings, each.type)
            node = by_id(self.names, self.kind, label, self.names.parameter(Outcome(name=f"{mapping.name}:{label}")))
            item, option = tagged(self, each, node.node, (node.node,))
            found.append(Call("head", (Sub("COLLECT", Query((*node.clauses, Return(item, limit=Const(1))))),)))
            options.append(option)
        return One(index=row.put(Call("coalesce", tuple(found))), body=Choice(options=tuple(options)), required=False)

    def _kept_rows(self, asked: Field, mapping: KeptRows, row: Row) -> Many:
        given = self.names.parameter(Outcome(name=mapping.name))
        if not any(
            isinstance(self.mappings.fields.get((inner.type, each.name)), EndOf)
            for inner in asked.selections
            for each in inner.fields
        ):
            return self._kept_values(asked, mapping, given, row)
        found, each = by_rows(self.names, self.kind, mapping.label, given)
        item = Item(columns=_columns(mapping, each), ends={mapping.role: found.node}, outer=(each, found.node))
        inner = Row()
        layout = self.members(asked.selections[0], item, inner)
        return Many(index=row.put(Sub("COLLECT", Query((*found.clauses, Return(inner.list()))))), body=layout)

    def _kept_values(self, asked: Field, mapping: KeptRows, given: Param, row: Row) -> Many:
        """Compile rows of which only kept values are asked: the graph is not."""
        each, inner = self.names.variable(), Row()
        item = Item(columns=_columns(mapping, each))
        layout = self.members(asked.selections[0], item, inner)
        rows = Query((Unwind(given, each), Return(inner.list())))
        return Many(index=row.put(Sub("COLLECT", rows)), body=layout)

    # By id ---------------------------------------------------------------------------------------------------------

    def _by_id(self, asked: Field, mapping: ById | AnyById | Changed | Entities, row: Row) -> One | EntityList:
        match mapping:
            case ById(label=label):
                return self._node(asked, label, self.names.parameter(Given(slot=slot_of(asked), path=("id",))), row)
            case Changed(label=label):
                return self._node(asked, label, self.names.parameter(Outcome(name=asked.name)), row)
            case AnyById():
                return self._any_node(asked, row)
            case Entities():
                return self._entities(asked, row)
            case never:
                assert_never(never)

    def _node(self, asked: Field, label: str, key: Param, row: Row) -> One:
        found = by_id(self.names, self.kind, label, key)
        item, body = self._body(asked.selections, found.node, (found.node,))
        return one(asked, Query((*found.clauses, Return(item, limit=Const(1)))), body, row)

    def _any_node(self, asked: Field, row: Row) -> One:
        slot = slot_of(asked)
        label = label_of(self.arguments[slot]["id"])
        for each in asked.selections:
            if label and self.mappings.label(each.type) == label.name:
                key = self.names.parameter(Given(slot=slot, path=("id",)))
                found = by_id(self.names, self.kind, label.name, key)
                item, option = tagged(self, each, found.node, (found.node,))
                query = Query((*found.clauses, Return(item, limit=Const(1))))
                return one(asked, query, Choice(options=(option,)), row)
        return One(index=row.put(Const(None)), body=Choice(options=()), required=False)

    def _entities(self, asked: Field, row: Row) -> EntityList:
        slot = slot_of(asked)
        given = [each.get("__typename") for each in self.arguments[slot]["representations"] if isinstance(each, dict)]
        named = {each for each in given if isinstance(each, str)}
        made = [self._entities_of(each, slot) for each in asked.selections if each.type in named]
        index = row.put(ListOf(tuple(expr for expr, _ in made)))
        return EntityList(index=index, slot=slot, options=tuple(option for _, option in made))

    def _entities_of(self, selection: Selection, slot: int) -> tuple[Expr, Object]:
        label = label_of_type(self.mappings, selection.type)
        keys = self.names.parameter(EntityIds(slot=slot, type=selection.type))
        found = by_ids(self.names, self.kind, label, keys)
        row = Row()
        option = self.members(selection, Item(var=found.node, outer=(found.node,)), row)
        item = Case(((Not(IsNull(Var(found.node))), row.list()),))
        return Sub("COLLECT", Query((*found.clauses, Return(item)))), option

    def _body(self, selections: Sequence[Selection], var: str, outer: tuple[str, ...]) -> tuple[Expr, Body]:
        """Compile one node whose type is one of the selections' into the expression of its row."""
        if len(selections) == 1:
            row = Row()
            layout = self.members(selections[0], Item(var=var, outer=outer), row)
            return row.list(), layout
        options = []
        whens: list[tuple[Expr, Expr]] = []
        for each in selections:
            expr, option = tagged(self, each, var, outer)
            options.append(option)
            whens.append((HasLabel(var, label_of_type(self.mappings, each.type)), expr))
        return Case(tuple(whens)), Choice(options=tuple(options))

    # Relationships -------------------------------------------------------------------------------------------------

    def _along(self, owner: str, asked: Field, mapping: Along, item: Item, row: Row) -> Member:
        labels = [label for each in asked.selections if (label := self.mappings.label(each.type))]
        once = isinstance(self.mappings.types.get(element_type(self.schema, asked)), NodeType)
        start = label_of_type(self.mappings, owner)
        walk = Walk(
            start=item.var,
            label=start,
            path=mapping.hops,
            labels=labels,
            outer=item.outer,
            once=once,
            own=row.own,
        )

        def source() -> Source:
            return along(self.names, self.kind, walk)

        if is_list_of_pages(self.schema, asked):
            return page(self, asked, source, item, row)
        found = source()
        if asked.type.startswith("["):
            return self._list(asked, mapping, found, item.outer, row)
        single = all(hop.single for hop in mapping.hops)
        if single and row.joins and len(asked.selections) == 1:
            return self._joined(asked, found, item, row)
        value, body = self._body(asked.selections, found.node, joined(item.outer, found))
        order = () if single else (Order(Get(found.node, "id")),)  # of several, the same one each time
        return one(asked, Query((*found.clauses, Return(value, order=order, limit=Const(1)))), body, row)

    def _joined(self, asked: Field, found: Source, item: Item, row: Row) -> Joined:
        """Bind the node ahead of the row: a list less for each row of the answer, and half the work on both databases."""
        row.ahead.append((first(found.clauses, Var(found.node)), found.node))
        inner = Item(var=found.node, outer=(*item.outer, found.node))
        index = row.put(Get(found.node, "id"))
        body = self.members(asked.selections[0], inner, row)
        return Joined(index=index, body=body, required=asked.type.endswith("!"))

    def _list(self, asked: Field, mapping: Along, found: Source, around: tuple[str, ...], row: Row) -> Many:
        inner, outer = Row(joins=True, own={}), joined(around, found)
        selection = asked.selections[0]
        layout = self.members(selection, item_of(self.mappings, selection.type, found, outer), inner)
        keys = [Get(found.relationship, name) for name in mapping.order] + [Get(found.node, "id")]
        order = tuple(Order(key) for key in keys)
        last = Return(inner.list(), order=order, limit=Const(mapping.at_most + 1))
        listed = Listed(clauses=found.clauses, around=around, outer=outer, order=order)
        rows = Query((*in_common(self.names, inner, listed), *ahead_of(inner, outer), last))
        return Many(index=row.put(Sub("COLLECT", rows)), body=layout, whole=(asked.name, mapping.at_most))


def _columns(mapping: KeptRows, row: str) -> dict[str, Expr]:
    return {name: At(Var(row), Const(place)) for place, name in enumerate(mapping.columns)}


def _leaf(asked: Field, value: Expr | None, row: Row) -> Leaf:
    assert value is not None  # a computed object has a column for every stored field
    return Leaf(index=row.put(value), type=asked.named_type, required=asked.type.endswith("!"))
