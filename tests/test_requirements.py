from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from gateway.settings.settings import Settings
from gateway.settings.unknown import PREFIX

TOP = Path(__file__).parents[1]
REQUIREMENTS = TOP / "requirements"
LOCKED = ("uv", "run", "dev")
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", re.MULTILINE)
ADDRESS = re.compile(r"://|--(extra-)?index|--find-links|--trusted-host| @ |\b(git|hg)\+", re.IGNORECASE)

locked = pytest.mark.parametrize("name", LOCKED)


def pins(name: str) -> dict[str, str]:
    text = (REQUIREMENTS / f"{name}.txt").read_text()
    return {canonicalize_name(package): version for package, version in PIN.findall(text)}


def asked(name: str) -> list[Requirement]:
    lines = (REQUIREMENTS / f"{name}.in").read_text().splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith(("#", "-"))]


def project() -> list[Requirement]:
    told = tomllib.loads((TOP / "pyproject.toml").read_text())
    return [Requirement(each) for each in told["project"]["dependencies"]]


def unmet(requirements: list[Requirement], found: dict[str, str]) -> list[str]:
    return [
        str(each)
        for each in requirements
        if not each.specifier.contains(found.get(canonicalize_name(each.name), "0.dev0"), prereleases=False)
    ]


@pytest.mark.parametrize("path", sorted(REQUIREMENTS.iterdir()), ids=lambda path: path.name)
def test_requirements_name_no_address(path: Path) -> None:
    assert ADDRESS.findall(path.read_text()) == []


@locked
def test_every_requirement_is_pinned_and_has_hashes(name: str) -> None:
    entries = re.split(r"\n(?=\S)", (REQUIREMENTS / f"{name}.txt").read_text().strip())
    assert entries
    assert [each for each in entries if not (PIN.match(each) and "--hash=sha256:" in each)] == []


def test_what_the_project_needs_is_among_what_runs() -> None:
    assert unmet(project() + asked("run"), pins("run")) == []


def test_what_developers_need_is_locked_and_what_runs_is_the_same_for_them() -> None:
    assert unmet(asked("dev"), pins("dev")) == []
    assert pins("run").items() <= pins("dev").items()


def test_a_floor_that_was_raised_without_locking_again_is_seen() -> None:
    assert unmet([Requirement("starlette>=999"), Requirement("no-such-package")], pins("run")) == [
        "starlette>=999",
        "no-such-package",
    ]


def dockerfile() -> list[list[str]]:
    """The instructions, each as words; a continued line is one instruction."""
    text = (TOP / "Dockerfile").read_text().replace("\\\n", " ")
    return [shlex.split(line) for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_installs_from_the_requirement_files_and_nothing_else() -> None:
    installs = [words for words in dockerfile() if words[0] == "RUN" and "install" in words]
    files = [words[words.index("-r") + 1] for words in installs if "-r" in words]
    rest = [words for words in installs if "-r" not in words]
    assert files == ["requirements/uv.txt", "requirements/run.txt"]
    assert all("--require-hashes" in words for words in installs if "-r" in words)
    assert [words[-1] for words in rest] == ["."]
    assert all({"--no-deps", "--no-build-isolation"} <= set(words) for words in rest)


def test_the_image_holds_every_room_and_only_files_that_exist() -> None:
    copied = {word for words in dockerfile() if words[0] == "COPY" and words[1][0] != "-" for word in words[1:-1]}
    wheel = tomllib.loads((TOP / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(wheel["packages"]) <= copied
    assert [name for name in copied if not (TOP / name).exists()] == []


def test_the_image_does_not_run_as_root() -> None:
    assert [words[1] for words in dockerfile() if words[0] == "USER"] == ["trunkline"]


def validate(compose: Path) -> subprocess.CompletedProcess[str]:
    """The schema is the Compose specification's own; check-jsonschema carries it, so nothing is fetched."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(compose)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def compose() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((TOP / "docker-compose.yml").read_text())
    return told


def test_the_compose_file_is_valid_by_the_specifications_schema() -> None:
    result = validate(TOP / "docker-compose.yml")
    assert result.returncode == 0, result.stdout


def test_a_compose_file_that_is_not_valid_is_seen(tmp_path: Path) -> None:
    broken = compose()
    broken["services"]["gateway"]["portz"] = ["1:1"]
    (tmp_path / "docker-compose.yml").write_text(yaml.safe_dump(broken))
    result = validate(tmp_path / "docker-compose.yml")
    assert result.returncode == 1
    assert "portz" in result.stdout


def test_the_compose_file_gives_settings_that_exist() -> None:
    given = compose()["services"]["gateway"]["environment"]
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    assert given.keys() - known == set()


def test_the_compose_file_runs_the_neo4j_that_the_tests_run_on() -> None:
    pom = (TOP / "tests" / "servers" / "neo4j-pom.xml").read_text()
    tested = re.search(r"<artifactId>neo4j-community</artifactId>\s*<version>(\d+\.\d+)\.", pom)
    assert tested
    assert compose()["services"]["neo4j"]["image"] == f"neo4j:{tested[1]}-community"
