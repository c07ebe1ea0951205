"""What people do in the ticketing system must be known here: with our tickets, and with tickets of theirs about our services.

A system that can tell does (`adapters.ticketing.inbound`); everybody else is asked again and again. Both end in the same
two changes of the graph: ours are known by their order key, theirs by the services that they name. What is no news is not
written.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adapters.ticketing import ReportedTicket, Ticketing, TicketState
from graph.changes.policy import AlarmPolicy
from graph.changes.tickets.owners import Reported
from graph.changes.tickets.reported import report_tickets
from graph.changes.tickets.ticketing import Heard, OpenTicket, note_tickets, open_tickets
from graph.store.store import Store

_AT_ONCE: Final = 50
_MOST_SEEN: Final = 10_000
"""tickets of theirs that are remembered; more, and they are looked at in the graph again."""


@dataclass(slots=True, kw_only=True)
class Hearing:
    """What one process has heard from one ticketing system."""

    store: Store
    policy: AlarmPolicy
    ticketing: Ticketing
    seconds: float
    """for each question, to it and to the database."""
    _since: int | None = None
    _seen: dict[str, ReportedTicket] = field(default_factory=dict)

    @property
    def system(self) -> str:
        """Its name."""
        return self.policy.ticketing

    async def look(self) -> None:
        """Ask what became of tickets that are open as far as we know, and which others name services."""
        after = ""
        while known := await open_tickets(self.store, self.system, after=after, most=_AT_ONCE, deadline=self._soon()):
            await self._note([*known])
            after = known[-1].their_id
        await self._look_at_reported()

    async def _note(self, known: Sequence[OpenTicket]) -> None:
        as_known = {each.their_id: each for each in known}
        states = await self.ticketing.states([*as_known], deadline=self._soon())
        news = [each for each in states if _is_news(each, as_known[each.id])]
        heard = [each for each in map(heard_of, (one for one in news if as_known[one.id].is_ours)) if each is not None]
        await note_tickets(self.store, self.policy, heard, subject=subject_of(self.system), deadline=self._soon())
        others = [_only_its_state(each) for each in news if not as_known[each.id].is_ours]
        await self._report([each for each in others if each is not None])

    async def _look_at_reported(self) -> None:
        found = await self.ticketing.reported(since=self._since, deadline=self._soon())
        news = [each for each in found if self._seen.get(each.state.id) != each]
        for start in range(0, len(news), _AT_ONCE):
            told = map(reported_of, news[start : start + _AT_ONCE])
            await self._report([each for each in told if each is not None])
        if len(self._seen) > _MOST_SEEN:
            self._seen.clear()
        self._seen |= {each.state.id: each for each in news}
        self._since = _latest((each.state.changed_at for each in found), self._since, now=time.time_ns() // 1_000_000)

    async def _report(self, reported: Sequence[Reported]) -> None:
        await report_tickets(self.store, self.policy, reported, subject=subject_of(self.system), deadline=self._soon())

    def _soon(self) -> float:
        return time.monotonic() + self.seconds


async def take(store: Store, policy: AlarmPolicy, told: ReportedTicket, *, deadline: float) -> None:
    """Take what the system says of one ticket by itself."""
    heard, subject = heard_of(told.state), subject_of(policy.ticketing)
    if heard is not None:
        await note_tickets(store, policy, [heard], subject=subject, deadline=deadline)
    reported = reported_of(told)
    if reported is not None:
        await report_tickets(store, policy, [reported], subject=subject, deadline=deadline)


def subject_of(system: str) -> str:
    """Give who has changed a ticket, when the ticketing system has."""
    return f"system:{system}"


def heard_of(state: TicketState) -> Heard | None:
    """Give what a state says of a ticket of ours; None for one that bears no key of ours."""
    if not state.external_id:
        return None
    return Heard(order_key=state.external_id, their_id=state.id, status=state.status, changed_at=state.changed_at)


def reported_of(reported: ReportedTicket) -> Reported | None:
    """Give what it says, for the graph; None where nobody knows what its status means."""
    state = reported.state
    if state.status is None:
        return None
    return Reported(
        their_id=state.id,
        key=state.external_id,
        status=state.status,
        severity=state.severity,
        changed_at=state.changed_at,
        services=reported.services,
        customer=reported.customer,
    )


def _latest(changed: Iterable[int | None], before: int | None, *, now: int) -> int | None:
    """Give since when news is asked for next: the latest change that was told. Epoch milliseconds.

    A time ahead of our clock leads nowhere: tickets that are changed until then would be missed. What is told twice
    because of that is no news.

    >>> _latest([100, None, 9_999], 50, now=200), _latest([], 50, now=200), _latest([9_999], None, now=200)
    (100, 50, None)
    """
    return max((each for each in (*changed, before) if each is not None and each <= now), default=None)


def _only_its_state(state: TicketState) -> Reported | None:
    return reported_of(ReportedTicket(state=state, services=None, customer=None))


def _is_news(state: TicketState, known: OpenTicket) -> bool:
    """Tell whether it says what is not known yet; a system that gives no times says nothing new by that."""
    return state.status != known.status or state.changed_at not in (None, known.changed_at)
