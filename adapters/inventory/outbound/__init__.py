"""The dialects of inventory that we speak: each tells one kind of system what the graph has.

In: a `ResourceOrder`. Out: the inventory's name for the thing, or an `adapters.errors.AdapterError`.

Files: `tmf639.py` (TM Forum's, over HTTP) · `tmf638.py` (TM Forum's, of services) · `mtosi.py` (MTOSI 2.1, SOAP over HTTP).

Invariant: no dialect knows another, and none tries twice.

Example: `await Tmf639(transport).find(order, deadline=soon)` gives its name there, or None.
"""
