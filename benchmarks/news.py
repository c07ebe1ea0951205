"""A run takes minutes, so it says how far it is; on standard error, so that the figures stay alone on standard output."""

from __future__ import annotations

from typing import Final

from rich.console import Console

news: Final = Console(stderr=True)


def load_progress(stage: str, done: int, total: int) -> None:
    """Say how far a load is, from time to time."""
    if total and done % 100_000 < 1_000 and done >= 100_000:
        news.print(f"  {stage}: {done} of {total}", highlight=False)
