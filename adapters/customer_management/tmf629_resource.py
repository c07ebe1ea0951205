"""What is believed of a TMF629 customer, version 4: who it is, how it is called, and what it pays from.

An answer may be a proxy's, or of another API. Which customer it is must be sure, and its name must be one that the graph can hold; all
else of it may be missing. TMF629 has no segment: it is the characteristic that the settings name. Of several accounts the first that
has an id is the customer's. Contacts, agreements, payment methods and credit profiles have no place in the graph, and are left there.

Pure: a `CustomerRecord` out of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from adapters.errors import Nonsense
from graph.changes.customers.records import CustomerRecord
from graph.model.bounds import text_problem
from graph.model.kinds import Form

RESOURCE: Final = "customer"
FIELDS: Final = ("id", "name", "status", "account", "characteristic", "engagedParty")
"""What is asked for."""


def id_of(answer: object, where: str = "") -> str:
    """Read which customer an answer is about."""
    their_id = _text(_an_object(answer, where).get("id"))
    if their_id in ("", ".", ".."):
        raise _nonsense("has no id that is a string", where, "id")
    if problem := text_problem(Form.NAME, their_id):
        raise _nonsense(f"has an id that {problem}", where, "id")
    return their_id


def record_of(answer: object, *, at: int, segment: str, where: str = "") -> CustomerRecord:
    """Read one customer, as it is at a moment; `segment` is the name of a characteristic, `where` the place in the answer."""
    customer = _an_object(answer, where)
    their_id = id_of(customer, where)
    name = _text(customer.get("name")) or _text(_an_object(customer.get("engagedParty") or {}, where).get("name"))
    if name and (problem := text_problem(Form.NAME, name)):
        raise _nonsense(f"has a name that {problem}", where, "name")
    status = _text(customer["status"]) if customer.get("status") is not None else None
    said = _characteristic(customer, segment, where)
    account = _account(customer, where)
    for member, value in (("status", status), ("characteristic", said), ("account", account)):
        if value and (problem := text_problem(Form.TEXT, value)):
            raise _nonsense(f"has a {member} that {problem}", where, member)
    return CustomerRecord(external_id=their_id, name=name or None, status=status, segment=said, account=account, at=at)


def gone_of(answer: object, *, at: int, where: str = "") -> CustomerRecord:
    """Read which customer is gone."""
    return CustomerRecord(external_id=id_of(answer, where), at=at, is_gone=True)


def _characteristic(customer: Mapping[str, object], name: str, where: str) -> str | None:
    for each in _list_in(customer, "characteristic", where):
        if isinstance(each, dict) and each.get("name") == name:
            return _text(each.get("value"))
    return None


def _account(customer: Mapping[str, object], where: str) -> str | None:
    """Give the first account that has an id; empty where there is none, None where nothing is said of accounts."""
    if customer.get("account") is None:
        return None
    found = (_text(each.get("id")) for each in _list_in(customer, "account", where) if isinstance(each, dict))
    return next((each for each in found if each), "")


def _an_object(answer: object, where: str) -> Mapping[str, object]:
    if not isinstance(answer, dict):
        raise Nonsense("Customer management answered what is no customer", where=where or "body")
    return answer


def _list_in(customer: Mapping[str, object], name: str, where: str) -> list[object]:
    value = customer.get(name)
    if not isinstance(value, list | None):
        raise _nonsense(f"has a {name} that is no list", where, name)
    return value or []


def _text(value: object) -> str:
    """Read a word or a number as text; what is neither is none."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _nonsense(what: str, where: str, member: str) -> Nonsense:
    return Nonsense(
        f"A customer that customer management answered {what}",
        hint="Look whether its address leads to the right system",
        where=f"{where}.{member}".lstrip("."),
    )
