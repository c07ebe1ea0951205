"""What is prepared once for many requests: how much of it is kept, and how much new of it a principal may cause.

In: values with their weights, pieces of new work with their principal. Out: the values that are still kept, the results of the
work, or a refusal with a time to come back.

Files, in order of flow:

    preparing.py  the cache and the meter of a process, as one
    cache.py      tables that share one bound in bytes
    new_work.py   the allowance of a principal per minute, by size and CPU time, and the thread beside the event loop

Invariants
1. All that a process keeps of documents, plans, statements and introspection weighs less than `limits.cache_bytes`.
2. One principal's new work takes no more CPU time than its allowance, and one piece more.
3. What is known costs a look-up, and nothing of an allowance.

Example: `await new_work.do(subject, Work(...))` reads a document that nobody brought before, and keeps it.
"""
