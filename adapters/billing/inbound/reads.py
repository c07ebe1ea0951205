"""Usage is asked of the compiled reads, in the caller's scope, so that no second way round the slice exists.

The graph pages by place, TM Forum by number: an offset is walked, page after page of places only. The texts are constant,
all values are variables. A surrounding system is asked for as an analyst, with the condition that what it reads is of its
own sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.billing.inbound.query import UsageFilter
from adapters.endpoint.edge import Port
from adapters.endpoint.errors import refusal_in
from adapters.endpoint.listing import Orders, in_full
from graph.model.scope import Principal, Role

STEP: Final = 1_000
"""What a page of the compiled reads holds at most."""
_TYPED: Final = "id from to mbps octets kind state source externalId service { id customer { id name } }"
_WHOLE: Final = _TYPED + " serviceRef record"
ENDED: Final[Orders] = ({"field": "TO"},)


def _list(fields: str) -> str:
    return f"""query Usages($filter: UsageFilter, $order: [UsageOrder!], $first: Int, $after: String) {{
  usages(filter: $filter, orderBy: $order, first: $first, after: $after) {{ totalCount nodes {{ {fields} }} }}
}}"""


LIST: Final = {False: _list(_WHOLE), True: _list(_TYPED)}
"""By whether the caller is a customer."""
WALK: Final = """query Walk($filter: UsageFilter, $order: [UsageOrder!], $first: Int, $after: String) {
  usages(filter: $filter, orderBy: $order, first: $first, after: $after) { pageInfo { hasNextPage endCursor } }
}"""
COUNT: Final = "query Count($filter: UsageFilter) { usages(filter: $filter) { totalCount } }"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A part of a list."""

    total: int
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageReads:
    """What one caller may read, until its deadline."""

    port: Port
    principal: Principal
    deadline: float

    async def one(self, usage_id: str) -> Mapping[str, Any] | None:
        """Give a record; None when there is none that the caller sees."""
        found = await self.page({"id": {"eq": usage_id}}, 0, 1)
        return found.rows[0] if found.rows else None

    async def page(self, wanted: UsageFilter, offset: int, limit: int, orders: Orders = ()) -> Found:
        """Give up to `limit` of the records that match, from the `offset`th on; without orders in that in which they ended."""
        filter_, order = self._forced(wanted), in_full(orders, ENDED)
        after, reached = await self._walk(filter_, order, offset)
        if not reached:
            return Found(total=(await self._ask(COUNT, {"filter": filter_}))["usages"]["totalCount"], rows=())
        text = LIST[self.principal.effective is Role.CUSTOMER]
        page = (await self._ask(text, {"filter": filter_, "order": order, "first": limit, "after": after}))["usages"]
        return Found(total=page["totalCount"], rows=page["nodes"])

    async def _walk(self, filter_: UsageFilter, order: Orders, offset: int) -> tuple[str | None, bool]:
        """Give the place before the `offset`th record, and whether the list goes on behind it."""
        after: str | None = None
        while offset > 0:
            variables = {"filter": filter_, "order": order, "first": min(offset, STEP), "after": after}
            info = (await self._ask(WALK, variables))["usages"]["pageInfo"]
            if not info["hasNextPage"]:
                return None, False
            after, offset = info["endCursor"], offset - STEP
        return after, True

    def _forced(self, wanted: UsageFilter) -> UsageFilter:
        if self.principal.effective is not Role.SYSTEM:
            return wanted
        return {"and": [{"source": {"in": list(self.principal.sources)}}, wanted]}

    async def _ask(self, text: str, variables: Mapping[str, Any]) -> Any:
        reader = self.principal
        if reader.effective is Role.SYSTEM:
            reader = Principal(subject=reader.subject, role=Role.ANALYST)
        answer = await self.port.ask(text, variables, reader, self.deadline)
        if answer.get("errors"):
            raise refusal_in(answer["errors"])
        return answer["data"]
