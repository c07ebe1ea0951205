"""Alarms are asked of the compiled reads, in the caller's scope, so that no second way round the slice exists.

The graph pages by place (a cursor), TM Forum by number (an offset). So an offset is walked: page after page of places
only, then the page that was asked for. The texts are constant, all values are variables: a text is compiled once.

A surrounding system reads nothing by itself. It is asked for as an analyst: a list carries the condition that its alarms are
of one of the system's sources, and one alarm is looked at for that before it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.errors import Refusal, refusal_in
from adapters.endpoint.listing import Orders, in_full
from adapters.fault_management.inbound.codec import Seen
from adapters.fault_management.inbound.query import AlarmFilter
from graph.model.scope import Principal, Role

RAISED: Final[Orders] = ({"field": "RAISED_AT"},)
STEP: Final = 1_000
"""What a page of the compiled reads holds at most."""
_TYPED: Final = """
    id sourceSystemId externalAlarmId alarmType probableCause specificProblem perceivedSeverity state ackState
    raisedAt changedAt clearedAt
    affects(first: 100) { nodes { service { id } } pageInfo { hasNextPage endCursor } }
"""
_WHOLE: Final = _TYPED + " alarmedObjectRef record"
_SLICE: Final = _TYPED + " alarmedObject { __typename ... on Resource { id } }"


def _list(fields: str) -> str:
    return f"""query Alarms($filter: AlarmFilter, $order: [AlarmOrder!], $first: Int, $after: String) {{
  alarms(filter: $filter, orderBy: $order, first: $first, after: $after) {{
    totalCount nodes {{ {fields} }}
  }}
}}"""


def _one(fields: str) -> str:
    return f"query Alarm($id: ID!) {{ alarm(id: $id) {{ {fields} }} }}"


LIST: Final = {False: _list(_WHOLE), True: _list(_SLICE)}
ONE: Final = {False: _one(_WHOLE), True: _one(_SLICE)}
"""By whether the caller is a customer."""
WALK: Final = """query Walk($filter: AlarmFilter, $order: [AlarmOrder!], $first: Int, $after: String) {
  alarms(filter: $filter, orderBy: $order, first: $first, after: $after) {
    pageInfo { hasNextPage endCursor }
  }
}"""
COUNT: Final = "query Count($filter: AlarmFilter) { alarms(filter: $filter) { totalCount } }"
MATCHING: Final = """query Matching($filter: AlarmFilter, $first: Int) {
  alarms(filter: $filter, first: $first) { nodes { id externalAlarmId sourceSystemId } pageInfo { hasNextPage } }
}"""
AFFECTED: Final = """query Affected($id: ID!, $after: String) {
  alarm(id: $id) {
    affects(first: 1000, after: $after) { nodes { service { id } } pageInfo { hasNextPage endCursor } }
  }
}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A part of a list."""

    total: int
    alarms: Sequence[Seen]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmReads:
    """What one caller may read, until its deadline."""

    port: Port
    principal: Principal
    deadline: float
    place: str
    """where the alarms are: `/tmf-api/alarmManagement/v4/alarm`."""

    @property
    def is_customer(self) -> bool:
        """Tell whether the caller sees a slice only."""
        return self.principal.effective is Role.CUSTOMER

    async def one(self, alarm_id: str) -> Seen | None:
        """Give an alarm; None when there is none that the caller sees."""
        row = (await self._ask(ONE[self.is_customer], {"id": alarm_id}))["alarm"]
        is_others = (
            self.principal.effective is Role.SYSTEM and row and row["sourceSystemId"] not in self.principal.sources
        )
        return None if row is None or is_others else await self._seen(row)

    async def page(self, wanted: AlarmFilter, offset: int, limit: int, orders: Orders = ()) -> Found:
        """Give up to `limit` of the alarms that match, from the `offset`th on; without orders in that in which they were raised."""
        filter_, order = self._forced(wanted), in_full(orders, RAISED)
        after, reached = await self._walk(filter_, order, offset)
        if not reached:
            return Found(total=(await self._ask(COUNT, {"filter": filter_}))["alarms"]["totalCount"], alarms=())
        variables = {"filter": filter_, "order": order, "first": limit, "after": after}
        page = (await self._ask(LIST[self.is_customer], variables))["alarms"]
        return Found(total=page["totalCount"], alarms=[await self._seen(row) for row in page["nodes"]])

    async def matching(self, wanted: AlarmFilter) -> Sequence[Mapping[str, Any]]:
        """Give the ids of all alarms that match, with what else they are called; refuse when they are very many."""
        variables = {"filter": self._forced(wanted), "first": STEP}
        page = (await self._ask(MATCHING, variables))["alarms"]
        if page["pageInfo"]["hasNextPage"]:
            raise Refusal("BAD_USER_INPUT", f"alarmPattern: more than {STEP} alarms have these identifiers")
        rows: Sequence[Mapping[str, Any]] = page["nodes"]
        return rows

    async def _walk(self, filter_: AlarmFilter, order: Orders, offset: int) -> tuple[str | None, bool]:
        """Give the place before the `offset`th alarm, and whether the list goes on behind it."""
        after: str | None = None
        while offset > 0:
            variables = {"filter": filter_, "order": order, "first": min(offset, STEP), "after": after}
            info = (await self._ask(WALK, variables))["alarms"]["pageInfo"]
            if not info["hasNextPage"]:
                return None, False
            after, offset = info["endCursor"], offset - STEP
        return after, True

    async def _seen(self, row: Mapping[str, Any]) -> Seen:
        affects = row["affects"]
        services = _services(affects)
        while affects["pageInfo"]["hasNextPage"]:
            variables = {"id": row["id"], "after": affects["pageInfo"]["endCursor"]}
            alarm = (await self._ask(AFFECTED, variables))["alarm"]
            if alarm is None:  # it left the caller's slice in between
                break
            affects = alarm["affects"]
            services += _services(affects)
        return Seen(row=row, services=services, href=f"{self.place}/{row['id']}")

    def _forced(self, wanted: AlarmFilter) -> AlarmFilter:
        if self.principal.effective is not Role.SYSTEM:
            return wanted
        return {"and": [{"sourceSystemId": {"in": list(self.principal.sources)}}, wanted]}

    async def _ask(self, text: str, variables: Mapping[str, Any]) -> Any:
        answer = await self.port.ask(text, variables, _reader(self.principal), self.deadline)
        if answer.get("errors"):
            raise refusal_in(answer["errors"])
        return answer["data"]


def _reader(principal: Principal) -> Principal:
    if principal.effective is Role.SYSTEM:
        return Principal(subject=principal.subject, role=Role.ANALYST)
    return principal


def _services(affects: Mapping[str, Any]) -> list[str]:
    return [each["service"]["id"] for each in affects["nodes"]]
