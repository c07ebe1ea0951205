"""Before the first delivery fails, an operator wants to know whether a system can be reached as the settings say.

A harmless question is asked: a list of one item, or, where there is no list to ask for, which methods there are. What comes of
it is told as what to look at: the address, the credential, or the system itself. Nothing is changed there.

In: a `Transport` and a `Question`. Out: a `Verdict`; nothing is raised.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Final, TypeAlias, assert_never

from adapters.errors import AdapterError, Nonsense, NotAdmitted, TimedOut, Unreachable
from adapters.transport.transport import Answer, Call, Transport

_ANY: Final = frozenset(range(400, 600))
_LATER: Final = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
_NOT_THERE: Final = frozenset(
    {HTTPStatus.NOT_FOUND, HTTPStatus.GONE, HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED}
)


class Expects(enum.Enum):
    """What answers a question."""

    LIST = "a list"
    """2xx with a list in JSON."""
    OBJECT = "an object"
    """2xx with an object in JSON."""
    ANYTHING = "anything"
    """Whatever is not about us: who only takes POST says so (405), and is there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a system, and what answers it."""

    call: Call
    expects: Expects = Expects.LIST
    member: str = ""
    """what an object has among others."""


class Look(enum.Enum):
    """What to look at when a system cannot be reached as it should."""

    ADDRESS = "address"
    CREDENTIAL = "credential"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Well:
    """It answers as it should."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """It does not."""

    text: str
    """a sentence about the system, which begins with its name."""
    look: Look


Verdict: TypeAlias = Well | Trouble


async def probe(transport: Transport, question: Question, *, deadline: float) -> Verdict:
    """Ask, by an absolute `time.monotonic()`, and say what the answer means."""
    call = replace(question.call, reads=_ANY)
    try:
        answer = await transport.exchange(call, deadline=deadline)
        trouble = _trouble(answer, call, question.expects) or _of_another_kind(answer, call, question)
    except AdapterError as error:
        return _raised(error)
    return trouble or Well()


def _raised(error: AdapterError) -> Trouble:
    if error.of_credential:  # no token of OAuth2: the address that is wrong, or the server that is busy, is another
        return Trouble(text=error.message, look=Look.CREDENTIAL)
    match error:
        case NotAdmitted() | Nonsense():  # a redirect; a login page
            return Trouble(text=str(error), look=Look.ADDRESS)
        case Unreachable() | TimedOut():
            return Trouble(text=error.message, look=Look.ADDRESS)
        case _:
            return Trouble(text=error.message, look=Look.SYSTEM)


def _of_another_kind(answer: Answer, call: Call, question: Question) -> Trouble | None:
    """Say that what answers is something else than what was asked; raises Nonsense for what is no JSON."""
    match question.expects:
        case Expects.ANYTHING:
            return None
        case Expects.LIST:
            fits = isinstance(answer.json(), list)
        case Expects.OBJECT:
            told = answer.json()
            fits = isinstance(told, dict) and (not question.member or question.member in told)
        case never:
            assert_never(never)
    wanted = question.expects.value + (f" with {question.member}" if question.member else "")
    text = f"{answer.system} answers {call} with JSON that is not {wanted}: something else is there"
    return None if fits else Trouble(text=text, look=Look.ADDRESS)


def _trouble(answer: Answer, call: Call, expects: Expects) -> Trouble | None:
    said = f"{answer.system} answers {answer.status} to {call}"
    match answer.status:
        case HTTPStatus.UNAUTHORIZED:
            return Trouble(text=f"{said}: it does not take the credential", look=Look.CREDENTIAL)
        case HTTPStatus.FORBIDDEN:
            return Trouble(text=f"{said}: the credential is not allowed to do this", look=Look.CREDENTIAL)
        case status if status in _LATER or (status >= 500 and status != HTTPStatus.NOT_IMPLEMENTED):
            return Trouble(text=f"{said}: it is there, and does not work now", look=Look.SYSTEM)
        case _ if expects is Expects.ANYTHING and answer.status not in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            return None
        case status if status in _NOT_THERE:
            return Trouble(text=f"{said}: there is no such path", look=Look.ADDRESS)
        case status if status >= 400:
            return Trouble(text=f"{said}: it does not understand a harmless question", look=Look.ADDRESS)
        case _:
            return None
