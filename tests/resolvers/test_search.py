"""Names are found as a person types them: by an operator's index and a customer's walk alike, and by `contains`."""

from __future__ import annotations

import time
import unicodedata
from typing import Any, Final

import orjson
import pytest

from graph.load import load_lines
from graph.model.identity import loaded_id
from graph.model.scope import Principal, Role
from graph.store.migrate import migrate
from graph.store.store import Store, Transaction
from tests.conftest import wipe
from tests.resolvers.caller import OPERATOR, Caller, caller

OWNER: Final = loaded_id("Customer", "test", "owner")
CUSTOMER: Final = Principal(subject="c", role=Role.CUSTOMER, customers=(OWNER,))
NAMES: Final = (
    "tb-foo",
    "ge-0/0/1 Köln",
    "C++ lab (x)",
    "AND OR NOT",
    'Süd "Ost" 8"',
    "node:42",
    "Straße 7²",
    "東京 1",
    "a*b?c~d^e",
    "½ Weg",
    "① Ring",
    "m² Fläche",
    unicodedata.normalize("NFD", "Zürich NFD"),
    "\uff21\uff11 Wide",
    "서울 7",
    "ひらがな駅",
    "北京西站 2",
    "กรุงเทพ 1",
    "दिल्ली 1",
    "שלום 1",
    "مركز ١٢",
    "Москва-1",
    "İstanbul",
    "O\u2019Brien",
    "E̊ ring",
    "1º Andar",
    "東京Tower",
)
SEARCH: Final = "query($t: String!) { search(text: $t, first: 99) { ... on Service { name } } }"
CONTAINS: Final = "query($t: String!) { services(filter: {name: {contains: $t}}, first: 99) { nodes { name } } }"
BOTH: Final = pytest.mark.parametrize("principal", [OPERATOR, CUSTOMER], ids=["operator", "customer"])


def soon() -> float:
    return time.monotonic() + 60


def lines() -> list[bytes]:
    rates = {"committedMbps": 1, "effectiveMbps": 1, "maxMbps": 1}
    made: list[dict[str, Any]] = [
        {
            "label": "Customer",
            "id": OWNER,
            "properties": {"name": "owner", "segment": "s", "status": "active", "accountRef": "a"},
        }
    ]
    for name in NAMES:
        service = loaded_id("Service", "test", name)
        properties = {"name": name, "kind": "line", "state": "active", **rates}
        made.append({"label": "Service", "id": service, "properties": properties})
        made.append({"type": "SUBSCRIBES_TO", "start": OWNER, "end": service})
    return [orjson.dumps(each) for each in made]


async def fill(store: Store) -> None:
    await wipe(store)
    await load_lines(store, lines(), progress=lambda _stage, _done, _total: None, deadline=soon())


@pytest.fixture(scope="module")
async def asking(store: Store) -> Caller:
    await fill(store)
    return caller(store)


async def found(asking: Caller, text: str, typed: str, principal: Principal) -> list[str]:
    answer = await asking.response(text, {"t": typed}, principal)
    [data] = answer["data"].values()
    return [each["name"] for each in (data["nodes"] if isinstance(data, dict) else data)]


@BOTH
async def test_a_name_is_found_by_itself_in_every_form_and_case(asking: Caller, principal: Principal) -> None:
    for name in NAMES:
        for typed in {name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name), name.casefold()}:
            assert name in await found(asking, SEARCH, typed, principal), typed


@BOTH
@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("tb-", ["tb-foo"]),
        ("/0/1", ["ge-0/0/1 Köln"]),
        ("strasse", ["Straße 7²"]),
        ("東京", ["東京 1", "東京Tower"]),
        ("西站", ["北京西站 2"]),
        ("京", ["北京西站 2", "東京 1", "東京Tower"]),
        ("m²", ["m² Fläche"]),
        ("NOT", ["AND OR NOT"]),
        ("(x", ["C++ lab (x)"]),
        ("istan", ["İstanbul"]),
        ("nowhere", []),
    ],
)
async def test_what_is_typed_finds_these_and_no_others(
    asking: Caller, typed: str, names: list[str], principal: Principal
) -> None:
    assert sorted(await found(asking, SEARCH, typed, principal)) == names


@BOTH
@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("KÖLN", ["ge-0/0/1 Köln"]),
        (unicodedata.normalize("NFD", "köln"), ["ge-0/0/1 Köln"]),
        ("zürich", [unicodedata.normalize("NFD", "Zürich NFD")]),
        ("STRASSE 7", ["Straße 7²"]),
        ("/0/1 k", ["ge-0/0/1 Köln"]),
        ("京", ["北京西站 2", "東京 1", "東京Tower"]),
        ("B-F", ["tb-foo"]),
        ("мос", ["Москва-1"]),
        ("nowhere", []),
    ],
)
async def test_contains_takes_no_notice_of_case_or_form(
    asking: Caller, typed: str, names: list[str], principal: Principal
) -> None:
    assert sorted(await found(asking, CONTAINS, typed, principal)) == names


async def test_the_names_of_an_older_store_are_found_after_its_migration(store: Store, asking: Caller) -> None:
    async def as_version_4(transaction: Transaction) -> None:
        for name in NAMES:
            words = "".join(c if c.isalnum() else " " for c in f"{name} line".casefold()).split()
            given = {"id": loaded_id("Service", "test", name), "words": " ".join(words)}
            await transaction.run("MATCH (s:Service {id: $id}) SET s.words = $words", given)
        await transaction.run("MATCH (v:SchemaVersion) SET v.version = 4", {})

    await store.write(as_version_4, deadline=soon())
    for principal in (OPERATOR, CUSTOMER):
        assert not await found(asking, SEARCH, "西站", principal)
    assert (await migrate(store, deadline=soon())).version == 4
    for principal in (OPERATOR, CUSTOMER):
        for name in NAMES:
            assert name in await found(asking, SEARCH, name, principal)
        assert len(await found(asking, SEARCH, "line", principal)) == len(NAMES), "a word beside the name is kept"
    assert (await migrate(store, deadline=soon())).is_current
