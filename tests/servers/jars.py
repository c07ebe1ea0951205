"""A Neo4j server without Docker: its jars are on Maven Central, 214 of them, 123 MB, fetched once.

The cache is keyed by the list of jars (the pom beside this file), so that a new version is a new folder. It is filled
in a folder of its own and renamed when it is whole: a download that was cut is never taken for a server.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

from tests.servers.errors import ServerUnavailable

_POM: Final = Path(__file__).with_name("neo4j-pom.xml")
_CACHE: Final = Path(__file__).parents[2] / ".cache" / "neo4j"
_SECONDS: Final = 900


def neo4j_jars() -> Path:
    """Give the folder of jars, fetching them if they are not there yet."""
    listed = hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    jars = _CACHE / listed
    if not jars.is_dir():
        _fetch(jars)
    return jars


def _fetch(jars: Path) -> None:
    maven = program("mvn", "Maven")
    filling = jars.with_name(f"{jars.name}.{os.getpid()}")
    shutil.rmtree(filling, ignore_errors=True)
    filling.mkdir(parents=True)
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    # The copy keeps Maven from making its `target` folder in the source tree.
    pom = filling.with_suffix(".xml")
    shutil.copyfile(_POM, pom)
    command = [maven, "-q", "-B", "-f", str(pom), goal, "-DincludeScope=runtime", f"-DoutputDirectory={filling}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise ServerUnavailable(f"Maven did not fetch Neo4j's jars within {_SECONDS} s") from exc
    finally:
        pom.unlink()
    if done.returncode != 0:
        raise ServerUnavailable(f"Maven could not fetch Neo4j's jars:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    _put_in_place(filling, jars)


def _put_in_place(filling: Path, jars: Path) -> None:
    try:
        filling.rename(jars)
    except OSError:  # another session was quicker; its jars are the same
        shutil.rmtree(filling)
        if not jars.is_dir():
            raise


def program(name: str, what: str) -> str:
    """Give the path of an installed program, or say what to install."""
    found = shutil.which(name)
    if found is None:
        raise ServerUnavailable(f"{what} is needed for the tests on Neo4j, and there is no `{name}` on the path")
    return found
