"""TM Forum's conformance kit for TMF642, run as it is published, with a token added.

The kit is TM Forum's and no part of this project: its directory is given (`TMF642_v4.0.0`, with `ctk/TMF642-Alarm-v4.0.0.testkit.json`
in it, of the repository tmforum-rand/TMForum-ODA-Ready-for-publication). `newman`, version 6, must be on the path.

In: the kit's directory. Out: what each request was answered, and how many assertions failed; an exit status that says so.

Files: `__main__.py` (`make kit KIT=DIR`) · `kit.py` (the kit with a token; what newman says of it)

Invariant: nothing of the kit is changed but that every request bears a token.

Example: `make kit KIT=../TMFC037-ServicePerformanceManagement/ctk/resources/api-ctks/TMF642_v4.0.0`.
"""
