"""Evidence is tampered with in one place at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tests.faults.evidence import Evidence


def kept(good: Evidence, **more: Any) -> Evidence:
    return replace(good, kept=replace(good.kept, **more))


def books(good: Evidence, **more: Any) -> Evidence:
    return replace(good, books=replace(good.books, **more))


def first(found: Sequence[Any], **more: Any) -> tuple[Any, ...]:
    """With the first of them changed."""
    return nth(0, found, **more)


def nth(number: int, found: Sequence[Any], **more: Any) -> tuple[Any, ...]:
    return (*found[:number], replace(found[number], **more), *found[number + 1 :])
