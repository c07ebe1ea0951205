"""The port of the federation engine: what is asked of a subgraph, and nothing of how it answers.

Four things can stand behind it: the compiled knowledge graph, an area of our own, a remote subgraph, and a plan over several
of those. All answer foreseeable faults in the response and never by an exception, so that the pipeline and a plan have one
way to read an answer. Operations know this module, and nothing else of federation.

`variables` are coerced: defaults applied, enums as names, plain JSON values; an absent variable is absent.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from graphql import DocumentNode, parse

from gateway.errors import Code
from graph.model.scope import Principal
from graph.model.streams import Heard, Heartbeat, StreamEnded, StreamEvent

__all__ = [
    "Answer",
    "Heard",
    "Heartbeat",
    "Operation",
    "StreamEnded",
    "StreamEvent",
    "StreamingSubgraph",
    "Subgraph",
    "TextOperation",
]

NOT_STREAMED: Final = "Ask by a query, again where that is needed."
"""What to do where a subscription is not served."""

Answer: TypeAlias = dict[str, Any]
"""`{"data": ..., "errors": [{"message", "path", "extensions": {"code", ...}}], "extensions": {...}}`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of a document, ready to be planned or compiled."""

    key: str
    """a stable hash of the document's text and the operation's name: what a plan may be cached by."""
    document: DocumentNode
    name: str | None
    text: str = ""
    """the document as text, where whoever made it knows it; a remote subgraph sends it."""
    explain: bool = False
    """whether the answer's `extensions` tell how it was made: the plan, and for each fetch how long it took."""
    has_custom_scalars: bool = True
    """whether its answer may have values of custom scalars, whose numbers keep all of their digits."""


class TextOperation(Operation):
    """An operation that was made as a text: it is parsed when its document is read, and most subgraphs do not read it."""

    __slots__ = ("_parsed",)
    _parsed: DocumentNode | None

    def __init__(
        self,
        *,
        key: str,
        text: str,
        name: str | None = None,
        explain: bool = False,
        has_custom_scalars: bool = True,
        document: DocumentNode | None = None,
    ) -> None:
        given = {
            "key": key,
            "text": text,
            "name": name,
            "explain": explain,
            "has_custom_scalars": has_custom_scalars,
            "_parsed": document,
        }
        for attribute, value in given.items():
            object.__setattr__(self, attribute, value)

    @property
    def document(self) -> DocumentNode:
        """The text, parsed once."""
        if self._parsed is None:
            object.__setattr__(self, "_parsed", parse(self.text, no_location=True))
        assert self._parsed is not None, "it has just been parsed"
        return self._parsed


class Subgraph(Protocol):
    """Whatever answers operations over its own SDL."""

    @property
    def name(self) -> str:
        """The subgraph's name in logs and errors."""
        ...

    @property
    def sdl(self) -> str:
        """The federation SDL that it answers."""
        ...

    async def execute(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal, deadline: float
    ) -> Answer:
        """Answer within `deadline`, an absolute `time.monotonic()`; cancelling the task stops the work."""
        ...


@runtime_checkable
class StreamingSubgraph(Subgraph, Protocol):
    """A subgraph that answers subscriptions too."""

    async def subscribe(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
        after: str | None,
        deadline: float,
    ) -> AsyncGenerator[Heard, None] | Answer:
        """Begin a subscription within `deadline`; an Answer with errors where it cannot begin.

        `after` is where to resume; it wins over an argument of that name. The generator ends by StreamEnded, or by itself where
        the source has ended; closing it releases all that it holds.
        """
        ...


def not_streamed(message: str) -> Answer:
    """Answer that a subscription cannot begin, since nobody streams what it asks."""
    extensions = {"code": Code.OPERATION_RESOLUTION_FAILURE.value, "hint": NOT_STREAMED}
    return {"errors": [{"message": message, "extensions": extensions}]}
