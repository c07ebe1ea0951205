"""A stream takes memory for as long as somebody listens: how many there may be is for operators to say.

The section `streams` of the settings. Connections have limits of their own (`connections`, `connections_per_address`), which
WebSockets and server-sent events count against too.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(gt=0)]


class Streams(BaseModel):
    """What subscriptions may take of one process, and how long a silent client is waited for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    most: Count = 10_000
    """of all callers together,"""
    per_principal: Count = 100
    """and of one; it may have as many WebSockets."""
    operations: Count = 100
    """that run at a time over one WebSocket, queries and mutations included."""
    init_seconds: Annotated[float, Field(gt=0, le=300)] = 10.0
    """a WebSocket whose client has not sent `connection_init` in this time is closed."""
    idle_seconds: Annotated[float, Field(gt=0)] = 300.0
    """a WebSocket that has run no operation for this time is closed."""
    comment_seconds: Annotated[float, Field(gt=0, le=300)] = 15.0
    """of silence after which server-sent events bring a comment, so that nobody on the way takes the connection for dead."""
