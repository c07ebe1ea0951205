"""A Request Tracker to try things with: the part of its REST API, version 2, by which tickets are kept and found.

Written down from what a real one (5.0.3) answers: numbers are strings in lists and numbers in records, a list over which
rights are checked one by one has no total, a ticket that was merged answers as the other one, one that was deleted is in
no list. Every change that is acted upon gets its line in the journal (time, method, id, what was sent) before it is
answered. People work on tickets through the same API, with tokens of their own.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.errors import Malformed
from adapters.simulator.faults import FOREIGN, Faults
from adapters.simulator.front import read_json
from adapters.simulator.journal import Journal, read_journal
from adapters.simulator.serving import listening
from adapters.simulator.ticketing.rt_query import Query, Row, parsed
from adapters.simulator.ticketing.rt_tickets import Layout, Record, RtTickets, custom_fields

BASE: Final = "/REST/2.0"
LAYOUT: Final = Layout()
_MEDIA: Final = "application/json; charset=utf-8"
_ASKED: Final = frozenset({"id", "EffectiveId", "Queue", "Status", "Subject", "Priority", "LastUpdated", "Created"})
_ASKED_OF_TRANSACTIONS: Final = frozenset({"id", "ObjectType", "TicketId", "Type", "Subject", "Creator"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestTracker:
    """A Request Tracker that is being served."""

    address: str
    """of the API: what a client of it is given."""
    tickets: RtTickets
    faults: Faults


@asynccontextmanager
async def serving_rt(
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    journal: Path | None = None,
    state: Path | None = None,
    users: Mapping[str, str] | None = None,
    layout: Layout = LAYOUT,
) -> AsyncIterator[RequestTracker]:
    """Serve one in the running loop while the block runs.

    With `state`, tickets are those of an earlier life with the same file. `users` are names by token; without, everybody
    is let in, under the name that is the token.
    """
    with closing(Journal(journal)) as received, closing(Journal(state)) as kept:
        tickets = RtTickets(layout=layout, state=kept, clock=lambda: time.time_ns() // 1_000_000)
        tickets.restore(read_journal(state) if state else [])
        faults = Faults(_Desk(tickets=tickets, received=received, users=users).application(), foreign=_foreign)
        async with listening(faults, host=host, port=port) as address:
            yield RequestTracker(address=f"{address}{BASE}", tickets=tickets, faults=faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Desk:
    """The endpoints."""

    tickets: RtTickets
    received: Journal
    users: Mapping[str, str] | None

    def application(self) -> Starlette:
        both = ["GET", "POST"]
        return Starlette(
            routes=[
                Route(f"{BASE}/queue/{{name}}", self.queue),
                Route(f"{BASE}/ticket", self.opened, methods=["POST"]),
                Route(f"{BASE}/ticket/{{id:int}}", self.one),
                Route(f"{BASE}/ticket/{{id:int}}", self.changed, methods=["PUT"]),
                Route(f"{BASE}/ticket/{{id:int}}/{{kind:str}}", self.written, methods=["POST"]),
                Route(f"{BASE}/tickets", self.searched, methods=both),
                Route(f"{BASE}/transactions", self.told, methods=both),
                Route(f"{BASE}/attachments", self.attached, methods=["POST"]),
            ],
            exception_handlers={HTTPException: _refused, Malformed: _malformed},
        )

    async def queue(self, request: Request) -> Response:
        self._user(request)
        layout = self.tickets.layout
        if request.path_params["name"] != layout.queue:
            raise HTTPException(403, "Forbidden")
        fields = [{"type": "customfield", "name": each} for each in layout.custom_fields]
        return _json(200, {"id": 1, "Name": layout.queue, "Lifecycle": "default", "TicketCustomFields": fields})

    async def opened(self, request: Request) -> Response:
        user, body = self._user(request), _mapping(await _read(request))
        if body.get("Queue") != self.tickets.layout.queue:
            raise HTTPException(403, f"No permission to create tickets in the queue '{body.get('Queue')}'")
        ticket = self.tickets.create(body, user)
        self._receive(request, ticket, body)
        return _json(201, _named("ticket", ticket), {"Location": f"{BASE}/ticket/{ticket['id']}"})

    async def one(self, request: Request) -> Response:
        self._user(request)
        ticket = self._ticket(request)
        links = [{"ref": "self", **_named("ticket", ticket), "id": ticket["id"]}]
        links += [{"ref": each, "_url": f"{links[0]['_url']}/{each}"} for each in ("history", "correspond", "comment")]
        effective = {"type": "ticket", "id": str(ticket["EffectiveId"])}
        shown = {**ticket, "Priority": str(ticket["Priority"]), "EffectiveId": effective, "_hyperlinks": links}
        return _json(200, {**shown, "CustomFields": _shown_fields(ticket)}, {"ETag": self._tag(ticket)})

    async def changed(self, request: Request) -> Response:
        user, ticket = self._user(request), self._ticket(request)
        body = _mapping(await _read(request))
        if request.headers.get("if-match", self._tag(ticket)) != self._tag(ticket):
            raise HTTPException(412, "Precondition Failed")
        said = self.tickets.update(ticket, body, user)
        self._receive(request, ticket, body)
        return _json(200, said)

    async def written(self, request: Request) -> Response:
        user, kind, ticket = self._user(request), request.path_params["kind"], self._ticket(request)
        if kind not in ("comment", "correspond"):
            raise HTTPException(404, "Not Found")
        body = _mapping(await _read(request))
        if body.get("Content") and not body.get("ContentType"):
            raise HTTPException(400, "ContentType is a required field for application/json")
        made = self.tickets.write(ticket, kind.capitalize(), body, user)
        self._receive(request, ticket, {**body, "kind": kind})
        return _json(201, ["Message recorded"], {"Location": f"{BASE}/transaction/{made['id']}"})

    async def searched(self, request: Request) -> Response:
        self._user(request)
        query = parsed(request.query_params.get("query", ""))
        _check_fields(query, _ASKED)
        found = [each for each in self.tickets.tickets.values() if _is_shown(each, query) and query.holds(_row(each))]
        items = [{**each, "CustomFields": _shown_fields(each)} for each in found]
        return _listed(request, "ticket", items, with_total=True)

    async def told(self, request: Request) -> Response:
        self._user(request)
        query = parsed(request.query_params.get("query", ""))
        _check_fields(query, _ASKED_OF_TRANSACTIONS)
        every = self.tickets.transactions.values()
        found = [each for each in every if query.holds(_transaction_row(each))]
        return _listed(request, "transaction", [{**each, "Creator": _user_named(each)} for each in found])

    async def attached(self, request: Request) -> Response:
        """Filter by conditions: those on one field are joined by OR when they say so, those on several by AND."""
        self._user(request)
        conditions = await _read(request)
        if not isinstance(conditions, list):
            raise HTTPException(400, "JSON object must be a ARRAY")
        wanted = {str(each.get("value")) for each in conditions if each.get("field") == "TransactionId"}
        every = self.tickets.attachments.values()
        return _listed(request, "attachment", [each for each in every if str(each["TransactionId"]) in wanted])

    def _ticket(self, request: Request) -> Record:
        ticket = self.tickets.effective(request.path_params["id"])
        if ticket is None:
            raise HTTPException(404, "Not Found")
        return ticket

    def _tag(self, ticket: Record) -> str:
        return f'"{self.tickets.last_transaction(ticket)}"'

    def _user(self, request: Request) -> str:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        user = token if self.users is None else self.users.get(token, "")
        if self.users is not None and (scheme != "token" or not user):
            raise HTTPException(401, "Unauthorized")
        return user or "anybody"

    def _receive(self, request: Request, ticket: Record, body: Mapping[str, object]) -> None:
        told = {"time": ticket["LastUpdated"], "method": request.method, "id": ticket["id"], "status": ticket["Status"]}
        self.received.write({**told, "body": dict(body)})


async def _read(request: Request) -> object:
    try:
        return await read_json(request, "application/json")
    except Malformed as exc:
        raise HTTPException(400, "JSON parse error") from exc


def _mapping(body: object) -> dict[str, object]:
    if not isinstance(body, dict):
        raise HTTPException(400, "JSON object must be a HASH")
    return body


def _named(kind: str, record: Record) -> dict[str, object]:
    return {"type": kind, "id": str(record["id"]), "_url": f"http://rt.example{BASE}/{kind}/{record['id']}"}


def _user_named(record: Record) -> dict[str, object]:
    return {"type": "user", "id": record["Creator"]}


def _shown_fields(ticket: Record) -> list[dict[str, object]]:
    return [{"type": "customfield", "name": name, "values": values} for name, values in custom_fields(ticket).items()]


def _is_shown(ticket: Record, query: Query) -> bool:
    """Tell whether a list shows it at all: never what was deleted, what was merged only when it is asked for."""
    is_merged = ticket["EffectiveId"] != ticket["id"]
    return ticket["Status"] != "deleted" and (not is_merged or "EffectiveId" in query.fields)


def _row(ticket: Record) -> Row:
    plain = {name: [str(ticket[name])] for name in _ASKED}
    return {**plain, **{f"CF.{{{name}}}": values for name, values in custom_fields(ticket).items()}}


def _transaction_row(each: Record) -> Row:
    plain = {name: [str(each[name])] for name in ("id", "ObjectType", "Type", "Creator")}
    return {**plain, "TicketId": [str(each["ObjectId"])], "Subject": [str(each["Data"]).strip()]}


def _check_fields(query: Query, known: frozenset[str]) -> None:
    for each in query.fields:
        if each not in known and not each.startswith("CF.{"):
            raise Malformed(f"Unknown field: {each}", field="query")


def _listed(request: Request, kind: str, found: Sequence[Record], *, with_total: bool = False) -> Response:
    """Give a page of a list; where rights are looked at one by one nobody knows how many there are."""
    asked = request.query_params
    size = min(_positive(asked.get("per_page"), 20), 100)
    page = _positive(asked.get("page"), 1)
    fields = [each for each in asked.get("fields", "").split(",") if each]
    items = [_item(kind, each, fields) for each in found[(page - 1) * size : page * size]]
    total, pages = (len(found), -(-len(found) // size)) if with_total else (None, None)
    body = {"count": len(items), "total": total, "pages": pages, "page": page, "per_page": size, "items": items}
    return _json(200, body)


def _item(kind: str, record: Record, fields: Sequence[str]) -> dict[str, object]:
    shown = {name: record.get(name, "") for name in fields}
    return {name: str(v) if isinstance(v, int) else v for name, v in shown.items()} | _named(kind, record)


def _positive(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdigit() and int(text) else otherwise


def _foreign(told: object) -> object:
    """Make an answer one about something else."""
    if isinstance(told, dict) and isinstance(told.get("items"), list):
        return {**told, "items": [_foreign(each) for each in told["items"]]}
    if not isinstance(told, dict):
        return told
    fields = [{"name": each, "values": [FOREIGN]} for each in LAYOUT.custom_fields]
    return {**told, "CustomFields": fields, **({"id": "999999"} if "id" in told else {})}


def _json(status: int, body: object, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, headers, media_type=_MEDIA)


async def _refused(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)
    return _json(exc.status_code, {"message": exc.detail}, dict(exc.headers or {}))


async def _malformed(_: Request, exc: Exception) -> Response:
    assert isinstance(exc, Malformed)
    return _json(400, {"message": exc.message})
