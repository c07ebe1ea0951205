"""XML from outside: one parser for messages and feeds, in UTF-8, without document types, entities or network.

In: bytes. Out: elements of lxml, checked against a schema of ours; or `adapters.errors.Malformed` with the line.

Files: `parser.py` (expat reads, elements of lxml are made) · `confinement.py` (the thread in which names of strangers are met).

Invariants
1. A document type declaration is refused before anything that it declares is looked at.
2. A feed of any size is read in flat memory, whatever its names are.
3. What one sender has sent makes no difference to what is taken of another.

Example: `read_xml(b"<alarm><severity>major</severity></alarm>").findtext("severity")` is `"major"`.
"""
