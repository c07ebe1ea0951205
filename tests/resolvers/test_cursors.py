"""A cursor leads on in the list that it is of, and any other list refuses it: of another field, object, order or filter."""

from __future__ import annotations

from typing import Any

import pytest

from tests.resolvers.caller import BOTH, CUSTOMER_A, OPERATOR, Caller
from tests.resolvers.tenants import A, B

PAGE = "{ totalCount nodes { id } pageInfo { hasNextPage endCursor } }"
OF_ONE = f"query($id: ID!, $c: String) {{ customer(id: $id) {{ services(first: 1, after: $c) {PAGE} }} }}"


async def answer(asking: Caller, text: str, principal: Any = OPERATOR, **variables: Any) -> Any:
    response = await asking.response(text, variables, principal)
    assert "errors" not in response, response
    return response["data"]


async def cursor(asking: Caller) -> str:
    page = (await answer(asking, OF_ONE, id=A))["customer"]["services"]
    assert page["pageInfo"]["hasNextPage"]
    return str(page["pageInfo"]["endCursor"])


@pytest.mark.parametrize("principal", [OPERATOR, CUSTOMER_A], ids=lambda each: each.subject)
async def test_a_list_is_gone_through_by_its_cursors(asking: Caller, principal: Any) -> None:
    seen, after = [], None
    while True:
        page = (await answer(asking, OF_ONE, principal, id=A, c=after))["customer"]["services"]
        seen += [each["id"] for each in page["nodes"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert len(seen) == len(set(seen)) == page["totalCount"] > 1


async def test_the_same_list_takes_it_however_it_is_come_to(asking: Caller) -> None:
    texts = [
        'query($c: String) { node(id: "%s") { ... on Customer { services(after: $c) { nodes { id } } } } }',
        (
            'query($c: String) { _entities(representations: [{__typename: "Customer", id: "%s"}]) '
            "{ ... on Customer { other: services(last: 9, before: null, after: $c, filter: {}) { nodes { id } } } } }"
        ),
    ]
    expected = (await answer(asking, OF_ONE, id=A, c=await cursor(asking)))["customer"]["services"]["nodes"]
    for text in texts:
        [found] = (await answer(asking, text % A, c=await cursor(asking))).values()
        [page] = (found[0] if isinstance(found, list) else found).values()
        assert page["nodes"][:1] == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'{{ customer(id: "{B}") {{ services(after: $c) {{ nodes {{ id }} }} }} }}', id="another's list"),
        pytest.param(f'{{ customer(id: "{B}") {{ services(after: $c) {{ totalCount }} }} }}', id="its total"),
        pytest.param(
            f'{{ customer(id: "{B}") {{ services(first: 9, before: $c) {{ edges {{ cursor }} }} }} }}', id="backwards"
        ),
        pytest.param("{ customers { nodes { services(after: $c) { nodes { id } } } } }", id="lists of several"),
        pytest.param("{ services(after: $c) { nodes { id } } }", id="a list of the root"),
        pytest.param(
            f'{{ customer(id: "{A}") {{ services(after: $c, filter: {{state: {{eq: ACTIVE}}}}) {{ nodes {{ id }} }} }} }}',
            id="with a filter",
        ),
        pytest.param(
            f'{{ customer(id: "{A}") {{ services(after: $c, orderBy: [{{field: NAME}}]) {{ nodes {{ id }} }} }} }}',
            id="in another order",
        ),
        pytest.param(f'{{ customer(id: "{A}") {{ orders(after: $c) {{ nodes {{ id }} }} }} }}', id="of another field"),
    ],
)
async def test_any_other_list_refuses_it(asking: Caller, text: str) -> None:
    response = await asking.response(f"query($c: String) {text}", {"c": await cursor(asking)}, BOTH)
    [error] = response["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert "does not belong to this list" in error["message"]
    assert response.get("data") is None


async def test_a_list_that_is_not_there_says_nothing_of_its_cursor(asking: Caller) -> None:
    """Unknown and forbidden are the same answer."""
    for unknown in (B, "customer-zip"):
        found = await answer(asking, OF_ONE, CUSTOMER_A, id=unknown, c=await cursor(asking))
        assert found == {"customer": None}
