"""What is known of one HTTP exchange, for those who only look on: the log and the metrics.

The observing middleware makes one for each request and puts it into the ASGI scope; authentication and the endpoint
write into it what they find out. It holds no token and no value of a variable.
"""

from __future__ import annotations

import math
import time
from collections.abc import MutableMapping
from typing import Any, Final

from graph.model.scope import Principal

KEY: Final = "trunkline.exchange"


class Exchange:
    """One request and what became of it."""

    __slots__ = ("answered", "code", "expires", "operation", "principal", "request_id", "started", "status")

    def __init__(self, request_id: str) -> None:
        self.request_id = request_id
        self.started = time.monotonic()
        self.principal: Principal | None = None
        self.expires = math.inf
        """by time.time(): when the caller's token is refused."""
        self.operation = ""
        """the operation's name in the document."""
        self.code = ""
        """of the first problem."""
        self.answered = 0.0
        """by time.monotonic(): when an answer began that goes on for as long as somebody listens; 0 for all others."""
        self.status = 0
        """of the response; 0 until it begins."""


def exchange_of(scope: MutableMapping[str, Any]) -> Exchange:
    """Give the exchange of a request; the observing middleware has put it there."""
    exchange: Exchange = scope[KEY]
    return exchange
