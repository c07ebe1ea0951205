from __future__ import annotations

import re
import socket
import ssl
from typing import Any

import aiohttp.client_exceptions
import aiohttp.http_exceptions
import pytest

import adapters.errors
from adapters.errors import AdapterError, Busy, Malformed, Nonsense, Rejected, TimedOut, Unreachable
from adapters.transport.transport import Call, _seam

SOCKETS_ONLY = (aiohttp.client_exceptions.WSMessageTypeError, aiohttp.client_exceptions.WSServerHandshakeError)


def exceptions_in(module: Any) -> set[type[Exception]]:
    found = {each for each in vars(module).values() if isinstance(each, type) and issubclass(each, Exception)}
    return found - set(SOCKETS_ONLY)


FOREIGN = sorted(
    exceptions_in(aiohttp.client_exceptions)
    | exceptions_in(aiohttp.http_exceptions)
    | {OSError, ConnectionResetError, BrokenPipeError, TimeoutError, socket.gaierror, ssl.SSLError},
    key=lambda each: each.__name__,
)


def below(root: type[AdapterError]) -> list[str]:
    """Those of the room; an error that one folder keeps to itself is not drawn."""
    own = [each for each in root.__subclasses__() if each.__module__ == adapters.errors.__name__]
    return [name for each in own for name in (each.__name__, *below(each))]


def test_the_tree_is_the_one_that_is_drawn() -> None:
    drawn = dict.fromkeys(re.findall(r"\+-- (\w+)", adapters.errors.__doc__ or ""))
    assert list(drawn) == below(AdapterError)


@pytest.mark.parametrize("foreign", FOREIGN, ids=lambda each: each.__name__)
def test_no_exception_of_the_client_library_gets_through(foreign: type[Exception]) -> None:
    with pytest.raises(AdapterError) as caught, _seam("ticketing", Call(method="POST", path=("troubleTicket",))):
        raise foreign.__new__(foreign)
    assert isinstance(caught.value.__cause__, foreign)
    assert "ticketing" in caught.value.message


def test_there_are_as_many_foreign_exceptions_as_one_would_think() -> None:
    assert len(FOREIGN) > 25


@pytest.mark.parametrize(
    "bug", [ValueError, KeyError, RuntimeError, KeyboardInterrupt], ids=lambda each: str(each.__name__)
)
def test_a_bug_of_ours_is_no_failure_of_theirs(bug: type[BaseException]) -> None:
    with pytest.raises(bug), _seam("ticketing", Call(method="GET", path=())):
        raise bug


def test_what_may_have_happened_is_said() -> None:
    assert not Unreachable("refused").may_have_happened
    assert not Rejected("no", status=404).may_have_happened
    assert not Busy("later", status=429).may_have_happened
    assert not Malformed("what", field="x").may_have_happened
    assert Busy("broken", status=500).may_have_happened
    assert Nonsense("what", where="id").may_have_happened
    assert TimedOut("late", may_have_happened=True).may_have_happened


def test_an_error_says_what_and_what_to_do() -> None:
    assert str(Rejected("It said no.", hint="Ask why", status=400)) == "It said no. Ask why"
    assert str(Rejected("It said no", status=400)) == "It said no"
