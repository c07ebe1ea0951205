"""Resources of every kind, as anybody may say them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from graph.model.kinds import LONGEST
from graph.model.model import Kind
from graph.model.resource import KINDS, PROPERTIES, Resource

TEXTS = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff"), min_size=1, max_size=60
).filter(str.strip) | st.sampled_from(
    ("ME=W;EQ=1", "ME=W", "a=b;c", "\\", "=", "EQ=1", "- -", "x" * LONGEST, "VENDOR_EXT", "LR_Ethernet")
)


def _value(kind: str, name: str) -> st.SearchStrategy[Any]:
    declared = PROPERTIES[kind][name]
    if declared.kind is Kind.INTEGER:
        return st.integers(0, 2**31 - 1)
    return st.sampled_from(declared.words) if declared.words else TEXTS


@st.composite
def resources(draw: st.DrawFn, *, removed: bool = False) -> Resource:
    """Say anything that can be said."""
    kind = draw(st.sampled_from(KINDS))
    names = draw(st.lists(st.sampled_from(sorted(PROPERTIES[kind])), unique=True))
    return Resource(
        kind=kind,
        name=draw(TEXTS),
        inside=draw(st.none() | TEXTS) if kind != "Trunk" else None,
        ends=draw(st.none() | st.tuples(TEXTS, TEXTS).filter(lambda ends: ends[0] != ends[1]))
        if kind == "Trunk"
        else None,
        properties={name: draw(_value(kind, name)) for name in names},
        removed=removed,
    )
