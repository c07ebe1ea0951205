from __future__ import annotations

from typing import Any

import networkx as nx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.load.synthetic.disjoint import arcs_of, shortest_pair
from graph.load.synthetic.topology import Link

CITIES = 8


@st.composite
def some_links(draw: st.DrawFn) -> tuple[Link, ...]:
    pairs = draw(st.sets(st.tuples(st.integers(0, CITIES - 1), st.integers(0, CITIES - 1)), min_size=1))
    ordered = sorted({(min(pair), max(pair)) for pair in pairs if pair[0] != pair[1]})
    return tuple(Link(a=a, z=z, km=float(draw(st.integers(0, 20)))) for a, z in ordered)


def least_length(links: tuple[Link, ...], ways: int) -> float | None:
    """By linear programming in disguise: a flow of so many units, each link once in each direction."""
    graph: Any = nx.DiGraph()
    graph.add_nodes_from(range(CITIES), demand=0)
    graph.add_node(0, demand=-ways)
    graph.add_node(1, demand=ways)
    for link in links:
        graph.add_edge(link.a, link.z, capacity=1, weight=int(link.km))
        graph.add_edge(link.z, link.a, capacity=1, weight=int(link.km))
    try:
        return float(nx.min_cost_flow_cost(graph))
    except nx.NetworkXUnfeasible:
        return None


def is_way(links: tuple[Link, ...], way: tuple[int, ...], start: int, end: int) -> bool:
    for number in way:
        ends = {links[number].a, links[number].z}
        if start not in ends:
            return False
        (start,) = ends - {start}
    return start == end


@given(some_links())
def test_the_pair_is_the_shortest_there_is(links: tuple[Link, ...]) -> None:
    pair = shortest_pair(arcs_of(links), 0, 1)
    one, two = least_length(links, 1), least_length(links, 2)
    if pair is None:
        assert one is None
        return
    assert is_way(links, pair.working, 0, 1)
    length = sum(links[number].km for number in pair.working)
    if pair.protecting is None:
        assert two is None
        assert length == one
        return
    assert is_way(links, pair.protecting, 0, 1)
    assert not set(pair.working) & set(pair.protecting)
    assert length <= sum(links[number].km for number in pair.protecting)
    assert sum(links[number].km for number in (*pair.working, *pair.protecting)) == two


def test_the_shortest_way_is_given_up_where_it_would_be_in_the_way() -> None:
    # The trap: 0-2-3-1 is shortest, and without its links nothing is left.
    ends = ((0, 2, 1), (2, 3, 1), (3, 1, 1), (0, 3, 5), (2, 1, 5))
    links = tuple(Link(a=a, z=z, km=float(km)) for a, z, km in ends)
    pair = shortest_pair(arcs_of(links), 0, 1)
    assert pair is not None
    assert {pair.working, pair.protecting} == {(0, 4), (3, 2)}


@pytest.mark.parametrize("city", [0, 7])
def test_from_a_city_to_itself_both_ways_are_empty(city: int) -> None:
    pair = shortest_pair(arcs_of(()), city, city)
    assert pair is not None
    assert (pair.working, pair.protecting) == ((), ())


@given(some_links())
def test_the_way_back_is_the_way_reversed(links: tuple[Link, ...]) -> None:
    pair = shortest_pair(arcs_of(links), 0, 1)
    if pair is not None:
        assert is_way(links, pair.reversed().working, 1, 0)
        assert (pair.reversed().protecting is None) == (pair.protecting is None)
