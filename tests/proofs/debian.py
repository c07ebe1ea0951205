"""A real system comes from Debian's packages, which are not there yet and must not start servers of their own.

Packages that are missing are installed without questions: answers are given before. A server that a package would start
is kept from it for as long as the installation takes, by the file that Debian has for that.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_POLICY: Final = Path("/usr/sbin/policy-rc.d")
_DENIED: Final = "#!/bin/sh\nexit 101\n"


class Impossible(Exception):
    """There is no such system to be had here; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Packages:
    """What to install, and the answers to what it would ask."""

    names: tuple[str, ...]
    answers: tuple[str, ...] = ()
    """lines for debconf."""


def present(packages: Packages) -> dict[str, str]:
    """Make sure that they are installed; give their versions."""
    if shutil.which("apt-get") is None:
        raise Impossible("This proof takes its system from Debian's packages, and there is no apt-get here.")
    if missing := [name for name in packages.names if not _version(name)]:
        if os.geteuid() != 0:
            raise Impossible(f"As root: apt-get install --no-install-recommends {' '.join(packages.names)}")
        _install(missing, packages.answers)
    return {name: _version(name) for name in packages.names}


def _install(names: Sequence[str], answers: Sequence[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["debconf-set-selections"], input="\n".join(answers), text=True, check=True)
    with _nothing_starts():
        _apt("update", "-q", environment=environment)
        _apt("install", "-qy", "--no-install-recommends", *names, environment=environment)


def _apt(*arguments: str, environment: dict[str, str]) -> None:
    done = subprocess.run(["apt-get", *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Impossible(f"apt-get {' '.join(arguments)} failed:\n{done.stdout[-2_000:]}{done.stderr[-2_000:]}")


@contextmanager
def _nothing_starts() -> Iterator[None]:
    if _POLICY.exists():  # whoever made it has decided
        yield
        return
    _POLICY.write_text(_DENIED)
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink()


def _version(name: str) -> str:
    asked = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", name]
    status, _, version = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.partition(" ")
    return version if status == "installed" else ""
