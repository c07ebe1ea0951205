"""SOAP 1.1 and MTOSI 2.1, as far as both alarms and inventories speak them: names, elements, envelopes, faults.

In: an element or a message of MTOSI; or names and elements of ours. Out: the other of the two; or an
`adapters.errors.AdapterError`.

Files, in order of flow: `names.py` (the name of a thing: a list of types and values there, one text here) · `elements.py`
(namespaces, and the elements that both areas read and write) · `resources.py` (the attributes of equipment and trunks) · `envelope.py` (a message and its header) · `faults.py` (what is
wrong with a message, and what an answer means).

Invariants
1. A name has one text, whoever says it: a feed, an alarm, an operator.
2. A fault is judged by the exception that its detail names; the fault code counts only where the detail names none.

Example: the parts `MD=north`, `ME=paris-1` are the text `MD=north;ME=paris-1`, and lead back to the same parts.
"""
