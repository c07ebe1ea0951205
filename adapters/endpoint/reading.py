"""The graph pages by place (a cursor), TM Forum by number (an offset), so an offset is walked: page after page of places only.

The texts are constant, all values are variables: a text is compiled once. A surrounding system reads nothing by itself. It is
asked for as an analyst (`asked_as`), and who asks so adds the condition that what it reads is its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.errors import refusal_in
from adapters.endpoint.listing import Orders
from graph.model.scope import Principal, Role

STEP: Final = 1_000
"""What a page of the compiled reads holds at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """The compiled reads of one list: a page of it, its places only, how long it is."""

    page: str
    walk: str
    count: str


def questions(root: str, kind: str, fields: str) -> Questions:
    """Write the questions to a list of the GraphQL API: its field, the type of its nodes, what is wanted of each."""
    taken = f"$filter: {kind}Filter, $order: [{kind}Order!], $first: Int, $after: String"
    asked = f"found: {root}(filter: $filter, orderBy: $order, first: $first, after: $after)"
    return Questions(
        page=f"query Page{kind}({taken}) {{ {asked} {{ totalCount nodes {{ {fields} }} }} }}",
        walk=f"query Walk{kind}({taken}) {{ {asked} {{ pageInfo {{ hasNextPage endCursor }} }} }}",
        count=f"query Count{kind}($filter: {kind}Filter) {{ found: {root}(filter: $filter) {{ totalCount }} }}",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """A part of a list, and how long the list is."""

    total: int
    rows: Sequence[Mapping[str, Any]]


def asked_as(principal: Principal) -> Principal:
    """Say as whom the graph is asked for a caller: as itself, and for a surrounding system as an analyst."""
    if principal.effective is Role.SYSTEM:
        return Principal(subject=principal.subject, role=Role.ANALYST)
    return principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Asks the graph as somebody, until a deadline."""

    port: Port
    principal: Principal
    deadline: float
    """by `time.monotonic()`."""

    async def ask(self, text: str, variables: Mapping[str, Any]) -> Any:
        """Give the data of an answer; raises Refusal for what the caller is to be told."""
        answer = await self.port.ask(text, variables, self.principal, self.deadline)
        if answer.get("errors"):
            raise refusal_in(answer["errors"])
        return answer["data"]

    async def count(self, asked: Questions, filter_: Mapping[str, Any]) -> int:
        """Give how many match."""
        total: int = (await self.ask(asked.count, {"filter": filter_}))["found"]["totalCount"]
        return total

    async def page(self, asked: Questions, filter_: Mapping[str, Any], order: Orders, offset: int, limit: int) -> Rows:
        """Give up to `limit` of those that match, from the `offset`th on."""
        after, reached = await self._walk(asked, filter_, order, offset)
        if not reached:
            return Rows(total=await self.count(asked, filter_), rows=())
        given = {"filter": filter_, "order": order, "first": limit, "after": after}
        page = (await self.ask(asked.page, given))["found"]
        return Rows(total=page["totalCount"], rows=page["nodes"])

    async def _walk(
        self, asked: Questions, filter_: Mapping[str, Any], order: Orders, offset: int
    ) -> tuple[str | None, bool]:
        """Give the place before the `offset`th, and whether the list goes on behind it."""
        after: str | None = None
        while offset > 0:
            given = {"filter": filter_, "order": order, "first": min(offset, STEP), "after": after}
            info = (await self.ask(asked.walk, given))["found"]["pageInfo"]
            if not info["hasNextPage"]:
                return None, False
            after, offset = info["endCursor"], offset - STEP
        return after, True
