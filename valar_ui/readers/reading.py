"""What reading a file found: `Reading`; what a person set by hand: `ReadOptions`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from valar_ui.problems import Problem, Report
from valar_ui.table import Table

Recognised = Literal["valar-requests", "openai-batch"]
"""Ready-made requests: `{custom_id, params}` lines, or an OpenAI batch file converted to them."""

Record = tuple[int, int, list[str]]
"""Number as the spreadsheet shows it, line in a text editor (0: none), cells (none for a blank record)."""


class UnreadableFile(Exception):
    """The whole file is refused; `text` says what it is and what is wrong, `hint` what to do."""

    def __init__(self, text: str, hint: str = "", *, code: str = "unreadable") -> None:
        super().__init__(text)
        self.text = text
        self.hint = hint
        self.code = code
        self.sheets: tuple[Sheet, ...] = ()
        """The sheets of a workbook, where another one might be readable."""


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a person set by hand; None means: find out."""

    encoding: str | None = None
    delimiter: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    """Spreadsheet row of the headings; 0 for none."""
    first_data_row: int | None = None
    skip_hidden: bool = False
    """Leave out the rows that a filter or a person hid."""
    drop_rows: tuple[int, ...] = ()
    """Spreadsheet rows to leave out (totals, sources, comments)."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook that can hold rows (chart sheets are not told)."""

    name: str
    visible: bool


@dataclass(frozen=True, slots=True)
class Footer:
    """A row that looks like no record: a total, a source, a comment."""

    row: int
    why: str
    text: str


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file was read. `table` lies on disk in `table_path`; everything else survives as JSON."""

    format: str
    """csv, tsv, xlsx, xls, ods, jsonl, json, parquet (`gzip` tells whether it was compressed)."""
    name: str
    size: int
    """Bytes of the uploaded file."""
    sha256: str
    table_path: Path
    columns: tuple[str, ...]
    rows: int
    """Rows in the table."""
    options: ReadOptions
    gzip: bool = False
    encoding: str | None = None
    encoding_guessed: bool = False
    delimiter: str | None = None
    sheet: str | None = None
    sheets: tuple[Sheet, ...] = ()
    header_row: int | None = None
    """Spreadsheet row of the headings; 0 for none, None where the format has none."""
    records: int = 0
    """All records of the file: above + heading + rows + blank + left out + refused."""
    records_above: int = 0
    records_heading: int = 0
    records_blank: int = 0
    records_left_out: int = 0
    """Hidden rows and footers that the options leave out."""
    records_refused: int = 0
    """Records that could not become a row at all (a broken JSONL line)."""
    hidden_rows: int = 0
    hidden_columns: tuple[str, ...] = ()
    footers: tuple[Footer, ...] = ()
    recognised_as: Recognised | None = None
    """Where set, the table has exactly the columns `custom_id` and `params` (a JSON object as text)."""
    changes: tuple[str, ...] = ()
    """What converting an OpenAI batch file changed, one sentence each."""
    report: Report = field(default_factory=Report)
    """Problems found while reading. An error with no column blocks its row, one with a column only where it is used."""

    @property
    def table(self) -> Table:
        """The rows; opening costs no reading."""
        return Table(self.table_path)

    def as_json(self) -> dict[str, Any]:
        """Plain values; `from_json` restores them."""
        value = {name: getattr(self, name) for name in self.__slots__}
        value["table_path"] = str(self.table_path)
        value["options"] = asdict(self.options)
        value["sheets"] = [asdict(sheet) for sheet in self.sheets]
        value["footers"] = [asdict(footer) for footer in self.footers]
        value["report"] = self.report.as_json()
        return value

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Reading:
        """The inverse of `as_json`."""
        options = value["options"] | {"drop_rows": tuple(value["options"]["drop_rows"])}
        return cls(
            **value
            | {
                "table_path": Path(value["table_path"]),
                "columns": tuple(value["columns"]),
                "options": ReadOptions(**options),
                "sheets": tuple(Sheet(**sheet) for sheet in value["sheets"]),
                "hidden_columns": tuple(value["hidden_columns"]),
                "footers": tuple(Footer(**footer) for footer in value["footers"]),
                "changes": tuple(value["changes"]),
                "report": Report.from_json(value["report"]),
            }
        )

    @property
    def blocked(self) -> tuple[Problem, ...]:
        """The reading errors kept whole, for a first look."""
        return tuple(problem for problem in self.report if problem.severity == "error")
