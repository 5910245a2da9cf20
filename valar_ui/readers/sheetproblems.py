"""What a person should know about a sheet: cells without a value, what is hidden or merged, other sheets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from valar_ui.problems import Problem, Severity
from valar_ui.readers import grid
from valar_ui.readers.reading import ReadOptions, Sheet
from valar_ui.readers.sheetxml import Area, SheetFacts, SheetRow


def cell_problems(row: SheetRow, columns: tuple[str, ...]) -> Iterator[Problem]:
    """What is wrong with the cells of a row, given the columns' names."""
    for column in row.errors or ():
        if column < len(columns):
            yield Problem(
                "error-cell",
                f"This cell shows the error {row.cells[column]}.",
                "Correct the formula in the spreadsheet, or leave the row out.",
                row.number,
                columns[column],
            )
    for column in row.unknown or ():
        if column < len(columns):
            yield Problem(
                "formula-without-result",
                "This cell has a formula whose result is not in the file: it was not calculated.",
                "Open the file in Excel, let it recalculate, and save it.",
                row.number,
                columns[column],
            )
    for column in row.blank or ():
        if column < len(columns):
            yield Problem(
                "formula-without-text",
                "This cell has a formula whose stored result is an empty text, as all formulas of this sheet have: it "
                "was probably not calculated.",
                "Open the file in Excel, let it recalculate, and save it.",
                row.number,
                columns[column],
                Severity.WARNING,
            )
    for column in row.lost or ():
        if column < len(columns):
            yield Problem(
                "text-missing",
                "This cell points to a text that the workbook does not hold: the file is damaged.",
                "Open the file in Excel, let Excel repair it, and save it.",
                row.number,
                columns[column],
            )
    for column in row.rounded or ():
        if column < len(columns):
            yield Problem(
                "digits-lost",
                f"{row.cells[column]} has more than 15 digits: Excel rounded the last ones away when it was typed.",
                "Format the column as text and enter the number again.",
                row.number,
                columns[column],
                Severity.WARNING,
            )


def sheet_problems(
    made: grid.Grid,
    name: str,
    sheets: tuple[Sheet, ...],
    hidden_columns: tuple[str, ...],
    merged: Sequence[Area],
    facts: SheetFacts,
    options: ReadOptions,
) -> Iterator[Problem]:
    """What holds for the sheet as a whole, read with these options."""
    if made.hidden_rows:
        yield _hidden_rows(made.hidden_rows, left_out=options.skip_hidden)
    if facts.uncalculated:
        yield Problem(
            "formulas-not-calculated",
            f"All {facts.formulas:,} formulas of this sheet have the result 0, and the workbook asks to be calculated "
            "when it is opened: these are probably no results.",
            "Open the file in Excel, let it recalculate, and save it.",
            severity=Severity.WARNING,
        )
    if hidden_columns:
        yield Problem(
            "hidden-columns",
            f"Hidden columns: {', '.join(hidden_columns[:50])}.",
            "They can be used like the others.",
            severity=Severity.NOTE,
        )
    others = [sheet for sheet in sheets if sheet.name != name]
    if others:
        hidden = sum(not sheet.visible for sheet in others)
        told = f", {hidden} of them hidden" if hidden else ""
        yield Problem(
            "other-sheets",
            f"This workbook has {len(others)} other sheet{'s' if len(others) > 1 else ''}{told}.",
            "Choose another sheet if this is not the one you mean.",
            severity=Severity.NOTE,
        )
    first = made.header_row or 0
    headings = [area for area in merged if first and area[0] <= first + made.ledger.heading - 1 and area[2] >= first]
    if headings:
        yield Problem(
            "merged-headings",
            "Some headings are merged cells; each column was named by all that stands above it (the header).",
            "Check the names.",
            severity=Severity.WARNING,
        )
    inside = [area for area in merged if area[2] > area[0] and area[0] >= first + made.ledger.heading]
    for area in inside:
        yield Problem(
            "merged-cells",
            f"Cells are merged over rows {area[0]:,} to {area[2]:,}: only the first row has the text, the "
            "others are empty.",
            "Take the merging back and fill all rows if each should have it.",
            area[0],
            made.columns[area[1] - 1] if area[1] <= len(made.columns) else None,
            Severity.WARNING,
        )


def _hidden_rows(count: int, *, left_out: bool) -> Problem:
    if left_out:
        return Problem(
            "hidden-rows",
            f"{count:,} rows are hidden, by a filter or by hand; they are left out.",
            "Nothing to do, unless they should be sent.",
            severity=Severity.NOTE,
        )
    return Problem(
        "hidden-rows",
        f"{count:,} rows are hidden, by a filter or by hand; they are part of the table unless you leave them out.",
        "Decide whether the hidden rows should be sent.",
        severity=Severity.WARNING,
    )
