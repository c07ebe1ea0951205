"""Two answers are the same when their data are the same bytes, and their errors the same paths and codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What came out: the data as bytes, and each error's path and code."""

    data: bytes | None
    errors: tuple[tuple[tuple[str | int, ...], str], ...] = ()


def answered(answer: Mapping[str, Any]) -> Answered:
    """Read a response."""
    data = orjson.dumps(answer["data"]) if "data" in answer else None
    errors = tuple((tuple(e.get("path") or ()), str(e["extensions"]["code"])) for e in answer.get("errors", ()))
    return Answered(data=data, errors=errors)
