"""Until version 4 an alarm's object was spelled `MD=north/ME=W9`, and what feeds made `MD=north;ME=W9`; now all is spelled the latter way.

So alarms that came by MTOSI get the new text of their object, in their external id too, by which the next report finds them,
and await a name by its new key. An alarm whose external id is a hash (more than 255 characters) keeps it, since what was hashed
is not kept: its next report begins a new alarm.

External names that operators have loaded in the old spelling stay, since systems that speak TMF642 may say them; the same name
in the new spelling is put beside each.

An alarm that is open and that another system was told of is known there by the name that it had: that name stays with it.

The spellings are written here as they were and are at this version: a migration does not change when they do.

>>> _old((("MD", "north"), ("ME", "W1/2"))), _new((("MD", "north"), ("ME", "W1/2")))
('MD=north/ME=W1%2F2', 'MD=north;ME=W1/2')
>>> _listed("MD=north/ME=W1%2F2"), _listed("KOL-1/3"), _listed("/shelf=1/slot=3")
((('MD', 'north'), ('ME', 'W1/2')), None, None)
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

import orjson

from graph.model.identity import external_key, loaded_id
from graph.model.model import label_of
from graph.store.store import Store, Transaction

_Name: TypeAlias = tuple[tuple[str, str], ...]

_AT_ONCE: Final = 5_000
_LONGEST_KEY: Final = 255
_TYPES: Final = frozenset(
    (
        "AID",
        "CTP",
        "EH",
        "EPG",
        "EQ",
        "FD",
        "FDFR",
        "FTP",
        "GTP",
        "MD",
        "ME",
        "MFD",
        "MLSN",
        "OS",
        "PG",
        "PTP",
        "SNC",
        "TL",
        "TMD",
    )
)
"""The types of parts by which a list is told from a text that only has slashes in it."""
_OWN: Final = {"NetworkElement": "ME", "Card": "EQ", "Port": "PTP", "Trunk": "TL"}
_ALONE: Final = frozenset(("AID", "EQ", "ME", "PTP", "TL"))
_ESCAPED: Final = str.maketrans({"%": "%25", "/": "%2F", "=": "%3D"})

# Few alarms came by MTOSI and few names were loaded in its old spelling, so that a page is most of them: sorting costs little.
_ALARMS: Final = """
MATCH (a:Alarm) WHERE a.id > $after AND a.record CONTAINS '"objectName":'
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.sourceSystemId, a.externalAlarmId, a.alarmedObjectRef, a.awaits, a.record
"""
_RESPELL: Final = """
UNWIND $batch.rows AS row
MATCH (a:Alarm {id: row.id})
SET a.alarmedObjectRef = row.object, a.externalAlarmId = row.external, a.awaits = row.awaits
"""
# Whoever was told of an open alarm by MTOSI knows its object by one part, of the type AID where no other was known.
_TOLD: Final = """
MATCH (a:Alarm)
WHERE a.id > $after AND a.state <> 'cleared' AND a._toldName IS NULL AND NOT a.record CONTAINS '"objectName":'
  AND EXISTS { MATCH (:Delivery {orderKey: a.id}) }
WITH a ORDER BY a.id LIMIT $most
RETURN a.id, a.alarmedObjectRef
"""
_KEEP_TOLD: Final = "UNWIND $batch.rows AS row MATCH (a:Alarm {id: row.id}) SET a._toldName = row.name"
_NAMES: Final = """
MATCH (x:ExternalName) WHERE x.id > $after AND x.name CONTAINS '/' AND x.name CONTAINS '='
WITH x ORDER BY x.id LIMIT $most
RETURN x.id, x.system, x.name
"""
_NAME: Final = """
UNWIND $batch.rows AS row
MATCH (old:ExternalName {id: row.old})-[:NAMES]->(n)
MERGE (x:ExternalName {key: row.key})
ON CREATE SET x.id = row.id, x.system = row.system, x.name = row.name
WITH x, n WHERE NOT EXISTS { MATCH (x)-[:NAMES]->() }
CREATE (x)-[:NAMES]->(n)
"""


async def respell_names(store: Store, *, deadline: float) -> None:
    """Bring the names of MTOSI that alarms and operators have left to the one spelling."""
    await _page(store, _ALARMS, _RESPELL, _alarm, deadline)
    await _page(store, _NAMES, _NAME, _name, deadline)
    await _page(store, _TOLD, _KEEP_TOLD, _told, deadline)


async def _page(store: Store, text: str, change: str, row_of: Any, deadline: float) -> None:
    after = ""
    while rows := await store.rows(text, {"after": after, "most": _AT_ONCE}, deadline=deadline):
        await _write(store, change, [row for each in rows if (row := row_of(each)) is not None], deadline)
        ids = [str(row[0]) for row in rows]
        assert ids == sorted(ids), "a page that is not in order would pass some over"
        after = ids[-1]


async def _write(store: Store, text: str, rows: Sequence[Mapping[str, object]], deadline: float) -> None:
    async def work(transaction: Transaction) -> None:
        await transaction.run(text, {"batch": {"rows": rows}})

    if rows:
        await store.write(work, deadline=deadline)


def _alarm(row: Sequence[Any]) -> Mapping[str, object] | None:
    """Give what an alarm is to say; None where it says it."""
    alarm, source, external, text, awaits, record = row
    name = _object_name(str(record))
    if not name or _old(name) != text or _new(name) == text:
        return None
    new = _new(name)
    return {
        "id": alarm,
        "object": new,
        "external": _external(external, text, new),
        "awaits": None if awaits is None else external_key(source, new),
    }


def _told(row: Sequence[Any]) -> Mapping[str, object]:
    """Give what another system has been told that an alarm is on."""
    alarm, text = row
    label = label_of(str(text))
    return {"id": alarm, "name": orjson.dumps([[_OWN.get(label.name if label else "", "AID"), text]]).decode()}


def _object_name(record: str) -> _Name:
    """Give the name that an alarm's record has part by part; nothing where it has none."""
    found = orjson.loads(record).get("x733")
    parts = found.get("objectName") if isinstance(found, dict) else None
    if not isinstance(parts, list) or not all(isinstance(each, dict) for each in parts):
        return ()
    return tuple((str(each.get("type")), str(each.get("value"))) for each in parts)


def _external(external: str | None, old: str, new: str) -> str | None:
    """Give an external id that began with the old text, with the new one."""
    if external is None or not (external == old or external.startswith(f"{old}|")):
        return external
    text = new + external.removeprefix(old)
    return text if len(text) <= _LONGEST_KEY else f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _name(row: Sequence[Any]) -> Mapping[str, object] | None:
    """Give the name to put beside one; None where it is none of the old spelling."""
    old, system, text = row
    name = _listed(str(text))
    if name is None:
        return None
    new = _new(name)
    return {
        "old": old,
        "id": loaded_id("ExternalName", system, new),
        "key": external_key(system, new),
        "system": system,
        "name": new,
    }


def _listed(text: str) -> _Name | None:
    """Read the old spelling of a list of two parts or more; None for any other text."""
    pairs = [each.partition("=") for each in text.split("/")]
    if len(pairs) < 2 or not all(kind in _TYPES and middle for kind, middle, _ in pairs):
        return None
    return tuple((kind, unquote(value)) for kind, _, value in pairs)


def _old(name: _Name) -> str:
    if len(name) == 1:
        return name[0][1]
    return "/".join(f"{kind.translate(_ESCAPED)}={value.translate(_ESCAPED)}" for kind, value in name)


def _new(name: _Name) -> str:
    if len(name) == 1 and name[0][0] in _ALONE and "=" not in name[0][1]:
        return name[0][1]
    return ";".join(f"{_quoted(kind, ';=')}={_quoted(value, ';')}" for kind, value in name)


def _quoted(text: str, special: str) -> str:
    return "".join(f"\\{each}" if each in special or each == "\\" else each for each in text)
