"""What only performance monitoring knows of a service: what was measured of it.

Measurements are read over there, and are not copied: whoever asks gets them as they are now, for all services of an operation that
are asked about for the same time in one call.

In: entities `Service` by the gateway. Out: `{"data": ..., "errors": [...]}`.

Files, in order of flow: `types.py` (what is told of a measurement) · `schema.py` (all of it assembled) · `subgraph.py` (execution).

Invariants
1. Only a service that the graph shows to the caller is asked about: `measurements` requires the name of the service, which the graph
   gives in the caller's scope, and one without a name is none.
2. A measurement of a service that was not asked for spoils the whole answer (`adapters.performance_management.outbound`).
3. What goes wrong over there costs its own fields, and is told without a word of what was answered.

Example: `{ service(id: "service-1") { measurements(from: "2026-03-01T12:00:00Z", to: "2026-03-01T13:00:00Z") { from value } } }` is one
statement in the graph, and one call to performance monitoring.
"""
