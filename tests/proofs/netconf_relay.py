"""Between sshd and netconfd: hands on what both say, and loses an answer when a file says so, as a device that reboots would.

Run by sshd as its subsystem: `netconf_relay.py FILE PROGRAM [ARGUMENT...]`. When FILE is there as a client asks to commit, it is taken
away, and by its content

    drop    the session ends as soon as the answer is there, and nothing of the answer is handed on;
    hold    the answer is kept back until the client goes away.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

_COMMIT = re.compile(rb"<(?:\w+:)?commit[\s>/]")


def main(file: Path, command: list[str]) -> None:
    """Relay until either side is done."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as device:
        assert device.stdin
        assert device.stdout
        losing = threading.Event()
        threading.Thread(target=_to_client, args=(device.stdout.fileno(), file, losing), daemon=True).start()
        while data := os.read(0, 65_536):
            if _COMMIT.search(data) and file.exists():
                losing.set()
            device.stdin.write(data)
            device.stdin.flush()
        device.terminate()


def _to_client(stream: int, file: Path, losing: threading.Event) -> None:
    while data := os.read(stream, 65_536):
        if not losing.is_set():
            os.write(1, data)
            continue
        way = file.read_text()
        file.unlink()
        while way == "hold":
            time.sleep(60)
        break
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
