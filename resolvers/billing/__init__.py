"""What only billing knows of a customer: bills, and what they are made of.

They are read over there, and are not copied: whoever asks for them gets them as they are now, for all customers of an
operation in one call.

In: entities `Customer` by the gateway, with what the graph knows of them (`accountRef`). Out: `{"data": ..., "errors": [...]}`.

Files, in order of flow: `types.py` (what is told of a bill) · `schema.py` (all of it assembled) · `subgraph.py` (execution).

Invariants
1. Whoever asks for an entity has shown that its caller sees it: nothing here decides who sees what, and only the gateway
   asks here.
2. A bill that turns out to be of another account than was asked for is never shown (`adapters.billing.outbound.tmf678`).
3. What goes wrong over there costs its own fields, and is told without a word of what was answered.

Example: `{ customer(id: "customer-7") { name bills(first: 3) { number amountDue { amount currency } } } }` is one statement
in the graph, for the name and the account, and one call to billing.
"""
