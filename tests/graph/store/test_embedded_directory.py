"""Where an embedded database cannot live, that is said before anything is started."""

from __future__ import annotations

import asyncio
import errno
import platform
import shutil
import sys
from pathlib import Path

import pytest

from graph.errors import DiskFull, EmbeddedUnsupported, GraphError, StoreMisconfigured, StoreStarting
from graph.store.embedded import EmbeddedDatabase, EmbeddedSettings, Endpoint, fault_of
from graph.store.store import open_store


async def test_a_path_that_is_no_directory_is_refused_with_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreMisconfigured) as caught:
        await open_store(f"embedded:{tmp_path}/file")
    assert "embedded:DIRECTORY" in caught.value.hint


async def test_a_directory_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreMisconfigured):
        await open_store(f"embedded:{tmp_path}/file/graph")


def test_a_directory_that_may_not_be_written_to_is_named() -> None:
    fault = fault_of(PermissionError(errno.EACCES, "Permission denied"), Path("graph"))
    assert isinstance(fault, StoreMisconfigured)
    assert "graph" in fault.message
    assert "Permission denied" in fault.message


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_file_that_cannot_grow_is_a_full_disk(number: int) -> None:
    assert isinstance(fault_of(OSError(number, "no room"), Path("graph")), DiskFull)


async def test_a_disk_without_room_is_refused_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type(shutil.disk_usage(tmp_path))
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**30, 2**30 - 2**20, 2**20))
    with pytest.raises(DiskFull) as caught:
        await open_store(f"embedded:{tmp_path}/graph")
    assert caught.value.hint
    assert not (tmp_path / "graph" / "server.json").exists()


@pytest.mark.parametrize(("system", "machine"), [("linux", "aarch64"), ("darwin", "x86_64"), ("win32", "AMD64")])
async def test_a_platform_without_one_is_told_how_to_give_a_server(
    system: str, machine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    with pytest.raises(EmbeddedUnsupported) as caught:
        await open_store(f"embedded:{tmp_path}/graph")
    assert machine in caught.value.message
    assert "bolt://" in caught.value.hint


async def test_a_process_that_may_not_own_the_server_starts_none_and_waits_for_one(tmp_path: Path) -> None:
    heard: list[Endpoint | GraphError] = []

    async def tell(state: Endpoint | GraphError) -> None:
        heard.append(state)

    async def answers(*_: object) -> bool:
        return True

    database = EmbeddedDatabase(tmp_path, EmbeddedSettings(may_own=False), tell, answers)
    database.start()
    await asyncio.sleep(0.5)
    await database.close()
    assert {type(each) for each in heard} == {StoreStarting}
    assert not any(tmp_path.iterdir())  # noqa: ASYNC240 - the directory of a test
