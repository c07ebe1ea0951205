"""Load: a synthetic network or a file of JSON lines, written into the graph.

In: the name of a topology with a scale and a seed, or lines; a store that `graph.store.migrate` has prepared. Out: a graph
that fits the model, and a report with the counts and the customers to show it as. A load that was cut goes on where it
stopped; one that is complete changes nothing when it is repeated.

Words. A *record* is one node or relationship. A *lane* is one of the three writers that batches pass, one after the other;
a *mark* is the number of batches that a lane has through.

Files, in the order in which a load goes through them:

    loading.py      the two loads, each as the row of its stages
    synthetic/      a topology, grown into a network with its customers
    records.py      a record, and its line
    check.py        whether a record fits the model
    lines.py        a file of lines: all faults first, then the records
    limits.py       what a node may have one of
    unique.py       what one node alone may have, beside its id
    stubs.py        whom a customer means that was merged
    known.py        which ids the store has already
    statements.py   the constant texts that write
    batches.py      records, cut into what one transaction takes
    write.py        batches into the database, with marks
    versions.py     what events are loaded of has their versions
    report.py       progress, and what was loaded
    errors.py       what can be wrong with what a load is given

Invariants. A relationship comes after both of its ends. Of a file with one fault, nothing is written.

Example, with any function `tell(stage, done, total)`:

    report = await load_topology(store, topology="sndlib/abilene", scale=2_000, progress=tell, deadline=monotonic() + 60)
    report.labels["Service"]
"""

from graph.load.errors import BadLines, Fault, LoadRefused, Overtaken, UnknownTopology
from graph.load.loading import load_lines, load_topology
from graph.load.records import NodeRecord, Record, RelationshipRecord, as_line
from graph.load.report import DemoPrincipal, LoadReport, Progress, TopologyFacts
from graph.load.synthetic.grow import grow
from graph.load.synthetic.topology import Topology, read_topology

__all__ = [
    "BadLines",
    "DemoPrincipal",
    "Fault",
    "LoadRefused",
    "LoadReport",
    "NodeRecord",
    "Overtaken",
    "Progress",
    "Record",
    "RelationshipRecord",
    "Topology",
    "TopologyFacts",
    "UnknownTopology",
    "as_line",
    "grow",
    "load_lines",
    "load_topology",
    "read_topology",
]
