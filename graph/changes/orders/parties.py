"""Whose an order is must be certain: the customer is found by our id or by what its source calls it, else made, and never merged.

A party is our id, what the source calls the customer (a name that was given to it here, or one that a file has loaded under), or a company
that nobody has heard of. The same company under another system's name is another customer, until a person says otherwise: where
the names may mean one company, that person is asked (graph/changes/customers/).

Rules. 1. A customer orders for itself: whoever it names otherwise is not there. 2. A name that was given here counts before what
was loaded under it. 3. What looks like an id of ours and is none, and what is said to be a known customer and has no name,
is a mistake: nobody is made of it. 4. Who is made has an id that follows from its source and its name there: it is made once. Of a party without an id somebody
new is made each time, since a name is not who somebody is. 5. A customer that was merged into another stands for that one; but not for a
customer itself, whose token names the one that was merged and not the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, cast

import uuid_utils

from graph.changes.customers.matches import Named, gate_of, propose
from graph.changes.customers.rules import CUSTOMER_MERGED
from graph.changes.customers.stubs import meant_by
from graph.changes.orders.requests import Party
from graph.changes.orders.rules import CUSTOMER_MISSING, CUSTOMER_NOT_FOUND, source_of
from graph.changes.outcome import Outcome, UserError
from graph.changes.policy import AlarmPolicy
from graph.changes.references import meant
from graph.model.companies import company_of
from graph.model.identity import loaded_id
from graph.model.model import LABELS, label_of, searchable
from graph.model.scope import Principal, Role
from graph.store.store import Transaction

_LOOK: Final = """
RETURN datetime.realtime().epochMillis, COLLECT { MATCH (c:Customer) WHERE c.id IN $ids RETURN c.id }, COLLECT {
  UNWIND $keys AS sought
  MATCH (x:ExternalName {key: sought})-[:NAMES]->(c:Customer)
  RETURN [sought, c.id]
}
"""
_MAKE: Final = """
CREATE (c:Customer {
  id: $id, name: $name, segment: $segment, status: 'new', accountRef: $account, words: $words, company: $company, companyForm: $form, _version: 1
})
"""

LABEL: Final = LABELS["Customer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orderer:
    """Whose order it is, and when that was looked at."""

    id: str
    now: int
    """epoch milliseconds by the database's clock."""
    made_of: Party | None = None
    """for a customer that is not there yet: what it is made of."""


async def own_of(transaction: Transaction, principal: Principal, party: Party | None) -> Party | None:
    """Give whom somebody orders for: a customer that does not say orders for itself, if its token names one customer.

    A stub that its token names is the other, if that is named too.
    """
    if principal.effective is not Role.CUSTOMER:
        return party
    stubs = await meant_by(transaction.run, principal.customers)
    own = [each for each in principal.customers if stubs.get(each) not in principal.customers]
    if party is not None and party.id:
        into = stubs.get(party.id)
        return replace(party, id=into) if into in own and party.id in principal.customers else party
    return Party(id=own[0]) if len(own) == 1 else party


def made_id(source: str, party: Party) -> str:
    """Give the id of the customer that is made of a party: without an id of the source's, of nobody who is there."""
    return loaded_id(LABEL.name, source, party.id) if party.id else f"{LABEL.id_prefix}{uuid_utils.uuid7()}"


async def find(
    transaction: Transaction, principal: Principal, policy: AlarmPolicy, party: Party | None
) -> Orderer | UserError:
    """Find whose order it is, by what `own_of` gives, or say what is missing; nobody is made here."""
    if party is None or not (party.id or party.name):
        return _problem("Nobody is named whose order it is", CUSTOMER_MISSING)
    by_customer, source = principal.effective is Role.CUSTOMER, source_of(principal)
    if by_customer and party.id not in principal.customers:
        return _problem("There is no such customer", CUSTOMER_NOT_FOUND, "id")
    keys = () if by_customer or not party.id else policy.keys_meant(source, party.id)
    loaded = made_id(source, party)
    [row] = await transaction.run(_LOOK, {"ids": [party.id] if by_customer else [party.id, loaded], "keys": [*keys]})
    now, known, named = cast("tuple[int, list[str], list[list[str]]]", tuple(row))
    itself = party.id if party.id in known else None
    found = meant(itself, named, keys) or (loaded if loaded in known else None)
    if found is not None:
        return await _meant(transaction, found, now, by_customer=by_customer)
    if by_customer or _is_mistaken(party):
        return _problem("There is no such customer", CUSTOMER_NOT_FOUND, "id")
    return Orderer(id=loaded, now=now, made_of=party)


async def _meant(transaction: Transaction, found: str, now: int, *, by_customer: bool) -> Orderer | UserError:
    """Give the customer that is meant by one that is there: another, where it was merged."""
    into = (await meant_by(transaction.run, [found])).get(found)
    if into is not None and by_customer:
        text = "The customer was merged with another one: ask for a token that names that one"
        return _problem(text, CUSTOMER_MERGED, "id")
    return Orderer(id=into or found, now=now)


async def make(transaction: Transaction, orderer: Orderer) -> None:
    """Make the customer of an order, where there is none yet; what it is called is under its gate, and so is its company."""
    party = orderer.made_of
    if party is None:
        return
    name = party.name or party.id
    company = company_of(name)
    given = {"id": orderer.id, "name": name, "words": searchable(name), "company": company.core or None}
    transaction.later(_MAKE, {**given, "form": company.form, "segment": party.segment, "account": party.account})
    await propose(transaction, Named(id=orderer.id, name=name), at=orderer.now)


def not_found(problem: UserError) -> Outcome:
    """Give the outcome where nobody is found."""
    return Outcome(ids={}, user_errors=(problem,))


def _is_mistaken(party: Party) -> bool:
    return label_of(party.id) is LABEL or (party.is_reference and not party.name)


def _problem(message: str, code: str, *within: str) -> UserError:
    return UserError(message=message, code=code, path=("customer", *within))


def names_of(policy: AlarmPolicy, source: str, party: Party | None) -> Sequence[str]:
    """Give what has to be locked before a customer is looked for that may be made."""
    if party is None:
        return ()
    company = gate_of(party.name or party.id)
    return (company, made_id(source, party), *policy.keys_meant(source, party.id)) if party.id else (company,)
