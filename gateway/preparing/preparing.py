"""What one process may keep of what it has prepared, and prepare anew: one bound and one allowance for all of its rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from gateway.preparing.cache import SharedCache
from gateway.preparing.new_work import NewWork
from gateway.settings.settings import Limits


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """The cache and the meter that a process has once."""

    cache: SharedCache
    new_work: NewWork

    @classmethod
    def of(cls, limits: Limits) -> Self:
        """Make them as an operator wants them."""
        return cls(cache=SharedCache(limits.cache_bytes), new_work=NewWork(limits.new_documents_per_minute))
