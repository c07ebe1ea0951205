"""A file of JSON lines, read twice: once to find everything that is wrong with it, once to write it.

A file that is half loaded is worse than one that is refused, and a person who corrects a file wants all its faults at
once. So every line is checked first, and what is right is kept in a temporary file, nodes apart from relationships:
they may stand in any order in what we are given, but a relationship can only be written after its ends. Of what was
read, memory holds a short digest and the line for each id and for each thing that may be there once, and no more.

Ends that are not in the file may be in the store already, a node may have there what it can have only one of, and a name may
be another's there; `Spool.missing`, `Spool.joined` and `Spool.unique` name these, and whoever has a store asks it.
"""

from __future__ import annotations

from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from hashlib import blake2b, sha256
from tempfile import TemporaryFile
from types import TracebackType
from typing import Final, Self

import orjson

from graph.load.check import check_line
from graph.load.errors import BadLines, Fault
from graph.load.limits import key_of, ones_of, problem_of
from graph.load.records import NodeRecord, Record, RelationshipRecord, as_line
from graph.load.unique import Unique, uniques_of

_NAMED: Final = 100
"""Faults that are told one by one; all are counted."""

_OTHER_FORMS: Final = {
    b"\x1f\x8b": "the file is packed (gzip): unpack it first",
    b"PK\x03\x04": "the file is packed (zip): unpack it first",
    BOM_UTF16_LE: "the file is in UTF-16: write it in UTF-8",
    BOM_UTF16_BE: "the file is in UTF-16: write it in UTF-8",
    b"[": "the file begins as a JSON array: write each object on a line of its own, without the brackets and commas around them",
}


class Spool:
    """The lines of one file that have been checked, and the faults that were found. It is a context: it holds files."""

    def __init__(self) -> None:
        self._nodes = TemporaryFile()  # noqa: SIM115  # closed by __exit__
        self._relationships = TemporaryFile()  # noqa: SIM115  # closed by __exit__
        self._named = TemporaryFile()  # noqa: SIM115  # closed by __exit__
        self._seen: dict[bytes, int] = {}
        self._faults: list[Fault] = []
        self._bad_lines: set[int] = set()
        self._hash = sha256()
        self.count = 0
        """of records."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._nodes.close()
        self._relationships.close()
        self._named.close()

    @property
    def digest(self) -> str:
        """Tell by what this file is known: the same lines have the same."""
        return self._hash.hexdigest()

    def add(self, number: int, line: bytes | str) -> None:
        """Check a line and keep it; a blank one is passed over."""
        if number == 1 and isinstance(line, bytes):
            line = line.removeprefix(BOM_UTF8)  # some editors write it
            if form := _other_form(line):
                raise BadLines((Fault(line=1, problem=form),), 1)  # what is wrong with each line would say nothing
        if not line.strip():
            return
        try:
            record = check_line(line)
        except ValueError as exc:
            self.refuse(number, str(exc))
            return
        for key, problem in _only_once(record):
            before = self._seen.setdefault(_digest(key), number)
            if before != number:
                self.refuse(number, f"{problem} (line {before})")
                return  # what the store has would say the same of it
        self._keep(number, record)

    def refuse(self, number: int, problem: str) -> None:
        """Note what is wrong with a line."""
        self._bad_lines.add(number)
        if len(self._faults) < _NAMED:
            self._faults.append(Fault(line=number, problem=problem))

    def missing(self) -> Iterator[tuple[int, str]]:
        """Give the ends of relationships that are no node of the file, each with its line."""
        self._relationships.seek(0)
        for line in self._relationships:
            number, _, rest = line.partition(b" ")
            raw = orjson.loads(rest)
            for node_id in (raw["start"], raw["end"]):
                if _digest(node_id) not in self._seen:
                    yield int(number), node_id

    def joined(self) -> Iterator[tuple[int, RelationshipRecord]]:
        """Give the relationships of the file, each with its line."""
        self._relationships.seek(0)
        for line in self._relationships:
            number, _, rest = line.partition(b" ")
            yield int(number), RelationshipRecord(**orjson.loads(rest))

    def unique(self) -> Iterator[tuple[int, Unique]]:
        """Give what nodes of the file alone may have beside their ids, each with its line."""
        self._named.seek(0)
        for line in self._named:
            number, _, rest = line.partition(b" ")
            for each in uniques_of(NodeRecord(**orjson.loads(rest))):
                yield int(number), each

    def raise_faults(self) -> None:
        """Raise if anything was refused."""
        if self._faults:
            raise BadLines(tuple(sorted(self._faults, key=lambda fault: fault.line)), len(self._bad_lines))

    def records(self) -> Iterator[Record]:
        """Give what was kept, nodes first."""
        self._nodes.seek(0)
        for line in self._nodes:
            yield NodeRecord(**orjson.loads(line))
        self._relationships.seek(0)
        for line in self._relationships:
            yield RelationshipRecord(**orjson.loads(line.partition(b" ")[2]))

    def _keep(self, number: int, record: Record) -> None:
        line = as_line(record)
        self._hash.update(line)
        self.count += 1
        match record:
            case NodeRecord():
                self._nodes.write(line + b"\n")
                if any(uniques_of(record)):
                    self._named.write(b"%d %s\n" % (number, line))
            case RelationshipRecord():
                self._relationships.write(b"%d %s\n" % (number, line))


def _other_form(line: bytes) -> str:
    """Say what a file is that begins so, where it is known; empty for lines of JSON."""
    return next((form for begins, form in _OTHER_FORMS.items() if line.startswith(begins)), "")


def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=12).digest()


def _only_once(record: Record) -> Iterator[tuple[str, str]]:
    """Give what no other line may say again, and the sentence for the one that does."""
    match record:
        case NodeRecord(id=node_id):
            yield node_id, f"{node_id} is in the file already"
            for each in uniques_of(record):
                yield each.key, each.taken_by("in the file")
        case RelationshipRecord():
            for one in ones_of(record):
                yield key_of(one), problem_of(one)
