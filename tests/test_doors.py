from __future__ import annotations

import ast
import doctest
import importlib
import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
ROOMS = ("gateway", "resolvers", "adapters", "graph", "trunkline")
MODULES = sorted(
    path
    for room in (*ROOMS, "benchmarks", "tests/servers", "tests/faults", "tests/proofs", "tests/attack", "tests/kit")
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


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text())) or ""


def lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def files_beside(door: Path) -> set[str]:
    beside = {path.name for path in door.parent.glob("*.py")} - {"__init__.py"}
    return beside | {f"{path.name}/" for path in door.parent.iterdir() if any(path.glob("*.py"))}


def test_a_door_names_each_file_behind_it_and_no_other() -> None:
    # A file of another folder is named with its path, graph/model/model.py, and is not meant here.
    differ = {name(door): set(NAMED.findall(docstring(door))) ^ files_beside(door) for door in DOORS}
    assert {door: files for door, files in differ.items() if files} == {}


def is_sentence(text: str) -> bool:
    """Whether a docstring begins with a whole sentence of some words."""
    first, _, rest = text.partition("\n")
    return len(first.split()) >= 5 and (first.rstrip()[-1:] in ".:!?" or bool(rest.strip()))


def test_a_module_says_what_problem_it_solves() -> None:
    assert [name(path) for path in MODULES if not is_sentence(docstring(path))] == []


def test_a_module_that_says_nothing_is_noticed() -> None:
    assert not is_sentence("")
    assert not is_sentence("Exceptions for stores.")
    assert not is_sentence("What a store is and does")
    assert is_sentence("What a store is and does.")


def test_a_folder_can_be_taken_in_at_once() -> None:
    sizes = {name(door.parent): len(list(door.parent.glob("*.py"))) - 1 for door in DOORS if in_a_room(door)}
    assert {folder: size for folder, size in sizes.items() if size > MOST_MODULES} == {}


def in_a_room(path: Path) -> bool:
    return path.relative_to(TOP).parts[0] in ROOMS


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.walk(ast.parse(path.read_text()))
    return [node for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_a_function_can_be_seen_at_once() -> None:
    long = [
        f"{name(path)} {each.name}"
        for path in MODULES
        for each in functions(path)
        if lines(each) > MOST_LINES_OF_A_FUNCTION
    ]
    assert long == []


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
