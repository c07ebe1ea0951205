"""TM Forum's conventions (TMF630, version 4) that all of its APIs share, for our endpoints and for the stand-ins.

In: query parameters, JSON bodies. Out: filters, pages, error bodies, times; a body's faults by the names of its fields.

Files: `tmf630.py` (filters, paging, `fields`, errors, PATCH, times) · `shape.py` (what a body may hold, and all that is wrong
with one) · `events.py` (what TMF688 carries of services, equipment and tickets).

Invariants
1. Everything here is pure and works on plain values.
2. What a caller sent wrongly is named by its field; nothing is passed over in silence.

Example: `read_query([("status", "held,pending"), ("limit", "1")])` gives the filters and the page that were asked for.
"""
