"""The section `kafka`: what is wrong is said by its name, and how a broker is reached follows from it."""

from __future__ import annotations

import json
import os
import ssl
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from adapters.kafka.broker import Broker, Sasl
from adapters.kafka.event_types import EVENT_TYPES
from gateway.errors import SettingsBroken
from gateway.probes import Probed, probe_systems
from gateway.reaching import broker
from gateway.settings import kafka
from gateway.settings.kafka import Kafka, KafkaAlarms, SaslSettings
from gateway.settings.settings import Settings, load_settings

SERVERS = ("broker-1:9092",)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [each for each in os.environ if each.startswith("TRUNKLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def faults(monkeypatch: pytest.MonkeyPatch, **section: Any) -> list[str]:
    monkeypatch.setenv("TRUNKLINE_KAFKA", json.dumps(section))
    with pytest.raises(SettingsBroken) as broken:
        load_settings()
    return list(broken.value.faults)


def test_without_the_section_there_is_none() -> None:
    assert load_settings().kafka is None


def test_all_events_are_published_where_nothing_else_is_said() -> None:
    assert set(Kafka(servers=SERVERS).events) == set(EVENT_TYPES)


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        pytest.param({}, "kafka.servers: is missing.", id="no server"),
        pytest.param({"servers": ["broker"]}, "kafka.servers.0: string should match", id="no port"),
        pytest.param(
            {"servers": ["b:1"], "events": ["AlarmRise"]}, "kafka.events.0: must be 'AlarmAcknowledged'", id="no event"
        ),
        pytest.param({"servers": ["b:1"], "topic_prefix": "a b"}, "kafka.topic_prefix: string should", id="no topic"),
        pytest.param(
            {"servers": ["b:1"], "alarms": {"topic": "a", "dead_letter": "a"}}, "kafka: has one topic", id="one topic"
        ),
        pytest.param(
            {"servers": ["b:1"], "alarms": {"topic": "trunkline.AlarmRaised"}},
            "kafka: takes alarms from a topic that it publishes",
            id="a circle",
        ),
        pytest.param(
            {"servers": ["b:1"], "alarms": {"topic": "a", "dead_letter": "trunkline.AlarmRaised"}},
            "kafka: puts alarms that cannot be taken into a topic that it publishes",
            id="refused ones among events",
        ),
        pytest.param({"servers": ["b:65536"]}, "kafka.servers.0: has the port 65536", id="no such port"),
        pytest.param({"servers": ["b:0"]}, "kafka.servers.0: has the port 0", id="port zero"),
        pytest.param(
            {"servers": ["127.0.0.1:1", "b:1"], "sasl": {"mechanism": "PLAIN", "user": "u", "password": "p"}},
            "kafka: sends a password in the clear",
            id="in the clear",
        ),
        pytest.param(
            {"servers": ["b:1"], "sasl": {"user": "u"}}, "kafka.sasl.password: it is missing", id="no password"
        ),
        pytest.param(
            {"servers": ["b:1"], "sasl": {"user": "u", "password_file": "none"}},
            "kafka.sasl.password_file: none cannot be read",
            id="no file",
        ),
        pytest.param(
            {"servers": ["b:1"], "tls": {"authority_file": "none.pem"}},
            "kafka.tls: its files cannot be used: No such file",
            id="no authority",
        ),
    ],
)
def test_what_is_wrong_is_said_by_its_name(
    section: dict[str, Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert any(each.startswith(sentence) for each in faults(monkeypatch, **section))


@pytest.mark.parametrize(
    ("servers", "more"),
    [
        (["localhost:1", "127.0.0.1:65535"], {}),
        (["b:1"], {"tls": True}),
        (["b:1"], {"sasl": {"mechanism": "SCRAM-SHA-512", "user": "u", "password": "p"}}),
    ],
)
def test_a_password_goes_nowhere_in_the_clear(servers: list[str], more: dict[str, Any]) -> None:
    sasl = {"mechanism": "PLAIN", "user": "u", "password": "p"}
    assert Kafka.model_validate({"servers": servers, "sasl": sasl, **more}).sasl is not None


def test_a_client_that_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "find_spec", lambda _: None)
    assert faults(monkeypatch, servers=["b:1"]) == ["kafka: aiokafka is not installed; install trunkline[kafka]."]


def test_a_broker_is_reached_as_the_section_says(tmp_path: Path) -> None:
    assert broker(Kafka(servers=SERVERS)).options()["security_protocol"] == "PLAINTEXT"
    secret = tmp_path / "secret"
    secret.write_text("first\n")
    chosen = Kafka(servers=SERVERS, tls=True, sasl=SaslSettings(user="u", password_file=secret), request_seconds=5)
    reached = broker(chosen)
    options = reached.options()
    assert (options["security_protocol"], options["sasl_mechanism"]) == ("SASL_SSL", "SCRAM-SHA-512")
    assert options["ssl_context"].verify_mode is ssl.CERT_REQUIRED
    assert options["sasl_plain_password"] == "first"
    secret.write_text("second one\n")
    assert reached.options()["sasl_plain_password"] == "second one", "a file is read again"
    assert "first" not in repr(reached)


def test_a_password_is_in_no_text() -> None:
    chosen = Kafka(servers=SERVERS, sasl=SaslSettings(user="u", password=SecretStr("hush")))
    assert "hush" not in repr(chosen)
    assert "hush" not in repr(Broker(servers=SERVERS, sasl=Sasl(mechanism="PLAIN", user="u", password=lambda: "hush")))


async def test_check_says_that_nothing_stands_there() -> None:
    chosen = Kafka(servers=("127.0.0.1:1",), alarms=KafkaAlarms(topic="alarms"))
    [found] = await probe_systems(Settings(kafka=chosen))
    text = "Kafka at 127.0.0.1:1 cannot be reached: ConnectionRefusedError. Look at kafka.servers, and at what stands there"
    assert found == Probed(system="kafka", well=False, text=text)
