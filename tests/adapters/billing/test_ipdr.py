from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from uuid import UUID

import pytest
from lxml import etree

from adapters.billing import Record
from adapters.billing.ipdr_names import NAMESPACES, Version
from adapters.billing.outbound.ipdr import Ipdr
from adapters.billing.outbound.ipdr_document import document_of
from adapters.billing.outbound.places import Directory
from adapters.errors import TimedOut, Unreachable
from tests.adapters.billing.dialects import AT, HOUR, downtime, usage
from tests.adapters.billing.ipdr import DEFINITIONS, complaints
from tests.adapters.conftest import soon

RECORDS: list[Record] = [
    usage(),
    usage(customer=None, octets=0),
    usage(octets=None),
    usage(source="\u00fcber & <co>"),
    usage(source="bell \x07, half \ud800, no character \ufffe, ]]>"),
    downtime(),
    downtime(end=AT + HOUR, target=None, customer=None, alarms=()),
    downtime(target=1e-7),
]


@pytest.mark.parametrize("version", NAMESPACES)
@pytest.mark.parametrize("record", RECORDS, ids=range(len(RECORDS)))
def test_a_document_is_as_published(record: Record, version: Version) -> None:
    document = document_of(record, "d", version)
    assert complaints(document) == []
    root = etree.fromstring(document)
    assert (etree.QName(root).namespace, root.get("version")) == (NAMESPACES[version], version)


def test_the_two_service_definitions_differ_in_the_namespace_only() -> None:
    text = DEFINITIONS["3.5"].read_text(encoding="utf-8")
    assert NAMESPACES["3.5"] in text
    assert DEFINITIONS["3.5.1"].read_text(encoding="utf-8") == text.replace(NAMESPACES["3.5"], NAMESPACES["3.5.1"])


def test_the_same_delivery_is_the_same_document_and_another_is_another() -> None:
    assert document_of(usage(), "d1", "3.5.1") == document_of(usage(), "d1", "3.5.1")
    begin, end = (downtime(end=at) for at in (None, AT + HOUR))
    ids = {
        etree.fromstring(document_of(each, each_id, "3.5.1")).get("docId")
        for each, each_id in ((begin, "d1"), (end, "d2"))
    }
    assert len(ids) == 2
    assert all(UUID(each) for each in ids)


async def test_a_service_at_risk_is_no_outage(tmp_path: Path) -> None:
    billing = Ipdr(Directory(tmp_path))
    for effect in ("atRisk", "degraded", "down"):
        record = downtime(effect=effect, id=f"downtime-{effect}")
        await billing.tell(record, again=False, delivery_id="d", deadline=soon())
    names = sorted(each.name for each in await asyncio.to_thread(lambda: list(tmp_path.iterdir())))
    assert names == ["downtime-degraded.xml", "downtime-down.xml"]


async def test_a_document_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    billing, done = Ipdr(Directory(tmp_path)), asyncio.Event()
    seen: set[bytes] = set()

    async def watch() -> None:
        while not done.is_set():
            for each in await asyncio.to_thread(lambda: [p.read_bytes() for p in tmp_path.glob("*.xml")]):
                seen.add(each)
            await asyncio.sleep(0)

    watching = asyncio.create_task(watch())
    records = [downtime(end=None if number == 0 else AT + number) for number in range(60)]
    for each in records:
        await billing.tell(each, again=False, delivery_id="d", deadline=soon())
    done.set()
    await watching
    assert seen <= {document_of(each, "d", "3.5.1") for each in records}
    assert [each.name for each in await asyncio.to_thread(lambda: list(tmp_path.iterdir()))] == ["downtime-1.xml"]


async def test_a_directory_that_is_not_there_is_said_and_nothing_is_made(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be written to: No such file"):
        await Ipdr(Directory(tmp_path / "none")).tell(usage(), again=False, delivery_id="d", deadline=soon())
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_a_write_that_takes_too_long_is_given_up_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = os.fsync

    def slow(file: int) -> None:
        time.sleep(0.5)  # a disk that takes its time
        flush(file)

    monkeypatch.setattr(os, "fsync", slow)
    with pytest.raises(TimedOut) as caught:
        await Ipdr(Directory(tmp_path)).tell(usage(), again=False, delivery_id="d", deadline=time.monotonic() + 0.1)
    assert caught.value.may_have_happened
    await asyncio.sleep(1.0)
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []
