r"""Request Tracker is searched in TicketSQL; this reads the part of it that searches over HTTP need.

Conditions with `=`, `!=`, `<`, `<=`, `>`, `>=`, `LIKE`, `IS NULL` and `IS NOT NULL`, joined by AND and OR, in parentheses; a
backslash quotes the next character of a string. As over there, words are compared without regard to case, and a time that is not
written as `YYYY-MM-DD HH:MM:SS` is read as the day's midnight, without a word.

>>> found = parsed("id = 7 AND 'CF.{Order key}' = 'o\\'clock'")
>>> found.holds({"id": ["7"], "CF.{Order key}": ["O'Clock"]})
True
>>> sorted(found.fields)
['CF.{Order key}', 'id']
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from adapters.errors import Malformed

Row: TypeAlias = Mapping[str, Sequence[str]]
"""The values of each field that can be asked for."""
Holds: TypeAlias = Callable[[Row], bool]

_TOKEN: Final = re.compile(r"\s*(?:'((?:\\.|[^'\\])*)'|([()])|(!=|>=|<=|=|>|<)|([^\s()=!<>']+))", re.DOTALL)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_TIMES: Final = frozenset({"LastUpdated", "Created"})
_ACTIVE: Final = frozenset({"new", "open", "stalled"})
_DEEPEST: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked for."""

    holds: Holds
    fields: frozenset[str]
    """that it mentions."""


def parsed(text: str) -> Query:
    """Read a query; an empty one asks for everything. Malformed says where it cannot be read."""
    reading = _Reading(_tokens(text))
    holds = reading.either(0) if reading.tokens else _everything
    if reading.tokens:
        raise reading.wrong("nothing more")
    return Query(holds=holds, fields=frozenset(reading.fields))


def _everything(_: Row) -> bool:
    return True


def _tokens(text: str) -> list[tuple[str, str]]:
    found, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise Malformed(f"Wrong query at character {position}", field="query")
        string, parenthesis, operator, _ = match.groups()
        kind = "string" if string is not None else "(" if parenthesis else "operator" if operator else "word"
        found.append((kind, re.sub(r"\\(.)", r"\1", string) if string is not None else match.group().strip()))
        position = match.end()
    return found


class _Reading:
    """The tokens that are left."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self.tokens = tokens
        self.fields: set[str] = set()

    def either(self, level: int) -> Holds:
        parts = [self.both(level)]
        while self._next_is("OR"):
            parts.append(self.both(level))
        return lambda row: any(each(row) for each in parts)

    def both(self, level: int) -> Holds:
        parts = [self.one(level)]
        while self._next_is("AND"):
            parts.append(self.one(level))
        return lambda row: all(each(row) for each in parts)

    def one(self, level: int) -> Holds:
        if self.tokens[:1] != [("(", "(")]:
            return self.condition()
        if level > _DEEPEST:
            raise self.wrong("fewer parentheses")
        self.tokens.pop(0)
        holds = self.either(level + 1)
        if self._take("(") != ")":
            raise self.wrong("a closing parenthesis")
        return holds

    def condition(self) -> Holds:
        name = self._take("word", "string")
        self.fields.add(name)
        if self._next_is("IS"):
            wanted = not self._next_is("NOT")
            if self._take("word").upper() != "NULL":
                raise self.wrong("NULL")
            return lambda row: (not row.get(name)) is wanted
        operator = self._take("operator", "word").upper()
        if operator not in _COMPARED:
            raise self.wrong("an operator")
        value, compared = self._take("string", "word"), _COMPARED[operator]
        return lambda row: any(compared(*_pair(name, each, value)) for each in row.get(name, ()))

    def wrong(self, wanted: str) -> Malformed:
        return Malformed(f"Wrong query: {wanted} belongs before {self.tokens[:1] or 'its end'}", field="query")

    def _next_is(self, word: str) -> bool:
        found = bool(self.tokens) and self.tokens[0][0] == "word" and self.tokens[0][1].upper() == word
        if found:
            self.tokens.pop(0)
        return found

    def _take(self, *kinds: str) -> str:
        if not self.tokens or self.tokens[0][0] not in kinds:
            raise self.wrong(" or ".join(kinds))
        return self.tokens.pop(0)[1]


Side: TypeAlias = tuple[int, str]


def _pair(name: str, there: str, asked: str) -> tuple[Side, Side]:
    """Make two values comparable: as numbers, as times, as words."""
    if name == "Status" and asked == "__Active__":
        return (0, there), (0, there if there in _ACTIVE else "")
    if name in _TIMES:
        wanted = asked if _TIME.fullmatch(asked) else f"{asked[:10]} 00:00:00"
        return (0, there.replace("T", " ").rstrip("Z")), (0, wanted)
    if there.isdigit() and asked.isdigit():
        return (int(there), ""), (int(asked), "")
    return (0, there.casefold()), (0, asked.casefold())


_COMPARED: Final[Mapping[str, Callable[[Side, Side], bool]]] = {
    "=": lambda there, asked: there == asked,
    "!=": lambda there, asked: there != asked,
    ">": lambda there, asked: there > asked,
    ">=": lambda there, asked: there >= asked,
    "<": lambda there, asked: there < asked,
    "<=": lambda there, asked: there <= asked,
    "LIKE": lambda there, asked: asked[1] in there[1],
}
