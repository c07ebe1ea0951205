"""A subscription: what a selection says of each event, for one scope.

The selection is compiled once for a kind of scope, as any read. For each event its values are narrowed to the scope and the
arguments (`streams.py`), and the statement is run with them, as a mutation's payload is with what the change returned. Whoever
asks the same (selection, variables, scope) of the same event at about the same time shares what is made of it.

Nothing is lost where the database is away: the event waits, and is sent when it answers again. What ends a stream is a
subscriber that is too slow (LAGGED), and an event that is not kept any more (CURSOR_EXPIRED, where it begins).

Several scopes of one kind have the same text, and differ in parameters only: those who wait at the same time go in one
statement (`batching.py`). What an event has kept is made without any.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import structlog
from cachetools import LRUCache
from graphql import parse

from graph.changes.services.owners import OWNERS
from graph.compiler.allowance import metered
from graph.compiler.bind import bind
from graph.compiler.cursor import Place, StreamCursors, mark_of
from graph.compiler.irregular import answer as irregular
from graph.compiler.query import Operation, normalize
from graph.compiler.read import BREACHES, Prepared, Reads
from graph.compiler.rows import Rows, of_rows
from graph.errors import DeadlineExceeded, GraphError, Refused, StatementFailed, StoreUnavailable
from graph.ledger.reader import BEAT_SECONDS, MOST, EventReader, Silence
from graph.ledger.sequence import End, Interest, Missing, Sequenced, end_of, event_at
from graph.ledger.tail import Lagged, Restored
from graph.model.scope import Principal, Scope, ScopeKind, scope_of
from graph.model.streams import Heard, Heartbeat, StreamEnded, StreamEvent
from graph.store.store import Store
from resolvers.errors import answer_for
from resolvers.knowledge.batching import RowBatcher
from resolvers.knowledge.shared import Shared
from resolvers.knowledge.stream_answers import at_end, expired, lagged, missing, place_of, sent, unread
from resolvers.knowledge.streams import STREAMS, Filter, Stream, Viewer, check, customers_of

_EVENT_SECONDS: Final = 30.0
"""for the statements of one event: one that is new must be planned first, and nobody waits for an answer."""
_AGAIN_SECONDS: Final = 0.5
_MOST_SECONDS: Final = 10.0
"""until what the database did not answer is asked again: first about the one, in the end the other."""
_PAGES: Final = 5
"""that may fail one after another before a stream ends, with the cursor to come back with."""
_TIMES: Final = 3
"""that a statement may take too long while others are answered, before its event is an error."""
_ALIVE_SECONDS: Final = 5.0
"""after its last answer to whoever asks it twenty times a second, a database counts as slow to everybody."""
_LABELS: Final = 100
"""as many as nodes of events have, for two kinds of scope, and more."""
_TOLD: Final = 1_000
"""faults of events that are known to be logged."""
_BEHIND_SECONDS: Final = 1.0
"""that a replica of the database may be behind the one that gave a cursor."""

Events = AsyncGenerator[Heard, None]

log = structlog.get_logger(__name__)


class Question:
    """A query of our own, as an operation."""

    def __init__(self, text: str) -> None:
        self.key: Final = text
        self.document: Final = parse(text, no_location=True)
        self.name: Final = None


_OWNERS: Final = Rows(text=OWNERS)
_NODE: Final = Question("query ($id: ID!) { node(id: $id) { id } }")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What one subscriber asks."""

    operation: Operation
    variables: Mapping[str, Any]
    principal: Principal
    scope: Scope
    prepared: Prepared
    name: str
    """the root field,"""
    key: str
    """its key in the answer."""
    stream: Stream
    filter: Filter
    cursors: StreamCursors
    same: Hashable
    """equal for those who get the same of an event."""
    since: float
    """when it subscribed, by `time.monotonic()`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """How much is kept for subscribers."""

    kept_ms: int = 72 * 60 * 60 * 1_000
    """how old an event may be after which one resumes;"""
    queue: int = MOST
    """and how many events may wait for one that is slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriptions:
    """The subscriptions of one graph, in one process."""

    store: Store
    reads: Reads
    events: EventReader
    kept_ms: int
    batcher: RowBatcher
    _owners: Shared = field(default_factory=Shared)
    _answers: Shared = field(default_factory=Shared)
    _node_rows: LRUCache[str, Rows] = field(default_factory=lambda: LRUCache(_LABELS))
    """how a node is looked for in many scopes, by how it is in one."""
    _told: LRUCache[tuple[int, str], None] = field(default_factory=lambda: LRUCache(_TOLD))
    """what of which event was logged."""
    _away: set[str] = field(default_factory=set)
    """why the database does not answer, as it was logged; empty when it does: ten thousand streams wait for the same."""

    async def begin(
        self,
        operation: Operation,
        variables: Mapping[str, Any],
        principal: Principal,
        after: str | None,
        deadline: float,
    ) -> Events | dict[str, Any]:
        """Begin, or say why not."""
        try:
            asked, given = self._asked(operation, variables, principal)
            cursor = given if after is None else after
            place = None if cursor is None else asked.cursors.open(cursor)
            end = await self._end(place, deadline)
            if place is not None and not await self._is_kept(place, end, deadline):
                return expired(asked.cursors, end, asked.stream.snapshot)
        except GraphError as error:
            return answer_for(error)
        return self._events(asked, at_end(end) if place is None else place)

    async def _is_kept(self, place: Place, end: End, deadline: float) -> bool:
        """Tell whether all that came after a place is there, and whether it is the same event that stands there still."""
        if not end.swept <= place.position <= end.position or place.at < end.now - self.kept_ms:
            return False
        event = await event_at(self.store, place.position, deadline=deadline)
        return not (event and place.mark) or mark_of(event) == place.mark

    async def _end(self, place: Place | None, deadline: float) -> End:
        """Give how far the sequence has come; where another process has seen more of it, wait a little for this one's database."""
        patience = time.monotonic() + _BEHIND_SECONDS
        while True:
            end = await end_of(self.store, deadline=deadline)
            if place is None or place.position <= end.position or time.monotonic() > patience:
                return end
            await asyncio.sleep(_BEHIND_SECONDS / 10)

    def _asked(
        self, operation: Operation, variables: Mapping[str, Any], principal: Principal
    ) -> tuple[_Asked, str | None]:
        """Compile what is asked; give the argument `after` too."""
        scope = scope_of(principal)
        if scope.kind is ScopeKind.NOTHING:
            raise Refused("This caller reads nothing here.", code="FORBIDDEN", hint="Use a token with another role.")
        with metered(self.reads.meter, principal.subject, 0.0):  # each time, and not only where it is new
            tree = normalize(self.reads.schema, operation, variables)
        if len(tree.root.fields) != 1 or (root := tree.root.fields[0]).name not in STREAMS:
            raise Refused("A subscription has one field.", code="BAD_USER_INPUT", hint="Send a subscription for each.")
        prepared = self.reads.prepared(operation, variables, principal)
        bind(prepared.parameters, self.reads.request(prepared, variables, principal, {}))
        arguments = tree.sources[root.slot].values(variables) if root.slot is not None else {}
        filter_ = arguments.get("filter") or {}
        check(filter_)
        asked = _Asked(
            operation=operation,
            variables=variables,
            principal=principal,
            scope=scope,
            prepared=prepared,
            name=root.name,
            key=root.key,
            stream=STREAMS[root.name],
            filter=filter_,
            cursors=StreamCursors(self.reads.cursor_key, root.name, scope),
            same=(operation.key, operation.name, _text(variables), scope),
            since=time.monotonic(),
        )
        return asked, arguments.get("after")

    async def _events(self, asked: _Asked, last: Place) -> Events:
        interest = Interest(types=frozenset(asked.stream.kinds), customers=customers_of(asked.scope))
        yield Heartbeat(cursor=asked.cursors.seal(last))  # a cut before the first event loses nothing
        told, failures, pace = time.monotonic(), 0, _Pace()
        while True:
            try:
                async with aclosing(self._following(interest, last, again=failures > 0)) as following:
                    async for each in following:
                        begun = time.monotonic()
                        heard: StreamEvent | Heartbeat | None = await self._heard(asked, each)
                        pace.made(begun, has_caught_up=each.position >= self.events.position)
                        last, failures = place_of(each), 0
                        self._away.clear()
                        if heard is None and (isinstance(each, Silence) or time.monotonic() - told > BEAT_SECONDS):
                            heard = Heartbeat(cursor=asked.cursors.seal(last))
                        if heard is not None:
                            told = time.monotonic()
                            yield heard
                            pace.taken(told)
            except Lagged as behind:
                if pace.client_is_slower:
                    raise StreamEnded(lagged(asked.cursors, last, behind.event)) from behind
                # It reads faster than events are made for it here: what its queue had no room for is read from the graph.
            except Restored as restored:
                raise StreamEnded(expired(asked.cursors, restored.end, asked.stream.snapshot)) from restored
            except GraphError as error:
                # A page could not be read: go on after the last event, which is known.
                failures += 1
                if failures == _PAGES:
                    raise StreamEnded(unread(asked.cursors, last, error)) from error
                await self._wait(error, failures)

    async def _following(
        self, interest: Interest, last: Place, *, again: bool
    ) -> AsyncGenerator[Sequenced | Missing | Silence, None]:
        if again:
            await self._look_back(last)
        async with aclosing(self.events.follow(interest, last.position)) as following:
            async for each in following:
                yield each

    async def _look_back(self, last: Place) -> None:
        """Raise Restored where the database came back without what was sent."""
        deadline = time.monotonic() + _EVENT_SECONDS
        end = await self._end(last, deadline)
        if not await self._is_kept(last, end, deadline):
            raise Restored(end)

    async def _wait(self, error: GraphError, attempt: int) -> None:
        """Wait longer each time, and not all for the same time: those who wait must not ask together."""
        if str(error) not in self._away:
            self._away.add(str(error))
            log.warning("subscriptions wait for the database", reason=str(error))
        await asyncio.sleep(min(_MOST_SECONDS, _AGAIN_SECONDS * 2 ** min(attempt - 1, 10)) * random.uniform(0.5, 1))  # noqa: S311 - nobody must guess it

    async def _heard(self, asked: _Asked, event: Sequenced | Missing | Silence) -> StreamEvent | None:
        """Make of an event what is sent, when the database answers; what it cannot answer is an error of this event."""
        match event:
            case Silence():
                return None
            case Missing():
                return missing(asked.cursors, event, asked.key, asked.stream.snapshot)
        attempts = times = 0
        while True:
            attempts += 1
            try:
                return await self._made(asked, event)
            except GraphError as error:
                times += isinstance(error, DeadlineExceeded) and self._others_are_answered()
                if not _is_passing(error, times):
                    return self._failed(asked, event, error)
                await self._wait(error, attempts)
            except Exception as error:  # noqa: BLE001 - whoever comes back would meet the same event for ever
                self._tell(event, error)
                return self._failed(asked, event, StatementFailed(repr(error)))

    def _others_are_answered(self) -> bool:
        """Tell whether the database answers: where it is slow to everybody, an event is not at fault that took too long."""
        return time.monotonic() - self.events.answered_at < _ALIVE_SECONDS

    def _tell(self, event: Sequenced, error: Exception) -> None:
        """Log once, and not for each of those who hear it, that an event cannot be shown."""
        if (event.position, repr(error)) not in self._told:
            self._told[event.position, repr(error)] = None
            log.error("an event cannot be shown", event_id=event.id, position=event.position, exc_info=error)

    def _failed(self, asked: _Asked, event: Sequenced, error: GraphError) -> StreamEvent:
        """Say that an event cannot be shown; the stream goes on."""
        [entry] = answer_for(error)["errors"]
        path = [asked.key, *(error.path if isinstance(error, Refused) else ())]
        return sent(asked.cursors, event, {"data": None, "errors": [{**entry, "path": path}]})

    async def _made(self, asked: _Asked, event: Sequenced) -> StreamEvent | None:
        if event.broken:
            raise ValueError("The payload of the event cannot be read")
        if asked.filter and not asked.stream.may_be_for(event, asked.scope, asked.filter):
            return None  # many filters leave most events out, and must not crowd out what is shared
        key = (asked.same, event.position, event.replayed)
        return await self._answers.get(key, lambda: self._shown(asked, event), since=asked.since)

    async def _shown(self, asked: _Asked, event: Sequenced) -> StreamEvent | None:
        """Make what all who ask the same are sent of an event."""
        if not (asked.filter or asked.stream.may_be_for(event, asked.scope, asked.filter)):
            return None  # nobody asks the graph for what is none of theirs
        owners, sees_node = await self._owners_of(asked, event), await self._sees_node(asked, event)
        viewer = Viewer(scope=asked.scope, owners=owners, sees_node=sees_node)
        values = asked.stream.values(event, viewer, asked.filter)
        if values is None:
            return None
        given = {**values, "cursor": asked.cursors.seal(place_of(event))}
        key = (asked.same, event.position)  # the same, whether or not it is replayed
        answer = await self._answers.get(key, lambda: self._rendered(asked, given, event), since=asked.since)
        return sent(asked.cursors, event, answer)

    async def _owners_of(self, asked: _Asked, event: Sequenced) -> Mapping[str, str]:
        customers = customers_of(asked.scope)
        services = [] if customers is None else sorted(set(asked.stream.services(event, customers)))
        if not services:
            return {}
        return await self._owners.get(
            (asked.name, customers, event.position),
            lambda: self._current_owners(asked, services, event),
            since=asked.since,
        )

    async def _current_owners(self, asked: _Asked, services: Sequence[str], event: Sequenced) -> Mapping[str, str]:
        return dict(await self._row(asked, _OWNERS, {"services": services}, event))

    async def _row(self, asked: _Asked, rows: Rows, parameters: Mapping[str, Any], event: Sequenced) -> Any:
        """Ask with those who wait for the same statement."""
        subject = asked.principal.subject
        return await self.batcher.ask(rows, parameters, subject=subject, is_past=event.replayed)

    async def _sees_node(self, asked: _Asked, event: Sequenced) -> bool:
        """Tell whether the node that an event is about is in the scope now, by the read that anybody could ask."""
        node = asked.stream.node(event)
        if not node or asked.scope.kind is ScopeKind.EVERYTHING:
            return True

        async def read() -> bool:
            reads, variables = self.reads, {"id": node}
            prepared = reads.prepared(_NODE, variables, asked.principal)
            if prepared.text not in self._node_rows:
                self._node_rows[prepared.text] = of_rows(reads.compiled(_NODE, variables, asked.principal).query)
            request = reads.request(prepared, variables, asked.principal, {})
            given, rows = bind(prepared.parameters, request), self._node_rows[prepared.text]
            record = await self._row(asked, rows, given, event)
            return prepared.shape(record, request.arguments, reads.cursor_key)["node"] is not None

        return await self._answers.get((asked.scope, node, event.position), read, since=asked.since)

    async def _rendered(self, asked: _Asked, values: Mapping[str, Any], event: Sequenced) -> dict[str, Any]:
        """Run the statement with an event's values, and shape its record; where all of it was kept, none is run."""
        reads, prepared = self.reads, asked.prepared
        request = reads.request(prepared, asked.variables, asked.principal, values)
        parameters = bind(prepared.parameters, request)
        try:
            if prepared.known is not None:
                record = prepared.known(parameters)
            else:
                # It takes no place among the statements of its principal: it waits with others, as queries must not.
                record = await self._row(asked, prepared.rows, parameters, event)
            return {"data": prepared.shape(record, request.arguments, reads.cursor_key)}
        except BREACHES:
            shape = reads.lenient(asked.operation, asked.variables, asked.principal)
            data = shape(record, request.arguments, reads.cursor_key)
            return irregular(reads.schema, asked.operation, asked.variables, data)


@dataclass(slots=True)
class _Pace:
    """Whom a stream waits for since it last had all there is: us, who make its events, or its client, who takes them.

    What other subgraphs are asked for each event is the client's time here.
    """

    _ours: float = 0.0
    _theirs: float = 0.0

    @property
    def client_is_slower(self) -> bool:
        return self._theirs > self._ours

    def made(self, begun: float, *, has_caught_up: bool) -> None:
        """Take that something was made since `begun`."""
        if has_caught_up:
            self._ours = self._theirs = 0.0
        self._ours += time.monotonic() - begun

    def taken(self, offered: float) -> None:
        """Take that the client has taken what it was offered then."""
        self._theirs += time.monotonic() - offered


def _is_passing(error: GraphError, times: int) -> bool:
    """Tell whether to try again: until the database is back, and a few times where a statement took too long that others did not."""
    if isinstance(error, DeadlineExceeded):
        return times < _TIMES
    return isinstance(error, StoreUnavailable)


def _text(variables: Mapping[str, Any]) -> bytes:
    return orjson.dumps(variables, option=orjson.OPT_SORT_KEYS)
