"""Python looks for garbage whenever so many objects were made; what is made at the start of a process is none.

A process that starts makes some hundred thousand objects, of modules and schemas, nearly all of which stay. Looking
through them again and again while they are made takes a fifth of the time of the start, and looking through them later as
much as large answers take.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

NEW_OBJECTS: Final = 10_000
"""that Python's collector waits for: an answer of 500 kB makes as many, and all of them go by themselves."""


@contextmanager
def paused() -> Iterator[None]:
    """Look for no garbage while the block runs: what it makes stays."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def settle() -> None:
    """Take what stays as long as the process out of the collector's sight, once all of it is made."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
