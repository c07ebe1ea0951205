"""Does the suite notice? What must never break is broken on purpose, one thing at a time, in a copy of the checkout.

Each breakage is one edit of one file. The tests that should notice it are part of `make test`, with the same samples, so
what they notice `make test` notices. `python -m tests.broken [NAME ...]` prints a line for each and leaves with 1 where a
breakage went through; `make broken` runs all of them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

TOP: Final = Path(__file__).parents[1]
_COPIED: Final = ("gateway", "resolvers", "adapters", "graph", "trunkline", "tests", "docs", "benchmarks")
_FILES: Final = ("pyproject.toml", "README.md", "LICENSE", "schema.graphql", "Makefile", "CHANGELOG.md")
_SECONDS: Final = 900
_FAILED: Final = re.compile(r"^\d+ failed|[ =]\d+ failed", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakage:
    """One thing that is broken."""

    name: str
    file: str
    before: str
    """as it stands in the file, once."""
    after: str
    tests: tuple[str, ...]
    """folders or files of tests, one of which must fail."""


BREAKAGES: Final = (
    Breakage(
        name="slice",
        file="graph/compiler/slice.py",
        before="        case ScopeKind.CUSTOMERS if len(labels) == 1:\n            return _owned(names, var, labels[0], own)\n",
        after="        case ScopeKind.CUSTOMERS if len(labels) == 1:\n            return All(())\n",
        tests=("tests/resolvers/test_two_tenants.py",),
    ),
    Breakage(
        name="masking",
        file="resolvers/errors.py",
        before="    if treatment.mask:\n        return _response(treatment.mask,",
        after="    if treatment.mask:\n        return _response(str(error),",
        tests=("tests/resolvers", "tests/gateway/test_areas.py"),
    ),
    Breakage(
        name="fence",
        file="graph/ledger/outcomes.py",
        before=" AND d.attempts = row.attempts AND d._epoch = row.epoch",
        after="",
        tests=("tests/graph/ledger",),
    ),
    Breakage(
        name="lease",
        file="graph/ledger/lanes.py",
        before="    l.until = now + $ttl\n",
        after="    l.until = now + $ttl * 1000\n",
        tests=("tests/graph/ledger",),
    ),
    Breakage(
        name="planner",
        file="gateway/federation/planning/fetches.py",
        before="        if entry.requires is None:\n",
        after="        if True:\n",
        tests=("tests/gateway/federation/planning",),
    ),
    Breakage(
        name="null propagation",
        file="gateway/federation/execution/completing.py",
        before='                self._tell(place, "There is no value where one must be.")\n                raise _Null\n',
        after="                return None\n",
        tests=("tests/gateway/federation",),
    ),
    Breakage(
        name="cache key",
        file="gateway/federation/plans.py",
        before="        key = _key(operation, conditions.names, variables)\n",
        after="        key = _key(operation, conditions.names, {})\n",
        tests=("tests/gateway/federation",),
    ),
    Breakage(
        name="deduplication",
        file="graph/changes/alarms/occurrence.py",
        before="  MATCH (a:Alarm {{identity: $key}})\n  RETURN a.id ORDER BY",
        after="  MATCH (a:Alarm {{identity: $key}})\n  WHERE false\n  RETURN a.id ORDER BY",
        tests=("tests/graph/changes/alarms",),
    ),
    Breakage(
        name="replayed scope",
        file="resolvers/knowledge/streams.py",
        before="        return self.owners is None or self.owners.get(service) in self.scope.customers\n",
        after="        return True\n",
        tests=("tests/resolvers/test_subscribing.py",),
    ),
    Breakage(
        name="replay to live",
        file="graph/ledger/reader.py",
        before="                    if taken is not None and taken.position > last:\n",
        after="                    if taken is not None:\n",
        tests=("tests/graph/ledger/test_reader.py",),
    ),
    Breakage(
        name="cursor of a field",
        file="graph/compiler/cursor.py",
        before='        return f"subscription {self.field} {orjson.dumps(scope).decode()}"\n',
        after='        return f"subscription {orjson.dumps(scope).decode()}"\n',
        tests=("tests/resolvers/test_subscribing.py",),
    ),
    Breakage(
        name="cursor of a past",
        file="resolvers/knowledge/subscribing.py",
        before="        return not (event and place.mark) or mark_of(event) == place.mark\n",
        after="        return True\n",
        tests=("tests/resolvers/test_subscribing.py",),
    ),
    Breakage(
        name="capacity",
        file="graph/changes/bandwidth/asking.py",
        before="    return None if short is None else _no_room(short.left.limiting)\n",
        after="    return None\n",
        tests=("tests/graph/changes/bandwidth",),
    ),
    Breakage(
        name="charge",
        file="graph/changes/bandwidth/turning.py",
        before="        rates = allotted(running, self.service.effective - self.service.committed)\n",
        after="        rates = {each.id: each.mbps for each in running}\n",
        tests=("tests/graph/changes/bandwidth/test_turning.py", "tests/graph/changes/bandwidth/test_boundaries.py"),
    ),
    Breakage(
        name="quote of another",
        file="resolvers/bandwidth/tokens.py",
        before='    return f"{_VERSION} {subject}"\n',
        after="    return _VERSION\n",
        tests=("tests/resolvers/bandwidth",),
    ),
    Breakage(
        name="audit",
        file="graph/ledger/audit.py",
        before="        if hashes != link(hashes.previous, event):\n",
        after="        if False:\n",
        tests=("tests/graph/ledger/test_audit.py",),
    ),
    Breakage(
        name="dry run",
        file="graph/changes/dry_run.py",
        before="        raise _Decided(await change(transaction))\n",
        after="        return await change(transaction)\n",
        tests=("tests/graph/changes/bandwidth/test_booking.py",),
    ),
    Breakage(
        name="whose order",
        file="graph/changes/orders/known.py",
        before="WITH o WHERE mine AND o.id = $order",
        after="WITH o WHERE o.id = $order",
        tests=("tests/graph/changes/orders", "tests/adapters/order_management"),
    ),
    Breakage(
        name="order once",
        file="graph/changes/orders/placing.py",
        before="        if is_same:",
        after="        if is_same or True:",
        tests=("tests/graph/changes/orders", "tests/adapters/order_management"),
    ),
    Breakage(
        name="order follows items",
        file="graph/changes/orders/states.py",
        before='    if states & {"completed", "partial"}:',
        after='    if "partial" in states:',
        tests=("tests/graph/changes/orders",),
    ),
)


def is_noticed(breakage: Breakage) -> bool:
    """Break it in a copy, and tell whether a test fails there."""
    with tempfile.TemporaryDirectory(prefix="trunkline-broken-") as folder:
        copy = _copy(Path(folder))
        path = copy / breakage.file
        text = path.read_text(encoding="utf-8")
        if text.count(breakage.before) != 1:
            raise SystemExit(f"{breakage.name}: {breakage.file} no longer has what is to be broken, once")
        path.write_text(text.replace(breakage.before, breakage.after), encoding="utf-8")
        command = [
            sys.executable,
            "-m",
            "pytest",
            "-x",
            "-q",
            "-p",
            "no:cacheprovider",
            "-n",
            "3",
            "--dist",
            "loadfile",
        ]
        environment = {**os.environ, "PYTHONPATH": str(copy)}
        done = subprocess.run(
            [*command, *breakage.tests], cwd=copy, env=environment, capture_output=True, timeout=_SECONDS, check=False
        )
    said = done.stdout.decode()
    if _FAILED.search(said):  # with workers, pytest -x leaves with 2
        return True
    if done.returncode != 0:
        raise SystemExit(f"{breakage.name}: the tests did not run:\n{said[-4000:]}")
    return False


def _copy(folder: Path) -> Path:
    for each in _COPIED:
        shutil.copytree(TOP / each, folder / each, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    for each in _FILES:
        shutil.copyfile(TOP / each, folder / each)
    return folder


def main(names: list[str]) -> int:
    """Run the breakages with these names, or all; give the exit code."""
    missed = 0
    for each in BREAKAGES:
        if names and each.name not in names:
            continue
        began = time.monotonic()
        noticed = is_noticed(each)
        missed += not noticed
        said = "noticed" if noticed else "NOT NOTICED"
        sys.stdout.write(f"{each.name:18} {said}, {time.monotonic() - began:.0f} s\n")
        sys.stdout.flush()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
