"""Questions that are not a walk from an object: impact, path and search.

A path is the shortest over cards, ports and trunks, for those who see the whole network. A search of who reads
everything asks the full-text index; a customer's starts at the customer, as every list does: hits of others, which an
index would rank and count, play no part in it.
"""

from __future__ import annotations

from typing import Final, assert_never

from graph.compiler.bind import COUNTS_DEFAULT, PAGE_DEFAULT, Given, Names, PageSize, SearchWords
from graph.compiler.clauses import (
    At,
    Binary,
    Call,
    Clause,
    Const,
    Every,
    Expr,
    FullText,
    Get,
    Match,
    NodePattern,
    NodesOfPath,
    Order,
    Query,
    Return,
    ShortestPath,
    Slice,
    Sub,
    Unwind,
    Var,
    With,
)
from graph.compiler.impact import impact, impact_list, present
from graph.compiler.layout import AllThere, Choice, Many, Member
from graph.compiler.parts import (
    Computed,
    Item,
    Recursion,
    Row,
    computed_one,
    computed_rows,
    kept,
    label_of_type,
    slot_of,
    tagged,
)
from graph.compiler.query import Field
from graph.compiler.slice import Source, everything
from graph.errors import Refused
from graph.model.mapping import ImpactField, ImpactList, PathField, PathNodes, SearchField
from graph.model.model import LABELS
from graph.model.scope import ScopeKind

LONGEST_PATH: Final = 1_000
"""relationships: six for each trunk from element to element."""
_ENDS: Final = ("NetworkElement", "Card", "Port")


def explored(
    recursion: Recursion,
    asked: Field,
    mapping: ImpactField | ImpactList | PathField | PathNodes | SearchField,
    item: Item,
    row: Row,
) -> Member:
    """Put the answer of one such question into the row."""
    match mapping:
        case ImpactField():
            slot = slot_of(asked)
            of = recursion.arguments[slot]["of"]
            found = computed_one(recursion, asked, impact(recursion.names, recursion.kind, slot, of), row)
            there = row.put(present(recursion.names, recursion.kind, slot, of))
            return AllThere(index=there, slot=slot, argument="of", key=asked.key, of=found)
        case ImpactList(of=of):
            return _impact_list(recursion, asked, of, item, row)
        case PathField():
            if recursion.kind is not ScopeKind.EVERYTHING:
                raise Refused("path shows the network of all.", code="FORBIDDEN", hint="Ask as operator or analyst.")
            return computed_one(recursion, asked, path(recursion.names, slot_of(asked)), row)
        case PathNodes(label=label):
            rows, layout = computed_rows(recursion, asked, path_nodes(recursion.names, item, label))
            return Many(index=row.put(rows), body=layout)
        case SearchField():
            return _search(recursion, asked, row)
        case never:
            assert_never(never)


def _impact_list(recursion: Recursion, asked: Field, of: str, item: Item, row: Row) -> Many:
    usual = COUNTS_DEFAULT if of == "counts" else PAGE_DEFAULT
    size = recursion.names.parameter(PageSize(slot=slot_of(asked), more=0, usual=usual))
    found = impact_list(recursion.names, of, item.columns["hits"], size)
    ahead = recursion.names.variable()
    rows, layout = computed_rows(recursion, asked, found)
    row.ahead.append((rows, ahead))
    return Many(index=row.put(Var(ahead)), body=layout)


def path(names: Names, slot: int) -> Computed:
    """Bind the shortest way between two pieces of equipment, over cards, ports and trunks; nothing where there is none."""
    left, right, way = names.variable(), names.variable(), names.variable()
    clauses = (
        *_either(names, left, slot, "from", ()),
        *_either(names, right, slot, "to", (left,)),
        With(((Var(left), ""), (Var(right), "")), where=Binary("<>", Get(left, "id"), Get(right, "id"))),
        ShortestPath(way, left, right, ("HOLDS", "HAS_PORT", "TERMINATES_ON"), LONGEST_PATH),
    )
    columns: dict[str, Expr] = {"hops": Call("size", (NodesOfPath(way, "Trunk"),))}
    item = Item(var=way, columns=columns, outer=(left, right, way))
    return Computed(clauses=clauses, item=item)


def _either(names: Names, var: str, slot: int, argument: str, outer: tuple[str, ...]) -> tuple[Clause, ...]:
    """Find a node by id among the labels that a path may end on; an id without its label would be a scan."""
    lists: Expr | None = None
    key = names.parameter(Given(slot=slot, path=(argument,)))
    for label in _ENDS:
        inner = names.variable()
        lists = _plus(lists, Sub("COLLECT", Query((Match(NodePattern(inner, label, key)), Return(Var(inner))))))
    assert lists is not None
    return (Unwind(lists, var), With(tuple((Var(each), "") for each in (*outer, var))))


def path_nodes(names: Names, way: Item, label: str) -> Computed:
    """Give the nodes of one label along a path, in its order."""
    place, node = names.variable(), names.variable()
    nodes = NodesOfPath(way.var, label)
    last = Binary("-", Call("size", (nodes,)), Const(1))
    clauses = (
        Unwind(Call("range", (Const(0), last)), place),
        With((*kept((*way.outer, place)), (At(nodes, Var(place)), node))),
    )
    item = Item(var=node, outer=(*way.outer, place, node))
    return Computed(clauses=clauses, item=item, order=(Order(Var(place)),))


def _search(recursion: Recursion, asked: Field, row: Row) -> Many:
    slot = slot_of(asked)
    size = recursion.names.parameter(PageSize(slot=slot, more=0))
    lists: Expr | None = None
    options = []
    for each in asked.selections:
        label = label_of_type(recursion.mappings, each.type)
        if not LABELS[label].searched:
            continue
        found = search(recursion.names, recursion.kind, label, slot)
        order = (Order(Get(found.node, "name")), Order(Get(found.node, "id")))
        first = With(kept((found.node,)), order=order, limit=size)
        value, option = tagged(recursion, each, found.node, (found.node,))
        lists = _plus(lists, Sub("COLLECT", Query((*found.clauses, first, Return(value, order=order)))))
        options.append(option)
    assert lists is not None  # some label is searched
    return Many(index=row.put(Slice(lists, size)), body=Choice(options=tuple(options)))


def _plus(lists: Expr | None, more: Expr) -> Expr:
    return more if lists is None else Binary("+", lists, more)


def search(names: Names, kind: ScopeKind, label: str, slot: int) -> Source:
    """Find the nodes of a label that have all the words."""
    if kind is ScopeKind.EVERYTHING:
        var = names.variable()
        query = names.parameter(SearchWords(slot=slot, lucene=True))
        return Source(clauses=(FullText(f"words_{label}", query, var), With(((Var(var), ""),))), node=var)
    found = everything(names, kind, label)
    words = names.parameter(SearchWords(slot=slot, lucene=False))
    text = Binary("+", Const(" "), Get(found.node, "words"))
    return Source(clauses=found.where(Every("w", words, Binary("CONTAINS", text, Var("w")))), node=found.node)
