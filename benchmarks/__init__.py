"""A compiled read is measured beside the cheapest and the most usual ways to answer the same question.

In: two databases with the same generated network. Out: rows of figures (`python -m benchmarks reads`), for people or as
JSON. Each contestant is a server process of its own, asked over HTTP by a client process of its own.

*ours*       the gateway as it is served, by its own composition root
*floor*      the same Starlette server, middleware and store; per case one statement in list form and its answer, by hand
*ordinary*   the same types in plain Strawberry: a resolver per field, DataLoaders with one statement per batch
*neo4j_graphql*  @neo4j/graphql on Node, where Node is installed; on Neo4j only

Files, in the order in which a run meets them:

`__main__.py`       `python -m benchmarks`
`cli.py`            the commands
`run.py`            the row of the stages of `reads`
`databases.py`      an embedded database and a Neo4j, each for one run
`dataset.py`        what is loaded, and which of it is asked for
`cases.py`          the questions: document, variables, who asks
`contestants.py`    starts the servers and waits for them
`server.py`         what runs in a server process of ours, the floor or the ordinary
`floor.py`          the floor's endpoint
`floor_cases.py`    its statements and answers, by hand
`ordinary/`         the ordinary schema and its view
`node.py`           what the Node server is asked, whose sources are in a folder of their own; npm.py installs it
`agreement.py`      all answers are compared before any time is taken
`asking.py`         the client process, from outside
`client.py`         the client process, inside
`measure.py`        shuffled blocks
`news.py`           how far a run is
`errors.py`         why a run ends without figures
`figures.py`        from blocks to medians, ratios and their spread
`report.py`         tables and JSON
`alarms.py`         how many alarms a second go through, and how soon tickets are there
`alarm_figures.py`  how that is told
`streams.py`        how soon thousands of subscribers hear of an event; stream_client.py has them, stream_floor.py is the floor
`takeover.py`       how long a part of what waits is told by nobody after a process was killed
`federation/`       gateways of others beside ours, over four subgraphs
`planning.py`       what planning over subgraphs costs, as operations grow
`schedules.py`      random schedules of bookings, decided by graph/capacity and by a table
`capacity.py`       that, a million times, and what the curve of what is free costs
`bookings.py`       bookings a second over ways that overlap, and how late boundaries are
`feasibility.py`    how long it takes to design a new service in a large network
`orders.py`         how many orders a second are carried out
`booked_schedules.py`  schedules that several book at once, judged by brute force
`slice_scale.py`    one customer's slice in a small and in a large network
`large_slice.py`    single nodes by the largest customer, with its slice walked and stored
`timing.py`         whether times tell a customer of what is outside its slice

Rules. 1. Every figure of a row comes from blocks that stand beside each other in time, in a shuffled order; a ratio is
the median of the ratios of such neighbours. 2. CPU is that of the server process, all its threads. 3. No answer, no
figure: contestants that disagree end the run. 4. Nothing listens beyond loopback, and nothing is left running.

>>> from benchmarks.figures import spread
>>> spread([1.0, 1.2, 1.1, 1.3, 1.4])
Spread(median=1.2, low=1.1, high=1.3)
"""
