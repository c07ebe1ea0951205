"""A new service between two sites is designed: its ports, a way with room, and one that protects it; or why that is not possible.

Words. A *junction* is a place where a way goes on from trunk to trunk: an element, or a site whose inside is not known. Two ways are
*apart* when they share no trunk and no site, but for the sites at the ends. A *barrier* is a set of full trunks of which one at least must
have more room before there is a way. The *working* way is the cheaper one of a pair.

In: a demand (two sites, a rate, from when to when, whether it is protected, what makes a way dear), the network, the ports at both sites,
and the limits of ports and trunks, which are asked for when they are needed. Out: a design of the least cost, or one of a closed set of reasons.

Files, in order of flow:
    demand.py      what is wanted, and the weights of a cost
    network.py     the network as ways are looked for
    ports.py       which ports may be taken, and which first
    budget.py      how much one decision may look at
    reading.py     both, read from the graph; and a decision driven by loads as they are now
    cached_network.py  the network, cached by each process for some seconds
    deciding.py    a demand is decided
    case.py        what is known of it, and a search that asks for what it needs
    room.py        what the loads that are known leave for it
    pairs.py       the cheapest way, or pair of ways, that can be walked
    apart.py       the cheapest pair where each site is one place
    ways.py        the cheapest way, all ways in order, and barriers
    reasons.py     why not, how much is missing, and from when it would fit
    answers.py     a design, and the reasons

Invariants
1. Deciding is pure: no database, no clock. Only `reading.py` and `cached_network.py` wait for anything.
2. A design costs the least of all that fit, unless it says that the search was given up; and no pair is called impossible that exists.
3. Equal inputs give equal answers: costs are whole numbers, and where they are equal the ids decide.
4. A decision ends: all its searches and readings have one budget. Where that is spent, it says what it knows, or that it is undecided.
5. All that a design takes has room throughout the time that was asked for. It holds nothing: who reserves it looks again.

Example: two trunks from site to site, of which the first is full until 100:

    >>> from graph.capacity.limits import Limit, LimitKind
    >>> from graph.capacity.steps import Booking, StepFunction
    >>> from graph.routing.deciding import decide
    >>> from graph.routing.demand import Access, Demand, Side, Weights
    >>> from graph.routing.network import Element, Network, Site, Trunk
    >>> from graph.routing.ports import AccessPort
    >>> sites = [Site(id=f"site-{each}", latitude=None, longitude=None) for each in "ab"]
    >>> elements = [Element(id=f"networkelement-{each}", site=f"site-{each}") for each in "ab"]
    >>> trunks = [Trunk(id=f"trunk-{each}", a="networkelement-a", z="networkelement-b") for each in "12"]
    >>> ports = {
    ...     side: (AccessPort(id=f"port-{at}", element=f"networkelement-{at}", speed=1_000, limit=1_000, is_taken=False),)
    ...     for side, at in ((Side.A, "a"), (Side.Z, "b"))
    ... }
    >>> demand = Demand(
    ...     a=Access(site="site-a"), z=Access(site="site-b"), mbps=500, start=0, end=None, protected=True, weights=Weights()
    ... )
    >>> deciding = decide(demand, Network.of(sites, elements, trunks), ports)
    >>> sorted(next(deciding))
    ['port-a', 'port-b']
    >>> full = StepFunction.of([Booking(start=0, end=100, mbps=800)])
    >>> def limit(thing, load=StepFunction()):
    ...     return Limit(thing=thing, kind=LimitKind.NETWORK, mbps=1_000, load=load)
    >>> sorted(deciding.send({each: limit(each) for each in ("port-a", "port-b")}))
    ['trunk-1', 'trunk-2']
    >>> try:
    ...     deciding.send({"trunk-1": limit("trunk-1", full), "trunk-2": limit("trunk-2")})
    ... except StopIteration as done:
    ...     print(done.value)
    NoRoom(stretch=('trunk-1',), missing=300, fits=FitsFrom(at=100, looked_until=None))
"""
