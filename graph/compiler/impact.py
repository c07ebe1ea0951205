"""`impact(of:)`: who suffers if these fail.

A failed element takes its cards along, a card its ports, a port the trunk that ends there. Each service that is
hit is hit in one or more of three *kinds*: ACCESS, WORKING, PROTECTING; graph/model/effects.py says by which ways and what the
kinds mean, and its tables are printed here as CASE. Services that are not in use suffer nothing. Nothing is written, and
alarms that are open now play no part: it is what these failures alone would do.

What is not there cannot fail, and whoever asks about it has made a mistake: the ids that the caller sees are found beside,
and the shaper refuses the others (`graph.compiler.shape`). Unknown and forbidden are one answer.

The question of who reads everything begins at what fails. A customer's begins at the customer's services and looks whether
they meet what fails: the other way, the time would tell how many services others have there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from graph.compiler.bind import DefaultTier, IdsOf, Names
from graph.compiler.clauses import (
    All,
    At,
    Binary,
    Call,
    Case,
    Clause,
    Const,
    Expr,
    Get,
    IsNull,
    ListOf,
    Match,
    NodePattern,
    Not,
    Order,
    Param,
    Query,
    Return,
    Step,
    Sub,
    Unwind,
    Var,
    With,
)
from graph.compiler.parts import Computed, Item, first, kept
from graph.compiler.slice import apart, by_ids, everything, visible
from graph.model.effects import ACCESSED, CARRIED, CONTAINMENT, IN_USE, RULES, SEVERITY, Rule
from graph.model.mapping import Hop, hops
from graph.model.model import label_of
from graph.model.scope import ScopeKind

_ALL: Final = ScopeKind.EVERYTHING
_WORST_FIRST: Final = ("critical", "major", "minor", "warning")


def impact(names: Names, kind: ScopeKind, slot: int, of: Sequence[str]) -> Computed:
    """Bind `hits`: a row [service, effect, severity, rank, customer] for each service that the failures touch."""
    hits = names.variable()
    rows = Sub("COLLECT", _hits(names, kind, _touched(names, kind, slot, _labels(of))))
    services = Call("size", (Var(hits),))
    customers = _count_customers(names, hits)
    columns: Mapping[str, Expr] = {"hits": Var(hits), "totalServices": services, "totalCustomers": customers}
    return Computed(clauses=(With(((rows, hits),)),), item=Item(columns=columns, outer=(hits,)))


def present(names: Names, kind: ScopeKind, slot: int, of: Sequence[str]) -> Expr:
    """List the ids of what may fail and the caller sees, with null for any other."""
    lists: Expr | None = None
    for label in (*CONTAINMENT, "Trunk"):
        if label in _labels(of):
            keys = names.parameter(IdsOf(slot=slot, argument="of", label=label))
            found = by_ids(names, kind, label, keys)
            lists = _plus(lists, Sub("COLLECT", Query((*found.clauses, Return(Get(found.node, "id"))))))
    return lists or ListOf(())


def _labels(of: Sequence[str]) -> set[str]:
    return {label.name for each in of if (label := label_of(each))}


def _hits(names: Names, kind: ScopeKind, touched: Expr) -> Query:
    hit, service, kinds = names.variable(), names.variable(), names.variable()
    tier, effect, owner = names.variable(), names.variable(), names.variable()
    sla = names.variable()
    contract = Match(NodePattern(service), (_step("GOVERNED_BY>", sla),))
    subscriber = Match(
        NodePattern(service), (_step("<SUBSCRIBES_TO", owner),), where=visible(names, kind, owner, ("Customer",))
    )
    grouped = ((At(Var(hit), Const(0)), service), (Call("collect", (At(Var(hit), Const(1)),)), kinds))
    by_service = With(grouped, where=_in_use(service))
    judged = With(
        (
            (Var(service), ""),
            (_effect(service, kinds), effect),
            (Call("coalesce", (first((contract,), Get(sla, "tier")), names.parameter(DefaultTier()))), tier),
            (first((subscriber,), Var(owner)), owner),
        )
    )
    row = ListOf((Var(service), Var(effect), _severity(effect, tier), _rank(effect, tier), Var(owner)))
    return Query((Unwind(touched, hit), by_service, judged, Return(row)))


def _touched(names: Names, kind: ScopeKind, slot: int, labels: AbstractSet[str]) -> Expr:
    """List [service, kind of hit], once per way in which a failed object of one of these labels touches a service."""
    lists: Expr | None = None
    for label, down in CONTAINMENT.items():
        if label in labels:
            for up in (ACCESSED, CARRIED):
                lists = _plus(lists, _touched_by(names, kind, slot, (label, (*down, *up))))
    if "Trunk" in labels:
        lists = _plus(lists, _touched_by(names, kind, slot, ("Trunk", CARRIED[-1:])))
    return lists or ListOf(())


def _step(drawn: str, var: str) -> Step:
    hop = hops(drawn)[0]
    return Step(hop.type, hop.reverse, NodePattern(var, hop.label))


def _plus(lists: Expr | None, more: Expr) -> Expr:
    return more if lists is None else Binary("+", lists, more)


def _touched_by(names: Names, kind: ScopeKind, slot: int, way: tuple[str, tuple[Hop, ...]]) -> Expr:
    """List [service, kind of hit] along one way, which leads from a label of what may fail to services."""
    label, path = way
    ids = names.parameter(IdsOf(slot=slot, argument="of", label=label))
    last = names.variable()
    clauses, service = _down(names, (label, path), ids, last) if kind is _ALL else _up(names, kind, path, ids, last)
    hit: Expr = Get(last, "path") if path[-1].type == "ROUTED_OVER" else Const("ACCESS")
    return Sub("COLLECT", Query((*clauses, Return(ListOf((Var(service), hit)), distinct=True))))


def _down(names: Names, way: tuple[str, tuple[Hop, ...]], ids: Expr, last: str) -> tuple[tuple[Clause, ...], str]:
    """Begin at what fails, and go to services."""
    label, path = way
    key, failed, service = (names.variable() for _ in range(3))
    steps = [Step(hop.type, hop.reverse, NodePattern("", hop.label)) for hop in path[:-1]]
    steps.append(Step(path[-1].type, path[-1].reverse, NodePattern(service, "Service"), last))
    return (Unwind(ids, key), Match(NodePattern(failed, label, Var(key)), tuple(steps))), service


def _up(names: Names, kind: ScopeKind, path: tuple[Hop, ...], ids: Expr, last: str) -> tuple[tuple[Clause, ...], str]:
    """Begin at the caller's services, and go to what fails. Trunks that fail are found first: many services share them."""
    own = everything(names, kind, "Service")
    if path[-1].type != "ROUTED_OVER" or len(path) == 1:
        return (*own.clauses, _meets(names, own.node, path, ids, last)), own.node
    trunks = everything(names, kind, "Trunk")
    failed, trunk = names.variable(), names.variable()
    among = Sub(
        "COLLECT", Query((*trunks.clauses, _meets(names, trunks.node, path[:-1], ids), Return(Var(trunks.node))))
    )
    step = Step("ROUTED_OVER", reverse=False, node=NodePattern(trunk), var=last)
    over = Match(NodePattern(own.node), (step,), where=Binary("IN", Var(trunk), Var(failed)))
    return (With(((among, failed),)), apart(own), over), own.node


def _meets(names: Names, start: str, path: tuple[Hop, ...], ids: Expr, first_step: str = "") -> Match:
    """Go a way back to what fails, which has no label here, or a planner could begin at it."""
    failed = names.variable()
    ends = [NodePattern("", hop.label) for hop in reversed(path[:-1])] + [NodePattern(failed)]
    back = [Step(hop.type, not hop.reverse, end) for hop, end in zip(reversed(path), ends, strict=True)]
    back[0] = replace(back[0], var=first_step)
    return Match(NodePattern(start), tuple(back), where=Binary("IN", Get(failed, "id"), ids))


def _in_use(service: str) -> Expr:
    """Spell graph.model.effects.is_in_use."""
    state = Call("coalesce", (Get(service, "state"), Const(min(IN_USE))))
    return Binary("IN", state, ListOf(tuple(Const(each) for each in sorted(IN_USE))))


def _effect(service: str, kinds: str) -> Expr:
    """Spell graph.model.effects.RULES over the kinds of hits."""
    spare = Match(
        NodePattern(service), (Step("ROUTED_OVER", reverse=False, node=NodePattern("", "Trunk"), var="spare"),)
    )
    protected = Sub(
        "EXISTS",
        Query((Match(spare.start, spare.steps, where=Binary("=", Get("spare", "path"), Const("PROTECTING"))),)),
    )

    def fits(rule: Rule) -> Expr:
        hit = (Binary("IN", Const(part.upper()), Var(kinds)) for part in sorted(rule.parts))
        return All((*hit, *([Not(protected)] if rule.only_unprotected else ())))

    return Case(tuple((fits(each), Const(each.effect)) for each in RULES))


def _severity(effect: str, tier: str) -> Expr:
    return Case(tuple((_is(effect, tier, e, t), Const(s)) for (e, t), s in SEVERITY.items()))


def _rank(effect: str, tier: str) -> Expr:
    """Give the place of the severity, worst first; what has none comes last."""
    ranks = ((_is(effect, tier, e, t), Const(_WORST_FIRST.index(s))) for (e, t), s in SEVERITY.items())
    return Call("coalesce", (Case(tuple(ranks)), Const(len(_WORST_FIRST))))


def _is(effect: str, tier: str, wanted_effect: str, wanted_tier: str) -> Expr:
    return All((Binary("=", Var(effect), Const(wanted_effect)), Binary("=", Var(tier), Const(wanted_tier))))


def _count_customers(names: Names, hits: str) -> Expr:
    hit, owner = names.variable(), names.variable()
    owners = With(((At(Var(hit), Const(4)), owner),), distinct=True, where=Not(IsNull(Var(owner))))
    query = Query((Unwind(Var(hits), hit), owners, Return(Var(owner))))
    return Sub("COUNT", query)


def impact_list(names: Names, of: str, hits: Expr, size: Param) -> Computed:
    """Give the services, the customers or the counts of an impact, worst first."""
    match of:
        case "services":
            return _services(names, hits, size)
        case "customers":
            return _customers(names, hits, size)
        case _:
            return _counts(names, hits, size)


def _services(names: Names, hits: Expr, size: Param) -> Computed:
    hit, service, effect, severity, rank = (names.variable() for _ in range(5))
    bind = With(tuple((At(Var(hit), Const(i)), name) for i, name in enumerate((service, effect, severity, rank))))
    order = (Order(Var(rank)), Order(Get(service, "id")))
    bound = (service, effect, severity, rank)
    columns: Mapping[str, Expr] = {"effect": Var(effect), "severity": Var(severity)}
    item = Item(columns=columns, ends={"service": service}, outer=bound)
    return Computed(
        clauses=(Unwind(hits, hit), bind, With(kept(bound), order=order, limit=size)), item=item, order=order
    )


def _customers(names: Names, hits: Expr, size: Param) -> Computed:
    hit, customer, rank, count = (names.variable() for _ in range(4))
    worst = Call("min", (At(Var(hit), Const(3)),))
    grouped = ((At(Var(hit), Const(4)), customer), (worst, rank), (Call("count", (Var(hit),)), count))
    bind = With(grouped, where=Not(IsNull(Var(customer))))  # a service may have no customer yet
    order = (Order(Var(rank)), Order(Get(customer, "id")))
    bound = (customer, rank, count)
    columns: Mapping[str, Expr] = {"services": Var(count), "severity": _word_of_rank(rank)}
    item = Item(columns=columns, ends={"customer": customer}, outer=bound)
    return Computed(
        clauses=(Unwind(hits, hit), bind, With(kept(bound), order=order, limit=size)), item=item, order=order
    )


def _counts(names: Names, hits: Expr, size: Param) -> Computed:
    hit, rank, effect, count = (names.variable() for _ in range(4))
    places = ((At(Var(hit), Const(3)), rank), (At(Var(hit), Const(1)), effect))
    bind = With((*places, (Call("count", (Var(hit),)), count)))
    order = (Order(Var(rank)), Order(Var(effect)))
    bound = (rank, effect, count)
    columns: Mapping[str, Expr] = {"services": Var(count), "effect": Var(effect), "severity": _word_of_rank(rank)}
    item = Item(columns=columns, outer=bound)
    return Computed(
        clauses=(Unwind(hits, hit), bind, With(kept(bound), order=order, limit=size)), item=item, order=order
    )


def _word_of_rank(rank: str) -> Expr:
    return Case(tuple((Binary("=", Var(rank), Const(i)), Const(word)) for i, word in enumerate(_WORST_FIRST)))
