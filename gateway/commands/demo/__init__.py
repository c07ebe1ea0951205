"""`trunkline demo`: a network, a gateway, seven other systems, a card that fails and who learns of it, a booking, an order.

In: a scale. Out: the story on stdout, as it happens; everything in it is asked over HTTP with tokens, as clients do.

Files, in order of flow: `command.py` (the row) · `neighbours.py` (the other systems, as stand-ins) · `scene.py` (where it
takes place, and how it asks) · `outage.py` (a card fails) · `centre.py` (what the central fault management system has) · `window.py` (what a subscriber hears) ·
`report.py` (a customer reports a problem) · `invoice.py` (what billing has) · `stock.py` (what the inventory believes) · `videoconference.py` (a customer books more bandwidth) ·
`newcomer.py` (a company that nobody knew orders a service) ·
`story.py` (what customers see).

Invariant: whatever is printed was answered by the gateway or by one of the other systems.

Example: `trunkline demo --scale 1000`.
"""

from gateway.commands.demo.command import command

__all__ = ["command"]
