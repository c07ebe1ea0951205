"""Customers: the same company twice is seen, proposed to a person, merged into one by that person, and parted again.

In: customers as orders and customer management make them, and what operators say. Out: matches and tasks; an `Outcome`.

Files, in order of flow:
    rules.py        who may, and what a refusal is called
    stubs.py        a customer that was merged, and the one whom it means since then
    matches.py      two customers whose names may mean one company are proposed, once
    declining.py    a person says that two are not the same
    moving.py       what hangs on a customer, and how it is hung on another and back
    hindrances.py   why a merge cannot be undone now
    merging.py      two customers become one, and two again
    records.py      what customer management says of its customers

Words. A *stub* is a customer that was merged into another: it has its id, its name and its past events, and nothing else. A *trail*
is what a relationship that was moved says of those on whom it hung before, the last of them at its end.

Invariants:
    1. Nothing merges two customers but an operator.
    2. A pair is proposed once: what a person has said of it stands.
    3. A stub is merged into a customer that is no stub: one step leads from it to whom it means.
    4. What is moved carries its trail, so that an undo takes back that and nothing else; what came since stays.
    5. Events stay with whom they concerned: they are history, which a chain of hashes holds (`graph/ledger/audit.py`).

Example: the shop has `ACME Inc.` where the CRM had `Acme`: there is a match, and a task `customerMatch`. An operator merges the shop's into
the CRM's: its services, orders, tickets, names and leads are the other's, and an order that names it is the other's order.
"""
