"""Secrets and certificates are in files that somebody else writes anew while we run: a token each hour, a certificate each day.

A file is read again when it has changed: its time, its size or its inode, so that a symbolic link which leads to another file
counts (that is how Kubernetes changes a secret). One that cannot be read, or is empty, is being written: what it held before
counts until then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeAlias, TypeVar

import structlog

T = TypeVar("T")
Stamp: TypeAlias = tuple[tuple[int, int, int], ...]

log = structlog.get_logger(__name__)
_NOTHING: Final = ""


class Watched(Generic[T]):
    """What is made of some files, made again when one of them has changed."""

    def __init__(self, paths: Sequence[Path], make: Callable[[], T]) -> None:
        """Make it for the first time; raises OSError or ValueError where that cannot be done."""
        self._paths = tuple(paths)
        self._make = make
        self._stamp = stamp_of(self._paths)
        self._made = make()

    def current(self) -> T:
        """Give it as the files say now; what they said last while they say nothing that can be used."""
        stamp = stamp_of(self._paths)
        if stamp in (self._stamp, None):
            return self._made
        self._stamp = stamp  # said once for each change
        try:
            self._made = self._make()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            log.warning("a file cannot be used, what it held before counts", files=self.names, reason=reason)
        else:
            log.info("a file has changed and was read again", files=self.names)
        return self._made

    @property
    def names(self) -> list[str]:
        """Give the names of the files."""
        return [str(each) for each in self._paths]


def stamp_of(paths: Sequence[Path]) -> Stamp | None:
    """Give what differs when one of the files is another one; None while one of them is not there."""
    try:
        found = [each.stat() for each in paths]
    except OSError:
        return None
    return tuple((each.st_mtime_ns, each.st_size, each.st_ino) for each in found)


def read_secret(path: Path) -> str:
    """Read a secret, without the blanks round it; raises OSError or ValueError for what is none."""
    secret = path.read_text(encoding="utf-8").strip()
    if secret == _NOTHING:
        raise ValueError("it is empty")
    return secret
