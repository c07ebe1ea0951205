"""A run that cannot be trusted ends with a sentence, not with figures."""

from __future__ import annotations


class BenchmarkFailed(Exception):
    """Something that the run needs is not there, or an answer is not what it must be."""
