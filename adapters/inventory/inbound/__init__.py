"""What inventories and planners call: feeds of equipment come in, and equipment is read by TMF639 (version 4).

In: an HTTP request whose principal is known; a feed is a document of any length. Out: the state of a feed; resources in the
caller's scope.

Files, in the order in which a request meets them: `feeds.py` (a feed is received) · `documents.py` (resources are taken out
of a document as it arrives) · `resources.py` (the endpoint of TMF639) · `reads.py` (what is asked of the graph) · `codec.py`
(what the graph has becomes a TMF639 resource).

Invariants
1. A feed that is cut counts for nothing.
2. Memory does not grow with the length of a feed.

Example: `GET /tmf-api/resourceInventoryManagement/v4/resource?limit=10` by a customer lists its own slice.
"""
