"""What is wrong with a change is found out below, where nobody knows which arguments a client has: it must be told at one that was given.

Whoever books a tier has sent no `mbps`, and whoever extends a boost has neither a rate nor a service to correct.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from graph.changes.bandwidth.offers import HOURS_OR_END, MBPS_OR_TIER
from graph.changes.outcome import Outcome
from graph.changes.outcome import UserError as Problem

_RATE: Final = ("mbps", "tier", "quoteId", "hours", "endAt", "boostId")
_TIME: Final = ("endAt", "startAt", "hours", "quoteId", "boostId")
_WHAT: Final = ("serviceId", "quoteId", "boostId")
_STANDS_FOR: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "mbps": _RATE,
        "endAt": _TIME,
        "hours": _TIME,
        "startAt": ("startAt", "quoteId", "boostId"),
        "serviceId": _WHAT,
        "currency": _WHAT,
        "until": ("recurrence", *_WHAT),
    }
)
"""By what a problem is about: the arguments in which a client may have said that, the likeliest first."""
_LACKING: Final = frozenset({MBPS_OR_TIER, HOURS_OR_END, "QUOTE_OR_INPUT", "BAD_RECURRENCE"})
"""Codes of problems that may be about an argument which was not given."""


def told_at(problem: Problem, given: Mapping[str, object]) -> Problem:
    """Give a problem with the path of an argument that a client has given (`given`: by name, None where it was not)."""
    name = problem.path[0] if problem.path else ""
    if problem.code in _LACKING or given.get(name) is not None:
        return problem
    found = next((each for each in _STANDS_FOR.get(name, ()) if given.get(each) is not None), None)
    return problem if found is None else replace(problem, path=(found,))


def outcome_told_at(outcome: Outcome, given: Mapping[str, object]) -> Outcome:
    """Give an outcome whose problems are told so."""
    return replace(outcome, user_errors=tuple(told_at(each, given) for each in outcome.user_errors))
