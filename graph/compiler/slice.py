"""The caller's slice, as Cypher: where a list starts, and how a single node is found.

Nothing else in the compiler writes a condition of visibility. A node is reached in one of four ways, and each has its
function here: as the start of a list (`everything`), by an id (`by_id`, `by_ids`), along relationships from a node that
is already in the slice (`along`), or as the only one of a relationship (`visible`). A step that the model marks as inside
needs no condition: whoever may see its start may see its end.

Time must tell a customer nothing of what is outside the slice. So no statement of a customer's walks away from a node
that customers share: it begins at the caller's own nodes and looks whether they lead to that node.

1. A shared node by its id is looked for in the slice, never in the index: unknown and forbidden are the same work. The
   slice of a customer with many services is stored as memberships (graph/membership/), and asked for the pair of customer
   and node; that of any other is walked. `STORED` of the customer says which, and has to be there for a membership to count.
2. Any other node by its id is found by the index. Where the index has none, a node of the caller's is tested in its
   place, so that unknown and forbidden are the same steps.
3. A list of a shared node begins at the caller's nodes of the list's label. `_DIRECT` has the exceptions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, assert_never

from graph.compiler.bind import Names, ScopeIds
from graph.compiler.clauses import (
    All,
    AnyOf,
    At,
    Binary,
    Call,
    Clause,
    Const,
    Expr,
    Get,
    HasLabel,
    IsNull,
    ListOf,
    Match,
    NodePattern,
    Not,
    Query,
    Return,
    Step,
    Sub,
    Those,
    Union,
    Unwind,
    Var,
    With,
)
from graph.errors import Refused
from graph.model.mapping import Hop
from graph.model.model import RELATIONSHIPS
from graph.model.scope import STORED, ScopeKind, is_exclusive, is_shared, slice_paths

_ALWAYS: Final = All(())
_DIRECT: Final = frozenset({("CAUSED_BY", False), ("CONCERNS_CUSTOMER", False)})
"""Steps (type, reverse) that a customer's statement takes from a shared node, though they are not inside.

An alarm has few causes, while it may cause hundreds: so this step is shorter than the way back. A customer's events are its
whole history, which nobody walks to find one of them."""


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


Own = dict[str, tuple[Expr, str]]
"""What the rows of a page have in common of the caller's slice, by what it is: its expression, and the variable of it."""


def visible(names: Names, kind: ScopeKind, var: str, labels: Sequence[str], own: Own | None = None) -> Expr:
    """Give the condition that a node, of one of these labels, is in the caller's slice."""
    match kind:
        case ScopeKind.EVERYTHING:
            return All(())
        case ScopeKind.CUSTOMERS if len(labels) == 1:
            return _owned(names, var, labels[0], own)
        case ScopeKind.CUSTOMERS:
            return AnyOf(tuple(both(HasLabel(var, each), _owned(names, var, each, own)) for each in labels))
        case ScopeKind.NOTHING:
            raise Refused("This caller reads nothing here.", code="FORBIDDEN", hint="Use a token with another role.")
        case never:
            assert_never(never)


def _owned(names: Names, var: str, label: str, own: Own | None = None) -> Expr:
    if label == "Customer":
        return _named(names, var)
    if is_shared(label):
        return _among_own(names, var, label, own)
    return AnyOf(tuple(Sub("EXISTS", Query((_from_customer(names, path, var),))) for path in slice_paths(label)))


def _among_own(names: Names, var: str, label: str, own: Own | None) -> Expr:
    """Look for a node among the caller's own of its label; what is walked of them, and who is stored, is found once a page."""
    mine = _walked(names, label, names.variable())
    if own is None:
        same = With(((Var(mine.node), ""), (Var(var), "")), where=Binary("=", Var(mine.node), Var(var)))
        walked: Expr = Sub("EXISTS", Query((apart(mine), same, Return(Var(mine.node)))))
        return AnyOf((walked, _is_member(names, _customers_stored(names), var)))
    nodes = Sub("COLLECT", Query((*mine.clauses, Return(Var(mine.node)))))
    among = Binary("IN", Var(var), Var(_common(names, own, f"walked {label}", nodes)))
    return AnyOf((among, _is_member(names, Var(_common(names, own, "stored", _customers_stored(names))), var)))


def _customers_stored(names: Names) -> Expr:
    """List the ids of the caller's customers whose slice is stored."""
    customer = names.variable()
    stored = _customers(names, customer, where=_kept_as(customer, stored=True))
    return Sub("COLLECT", Query((*stored, Return(Get(customer, "id")))))


def _is_member(names: Names, customers: Expr, var: str) -> Expr:
    """Tell whether a node is in a stored slice of one of these customers."""
    customer, key, member = names.variable(), names.variable(), names.variable()
    keyed = With(((_member_key(Var(customer), Get(var, "id")), key),))
    found = Match(NodePattern(member, "Membership", Var(key)))
    return Sub("EXISTS", Query((Unwind(customers, customer), keyed, found, Return(Var(member)))))


def _member_key(customer: Expr, node: Expr) -> Expr:
    """Spell `graph.model.identity.membership_id`."""
    return Binary("+", Binary("+", customer, Const(" ")), node)


def _kept_as(customer: str, *, stored: bool) -> Expr:
    """Give the condition that the slice of a customer is stored, or is not."""
    absent = IsNull(Get(customer, STORED))
    return Not(absent) if stored else absent


def _common(names: Names, own: Own, what: str, value: Expr) -> str:
    """Give the variable of something that all rows of a page have in common."""
    if what not in own:
        own[what] = (value, names.variable())
    return own[what][1]


def apart(own: Source) -> Union:
    """Find nodes in a subquery of their own, so that no variable around it is lost by a WITH."""
    first = own.clauses[0]
    if isinstance(first, Union):  # it is one already, and what follows it only names its node again
        return first
    return Union((Query((*own.clauses, Return(Var(own.node)))),))


def _from_customer(names: Names, path: tuple[Hop, ...], var: str) -> Match:
    """Match a path of the slice from one of the caller's customers to a node that is known: a database begins there."""
    owner = names.variable()
    steps = [Step(hop.type, hop.reverse, NodePattern("", hop.label)) for hop in path[:-1]]
    steps.append(Step(path[-1].type, path[-1].reverse, NodePattern(var)))
    return Match(NodePattern(owner, "Customer"), tuple(steps), where=_named(names, owner))


def _customers(names: Names, customer: str, *steps: Step, where: Expr = _ALWAYS) -> tuple[Clause, ...]:
    """Begin a walk at each of the caller's customers, found by its id.

    By `customer.id IN $scope` the embedded database, within a subquery, looks at all customers that there are.
    """
    key = names.variable()
    begin = Match(NodePattern(customer, "Customer", Var(key)), steps, where=where)
    return Unwind(names.parameter(ScopeIds()), key), begin


def _named(names: Names, customer: str) -> Expr:
    return Binary("IN", Get(customer, "id"), names.parameter(ScopeIds()))


def _gathered(names: Names, path: tuple[Hop, ...], var: str, *, unstored: bool = False) -> tuple[Clause, ...]:
    """Gather the nodes at the end of a path of the slice, each once after every step.

    Thousands of services share a few trunks: without this a hub customer's sites are counted once per service.
    `unstored`: of those customers only whose slice is not stored.
    """
    first, *further = path
    here = names.variable() if further else var
    owner = names.variable()
    where = _kept_as(owner, stored=False) if unstored else _ALWAYS
    nearest = Step(first.type, first.reverse, NodePattern(here, first.label))
    clauses = [*_customers(names, owner, nearest, where=where), With(((Var(here), ""),), distinct=True)]
    for index, hop in enumerate(further, 1):
        there = var if index == len(further) else names.variable()
        step = Step(hop.type, hop.reverse, NodePattern(there, hop.label))
        clauses += [Match(NodePattern(here), (step,)), With(((Var(there), ""),), distinct=True)]
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
        case ScopeKind.CUSTOMERS:
            return _owned_nodes(names, label, var)
        case ScopeKind.NOTHING:
            raise Refused("This caller reads nothing here.", code="FORBIDDEN", hint="Use a token with another role.")
        case never:
            assert_never(never)


def _owned_nodes(names: Names, label: str, var: str) -> Source:
    """Walk to the caller's nodes of a label; the caller's customers are its own without a step."""
    if label == "Customer":
        return Source(clauses=_customers(names, var), node=var)
    paths = slice_paths(label)
    if not paths:
        return Source(clauses=(Match(NodePattern(var, label), where=Const(value=False)),), node=var)
    return _any_way(tuple(_gathered(names, path, var) for path in paths), var)


def _walked(names: Names, label: str, var: str) -> Source:
    """Walk to those nodes of a shared label that are in slices which are not stored."""
    return _any_way(tuple(_gathered(names, path, var, unstored=True) for path in slice_paths(label)), var)


def _any_way(ways: tuple[tuple[Clause, ...], ...], var: str) -> Source:
    if len(ways) == 1:
        return Source(clauses=ways[0], node=var)
    queries = tuple(Query((*each, Return(Var(var)))) for each in ways)
    return Source(clauses=(Union(queries), With(((Var(var), ""),))), node=var)


# By id ---------------------------------------------------------------------------------------------------------------


def by_id(names: Names, kind: ScopeKind, label: str, key: Expr, outer: tuple[str, ...] = ()) -> Source:
    """Find the node of a label with an id, if it is in the slice; `outer` are variables that `key` needs."""
    match kind:
        case ScopeKind.EVERYTHING:
            var = names.variable()
            return Source(clauses=(Match(NodePattern(var, label, key)),), node=var)
        case ScopeKind.CUSTOMERS if label == "Customer":
            return _named_customer(names, key, outer)
        case ScopeKind.CUSTOMERS if is_shared(label):
            return _own_by_id(names, label, key)
        case ScopeKind.CUSTOMERS if slice_paths(label):
            return _indexed(names, label, key, outer)
        case ScopeKind.CUSTOMERS | ScopeKind.NOTHING:
            var = names.variable()
            where = visible(names, kind, var, (label,))
            return Source(clauses=(Match(NodePattern(var, label, key), where=where),), node=var)
        case never:
            assert_never(never)


def _own_by_id(names: Names, label: str, key: Expr) -> Source:
    given, var = names.variable(), names.variable()
    stored = (With(((key, given),)), *_stored(names, label, given, var))
    return _any_way((stored, *_walked_to(names, label, Binary("=", Get(var, "id"), key), var)), var)


def _stored(names: Names, label: str, key: str, var: str) -> tuple[Clause, ...]:
    """Find a node of stored slices by its id, a variable. One that is in none is not looked for: a DISTINCT is a wall."""
    customer, wanted, member = names.variable(), names.variable(), names.variable()
    return (
        *_customers(names, customer, where=_kept_as(customer, stored=True)),
        With(((Var(key), ""), (_member_key(Get(customer, "id"), Var(key)), wanted))),
        Match(NodePattern(member, "Membership", Var(wanted))),
        With(((Var(key), ""),), distinct=True),
        Match(NodePattern(var, label, Var(key))),
    )


def _walked_to(names: Names, label: str, wanted: Expr, var: str) -> Iterator[tuple[Clause, ...]]:
    """Walk the slices that are not stored, and keep what is wanted of them."""
    for path in slice_paths(label):
        *before, last = _gathered(names, path, var, unstored=True)
        assert isinstance(last, With)
        yield (*before, replace(last, where=wanted))


def _named_customer(names: Names, key: Expr, outer: tuple[str, ...]) -> Source:
    """Find one of the caller's customers; for any other id nothing is looked for at all."""
    named, var = names.variable(), names.variable()
    kept = tuple((Var(each), "") for each in outer)
    ours = With((*kept, (key, named)), where=Binary("IN", Var(named), names.parameter(ScopeIds())))
    return Source(clauses=(ours, Match(NodePattern(var, "Customer", Var(named)))), node=var)


def _indexed(names: Names, label: str, key: Expr, outer: tuple[str, ...]) -> Source:
    """Find a node by the index; where there is none, go the same way from a node of the caller's, and drop that.

    The node that stands in is the first on the way from the customer: it is there at once, however large the slice is. Where
    the caller's first customer has none, that is the customer: times would tell else whether there is an order of such an id.
    """
    nearest = slice_paths(label)[0][0]
    customer, own, stand_in, found, var, seen = (names.variable() for _ in range(6))
    kept = tuple((Var(each), "") for each in outer)
    step = Step(nearest.type, nearest.reverse, NodePattern(own, nearest.label))
    first = Match(NodePattern(customer), (step,), optional=True)
    either_own = Call("coalesce", (Var(own), Var(customer)))
    some = Query((*_customers(names, customer), first, Return(either_own, limit=Const(1))))
    indexed = Query((Match(NodePattern(found, label, key)), Return(Var(found), limit=Const(1))))
    either = Call("coalesce", (_head(indexed), Var(stand_in)))
    tested = (_owned(names, var, label), seen)  # a column, so that it is asked also of what stands in
    clauses = (
        With((*kept, (_head(some), stand_in))),
        With((*kept, (either, var))),
        With((*kept, (Var(var), ""), tested)),
        With((*kept, (Var(var), "")), where=both(Var(seen), Binary("=", Get(var, "id"), key))),
    )
    return Source(clauses=clauses, node=var)


def _head(query: Query) -> Expr:
    return Call("head", (Sub("COLLECT", query),))


def by_ids(names: Names, kind: ScopeKind, label: str, keys: Expr) -> Source:
    """Find the nodes of a label with these ids: a row for each key in their order, null where it is not in the slice."""
    key = names.variable()
    if kind is ScopeKind.CUSTOMERS and is_shared(label):
        return _own_by_ids(names, label, keys, key)
    if kind is ScopeKind.CUSTOMERS and slice_paths(label):
        one, var = by_id(names, kind, label, Var(key), (key,)), names.variable()
        found = _head(Query((*one.clauses, Return(Var(one.node), limit=Const(1)))))
        return Source(clauses=(Unwind(keys, key), With(((Var(key), ""), (found, var)))), node=var)
    var = names.variable()
    match = Match(NodePattern(var, label, Var(key)), where=visible(names, kind, var, (label,)), optional=True)
    return Source(clauses=(Unwind(keys, key), match), node=var)


def by_rows(names: Names, kind: ScopeKind, label: str, rows: Expr) -> tuple[Source, str]:
    """Find the nodes of rows that begin with an id, as `by_ids` does; give the variable of the row too.

    Of labels that customers do not share: a shared one would be looked for row by row.
    """
    assert not is_shared(label), f"{label} is looked for in the slice once for all rows"
    each, key, var = names.variable(), names.variable(), names.variable()
    unwound = (Unwind(rows, each), With(((Var(each), ""), (At(Var(each), Const(0)), key))))
    if kind is ScopeKind.CUSTOMERS and slice_paths(label):
        one = by_id(names, kind, label, Var(key), (each, key))
        found = _head(Query((*one.clauses, Return(Var(one.node), limit=Const(1)))))
        return Source(clauses=(*unwound, With(((Var(each), ""), (found, var)))), node=var), each
    match = Match(NodePattern(var, label, Var(key)), where=visible(names, kind, var, (label,)), optional=True)
    return Source(clauses=(*unwound, match), node=var), each


def _own_by_ids(names: Names, label: str, keys: Expr, key: str) -> Source:
    """Find nodes of stored slices one by one; walk the others once for all keys."""
    found, each, one, var = (names.variable() for _ in range(4))
    node = names.variable()
    stored = (Unwind(keys, each), *_stored(names, label, each, node))
    mine = _any_way((stored, *_walked_to(names, label, Binary("IN", Get(node, "id"), keys), node)), node)
    same = With(((Var(key), ""), (Var(one), "")), where=Binary("=", Get(one, "id"), Var(key)))
    first = _head(Query((Unwind(Var(found), one), same, Return(Var(one), limit=Const(1)))))
    clauses = (
        With(((Sub("COLLECT", Query((*mine.clauses, Return(Var(mine.node))))), found),)),
        Unwind(keys, key),
        With(((Var(found), ""), (Var(key), ""), (first, var))),
    )
    return Source(clauses=clauses, node=var)


# Along relationships -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """A walk over relationships from a node of the slice."""

    start: str
    label: str
    """the label of the start."""
    path: tuple[Hop, ...]
    labels: Sequence[str]
    """the labels that the end may have, where the last hop leaves that open."""
    outer: tuple[str, ...]
    once: bool
    """whether each node counts once, however many relationships lead to it."""
    own: Own | None = None
    """where this walk is one of many, what is found once for all of them."""


def along(names: Names, kind: ScopeKind, walk: Walk) -> Source:
    """Follow relationships from a node of the slice, to nodes of the slice."""
    if kind is ScopeKind.CUSTOMERS and _leads_to_others(walk):
        return _from_own(names, walk)
    start, path, labels, outer = walk.start, walk.path, walk.labels, walk.outer
    steps: list[Step] = []
    conditions: list[Expr] = []
    near, relationship, node = start, "", start
    for hop in path:
        near, relationship, node = node, names.variable(), names.variable()
        steps.append(Step(hop.type, hop.reverse, NodePattern(node, hop.label), relationship))
        if not hop.inside:
            conditions.append(visible(names, kind, node, (hop.label,) if hop.label else labels, walk.own))
    clauses: tuple[Clause, ...] = (Match(NodePattern(start), tuple(steps), where=both(*conditions)),)
    if walk.once and _repeats(path):
        return _once(clauses, outer, node)
    return Source(clauses=clauses, node=node, relationship=relationship, near=near, reverse=path[-1].reverse)


def _once(clauses: tuple[Clause, ...], outer: tuple[str, ...], node: str) -> Source:
    kept = tuple((Var(each), "") for each in (*outer, node))
    return Source(clauses=(*clauses, With(kept, distinct=True)), node=node)


def _leads_to_others(walk: Walk) -> bool:
    """Tell whether a walk goes from a shared node to as many nodes as all customers together have there."""
    hop = walk.path[-1]
    bounded = _single(hop) or (hop.type, hop.reverse) in _DIRECT
    return len(walk.path) == 1 and not hop.inside and not bounded and not is_exclusive(walk.label)


def _from_own(names: Names, walk: Walk) -> Source:
    """Begin at the caller's own nodes of the far label, and keep those whose relationship leads back to the start.

    The far end is compared with the start, not given as it: a planner could begin there, at all that others have.
    """
    (hop,) = walk.path
    assert hop.label or len(walk.labels) == 1, "a list of several labels would need the caller's nodes of each"
    label = hop.label or walk.labels[0]
    mine = _owned_nodes(names, label, names.variable())
    relationship, there = names.variable(), names.variable()
    back = Match(NodePattern(mine.node), (Step(hop.type, not hop.reverse, NodePattern(there), relationship),))
    found = Source(
        clauses=(apart(mine), replace(back, where=Binary("=", Var(there), Var(walk.start)))),
        node=mine.node,
        relationship=relationship,
        near=walk.start,
        reverse=hop.reverse,
    )
    if walk.own is not None:
        found = _of_start(names, walk, found, _ways_back(names, walk.own, label, mine, back))
    if walk.once and _repeats(walk.path):
        return _once(found.clauses, walk.outer, found.node)
    return found


def _ways_back(names: Names, own: Own, label: str, mine: Source, back: Match) -> str:
    """Find once [node that is led to, relationship, own node of a label] for all starts of a page."""
    (step,) = back.steps
    row = ListOf((Var(step.node.var), Var(step.var), Var(mine.node)))
    rows = Sub("COLLECT", Query((*mine.clauses, back, Return(row))))
    return _common(names, own, f"{label} {step.type}{' reverse' if step.reverse else ''}", rows)


def _of_start(names: Names, walk: Walk, found: Source, ways: str) -> Source:
    """Take those that lead to one start."""
    way = names.variable()
    kept = tuple((Var(each), "") for each in walk.outer)
    here = Those("w", Var(ways), Binary("=", At(Var("w"), Const(0)), Var(walk.start)))
    ends = ((At(Var(way), Const(1)), found.relationship), (At(Var(way), Const(2)), found.node))
    return replace(found, clauses=(Unwind(here, way), With((*kept, *ends))))


def _repeats(path: tuple[Hop, ...]) -> bool:
    """Tell whether a node may be met twice: by parallel relationships, or by different ways."""
    parallel = any(RELATIONSHIPS[hop.type].properties for hop in path)
    return parallel or not all(_single(hop) for hop in path[:-1])


def _single(hop: Hop) -> bool:
    return hop.single
