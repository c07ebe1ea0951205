"""A stand-in as a process of its own: `python -m adapters.simulator ticketing --journal FILE`, or another.

It says where it is as one line of JSON on its standard output, and stays until SIGTERM or Ctrl-C; with `--leash` also
no longer than its standard input, so that it does not outlive whoever started it. Secrets come in the environment:
TRUNKLINE_SIMULATOR_BEARER (what callers must bring), TRUNKLINE_SIMULATOR_CALLBACK_AUTHORIZATION (what events bring).
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias
from urllib.parse import urljoin

import click
import orjson
from pydantic import SecretStr, ValidationError

from adapters.simulator.api import Living
from adapters.simulator.billing import billing
from adapters.simulator.customers import customer_management
from adapters.simulator.fault_management import alarm_management, alerta, event_management
from adapters.simulator.faults import PATH
from adapters.simulator.inventory import inventory
from adapters.simulator.manners import Manners
from adapters.simulator.performance import performance
from adapters.simulator.provisioning import provisioning
from adapters.simulator.sales import sales
from adapters.simulator.ticketing import request_tracker, ticketing

BEARER: Final = "TRUNKLINE_SIMULATOR_BEARER"
CALLBACK_AUTHORIZATION: Final = "TRUNKLINE_SIMULATOR_CALLBACK_AUTHORIZATION"


class Served(Protocol):
    """A stand-in that is being served."""

    @property
    def address(self) -> str:
        """What a client of it is given."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says."""

    host: str
    port: int
    journal: Path | None
    state: Path | None
    manners: Manners


Serving: TypeAlias = Callable[[Options], AbstractAsyncContextManager[Served]]
"""Serves as the options say."""


@click.group(help="Stand-ins for surrounding systems.")
def main() -> None:
    """Group the stand-ins."""


def _command(name: str, help_: str, serving: Serving) -> None:
    """Make the command that serves a stand-in until told otherwise."""

    @main.command(name=name, help=help_)
    @click.option("--listen", default="127.0.0.1:0", show_default=True, help="HOST:PORT; port 0 is any that is free.")
    @click.option("--journal", type=click.Path(path_type=Path, dir_okay=False), help="A line for each change received.")
    @click.option("--state", type=click.Path(path_type=Path, dir_okay=False), help="Where what it keeps outlives it.")
    @click.option(
        "--manners", default="{}", show_default=True, help="How it answers, as JSON (manners.py has the members)."
    )
    @click.option("--leash", is_flag=True, help="End at the end of standard input.")
    def serve(listen: str, journal: Path | None, state: Path | None, manners: str, *, leash: bool) -> None:
        host, separator, port = listen.rpartition(":")
        if not (host and separator and port.isdecimal() and int(port) <= 65_535):
            raise click.BadParameter("is not HOST:PORT, such as 127.0.0.1:0.", param_hint="--listen")
        given = Options(host=host.strip("[]"), port=int(port), journal=journal, state=state, manners=_manners(manners))
        asyncio.run(_serve(serving(given), leash=leash))


async def _serve(stand_in: AbstractAsyncContextManager[Served], *, leash: bool) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: loop.call_soon_threadsafe(ended.set))
    if leash:
        threading.Thread(target=_await_end_of_input, args=(loop, ended), daemon=True).start()
    async with stand_in as system:
        told = {"address": system.address, "faults": urljoin(system.address, PATH)}
        sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
        sys.stdout.buffer.flush()
        await ended.wait()


def _manners(text: str) -> Manners:
    try:
        return Manners.model_validate_json(text)
    except ValidationError as error:
        raise click.BadParameter(str(error.errors()[0]["msg"]), param_hint="--manners") from None


def _life(given: Options) -> Living:
    """Give what all stand-ins of one resource are served with."""
    return {
        "listen": (given.host, given.port),
        "journal": given.journal,
        "state": given.state,
        "bearer": _secret(BEARER),
        "callback_authorization": _secret(CALLBACK_AUTHORIZATION),
        "manners": given.manners,
    }


def _ticketing(given: Options) -> AbstractAsyncContextManager[Served]:
    return ticketing.serving(**_life(given))


def _fault_management(given: Options) -> AbstractAsyncContextManager[Served]:
    return alarm_management.serving(**_life(given))


def _events(given: Options) -> AbstractAsyncContextManager[Served]:
    return event_management.serving(**_life(given))


def _alerta(given: Options) -> AbstractAsyncContextManager[Served]:
    return alerta.serving(
        host=given.host, port=given.port, journal=given.journal, state=given.state, key=_secret(BEARER)
    )


def _billing(given: Options) -> AbstractAsyncContextManager[Served]:
    return billing.serving(
        host=given.host,
        port=given.port,
        journal=given.journal,
        state=given.state,
        bearer=_secret(BEARER),
        manners=given.manners,
    )


def _inventory(given: Options) -> AbstractAsyncContextManager[Served]:
    return inventory.serving(
        host=given.host,
        port=given.port,
        journal=given.journal,
        state=given.state,
        bearer=_secret(BEARER),
        manners=given.manners,
    )


def _provisioning(given: Options) -> AbstractAsyncContextManager[Served]:
    return provisioning.serving(
        host=given.host,
        port=given.port,
        journal=given.journal,
        state=given.state,
        bearer=_secret(BEARER),
        manners=given.manners,
    )


def _performance(given: Options) -> AbstractAsyncContextManager[Served]:
    return performance.serving(**_life(given))


def _sales(given: Options) -> AbstractAsyncContextManager[Served]:
    return sales.serving(**_life(given))


def _customers(given: Options) -> AbstractAsyncContextManager[Served]:
    return customer_management.serving(**_life(given))


def _rt(given: Options) -> AbstractAsyncContextManager[Served]:
    token = _secret(BEARER)
    users = {token.get_secret_value(): "trunkline"} if token else None
    return request_tracker.serving_rt(
        host=given.host, port=given.port, journal=given.journal, state=given.state, users=users
    )


def _await_end_of_input(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    while os.read(sys.stdin.fileno(), 4096):
        pass
    loop.call_soon_threadsafe(ended.set)


def _secret(name: str) -> SecretStr | None:
    value = os.environ.get(name)
    return SecretStr(value) if value else None


_command("ticketing", "A ticketing system that speaks TMF621 v4.", _ticketing)
_command("rt", "A Request Tracker 5: the part of its REST API by which tickets are kept.", _rt)
_command("fault-management", "A fault management system that speaks TMF642 v4.", _fault_management)
_command("events", "A topic of TMF688 v4, for what a fault management system hears beside alarms.", _events)
_command("alerta", "Alerta, as far as it is told of alerts.", _alerta)
_command("billing", "A billing system: TMF635, TMF656 and TMF678 v4, and documents by PUT.", _billing)
_command("customers", "A customer management system that speaks TMF629 v4.", _customers)
_command("inventory", "An inventory that speaks TMF639 v4 and MTOSI 2.1.", _inventory)
_command("sales", "A sales system that keeps leads in the manner of TM Forum's version 4 APIs.", _sales)
_command("performance", "A performance monitoring system that speaks TMF628 v4.", _performance)
_command("provisioning", "A provisioning system that speaks TMF640 v4.", _provisioning)


if __name__ == "__main__":
    main()
