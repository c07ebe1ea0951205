"""Servers of the JavaScript world are installed by npm once, by the versions that stand in their folder's package.json.

They go into a folder of the cache that is named by that file, so that another version is another folder. Where a
package-lock.json stands beside it, npm takes what that says, and checks it against the hashes there.
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
_LISTED: Final = ("package.json", "package-lock.json")


def packages(source: Path, cache: str, files: Sequence[str]) -> Path:
    """Give the folder in which what `source` lists is installed, with these of its files beside it."""
    listed = b"".join(each.read_bytes() for each in _lists(source))
    folder = _CACHE / cache / hashlib.sha256(listed).hexdigest()[:12]
    if not folder.is_dir():
        _install(source, folder)
    for each in files:
        shutil.copyfile(source / each, folder / each)
    return folder


def _install(source: Path, folder: Path) -> None:
    filling = folder.with_name(f"{folder.name}.{os.getpid()}")
    filling.mkdir(parents=True)
    lists = _lists(source)
    for each in lists:
        shutil.copyfile(each, filling / each.name)
    how = ["install", "--no-package-lock"] if len(lists) == 1 else ["ci", "--ignore-scripts"]
    command = ["npm", *how, "--no-audit", "--no-fund", "--silent"]
    done = subprocess.run(command, cwd=filling, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode != 0:
        shutil.rmtree(filling)
        raise BenchmarkFailed(f"npm could not install what {source.name} lists:\n{done.stderr[-2000:]}")
    try:
        filling.rename(folder)
    except OSError:  # another session was quicker; what it has is the same
        shutil.rmtree(filling)


def _lists(source: Path) -> list[Path]:
    return [path for each in _LISTED if (path := source / each).is_file()]
