"""A sales system as a stand-in: `sales.py` (the server) · `leads.py` (what it keeps).

In: a `salesLead` in the manner of TM Forum's version 4 APIs; no swagger of TMF699 is at hand, so what is checked are the members that
those APIs have in common. Out: the lead as it is, with the state that people there give it.

Invariant: two POSTs are two leads, whatever their external identifiers.

Example: `python -m adapters.simulator sales` serves until it is ended.
"""
