"""Alarms: one record of an alarm for all who speak of it, in TMF642's JSON or in MTOSI's XML.

Both dialects say the same of most of an alarm, and each says something that the other has no words for. The record has the
shape of TMF642, and what only MTOSI says is in a published extension of it (`x733`); in MTOSI what only TMF642 says is in
`vendorExtensions`. So whatever came by one of them goes out whole by the other, and back.

In: an element of MTOSI. Out: the record; and the other way round.

Files, in order of flow: `messages.py` (what a message says) · `read.py` (an alarm of
MTOSI as a record) · `write.py` (a record as an alarm of MTOSI) · `record.py` (current values over a record) · `terms.py`
(the elements, and the table of what both carry) · `x733.py` (the extension) · `causes.py` `words.py` (how causes and the
words of X.733 are spelled; names of things, envelopes and faults: adapters/soap). The schemas of what we take, all written by us, are beside them.

Invariants
1. What is read has passed our schema, and what is written is valid by the published one.
2. Members of `terms.CARRIED` are equal after a round trip by MTOSI's own elements alone; with our extension the whole record is.
3. A message is read to its end before anything of it is acted upon.

Example: `read_alarm(write_alarm(body)).body == body`.
"""
