"""Alarms are asked of the compiled reads, in the caller's scope, so that no second way round the slice exists.

A surrounding system reads nothing by itself. It is asked for as an analyst: a list carries the condition that its alarms are
of one of the system's sources, and one alarm is looked at for that before it is shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from adapters.endpoint.edge import Port
from adapters.endpoint.errors import Refusal
from adapters.endpoint.listing import Orders, in_full
from adapters.endpoint.reading import STEP, Reader, asked_as, questions
from adapters.fault_management.inbound.codec import Seen
from adapters.fault_management.inbound.query import AlarmFilter
from graph.model.scope import Principal, Role

RAISED: Final[Orders] = ({"field": "RAISED_AT"},)
_TYPED: Final = """
    id sourceSystemId externalAlarmId alarmType probableCause specificProblem perceivedSeverity state ackState
    raisedAt changedAt clearedAt
    affects(first: 100) { nodes { service { id } } pageInfo { hasNextPage endCursor } }
"""
_WHOLE: Final = _TYPED + " alarmedObjectRef record"
_SLICE: Final = _TYPED + " alarmedObject { __typename ... on Resource { id } }"


def _one(fields: str) -> str:
    return f"query Alarm($id: ID!) {{ alarm(id: $id) {{ {fields} }} }}"


LIST: Final = {False: questions("alarms", "Alarm", _WHOLE), True: questions("alarms", "Alarm", _SLICE)}
ONE: Final = {False: _one(_WHOLE), True: _one(_SLICE)}
"""By whether the caller is a customer."""
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

    @property
    def _reader(self) -> Reader:
        return Reader(port=self.port, principal=asked_as(self.principal), deadline=self.deadline)

    async def one(self, alarm_id: str) -> Seen | None:
        """Give an alarm; None when there is none that the caller sees."""
        row = (await self._reader.ask(ONE[self.is_customer], {"id": alarm_id}))["alarm"]
        is_others = (
            self.principal.effective is Role.SYSTEM and row and row["sourceSystemId"] not in self.principal.sources
        )
        return None if row is None or is_others else await self._seen(row)

    async def page(self, wanted: AlarmFilter, offset: int, limit: int, orders: Orders = ()) -> Found:
        """Give up to `limit` of the alarms that match, from the `offset`th on; without orders in that in which they were raised."""
        asked, order = LIST[self.is_customer], in_full(orders, RAISED)
        page = await self._reader.page(asked, self._forced(wanted), order, offset, limit)
        return Found(total=page.total, alarms=[await self._seen(row) for row in page.rows])

    async def matching(self, wanted: AlarmFilter) -> Sequence[Mapping[str, Any]]:
        """Give the ids of all alarms that match, with what else they are called; refuse when they are very many."""
        variables = {"filter": self._forced(wanted), "first": STEP}
        page = (await self._reader.ask(MATCHING, variables))["alarms"]
        if page["pageInfo"]["hasNextPage"]:
            raise Refusal("BAD_USER_INPUT", f"alarmPattern: more than {STEP} alarms have these identifiers")
        rows: Sequence[Mapping[str, Any]] = page["nodes"]
        return rows

    async def _seen(self, row: Mapping[str, Any]) -> Seen:
        affects = row["affects"]
        services = _services(affects)
        while affects["pageInfo"]["hasNextPage"]:
            variables = {"id": row["id"], "after": affects["pageInfo"]["endCursor"]}
            alarm = (await self._reader.ask(AFFECTED, variables))["alarm"]
            if alarm is None:  # it left the caller's slice in between
                break
            affects = alarm["affects"]
            services += _services(affects)
        return Seen(row=row, services=services, href=f"{self.place}/{row['id']}")

    def _forced(self, wanted: AlarmFilter) -> AlarmFilter:
        if self.principal.effective is not Role.SYSTEM:
            return wanted
        return {"and": [{"sourceSystemId": {"in": list(self.principal.sources)}}, wanted]}


def _services(affects: Mapping[str, Any]) -> list[str]:
    return [each["service"]["id"] for each in affects["nodes"]]
