"""The commands as a user runs them: another process, its output, its exit code."""

from __future__ import annotations

import asyncio
import base64
import getpass
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from pydantic import ValidationError

from gateway.cli import run
from gateway.commands.demo.story import own_word
from gateway.commands.ledger import sentences
from gateway.errors import CommandFailed
from gateway.settings.settings import Settings
from gateway.stores import LaneState, check_address
from graph.ledger.backlog import ParkedDelivery, SystemBacklog
from graph.ledger.lanes import take_lanes
from graph.store.store import Store
from tests.gateway.conftest import Mint
from tests.graph.changes.network import soon
from tests.graph.ledger.asking import rows
from tests.graph.ledger.asking import run as asked

pytestmark = [pytest.mark.process, pytest.mark.long]


def trunkline(directory: Path, *arguments: str, text: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        cwd=directory,
        env=environment(settings),
        input=text,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRUNKLINE_")}
    return kept | {f"TRUNKLINE_{name.upper()}": value for name, value in settings.items()}


def issuers(mint: Mint) -> str:
    given = mint.settings().model_dump(mode="json", include={"issuer", "audience", "jwks_file"})
    return orjson.dumps([given]).decode()


RANK = ("critical", "major", "minor", "warning")


PARKED = """
UNWIND range(1, 3) AS n
CREATE (:Delivery {
  id: 'event-' + toString(n) + ':desk:b', system: 'desk', subject: 'b', lane: 'desk#1', parked: 'desk#1', version: 1,
  orderKey: 'k' + toString(n), openKey: 'k' + toString(n), state: 'DEAD', attempts: 3, createdAt: 1, since: 1, nextAt: 1,
  parkedFor: CASE WHEN n < 3 THEN 'refused' ELSE 'fault' END, payload: '{}'
})
"""


Ledger = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture
def ledger(
    tmp_path: Path, store_address: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Ledger:
    """Run `trunkline ledger` in this process, on the session's database; give its exit code and what it printed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRUNKLINE_STORE", store_address)

    async def ran(*arguments: str) -> tuple[int, str]:
        capfd.readouterr()
        code = await asyncio.to_thread(run, ["ledger", *arguments])
        return code, capfd.readouterr().out

    return ran


def test_the_store_may_be_said_before_a_command_about_inventories(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRUNKLINE_STORE", "embedded:data")  # what is typed goes there, and is taken back at the end
    assert run(["inventory", "--store", "embeded:data", "differences"]) == 2
    assert "did you mean embedded?" in capfd.readouterr().err


@pytest.mark.long(20)
class TestLedger:
    @pytest.mark.usefixtures("empty_store")
    async def test_it_tells_what_waits(self, ledger: Ledger) -> None:
        code, told = await ledger("--json")
        assert code == 0
        assert orjson.loads(told) == {"systems": [], "lanes": [], "parked": []}
        assert await ledger() == (0, "No system was ever told anything.\n")

    def test_lanes_with_something_in_them_are_shown_with_their_reasons(self) -> None:
        empty = LaneState(
            id="desk#0",
            system="desk",
            shard=0,
            owner="p",
            until=1,
            waiting=0,
            oldest_at=None,
            oldest_seconds=0.0,
            attempts=0,
            last_error=None,
            parked=0,
            parked_keys=(),
        )
        more = {"owner": None, "waiting": 3, "oldest_seconds": 90.4, "attempts": 4, "last_error": "it was busy"}
        stuck = replace(empty, id="desk#1", shard=1, parked=1, held=2, parked_keys=("a:b",), **more)  # type: ignore[arg-type]  # it fits
        parked = ParkedDelivery(
            id="event-1:desk:b",
            system="desk",
            subject="b",
            order_key="a:b",
            lane="desk#1",
            reason="refused",
            error="desk answered 422 to POST troubleTicket",
            answer='{"reason": "no such customer"}',
            attempts=3,
            created_at=1,
            held=2,
        )
        desk = SystemBacklog(system="desk", waiting=3, oldest_seconds=90.0, parked=1, held=2, is_paused=True)
        alerta = SystemBacklog(
            system="alerta", waiting=2, oldest_seconds=5.0, parked=0, suspended=1, suspended_seconds=600.0
        )
        assert list(sentences([alerta, desk], [empty, stuck], [parked])) == [
            "alerta: 2 waiting, the oldest for 5 s, 1 suspended there for 600 s; 0 parked",
            "desk: 3 waiting, the oldest for 90 s; 1 parked, 2 held behind; paused, since it does not let us in",
            "  desk#1: 3 waiting, 1 parked, told by nobody",
            "    the oldest was tried 4 times: it was busy",
            "parked (refused): event-1:desk:b",
            "  desk, a:b, after 3 attempts, 2 held behind it",
            "  desk answered 422 to POST troubleTicket",
            '  it said: {"reason": "no such customer"}',
        ]

    @pytest.mark.parametrize(
        "arguments", [[], ["event-1", "--all"], ["--all", "--system", "desk"], ["--reason", "none"]]
    )
    def test_it_must_be_said_which_are_replayed(self, capfd: pytest.CaptureFixture[str], arguments: list[str]) -> None:
        assert run(["ledger", "replay", *arguments]) == 2
        assert "Error" in capfd.readouterr().err

    async def test_what_is_parked_is_listed_and_replayed(
        self, tmp_path: Path, empty_store: Store, store_address: str, ledger: Ledger
    ) -> None:
        await take_lanes(empty_store, "desk", owner="one", ttl_ms=1, deadline=soon())
        await asked(empty_store, PARKED)
        arguments = ["ledger", "--json", "--reason", "refused"]
        listed = await asyncio.to_thread(trunkline, tmp_path, *arguments, store=store_address)
        assert [each["id"] for each in orjson.loads(listed.stdout)["parked"]] == ["event-1:desk:b", "event-2:desk:b"]
        dry = await ledger("replay", "--system", "desk", "--reason", "refused", "--dry-run")
        assert dry == (0, "event-1:desk:b would be sent again\nevent-2:desk:b would be sent again\n")
        code, told = await ledger("replay", "event-2:desk:b", "event-2:desk:b", "none", "--json")
        assert (code, orjson.loads(told)) == (1, {"dryRun": False, "replayed": ["event-2:desk:b"], "notParked": []})
        assert await ledger("replay", "event-2:desk:b") == (0, "event-2:desk:b is not parked\n")
        assert await ledger("replay", "none") == (1, "")  # what is wrong stands on stderr, and nothing beside it
        code, told = await ledger("replay", "--all", "--json")
        assert (code, orjson.loads(told)["replayed"]) == (0, ["event-1:desk:b", "event-3:desk:b"])
        text = "MATCH (e:Event {type: 'DeliveryReplayed'}) RETURN e.aggregateId, e.principal ORDER BY e.aggregateId"
        who = f"terminal:{getpass.getuser()}"
        assert await rows(empty_store, text) == [[f"event-{number}:desk:b", who] for number in (1, 2, 3)]


@pytest.mark.long(100)
class TestDemo:
    def test_once_it_tells_one_json_object(self, tmp_path: Path) -> None:
        done = trunkline(tmp_path, "demo", "--once", "--json", "--seed", "2", "--scale", "1000")
        assert done.returncode == 0, done.stderr
        told = orjson.loads(done.stdout)
        assert told["nodes"] >= 1_000
        assert told["relationships"] > told["nodes"]
        assert told["alarm"]["externalAlarmId"] == "FM-00000002"
        assert told["hiddenFromOther"] is True
        assert told["resolved"] is True
        assert "Traceback" not in done.stderr
        worst: dict[str, str] = {}
        for each in told["affected"]:
            assert each["effect"] in {"down", "degraded", "atRisk"}
            if each["severity"] in RANK[:3]:
                before = worst.get(each["customer"]["id"], "minor")
                worst[each["customer"]["id"]] = min(before, each["severity"], key=RANK.index)
        assert len(worst) > 1
        filed = {each["relatedParty"][0]["id"]: each["severity"] for each in told["tickets"]}
        assert filed == worst
        assert len(told["tickets"]) == len(worst)
        assert {each["externalId"] for each in told["tickets"]} == {f"{told['alarm']['id']}:{one}" for one in worst}
        customer = told["query"]["data"]
        assert told["query"]["milliseconds"] > 0
        assert customer["tickets"]["nodes"][0]["externalId"] in {each["id"] for each in told["tickets"]}
        assert [each for each in customer["services"]["nodes"] if each["affectedBy"]["nodes"]]
        assert customer["bills"] == [
            {
                "number": "2026-01-0042",
                "state": "SENT",
                "dueAt": "2026-02-15T00:00:00.000Z",
                "amountDue": {"amount": "471150", "currency": "EUR"},
            }
        ]
        self.others_know(told)
        self.a_subscriber_has_heard(told)
        self.a_customer_had_more_bandwidth(told["videoconference"])
        self.a_new_customer_has_a_service(told["newcomer"])

    def a_new_customer_has_a_service(self, told: dict[str, Any]) -> None:
        service, name = told["service"], told["customer"]["name"]
        assert told["state"] == "completed"
        assert (service["state"], service["sla"]["tier"]) == ("ACTIVE", "PREMIUM")
        assert set(told["held"].values()) == {500}
        assert set(told["held"]) == {"service", "network", "inventory", "performance"}
        trunks = [(each["path"], each["trunk"]["name"]) for each in service["route"]]
        working, standby = ({each for path, each in trunks if path == kind} for kind in ("WORKING", "PROTECTING"))
        assert working
        assert standby
        assert not working & standby
        sites = [each["port"]["card"]["networkElement"]["site"]["name"] for each in service["accessPoints"]]
        assert len(set(sites)) == 2
        steps = {(each["name"], each["system"]): each["state"] for each in told["steps"]}
        systems = ("INVENTORY", "PERFORMANCE", "FAULT_MANAGEMENT", "BILLING")
        wanted = [("reserve", "TRUNKLINE"), ("activate", "NETWORK"), ("correlate", "TRUNKLINE")]
        assert steps == dict.fromkeys([*wanted, *(("tell", each) for each in systems)], "DONE")
        assert (told["hit"]["effect"], told["hit"]["severity"]) == ("DOWN", "CRITICAL")
        assert told["ticket"]["relatedParty"][0]["name"] == name

    def a_customer_had_more_bandwidth(self, told: dict[str, Any]) -> None:
        committed, added = told["service"]["committedMbps"], told["booked"]["mbps"]
        assert 0 < added <= told["wished"]["mostMbps"]
        assert set(told["whileItRuns"].values()) == {committed + added}
        assert set(told["afterwards"].values()) == {committed}
        assert set(told["whileItRuns"]) == {"service", "network", "inventory", "performance"}
        boost = told["boost"]
        assert (boost["status"], boost["statusReason"]) == ("TERMINATED", "DURATION_EXPIRED")
        steps = {(each["boundary"], each["system"]): each["state"] for each in boost["steps"]["nodes"]}
        systems = ("NETWORK", "PERFORMANCE", "FAULT_MANAGEMENT", "INVENTORY")
        wanted = [*((where, each) for where in ("START", "RETURN") for each in systems), ("RETURN", "BILLING")]
        assert steps == dict.fromkeys(wanted, "DONE")
        assert len(told["usage"]) == 3
        assert told["service"]["id"] in {each["id"] for each in told["lead"]["relatedEntity"]}

    def a_subscriber_has_heard(self, told: dict[str, Any]) -> None:
        ours = {
            each["service"]["name"]
            for each in told["affected"]
            if each["customer"]["id"] == told["query"]["data"]["id"]
        }
        for kind, effect in (("BEGAN", "DOWN"), ("ENDED", None)):
            alert = told["subscriber"][kind.lower()]
            assert alert["kind"] == kind
            assert {(each["service"]["name"], each["effect"]) for each in alert["services"]} == {
                (name, effect) for name in ours
            }

    def others_know(self, told: dict[str, Any]) -> None:
        hit = {(each["service"]["id"], each["customer"]["id"], each["effect"]) for each in told["affected"]}
        alarm = told["centre"]["alarm"]
        assert alarm["externalAlarmId"] == told["alarm"]["id"]
        assert {(each["id"], each["customer"]["id"], each["effect"]) for each in alarm["affectedService"]} == hit
        assert told["centre"]["acknowledgedHere"] is True
        suffered = {each["affectedService"][0]["id"] for each in told["billing"]["downtime"]}
        assert suffered == {service for service, _, _ in hit}
        [party, *_] = told["billing"]["usage"]["relatedParty"]
        assert party["id"] == told["query"]["data"]["id"]
        card = told["alarm"]["alarmedObject"]
        assert told["inventory"]["difference"]["resource"] == card["id"]
        assert told["inventory"]["difference"]["state"] == "HELD"
        assert told["inventory"]["told"]["name"] == card["name"]
        neighbours = {
            "ticketing",
            "fault management",
            "billing",
            "inventory",
            "provisioning",
            "performance monitoring",
            "sales",
        }
        assert set(told["neighbours"]) == neighbours

    def test_its_lines_work_when_pasted_and_ctrl_c_ends_it(self, tmp_path: Path) -> None:
        arguments = [sys.executable, "-u", "-m", "gateway", "demo", "--scale", "1000"]
        with subprocess.Popen(
            arguments,
            cwd=tmp_path,
            env=environment({}) | {"TMPDIR": str(tmp_path)},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            try:
                lines = []
                for line in process.stdout:
                    lines.append(line.rstrip("\n"))
                    if line.startswith("Ctrl-C"):
                        break
                pasted = [line for line in lines if line.startswith("curl ")]
                answers = [self.ask(self.pasted(each)) for each in pasted]
                time.sleep(1.1)  # an alarm that is raised in the second in which it was cleared is an old report
                again = [self.ask(self.pasted(each)) for each in pasted[-2:]]
            finally:
                process.send_signal(signal.SIGINT)
        assert process.returncode == 0
        operator, premium, standard, raised, cleared = answers
        assert operator["data"]["customers"]["totalCount"] > 0
        assert premium["data"]["customer"]["name"]
        assert standard == {"data": {"customer": None}}
        for failed, mended in ((raised, cleared), again):
            assert (failed["state"], mended["state"]) == ("raised", "cleared")
            assert failed["affectedService"]
        assert list(tmp_path.iterdir()) == [], "everything that it made is gone"

    def pasted(self, line: str) -> list[str]:
        """Give the arguments with which a shell would start curl, which need not be installed."""
        script = f"""curl() {{ printf '%s\\0' curl "$@"; }}; {line}"""
        return subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True).stdout.split("\0")[:-1]

    def ask(self, curl: list[str]) -> Any:
        assert curl[:2] == ["curl", "-s"]
        headers = dict(curl[n + 1].split(": ", 1) for n, each in enumerate(curl) if each == "-H")
        return httpx.post(curl[2], headers=headers, content=curl[curl.index("-d") + 1], timeout=30).json()


class TestCheck:
    def test_all_is_well(self, tmp_path: Path, mint: Mint, store_address: str) -> None:
        settings = {"store": store_address, "issuers": issuers(mint)}
        done = trunkline(tmp_path, "check", "--migrate", "--json", **settings)
        assert done.returncode == 0, done.stdout
        found = orjson.loads(done.stdout)
        assert found["well"] is True
        parts = ["settings", "database", "schema", "slices", "graph", "alarms", "capacity", "issuer"]
        assert [each["part"] for each in found["findings"]] == parts

    def test_each_part_says_what_is_wrong(self, tmp_path: Path) -> None:
        done = trunkline(tmp_path, "check", "--store", "bolt://127.0.0.1:9")
        assert done.returncode == 1
        settings, database, issuer = done.stdout.splitlines()
        assert settings.startswith("ok   settings: ")
        assert database.startswith("FAIL database: ")
        assert issuer.startswith("FAIL issuers: ")
        assert done.stderr == ""

    def test_broken_settings_are_told_first(self, tmp_path: Path) -> None:
        done = trunkline(tmp_path, "check", "--json", workers="none", listen="nowhere")
        assert done.returncode == 2
        findings = orjson.loads(done.stdout)["findings"]
        assert {each["part"] for each in findings} == {"settings"}
        assert sorted(each["text"].partition(":")[0] for each in findings) == ["listen", "workers"]

    @pytest.mark.parametrize("address", ["embedded:", "http://x", "bolt://user:secret@x", "nonsense"])
    def test_an_address_that_cannot_be_is_a_sentence(self, address: str) -> None:
        with pytest.raises((CommandFailed, ValidationError)) as failed:
            check_address(Settings(store=address))
        assert "secret" not in str(failed.value)


class TestLoad:
    def test_a_file_with_faults_is_refused_by_line(self, tmp_path: Path, store_address: str) -> None:
        lines = '{"label": "Nothing", "id": "nothing-1"}\nnot json\n'
        done = trunkline(tmp_path, "load", "-", "--store", store_address, text=lines)
        assert done.returncode == 1
        assert "line 1: " in done.stderr
        assert "line 2: " in done.stderr
        assert "Traceback" not in done.stderr

    def test_an_unknown_topology_is_a_sentence(self, tmp_path: Path, store_address: str) -> None:
        done = trunkline(tmp_path, "load", "--topology", "sndlib/atlantis", "--store", store_address)
        assert done.returncode == 1
        assert "atlantis" in done.stderr
        assert "Traceback" not in done.stderr


class TestToken:
    def test_it_is_believed_by_the_setting_beside_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.chdir(tmp_path)
        assert run(["token", "--setting"]) == 0
        (setting,) = orjson.loads(capfd.readouterr().out)
        assert run(["token", "--role", "customer", "--customer", "a", "--customer", "b"]) == 0
        assert capfd.readouterr().out.count(".") == 2
        changes = ["--changes", "commentTicket", "--changes", "reportProblem"]
        assert run(["token", "--role", "customer", "--customer", "a", *changes]) == 0
        _, claims, _ = capfd.readouterr().out.split(".")
        assert orjson.loads(base64.urlsafe_b64decode(claims + "=="))["changes"] == ["commentTicket", "reportProblem"]
        published = orjson.loads(Path(setting["jwks_file"]).read_bytes())
        assert "d" not in published["keys"][0]
        assert (tmp_path / "trunkline-key.json").stat().st_mode & 0o077 == 0

    @pytest.mark.parametrize(
        "arguments",
        [
            ["--role", "admin"],
            ["--role", "customer"],
            ["--customer", "a"],
            ["--role", "system"],
            ["--role", "router:x"],
            ["--role", "operator", "--changes", "reportProblem"],
            ["--role", "customer", "--customer", "a", "--changes", "reportProblems"],
            ["--role", "customer", "--customer", "a", "--changes", "acknowledgeAlarm"],
        ],
    )
    def test_a_role_that_cannot_be_is_a_sentence(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], arguments: list[str]
    ) -> None:
        assert run(["token", "--key", str(tmp_path / "key.json"), *arguments]) == 2
        assert "Error: Invalid value for" in capfd.readouterr().err

    @pytest.mark.parametrize("content", ["", "{}", '{"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0"}', "[1]"])
    def test_a_file_that_holds_no_key_is_a_sentence(
        self, tmp_path: Path, capfd: pytest.CaptureFixture[str], content: str
    ) -> None:
        file = tmp_path / "key.json"
        file.write_text(content)
        assert run(["token", "--key", str(file)]) == 1
        assert "holds no private P-256 key" in capfd.readouterr().err


class TestCompile:
    QUERY = "query ($n: Int) { customers(first: $n) { nodes { name } } }"

    def test_every_stage_is_printed(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert run(["compile", self.QUERY, "--variables", '{"n": 2}', "--json", "--customer", "customer-1"]) == 0
        stages = orjson.loads(capfd.readouterr().out)
        assert list(stages) == ["operation", "tree", "cypher", "parameters", "shaper"]
        assert "$scope" in stages["cypher"]
        assert "customer-1" in stages["parameters"]

    def test_what_several_areas_answer_has_a_plan(self, capfd: pytest.CaptureFixture[str]) -> None:
        assert run(["compile", '{ ticket(id: "ticket-1") { status notes { text } } }', "--json"]) == 0
        stages = orjson.loads(capfd.readouterr().out)
        assert list(stages) == ["operation", "plan", "#0 tree", "#0 cypher", "#0 parameters", "#0 shaper"]
        assert "#1 TICKETING after #0" in stages["plan"]

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["{ nothing }"], 1),
            (["{ __typename { }"], 1),
            (["{ __schema { queryType { name } } }"], 1),
            (["not there"], 2),
            (["{ viewer { role } }", "--variables", "[]"], 2),
            (["mutation { nothing }"], 1),
        ],
    )
    def test_what_cannot_be_compiled_is_a_sentence(
        self, capfd: pytest.CaptureFixture[str], arguments: list[str], code: int
    ) -> None:
        assert run(["compile", *arguments]) == code
        assert capfd.readouterr().err


def test_the_schema_is_printed(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["schema"]) == 0
    printed = capfd.readouterr().out
    assert "type Ticket implements Node" in printed
    assert "join__" not in printed


def test_a_command_that_does_not_exist_is_a_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["deploy"]) == 2
    assert "No such command 'deploy'." in capfd.readouterr().err
    assert run(["serv"]) == 2
    assert "No such command 'serv' (did you mean serve?)." in capfd.readouterr().err


@pytest.mark.parametrize(("name", "word"), [("DOWN", "down"), ("AT_RISK", "atRisk"), (None, None)])
def test_the_fields_own_words(name: str | None, word: str | None) -> None:
    assert own_word(name) == word
