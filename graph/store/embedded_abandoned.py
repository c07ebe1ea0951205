"""A statement whose client is gone must end; the embedded database by itself would go on with it.

The driver cuts the connection of whoever stops waiting, by deadline or cancellation, and the kernel cuts those of a process
that is killed. So one rule covers all of them, as on Neo4j: a statement without a connection is terminated. Nothing has
to be said to the server for that, and nothing of the server's that could be busy is needed: a thread of its process looks
at its list of running statements, and at the sockets of its connections.

The engine looks at the mark in its loops over nodes, relationships and rows; tests hold that for the kinds of statements
that we send.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import stat
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

_LOOK_SECONDS: Final = 0.1
_PATIENCE_MS: Final = 100
"""Younger statements are not looked at: nearly all end before."""
_INTERNET: Final = frozenset({socket.AF_INET, socket.AF_INET6})


def end_abandoned(running: Any, over: threading.Event) -> None:
    """Terminate each statement whose client is gone, until `over` is set.

    `running` is the server's com.arcadedb.query.RunningQueryRegistry.
    """
    while not over.wait(_LOOK_SECONDS):
        try:
            _look(running)
        except Exception:  # noqa: BLE001 - whatever one look meets, the next one must happen; the log has it
            traceback.print_exc()


def _look(running: Any) -> None:
    old = [each for each in running.getRunning() if each.getElapsedMillis() > _PATIENCE_MS and not each.isTerminated()]
    if not old:
        return
    # Asked for after the statements: the connection of a statement in the list is older than the statement.
    present = client_ports()
    for each in old:
        if _port(str(each.getClientAddress())) not in present:
            each.terminate("its client is gone")


def _port(address: str) -> int:
    """Read the port of `127.0.0.1:40000`; 0 where there is none."""
    port = address.rpartition(":")[2]
    return int(port) if port.isdigit() else 0


def connections() -> Iterator[socket.socket]:
    """Give every socket of the Internet families that this process has open, each as a copy, closed afterwards."""
    for each in list(Path("/dev/fd").iterdir()):
        with contextlib.suppress(OSError):  # it was closed since
            descriptor = int(each.name)
            if stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                with socket.socket(fileno=os.dup(descriptor)) as connection:
                    if connection.family in _INTERNET:
                        yield connection


def client_ports() -> set[int]:
    """Give the ports of the clients that are still connected to this process."""
    ports = set()
    for each in connections():
        with contextlib.suppress(OSError):  # a listener, or a connection that was reset, has nobody at its other end
            port = each.getpeername()[1]
            if not _is_cut(each):
                ports.add(port)
    return ports


def _is_cut(connection: socket.socket) -> bool:
    """Tell whether the other end was closed, also where bytes that came before are still unread."""
    if sys.platform == "linux":
        looking = select.poll()
        looking.register(connection, select.POLLRDHUP)
        return bool(looking.poll(0))
    with contextlib.closing(select.kqueue()) as queue:
        asked = select.kevent(connection, select.KQ_FILTER_READ, select.KQ_EV_ADD)
        return any(each.flags & select.KQ_EV_EOF for each in queue.control([asked], 1, 0))
