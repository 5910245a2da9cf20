"""Problems: grouped by cause, counted, worst first, bounded memory, back from JSON as they were."""

import re

import pytest

from tests.codes import all_codes
from valar_ui.problems import TITLES, Problem, Report, Severity, title


def test_grouped_by_code_and_column_worst_first() -> None:
    report = Report()
    report.extend(
        [
            Problem("long", "long", row=2, column="a", severity=Severity.WARNING),
            Problem("empty", "empty", row=3, column="a"),
            Problem("empty", "empty", row=4, column="a"),
            Problem("empty", "empty", row=4, column="b"),
        ]
    )
    assert [(group.code, group.column, group.count) for group in report.groups] == [
        ("empty", "a", 2),
        ("empty", "b", 1),
        ("long", "a", 1),
    ]
    assert report.groups[0].rows.tolist() == [3, 4]
    assert (report.count(Severity.ERROR), report.count(Severity.WARNING), len(report)) == (3, 1, 4)


def test_only_the_first_few_are_kept_whole_and_all_reach_the_sink() -> None:
    seen: list[Problem] = []
    report = Report(sink=seen.append)
    report.extend(Problem("empty", "empty", row=row) for row in range(1_000))
    assert len(report.groups[0].examples) == Report.EXAMPLES
    assert report.groups[0].count == len(seen) == 1_000
    assert len(report.groups[0].rows) == 1_000


@pytest.mark.parametrize("problem", [Problem("x", "text"), Problem("y", "t", "h", 5, "c", Severity.NOTE, 9)])
def test_json_round_trip(problem: Problem) -> None:
    assert Problem.from_json(problem.as_json()) == problem
    report = Report()
    report.add(problem)
    assert Report.from_json(report.as_json()).as_json() == report.as_json()


def test_every_code_in_the_source_has_a_title_of_its_own_in_a_few_words() -> None:
    codes = all_codes()
    assert {"identical-request", "temperature-number", "personal-iban", "id-empty", "quote-never-closes"} <= codes
    titles = {code: title(code) for code in codes}
    for words in titles.values():
        assert re.fullmatch(r"[A-Z][\w'-]*( [\w'-]+){0,7}", words), words
        assert len(words) <= 50, words
    assert len(set(titles.values())) == len(codes)
    # A title is a code's own words only where these say what is wrong.
    assert {code for code in codes if len(titles[code].split()) < 2} == {"personal-iban"}
    assert set(TITLES) <= codes


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("identical-request", "Same request twice"),
        ("empty-prompt", "Nothing to ask"),
        ("temperature-number", "Temperature is no number"),
        ("max_output_tokens-range", "Max output tokens is out of range"),
        ("top_p-range", "Top-p is out of range"),
        ("invalid-json", "Invalid JSON"),
        ("a-code-nobody-knows", "A code nobody knows"),
        ("", ""),
    ],
)
def test_a_code_in_words(code: str, words: str) -> None:
    assert title(code) == words
