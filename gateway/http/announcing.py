"""Whoever starts a gateway pastes the address that it prints: it is printed when requests there are answered.

In: a socket that listens, and the paths to tell of. Out: a line for each on standard error, once `/readyz` says yes. What keeps it
from that is told after a while, so that nobody waits in the dark.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from gateway.http.numbers import PATH

LOOK_SECONDS: Final = 0.1
PATIENCE: Final = 2.0
"""seconds before the reason is told, where there is one."""
ANSWER_SECONDS: Final = 5.0
ANY: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - what is listened on is asked here
"""Addresses that stand for all of this machine, and where it is asked."""

Say = Callable[[str], None]


def address_of(sock: socket.socket) -> str:
    """Give a listening socket's address as a part of a URL: HOST:PORT."""
    host, port = sock.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def numbers_line(sock: socket.socket | None) -> tuple[str, ...]:
    """Give the line that tells where the numbers are, where they have a socket of their own."""
    return () if sock is None else (f"http://{address_of(sock)}{PATH}",)


@contextmanager
def announced(sock: socket.socket, say: Say, *more: str) -> Iterator[None]:
    """While the block serves on a socket, say its address as soon as it is ready, and then more lines."""
    lines = (f"http://{address_of(sock)}/graphql", *more)
    over = threading.Event()
    host, port = sock.getsockname()[:2]
    given = (ANY.get(host, host), port)
    # A thread: with several workers this process has no loop. It ends with the process at the latest.
    thread = threading.Thread(target=_wait, args=(given, over, say, lines), name="announcing", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()


def _wait(address: tuple[str, int], over: threading.Event, say: Say, lines: tuple[str, ...]) -> None:
    patient_until, told = time.monotonic() + PATIENCE, ""
    while not over.wait(LOOK_SECONDS):
        reason = _reason(*address)
        if reason is None:
            for each in lines:
                say(each)
            return
        if reason and reason != told and time.monotonic() >= patient_until:
            told = reason
            say(f"Not ready yet: {reason}")


def _reason(host: str, port: int) -> str | None:
    """Give why requests would fail, empty where nothing answers yet, None where they would not."""
    asked = http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    try:
        asked.request("GET", "/readyz")
        answer = asked.getresponse()
        body = answer.read()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        asked.close()
    return None if answer.status == HTTPStatus.OK else _text_of(body)


def _text_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["reason"])
    except (ValueError, KeyError, TypeError):
        return ""
