"""What a subscriber is sent beside what it has asked for: that events are missing, or why its stream ends and how to go on."""

from __future__ import annotations

from typing import Any

from graph.compiler.cursor import Place, StreamCursors, mark_of
from graph.errors import GraphError
from graph.ledger.reader import Silence
from graph.ledger.sequence import End, Missing, Sequenced
from graph.model.streams import StreamEvent
from resolvers.errors import answer_for


def place_of(event: Sequenced | Missing | Silence) -> Place:
    """Give the place of an event in the sequence."""
    return Place(position=event.position, at=event.at, mark=mark_of(event.id))


def at_end(end: End) -> Place:
    """Give the place behind all that there is."""
    return Place(position=end.position, at=end.now, mark=mark_of(end.event))


def sent(cursors: StreamCursors, event: Sequenced | Missing, answer: dict[str, Any]) -> StreamEvent:
    """Give what is sent of an event."""
    replayed = isinstance(event, Sequenced) and event.replayed
    return StreamEvent(answer=answer, cursor=cursors.seal(place_of(event)), at=event.at, replayed=replayed)


def missing(cursors: StreamCursors, gap: Missing, key: str, snapshot: str) -> StreamEvent:
    """Say that there were events which nobody can show any more; the stream goes on after them."""
    extensions = {
        "code": "EVENTS_MISSING",
        "count": gap.count,
        "snapshot": snapshot,
        "hint": "Ask the query `snapshot` for how things are: what has happened meanwhile may have been yours.",
    }
    error = {"message": "Events are missing in the graph.", "path": [key], "extensions": extensions}
    return sent(cursors, gap, {"data": None, "errors": [error]})


def expired(cursors: StreamCursors, end: End, snapshot: str) -> dict[str, Any]:
    """Say that one cannot resume, and how to begin anew without a gap."""
    extensions = {
        "code": "CURSOR_EXPIRED",
        "cursor": cursors.seal(at_end(end)),
        "snapshot": snapshot,
        "hint": "Keep `cursor`, ask the query `snapshot` for how things are, then subscribe after `cursor`.",
    }
    return {"errors": [{"message": "What came after that cursor is not kept any more.", "extensions": extensions}]}


def unread(cursors: StreamCursors, last: Place, error: GraphError) -> dict[str, Any]:
    """Say that what comes next cannot be read, and with which cursor to come back."""
    [entry] = answer_for(error)["errors"]
    extensions = {**entry["extensions"], "from": cursors.seal(last)}
    return {"errors": [{**entry, "extensions": extensions}]}


def lagged(cursors: StreamCursors, last: Place, latest: Sequenced | Missing) -> dict[str, Any]:
    """Say what a subscriber has not got."""
    extensions = {
        "code": "LAGGED",
        "from": cursors.seal(last),
        "to": cursors.seal(place_of(latest)),
        "hint": "Subscribe again after `from`: nothing is lost. Read faster, or ask for less.",
    }
    return {"errors": [{"message": "Events came faster than they were read.", "extensions": extensions}]}
