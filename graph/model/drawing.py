"""A drawing of the model made by hand would be wrong after the next change; docs/model.md is drawn from the tables.

`python -m graph.model.drawing docs/model.md` replaces what stands between the document's two markers, and nothing else.
Solid arrows are followed within a customer's slice, in at least one direction; dotted ones never.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, assert_never

from graph.model.kinds import Interval
from graph.model.model import LABELS, RELATIONSHIPS, Inside, Label, Property, Relationship

BEGIN: Final = "<!-- drawn from graph/model/model.py: begin -->"
END: Final = "<!-- drawn from graph/model/model.py: end -->"


def drawing() -> str:
    """Give all that can be derived: the picture, the relationships as a table, the labels as tables."""
    return "\n".join([*_picture(), "", *_relationships(), "", *_labels()])


def redraw(document: str) -> str:
    """Give the document with the part between the markers replaced; ValueError when it lacks them."""
    before, begin, rest = document.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the document has no lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{drawing()}\n\n{END}{after}"


def _picture() -> Iterator[str]:
    yield "```mermaid"
    yield "flowchart LR"
    for each in RELATIONSHIPS.values():
        arrow = "-.->" if each.inside is Inside.NEVER else "-->"
        for start in each.starts:
            for end in each.ends:
                yield f"  {start} {arrow}|{each.type}| {end}"
    yield "```"


def _relationships() -> Iterator[str]:
    yield "## Relationships"
    yield ""
    yield "| relationship | how many | a customer may follow it | properties |"
    yield "|---|---|---|---|"
    for each in RELATIONSHIPS.values():
        pattern = f"({_any(each.starts)})-[:{each.type}]->({_any(each.ends)})"
        properties = ", ".join(_typed(one) for one in each.properties)
        yield f"| `{pattern}` | {_how_many(each)} | {_followed(each.inside)} | {properties} |"


def _any(labels: tuple[str, ...]) -> str:
    return "\\|".join(labels)


def _how_many(relationship: Relationship) -> str:
    starts = "one" if relationship.one_start else "many"
    ends = "one" if relationship.one_end else "many"
    per = f"; one for each `{relationship.one_end_per}`" if relationship.one_end_per else ""
    per += ", each another" if relationship.apart else ""
    return f"{starts} to {ends}{per}"


def _followed(inside: Inside) -> str:
    match inside:
        case Inside.FORWARD:
            return "forward"
        case Inside.REVERSE:
            return "backward"
        case Inside.NEVER:
            return "never"
        case never:
            assert_never(never)


def _labels() -> Iterator[str]:
    yield "## Labels"
    for label in LABELS.values():
        yield ""
        yield f"### {label.name}"
        yield ""
        yield label.about + _traits(label)
        yield ""
        yield "| property | stored as | | words, or bounds |"
        yield "|---|---|---|---|"
        yield from (_row(label, each) for each in label.properties)


def _traits(label: Label) -> str:
    searched = " Found by full-text search." if label.searched else ""
    interval = f" {_interval(label.interval)}" if label.interval else ""
    internal = " Bookkeeping: never in the API." if label.internal else ""
    return searched + interval + internal


def _interval(interval: Interval) -> str:
    order = "not earlier" if interval.may_be_empty else "later"
    return f"`{interval.end}` is {order} than `{interval.start}`."


def _row(label: Label, each: Property) -> str:
    traits = {
        "unique": each.name in label.unique,
        "indexed": each.indexed and each.name not in label.unique,
        "may be absent": not each.required,
        "operators only": each.operator_only and not each.internal,
        "never in the API": each.internal,
        "derived": each.derived,
    }
    told = ", ".join(name for name, true in traits.items() if true)
    words = " ".join(f"`{word}`" for word in each.words)
    return f"| `{each.name}` | {each.kind.value} | {told} | {words or _bounds(each)} |"


def _bounds(each: Property) -> str:
    if each.form:
        return each.form.value
    if each.least is not None and each.most is not None:
        return f"{each.least} to {each.most}"
    return f"{each.least} or more" if each.least is not None else ""


def _typed(each: Property) -> str:
    words = f" ({' '.join(each.words)})" if each.words else ""
    absent = "" if each.required else ", may be absent"
    return f"`{each.name}` {each.kind.value}{words}{absent}"


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.write_text(redraw(target.read_text(encoding="utf-8")), encoding="utf-8")
