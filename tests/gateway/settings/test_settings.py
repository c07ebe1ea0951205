from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from adapters.transport.credentials import Basic, ClientCredentials, Token
from gateway.background import kept_for, sequence_ms
from gateway.cli import run
from gateway.errors import TREATMENTS, SettingsBroken
from gateway.reaching import (
    billing_system,
    bills_system,
    fault_management_system,
    inventory_system,
    performance_system,
    sales_system,
    ticketing_system,
)
from gateway.settings.billing import Billing
from gateway.settings.fault_management import FaultManagement
from gateway.settings.inventory import Inventory
from gateway.settings.retention import Retention
from gateway.settings.settings import STORES, Issuer, Limits, Settings, load_settings
from gateway.settings.system import BasicSettings, OAuthSettings, TlsSettings
from gateway.settings.ticketing import RequestTracker, Ticketing
from graph.store.address import parse_address


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [each for each in os.environ if each.startswith("TRUNKLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LISTEN", "8000", "listen: '8000' is not HOST:PORT"),
        ("LISTEN", "localhost:99999", "listen: 'localhost:99999' is not HOST:PORT"),
        ("WORKERS", "many", "workers: must be a valid integer"),
        ("WORKERS", "0", "workers: must be greater than 0"),
        ("STORE", "", "store: string should have at least 1 character"),
        (
            "STORE",
            "embeded:/x",
            "store: begins with 'embeded', which is no kind of store (did you mean embedded?): write embedded:DIRECTORY,",
        ),
        ("STORE", "http://h:7474", "store: begins with 'http', which is no kind of store: write embedded:DIRECTORY,"),
        ("STORE", "/var/data", "store: begins with '/var/data', which is no kind of store: write embedded:DIRECTORY,"),
        ("METRICS_LISTEN", "127.0.0.1:8000", "metrics_listen: is the same address as listen: leave it out"),
        ("TICKETING", '{"address": "http://x", "callback": "us:80"}', "ticketing.callback: is not http(s)://HOST"),
        ("TICKETING", '{"address": "http://x:0"}', "ticketing.address: is not http(s)://HOST"),
        ("DEADLINE_SECONDS", "-1", "deadline_seconds: must be greater than 0"),
        ("LOG_LEVEL", "loud", "log_level: must be 'debug'"),
        ("LIMITS", "5", "limits: is a section: [limits] in a file, TRUNKLINE_LIMITS__... in the environment."),
        ("LIMITS__COST", "x", "limits.cost: must be a valid integer"),
        ("LIMITS__CACHE_BYTES", "9999999", "limits.cache_bytes: must be greater than or equal to 10000000."),
        ("SYSTEMS__nms__SOURCES", "nms", 'systems.nms.sources: is no list, such as ["one", "two"].'),
        ("LIMITS__COSTS", "1", "limits.costs: there is no such setting (did you mean limits.cost?)."),
        ("ISSUERS", "https://issuer", "issuers: what TRUNKLINE_ISSUERS holds is not JSON."),
        ("ISSUERS", "", "issuers: what TRUNKLINE_ISSUERS holds is not JSON: it is empty."),
        ("ISSUERS", "[{}]", "issuers.0.issuer: is missing."),
        ("ISSUERS", '[{"issuer": "a", "audience": "b"}]', "issuers.0: needs exactly one of jwks_url and jwks_file."),
        (
            "ISSUERS",
            '[{"issuer": "a", "audience": "b", "jwks_url": "file:///x"}]',
            "issuers.0: has a jwks_url that is no",
        ),
        (
            "ISSUERS",
            '[{"issuer": "a", "audience": "b", "jwks_file": "x", "algorithms": ["HS256"]}]',
            "issuers.0.algorithms.0: must be 'ES256'",
        ),
        (
            "ISSUERS",
            '[{"issuer": "a", "audience": "b", "jwks_file": "x"}, {"issuer": "a", "audience": "b", "jwks_file": "x"}]',
            "issuers: names the same issuer twice.",
        ),
        ("BILLING", "{}", "billing: has no address, and no spool."),
        ("BILLING__ADDRESS", "ftp://x", "billing.address: is not http(s)://HOST[:PORT][/PATH]."),
        (
            "BILLING",
            '{"address": "http://x", "bills": "http://a:b@x"}',
            "billing.bills: has a credential in it: give it as bearer_file.",
        ),
        ("BILLING", '{"dialect": "ipdr", "spool": "/not/there"}', "billing: has a spool that is no directory."),
        (
            "PERFORMANCE",
            '{"address": "http://x", "utilization": {"premium": 101}}',
            "performance.utilization.premium: must be less than or equal to 100.",
        ),
        (
            "BANDWIDTH",
            '{"cap": {"amount": "5", "currency": "Euro"}}',
            "bandwidth.cap.currency: must be three capital letters, such as EUR (ISO 4217).",
        ),
        (
            "BANDWIDTH",
            '{"tariffs": {"any": {"currency": "EUR", "step_mbps": 50, "tiers": []}}}',
            "bandwidth.tariffs.any: must have either tiers or an offering.",
        ),
        ("SALES", '{"address": "http://x", "valid_days": 0}', "sales.valid_days: must be greater than 0."),
        (
            "INVENTORY",
            '{"address": "http://x", "services": "http://y", "keeps_services": false}',
            "inventory: has services, and keeps_services is false.",
        ),
        ("PERFORMANCE", '{"address": "http://x", "files": "/tmp"}', "performance.files: string should match pattern"),
        ("BILLING", '{"spool": "/"}', "billing: has a spool, which is for the dialect ipdr"),
        ("BILLING", '{"dialect": "ipdr", "spool": "/", "address": "http://x"}', "billing: has a spool, which is for"),
        (
            "BILLING",
            '{"address": "http://x", "bearer_file": "/not/there"}',
            "billing.bearer_file: /not/there cannot be",
        ),
        ("BILLING", '{"address": "http://x", "name": "a:b"}', "billing.name: string should match pattern"),
        (
            "BILLING",
            '{"address": "http://x", "bearer": "a", "basic": {"user": "u", "password": "p"}}',
            "billing: has more than one of bearer, basic and oauth.",
        ),
        (
            "BILLING",
            '{"address": "http://x", "basic": {"user": "u"}}',
            "billing.basic.password: it is missing; give it, or password_file.",
        ),
        (
            "TICKETING",
            '{"address": "http://x", "oauth": {"token_url": "ftp://x", "client_id": "u"}}',
            "ticketing.oauth.token_url: string should match pattern",
        ),
        (
            "TICKETING",
            '{"address": "http://x", "oauth": {"token_url": "https://x/token", "client_id": "u"}}',
            "ticketing.oauth.client_secret: it is missing; give it, or client_secret_file.",
        ),
        (
            "INVENTORY",
            '{"address": "http://x", "oauth": {"token_url": "https://x", "client_id": "u", "client_secret_file": "/no"}}',
            "inventory.oauth.client_secret_file: /no cannot be read: No such file",
        ),
        (
            "INVENTORY",
            '{"address": "https://x", "tls": {}}',
            "inventory.tls: needs a certificate_file, or an authority_",
        ),
        (
            "INVENTORY",
            '{"address": "https://x", "tls": {"authority_file": "/not/there"}}',
            "inventory.tls: its files cannot be used: No such file",
        ),
        (
            "FAULT_MANAGEMENT",
            '{"address": "http://x", "tls": {"authority_file": "/not/there"}}',
            "fault_management.tls: its address is not https://.",
        ),
        (
            "TICKETING",
            '{"address": "http://rt/REST/2.0", "dialect": "rt"}',
            "ticketing: needs the section rt, with a queue, for the dialect rt, and for no other.",
        ),
        (
            "TICKETING",
            '{"address": "http://rt", "dialect": "rt", "rt": {"queue": "Q"}, "callback": "http://us"}',
            "ticketing: has a callback, and Request Tracker calls nobody: leave it out, and it is polled.",
        ),
        (
            "TICKETING",
            """{"address": "http://rt", "dialect": "rt", "rt": {"queue": "Q", "key_field": "a'b"}}""",
            "ticketing.rt.key_field: string should match pattern",
        ),
        ("STORE_PASSWORD_FILE", "/not/there", "store_password_file: /not/there cannot be read: No such file"),
        ("CURSOR_KEY", "c0ffee", "cursor_key: it is not 64 hexadecimal digits."),
        ("CONFIG", "/not/there.toml", "TRUNKLINE_CONFIG: there is no file /not/there.toml."),
    ],
)
def test_a_fault_is_a_sentence_with_the_settings_name_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(f"TRUNKLINE_{name}", value)
    assert run(["serve"]) == 2
    assert capfd.readouterr().err.startswith(sentence)


def test_every_setting_is_in_the_documentation() -> None:
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    names = {*Settings.model_fields, *Issuer.model_fields, *Limits.model_fields, *Ticketing.model_fields}
    names |= RequestTracker.model_fields.keys() | BasicSettings.model_fields.keys()
    names |= OAuthSettings.model_fields.keys() | TlsSettings.model_fields.keys()
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_every_code_is_in_the_documentation_with_its_status() -> None:
    lines = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8").splitlines()
    for code, treatment in TREATMENTS.items():
        (row,) = (line for line in lines if line.startswith("|") and f"`{code.value}`" in line.split("|")[1])
        assert str(treatment.status) in row.split("|")[2]


def test_all_faults_are_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUNKLINE_WORKERS", "0")
    monkeypatch.setenv("TRUNKLINE_LISTEN", "nowhere")
    with pytest.raises(SettingsBroken) as broken:
        load_settings()
    assert len(broken.value.faults) == 2


def test_faults_of_every_kind_are_told_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A misspelt name, a broken file, what is no JSON, a wrong value, what does not fit together, a secret that is not there."""
    file = tmp_path / "trunkline.toml"
    file.write_text("workers = ")
    wrong = {
        "CONFIG": str(file),
        "LISTEM": "x",
        "ISSUERS": "x",
        "SYSTEMS": "{",
        "STORE": "embeded:/x",
        "LISTEN": "nowhere",
        "METRICS_LISTEN": "127.0.0.1:8000",
        "TICKETING": '{"address": "ftp://x", "requests": 0}',
        "BILLING": '{"spool": "/", "bearer": "a", "basic": {"user": "u", "password": "p"}}',
        "INVENTORY": '{"address": "http://x", "bearer_file": "/not/there"}',
        "STORE_PASSWORD_FILE": "/not/there",
        "CURSOR_KEY": "c0ffee",
    }
    for name, value in wrong.items():
        monkeypatch.setenv(f"TRUNKLINE_{name}", value)
    with pytest.raises(SettingsBroken) as broken:
        load_settings()
    assert [each.partition(": ")[0] for each in broken.value.faults] == [
        *("TRUNKLINE_LISTEM", "TRUNKLINE_CONFIG", "store", "listen", "issuers", "systems"),
        *("ticketing.address", "ticketing.requests", "billing"),
        *("store_password_file", "inventory.bearer_file", "cursor_key"),
    ]
    [billing] = [each for each in broken.value.faults if each.startswith("billing: ")]
    assert billing == (
        "billing: has more than one of bearer, basic and oauth; "
        "has a spool, which is for the dialect ipdr and in place of an address."
    )
    assert "systems: what TRUNKLINE_SYSTEMS holds is not JSON." in broken.value.faults


def test_a_store_begins_as_an_address_of_one_does() -> None:
    for kind in STORES:
        address = "embedded:data" if kind == "embedded" else f"{kind}://host:7687"
        assert str(parse_address(address)).startswith(kind)
        assert Settings(store=address).store == address


def test_a_file_that_was_typed_is_told_by_its_option(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("workers = \n")
    for words in (["--config", str(file), "serve"], ["serve", "--config", str(file)]):
        assert run(words) == 2
        told = capfd.readouterr().err
        assert f"Invalid value for '--config': {file} is not TOML: Invalid value (at line 1, column 11)" in told
        assert "TRUNKLINE_CONFIG" not in told
    assert "TRUNKLINE_CONFIG" not in os.environ


def test_nothing_is_served_without_an_issuer(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["serve"]) == 2
    assert capfd.readouterr().err.startswith("issuers: ")


@pytest.mark.parametrize("text", ["workers = ", "workers = 'two'", "wrokers = 2", b"\xff\xfe"])
def test_a_broken_file_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str | bytes
) -> None:
    file = tmp_path / "trunkline.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    monkeypatch.setenv("TRUNKLINE_CONFIG", str(file))
    assert run(["serve"]) == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith(("TRUNKLINE_CONFIG: ", "workers: ", "wrokers: "))


def test_the_environment_wins_over_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "trunkline.toml"
    file.write_text('workers = 2\nlisten = "127.0.0.1:1"\n[limits]\ncost = 7\ndepth = 8\n')
    monkeypatch.setenv("TRUNKLINE_CONFIG", str(file))
    monkeypatch.setenv("TRUNKLINE_WORKERS", "3")
    monkeypatch.setenv("TRUNKLINE_LIMITS__DEPTH", "9")
    settings = load_settings()
    assert (settings.workers, settings.address, settings.limits.cost, settings.limits.depth) == (
        3,
        ("127.0.0.1", 1),
        7,
        9,
    )


def test_a_secret_comes_from_a_file_and_is_never_shown(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("correct horse\n")
    monkeypatch.setenv("TRUNKLINE_STORE_PASSWORD_FILE", str(file))
    settings = load_settings()
    assert settings.store_password == SecretStr("correct horse")
    assert "correct" not in repr(settings) + str(settings) + settings.model_dump_json()


def test_a_secret_is_given_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TRUNKLINE_STORE_BEARER", "a")
    monkeypatch.setenv("TRUNKLINE_STORE_BEARER_FILE", str(tmp_path / "b"))
    with pytest.raises(SettingsBroken, match=r"give either it or store_bearer, not both"):
        load_settings()


def test_each_way_to_say_who_asks_is_a_credential_of_the_system(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "secret"
    file.write_text("correct horse\n")
    ways: dict[str, tuple[str, type[object]]] = {
        "ticketing": (f'"basic": {{"user": "u", "password_file": "{file}"}}', Basic),
        "billing": ('"bearer": "correct horse"', Token),
        "inventory": (f'"bearer_file": "{file}"', Token),
        "performance": (f'"bearer_file": "{file}"', Token),
        "sales": (f'"bearer_file": "{file}"', Token),
        "fault_management": (
            f'"oauth": {{"token_url": "http://as/t", "client_id": "u", "client_secret_file": "{file}"}}',
            ClientCredentials,
        ),
    }
    for section, (said, _) in ways.items():
        monkeypatch.setenv(f"TRUNKLINE_{section.upper()}", f'{{"address": "http://x", {said}}}')
    settings = load_settings()
    assert "correct" not in repr(settings) + settings.model_dump_json()
    assert settings.ticketing
    assert settings.billing
    assert settings.inventory
    assert settings.fault_management
    assert settings.performance
    assert settings.sales
    described = {
        "ticketing": ticketing_system(settings.ticketing),
        "billing": billing_system(settings.billing),
        "inventory": inventory_system(settings.inventory),
        "performance": performance_system(settings.performance),
        "sales": sales_system(settings.sales),
        "fault_management": fault_management_system(settings.fault_management),
    }
    assert {section: type(each.credential) for section, each in described.items()} == {
        section: kind for section, (_, kind) in ways.items()
    }
    assert "correct" not in repr(described)
    assert billing_system(Billing(address="http://x")).credential is None


async def test_each_dialect_has_its_own_way_to_bring_a_token() -> None:
    given: dict[str, Any] = {"address": "http://x", "bearer": "t"}
    bearer = {"Authorization": "Bearer t"}
    for system, headers in (
        (ticketing_system(Ticketing(**given)), bearer),
        (
            ticketing_system(Ticketing(**given, dialect="rt", rt=RequestTracker(queue="network"))),
            {"Authorization": "token t"},
        ),
        (fault_management_system(FaultManagement(**given)), bearer),
        (fault_management_system(FaultManagement(**given, dialect="mtosi")), bearer),
        (fault_management_system(FaultManagement(**given, dialect="alerta")), {"X-API-Key": "t"}),
        (billing_system(Billing(**given)), bearer),
        (bills_system(Billing(**given, bills="http://y")), bearer),
        (inventory_system(Inventory(**given)), bearer),
    ):
        assert isinstance(system.credential, Token)
        assert await system.credential.headers(not_asked, deadline=0.0) == headers
    assert bills_system(Billing(**given, bills="http://y")).address == "http://y"


async def not_asked(*_: object, **__: object) -> Any:
    raise AssertionError("a token is known already")


def test_what_a_subscriber_may_resume_after_is_kept() -> None:
    hours = 3_600_000
    assert kept_for(Retention(events_days=1)).events > sequence_ms(Retention()) == 72 * hours
    assert kept_for(Retention(events_days=1, sequence_hours=200)).events > 200 * hours
    assert kept_for(Retention(events_days=400)).events == 400 * 24 * hours
    with pytest.raises(ValidationError):
        Retention(sequence_hours=71)


@pytest.mark.parametrize(
    ("given", "services"),
    [
        (
            {"address": "https://x/a/tmf-api/resourceInventoryManagement/v4"},
            "https://x/a/tmf-api/serviceInventory/v4",
        ),
        ({"address": "https://x/tmf-api/r/v4", "services": "https://y/s"}, "https://y/s"),
        ({"address": "https://x/tmf-api/r/v4", "keeps_services": False}, ""),
        ({"address": "https://x/inventory"}, ""),
        ({"address": "https://x/tmf-api/mtosi", "dialect": "mtosi"}, ""),
        ({"address": "https://x/mtosi", "dialect": "mtosi", "services": "https://y/s"}, "https://y/s"),
    ],
)
def test_services_are_beside_the_equipment_unless_they_are_said_to_be_elsewhere(
    given: dict[str, Any], services: str
) -> None:
    assert Inventory(**given).services_address == services
