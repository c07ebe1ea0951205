"""Proofs take minutes and need root, so each can be asked for by its name; one summary comes last."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from tests.proofs import fault_management, kafka, netconf, ticketing
from tests.proofs.debian import Impossible
from tests.proofs.steps import Say, Summary

PROOFS: Final[Mapping[str, Callable[[Path, Say], Coroutine[Any, Any, Summary]]]] = {
    fault_management.NAME: fault_management.prove,
    kafka.NAME: kafka.prove,
    netconf.NAME: netconf.prove,
    ticketing.NAME: ticketing.prove,
}
_CANNOT_RUN: Final = 3


@click.command(help="Prove what we say on real systems, from their own packages; those from Debian's need root.")
@click.argument("names", nargs=-1, type=click.Choice(sorted(PROOFS)))
def main(names: Sequence[str]) -> None:
    """Run the proofs that are named, or all."""
    say = partial(click.echo, err=True)
    try:
        summaries = [_proven(name, say) for name in names or sorted(PROOFS)]
    except Impossible as reason:
        say(str(reason))
        sys.exit(_CANNOT_RUN)
    click.echo("\n\n".join(map(str, summaries)))


def _proven(name: str, say: Say) -> Summary:
    say(f"{name}:")
    with tempfile.TemporaryDirectory(prefix="trunkline-proof-") as directory:
        Path(directory).chmod(0o711)  # a system may run as a user of its own
        return asyncio.run(PROOFS[name](Path(directory), say))


if __name__ == "__main__":
    main()
