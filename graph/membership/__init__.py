"""Membership: which nodes that several customers may see are in the slice of a customer with many services.

A customer's question about one such node (a trunk, a site, an alarm) may not begin at the node: the time would tell what
others have there. Begun at the customer it is a walk over the whole slice. That is quick for a dozen services and slow for
hundreds. So the slices of customers with many services are stored: a node for each pair of customer and node, found by its
unique id, which takes the same steps for what is the caller's, what is not, and what is not there.

Words. A *membership* is that a node is in the slice of a customer. A slice is *stored* while all memberships of its
customer are there and no others; the property `STORED` of the customer says so (`graph.model.scope`). While it is absent,
memberships count for nothing, and the compiler walks the slice. To *forget* a slice is to take that property away.

In: pairs that a change adds or takes away, or nodes whose relationships change, in the transaction of the change.
Out: nothing; `graph/compiler/slice.py` asks for memberships.

Files, from below to above:
    ways.py      which steps lead from a customer to shared nodes, as statements, derived from the model
    upkeep.py    a change adds or drops memberships, or forgets slices
    building.py  a slice is stored; whoever serves stores those that are missing
    checking.py  stored slices are compared with the graph, and mended

Invariants
1. What a stored slice says is true at each commit. Alarms change memberships one by one, since they are many; whatever
   changes the network or who has which service forgets the slices behind it, and they are built again later.
2. A slice is said to be stored under the gate, the marks of all loads, and the locks of the customer and its services. A load
   looks for stored slices behind its relationships after it has its mark; a move takes the gate before it moves anything, behind
   the locks of equipment; an alarm has the locks of its services. So of two that change and build at once, the second sees what the first has written.
3. Nothing is lost with a process: a slice that nobody has built is walked.

Example: a customer with more than `MANY_SERVICES` services, after a load:

    await build_missing(store, deadline=soon)    # its nodes are memberships now, and it has STORED
"""

from graph.membership.building import MANY_SERVICES, build, build_missing, keep_building
from graph.membership.checking import Checked, check, mend
from graph.membership.upkeep import add, drop, forget, forget_behind, hold, near

__all__ = [
    "MANY_SERVICES",
    "Checked",
    "add",
    "build",
    "build_missing",
    "check",
    "drop",
    "forget",
    "forget_behind",
    "hold",
    "keep_building",
    "mend",
    "near",
]
