"""The same company twice is proposed to a person, once; what that person says stands."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from graph.changes.orders.requests import Party
from graph.model.scope import Principal, Role
from graph.store.migrations.companies import name_companies
from graph.store.store import Store
from tests.graph.changes.customers.test_merging import CRM, codes, owner, placed
from tests.graph.changes.customers.ways import OPERATOR, Merged
from tests.graph.changes.network import Laid, lay, soon

SHOP: Final = Principal(subject="9:issuer-a:shop", role=Role.OPERATOR)


@pytest.fixture
async def merged(empty_store: Store) -> Merged:
    await lay(empty_store)
    return Merged(laid=Laid(store=empty_store))


async def made(merged: Merged, name: str, number: int, principal: Principal = CRM) -> str:
    """Let an order make a customer."""
    party = Party(id=f"{principal.role.value}-{number}", name=name)
    return await owner(merged.laid, await placed(merged.laid, principal, party, f"PO-{number}"))


async def test_who_may_be_the_same_company_is_proposed_once(merged: Merged) -> None:
    first = await made(merged, "Acme GmbH", 1)
    assert await merged.matches() == {}
    second = await made(merged, "ACME", 2, SHOP)
    pair = tuple(sorted((first, second)))
    assert await merged.matches() == {pair: "proposed"}
    [(state, reason)] = await merged.tasks()
    assert state == "OPEN"
    assert all(each in reason for each in ("ACME", "Acme GmbH", *pair))
    await placed(merged.laid, CRM, Party(id=f"{CRM.role.value}-1"), "PO-9")
    assert len(await merged.tasks()) == 1, "nobody is made, and nobody is asked again"


async def test_another_company_is_not_proposed(merged: Merged) -> None:
    for number, name in enumerate(("Acme AG", "Acme GmbH", "Acme Nord AG", "&")):
        await made(merged, name, number)
    await made(merged, "/", 9)
    assert await merged.matches() == {}


async def test_two_that_come_at_once_are_seen(merged: Merged) -> None:
    await asyncio.gather(made(merged, "Acme", 1), made(merged, "ACME Ltd", 2, SHOP))
    assert list((await merged.matches()).values()) == ["proposed"]


async def test_a_match_that_is_declined_stays_declined(merged: Merged) -> None:
    await made(merged, "Acme", 1)
    await made(merged, "ACME", 2, SHOP)
    [[match]] = await merged.laid.rows("MATCH (m:CustomerMatch) RETURN m.id")
    assert (await merged.decline(str(match), "two branches")).ids == {"match": match}
    assert (await merged.decline(str(match))).user_errors == (), "said again"
    assert [state for state, _ in await merged.tasks()] == ["DONE"]
    [row] = await merged.laid.rows("MATCH (m:CustomerMatch) RETURN m.state, m.note, m.settledBy")
    assert row == ["declined", "two branches", OPERATOR.subject]
    assert [each[1:3] for each in await merged.laid.events("CustomerMatch")] == [(2, "CustomerMatchDeclined")]
    assert codes(await merged.decline("customermatch-none")) == ["MATCH_NOT_FOUND"]


async def test_merging_answers_a_match_and_undoing_it_declines(merged: Merged) -> None:
    first = await made(merged, "Acme", 1)
    second = await made(merged, "ACME", 2, SHOP)
    await merged.merge(second, first)
    assert list((await merged.matches()).values()) == ["merged"]
    assert [state for state, _ in await merged.tasks()] == ["DONE"]
    [[match]] = await merged.laid.rows("MATCH (m:CustomerMatch) RETURN m.id")
    assert codes(await merged.decline(str(match))) == ["MATCH_SETTLED"]
    await merged.undo(second)
    assert list((await merged.matches()).values()) == ["declined"]
    third = await made(merged, "Acme Ltd", 3)
    assert (await merged.matches()).keys() == {
        tuple(sorted(each)) for each in ((first, second), (first, third), (second, third))
    }


async def test_what_a_stub_was_compared_with_is_compared_with_the_other(merged: Merged) -> None:
    first = await made(merged, "Acme", 1)
    second = await made(merged, "ACME", 2, SHOP)
    await merged.merge(second, "customer-a")
    pair, moved = tuple(sorted((first, second))), tuple(sorted((first, "customer-a")))
    found = await merged.matches()
    assert (found[pair], found[moved]) == ("superseded", "proposed")
    third = await made(merged, "acme", 3)
    assert tuple(sorted((second, third))) not in await merged.matches(), "a stub is compared with nobody"
    meant = tuple(sorted((third, "customer-a")))
    assert (await merged.matches())[meant] == "proposed", "but with the other, by the stub's name"
    [reason] = await merged.laid.rows(
        "MATCH (m:CustomerMatch)-[:COMPARES]->(c {id: $c}) MATCH (m)-[:COMPARES]->({id: 'customer-a'}) RETURN m.reason",
        c=third,
    )
    assert "ACME was merged into the other" in reason[0]
    await merged.undo(second)
    found = await merged.matches()
    assert (found[pair], found[moved], found[tuple(sorted(("customer-a", second)))]) == (
        "proposed",
        "proposed",
        "declined",
    )
    assert found[tuple(sorted((second, third)))] == "proposed", "who came while it was a stub"


async def test_other_legal_forms_and_pairs_that_are_known_keep_nobody_from_being_proposed(merged: Merged) -> None:
    text = (
        "UNWIND range(1, 120) AS n CREATE (:Customer {id: 'customer-0' + toString(n), name: 'Test AG', company: 'test', "
        "companyForm: 'ag'})"
    )
    await merged.laid.run(text)
    first = await made(merged, "Test GmbH", 1)
    second = await made(merged, "TEST GMBH", 2)
    assert await merged.matches() == {tuple(sorted((first, second))): "proposed"}


async def test_a_match_with_one_that_is_a_stub_is_not_opened_again(merged: Merged) -> None:
    first = await made(merged, "Acme", 1)
    second = await made(merged, "ACME", 2, SHOP)
    await merged.merge(second, "customer-b")
    await merged.merge(first, "customer-a")
    await merged.undo(first)
    found = await merged.matches()
    assert found[tuple(sorted((first, second)))] == "superseded", "the second is a stub"
    assert found[tuple(sorted((first, "customer-b")))] == "proposed"


async def test_customers_of_an_earlier_version_are_found_once_they_say_their_company(merged: Merged) -> None:
    await merged.laid.run("CREATE (:Customer {id: 'customer-old', name: 'ACME Inc.'})")
    await name_companies(merged.laid.store, deadline=soon())
    await name_companies(merged.laid.store, deadline=soon())
    first = await made(merged, "Acme", 1)
    assert await merged.matches() == {tuple(sorted((first, "customer-old"))): "proposed"}
