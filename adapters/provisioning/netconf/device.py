"""A device is described before it is asked, and whoever describes it need not have the library that asks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A NETCONF server, as the operator describes it."""

    name: str
    host: str
    port: int
    user: str
    password: Callable[[], str] | None = field(default=None, repr=False)
    """None: by the key."""
    key_file: Path | None = None
    known_hosts: Path
    """whose host keys are believed."""
