from __future__ import annotations

import gzip
import re
from collections.abc import Iterable
from pathlib import Path

import orjson
import pytest

from graph.load import BadLines, Record, as_line, grow, read_topology
from graph.load.lines import Spool
from graph.model.identity import loaded_id

ELEMENT, OTHER, CARD, PORT = (
    loaded_id(label, "test", name)
    for label, name in (("NetworkElement", "1"), ("NetworkElement", "2"), ("Card", "1"), ("Port", "1"))
)


def card(node_id: str = CARD) -> bytes:
    states = {"operationalState": "enabled", "administrativeState": "unlocked"}
    return orjson.dumps(
        {"label": "Card", "id": node_id, "properties": {"name": "1", "model": "m", "slot": 1, **states}}
    )


def joined(kind: str, start: str, end: str) -> bytes:
    return orjson.dumps({"type": kind, "start": start, "end": end})


def faults(lines: Iterable[bytes | str]) -> dict[int, str]:
    with Spool() as spool:
        for number, line in enumerate(lines, 1):
            spool.add(number, line)
        try:
            spool.raise_faults()
        except BadLines as bad:
            return {fault.line: fault.problem for fault in bad.faults}
        return {}


def test_what_was_grown_can_be_read_as_lines_nodes_first() -> None:
    records: list[Record] = list(grow(read_topology("sndlib/abilene"), 1_000, 1, alarms=3))
    with Spool() as spool:
        for number, record in enumerate(records, 1):
            spool.add(number, as_line(record))
        spool.raise_faults()
        read = list(spool.records())
        assert not list(spool.missing())
    assert read == sorted(records, key=lambda each: hasattr(each, "start"))


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert list(faults([b"", "  \n", b"\n", b"x"])) == [4]


def test_each_fault_is_told_with_its_line() -> None:
    assert list(faults([card(), b"{}", card(PORT), card(CARD)])) == [2, 3, 4]


def test_a_mark_of_the_byte_order_before_the_first_line_is_passed_over() -> None:
    assert faults([b"\xef\xbb\xbf" + card(), b"\xef\xbb\xbf" + card(PORT)])[2].startswith("column 1: this is not JSON")
    assert list(faults([b"\xef\xbb\xbf\n", b"\xef\xbb\xbf" + card()])) == [2]


@pytest.mark.parametrize(
    ("begins", "problem"),
    [
        pytest.param(gzip.compress(card()), "the file is packed (gzip): unpack it first", id="gzip"),
        pytest.param(card().decode().encode("utf-16"), "the file is in UTF-16: write it in UTF-8", id="UTF-16"),
        pytest.param(b"[" + card(), "the file begins as a JSON array", id="an array"),
    ],
)
def test_a_file_of_another_form_is_named_once(begins: bytes, problem: str) -> None:
    with pytest.raises(BadLines) as caught:
        faults([begins, card("x")])
    [fault] = caught.value.faults
    assert (fault.line, fault.problem.startswith(problem)) == (1, True)


def test_an_id_can_be_there_once() -> None:
    assert faults([card(), b"", card()]) == {3: f"{CARD} is in the file already (line 1)"}


def test_what_can_have_one_start_is_refused_a_second() -> None:
    lines = [joined("HOLDS", ELEMENT, CARD), joined("HOLDS", OTHER, CARD)]
    assert faults(lines) == {2: f"{CARD} has HOLDS from another already, and can have only one (line 1)"}


def test_what_can_have_one_end_is_refused_a_second() -> None:
    sites = [loaded_id("Site", "test", name) for name in "12"]
    lines = [joined("LOCATED_AT", ELEMENT, site) for site in sites]
    assert faults(lines) == {2: f"{ELEMENT} has LOCATED_AT to another already, and can have only one (line 1)"}


def test_a_trunk_can_end_once_at_each_of_its_ends() -> None:
    trunk = loaded_id("Trunk", "test", "1")

    def ended(end: str, port: str) -> bytes:
        given = {"start": trunk, "end": loaded_id("Port", "test", port), "properties": {"end": end}}
        return orjson.dumps({"type": "TERMINATES_ON", **given})

    problem = f"{trunk} has TERMINATES_ON to another already, and can have only one for one end (line 1)"
    assert faults([ended("A", "1"), ended("Z", "2"), ended("A", "3")]) == {3: problem}
    assert faults([ended("A", "1"), ended("A", "1")]) == {2: problem}


def test_a_trunk_ends_on_two_different_ports() -> None:
    trunk = loaded_id("Trunk", "test", "1")

    def ended(end: str) -> bytes:
        return orjson.dumps({"type": "TERMINATES_ON", "start": trunk, "end": PORT, "properties": {"end": end}})

    problem = f"{trunk} has TERMINATES_ON to {PORT} already, and must have another for each end (line 1)"
    assert faults([ended("A"), ended("Z")]) == {2: problem}


def test_ends_that_are_not_in_the_file_are_named_wherever_the_nodes_stand() -> None:
    with Spool() as spool:
        for number, line in enumerate([joined("HOLDS", ELEMENT, CARD), joined("HAS_PORT", CARD, PORT), card()], 1):
            spool.add(number, line)
        spool.raise_faults()
        assert list(spool.missing()) == [(1, ELEMENT), (2, PORT)]


def test_of_many_faults_the_first_are_named_and_all_are_counted() -> None:
    with Spool() as spool:
        for number in range(1, 251):
            spool.add(number, b"x")
        with pytest.raises(BadLines, match="250 lines cannot be loaded") as caught:
            spool.raise_faults()
    assert [fault.line for fault in caught.value.faults] == list(range(1, 101))
    assert caught.value.lines == 250


def test_lines_are_counted_and_not_what_is_wrong_with_them() -> None:
    with Spool() as spool:
        for number in (1, 2):
            spool.add(number, card())
        spool.refuse(1, "this")
        spool.refuse(2, "that")
        with pytest.raises(BadLines, match=r"^2 lines cannot be loaded\.") as caught:
            spool.raise_faults()
    assert [(fault.line, len(fault.problem) > 4) for fault in caught.value.faults] == [
        (1, False),
        (2, True),
        (2, False),
    ]


def test_several_faults_of_one_line_are_one_line() -> None:
    with Spool() as spool:
        spool.refuse(7, "this")
        spool.refuse(7, "that")
        with pytest.raises(BadLines, match=r"^1 line cannot be loaded\."):
            spool.raise_faults()


def named(name: str, node: str = "1") -> bytes:
    properties = {"system": "nms", "name": name}
    return orjson.dumps(
        {"label": "ExternalName", "id": loaded_id("ExternalName", "test", node), "properties": properties}
    )


def test_a_system_calls_one_thing_by_a_name() -> None:
    problem = "the name 'KOL-1' of the system 'nms' is given already, in the file (line 1)"
    assert faults([named("KOL-1"), named("KOL-2", "2"), named("KOL-1", "3")]) == {3: problem}


def test_the_same_lines_are_known_as_the_same_file() -> None:
    def digest(*lines: bytes) -> str:
        with Spool() as spool:
            for number, line in enumerate(lines, 1):
                spool.add(number, line)
            return spool.digest

    assert digest(card()) == digest(b"\n", card().replace(b":", b" : "))
    assert digest(card()) != digest(card(loaded_id("Card", "test", "2")))


def test_the_network_of_the_examples_can_be_loaded() -> None:
    """Its customers and its card are named by docs/subscriptions.md."""
    text = (Path(__file__).parents[3] / "docs/examples/network.jsonl").read_bytes()
    page = (Path(__file__).parents[3] / "docs/subscriptions.md").read_text()
    assert faults(text.splitlines()) == {}
    ids = {orjson.loads(line).get("id") for line in text.splitlines()}
    named = re.findall(r"\b(?:card|customer)-[0-9a-f]{8}-[0-9a-f-]{27}\b", page)
    assert named
    assert set(named) <= ids
