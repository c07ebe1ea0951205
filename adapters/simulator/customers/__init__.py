"""Customer management as a stand-in: `customer_management.py` (the server) · `customers.py` (what it keeps).

In: TMF629, version 4. Out: the customers as they are, and events to whoever has asked at its hub.

Invariant: two POSTs are two customers, whatever their names.

Example: `python -m adapters.simulator customers` serves until it is ended.
"""
