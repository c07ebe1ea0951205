"""Adapters: where the surrounding systems are met, each by its own protocol and in its own words.

In: what a change obliges us to tell another system. Out: what another system tells us, in the words of the graph.

Folders, in order of flow: `ticketing/` (who works on it) · `inventory/` (which equipment there is) · `fault_management/` (who
looks at all alarms) · `event_management/` (who hears of all that happens) · `provisioning/` (what sets rates in the network) · `performance_management/` (who measures services) · `sales/` (who hears of leads) · `order_management/` (who orders) · `customer_management/` (who customers are) · `billing/` (who bills it), each with what that system
calls on us (inbound) and what we send it (outbound); above them `kafka/` (a broker that is told of events, and brings alarms);
below them what several share: `delivery/` (what waits for a system is sent, by one process at a time) ·
`endpoint/` (the gates that every call on us passes) · `webhooks/` (the way to an address that somebody else has named) ·
`tmf_client/` (how a system that follows TM Forum's conventions is asked) · `transport/` (the way to a system) ·
`soap/` (how MTOSI names things) · `tmf/` (conventions of TM Forum's APIs, for both directions) · `xml/` (XML from outside,
messages and feeds) · `event_words.py` (which event is what in whose words) · `errors.py` (what can go wrong) · `passed_over.py` (an item of an answer that cannot be read).
`simulator/` is every surrounding system as a small real server.

Invariants
1. No two systems know each other, and no two dialects of a system.
2. A deadline comes with every call; none is invented here, and nothing is tried twice here that may have been done.
3. Foreign exceptions stop here: what goes up is of `errors.py`, and repeats nothing of what another system answered.

Example: `await ticketing.find("alarm-7:customer-3", deadline=soon)` gives that ticket's id, status and severity there.
"""
