from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
ROOMS = ("gateway", "resolvers", "adapters", "graph")
MODULES = sorted(
    path
    for room in (*ROOMS, "benchmarks", "tests/servers", "tests/faults", "tests/proofs")
    for path in (TOP / room).rglob("*.py")
    if "node_modules" not in path.parts
)
DOORS = [path for path in MODULES if path.name == "__init__.py"]
NAMED = re.compile(r"(?<![\w/.])(\w+\.py|\w+/)(?![\w/])")
MOST_MODULES = 22
MOST_LINES_OF_A_FUNCTION = 50
NO_ONE_KNOWS_WHAT_IS_IN_THEM = {"utils", "util", "helpers", "helper", "managers", "manager", "base", "common", "misc"}


def name(path: Path) -> str:
    return str(path.relative_to(TOP))


modules = pytest.mark.parametrize("path", MODULES, ids=name)
doors = pytest.mark.parametrize("door", DOORS, ids=name)


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or ""


def lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def files_beside(door: Path) -> set[str]:
    beside = {path.name for path in door.parent.glob("*.py")} - {"__init__.py"}
    return beside | {f"{path.name}/" for path in door.parent.iterdir() if any(path.glob("*.py"))}


@doors
def test_a_door_names_each_file_behind_it_and_no_other(door: Path) -> None:
    # A file of another folder is named with its path, graph/model/model.py, and is not meant here.
    assert set(NAMED.findall(docstring(door))) == files_beside(door)


@modules
def test_a_module_says_what_problem_it_solves(path: Path) -> None:
    first, _, rest = docstring(path).partition("\n")
    assert len(first.split()) >= 5, "a sentence, the problem first"
    assert first.rstrip()[-1:] in ".:!?" or rest.strip(), "a whole sentence"


@pytest.mark.parametrize("door", [door for door in DOORS if door.relative_to(TOP).parts[0] in ROOMS], ids=name)
def test_a_folder_can_be_taken_in_at_once(door: Path) -> None:
    assert len(list(door.parent.glob("*.py"))) - 1 <= MOST_MODULES


@modules
def test_a_function_can_be_seen_at_once(path: Path) -> None:
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert [each.name for each in functions if lines(each) > MOST_LINES_OF_A_FUNCTION] == []


def test_no_module_is_named_for_being_left_over() -> None:
    names = {part for path in MODULES for part in path.relative_to(TOP).with_suffix("").parts}
    assert names & NO_ONE_KNOWS_WHAT_IS_IN_THEM == set()


def test_every_folder_has_a_door() -> None:
    assert {path.parent for path in MODULES} == {door.parent for door in DOORS}


@pytest.mark.parametrize("path", [path for path in MODULES if ">>> " in path.read_text()], ids=name)
def test_the_examples_of_a_module_are_true(path: Path) -> None:
    module = ".".join(path.relative_to(TOP).with_suffix("").parts).removesuffix(".__init__")
    result = doctest.testmod(importlib.import_module(module), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
