"""What the stages of a read make of small operations, as text that a person reads before it changes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from graph.model.scope import Principal, Role
from tests.graph.case_files import Case, cases, read, write
from tests.graph.compiler.compiling import stages

FOLDER = Path(__file__).parent / "cases"
CASES = cases(FOLDER)
SECTIONS = ("tree", "cypher", "parameters", "shaper")
PRINCIPALS = {
    "everything": Principal(subject="op", role=Role.OPERATOR),
    "customers": Principal(subject="c", role=Role.CUSTOMER, customers=("customer-1",)),
}


def found_for(case: Case) -> Mapping[str, str]:
    made = stages(case.operation, case.variables, PRINCIPALS[case.setting("scope")])
    return {name: re.sub(r" at 0x[0-9a-f]+", "", made[name]).strip("\n") or "(none)" for name in SECTIONS}


@pytest.mark.parametrize("case", CASES, ids=lambda each: f"{each.file.stem}: {each.title}")
def test_a_case_is_compiled_as_it_says(case: Case, *, update_cases: bool) -> None:
    if update_cases:
        pytest.skip("written anew by the test below")
    assert tuple(case.expected) == SECTIONS, "a section is missing, or no test reads it: pytest --update-cases"
    assert all(case.expected.values()), "an empty expectation says nothing"
    assert found_for(case) == case.expected


def test_titles_are_unique_and_cases_are_there(*, update_cases: bool) -> None:
    if update_cases:
        for file in sorted(FOLDER.glob("*.txt")):
            write(file, [(case, found_for(case)) for case in read(file)])
    titles = [each.title for each in CASES]
    assert len(titles) > 20
    assert len(titles) == len(set(titles))


def test_an_empty_or_an_unread_expectation_fails(tmp_path: Path) -> None:
    text = "==== t\nscope: everything\n{ __typename }\n---- tree\n\n---- other\nx\n"
    (tmp_path / "a.txt").write_text(text)
    [case] = cases(tmp_path)
    assert case.expected == {"tree": "", "other": "x"}
    with pytest.raises(AssertionError, match="no test reads it"):
        test_a_case_is_compiled_as_it_says(case, update_cases=False)
