"""Cases in text files: many to a file, each with an input and the expectations that its title does not say.

    ==== a title that reads as a sentence
    scope: customers
    variables: {"id": "card-1"}
    query($id: ID!) { card(id: $id) { name } }
    ---- tree
    ...
    ---- cypher
    ...

`pytest --update-cases` rewrites the expectations. A case with an empty or a missing expectation fails, and so does a
section that no test reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

_CASE = "==== "
_SECTION = "---- "


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One input, and what is expected of it by section."""

    file: Path
    title: str
    given: str
    expected: Mapping[str, str]

    def setting(self, name: str) -> str:
        """The value of a line `name: value` before the operation; empty where there is none."""
        lines = [each for each in self.given.splitlines() if each.startswith(f"{name}: ")]
        return lines[0].removeprefix(f"{name}: ") if lines else ""

    @property
    def variables(self) -> dict[str, Any]:
        """The variables, none when they are not said."""
        given: dict[str, Any] = orjson.loads(self.setting("variables") or "{}")
        return given

    @property
    def operation(self) -> str:
        """What is left of the input."""
        lines = self.given.splitlines()
        return "\n".join(each for each in lines if not each.startswith(("scope: ", "variables: ")))


def cases(folder: Path) -> list[Case]:
    """All cases of all files of a folder."""
    return [case for file in sorted(folder.glob("*.txt")) for case in read(file)]


def read(file: Path) -> list[Case]:
    """The cases of a file."""
    parts = file.read_text(encoding="utf-8").split(_CASE)
    assert not parts[0].strip(), f"{file.name} has text before its first case"
    return [_case(file, each) for each in parts[1:]]


def _case(file: Path, text: str) -> Case:
    head, *sections = text.split(f"\n{_SECTION}")
    title, _, given = head.partition("\n")
    expected = {}
    for each in sections:
        name, _, body = each.partition("\n")
        assert name not in expected, f"{file.name}: {title} has two sections {name}"
        expected[name.strip()] = body.strip("\n")
    return Case(file=file, title=title.strip(), given=given.strip("\n"), expected=expected)


def write(file: Path, found: list[tuple[Case, Mapping[str, str]]]) -> None:
    """Write a file anew, with what was found as what is expected."""
    made = []
    for case, sections in found:
        body = "\n".join(f"{_SECTION}{name}\n{text}" for name, text in sections.items())
        made.append(f"{_CASE}{case.title}\n{case.given}\n{body}\n")
    file.write_text("\n".join(made), encoding="utf-8")
