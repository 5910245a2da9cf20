"""Problems: grouped by cause, counted, worst first, bounded memory, back from JSON as they were."""

import pytest

from valar_ui.problems import Problem, Report, Severity


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
