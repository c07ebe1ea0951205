"""A gateway is started on a network of its own, the kit is run against it as an operator, and everything ends."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import Final

import click

from tests.kit.kit import Missing, Result, run
from tests.proofs.ours import ours

_API: Final = "/tmf-api/alarmManagement/v4"


@click.command(help="Run TM Forum's conformance kit for TMF642, which is in DIR, against a gateway of its own.")
@click.argument("kit", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
def main(kit: Path) -> None:
    """Run the kit; the exit status says whether anything failed."""
    try:
        with tempfile.TemporaryDirectory(prefix="trunkline-kit-") as directory:
            result = asyncio.run(_ran(kit, Path(directory)))
    except Missing as reason:
        click.echo(str(reason), err=True)
        sys.exit(2)
    click.echo(str(result))
    sys.exit(1 if result.failures else 0)


async def _ran(kit: Path, directory: Path) -> Result:
    async with ours(directory, {}) as us:
        token = us.issuer.token(subject="ann", role="operator")
        return await asyncio.to_thread(run, kit, us.address + _API, token, directory)


if __name__ == "__main__":
    main()
