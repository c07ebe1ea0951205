from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests import arrows

TOP = Path(__file__).parents[1]
ROOMS = ("gateway", "resolvers", "adapters", "graph", "trunkline")
CONTRACTS: dict[str, dict[str, Any]] = {
    each["id"]: each
    for each in tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
LAYERS = [key for key, each in CONTRACTS.items() if each["type"] == "layers" and "containers" in each]


def copy(folder: Path) -> Path:
    """The rooms and the contracts, where they can be broken."""
    for room in ROOMS:
        shutil.copytree(TOP / room, folder / room, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copyfile(TOP / "pyproject.toml", folder / "pyproject.toml")
    return folder


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says where each contract is broken once, all in one run."""
    folder = copy(tmp_path_factory.mktemp("broken"))
    for contract in CONTRACTS.values():
        plant(folder, *violation(contract))
    status, said = lint(folder)
    assert status == 1, said
    return said


@pytest.fixture(scope="module")
def strayed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What the linter says where each drawn folder has a file that no layer names."""
    folder = copy(tmp_path_factory.mktemp("strayed"))
    for key in LAYERS:
        [container] = CONTRACTS[key]["containers"]
        source(folder, container).with_name("stray.py").write_text('"""A file that no layer names."""\n')
    status, said = lint(folder)
    assert status == 1, said
    return said


def lint(folder: Path) -> tuple[int, str]:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    wide = {**os.environ, "COLUMNS": "300"}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=wide)
    return done.returncode, done.stdout + done.stderr


def source(folder: Path, module: str) -> Path:
    path = folder.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def plant(folder: Path, importer: str, imported: str) -> None:
    with source(folder, importer).open("a") as file:
        file.write(f"\nimport {imported}\n")


def modules(layer: str) -> list[str]:
    return [each.strip(" ()") for each in layer.replace("|", ":").split(":")]


def violation(contract: dict[str, Any]) -> tuple[str, str]:
    """An import that the contract forbids: who imports, and what."""
    match contract["type"]:
        case "layers":
            container = contract.get("containers", [""])[0]
            inside = [f"{container}.{each}".lstrip(".") for layer in contract["layers"] for each in modules(layer)]
            return inside[-1], inside[0]
        case "forbidden":
            return contract["source_modules"][-1], contract["forbidden_modules"][0]
        case "independence":
            return contract["modules"][0], contract["modules"][-1]
        case "protected":
            return "gateway.federation.plans", contract["protected_modules"][0]
        case "acyclic_siblings":
            return "graph.ledger.lanes", "graph.ledger.claims"
        case other:
            pytest.fail(f"no violation is known for contracts of type {other}")


def reported(contract: dict[str, Any], importer: str, imported: str) -> str:
    """How the linter spells an arrow that a contract forbids; in a circle it leaves out the folder."""
    if contract["type"] == "acyclic_siblings":
        return f".{importer.rpartition('.')[2]} -> .{imported.rpartition('.')[2]}"
    return f"{importer} -> {imported}"


def test_the_arrows_hold() -> None:
    status, said = lint(TOP)
    assert status == 0, said


@pytest.mark.parametrize("key", CONTRACTS)
def test_a_planted_violation_is_reported(broken: str, key: str) -> None:
    assert f"{CONTRACTS[key]['name']} BROKEN" in broken
    assert reported(CONTRACTS[key], *violation(CONTRACTS[key])) in broken


@pytest.mark.parametrize("key", LAYERS)
def test_a_file_outside_the_drawing_is_reported(strayed: str, key: str) -> None:
    [container] = CONTRACTS[key]["containers"]
    assert f"{CONTRACTS[key]['name']} BROKEN" in strayed
    assert f"{container}.stray" in strayed


def test_the_page_has_the_folders_and_their_arrows() -> None:
    page = (TOP / "docs" / "rooms.md").read_text(encoding="utf-8")
    assert f"{arrows.BEGIN}{arrows.table(arrows.read_folders())}{arrows.END}" in page, "make docs"


def test_no_arrow_runs_back() -> None:
    assert {each.name: back for each in arrows.read_folders() if (back := arrows.circles(each.parts))} == {}


def test_an_arrow_that_runs_back_is_seen() -> None:
    circle = {"above": frozenset({"below"}), "below": frozenset({"beside"}), "beside": frozenset({"below"})}
    assert arrows.circles(circle) == {("below", "beside"), ("beside", "below")}
    assert arrows.floors(circle) == 2


def parts(door: Path) -> set[Path]:
    """What lies in a folder beside its door."""
    return {*door.parent.glob("*.py"), *(each.parent for each in door.parent.glob("*/__init__.py"))} - {door}


def test_every_folder_of_folders_is_drawn() -> None:
    packages = {
        ".".join(door.parent.relative_to(TOP).parts)
        for room in ROOMS
        for door in (TOP / room).rglob("__init__.py")
        if any(door.parent.glob("*/__init__.py")) and len(parts(door)) > 1  # between which there can be arrows
    }
    drawn = {container for key in LAYERS for container in CONTRACTS[key]["containers"]}
    assert drawn >= packages  # a folder of modules alone may be drawn too
    assert all(CONTRACTS[key]["exhaustive"] for key in LAYERS)
