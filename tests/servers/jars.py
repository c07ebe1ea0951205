"""Servers without Docker: the jars of a Neo4j (214, 123 MB) and of a Kafka (55, 105 MB) are on Maven Central, fetched once.

The cache is keyed by the list of jars (a pom beside this file), so that a new version is a new folder. It is filled
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

_CACHE: Final = Path(__file__).parents[2] / ".cache"
_SECONDS: Final = 900


def neo4j_jars() -> Path:
    """Give the folder of Neo4j's jars, fetching them if they are not there yet."""
    return _jars("neo4j")


def kafka_jars() -> Path:
    """Give the folder of Kafka's jars, fetching them if they are not there yet."""
    return _jars("kafka")


def _jars(server: str) -> Path:
    pom = Path(__file__).with_name(f"{server}-pom.xml")
    jars = _CACHE / server / hashlib.sha256(pom.read_bytes()).hexdigest()[:12]
    if not jars.is_dir():
        _fetch(pom, jars)
    return jars


def _fetch(listed: Path, jars: Path) -> None:
    maven = program("mvn", "Maven")
    filling = jars.with_name(f"{jars.name}.{os.getpid()}")
    shutil.rmtree(filling, ignore_errors=True)
    filling.mkdir(parents=True)
    goal = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
    # The copy keeps Maven from making its `target` folder in the source tree.
    pom = filling.with_suffix(".xml")
    shutil.copyfile(listed, pom)
    command = [maven, "-q", "-B", "-f", str(pom), goal, "-DincludeScope=runtime", f"-DoutputDirectory={filling}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired as exc:
        raise ServerUnavailable(f"Maven did not fetch the jars of {listed.name} within {_SECONDS} s") from exc
    finally:
        pom.unlink()
    if done.returncode != 0:
        raise ServerUnavailable(
            f"Maven could not fetch the jars of {listed.name}:\n{done.stdout[-4000:]}{done.stderr[-4000:]}"
        )
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
        raise ServerUnavailable(
            f"{what} is needed for the tests on a real server, and there is no `{name}` on the path"
        )
    return found
