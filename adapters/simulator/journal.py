"""What a stand-in has received must be known even when it, or whoever sent it, was killed right after.

So each thing is one JSON line, handed to the operating system before the stand-in goes on: that survives the process,
if not the machine. A line that was cut off at the end of a file is no line.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import IO

import orjson


class Journal:
    """Appends to a file; without a path it forgets."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._file: IO[bytes] | None = None

    def write(self, entry: Mapping[str, object]) -> None:
        """Append one line."""
        if self._path is None:
            return
        if self._file is None:
            self._file = self._path.open("ab", buffering=0)
            if self._file.tell() and not self._path.read_bytes().endswith(b"\n"):
                self._file.write(b"\n")  # what was cut off stays apart from what comes now
        self._file.write(orjson.dumps(entry) + b"\n")

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None


def read_journal(path: Path) -> list[dict[str, object]]:
    """Give the entries of a journal in order, without those that were cut off; none when there is no file."""
    entries: list[dict[str, object]] = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            entry = orjson.loads(line)
        except orjson.JSONDecodeError:
            continue
        if isinstance(entry, dict):
            entries.append(entry)
    return entries
