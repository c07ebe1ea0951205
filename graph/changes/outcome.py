"""A change is asked for again when its answer was lost, so what it answered must survive as text, beside what it did.

An outcome therefore holds no objects, only the ids of the nodes that the payload is made of, and what the caller can be
told about why nothing was done. The objects are read anew each time, in the scope that the caller has then.

>>> text = as_text(Outcome(ids={"alarm": "alarm-1"}))
>>> text
'{"ids":{"alarm":"alarm-1"},"userErrors":[]}'
>>> outcome_of(text)
Outcome(ids={'alarm': 'alarm-1'}, user_errors=())
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NotRequired, TypedDict

import orjson

from graph.model.alarm import Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class UserError:
    """Why a change was not made, for the person who asked; the request itself was in order."""

    message: str
    code: str
    path: tuple[str, ...]
    """the argument that it is about."""


def user_error(message: str, code: str, path: str) -> UserError:
    """Say why a change was not made; `path` is the argument that it is about."""
    return UserError(message=message, code=code, path=(path,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """A new alarm as it is after the change that made it: who made it may show it without reading it again."""

    id: str
    value: Alarm
    state: str
    at: int
    """epoch milliseconds by the database's clock."""
    services: tuple[str, ...]
    """the ids of those that it affects, sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a change returns, whether it was made now or is remembered."""

    ids: Mapping[str, str]
    """the payload's field, and the node that it shows."""
    user_errors: tuple[UserError, ...] = ()
    raised: Raised | None = field(default=None, compare=False, repr=False)
    """what was written of a new alarm, just now; no part of the outcome that is kept."""
    price: int | None = field(default=None, compare=False, repr=False)
    """what it costs, in minor units, as was just worked out; no part of the outcome that is kept."""
    counts: Mapping[str, int] | None = field(default=None, repr=False)
    """how many of each thing were changed, where that is told."""


class RawUserError(TypedDict):
    """A user error as it is stored."""

    message: str
    code: str
    path: list[str]


class RawOutcome(TypedDict):
    """An outcome as it is stored."""

    ids: dict[str, str]
    userErrors: list[RawUserError]
    counts: NotRequired[dict[str, int]]


def as_text(outcome: Outcome) -> str:
    """Write an outcome as JSON."""
    errors = [RawUserError(message=e.message, code=e.code, path=list(e.path)) for e in outcome.user_errors]
    raw = RawOutcome(ids=dict(outcome.ids), userErrors=errors)
    if outcome.counts is not None:
        raw["counts"] = dict(outcome.counts)
    return orjson.dumps(raw).decode()


def outcome_of(text: str) -> Outcome:
    """Read what `as_text` wrote."""
    raw: RawOutcome = orjson.loads(text)
    errors = (UserError(message=e["message"], code=e["code"], path=tuple(e["path"])) for e in raw["userErrors"])
    return Outcome(ids=raw["ids"], user_errors=tuple(errors), counts=raw.get("counts"))
