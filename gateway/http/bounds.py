"""What the connections of one process may take of it is decided by operators, and the server hands it to every connection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import uvicorn

from gateway.collector import paused
from gateway.http.unsent import Tally


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What connections may take of this process."""

    connections: int = 800
    connections_per_address: int = 200
    head_seconds: float = 10.0
    """for a head, from the end of the answer before it."""
    send_seconds: float = 20.0
    linger_seconds: float = 5.0
    """after an answer that came before the end of the body."""
    message_bytes: int = 1_000_000
    """of one WebSocket message from a client."""


class BoundedConfig(uvicorn.Config):
    """The server's configuration, with bounds."""

    bounds: Bounds = Bounds()

    @cached_property
    def tally(self) -> Tally:
        """What the connections have not taken, about."""
        return Tally()

    def load(self) -> None:
        """Load the application, which for a worker is where all of it is imported and made."""
        with paused():
            super().load()
