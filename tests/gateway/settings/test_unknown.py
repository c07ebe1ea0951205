"""A name that is no setting is refused, with the one that may be meant; so is a file that is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.cli import COMMANDS, run
from gateway.settings.settings import Settings
from gateway.settings.unknown import REPLACED, names_of, unknown_variables


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [each for each in os.environ if each.startswith("TRUNKLINE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRUNKLINE_CONFIG", "")  # what a command sets is taken back
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TRUNKLINE_LISTEM", " (did you mean TRUNKLINE_LISTEN?)"),
        ("trunkline_listem", " (did you mean TRUNKLINE_LISTEN?)"),
        ("TRUNKLINE_LIMITS_COST", " (did you mean TRUNKLINE_LIMITS__COST?)"),
        ("TRUNKLINE_TICKETTING__ADDRESS", " (did you mean TRUNKLINE_TICKETING__ADDRESS?)"),
        ("TRUNKLINE_ISSUER", " (did you mean TRUNKLINE_ISSUERS?)"),
        ("TRUNKLINE_RETENTION_DAYS", " (TRUNKLINE_RETENTION__EVENTS_DAYS has taken its place)"),
        ("TRUNKLINE_DOCUMENTS", " (TRUNKLINE_LIMITS__CACHE_BYTES has taken its place)"),
        ("TRUNKLINE_CONFIGG", " (did you mean TRUNKLINE_CONFIG?)"),
        ("TRUNKLINE_ZZZZZZ", ""),
        ("TRUNKLINE_METRICS_PORT", None),
    ],
)
def test_a_variable_that_is_no_setting_is_told_with_the_nearest(name: str, told: str | None) -> None:
    (sentence,) = unknown_variables({name: "9000", "PATH": "/bin"}, Settings)
    assert sentence.startswith(f"{name}: there is no such setting")
    if told is not None:
        assert sentence == f"{name}: there is no such setting{told}."


def test_every_setting_can_be_a_variable() -> None:
    names = ["TRUNKLINE_" + each.upper().replace(".", "__") for each in names_of(Settings)]
    assert "TRUNKLINE_LIMITS__COST" in names
    assert "TRUNKLINE_SYSTEMS__NAME__SOURCES" in names
    assert list(unknown_variables(dict.fromkeys([*names, "TRUNKLINE_CONFIG"], "1"), Settings)) == []


def test_variables_that_kubernetes_makes_for_a_service_of_our_name_are_not_ours() -> None:
    made = {
        "TRUNKLINE_SERVICE_HOST": "10.0.0.11",
        "TRUNKLINE_SERVICE_PORT": "8000",
        "TRUNKLINE_SERVICE_PORT_HTTP": "8000",
        "TRUNKLINE_PORT": "tcp://10.0.0.11:8000",
        "TRUNKLINE_PORT_8000_TCP": "tcp://10.0.0.11:8000",
        "TRUNKLINE_PORT_8000_TCP_PROTO": "tcp",
        "TRUNKLINE_PORT_8000_TCP_PORT": "8000",
        "TRUNKLINE_PORT_8000_TCP_ADDR": "10.0.0.11",
        "TRUNKLINE_GATEWAY_SERVICE_HOST": "10.0.0.12",
        "TRUNKLINE_GATEWAY_PORT": "udp://10.0.0.12:8000",
    }
    assert list(unknown_variables(made, Settings)) == []
    assert list(unknown_variables({"TRUNKLINE_PORT": "8000"}, Settings)), "what a person means as a setting"


def test_a_command_refuses_it(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("TRUNKLINE_LISTEM", "0.0.0.0:80")
    monkeypatch.setenv("TRUNKLINE_WORKERS", "many")
    assert run(["serve"]) == 2
    first, second = capfd.readouterr().err.splitlines()
    assert first == "TRUNKLINE_LISTEM: there is no such setting (did you mean TRUNKLINE_LISTEN?)."
    assert second.startswith("workers: "), "with everything else that is wrong"


def test_a_name_in_the_file_is_told_with_the_nearest(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trunkline.toml"
    file.write_text('listem = "127.0.0.1:1"\n[limits]\ncosts = 1\n[systems.nms]\nsources = ["a"]\ninventry = true\n')
    assert run(["serve", "--config", str(file)]) == 2
    assert sorted(capfd.readouterr().err.splitlines()) == [
        "limits.costs: there is no such setting (did you mean limits.cost?).",
        "listem: there is no such setting (did you mean listen?).",
        "systems.nms.inventry: there is no such setting (did you mean systems.NAME.inventory?).",
    ]


def test_a_setting_of_an_earlier_version_is_told_with_what_has_taken_its_place(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """And not with what looks like it: usage would be deleted after these days."""
    file = tmp_path / "trunkline.toml"
    file.write_text("retention_days = 30\n[federation]\nplans = 7\nshow_messages = true\n")
    assert run(["serve", "--config", str(file)]) == 2
    assert sorted(capfd.readouterr().err.splitlines()) == [
        "federation.plans: there is no such setting (limits.cache_bytes has taken its place).",
        "federation.show_messages: there is no such setting (subgraphs.NAME.show_messages has taken its place).",
        "retention_days: there is no such setting (retention.events_days has taken its place).",
    ]


def test_what_has_taken_a_place_is_there_and_what_it_was_is_not() -> None:
    names = set(names_of(Settings))
    assert names.issuperset(REPLACED.values())
    assert names.isdisjoint(REPLACED)


@pytest.mark.parametrize("command", [*([each] for each in COMMANDS), ["inventory", "differences"]], ids=" ".join)
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_file_that_is_not_there_is_named_in_both_places(
    command: list[str], place: str, capfd: pytest.CaptureFixture[str]
) -> None:
    given = ["--config", "nope.toml"]
    assert run([*given, *command] if place == "before" else [*command, *given]) == 2
    assert "Invalid value for '--config': File 'nope.toml' does not exist." in capfd.readouterr().err


@pytest.mark.parametrize("place", ["before", "after"])
def test_the_file_is_read_from_both_places(tmp_path: Path, place: str, capfd: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "trunkline.toml"
    file.write_text('listen = "nowhere"\n')
    given = ["--config", str(file)]
    assert run([*given, "check"] if place == "before" else ["check", *given]) == 2
    assert "listen: 'nowhere' is not HOST:PORT" in capfd.readouterr().out
