"""Allowances of new work that are the same on every machine: no minute passes, and nothing takes time.

What a piece of work costs by its CPU time, and what fills up again meanwhile, depends on how busy a machine is. A test
that counts documents has one of these; one that is about time has clocks of its own.
"""

from __future__ import annotations

from gateway.preparing.cache import SharedCache
from gateway.preparing.new_work import NewWork
from gateway.preparing.preparing import Preparing


def counted(units: int) -> NewWork:
    """Give each principal so many units, once."""
    return NewWork(units, clock=lambda: 0.0, cpu=lambda: 0.0)


def preparing(units: int, *, cache_bytes: int = 100_000_000) -> Preparing:
    return Preparing(cache=SharedCache(cache_bytes), new_work=counted(units))
