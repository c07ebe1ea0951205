"""Execution: what the gateway asks of a subgraph, and nothing of how it answers.

In: one operation that has passed every gate (limits, validation, coercion, roles), its variables, who asks and until
when. Out: a plain GraphQL response.

Four things can stand behind the port: the compiled knowledge graph, an area of our own, a remote subgraph, and a plan
over several of those. All answer foreseeable faults in the response and never by an exception, so that the pipeline and
a plan have one way to read an answer.

Files: this one, the port; then those that answer by a plan, in the order in which a request meets them:

    running.py       a plan's requests, each as soon as those before it are answered, and one answer made of all
    entities.py      the entities at a path, what stands for them, and what was answered put back
    faults.py        what went wrong in a subgraph becomes an error that a client may see, with its place in the answer
    projection.py    what was fetched becomes the answer: a function generated for the operation
    completing.py    the same, walked with paths, where something does not fit: nulls and errors as specified
    leaves.py        what values of scalars and enums may be
    remote.py        a subgraph behind HTTP; breaker.py spares one that is down, sharing.py asks once what many ask
    forwarding.py    which headers go on to subgraphs and come back from them

Invariants
1. `Operation.document` holds exactly one operation and the fragments that it uses, and is valid for the subgraph's SDL.
2. `variables` are coerced: defaults applied, enums as names, plain JSON values; an absent variable is absent.
3. No `data` key means that nothing ran; the first error's code then decides the HTTP status.

Example: the document `{ customer(id: $id) { name } }` with `{"id": "customer-1"}` comes back as
`{"data": {"customer": {"name": "Ada"}}}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from graphql import DocumentNode

from graph.scope import Principal

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
