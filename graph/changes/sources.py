"""A surrounding system speaks for its own sources only, and must not learn what others have raised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graph.changes.outcome import UserError
from graph.errors import Refused
from graph.model.scope import Principal, Role

ALARM_NOT_FOUND = "ALARM_NOT_FOUND"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The sources whose alarms a caller may change."""

    everyone: bool
    names: tuple[str, ...] = ()

    def has(self, source: str) -> bool:
        """Tell whether a source is among them."""
        return self.everyone or source in self.names

    def parameters(self) -> Mapping[str, object]:
        """Give them to a statement, as `$everyone` and `$sources`."""
        return {"everyone": self.everyone, "sources": list(self.names)}


def sources_of(principal: Principal) -> Sources:
    """Give the sources that a caller may speak for, or refuse."""
    match principal.effective:
        case Role.OPERATOR:
            return Sources(everyone=True)
        case Role.SYSTEM if principal.sources:
            return Sources(everyone=False, names=principal.sources)
        case _:
            raise Refused(
                "Only operators and surrounding systems change alarms",
                code="FORBIDDEN",
                hint="Ask with a token that has the role operator, or system:<name>",
            )


def not_found() -> UserError:
    """Say it also of an alarm of another source: whoever may not touch it must not learn that it exists."""
    return UserError(message="There is no such alarm", code=ALARM_NOT_FOUND, path=("alarmId",))
