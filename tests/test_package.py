from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
ROOMS = ("gateway", "resolvers", "adapters", "graph", "trunkline")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=TOP, check=True, capture_output=True)
    [path] = folder.iterdir()
    return zipfile.ZipFile(path)


@pytest.mark.parametrize("room", ROOMS)
def test_the_package_holds_every_module_and_says_that_it_is_typed(wheel: zipfile.ZipFile, room: str) -> None:
    modules = {str(path.relative_to(TOP)) for path in (TOP / room).rglob("*.py")}
    assert modules | {f"{room}/py.typed"} <= set(wheel.namelist())


def test_the_package_holds_nothing_but_the_rooms_and_its_own_description(wheel: zipfile.ZipFile) -> None:
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {each for each in tops if not each.endswith(".dist-info")} == set(ROOMS)


def test_the_package_brings_its_licence_and_its_command(wheel: zipfile.ZipFile) -> None:
    [entries] = [name for name in wheel.namelist() if name.endswith("/entry_points.txt")]
    assert "trunkline = gateway.cli:main" in wheel.read(entries).decode()
    assert any(name.endswith("/licenses/LICENSE") for name in wheel.namelist())
