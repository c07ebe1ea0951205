"""The structure of the code in numbers: for each folder its modules, and the folders that it imports.

`make arrows` prints the table of docs/rooms.md (`make docs` writes it there; a test compares them). A folder that holds
others gets a line more: how its parts (folders and the modules beside them) lie on floors, with how many arrows, and how
many of those run back, that is, are in a circle.

    python -m tests.arrows [PAGE]
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, TypeAlias

import grimp

ROOMS: Final = ("gateway", "resolvers", "adapters", "graph", "trunkline")
BEGIN: Final = "<!-- arrows -->\n"
END: Final = "<!-- /arrows -->\n"
Arrows: TypeAlias = Mapping[str, frozenset[str]]
"""By each part those of its neighbours that it imports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder of modules."""

    name: str
    modules: int
    """its door not counted."""
    imports: tuple[str, ...]
    """other folders; one that holds it, or that it holds, among them."""
    parts: Arrows
    """what lies directly in it; empty where no folder does."""


def read_folders() -> list[Folder]:
    """Read every folder of the rooms, in the order of their names."""
    graph = grimp.build_graph(*ROOMS, cache_dir=None)
    packages = sorted(each for each in graph.modules if graph.find_children(each))
    return [_folder(graph, name, packages) for name in packages]


def _folder(graph: grimp.ImportGraph, name: str, packages: list[str]) -> Folder:
    children = graph.find_children(name)
    inside = {name, *(each for each in children if each not in packages)}
    imported = {_folder_of(to, packages) for each in inside for to in graph.find_modules_directly_imported_by(each)}
    holds_folders = any(each in packages for each in children)
    return Folder(
        name=name,
        modules=len(inside) - 1,
        imports=tuple(sorted(imported - {name})),
        parts=_arrows(graph, children) if holds_folders else {},
    )


def _folder_of(module: str, packages: list[str]) -> str:
    return module if module in packages else module.rpartition(".")[0]


def _arrows(graph: grimp.ImportGraph, parts: Iterable[str]) -> Arrows:
    owner = {module: part for part in parts for module in (part, *graph.find_descendants(part))}
    arrows: dict[str, set[str]] = defaultdict(set)
    for module, part in owner.items():
        arrows[part] |= {owner[to] for to in graph.find_modules_directly_imported_by(module) if to in owner}
    return {part: frozenset(to - {part}) for part, to in arrows.items()}


def circles(arrows: Arrows) -> set[tuple[str, str]]:
    """Give the arrows whose head leads back to their tail."""

    @cache
    def reached(part: str) -> frozenset[str]:
        seen: set[str] = set()
        waiting = [part]
        while waiting:
            new = arrows[waiting.pop()] - seen
            seen |= new
            waiting.extend(new)
        return frozenset(seen)

    return {(part, to) for part, heads in arrows.items() for to in heads if part in reached(to)}


def floors(arrows: Arrows) -> int:
    """Count the floors: a part lies above all that it imports. Arrows in circles do not count."""
    back = circles(arrows)

    @cache
    def floor(part: str) -> int:
        return 1 + max((floor(to) for to in arrows[part] if (part, to) not in back), default=0)

    return max(map(floor, arrows))


def table(folders: Iterable[Folder]) -> str:
    """Write the table in Markdown."""
    return "".join(_lines(folders))


def _lines(folders: Iterable[Folder]) -> Iterator[str]:
    yield "| folder | modules | imports | its parts |\n| --- | ---: | --- | --- |\n"
    for each in folders:
        yield f"| `{each.name}` | {each.modules} | {' '.join(f'`{to}`' for to in each.imports)} | {_parts(each.parts)} |\n"


def _parts(arrows: Arrows) -> str:
    if not arrows:
        return ""
    count = sum(map(len, arrows.values()))
    return f"{len(arrows)} on {floors(arrows)} floors, {count} arrows, {len(circles(arrows))} back"


def main(page: Path | None) -> None:
    """Print the table, or put it where a page has it."""
    written = table(read_folders())
    if page is None:
        sys.stdout.write(written)
        return
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    page.write_text(f"{before}{BEGIN}{written}{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
