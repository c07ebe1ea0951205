"""A system that has registered us twice tells us of each event twice, and the second telling may come late.

A hub may make another registration of each request, also of one whose answer was lost. Where such a hub cannot be listed, nobody
knows of the first. What is told twice in a row changes nothing. But the slower of two registrations tells of the old state after
the other has told of the new one. So an event is known again for a day by what it says: `eventId`, `eventTime` and `event`
(TMF630). An event without an id or a time is taken each time: two different events may look the same then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Final

import orjson

from adapters.endpoint.edge import Call
from graph.changes.idempotency import Asked, once, remembered
from graph.changes.outcome import Outcome
from graph.store.store import Transaction

_NAMING: Final = ("eventId", "eventTime")


async def take_once(call: Call, document: object, take: Callable[[], Awaitable[None]]) -> None:
    """Take an event, unless it was taken before.

    Where two tellings of one come at the same moment both are taken, one after the other: the second finds nothing to change.
    """
    asked, store = _asked(call, document), call.port.store
    if asked is None:
        await take()
    elif await remembered(store, asked, deadline=call.deadline) is None:
        await take()
        await once(store, asked, _nothing_more, deadline=call.deadline)


def _asked(call: Call, document: object) -> Asked | None:
    """Give what an event is remembered by; None where it does not say which one it is."""
    if not isinstance(document, dict) or not all(isinstance(document.get(each), str) for each in _NAMING):
        return None
    if not all(document[each].strip() for each in _NAMING):
        return None
    said = [call.request.path_params["event"], *(document[each] for each in _NAMING), document.get("event")]
    key = hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()
    return Asked(subject=call.principal.subject, client_key=key, operation="listen", input={})


async def _nothing_more(_: Transaction) -> Outcome:
    return Outcome(ids={})
