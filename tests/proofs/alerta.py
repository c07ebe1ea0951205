"""An Alerta of our own: the program from PyPI, its database from Debian's packages, both on loopback and in our directory.

Only that it can be had, started, told an alert, asked for it and stopped is shown so far; who tells it alerts in earnest is
proven beside this.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from tests.faults.processes import TOP, free_port
from tests.proofs.debian import Impossible, Packages, present
from tests.proofs.running import running, until, until_answering
from tests.proofs.steps import Say, Steps, Summary

NAME: Final = "alerta"
PACKAGES: Final = Packages(names=("postgresql",))
FROM_PYPI: Final = ("alerta-server==9.1.0", "psycopg2-binary==2.9.13")
_PLACE: Final = TOP / ".cache" / "proofs" / "alerta"
_USER: Final = "postgres"
_UP_SECONDS: Final = 120.0
_ALERT: Final = {
    "resource": "card-1",
    "event": "CardDown",
    "environment": "Production",
    "severity": "critical",
    "service": ["Network"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RealAlerta:
    """An Alerta that runs."""

    address: str
    """of its API."""


async def prove(directory: Path, say: Say) -> Summary:
    """Show that it runs and keeps what it is told; AssertionError where it does not."""
    versions = present(PACKAGES)
    await asyncio.to_thread(_install)
    steps = Steps(say=say)
    async with alerta(directory) as system, httpx.AsyncClient(base_url=system.address, timeout=30) as client:
        steps.show("an Alerta on a database of its own answers on loopback")
        told = (await client.post("/alert", json=_ALERT)).raise_for_status().json()
        listed = (await client.get("/alerts")).raise_for_status().json()["alerts"]
        assert [(each["id"], each["event"], each["status"]) for each in listed] == [(told["id"], "CardDown", "open")]
        steps.show("an alert that it is told is open, and the only one that it lists")
    steps.show("everything that was started has ended")
    system_text = f"{FROM_PYPI[0].replace('==', ' ')} (PyPI, PostgreSQL {versions['postgresql']} of Debian)"
    return Summary(name="Alerta", system=system_text, steps=tuple(steps.shown))


@asynccontextmanager
async def alerta(directory: Path) -> AsyncIterator[RealAlerta]:
    """Lay one out in a new directory, and run it and its database while the block runs."""
    if os.geteuid() != 0:
        raise Impossible("The database of an Alerta is laid out as root, and runs as another user.")
    port, log = free_port(), directory / "alerta.log"
    async with _database(directory) as database:
        settings = directory / "alertad.conf"
        secret = secrets.token_hex(16)
        settings.write_text(f"DATABASE_URL = {database!r}\nSECRET_KEY = {secret!r}\nAUTH_REQUIRED = False\n")
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(directory), "ALERTA_SVR_CONF_FILE": str(settings)}
        command = [str(_PLACE / "bin" / "alertad"), "run", "--host", "127.0.0.1", "--port", str(port)]
        async with running(command, log=log, environment=environment) as process:
            address = f"http://127.0.0.1:{port}"
            await until_answering(f"{address}/management/healthcheck", process, log, _UP_SECONDS)
            yield RealAlerta(address=address)


@asynccontextmanager
async def _database(directory: Path) -> AsyncIterator[str]:
    programs = _programs()
    home, port = directory / "postgresql", free_port()
    home.mkdir()
    shutil.chown(home, _USER, _USER)
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "HOME": str(home), "LC_ALL": "C.UTF-8"}
    await asyncio.to_thread(_run, ["initdb", "-D", str(home / "data"), "-A", "trust", "--no-sync"], environment)
    command = ["postgres", "-D", str(home / "data"), "-p", str(port), "-k", str(home), "-h", "127.0.0.1", "-F"]
    program = [str(programs / command[0]), *command[1:]]
    async with running(program, log=directory / "postgresql.log", environment=environment, user=_USER):
        place = ["-h", "127.0.0.1", "-p", str(port)]

        async def accepts() -> bool:
            return await asyncio.to_thread(_answers, ["pg_isready", *place], environment)

        await until(accepts, "the database accepts connections", _UP_SECONDS)
        await asyncio.to_thread(_run, ["createdb", *place, "alerta"], environment)
        yield f"postgresql://{_USER}@127.0.0.1:{port}/alerta"


def _programs() -> Path:
    """Give the place of PostgreSQL's programs, of the newest that is installed."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name))


def _install() -> None:
    """Make an environment for it, once for each list of versions."""
    mark = _PLACE / "installed"
    if mark.exists() and mark.read_text() == "\n".join(FROM_PYPI):
        return
    uv = Path(sys.executable).with_name("uv")
    _run([str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(_PLACE)], os.environ, user=None)
    target = ["--python", str(_PLACE / "bin" / "python")]
    _run([str(uv), "pip", "install", "--quiet", *target, *FROM_PYPI], os.environ, user=None)
    mark.write_text("\n".join(FROM_PYPI))


def _answers(command: list[str], environment: Mapping[str, str]) -> bool:
    return subprocess.run(command, env=dict(environment), user=_USER, capture_output=True, check=False).returncode == 0


def _run(command: list[str], environment: Mapping[str, str], *, user: str | None = _USER) -> None:
    done = subprocess.run(
        command, env=dict(environment), user=user, group=user, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}"
