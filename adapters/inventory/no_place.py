"""A feed of millions holds much that its protocol allows and the graph has no place for; none of it may stop the rest.

So there are two ways to be wrong. What breaks the protocol is Malformed: whoever sends it does not speak it, and the document
is refused as a whole. What only has no place here (a rack, a bundle, a trunk of which one end is known) is `NoPlace`: it is kept
out, counted, and becomes a difference with its reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from adapters.errors import Malformed
from graph.model.resource import NotTaken

T = TypeVar("T")


class NoPlace(Malformed):
    """The graph has no place for what a feed says; `thing` is what becomes of it."""

    def __init__(self, thing: NotTaken, *, line: int | None = None, field: str = "") -> None:
        super().__init__(f"Line {line}: {thing.reason}" if line else thing.reason, field=field)
        self.thing = thing


def trunk_reason(a: int, z: int) -> str:
    """Say why a trunk with so many ports at its A and its Z end has no place."""
    return f"a trunk of the graph ends on one port at either end, and this one on {a} at A and {z} at Z"


def kept_out(read: Callable[[], T]) -> T | NotTaken:
    """Read something; give it, or what becomes of it where the graph has no place for it. Raises Malformed."""
    try:
        return read()
    except NoPlace as found:
        return found.thing
