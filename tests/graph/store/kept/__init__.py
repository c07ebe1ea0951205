"""Stores as earlier versions of this program left them, so that a migration is tried on what it will meet.

Data that a test writes by statements are what its author believes of a version; these were written by the version itself: a
network with customers, one of them with a stored slice, alarms, tickets, usage, deliveries, feeds and a hub.

In: nothing but the program. Out: one file for each version, such as `version-6.jsonl.xz`: nodes, then relationships, a JSON line each.

Files: `write.py` (makes the file of the version that is checked out, `python -m tests.graph.store.kept.write`) · `raw.py`
(a whole store to lines and back, past all that the program knows of its data).

Invariants
1. A file is never changed once its version has landed. A version that changes the schema adds its own before it lands.
2. What is restored is what was there: labels, properties and relationships, the schema version among them.

Example: `await restore(store, read(5))` makes an empty database one of version 5; `migrate` then brings it to the present.
"""
