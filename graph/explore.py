"""The three questions that are not a walk from an object: impact, path and search.

Each function gives clauses that bind what was found, and the columns that the answer's computed objects read. Visibility
comes from graph/slice.py, as everywhere.

Impact. A failed element takes its cards along, a card its ports, a port the trunk that ends there. Each service that is
hit is hit in one or more of three *kinds*: ACCESS, WORKING, PROTECTING; graph/effects.py says what the kinds mean, and
its tables are printed here as CASE. Nothing is written, and alarms that are open now play no part: it is what these
failures alone would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from graph.bind import Given, IdsOf, SearchWords
from graph.cypher import (
    All,
    AnyOf,
    At,
    Binary,
    Call,
    Case,
    Clause,
    Const,
    Every,
    Expr,
    FullText,
    Get,
    ListOf,
    Match,
    NodePattern,
    NodesOfPath,
    Not,
    Order,
    Param,
    Query,
    Return,
    ShortestPath,
    Slice,
    Step,
    Sub,
    Unwind,
    Var,
    With,
)
from graph.effects import SEVERITY
from graph.mapping import Hop, hops
from graph.model import EFFECTS, TIERS
from graph.names import Names
from graph.scope import ScopeKind
from graph.slice import Source, along, both, everything, visible


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """Clauses, and what of them the answer's objects read."""

    clauses: tuple[Clause, ...]
    bound: tuple[str, ...]
    var: str = ""
    columns: Mapping[str, Expr] = field(default_factory=dict)
    ends: Mapping[str, str] = field(default_factory=dict)
    order: tuple[Order, ...] = ()


LONGEST_PATH: Final = 100
_WORST_FIRST: Final = ("critical", "major", "minor", "warning")

_TO_PORTS: Final[Mapping[str, tuple[Hop, ...]]] = {
    "Site": hops("<LOCATED_AT", "HOLDS>", "HAS_PORT>"),
    "NetworkElement": hops("HOLDS>", "HAS_PORT>"),
    "Card": hops("HAS_PORT>"),
    "Port": (),
}


def impact(names: Names, kind: ScopeKind, slot: int) -> Computed:
    """Bind `hits`: a row [service, effect, severity, rank, customer] for each service that the failures touch."""
    hits = names.variable()
    rows = Sub("COLLECT", _hits(names, kind, slot))
    services = Call("size", (Var(hits),))
    customers = _count_customers(names, hits)
    return Computed(
        clauses=(With(((rows, hits),)),),
        bound=(hits,),
        columns={"hits": Var(hits), "totalServices": services, "totalCustomers": customers},
    )


def _hits(names: Names, kind: ScopeKind, slot: int) -> Query:
    hit, service, kinds = names.variable(), names.variable(), names.variable()
    tier, effect, owner = names.variable(), names.variable(), names.variable()
    sla = names.variable()
    found_tier = Query((Match(NodePattern(service), (_step("GOVERNED_BY>", sla),)), Return(Get(sla, "tier"), limit=Const(1))))
    found_owner = Query((Match(NodePattern(service), (_step("<SUBSCRIBES_TO", owner),)), Return(Var(owner), limit=Const(1))))
    first = With(((At(Var(hit), Const(0)), service), (Call("collect", (At(Var(hit), Const(1)),)), kinds)))
    second = With(
        (
            (Var(service), ""),
            (_effect(service, kinds), effect),
            (Call("head", (Sub("COLLECT", found_tier),)), tier),
            (Call("head", (Sub("COLLECT", found_owner),)), owner),
        )
    )
    row = ListOf((Var(service), Var(effect), _severity(effect, tier), _rank(effect, tier), Var(owner)))
    return Query((Unwind(_touched(names, kind, slot), hit), first, second, Return(row)))


def _touched(names: Names, kind: ScopeKind, slot: int) -> Expr:
    """List [service, kind of hit], once per way in which a failed object touches a service."""
    lists: Expr | None = None
    for label, down in _TO_PORTS.items():
        for up in (hops("<ACCESSED_AT"), hops("<TERMINATES_ON", "<ROUTED_OVER")):
            lists = _plus(lists, _touched_by(names, kind, slot, (label, (*down, *up))))
    return _plus(lists, _touched_by(names, kind, slot, ("Trunk", hops("<ROUTED_OVER"))))


def _step(drawn: str, var: str) -> Step:
    hop = hops(drawn)[0]
    return Step(hop.type, hop.reverse, NodePattern(var, hop.label))


def _plus(lists: Expr | None, more: Expr) -> Expr:
    return more if lists is None else Binary("+", lists, more)


def _touched_by(names: Names, kind: ScopeKind, slot: int, start: tuple[str, tuple[Hop, ...]]) -> Expr:
    label, path = start
    key, failed, service, last = (names.variable() for _ in range(4))
    ids = names.parameter(IdsOf(slot=slot, argument="of", label=label))
    steps = [Step(hop.type, hop.reverse, NodePattern("", hop.label)) for hop in path[:-1]]
    steps.append(Step(path[-1].type, path[-1].reverse, NodePattern(service, "Service"), last))
    match = Match(NodePattern(failed, label, Var(key)), tuple(steps), where=visible(names, kind, service, ("Service",)))
    way: Expr = Get(last, "path") if path[-1].type == "ROUTED_OVER" else Const("ACCESS")
    return Sub("COLLECT", Query((Unwind(ids, key), match, Return(ListOf((Var(service), way)), distinct=True))))


def _effect(service: str, kinds: str) -> Expr:
    """Spell graph.effects.effect_on over the kinds of hits."""

    def hit(kind: str) -> Expr:
        return Binary("IN", Const(kind), Var(kinds))

    spare = Match(NodePattern(service), (Step("ROUTED_OVER", False, NodePattern("", "Trunk"), "spare"),))
    protected = Sub("EXISTS", Query((Match(spare.start, spare.steps, where=Binary("=", Get("spare", "path"), Const("PROTECTING"))),)))
    down = AnyOf((hit("ACCESS"), All((hit("WORKING"), AnyOf((hit("PROTECTING"), Not(protected)))))))
    return Case(((down, Const("down")), (hit("WORKING"), Const("degraded")), (hit("PROTECTING"), Const("atRisk"))))


def _severity(effect: str, tier: str) -> Expr:
    return Case(tuple((_is(effect, tier, e, t), Const(s)) for (e, t), s in SEVERITY.items()))


def _rank(effect: str, tier: str) -> Expr:
    """Number the severities, worst first; what has none comes last, by effect."""
    ranks: list[tuple[Expr, Expr]] = []
    for e in EFFECTS:
        for t in TIERS:
            severity = SEVERITY.get((e, t))  # type: ignore[call-overload]  # the model's words are the effects
            ranks.append((_is(effect, tier, e, t), Const(_WORST_FIRST.index(severity) if severity else len(_WORST_FIRST))))
    return Case(tuple(ranks))


def _is(effect: str, tier: str, wanted_effect: str, wanted_tier: str) -> Expr:
    return All((Binary("=", Var(effect), Const(wanted_effect)), Binary("=", Var(tier), Const(wanted_tier))))


def _count_customers(names: Names, hits: str) -> Expr:
    hit, owner = names.variable(), names.variable()
    query = Query(
        (Unwind(Var(hits), hit), With(((At(Var(hit), Const(4)), owner),), distinct=True), Return(Var(owner)))
    )
    return Sub("COUNT", query)


def impact_list(names: Names, of: str, hits: Expr, size: Param) -> Computed:
    """Give the services, the customers or the counts of an impact, worst first."""
    hit, first, second, rank, count = (names.variable() for _ in range(5))
    unwind = Unwind(hits, hit)
    places = {"node": At(Var(hit), Const(0)), "effect": At(Var(hit), Const(1)), "severity": At(Var(hit), Const(2)), "rank": At(Var(hit), Const(3))}
    match of:
        case "services":
            bind = With(((places["node"], first), (places["effect"], "effect"), (places["severity"], "severity"), (places["rank"], rank)))
            order = (Order(Var(rank)), Order(Get(first, "id")))
            cut = With(((Var(first), ""), (Var("effect"), ""), (Var("severity"), ""), (Var(rank), "")), order=order, limit=size)
            columns: Mapping[str, Expr] = {"effect": Var("effect"), "severity": Var("severity")}
            return Computed(
                clauses=(unwind, bind, cut), bound=(first, "effect", "severity", rank), columns=columns, ends={"service": first}, order=order
            )
        case "customers":
            worst = Call("min", (places["rank"],))
            bind = With(((At(Var(hit), Const(4)), first), (worst, rank), (Call("count", (Var(hit),)), count)))
            order = (Order(Var(rank)), Order(Get(first, "id")))
            cut = With(((Var(first), ""), (Var(rank), ""), (Var(count), "")), order=order, limit=size)
            columns = {"services": Var(count), "severity": _word_of_rank(rank)}
            return Computed(clauses=(unwind, bind, cut), bound=(first, rank, count), columns=columns, ends={"customer": first}, order=order)
        case _:
            bind = With(((places["rank"], rank), (places["effect"], second), (Call("count", (Var(hit),)), count)))
            order = (Order(Var(rank)), Order(Var(second)))
            cut = With(((Var(rank), ""), (Var(second), ""), (Var(count), "")), order=order, limit=size)
            columns = {"services": Var(count), "effect": Var(second), "severity": _word_of_rank(rank)}
            return Computed(clauses=(unwind, bind, cut), bound=(rank, second, count), columns=columns, order=order)


def _word_of_rank(rank: str) -> Expr:
    return Case(tuple((Binary("=", Var(rank), Const(i)), Const(word)) for i, word in enumerate(_WORST_FIRST)))


# Path --------------------------------------------------------------------------------------------------------------

_ENDS: Final = ("NetworkElement", "Card", "Port")


def path(names: Names, slot: int) -> Computed:
    """Bind the shortest way between two pieces of equipment, over cards, ports and trunks; nothing where there is none."""
    left, right, way = names.variable(), names.variable(), names.variable()
    clauses = (
        _either(names, left, slot, "from", ()),
        _either(names, right, slot, "to", (left,)),
        With(((Var(left), ""), (Var(right), "")), where=Binary("<>", Get(left, "id"), Get(right, "id"))),
        ShortestPath(way, left, right, ("HOLDS", "HAS_PORT", "TERMINATES_ON"), LONGEST_PATH),
    )
    return Computed(
        clauses=_flatten(clauses),
        bound=(left, right, way),
        var=way,
        columns={"hops": Call("size", (NodesOfPath(way, "Trunk"),))},
    )


def _either(names: Names, var: str, slot: int, argument: str, outer: tuple[str, ...]) -> tuple[Clause, ...]:
    """Find a node by id among the labels that a path may end on; an id without its label would be a scan."""
    lists: Expr | None = None
    key = names.parameter(Given(slot=slot, path=(argument,)))
    for label in _ENDS:
        inner = names.variable()
        lists = _plus(lists, Sub("COLLECT", Query((Match(NodePattern(inner, label, key)), Return(Var(inner))))))
    assert lists is not None
    return (Unwind(lists, var), With(tuple((Var(each), "") for each in (*outer, var))))


def _flatten(parts: tuple[Clause | tuple[Clause, ...], ...]) -> tuple[Clause, ...]:
    flat: list[Clause] = []
    for each in parts:
        flat += each if isinstance(each, tuple) else (each,)
    return tuple(flat)


def path_nodes(names: Names, way: str, label: str) -> Computed:
    """Give the nodes of one label along a path, in its order."""
    place, node = names.variable(), names.variable()
    nodes = NodesOfPath(way, label)
    last = Binary("-", Call("size", (nodes,)), Const(1))
    clauses = (
        Unwind(Call("range", (Const(0), last)), place),
        With(((Var(place), ""), (At(nodes, Var(place)), node))),
    )
    return Computed(clauses=clauses, bound=(place, node), var=node, order=(Order(Var(place)),))


# Search ------------------------------------------------------------------------------------------------------------


def search(names: Names, kind: ScopeKind, label: str, slot: int) -> Source:
    """Find the nodes of a label that have all the words.

    Who reads everything asks the full-text index. A customer's search starts at the customer, as every list does: hits
    of others, which an index would rank and count, play no part in it.
    """
    if kind is ScopeKind.EVERYTHING:
        var = names.variable()
        query = names.parameter(SearchWords(slot=slot, lucene=True))
        return Source(clauses=(FullText(f"words_{label}", query, var), With(((Var(var), ""),))), node=var)
    found = everything(names, kind, label, ())
    words = names.parameter(SearchWords(slot=slot, lucene=False))
    text = Binary("+", Const(" "), Get(found.node, "words"))
    return Source(clauses=found.where(Every("w", words, Binary("CONTAINS", text, Var("w")))), node=found.node)
