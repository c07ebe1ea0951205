"""What is wrong with the section `provisioning` is said by the names of its settings, before anything is asked of the network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import orjson
import pytest

from adapters.transport.credentials import Token
from gateway.errors import SettingsBroken
from gateway.policies import bandwidth_policy_of
from gateway.reaching import provisioning_system
from gateway.settings.settings import load_settings
from gateway.systems import layout_of

DEVICE = {"host": "10.0.0.1", "user": "us", "password": "correct horse", "known_hosts": "known"}
NETCONF: dict[str, Any] = {"dialect": "netconf", "netconf": {"devices": {"pe-1": DEVICE}}}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [each for each in os.environ if each.startswith("TRUNKLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "known").write_text("")


def given(monkeypatch: pytest.MonkeyPatch, section: dict[str, Any]) -> None:
    monkeypatch.setenv("TRUNKLINE_PROVISIONING", orjson.dumps(section).decode())


def device(**changes: Any) -> dict[str, Any]:
    return {**NETCONF, "netconf": {"devices": {"pe-1": {**DEVICE, **changes}}}}


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        pytest.param({}, "provisioning: has no address.", id="no address"),
        pytest.param({"address": "ftp://x"}, "provisioning.address: is not http(s)://HOST", id="no HTTP"),
        pytest.param({"address": "http://x", "unit": "MB"}, "provisioning.unit: must be 'bps'", id="a unit"),
        pytest.param(
            {"address": "http://x", "monitor_states": {"fertig": "Done"}},
            "provisioning.monitor_states.fertig: must be 'InProgress'",
            id="a word",
        ),
        pytest.param(
            {"address": "http://x", "service_attribute": "a b"},
            "provisioning.service_attribute: string should",
            id="a name",
        ),
        pytest.param(
            {"address": "http://x", "confirm_seconds": 0}, "provisioning.confirm_seconds: must be", id="no time"
        ),
        pytest.param({"dialect": "netconf"}, "provisioning: needs the section netconf", id="no devices"),
        pytest.param(
            {**NETCONF, "dialect": "tmf640"}, "provisioning: needs the section netconf", id="devices of tmf640"
        ),
        pytest.param(
            {**NETCONF, "address": "http://x"}, "provisioning: has an address, which is for tmf640", id="both"
        ),
        pytest.param(
            {**NETCONF, "netconf": {"devices": {}}},
            "provisioning.netconf.devices: must have at least 1 item",
            id="no device",
        ),
        pytest.param(device(port=0), "provisioning.netconf.devices.pe-1.port: must be", id="no port"),
        pytest.param(
            device(password=""),
            "provisioning.netconf.devices.pe-1.password: it is missing; give it, or password_file.",
            id="no password",
        ),
        pytest.param(
            device(key_file="/not/there"),
            "provisioning.netconf.devices.pe-1.key_file: there is no file /not/there.",
            id="no key",
        ),
        pytest.param(
            device(known_hosts="/not/there"),
            "provisioning.netconf.devices.pe-1.known_hosts: there is no file /not/there.",
            id="no host key",
        ),
    ],
)
def test_what_is_wrong_is_said_by_its_name(
    monkeypatch: pytest.MonkeyPatch, section: dict[str, Any], sentence: str
) -> None:
    given(monkeypatch, section)
    with pytest.raises(SettingsBroken) as broken:
        load_settings()
    [fault] = broken.value.faults
    assert fault.startswith(sentence)
    assert "correct horse" not in fault


def test_what_is_said_is_what_the_dialect_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    section = {"address": "http://x", "bearer": "t", "name": "network", "characteristic": "cir", "unit": "Gbps"}
    given(monkeypatch, {**section, "service_attribute": "@x.name", "monitor_states": {"fertig": "Completed"}})
    settings = load_settings()
    assert settings.provisioning
    layout = layout_of(settings.provisioning)
    assert (layout.characteristic, layout.unit, layout.service_attribute) == ("cir", "Gbps", "@x.name")
    assert layout.monitor_states == {"fertig": "Completed"}
    assert isinstance(provisioning_system(settings.provisioning).credential, Token)
    assert bandwidth_policy_of(settings, {}).provisioning == "network"


def test_without_the_section_no_rate_is_set() -> None:
    settings = load_settings()
    assert settings.provisioning is None
    assert bandwidth_policy_of(settings, {}).provisioning == ""


def test_a_device_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, NETCONF)
    settings = load_settings()
    assert "correct" not in repr(settings) + settings.model_dump_json()
