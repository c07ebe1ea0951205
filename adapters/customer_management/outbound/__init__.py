"""How customer management is asked: a module for each dialect.

In: a moment, an address to be called at. Out: its customers, or an `adapters.errors.AdapterError`.

Files: `tmf629.py` (TM Forum's API, version 4).

Invariant: a list is read to its end, or is an error.

Example: `await Tmf629(transport).customers(at=now, deadline=soon)` gives all customers.
"""
