"""XML from outside: one parser for messages and feeds, without document types, entities or network.

In: bytes. Out: elements of lxml, checked against a schema of ours; or `adapters.errors.Malformed` with the line.

Files: `parser.py`.

Invariants
1. A document type declaration is refused before anything that it declares is looked at.
2. A feed of any size is read in flat memory.

Example: `read_xml(b"<alarm><severity>major</severity></alarm>").findtext("severity")` is `"major"`.
"""
