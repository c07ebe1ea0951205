"""A session that is killed cannot stop its server; this process, between the two, does it instead.

Run as `python leash.py HOME COMMAND...`. It starts the command and waits for the end of its own standard input, whose
other end only the session holds, so that even `kill -9` of the session closes it. Then it kills the command and removes
HOME: the data of a test server are worth nothing. When the command ends by itself, HOME stays, as evidence.

It imports nothing of the project: it must work when the project does not.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def _die_with_parent() -> None:
    """Ask Linux to kill the server should the leash itself be killed; elsewhere the leash is all there is."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_at_end_of_input(server: subprocess.Popen[bytes], home: str) -> None:
    while os.read(0, 4096):
        pass
    server.kill()
    server.wait()
    shutil.rmtree(home, ignore_errors=True)


def main(home: str, command: list[str]) -> int:
    """Hold the server until the session or the server itself is gone; give the server's status."""
    # Forked from the main thread, before any other: the signal of PDEATHSIG comes when the forking *thread* ends.
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=_die_with_parent)  # noqa: PLW1509
    watcher = threading.Thread(target=_kill_at_end_of_input, args=(server, home), daemon=True)
    watcher.start()
    status = server.wait()
    watcher.join(timeout=5 if status == -signal.SIGKILL else 0)  # what is left for it to do is to remove HOME
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
