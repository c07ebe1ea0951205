"""MTOSI's names: a thing is named there by a list of types and values, and by one text everywhere else.

In: an element of MTOSI, or a name of ours. Out: the other of the two.

Files: `alarm_names.py` (names of what alarms are about) · `resource_names.py` (names of equipment in inventories).

Invariant: a name that was read is written as it was.

Example: the parts `MD=Acme/ME=paris-1` are one name, and lead back to the same parts.
"""
