"""Servers of the JavaScript world are installed by npm once, by the versions that stand in their folder's package.json.

They go into a folder of the cache that is named by that file, so that another version is another folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.errors import BenchmarkFailed

_CACHE: Final = Path(__file__).parents[1] / ".cache"
_SECONDS: Final = 900


def packages(source: Path, cache: str, files: Sequence[str]) -> Path:
    """Give the folder in which what `source` lists is installed, with these of its files beside it."""
    listed = hashlib.sha256((source / "package.json").read_bytes()).hexdigest()[:12]
    folder = _CACHE / cache / listed
    if not folder.is_dir():
        _install(source, folder)
    for each in files:
        shutil.copyfile(source / each, folder / each)
    return folder


def _install(source: Path, folder: Path) -> None:
    filling = folder.with_name(f"{folder.name}.{os.getpid()}")
    filling.mkdir(parents=True)
    shutil.copyfile(source / "package.json", filling / "package.json")
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=filling, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode != 0:
        shutil.rmtree(filling)
        raise BenchmarkFailed(f"npm could not install what {source.name} lists:\n{done.stderr[-2000:]}")
    filling.rename(folder)
