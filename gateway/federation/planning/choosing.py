"""Fields that are not at hand must be fetched somewhere, and each fetch should bring as many as possible.

`Choosing` decides for the fields of one value. What is at hand without a fetch is taken there. For the rest, the entry
with the largest gain is opened (what it saves over all fields, less the fetches that lead to it), until there is no gain.
A field whose parts no single entry has is then taken from several at once: the parts of a shared value may be spread.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gateway.federation.planning.costs import FREE, Cost, minus, plus
from gateway.federation.planning.items import Item
from gateway.federation.planning.positions import Entry, Pick, Position, Reach
from gateway.federation.selections import SelectionSet


class Ways(Protocol):
    """What must be known to choose."""

    def entries(self, position: Position) -> Reach:
        """Give what can be reached by keys."""
        ...

    def with_requirements(self, position: Position, items: Iterable[Item], known: Reach) -> Reach:
        """Give what can be reached by sending what fields require."""
        ...

    def value(self, position: Position, item: Item, entries: tuple[Entry, ...]) -> Cost | None:
        """Give what a field costs that is fetched at some entries; None where one of them does not have it."""
        ...

    def required(self, position: Position, requires: SelectionSet) -> tuple[Pick, ...]:
        """Give how what a field requires is had."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The picks of a value, and their cost with all that is opened for them."""

    picks: tuple[Pick, ...]
    cost: Cost


class Choosing:
    """The choice for one value."""

    def __init__(self, ways: Ways, position: Position) -> None:
        self._ways = ways
        self._position = position
        self._known: Reach = {}
        self._at_hand = tuple(Entry(each) for each in position.states)
        self._opened = dict.fromkeys(self._at_hand)
        self._spent = FREE
        self._picks: dict[Item, tuple[Cost, tuple[Entry, ...]]] = {}
        self._options: dict[Item, dict[Entry, Cost]] = {}

    def choose(self, items: tuple[Item, ...]) -> Chosen:
        """Choose for some fields."""
        for each in items:
            self._picks[each] = self._cheapest(each, self._at_hand)
        costly = [each for each, (cost, _) in self._picks.items() if cost[0] or cost[1]]
        if costly:
            self._look_around(costly)
            while self._open_the_best(costly):
                pass
            for each in costly:
                self._take_from_several(each)
        total = self._spent
        for cost, _ in self._picks.values():
            total = plus(total, cost)
        return Chosen(picks=tuple(self._pick(each) for each in items), cost=total)

    def _pick(self, item: Item) -> Pick:
        cost, entries = self._picks[item]
        return Pick(item, entries, cost, at_hand=all(each in self._at_hand for each in entries))

    def _cheapest(self, item: Item, entries: Iterable[Entry]) -> tuple[Cost, tuple[Entry, ...]]:
        best: tuple[Cost, tuple[Entry, ...]] | None = None
        for each in entries:
            cost = self._ways.value(self._position, item, (each,))
            if cost is not None and (best is None or cost < best[0]):
                best = (cost, (each,))
                if not item.sets:
                    break
        return best or (_nothing_of(item, ()), ())

    def _look_around(self, costly: list[Item]) -> None:
        known = self._ways.entries(self._position)
        self._known = {**known, **self._ways.with_requirements(self._position, costly, known)}
        for item in costly:
            values = ((entry, self._ways.value(self._position, item, (entry,))) for entry in self._known)
            options = self._options[item] = {entry: value for entry, value in values if value is not None}
            if not self._picks[item][1]:
                self._picks[item] = (_nothing_of(item, options.values()), ())

    def _open_the_best(self, costly: list[Item]) -> bool:
        """Open the entry that saves most, and all that leads to it; False where none saves anything."""
        now = [(self._picks[each][0], self._options[each]) for each in costly]
        unsettled = [(cost, options) for cost, options in now if cost[0] or cost[1]]
        best: tuple[Entry, ...] = ()
        best_gain = best_price = FREE
        for entry in dict.fromkeys(each for _, options in unsettled for each in options):
            if entry not in self._opened:
                chain = self._chain(entry)
                price = self._price(chain)
                gain = minus(_savings(unsettled, chain), price)
                if gain > best_gain:
                    best, best_gain, best_price = chain, gain, price
        if not best:
            return False
        self._opened.update(dict.fromkeys(best))
        self._spent = plus(self._spent, best_price)
        for item in costly:
            for entry in best:
                cost = self._options[item].get(entry)
                if cost is not None and cost < self._picks[item][0]:
                    self._picks[item] = (cost, (entry,))
        return True

    def _chain(self, entry: Entry) -> tuple[Entry, ...]:
        """Give what is not open yet and leads to an entry, the entry itself last."""
        if entry.requires is None and all(source in self._opened for _, source in self._known[entry].needs):
            return (entry,)
        return tuple(dict.fromkeys(self._leading(entry, ())))

    def _leading(self, entry: Entry, above: tuple[Entry, ...]) -> Iterable[Entry]:
        if entry in self._opened or entry in above or entry not in self._known:
            return
        for _, source in self._known[entry].needs:
            yield from self._leading(source, (*above, entry))
        if entry.requires is not None:
            for pick in self._ways.required(self._position, entry.requires):
                for source in pick.entries:
                    yield from self._leading(source, (*above, entry))
        yield entry

    def _price(self, chain: tuple[Entry, ...]) -> Cost:
        price = FREE
        for each in chain:
            price = plus(price, self._known[each].own)
        return price

    def _take_from_several(self, item: Item) -> None:
        """Add entries to a field of which parts are missing, as long as that gives more of them."""
        while self._picks[item][0][0] and item.sets:
            cost, entries = self._picks[item]
            best: tuple[Cost, tuple[Entry, ...], tuple[Entry, ...]] | None = None
            for entry in self._options[item]:
                if entry in entries:
                    continue
                chain = self._chain(entry)
                value = self._ways.value(self._position, item, (*entries, entry))
                if value is not None and value[0] < cost[0]:
                    whole = plus(value, self._price(chain))
                    if best is None or whole < best[0]:
                        best = (whole, (*entries, entry), chain)
            if best is None:
                return
            self._opened.update(dict.fromkeys(best[2]))
            price = self._price(best[2])
            self._spent = plus(self._spent, price)
            self._picks[item] = (minus(best[0], price), best[1])


def _nothing_of(item: Item, parts: Iterable[Cost]) -> Cost:
    """Give what it costs to have nothing of a field: more than any part of it, however many types lack the others."""
    return (max(2 * item.leaves, 1 + max((each[0] for each in parts), default=0)), 0, 0, 0)


def _savings(items: list[tuple[Cost, dict[Entry, Cost]]], chain: tuple[Entry, ...]) -> Cost:
    """Give what some entries save over fields, of which each has a cost now and options."""
    saved = FREE
    for now, options in items:
        best = now
        for each in chain:
            cost = options.get(each)
            if cost is not None and cost < best:
                best = cost
        if best is not now:
            saved = plus(saved, minus(now, best))
    return saved
