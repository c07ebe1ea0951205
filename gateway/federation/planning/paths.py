"""Many subgraphs may have a field; somebody must decide which is asked, without trying every combination.

In: a position (a value, and the states at which it is at hand) and what is wanted of it. Out: a `Solution`: for each field
the entries that it is fetched at, and what that costs. Two questions, both remembered:

`entries`  at which states an object can be had from here, over any number of keys: a fixpoint, in which a key's fields come
           from whatever has been reached most cheaply so far. It knows no operation, so its answers stay with the graph.
`solve`    where each field is taken from (choosing.py); where the value is one of several types and a field is not there
           for all of them alike, by each type in itself.

A field that `@requires` others is an entry of its own: its subgraph is asked once more, with what is required. A question
that comes up again while it is being answered (types refer to one another) counts as missing, and whatever was found on
that assumption is forgotten again, except for the answer to the question itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeVar

from gateway.federation.planning.choosing import Choosing
from gateway.federation.planning.costs import FIELD, FREE, HOP, MISSING, Cost, behind_a_fetch, plus
from gateway.federation.planning.errors import PlanTooLarge
from gateway.federation.planning.items import Item, Items, as_set, marked_otherwise
from gateway.federation.planning.positions import Entry, Pick, Position, Positions, Reach, Reached, Solution
from gateway.federation.query_graph import QueryGraph, State, Target
from gateway.federation.selections import Field, Fragment, SelectionSet, Sets

NO_ASSUMPTION: Final = 1_000_000
T = TypeVar("T")


class Paths:
    """Answers for one operation; those that know no operation stay with the graph."""

    def __init__(self, graph: QueryGraph, items: Items, most_steps: int) -> None:
        self.graph = graph
        self.items = items
        self.positions = Positions(graph)
        self._left = most_steps
        self._solved: dict[Any, Solution] = {}
        self._under_way: dict[Any, int] = {}
        self._assumed = NO_ASSUMPTION

    def _once(self, known: dict[Any, T], key: Any, find: Callable[[], T], circular: T) -> T:
        """Look up, or find and remember, unless what was found rests on a question that is still open."""
        if key in known:
            return known[key]
        if key in self._under_way:
            self._assumed = min(self._assumed, self._under_way[key])
            return circular
        self._left -= 1
        if self._left < 0:
            raise PlanTooLarge("The operation has too many ways to be planned.")
        depth = self._under_way[key] = len(self._under_way)
        outer, self._assumed = self._assumed, NO_ASSUMPTION
        try:
            found = find()
        finally:
            del self._under_way[key]
        if self._assumed >= depth:
            known[key] = found
            self._assumed = outer
        else:
            self._assumed = min(outer, self._assumed)
        return found

    # What can be reached -------------------------------------------------------------------------------------------

    def entries(self, position: Position) -> Reach:
        """Give every entry that an object can be had at, each the cheapest way."""
        here: Reach = {Entry(each): Reached(cost=FREE, own=FREE, needs=()) for each in position.states}
        key = ("entries", position.type, position.states)
        return self._once(self.graph.reached, key, lambda: self._reach(position, dict(here)), here)

    def _reach(self, position: Position, found: Reach) -> Reach:
        at_hand = {(each.type, each.graph) for each in position.states}
        if position.type == self.graph.supergraph.roots.get("query") or not position.states:
            roots = (State(position.type, graph) for graph in self.graph.type(position.type).graphs)
            missing = (each for each in roots if (each.type, each.graph) not in at_hand)
            return {**found, **{Entry(each): Reached(cost=HOP, own=HOP, needs=()) for each in missing}}
        targets = [each for each in self._targets(position) if (each.state.type, each.state.graph) not in at_hand]
        improved = True
        while improved:  # a key's fields may come from what was reached over another key
            improved = False
            for target in targets:
                better = self._by_keys(position, target, found)
                before = found.get(Entry(target.state))
                if better and (before is None or better.cost < before.cost):
                    found[Entry(target.state)] = better
                    improved = True
        return found

    def _targets(self, position: Position) -> list[Target]:
        """Give the targets of a type; an interface whose types are known has its interface objects only."""
        known = self.graph.is_abstract(position.type) and self.positions.is_split(position)
        found = self.graph.targets(position.type)
        return [each for each in found if not (known and self.graph.is_splitting(each.state))]

    def _by_keys(self, position: Position, target: Target, found: Reach) -> Reached | None:
        ways = [way for key in target.keys if (way := self._by_key(position, key, found))]
        return min(ways, key=lambda each: each.cost, default=None)

    def _by_key(self, position: Position, key: SelectionSet, found: Reach) -> Reached | None:
        cost, own = HOP, HOP
        needs: list[tuple[Field, Entry]] = []
        for each in key.selections:
            if not isinstance(each, Field):
                return None
            if each.name == "__typename":
                continue
            sources = [
                (plus(reached.cost, price), price, entry)
                for entry, reached, price in self._sources(position, each, found)
            ]
            if not sources:
                return None
            whole, price, entry = min(sources, key=lambda one: one[0])
            cost, own = plus(cost, whole), plus(own, price)
            needs.append((each, entry))
        return Reached(cost=cost, own=own, needs=tuple(needs))

    def _sources(self, position: Position, field: Field, found: Reach) -> Iterator[tuple[Entry, Reached, Cost]]:
        for entry, reached in found.items():
            step = self.graph.step(entry.state, field.name)
            if step is None or step.requires is not None or entry.requires is not None:
                continue
            price = FIELD
            if field.inner is not None:
                child = self.positions.child(position.type, field.name, (step,))
                price = plus(price, self.solve(child, (field.inner,)).cost)
            if not price[0]:
                yield entry, reached, price

    def with_requirements(self, position: Position, items: Iterable[Item], known: Reach) -> Reach:
        """Give the entries at which fields that require others can be had."""
        found: Reach = {}
        for entry in known:
            for item in items:
                step = self.graph.step(entry.state, item.name)
                if step is not None and step.requires is not None:
                    asked = Entry(State(entry.state.type, entry.state.graph), step.requires)
                    reached = found.get(asked) or self.requiring(position, asked)
                    if reached is not None:
                        found[asked] = reached
        return found

    def requiring(self, position: Position, entry: Entry) -> Reached | None:
        """Give how a fetch that sends what is required is come by; None where it cannot be."""
        key = ("requiring", position.type, position.states, entry)
        known: dict[Any, Reached | None] = self.graph.reached
        return self._once(known, key, lambda: self._requiring(position, entry), None)

    def _requiring(self, position: Position, entry: Entry) -> Reached | None:
        assert entry.requires is not None, "a key alone leads to others"
        required = self.solve(position, (entry.requires,))
        keys = self.graph.type(entry.state.type).graphs[entry.state.graph].keys
        way = self._by_keys(position, Target(state=entry.state, keys=keys), self.entries(position))
        if required.cost[0] or way is None:
            return None
        own = way.own
        for each in required.picks:
            own = plus(own, each.cost)
        return Reached(cost=plus(way.cost, required.cost), own=own, needs=way.needs)

    def required(self, position: Position, requires: SelectionSet) -> tuple[Pick, ...]:
        """Give how what a field requires is had."""
        return self.solve(position, (requires,)).picks

    # What is taken from where --------------------------------------------------------------------------------------

    def value(self, position: Position, item: Item, entries: tuple[Entry, ...]) -> Cost | None:
        """Give what a field costs that is fetched at some entries; None where one of them does not have it."""
        at_hand = True
        for entry in entries:
            step = self.graph.step(entry.state, item.name)
            if step is None or (step.requires is not None and step.requires is not entry.requires):
                return None
            at_hand &= entry.requires is None and entry.state in position.states
        cost = FIELD
        if item.sets:
            cost = plus(cost, self.solve(self.child(position, item, entries), item.sets).cost)
        return cost if at_hand or not position.states else behind_a_fetch(cost)

    def child(self, position: Position, item: Item, entries: tuple[Entry, ...]) -> Position:
        """Give the position of a field's value that is fetched at some entries."""
        steps = tuple(step for each in entries if (step := self.graph.step(each.state, item.name)))
        child = self.positions.child(position.type, item.name, steps)
        if child.type not in self.graph.with_partial_unions:
            return child
        possible = (*(entry.state for entry in self.entries(position)), *position.others)
        return self.positions.with_others(child, item.name, possible)

    def solve(self, position: Position, sets: Sets) -> Solution:
        """Give how what is wanted of a value is had."""
        return self._once(self._solved, (position, sets), lambda: self._solve(position, sets), _CIRCULAR)

    def unreachable(self, position: Position, sets: Sets) -> str:
        """Name a field that a solution lacks."""
        solution = self.solve(position, sets)
        if solution.opened is not None:
            opened = position._replace(states=(*position.states, solution.opened.state))
            return self.unreachable(opened, sets) if opened.states != position.states else position.type
        for pick in solution.picks:
            if pick.cost[0] and not pick.entries:
                return f"{position.type}.{pick.item.name}"
            if pick.cost[0]:
                return self.unreachable(self.child(position, pick.item, pick.entries), pick.item.sets)
        for each in solution.members:
            narrowed = self.positions.narrowed(position, each)
            if solution.rest is not None and self.solve(narrowed, (solution.rest,)).cost[0]:
                return self.unreachable(narrowed, (solution.rest,))
        return f"what is asked of {position.type}"

    def _solve(self, position: Position, sets: Sets) -> Solution:
        items, fragments = self.items.of(sets, position.type)
        asked = tuple(each for each in items if each.name != "__typename")
        found = Choosing(self, position).choose(asked)
        if not self.graph.is_abstract(position.type):
            return Solution(cost=found.cost, picks=found.picks)
        missing = tuple(each.item for each in found.picks if each.cost[0])
        if not self.positions.is_split(position):
            if len(asked) == len(items) and not fragments and not missing:
                return Solution(cost=found.cost, picks=found.picks)
            return self._open_first(position, sets, Solution(cost=found.cost, picks=found.picks), fragments)
        apart = {*missing, *marked_otherwise(asked, fragments)}
        missing = tuple(each for each in asked if each in apart)
        together = self._by_types(position, asked, missing, fragments)
        fetched = tuple(each.item for each in found.picks if each.cost[1] or not each.at_hand)
        if missing or not fetched:
            return together
        return min(together, self._by_types(position, asked, fetched, fragments), key=lambda each: each.cost)

    def _by_types(
        self, position: Position, items: tuple[Item, ...], apart: tuple[Item, ...], fragments: tuple[Fragment, ...]
    ) -> Solution:
        """Take some fields and all fragments from each type by itself, the other fields from all types at once."""
        found = Choosing(self, position).choose(tuple(each for each in items if each not in apart))
        if not apart and not fragments:
            return Solution(cost=found.cost, picks=found.picks)
        rest = as_set(apart, fragments)
        members = self.positions.members(position)
        (missing, hops, late, fields), deepest = found.cost, 0
        for each in members:
            one = self.solve(self.positions.narrowed(position, each), (rest,)).cost
            missing, deepest, late, fields = missing + one[0], max(deepest, one[1]), late + one[2], fields + one[3]
        if not members:
            missing += sum(each.leaves for each in apart)
        missing += sum(not self._covered_by_one_state(position, each, members) for each in apart)
        return Solution(cost=(missing, hops + deepest, late, fields), picks=found.picks, rest=rest, members=members)

    def _covered_by_one_state(self, position: Position, item: Item, members: tuple[str, ...]) -> bool:
        """Tell whether a field selected on an interface is had for all its types from one state: a convention of the audit.

        Two subgraphs may have the same interface, each with the field external at another implementer. Piecing it together
        from both would be possible, and other gateways refuse.
        """
        splitting = [each for each in position.states if self.graph.is_splitting(each)]
        if len(splitting) < 2:
            return True
        wanted = (as_set((item,), ()),)
        others = tuple(each for each in position.states if not self.graph.is_splitting(each))
        ones = (Position(position.type, (each, *others), position.others) for each in splitting)
        return any(
            not any(self.solve(self.positions.narrowed(one, name), wanted).cost[0] for name in members) for one in ones
        )

    def _open_first(
        self, position: Position, sets: Sets, unopened: Solution, fragments: tuple[Fragment, ...]
    ) -> Solution:
        """Ask a subgraph that knows the types of an interface, before anything is wanted of a type."""
        ways = []
        for entry, reached in self.entries(position).items():
            if self.graph.is_splitting(entry.state):
                inner = self.solve(Position(position.type, (*position.states, entry.state), position.others), sets)
                ways.append(Solution(cost=plus(reached.cost, inner.cost), picks=(), opened=entry))
        if ways:
            return min(ways, key=lambda each: each.cost)
        return Solution(cost=plus(unopened.cost, MISSING if fragments else FREE), picks=unopened.picks)


_CIRCULAR: Final = Solution(cost=MISSING, picks=())
