"""Two devices of our own: Debian's netconfd behind Debian's sshd, on loopback and in our directory.

As whoever runs such devices would lay it out: a user is let in by a key, a device is known by its host key, and its configuration has a
candidate. The second device carries less than the first. The service model is a small one of ours with the names of RFC 8466
(`ietf-l2vpn-svc.yang` beside this file).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from adapters.provisioning.netconf.device import Device
from tests.faults.processes import free_port
from tests.proofs.debian import Impossible, Packages
from tests.proofs.running import running, until

PACKAGES: Final = Packages(names=("netconfd", "openssh-server"))
SERVICE: Final = "service-7"
COMMITTED: Final = 100
"""Mbit/s."""
MOST: Final[Mapping[str, int]] = {"pe-1": 10_000, "pe-2": 1_000}
"""Mbit/s that each device can carry."""
_MODULE: Final = Path(__file__).with_name("ietf-l2vpn-svc.yang")
_RELAY: Final = Path(__file__).with_name("netconf_relay.py")
_PRIVILEGES: Final = Path("/run/sshd")
_UP_SECONDS: Final = 60.0
_ANSWER_SECONDS: Final = 60.0
_MARK: Final = b"]]>]]>"
_SSHD: Final = """
ListenAddress 127.0.0.1
HostKey {place}/host
PidFile none
AuthorizedKeysFile {place}/user.pub
StrictModes no
PasswordAuthentication no
PermitRootLogin prohibit-password
UsePAM no
Port {port}
Subsystem netconf "{python} {relay} {place}/{name}/lose /usr/sbin/netconf-subsystem --ncxserver-sockname={port}@{place}/{name}/socket"
"""
_RATE: Final = """<bandwidth><direction>{direction}</direction><type>bw-per-svc</type>
<cir>{bps}</cir><cbs>1000</cbs></bandwidth>"""
_CONFIG: Final = """<?xml version="1.0" encoding="UTF-8"?>
<config xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><l2vpn-svc xmlns="urn:ietf:params:xml:ns:yang:ietf-l2vpn-svc">
<vpn-services><vpn-service><vpn-id>{service}</vpn-id></vpn-service></vpn-services>
<sites><site><site-id>{name}</site-id><site-network-accesses><site-network-access>
<network-access-id>{name}-1</network-access-id><vpn-attachment><vpn-id>{service}</vpn-id></vpn-attachment>
<service><svc-bandwidth>{rates}</svc-bandwidth></service>
</site-network-access></site-network-accesses></site></sites></l2vpn-svc></config>
"""
_HELLO: Final = b"""<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>
<capability>urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>]]>]]>"""
_ASKED: Final = b"""<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="1">
<get-config><source><running/></source></get-config></rpc>]]>]]>"""
_APART_SECONDS: Final = 0.3
"""netconfd takes no notice of what comes in one piece with the hello."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RealDevice:
    """A device that runs."""

    device: Device
    place: Path

    def loses(self, way: str) -> None:
        """Let the answer to the next commit be lost: `drop` or `hold`."""
        (self.place / "lose").write_text(way)

    @property
    def has_lost(self) -> bool:
        """Whether it was."""
        return not (self.place / "lose").exists()

    async def rates(self) -> set[int]:
        """Give the rates that run there, in Mbit/s, asked by OpenSSH's client."""
        device = self.device
        command = ["ssh", "-F", "none", "-p", str(device.port), "-i", str(device.key_file), "-o", "BatchMode=yes"]
        command += ["-o", f"UserKnownHostsFile={device.known_hosts}", f"{device.user}@{device.host}", "-s", "netconf"]
        asked = await asyncio.create_subprocess_exec(*command, stdin=-1, stdout=-1, limit=1_000_000)
        assert asked.stdin
        assert asked.stdout
        asked.stdin.write(_HELLO)
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await asked.stdout.readuntil(_MARK)  # hello
                await asyncio.sleep(_APART_SECONDS)
                asked.stdin.write(_ASKED)
                out = await asked.stdout.readuntil(_MARK)
        except (TimeoutError, asyncio.IncompleteReadError):
            out = b""
        with contextlib.suppress(ProcessLookupError):
            asked.kill()
        await asked.wait()
        found = re.findall(rb"cir[^>]*>(\d+)<", out)
        assert found, f"{device.name} does not show its rates: {out!r}"
        return {int(each) // 1_000_000 for each in found}


@asynccontextmanager
async def devices(directory: Path) -> AsyncIterator[list[RealDevice]]:
    """Lay them out in a new directory, and run them while the block runs."""
    if os.geteuid() != 0:
        raise Impossible("An sshd that lets in a user by a key of ours runs as root.")
    await asyncio.to_thread(_make_keys, directory)
    made = not _PRIVILEGES.exists()
    _PRIVILEGES.mkdir(exist_ok=True)
    try:
        async with AsyncExitStack() as stack:
            yield [await stack.enter_async_context(_running(directory, name)) for name in MOST]
    finally:
        if made:
            _PRIVILEGES.rmdir()


@asynccontextmanager
async def _running(directory: Path, name: str) -> AsyncIterator[RealDevice]:
    port, place = free_port(), directory / name
    place.mkdir()
    device = Device(
        name=name,
        host="127.0.0.1",
        port=port,
        user="root",
        key_file=directory / "user",
        known_hosts=_known(directory, name, port),
    )
    found = RealDevice(device=device, place=place)
    environment = {"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(place)}
    log = place / "log"
    async with running(_netconfd(place, name, port), log=log, environment=environment):
        await until(partial(asyncio.to_thread, (place / "socket").exists), f"{name} runs", _UP_SECONDS)
        sshd = ["/usr/sbin/sshd", "-D", "-e", "-f", str(_sshd(directory, name, port))]
        async with running(sshd, log=log, environment=environment):
            await until(partial(_answers, found), f"{name} answers", _UP_SECONDS)
            yield found


def _known(directory: Path, name: str, port: int) -> Path:
    kind, key = (directory / "host.pub").read_text().split()[:2]
    file = directory / name / "known_hosts"
    file.write_text(f"[127.0.0.1]:{port} {kind} {key}\n")
    return file


def _netconfd(place: Path, name: str, port: int) -> list[str]:
    module = _MODULE.read_text(encoding="utf-8").replace("MOST_BPS", str(MOST[name] * 1_000_000))
    (place / _MODULE.name).write_text(module, encoding="utf-8")
    rates = "".join(_RATE.format(direction=each, bps=COMMITTED * 1_000_000) for each in ("input-bw", "output-bw"))
    startup = place / "startup.xml"
    startup.write_text(_CONFIG.format(service=SERVICE, name=name, rates=rates))
    return [
        "/usr/sbin/netconfd",
        f"--modpath={place}:/usr/share/yuma/modules",
        f"--module={_MODULE.stem}",
        f"--startup={startup}",
        "--target=candidate",
        "--access-control=off",
        "--superuser=root",
        f"--port={port}",
        f"--ncxserver-sockname={place / 'socket'}",
    ]


def _sshd(directory: Path, name: str, port: int) -> Path:
    file = directory / name / "sshd_config"
    given = {"place": directory, "name": name, "port": port, "python": sys.executable, "relay": _RELAY}
    file.write_text(_SSHD.format(**given))
    return file


def _make_keys(directory: Path) -> None:
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(directory / name)], check=True)


async def _answers(found: RealDevice) -> bool:
    try:
        return bool(await found.rates())
    except AssertionError:
        return False
