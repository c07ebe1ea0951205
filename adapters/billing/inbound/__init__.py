"""What meters and mediation systems call: usage by TMF635 (version 4) and in IPDR documents (3.5).

In: an HTTP request whose principal is known. Out: usage in the caller's scope, or what became of what was sent.

Files, in the order in which a request meets them: `usage.py` (the endpoint) · `codec.py` (a TMF635 body becomes Usage, and
back) · `ipdr_codec.py` (a document becomes Usage values, checked by ipdr.xsd) · `states.py` (a patch or an event
moves its state on) · `query.py` (a list's query as the filter of
a compiled read) · `reads.py` (what is asked of the graph).

Invariants
1. A document that was cut counts for nothing.
2. The same record sent again changes nothing.

Example: `POST /tmf-api/usageManagement/v4/usage` by `system:meter` answers 201; the same again answers with the same id.
"""
