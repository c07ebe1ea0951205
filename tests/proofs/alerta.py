"""An Alerta of our own: the program from PyPI, its database from Debian's packages, both on loopback and in our directory.

As its administrator would lay it out: nobody is let in without a key or a login, we have a key of our own, which may read and
write alerts and nothing else, and a person who works there has a login.
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

from tests.faults.processes import TOP, free_port
from tests.proofs.debian import Impossible, Packages
from tests.proofs.running import running, until, until_answering

PACKAGES: Final = Packages(names=("postgresql",))
FROM_PYPI: Final = ("alerta-server==9.1.0", "psycopg2-binary==2.9.13")
_PLACE: Final = TOP / ".cache" / "proofs" / "alerta"
_PROGRAM: Final = str(_PLACE / "bin" / "alertad")
_USER: Final = "postgres"
_UP_SECONDS: Final = 120.0
_SETTINGS: Final = """
DATABASE_URL = {database!r}
SECRET_KEY = {secret!r}
AUTH_REQUIRED = True
SIGNUP_ENABLED = False
ADMIN_USERS = [{us!r}, {person!r}]
"""
_US: Final = "trunkline@proof.invalid"
PERSON: Final = "grace@proof.invalid"
_SCOPES: Final = ("read", "write")


@dataclass(frozen=True, slots=True, kw_only=True)
class RealAlerta:
    """An Alerta that runs."""

    address: str
    """of its API."""
    key: Path
    """the file with our key."""
    password: Path
    """the file with that of a person who works there, `PERSON`."""


@asynccontextmanager
async def alerta(directory: Path) -> AsyncIterator[RealAlerta]:
    """Lay one out in a new directory, and run it and its database while the block runs."""
    if os.geteuid() != 0:
        raise Impossible("The database of an Alerta is laid out as root, and runs as another user.")
    await asyncio.to_thread(_install)
    port, log = free_port(), directory / "alerta.log"
    found = RealAlerta(
        address=f"http://127.0.0.1:{port}", key=directory / "ours.key", password=directory / "grace.password"
    )
    for each in (found.key, found.password):
        each.write_text(secrets.token_urlsafe(24))
    async with _database(directory) as database:
        environment = _environment(directory, database)
        await asyncio.to_thread(_let_in, found, environment)
        command = [_PROGRAM, "run", "--host", "127.0.0.1", "--port", str(port)]
        async with running(command, log=log, environment=environment) as process:
            await until_answering(f"{found.address}/management/healthcheck", process, log, _UP_SECONDS)
            yield found


def _environment(directory: Path, database: str) -> dict[str, str]:
    settings = directory / "alertad.conf"
    settings.write_text(
        _SETTINGS.format(database=database, secret=secrets.token_hex(16), us=_US, person=PERSON), encoding="utf-8"
    )
    return {"PATH": "/usr/bin:/bin", "HOME": str(directory), "ALERTA_SVR_CONF_FILE": str(settings)}


def _let_in(found: RealAlerta, environment: Mapping[str, str]) -> None:
    """Make our key, and the person's login."""
    scopes = [word for each in _SCOPES for word in ("--scope", each)]
    key = found.key.read_text(encoding="utf-8")
    _run([_PROGRAM, "key", "--username", _US, "--key", key, *scopes], environment, user=None)
    password = found.password.read_text(encoding="utf-8")
    _run([_PROGRAM, "user", "--username", PERSON, "--password", password], environment, user=None)


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
