"""A plan that is wrong or dear is understood by its stages, and stages are read as text."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.federation.planning.fetches import Fetch
from gateway.federation.planning.normalize import Normalized
from gateway.federation.planning.paths import Paths
from gateway.federation.planning.plan import print_path
from gateway.federation.planning.positions import Position, Solution
from gateway.federation.selections import Sets, compact


def print_paths(paths: Paths, operation: Normalized) -> str:
    """Print where each field of an operation is taken from."""
    root = Position(paths.graph.supergraph.roots[operation.kind], ())
    return "\n".join(_solution(paths, root, (operation.root,), "")) + "\n"


def _solution(paths: Paths, position: Position, sets: Sets, indent: str) -> Iterator[str]:
    solution = paths.solve(position, sets)
    yield f"{indent}{position.type} {_states(position)}: {_cost(solution)}"
    if solution.opened is not None:
        yield f"{indent}  open {solution.opened}"
        opened = position._replace(states=(*position.states, solution.opened.state))
        yield from _solution(paths, opened, sets, indent + "  ")
    for pick in solution.picks:
        where = ", ".join(map(str, pick.entries)) or "nowhere"
        yield f"{indent}  {pick.item} from {where}"
        if pick.item.sets and pick.entries:
            yield from _solution(paths, paths.child(position, pick.item, pick.entries), pick.item.sets, indent + "    ")
    if solution.rest is not None:
        for name in solution.members:
            yield from _solution(paths, paths.positions.narrowed(position, name), (solution.rest,), indent + "  ")


def _states(position: Position) -> str:
    return f"at {', '.join(map(str, position.states))}" if position.states else "at the root"


def _cost(solution: Solution) -> str:
    missing, hops, _, fields = solution.cost
    return f"{f'{missing} missing, ' if missing else ''}{hops} fetches, {fields} fields"


def print_fetches(fetches: list[Fetch]) -> str:
    """Print questions to subgraphs."""
    return "\n".join(_fetch(each) for each in fetches) + "\n" if fetches else "(nothing to fetch)\n"


def _fetch(fetch: Fetch) -> str:
    after = f" after {', '.join(f'#{each.number}' for each in fetch.after)}" if fetch.after else ""
    lines = [f"#{fetch.number} {fetch.graph}{after} at {print_path(fetch.path)}"]
    if fetch.input is not None:
        sent = " ".join(compact(each) for each in (*fetch.input.key, *fetch.input.required))
        lines.append(f"    by {fetch.input.typename} {{ {sent} }}")
    lines.append(f"    {compact(fetch.node.selection())}")
    return "\n".join(lines)
