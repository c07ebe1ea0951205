"""What is wrong must be found before the first request finds it: each part is looked at, whatever the others say."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final

import click
import orjson

from gateway.auth.keys import KeysUnavailable, key_rings
from gateway.commands.options import json_option, override, store_option
from gateway.errors import CommandFailed, SettingsBroken
from gateway.probes import probe_systems
from gateway.settings.settings import Settings, load_settings
from gateway.stores import Checked, Compared, check_address, examine_store, is_there

LOOK_SECONDS: Final = 50.0
"""less than the minute after which the embedded database ends any statement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one look has found."""

    part: str
    well: bool
    text: str


@click.command(
    help="Look at settings, database, schema, graph, issuers and surrounding systems, and say what is wrong. "
    "The exit code is 1 when something is, and 2 when the settings cannot be used."
)
@store_option
@json_option
@click.option(
    "--migrate",
    "mend",
    is_flag=True,
    help="Bring the schema up to date, and build stored slices, open alarms and booked capacity that are wrong or missing.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, 3_600, min_open=True),
    default=LOOK_SECONDS,
    show_default=True,
    help="For how long all nodes of one label, or all relationships of one type, are looked through.",
)
def command(store: str | None, *, as_json: bool, mend: bool, seconds: float) -> int:
    """Check."""
    override(store=store)
    findings = list(_findings(mend=mend, seconds=seconds))
    well = all(each.well for each in findings)
    if as_json:
        click.echo(orjson.dumps({"well": well, "findings": [asdict(each) for each in findings]}))
    else:
        for each in findings:
            click.echo(f"{'ok  ' if each.well else 'FAIL'} {each.part}: {each.text}")
    if findings[0].well:
        return 0 if well else 1
    return 2


def _findings(*, mend: bool, seconds: float) -> Iterator[Finding]:
    try:
        settings = load_settings()
    except SettingsBroken as error:
        yield from (Finding(part="settings", well=False, text=each) for each in error.faults)
        return
    yield Finding(part="settings", well=True, text=f"listening on {settings.listen}, {settings.workers} worker(s)")
    yield from asyncio.run(_store(settings, mend=mend, seconds=seconds))
    yield from asyncio.run(_issuers(settings))
    yield from asyncio.run(_systems(settings))


async def _store(settings: Settings, *, mend: bool, seconds: float) -> list[Finding]:
    try:
        if not mend and not is_there(settings):
            text = f"there is none at {settings.store} yet: serve, load and check --migrate make one"
            return [Finding(part="database", well=True, text=text)]
        check_address(settings)
        found = await examine_store(settings, mend=mend, seconds=seconds)
    except CommandFailed as error:
        text = f"{error.message.rstrip('.')}. {error.hint}".strip()
        return [Finding(part="database", well=False, text=f"at {settings.store}: {text}")]
    schema = f"version {found.schema.version}"
    if not found.schema.is_current:
        schema += f", {len(found.schema.missing)} constraints or indexes are missing. Run: trunkline check --migrate"
    return [
        Finding(part="database", well=True, text=f"{found.version} at {settings.store}"),
        Finding(part="schema", well=found.schema.is_current, text=schema),
        *([_slices(found.slices)] if found.slices else []),
        *([*_rules(found.broken), _alarms(found.alarms)] if found.schema.is_current else []),
        *([_capacity(found.capacity)] if found.capacity else []),
    ]


def _rules(broken: tuple[str, ...]) -> list[Finding]:
    if broken:
        return [Finding(part="graph", well=False, text=each) for each in broken]
    return [Finding(part="graph", well=True, text="it is as the model allows")]


def _alarms(differing: tuple[str, ...]) -> Finding:
    if differing:
        text = f"{', '.join(differing[:3])} and maybe more are open on something else than is kept of them"
        return Finding(part="alarms", well=False, text=f"{text}. Run: trunkline check --migrate")
    return Finding(part="alarms", well=True, text="each says what it is open on")


def _capacity(found: Compared) -> Finding:
    kept = f"what is booked on {found.profiles} ports and trunks"
    if found.nobody:
        fault = f"{len(found.nobody)} boosts hold capacity and are over or of no service, such as {', '.join(found.nobody[:3])}"
        return Finding(part="capacity", well=False, text=f"{kept}; {fault}. Run: trunkline check --migrate")
    if not found.differing:
        return Finding(part="capacity", well=True, text=kept)
    fault = f"of {len(found.differing)} it is not what boosts reserve, such as {', '.join(found.differing[:3])}"
    return Finding(part="capacity", well=False, text=f"{kept}; {fault}. Run: trunkline check --migrate")


async def _systems(settings: Settings) -> list[Finding]:
    return [Finding(part=each.system, well=each.well, text=each.text) for each in await probe_systems(settings)]


def _slices(found: Checked) -> Finding:
    kept = f"{found.memberships} memberships of {found.customers} customers with many services"
    if not found.differing:
        return Finding(part="slices", well=True, text=kept)
    fault = f"{len(found.wrong)} are wrong and {len(found.missing)} missing, of {', '.join(found.differing[:3])}"
    return Finding(part="slices", well=False, text=f"{kept}; {fault}. Run: trunkline check --migrate")


async def _issuers(settings: Settings) -> list[Finding]:
    if not settings.issuers:
        text = "there is none, and nothing is served without tokens. Set issuers; to try things out: trunkline token --setting"
        return [Finding(part="issuers", well=False, text=text)]
    findings = []
    for name, ring in key_rings(settings.issuers).items():
        try:
            findings.append(Finding(part="issuer", well=True, text=f"{name}: {await ring.check()} key(s)"))
        except KeysUnavailable as error:
            findings.append(Finding(part="issuer", well=False, text=f"{name}: {error}"))
    return findings
