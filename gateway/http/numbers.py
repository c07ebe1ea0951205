"""Numbers say much of a provider's business: an operator may keep them off the address that customers reach.

With the setting `metrics_listen` `/metrics` has an address of its own and is not on the public one. No token is asked for there;
the network decides who may look. It is served by a thread: in the process itself, or in the one that watches over the workers.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, Final

from gateway.telemetry.metrics import CONTENT_TYPE

PATH: Final = "/metrics"
SECONDS: Final = 10.0
"""for a request, and an answer."""

Numbers = Callable[[], bytes]


@contextmanager
def numbers_served(sock: socket.socket | None, numbers: Numbers) -> Iterator[None]:
    """Serve the numbers on a listening socket while the block runs; nothing where there is none."""
    if sock is None:
        yield
        return

    class Handler(_Handler):
        text = staticmethod(numbers)

    server = _Server(sock.getsockname()[:2], Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = sock
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False


class _Handler(BaseHTTPRequestHandler):
    text: ClassVar[Numbers]
    timeout = SECONDS

    def do_GET(self) -> None:
        """Answer `/metrics`, and nothing else."""
        if self.path.partition("?")[0] != PATH:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = type(self).text()
        self.send_response(HTTPStatus.OK)
        self.send_header("content-type", CONTENT_TYPE.decode())
        self.send_header("content-length", f"{len(body)}")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing: it is asked every few seconds."""
