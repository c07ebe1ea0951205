"""What the rows of a page have in common of a customer's slice."""

from __future__ import annotations

from graph.compiler.bind import Names
from graph.compiler.slice import Own, Source, Walk, along
from graph.model.mapping import Hop
from graph.model.scope import ScopeKind


def walked(names: Names, own: Own, far: str, relationship: str = "REPORTS") -> Source:
    hop = Hop(type=relationship, reverse=True, label=far)
    walk = Walk(start="start", label="Alarm", path=(hop,), labels=(far,), outer=("start",), once=False, own=own)
    return along(names, ScopeKind.CUSTOMERS, walk)


def test_two_lists_of_one_kind_have_one_list_in_common() -> None:
    names, own = Names(), Own()
    walked(names, own, "Ticket")
    walked(names, own, "Ticket")
    assert len(own) == 1
    walked(names, own, "Ticket", "RAISED_ON")
    assert len(own) == 2, "another relationship is another list"


def test_lists_of_two_labels_over_one_relationship_have_nothing_in_common() -> None:
    names, own = Names(), Own()
    for far in ("Ticket", "Order"):
        walked(names, own, far)
    assert len(own) == 2
    assert len({variable for _, variable in own.values()}) == 2
