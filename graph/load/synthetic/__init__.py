"""A synthetic network for demonstrations, tests and benchmarks: a real topology, grown with equipment and customers.

In: the name of a topology, a scale, a seed, a number of alarms. Out: records, in the order in which they may be written.

Files, in the order in which a network grows:

    topology.py     a topology of topohub: cities, links, and who talks to whom
    grow.py         topology to records: the row of the stages that follow
    catalogue.py    every number that we chose: cards, rates, tiers, names
    sheet.py        where the stages put their records down
    equipment.py    sites, elements, cards, ports
    disjoint.py     the shortest two ways that share no link (Suurballe)
    network.py      access sites, trunks, and room on them
    market.py       between which sites services are wanted
    customers.py    who buys what
    service.py      one service: ports, paths, and what the alarms do to it
    history.py      orders, boosts, usage, events
    alarms.py       alarms that are open from the start, and their tickets

Invariants. The same topology, scale, seed and number of alarms give the same records in the same order. No trunk carries
more than its capacity. A service's two paths share no trunk, and it has no protecting path only where the trunks leave
none.

Example: `grow(read_topology("sndlib/abilene"), 2_000, 1, alarms=3)` gives the records of a small provider.
"""
