"""The dialects of billing that we speak: usage and downtime are handed over, bills and prices are read.

In: a `Record`, accounts, or a product offering. Out: billing's name for the record, `Bill`s and `Rate`s, a `PricedOffering`, or an
`adapters.errors.AdapterError`.

Files: `tmf635.py` (usage by TMF635, problems by TMF656) · `ipdr.py` (IPDR documents) · `ipdr_document.py` (a record as one,
by service_definition.xsd) · `places.py` (where documents are put) · `tmf678.py` (bills) · `tmf678_resource.py` (what is
believed of one) · `tmf620.py` (prices) · `tmf620_resource.py` (what is believed of one) · `money.py` (an amount in an answer).

Invariant: no dialect knows another, and none tries twice.

Example: `await Tmf678(transport).bills(["ACC-1"], deadline=soon)` gives the bills of that account, the latest first.
"""
