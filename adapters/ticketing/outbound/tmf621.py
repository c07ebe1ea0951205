"""A ticketing system that speaks TMF621, version 4: each thing that is owed to it is one HTTP exchange, or two.

Its POST does not notice that it was heard before, so `find` asks by our key first. Its PATCH replaces lists, so `amend`
looks at the ticket before it changes it. What is written and what is believed is in `tmf621_resource.py`; how lists and answers
are read, in `adapters.tmf_client`.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import structlog

from adapters.errors import Nonsense, Rejected
from adapters.passed_over import PassedOver, known_as
from adapters.ticketing import FINAL, OPEN, ReportedTicket, TicketHistory, TicketOrder, TicketState, TicketUpdate
from adapters.ticketing.tmf621_resource import (
    FIELDS,
    HISTORY,
    REPORT,
    SERVICE,
    Statuses,
    an_object,
    change,
    check_explained,
    created_at,
    creation,
    history_of,
    id_of,
    is_noted,
    reported_of,
    state_of,
    state_of_ours,
    update,
)
from adapters.tmf.tmf630 import quote_value, write_time
from adapters.tmf_client.client import TmfClient
from adapters.transport.transport import Transport

RESOURCE: Final = "troubleTicket"
CHUNK: Final = 50
"""How many tickets are asked for at once."""
_CONFLICT: Final = 409

log = structlog.get_logger(__name__)


class Tmf621:
    """`adapters.ticketing.Ticketing` over a transport whose address ends in `/tmf-api/troubleTicket/v4`."""

    def __init__(
        self,
        transport: Transport,
        *,
        statuses: Statuses = MappingProxyType({}),
        passed_over: PassedOver | None = None,
    ) -> None:
        """Take what its own statuses mean, and who is told of tickets that cannot be read."""
        self._client = TmfClient(transport)
        self._name = transport.name
        self._statuses = statuses
        self._passed_over = passed_over or PassedOver(transport.name)

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._client.retry_at

    async def find(self, external_id: str, *, deadline: float) -> TicketState | None:
        """Ask by our key."""
        found: dict[str, tuple[int, TicketState]] = {}
        for where, each in await self._listed("externalId", [external_id], deadline):
            state = state_of_ours(each, external_id, self._statuses, where)
            found[state.id] = created_at(each, where), state
        if len(found) > 1:
            log.warning("several tickets with one key", system=self._name, key=external_id, tickets=[*found])
        first = min(found.values(), key=lambda each: (each[0], each[1].id), default=None)
        return first[1] if first else None

    async def open(self, order: TicketOrder, *, delivery_id: str, deadline: float) -> TicketState:
        """POST it; where the answer does not say what came of it, ask by our key."""
        body = creation(order, delivery_id, _now())
        made = await self._client.created((RESOURCE,), body, key=delivery_id, deadline=deadline)
        if made is not None:
            return state_of_ours(made, order.external_id, self._statuses)
        found = await self.find(order.external_id, deadline=deadline)
        if found is None:
            raise Nonsense(f"{self._name} does not show what it has opened", where="externalId")
        return found

    async def amend(self, their_id: str, order: TicketOrder, *, delivery_id: str, deadline: float) -> TicketState:
        """GET it, and PATCH what is different."""

        def patch(there: object) -> Mapping[str, object]:
            if self._same(state_of_ours(there, order.external_id, self._statuses), their_id).status in FINAL:
                raise _unchangeable(their_id)
            return change(an_object(there), order, delivery_id, _now(), self._statuses)

        amended = await self._client.revised((RESOURCE, their_id), patch, key=delivery_id, deadline=deadline)
        return self._same(state_of_ours(amended, order.external_id, self._statuses), their_id)

    async def update(self, their_id: str, wanted: TicketUpdate, *, delivery_id: str, deadline: float) -> TicketState:
        """GET it, and PATCH the note and the status, unless the note is there."""

        def patch(there: object) -> Mapping[str, object]:
            is_done = is_noted(an_object(there), wanted, delivery_id)
            if self._same(self._read(there, wanted), their_id).status in FINAL and not is_done:
                raise _unchangeable(their_id)
            return update(an_object(there), wanted, delivery_id, _now(), self._statuses)

        updated = await self._client.revised((RESOURCE, their_id), patch, key=delivery_id, deadline=deadline)
        return self._same(self._read(updated, wanted), their_id)

    def _read(self, answer: object, wanted: TicketUpdate) -> TicketState:
        if wanted.external_id is None:
            return state_of(answer, self._statuses)
        return state_of_ours(answer, wanted.external_id, self._statuses)

    async def states(self, their_ids: Sequence[str], *, deadline: float) -> list[TicketState]:
        """GET them, some at a time."""
        found: dict[str, TicketState] = {}
        async for where, each in self._each(their_ids, FIELDS, deadline):
            try:
                state = check_explained(state_of(each, self._statuses, where), where)
            except Nonsense as nonsense:  # of this ticket, which costs the others nothing
                self._passed_over.note(known_as(each, where), str(nonsense))
            else:
                found[state.id] = state
        return list(found.values())

    async def histories(self, their_ids: Sequence[str], *, deadline: float) -> Mapping[str, TicketHistory | Nonsense]:
        """GET their notes and changes, some at a time."""
        found: dict[str, TicketHistory | Nonsense] = {}
        async for where, each in self._each(their_ids, HISTORY, deadline):
            try:
                found[id_of(each, where)] = history_of(each, self._statuses, where)
            except Nonsense as nonsense:  # of this ticket, which costs the others nothing
                found[id_of(each, where)] = nonsense
        return found

    async def reported(self, *, since: int | None, deadline: float) -> list[ReportedTicket]:
        """GET those that refer to a service."""
        news = ("status", self._open_words()) if since is None else ("lastUpdate.gte", write_time(since))
        query = (("relatedEntity.@referredType", SERVICE), news, ("fields", ",".join(REPORT)))
        found = []
        for where, each in await self._pages(query, deadline):
            try:
                reported = reported_of(each, self._statuses, where)
                check_explained(reported.state, where)
            except Nonsense as nonsense:
                self._passed_over.note(known_as(each, where), str(nonsense))
            else:
                found.append(reported)
        return found

    def _open_words(self) -> str:
        """Give the statuses of open tickets, in TMF621's words and in theirs, as a query has them."""
        theirs = [quote_value(word) for word, ours in self._statuses.items() if ours in OPEN]
        return ",".join(dict.fromkeys((*OPEN, *theirs)))

    async def subscribe(self, callback: str, *, deadline: float) -> str:
        """POST the hub."""
        return await self._client.registered(callback, deadline=deadline)

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """DELETE it there."""
        await self._client.removed(("hub", their_id), key="", deadline=deadline)

    async def _each(
        self, their_ids: Sequence[str], fields: Sequence[str], deadline: float
    ) -> AsyncIterator[tuple[str, object]]:
        """Give each of these tickets that is there, and its place in the answer."""
        wanted = list(dict.fromkeys(their_ids))
        for start in range(0, len(wanted), CHUNK):
            chunk = wanted[start : start + CHUNK]
            for where, each in await self._listed("id", chunk, deadline, fields):
                their_id = known_as(each, "")
                if not their_id:
                    self._passed_over.note(where, "A ticket that the ticketing system answered has no id")
                elif their_id not in chunk:  # it does not look at what it is asked for: nothing of it can be believed
                    raise Nonsense(f"{self._name} answered a ticket not asked for", where=f"{where}.id")
                else:
                    yield where, each

    async def _listed(
        self, attribute: str, values: Sequence[str], deadline: float, fields: Sequence[str] = FIELDS
    ) -> list[tuple[str, object]]:
        """Give what has one of these values, and its place in the list."""
        query = ((attribute, ",".join(map(quote_value, values))), ("fields", ",".join(fields)))
        return await self._pages(query, deadline)

    async def _pages(self, query: tuple[tuple[str, str], ...], deadline: float) -> list[tuple[str, object]]:
        """Give all of a list, page by page, however small they are."""
        return await self._client.listed((RESOURCE,), query, size=CHUNK, deadline=deadline)

    def _same(self, state: TicketState, their_id: str) -> TicketState:
        if state.id != their_id:
            raise Nonsense(f"{self._name} answered another ticket than the one asked for", where="id")
        return state


def _unchangeable(their_id: str) -> Rejected:
    return Rejected(f"The ticket {their_id} is not changed any more", hint="Open another one", status=_CONFLICT)


def _now() -> int:
    return time.time_ns() // 1_000_000
