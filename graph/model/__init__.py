"""The model: labels and relationships as data, and the values that the rest of the graph speaks in.

In: nothing; these are tables and frozen values. Out: what constraints, indexes, the compiler, the tenant scope and the
loader are derived from, so that a property or a relationship is described once.

Files, in order of flow:
    vocabulary.py   the words that properties may hold, in the field's spelling
    kinds.py        what the model is written in: Label, Property, Relationship
    bookkeeping.py  labels that the program keeps for itself
    model.py        the tables: labels, properties, relationships, and what a customer may see of them
    bounds.py       what a property may hold, and the sentence for what it may not
    times.py        a moment, as people write it
    words.py        the words of a name, as it is searched by
    companies.py    which names may mean one company
    mapping.py      how a GraphQL type and field stand in the graph
    scope.py        the principal, and the part of the graph that it may see
    streams.py      what a subscription gives: events, and an end
    identity.py     ids that come out the same wherever they are made
    effects.py      what an alarm does to a service, and its severity under the contract
    thresholds.py   the load above which a service is too full, by its present rate
    alarm.py        an alarm as every dialect has it (X.733)
    event_kinds.py  what other systems are told of: kinds, and the types of events of each
    rates.py        a rate as other systems write it
    currencies.py   the digits of each currency
    usage.py        a usage record as every dialect has it
    resource.py     a piece of equipment as every dialect has it
    drawing.py      docs/model.md is drawn from the tables

Invariants
1. Everything here is pure: no database, no clock, no network.
2. A label or relationship that no table names does not exist, for readers and writers alike.

Example: `LABELS["Service"]` has the properties of a service, each with its type and its words.
"""
