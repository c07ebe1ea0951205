"""The system that sets rates in the network has an address, a way to speak, and a place where it keeps the rate of a service.

The section `provisioning` of the settings; `gateway/settings/settings.py` says where settings come from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from gateway.settings.system import Address, Credited, secret_of

NAME = r"^[A-Za-z_][A-Za-z0-9_.-]*$"
"""a name that YANG allows (RFC 7950, section 6.2)."""
Name = Annotated[str, Field(pattern=NAME)]


class Device(BaseModel):
    """A NETCONF server: a device, or a controller of many."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(gt=0, le=65_535)] = 830
    user: Annotated[str, Field(min_length=1)]
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    key_file: Path | None = None
    """a private key of ours, without a passphrase, instead of a password."""
    known_hosts: Path
    """a file of OpenSSH's known_hosts with the host key of the device; without it nobody knows who answers."""


class Netconf(BaseModel):
    """How rates are set on devices, by the YANG module that they have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    devices: Annotated[Mapping[str, Device], Field(min_length=1)]
    """by name; each that has accesses of a service is changed, all of them or none."""
    module: Literal["ietf-l2vpn-svc", "ietf-l3vpn-svc"] = "ietf-l2vpn-svc"
    """the module of the service model."""
    namespace: str = ""
    """of a module of the same structure that has another one; empty: that of `module`."""
    bandwidth_type: Name = "bw-per-svc"
    """of ietf-l2vpn-svc: the type of the entries of `svc-bandwidth/bandwidth` that hold the rate of a service."""
    rate_leaves: Annotated[tuple[Name, ...], Field(min_length=1)] = ("cir",)
    """of ietf-l2vpn-svc: the leaves of such an entry that are set to the rate; those that are not there stay away."""
    input_bandwidth: Name = "svc-input-bandwidth"
    """of ietf-l3vpn-svc: the leaf for the rate to the customer's site."""
    output_bandwidth: Name = "svc-output-bandwidth"
    """of ietf-l3vpn-svc: the leaf for the rate from the customer's site."""
    confirm_seconds: Annotated[int, Field(gt=0, le=3_600)] = 30
    """after which a device takes a change back that was not confirmed: because we have died, or because another device refused."""


class Provisioning(Credited):
    """The system that sets the rate of a service in the network."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Address = ""
    """of tmf640: what its API is below, such as https://HOST/tmf-api/ServiceActivationAndConfiguration/v4."""
    name: Annotated[str, Field(min_length=1, pattern="^[^#:]+$")] = "provisioning"
    """what deliveries call it, and `system:<name>` in its tokens."""
    dialect: Literal["tmf640", "netconf"] = "tmf640"
    characteristic: Annotated[str, Field(min_length=1)] = "bandwidth"
    """of tmf640: the name of the characteristic that holds the rate of a service."""
    unit: Literal["bps", "kbps", "Mbps", "Gbps"] = "Mbps"
    """of tmf640: the unit of a rate whose value names none."""
    service_attribute: Annotated[str, Field(pattern=r"^$|^@?[A-Za-z]\w*(\.@?[A-Za-z]\w*)*$")] = ""
    """of tmf640: the attribute of its services that holds our id of a service, such as `name` or `serviceCharacteristic.value`; empty: our
    id is the id there."""
    monitor_states: Mapping[str, Literal["InProgress", "InError", "Completed"]] = Field(default_factory=dict)
    """of tmf640: states of its monitors in words of its own, each with the word of TMF640 for it."""
    netconf: Netconf | None = None
    """what the dialect netconf needs to know."""
    confirm_seconds: Annotated[float, Field(gt=0, le=86_400)] = 300.0
    """of tmf640: for how long a change that it has taken may be under way; what is not over then counts as refused."""
    requests: Annotated[int, Field(gt=0, le=256)] = 16
    """at the same time."""
    request_seconds: Annotated[float, Field(gt=0, lt=7)] = 5.0
    processing_seconds: Annotated[float, Field(ge=0, le=300)] = 5.0
    """what it may take at most for a request whose answer was lost."""

    def _misfits(self) -> Iterator[str]:
        yield from super()._misfits()
        if (self.dialect == "netconf") != (self.netconf is not None):
            yield "needs the section netconf, with devices, for the dialect netconf, and for no other"
        if self.dialect == "tmf640" and not self.address:
            yield "has no address"
        if self.dialect == "netconf" and self.address:
            yield "has an address, which is for tmf640: for netconf each device has its host"


def problems_of(chosen: Provisioning | None) -> list[str]:
    """Give what is wrong with the files that devices need, or that the library for them is not there."""
    devices = chosen.netconf.devices if chosen and chosen.netconf else {}
    if devices and find_spec("asyncssh") is None:
        return ["provisioning.netconf: asyncssh is not installed; install trunkline[netconf]."]
    return [
        each for name, device in devices.items() for each in _problems(f"provisioning.netconf.devices.{name}", device)
    ]


def _problems(where: str, device: Device) -> Iterator[str]:
    yield from secret_of(f"{where}.password", device.password, device.password_file, needed=device.key_file is None)[1]
    for name, path in (("key_file", device.key_file), ("known_hosts", device.known_hosts)):
        if path is not None and not path.is_file():
            yield f"{where}.{name}: there is no file {path}."
