"""A ticketing system that is Request Tracker 5: what is owed to it, by its REST API (version 2).

RT notices no repetition, so `find` asks by our key, which is the value of a custom field: a subject is for people, who
change it, and links move with a merge. It answers 200 to a change that it did not make, and 201 to a ticket whose custom
fields it has left out, with a word about it in prose at best. So before the first ticket its queue is looked at, and
whatever was written is read back.

Between our look at a ticket and our change somebody may have worked on it: the ETag of the look goes with the change
(`If-Match`), and 412 is `Busy`, since asking again helps. RT calls nobody: it is polled only.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import structlog

from adapters.errors import AdapterError, Busy, Nonsense, Rejected
from adapters.passed_over import PassedOver, known_as
from adapters.ticketing import FINAL, ReportedTicket, TicketHistory, TicketOrder, TicketState, TicketUpdate
from adapters.ticketing.outbound.rt_history import (
    ATTACHMENT,
    TRANSACTION,
    RtTransaction,
    history_of,
    subject_for,
    subject_of,
    texts_of,
    transaction_of,
    written_for,
)
from adapters.ticketing.outbound.rt_query import by_ids, by_key, comments_about, naming_services, transactions_of
from adapters.ticketing.outbound.rt_resource import (
    FIELDS,
    RtDesk,
    RtTicket,
    an_object,
    change,
    check_explained,
    creation,
    id_in,
    items_of,
    reported_of,
    state_of,
    status_for,
    ticket_of,
    total_of,
)
from adapters.transport.paging import Asked, Page, all_pages
from adapters.transport.transport import Call, Transport

CHUNK: Final = 50
"""How many tickets are asked for at once."""
_PAGE: Final = 100
_CONFLICT: Final = 409
_CHANGED_MEANWHILE: Final = 412
_UNFIT: Final = 422
_CALLS_NOBODY: Final = 501
_GONE: Final = 404
_PAUSE_SECONDS: Final = 600.0
"""after a ticket that came out without our key: each more would be one that nobody finds again."""
_FARTHEST_ZONE_MS: Final = 14 * 3_600_000

log = structlog.get_logger(__name__)


class Rt:
    """`adapters.ticketing.Ticketing` over a transport whose address ends in `/REST/2.0`, with `token` as its scheme."""

    def __init__(self, transport: Transport, desk: RtDesk, passed_over: PassedOver | None = None) -> None:
        self._transport = transport
        self._passed_over = passed_over or PassedOver(transport.name)
        self._desk = desk
        self._is_fit = False
        self._unfit_until = 0.0

    @property
    def retry_at(self) -> float | None:
        """When the next call is let through, by time.monotonic(); None: now."""
        return self._transport.breaker.retry_at

    async def find(self, external_id: str, *, deadline: float) -> TicketState | None:
        """Ask by our key."""
        listed = [each async for each in self._tickets(by_key(self._desk.key_field, external_id), deadline)]
        for where, each in listed:
            if each.key is None or each.key.casefold() != external_id.casefold():  # RT compares like that
                raise Nonsense(f"{self._transport.name} answered a ticket not asked for", where=where)
        found = [(where, each) for where, each in listed if each.key == external_id]
        if len(found) > 1:
            numbers = [each.id for _, each in found]
            log.warning("several tickets with one key", system=self._transport.name, key=external_id, tickets=numbers)
        first = min(found, key=lambda each: (each[1].created_at or 2**63, int(each[1].id)), default=None)
        return state_of(first[1], self._desk) if first else None

    async def open(self, order: TicketOrder, *, delivery_id: str, deadline: float) -> TicketState:  # noqa: ARG002 - RT has no place for it
        """POST it, and look whether it came out as it should."""
        await self._check_queue(deadline)
        call = Call(method="POST", path=("ticket",), body=creation(order, self._desk))
        answer = (await self._transport.exchange(call, deadline=deadline)).json()
        ticket = await self._opened(id_in(an_object(answer, ""), "id", ""), deadline)
        if ticket.key is None:
            self._unfit_until = time.monotonic() + _PAUSE_SECONDS
            raise self._unfit(f"opened ticket {ticket.id} without our key")
        return self._ours(ticket, order.external_id)

    async def amend(self, their_id: str, order: TicketOrder, *, delivery_id: str, deadline: float) -> TicketState:
        """GET it, PUT what is different, write the note unless it is there, and look whether it came out as it should."""
        ticket, tag = await self._ticket(their_id, deadline)
        is_merged = ticket.id != their_id and await self._is_merged(their_id, deadline)
        if is_merged or self._ours(ticket, order.external_id).status in FINAL:
            raise _unchangeable(their_id)
        if body := change(ticket, order, self._desk):
            await self._put(their_id, body, tag, deadline)
        if order.note:
            await self._note(their_id, order.note, subject_of(delivery_id), deadline)
        changed, _ = await self._ticket(their_id, deadline)
        if wanting := change(changed, order, self._desk):
            raise self._unmade(", ".join(sorted(wanting)), their_id)
        return self._ours(changed, order.external_id)

    async def update(self, their_id: str, wanted: TicketUpdate, *, delivery_id: str, deadline: float) -> TicketState:
        """Set the status, then comment on it: where the comment is there, all was done. A correspondence would open a resolved one."""
        subject = subject_for(delivery_id)
        ticket, tag = await self._ticket(their_id, deadline)
        is_merged = ticket.id != their_id and await self._is_merged(their_id, deadline)
        if await self._is_noted(their_id, subject, deadline):
            return self._ours(ticket, wanted.external_id)
        before = self._ours(ticket, wanted.external_id).status
        # An attempt before may have closed it, and ended before its comment.
        if is_merged or (before in FINAL and before != wanted.status):
            raise _unchangeable(their_id)
        if (status := status_for(ticket, wanted, self._desk)) is not None:
            await self._put(their_id, {"Status": status}, tag, deadline)
        changed, _ = await self._ticket(their_id, deadline)
        if status not in (None, changed.status):
            raise self._unmade("Status", their_id)
        await self._write(their_id, written_for(wanted.author, wanted.text), subject, deadline)
        return self._ours(changed, wanted.external_id)

    async def states(self, their_ids: Sequence[str], *, deadline: float) -> list[TicketState]:
        """Search for them, some at a time. What a search does not show is asked for by its number: it may be deleted."""
        found = []
        async for where, each in self._each(their_ids, deadline):
            try:
                found.append(check_explained(state_of(each, self._desk), where))
            except Nonsense as nonsense:  # of this ticket, which costs the others nothing
                self._passed_over.note(each.id, str(nonsense))
        return found

    async def histories(self, their_ids: Sequence[str], *, deadline: float) -> Mapping[str, TicketHistory | Nonsense]:
        """Search for their transactions, and for what was written in them."""
        tickets = {each.id: each async for _, each in self._each(their_ids, deadline)}
        told: dict[str, list[RtTransaction]] = {each: [] for each in tickets}
        for chunk in _chunks([*tickets]):
            query = (("query", transactions_of(chunk)), ("fields", ",".join(TRANSACTION)), ("orderby", "id"))
            async for where, item in self._listed(Call(method="GET", path=("transactions",), query=query), deadline):
                each = transaction_of(item, where)
                told.get(each.ticket, []).append(each)
        texts = await self._texts([each.id for all_ in told.values() for each in all_ if each.is_note], deadline)
        return {each.id: history_of(each, told[each.id], texts, self._desk) for each in tickets.values()}

    async def reported(self, *, since: int | None, deadline: float) -> list[ReportedTicket]:
        """Search for tickets that name services."""
        if not self._desk.service_field:
            return []
        # RT reads a time in the zone of the user who asks, which we are not told; to be given more does no harm.
        asked = since - _FARTHEST_ZONE_MS if since is not None else None
        query = naming_services(self._desk.queue, self._desk.service_field, asked)
        found = []
        async for where, each in self._readable(query, deadline):
            try:
                found.append(reported_of(each, self._desk, where))
            except Nonsense as nonsense:
                self._passed_over.note(each.id, str(nonsense))
        return found

    async def subscribe(self, callback: str, *, deadline: float) -> str:  # noqa: ARG002 - there is nothing to ask
        """Refuse: RT has no hub."""
        raise Rejected("Request Tracker calls nobody", hint="Leave callback empty: it is polled", status=_CALLS_NOBODY)

    async def unsubscribe(self, their_id: str, *, deadline: float) -> None:
        """Do nothing: there is no registration."""

    async def _opened(self, their_id: str, deadline: float) -> RtTicket:
        """Read what was just opened; whatever goes wrong now, it is there."""
        try:
            ticket, _ = await self._ticket(their_id, deadline)
        except Rejected as rejected:
            raise Nonsense(f"{self._transport.name} does not show what it has opened", where="id") from rejected
        except AdapterError as error:
            error.may_have_happened = True
            raise
        return ticket

    async def _is_merged(self, their_id: str, deadline: float) -> bool:
        """Ask why another ticket was answered: this one was merged into it, or that is Nonsense."""
        found = [each async for _, each in self._tickets(by_ids([their_id]), deadline)]
        if not any(each.id == their_id and each.is_merged for each in found):
            raise Nonsense(f"{self._transport.name} answered another ticket than the one asked for", where="id")
        return True

    async def _check_queue(self, deadline: float) -> None:
        """Look once whether the queue has our custom fields."""
        if self._unfit_until > time.monotonic():
            raise self._unfit("opened a ticket without our key a while ago")
        if self._is_fit:
            return
        call = Call(method="GET", path=("queue", self._desk.queue))
        queue = an_object((await self._transport.exchange(call, deadline=deadline)).json(), "")
        fields = queue.get("TicketCustomFields")
        names = {each.get("name") for each in fields if isinstance(each, dict)} if isinstance(fields, list) else set()
        wanting = {self._desk.key_field, self._desk.service_field} - {"", *names}
        if wanting:
            raise self._unfit(
                f"shows no custom field {' nor '.join(sorted(wanting))} for tickets of {self._desk.queue}"
            )
        self._is_fit = True

    def _unfit(self, what: str) -> Rejected:
        return Rejected(
            f"{self._transport.name} {what}",
            hint="Apply the custom fields to the queue, and let our user see and change them",
            status=_UNFIT,
        )

    def _unmade(self, named: str, their_id: str) -> Rejected:
        return Rejected(
            f"{self._transport.name} did not change {named} of ticket {their_id}, and answered 200",
            hint="Look at the rights of our user, and at the lifecycle of the queue",
            status=_UNFIT,
        )

    def _ours(self, ticket: RtTicket, external_id: str | None) -> TicketState:
        """Give what it says; it must have this key of ours. None: it is a ticket of theirs."""
        state = state_of(ticket, self._desk)
        if external_id is not None and state.external_id != external_id:
            raise Nonsense("A ticket of Request Tracker has another key than ours", where=self._desk.key_field)
        return state

    async def _put(self, their_id: str, body: dict[str, object], tag: str, deadline: float) -> None:
        headers = {"If-Match": tag} if tag else {}
        try:
            await self._transport.exchange(
                Call(method="PUT", path=("ticket", their_id), body=body, headers=headers, names_thing=True),
                deadline=deadline,
            )
        except Rejected as rejected:
            if rejected.status != _CHANGED_MEANWHILE:
                raise
            raise Busy(f"The ticket {their_id} was changed meanwhile", status=_CHANGED_MEANWHILE) from rejected

    async def _note(self, their_id: str, text: str, subject: str, deadline: float) -> None:
        """Comment on it, unless this was done before."""
        if not await self._is_noted(their_id, subject, deadline):
            await self._write(their_id, text, subject, deadline)

    async def _is_noted(self, their_id: str, subject: str, deadline: float) -> bool:
        query = (("query", comments_about(their_id, subject)), ("fields", "Data"))
        async for _ in self._listed(Call(method="GET", path=("transactions",), query=query), deadline):
            return True
        return False

    async def _write(self, their_id: str, text: str, subject: str, deadline: float) -> None:
        body = {"Subject": subject, "Content": text, "ContentType": "text/plain"}
        call = Call(method="POST", path=("ticket", their_id, "comment"), body=body, names_thing=True)
        await self._transport.exchange(call, deadline=deadline)

    async def _ticket(self, their_id: str, deadline: float) -> tuple[RtTicket, str]:
        """GET one by its number, with its ETag: of one that was merged into another, the other."""
        if not their_id.isdigit():  # another system's, from before this one was ours
            raise Rejected(f"{their_id} is no number of a ticket", hint="Open another one", status=_GONE)
        call = Call(method="GET", path=("ticket", their_id), names_thing=True)
        answer = await self._transport.exchange(call, deadline=deadline)
        return ticket_of(answer.json(), self._desk), answer.headers.get("etag", "")

    async def _each(self, their_ids: Sequence[str], deadline: float) -> AsyncIterator[tuple[str, RtTicket]]:
        """Give each of these tickets that is there, and its place in the answer."""
        wanted = [each for each in dict.fromkeys(their_ids) if each.isascii() and each.isdigit()]
        for chunk in _chunks(wanted):
            missing = set(chunk)
            async for where, each in self._readable(by_ids(chunk), deadline):
                if each.id not in chunk:
                    raise Nonsense(f"{self._transport.name} answered a ticket not asked for", where=f"{where}.id")
                if each.id in missing:  # a page may begin with what the last one ended with
                    missing.remove(each.id)
                    yield where, each
            for number in sorted(missing, key=int):
                hidden = await self._hidden(number, deadline)
                if hidden is not None:
                    yield "", hidden

    async def _hidden(self, their_id: str, deadline: float) -> RtTicket | None:
        try:
            ticket, _ = await self._ticket(their_id, deadline)
        except Rejected as rejected:
            if rejected.status != _GONE:
                raise
            return None
        return ticket if ticket.id == their_id else None

    async def _tickets(self, query: str, deadline: float) -> AsyncIterator[tuple[str, RtTicket]]:
        async for where, item in self._found(query, deadline):
            yield where, ticket_of(item, self._desk, where)

    async def _readable(self, query: str, deadline: float) -> AsyncIterator[tuple[str, RtTicket]]:
        """Give those that can be read; the others are passed over."""
        async for where, item in self._found(query, deadline):
            try:
                ticket = ticket_of(item, self._desk, where)
            except Nonsense as nonsense:
                self._passed_over.note(known_as(item, where), str(nonsense))
            else:
                yield where, ticket

    def _found(self, query: str, deadline: float) -> AsyncIterator[tuple[str, object]]:
        asked = (("query", query), ("fields", ",".join(FIELDS)), ("orderby", "id"))
        return self._listed(Call(method="GET", path=("tickets",), query=asked), deadline)

    async def _texts(self, transactions: Sequence[str], deadline: float) -> dict[str, str]:
        """Read what was written in these transactions, but no files."""
        found: dict[str, str] = {}
        for chunk in _chunks(transactions):
            body = [{"field": "TransactionId", "value": each, "entry_aggregator": "OR"} for each in chunk]
            body.append({"field": "Filename", "operator": "IS", "value": "NULL"})
            query = (("fields", ",".join(ATTACHMENT)), ("orderby", "id"))
            call = Call(method="POST", path=("attachments",), query=query, body=body)
            found |= texts_of([each async for each in self._listed(call, deadline)])
        return found

    async def _listed(self, call: Call, deadline: float) -> AsyncIterator[tuple[str, object]]:
        """Give the items of a list, page by page; where RT does not say how many there are, up to an empty page."""

        async def ask(asked: Asked) -> Page:
            query = (*call.query, ("page", str(asked.number)), ("per_page", str(_PAGE)))
            page = Call(method=call.method, path=call.path, query=query, body=call.body)
            answer = (await self._transport.exchange(page, deadline=deadline)).json()
            total = total_of(answer)
            return Page(items=items_of(answer), total=total, has_next=total is None, where="total")

        for number, each in enumerate(await all_pages(self._transport.name, ask, size=_PAGE)):
            yield f"items[{number}]", each


def _unchangeable(their_id: str) -> Rejected:
    return Rejected(f"The ticket {their_id} is not changed any more", hint="Open another one", status=_CONFLICT)


def _chunks(numbers: Sequence[str]) -> list[Sequence[str]]:
    return [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
