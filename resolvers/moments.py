"""Times are shown alike by every area, and read alike where one is an argument: RFC 3339, with a zone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NewType

import strawberry

from graph.compiler.leaves import rfc3339
from graph.model.times import epoch_milliseconds

Moment = NewType("Moment", int)
"""Epoch milliseconds."""
_SAID: Final = "Date with time (isoformat)"

MOMENT: Final = strawberry.scalar(name="DateTime", serialize=rfc3339, description=_SAID)
"""Where times are only shown."""


def read_moment(refused: Callable[[str], Exception]) -> Any:
    """Make the scalar of an area that takes times too; `refused` makes the error of a text that is no time."""

    def read(text: object) -> Moment:
        try:
            return Moment(epoch_milliseconds(str(text)))
        except ValueError as error:
            raise refused(f"{str(text)!r:.60} is no time with its zone, such as 2026-01-31T12:00:00Z") from error

    return strawberry.scalar(name="DateTime", serialize=rfc3339, parse_value=read, description=_SAID)
