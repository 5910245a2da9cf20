"""Workbooks: what Excel shows, cell for cell, and what it hides."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
import xlwt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from odf.opendocument import OpenDocumentSpreadsheet
from odf.table import CoveredTableCell, Table, TableCell, TableRow
from odf.text import P

from tests.reading import balanced, cells, codes, numbers, read_bytes, rows_of
from valar_ui.readers import UnreadableFile, read

Fill = Callable[[Any, Any], None]


def xlsx(fill: Fill, **options: Any) -> bytes:
    """A workbook that `fill(workbook, first sheet)` writes with XlsxWriter."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, options) as book:
        fill(book, book.add_worksheet("Data"))
    return out.getvalue()


def changed(content: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The same archive with its parts changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return out.getvalue()


def sheet_xml(rows: str, *, more: str = "", head: str = "") -> bytes:
    """A workbook whose first sheet holds these row elements."""
    xml = (
        '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        f"{head}<sheetData>{rows}</sheetData>{more}</worksheet>"
    ).encode()
    return changed(xlsx(lambda *_: None), lambda name, old: xml if name.endswith("sheet1.xml") else old)


HEAD = '<row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c><c r="B1" t="inlineStr"><is><t>b</t></is></c></row>'


@pytest.mark.parametrize(
    ("value", "form", "shown"),
    [
        (501, "00000", "00501"),
        (12, '"SKU-"0000', "SKU-0012"),
        (0.52, "0.00%", "52.00%"),
        (0.5, "0%", "50%"),
        (0.123456, "0%", "12.3456%"),
        (1234.5, "$#,##0.00", "$1,234.50"),
        (1234.5, "#,##0.00 [$€-407]", "1,234.50 €"),
        (-3, '0 "pcs"', "-3 pcs"),
        (123456789, "000-00-0000", "123-45-6789"),
        (1.5, "0.00", "1.5"),
        (1.23456, "0.00", "1.23456"),
        (1234567, "#,##0", "1234567"),
        (3.0, "General", "3"),
        (0.1 + 0.2, "General", "0.3"),
        (1625593500, "General", "1625593500"),
        (1e-7, "General", "0.0000001"),
        (1e20, "General", "100000000000000000000"),
        (-0.0, "General", "0"),
        (25569, "yyyy-mm-dd", "1970-01-01"),
        (25569.5, "dd/mm/yyyy hh:mm", "1970-01-01 12:00:00"),
        (25569, "[$-409]d mmm yyyy;@", "1970-01-01"),
        (59, "yyyy-mm-dd", "1900-02-28"),
        (60, "yyyy-mm-dd", "1900-02-29"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (0.75, "h:mm AM/PM", "18:00:00"),
        (1.5, "[h]:mm:ss", "36:00:00"),
        (0.000011574074, "[s].000", "0:00:01"),
        (5, "[Red]0;[Blue]-0", "5"),
        (7, "@", "7"),
        (3, "# ?/?", "3"),
        (0.5, "# ?/?", "1/2"),
        (-1.25, "# ??/??", "-1 1/4"),
        (1 / 3, "?/?", "1/3"),
        (2.5, "?/?", "5/2"),
        (0.75, "# ?/8", "6/8"),
        (0.3, "# ?/?", "0.3"),
        (3.14159, "# ???/???", "3.14159"),
        (0, "# ?/?", "0"),
        (25569, "d/m", "1970-01-01"),
        (2, "[>1]0%;0", "200%"),
        (0.5, "[>1]0%;0", "0.5"),
        (5, 'General" units"', "5 units"),
        (-5, '"+"General;"-"General', "-5"),
        (-2.5, 'General" units"', "-2.5 units"),
        (5000, '0,"k"', "5k"),
        (1234567, '#,##0,"K"', "1,234.567K"),
        (1250000, '0.0,,"M"', "1.25M"),
        (5000, "$#,##0,", "$5"),
        (1_234_567, "$#,##0,", "$1,234.567"),
        (5000, "#,##0,", "5000"),
        (2_000_000, "#,##0.00,,\\M", "2.00M"),
        (5, "+0;-0;0", "+5"),
        (-5, "+0;-0;0", "-5"),
        (0, "+0;-0;0", "0"),
        (7, "0#", "07"),
        (7, "#0", "7"),
        (5, "0,000", "0,005"),
        (5.5, "00.00", "05.50"),
        (5551234, "[<=9999999]###-####;(###) ###-####", "555-1234"),
        (5551234567, "[<=9999999]###-####;(###) ###-####", "(555) 123-4567"),
        (1, '[=1]"Yes";[=0]"No";General', "Yes"),
        (0, '[=1]"Yes";[=0]"No";General', "No"),
        (7, '[=1]"Yes";[=0]"No";General', "7"),
        (-7, '[=1]"Yes";[=0]"No";General" x"', "-7 x"),
        (-7, '[<0]"minus "0;0', "minus 7"),
        (7, '[<0]"minus "0;[<5]0', "7"),
        (7, '0;[<5]"x"0', "7"),
        (1234, "0.0,", "1234"),
        (-3, "0;(0)", "-3"),
        (5, "\\#0", "#5"),
        (2, "0.00x", "2.00x"),
        (5, "0‰", "5‰"),
        (21.5, "0.0°", "21.5°"),
        (1234.5, "#,##0.00\u00a0", "1234.5"),
        (-2, "[Red]General", "-2"),
    ],
)
def test_numbers_read_as_excel_shows_them(value: float, form: str, shown: str, tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["name", "value"])
        sheet.write_string(1, 0, "x")
        sheet.write_number(1, 1, value, book.add_format({"num_format": form}))

    assert cells(read_bytes(xlsx(fill), tmp_path, "f.xlsx")) == [("x", shown)]


def test_the_calendar_of_1904(tmp_path: Path) -> None:
    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["d", "n"])
        sheet.write_datetime(1, 0, dt.datetime(2020, 2, 3), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write(1, 1, "x")

    assert cells(read_bytes(xlsx(fill, date_1904=True), tmp_path))[0][0] == "2020-02-03"


def test_errors_booleans_and_formulas_without_results(tmp_path: Path) -> None:
    rows = (
        '<row r="2"><c r="A2" t="e"><v>#N/A</v></c><c r="B2" t="b"><v>1</v></c></row>'
        '<row r="3"><c r="A3"><f>A2+1</f></c><c r="B3" t="str"><f>""</f><v></v></c></row>'
        '<row r="4"><c r="A4"><f>1+1</f><v>2</v></c><c r="B4" t="d"><v>2020-01-02T00:00:00</v></c></row>'
        '<row r="5"><c r="A5"><v>1234567890123456789</v></c><c r="B5" t="inlineStr"><is>'
        "<r><t>ri</t></r><r><t>ch</t></r><rPh><t>no</t></rPh></is></c></row>"
    )
    reading = read_bytes(sheet_xml(HEAD + rows), tmp_path, "f.xlsx")
    assert cells(reading) == [("#N/A", "TRUE"), ("", ""), ("2", "2020-01-02"), ("1234567890123460000", "rich")]
    assert numbers(reading) == [2, 3, 4, 5]
    assert (rows_of(reading, "error-cell"), rows_of(reading, "digits-lost")) == ([2], [5])
    assert rows_of(reading, "formula-without-result") == [3]


def test_a_formula_without_result_blocks_where_it_is_used(tmp_path: Path) -> None:
    rows = '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><f>A2+1</f><v/></c></row>'
    reading = read_bytes(sheet_xml(HEAD + rows), tmp_path, "f.xlsx")
    assert (cells(reading), rows_of(reading, "formula-without-result")) == ([("1", "")], [2])
    assert next(iter(reading.report)).column == "b"


@pytest.mark.parametrize(
    ("rows", "columns", "unknown"),
    [
        (f'{HEAD}<row r="2"><c r="A2"><v>1</v></c></row><row r="3"><c r="A3"><f>A2</f></c></row>', ("a", "b"), [3]),
        (f'{HEAD}<row r="2"><c r="A2"><f>1</f></c></row><row r="3"><c r="B3"><f>1</f></c></row>', ("a", "b"), [2, 3]),
        (f'{HEAD}<row r="2"><c r="A2"><v>1</v></c><c r="C2"><f>1</f></c></row>', ("a", "b", "Column C"), [2]),
        ('<row r="2"><c r="B2"><f>1</f></c></row>', ("Column A", "Column B"), [2]),
    ],
)
def test_rows_of_nothing_but_formulas_stay(
    rows: str, columns: tuple[str, ...], unknown: list[int], tmp_path: Path
) -> None:
    reading = read_bytes(sheet_xml(rows + '<row r="9"><c r="A9" s="0"/></row>'), tmp_path, "f.xlsx")
    assert (reading.columns, rows_of(reading, "formula-without-result")) == (columns, unknown)
    assert set(unknown) <= set(numbers(reading))
    assert not reading.footers
    assert balanced(reading)


def test_texts_that_a_workbook_does_not_hold_are_told(tmp_path: Path) -> None:
    rows = '<row r="2"><c r="A2" t="s"><v>99</v></c></row><row r="3"><c r="B3"><v>1</v></c></row>'
    reading = read_bytes(sheet_xml(HEAD + rows), tmp_path, "f.xlsx")
    assert (cells(reading), rows_of(reading, "text-missing")) == ([("", ""), ("", "1")], [2])


@pytest.mark.parametrize(("values", "told"), [((0, 0), True), ((0, 5), False), ((0, "x"), False), ((), False)])
def test_formulas_that_were_never_calculated_are_told(
    values: tuple[int | str, ...], told: bool, tmp_path: Path
) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_column(0, 0, ["a", 7, 0])
        for row, value in enumerate(values, start=1):
            sheet.write_formula(row, 1, "=A2", None, value)

    reading = read_bytes(xlsx(fill), tmp_path, "f.xlsx")
    assert ("formulas-not-calculated" in codes(reading)) == told


def test_escaped_characters_become_what_they_stand_for(tmp_path: Path) -> None:
    rows = (
        '<row r="2"><c r="A2" t="inlineStr"><is><t>x_x000D_y</t></is></c>'
        '<c r="B2" t="str"><v>_x005F_x0041_</v></c></row>'
    )
    assert cells(read_bytes(sheet_xml(HEAD + rows), tmp_path, "f.xlsx")) == [("x\ry", "_x0041_")]


def test_namespace_prefixes_and_missing_references(tmp_path: Path) -> None:
    xml = (
        b'<x:worksheet xmlns:x="http://purl.oclc.org/ooxml/spreadsheetml/main"><x:sheetData>'
        b'<x:row><x:c t="str"><x:v>a</x:v></x:c><x:c t="str"><x:v>b</x:v></x:c></x:row>'
        b'<x:row r="3"><x:c t="str"><x:v>p</x:v></x:c><x:c><x:v>7</x:v></x:c></x:row></x:sheetData></x:worksheet>'
    )
    content = changed(xlsx(lambda *_: None), lambda name, old: xml if name.endswith("sheet1.xml") else old)
    reading = read_bytes(content, tmp_path, "f.xlsx")
    assert (reading.columns, cells(reading), numbers(reading)) == (("a", "b"), [("p", "7")], [3])


def test_hidden_rows_and_columns_are_told_and_can_be_left_out(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        for row in range(6):
            sheet.write_row(row, 0, ["id", "b", "c"] if not row else [f"i{row}", "x", "y"])
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.set_row(4, None, None, {"hidden": True})
        sheet.set_row(40, None, None, {"hidden": True})
        sheet.set_column(1, 1, None, None, {"hidden": True})

    content = xlsx(fill)
    reading = read_bytes(content, tmp_path, "f.xlsx")
    assert (reading.rows, reading.hidden_rows, reading.hidden_columns) == (5, 2, ("B",))
    assert {"hidden-rows", "hidden-columns"} <= codes(reading)
    without = read_bytes(content, tmp_path, "f.xlsx", skip_hidden=True)
    assert (numbers(without), without.records_left_out, balanced(without)) == ([2, 4, 6], 2, True)
    for found, severity in ((reading, "warning"), (without, "note")):
        assert [group.severity for group in found.report.groups if group.code == "hidden-rows"] == [severity]


def test_columns_without_width_are_hidden(tmp_path: Path) -> None:
    head = '<cols><col min="2" max="2" width="0" customWidth="1"/></cols>'
    row = '<row r="2"><c r="A2"><v>1</v></c></row>'
    assert read_bytes(sheet_xml(HEAD + row, head=head), tmp_path, "f.xlsx").hidden_columns == ("B",)


def test_the_first_visible_sheet_with_data_is_read(tmp_path: Path) -> None:
    def fill(book: Any, _: Any) -> None:
        book.add_worksheet("Empty")
        hidden = book.add_worksheet("Hidden")
        hidden.write_column(0, 0, ["h", "1"])
        hidden.hide()
        chart = book.add_chart({"type": "bar"})
        chart.add_series({"values": "=Hidden!$A$1:$A$2"})
        book.add_chartsheet("Chart").set_chart(chart)
        other = book.add_worksheet("Other")
        other.write_column(0, 0, ["a", "x"])

    reading = read_bytes(xlsx(fill), tmp_path, "f.xlsx")
    assert (reading.sheet, cells(reading)) == ("Other", [("x",)])
    assert [(sheet.name, sheet.visible) for sheet in reading.sheets] == [
        ("Data", True), ("Empty", True), ("Hidden", False), ("Other", True),
    ]  # fmt: skip
    assert read_bytes(xlsx(fill), tmp_path, "f.xlsx", sheet="Hidden").columns == ("h",)
    assert read_bytes(xlsx(fill), tmp_path, "f.xlsx", sheet="hidden").sheet == "Hidden"
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(xlsx(fill), tmp_path, "f.xlsx", sheet="Nowhere")
    assert fault.value.code == "no-such-sheet"


def test_merged_headings_name_each_column(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.merge_range("A1:A2", "Region")
        sheet.merge_range("B1:C1", "2024")
        sheet.write_row(1, 1, ["plan", "real"])
        sheet.write_row(2, 0, ["North", "x", "y"])
        sheet.merge_range("A4:A5", "South")
        sheet.write_row(3, 1, ["p", "q"])
        sheet.write_row(4, 1, ["r", "s"])

    reading = read_bytes(xlsx(fill), tmp_path, "f.xlsx", header_row=1)
    assert reading.columns == ("Region", "2024 plan", "2024 real")
    assert cells(reading) == [("North", "x", "y"), ("South", "p", "q"), ("", "r", "s")]
    assert (reading.records_heading, rows_of(reading, "merged-cells"), balanced(reading)) == (2, [4], True)
    assert "merged-headings" in codes(reading)


def test_titles_notes_and_far_cells(tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write(0, 0, "Report of November")
        sheet.write_row(3, 0, ["id", "name", "n", "m"])
        for row in range(4, 200):
            sheet.write_row(row, 0, [f"i{row}", "x", row, 1])
        sheet.write(150, 6, "far")
        sheet.write(201, 0, "Total")
        sheet.write(202, 0, "Source: us")

    reading = read_bytes(xlsx(fill), tmp_path, "f.xlsx")
    assert (reading.header_row, reading.columns) == (4, ("id", "name", "n", "m", "Column E", "Column F", "Column G"))
    assert [(footer.row, footer.why) for footer in reading.footers] == [(202, "total"), (203, "source")]
    assert reading.table.row(146)[6] == "far"
    assert balanced(reading)


TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=15)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(rows=st.integers(1, 4).flatmap(lambda width: st.lists(st.tuples(*[TEXT] * width), min_size=1, max_size=6)))
def test_any_texts_written_to_xlsx_come_back(rows: list[tuple[str, ...]], tmp_path: Path) -> None:
    def fill(_: Any, sheet: Any) -> None:
        for column in range(len(rows[0])):
            sheet.write_string(0, column, f"h{column}")
            for at, row in enumerate(rows):
                sheet.write_string(at + 1, column, row[column])

    assert cells(read_bytes(xlsx(fill), tmp_path, "f.xlsx", header_row=1)) == rows


def test_a_workbook_is_known_by_its_bytes(tmp_path: Path) -> None:
    content = xlsx(lambda _, sheet: sheet.write_column(0, 0, ["a", "x"]))
    assert read_bytes(content, tmp_path, "really.csv").format == "xlsx"


def xls() -> bytes:
    book = xlwt.Workbook()
    sheet = book.add_sheet("Eins")
    book.add_sheet("Leer").visibility = 1
    styles = {form: xlwt.easyxf(num_format_str=form) for form in ("00000", "0.00%", "yyyy-mm-dd", "[h]:mm:ss")}
    for column, name in enumerate(["zip", "share", "day", "ok", "text"]):
        sheet.write(0, column, name)
    for row in (1, 2):
        sheet.write(row, 0, 501, styles["00000"])
        sheet.write(row, 1, 0.52, styles["0.00%"])
        sheet.write(row, 2, dt.date(2020, 2, 3), styles["yyyy-mm-dd"])
        sheet.write(row, 3, True)
        sheet.write(row, 4, "Ünï")
    sheet.row(2).hidden = True
    sheet.col(1).hidden = True
    sheet.write(3, 0, 7.25)
    sheet.write(3, 3, 1.5, styles["[h]:mm:ss"])
    sheet.row(3).set_cell_error(4, "#N/A!")
    sheet.merge(5, 6, 0, 1)
    sheet.write(5, 4, "end")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_workbooks_of_excel_97(tmp_path: Path) -> None:
    reading = read_bytes(xls(), tmp_path, "f.xls")
    full = ("00501", "52.00%", "2020-02-03", "TRUE", "Ünï")
    assert cells(reading) == [full, full, ("7.25", "", "", "36:00:00", "#N/A"), ("", "", "", "", "end")]
    assert (reading.format, reading.hidden_rows, reading.hidden_columns) == ("xls", 1, ("B",))
    assert [(sheet.name, sheet.visible) for sheet in reading.sheets] == [("Eins", True), ("Leer", False)]
    assert (rows_of(reading, "error-cell"), rows_of(reading, "merged-cells"), numbers(reading)) == (
        [4],
        [6],
        [2, 3, 4, 6],
    )
    with pytest.raises(UnreadableFile):
        read_bytes(xls()[:2000], tmp_path, "f.xls")


@pytest.mark.parametrize("name", ["f.xlsx", "f.csv", "f"])
def test_a_workbook_of_excel_97_on_disk_under_another_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(xls())
    assert read(tmp_path / name, name=name, into=tmp_path).format == "xls"


def test_xls_that_begins_below_and_right(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("S")
    for row in range(3, 6):
        sheet.write(row, 2, "head" if row == 3 else 12, xlwt.easyxf(num_format_str="000"))
        sheet.write(row, 3, "b" if row == 3 else "x")
    out = io.BytesIO()
    book.save(out)
    reading = read_bytes(out.getvalue(), tmp_path, "f.xls")
    assert (reading.header_row, reading.columns) == (4, ("Column A", "Column B", "head", "b"))
    assert cells(reading) == [("", "", "012", "x")] * 2


@pytest.mark.parametrize(("second", "unknown"), [("", [2, 4]), ("x", [])])
def test_xls_formulas_without_any_result(second: str, unknown: list[int], tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("S")
    for column, name in enumerate(["a", "b"]):
        sheet.write(0, column, name)
    sheet.write(1, 0, 1)
    sheet.write(1, 1, xlwt.Formula("A2*2"))
    sheet.write(2, 1, 5)
    sheet.write(3, 1, xlwt.Formula('""'))
    if second:
        sheet.write(4, 0, xlwt.Formula("1/0"))
    out = io.BytesIO()
    book.save(out)
    content = out.getvalue()
    if second:  # the last formula gets the number 1.5 as its result
        at = content.rindex(bytes.fromhex("030000000000ffff"))
        content = content[:at] + bytes.fromhex("000000000000f83f") + content[at + 8 :]
    reading = read_bytes(content, tmp_path, "f.xls")
    assert rows_of(reading, "formula-without-text") == unknown
    assert set(unknown) <= set(numbers(reading))
    assert balanced(reading)


def ods() -> bytes:
    document = OpenDocumentSpreadsheet()
    table = Table(name="Blatt")

    def row(*values: Any, **attributes: Any) -> None:
        line = TableRow(**attributes)
        for value in values:
            if isinstance(value, dict):
                cell = TableCell(**{key: text for key, text in value.items() if key != "text"})
                cell.addElement(P(text=value.get("text", "")))
            elif value is None:
                cell = CoveredTableCell()
            else:
                cell = TableCell(valuetype="string")
                for part in value.split("\n"):
                    cell.addElement(P(text=part))
            line.addElement(cell)
        table.addElement(line)

    row("zip", "share", "day", "text")
    full = (
        {"valuetype": "float", "value": "501", "text": "00501"},
        {"valuetype": "percentage", "value": "0.52", "text": "52,00 %"},
        {"valuetype": "date", "datevalue": "2020-02-03", "text": "03.02.20"},
        "two\nlines",
    )
    row(*full)
    row(*full, visibility="filter")
    table.addElement(TableRow(numberrowsrepeated=3))
    row(
        {"valuetype": "float", "value": "1234.5", "text": "1.234,50"},
        {"valuetype": "boolean", "booleanvalue": "true", "text": "WAHR"},
        {"valuetype": "time", "timevalue": "PT36H05M00S", "text": "36:05"},
        {"valuetype": "string", "formula": "of:=NA()", "text": "#N/A"},
    )
    last = TableRow(numberrowsrepeated=1_048_000)
    last.addElement(TableCell(numbercolumnsrepeated=16_384))
    table.addElement(last)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("value", "shown", "text"),
    [
        ("5.5", "05.50", "05.50"),
        ("5.5", "05,50", "05,50"),
        ("5", "#5", "#5"),
        ("5", "###", "5"),
        ("1234.5", " $1,234.50 ", "$1,234.50"),
        ("0.5", " 1/2", "1/2"),
        ("5", "0,5", "5"),
    ],
)
def test_numbers_of_open_documents_read_as_shown(value: str, shown: str, text: str, tmp_path: Path) -> None:
    document = OpenDocumentSpreadsheet()
    table = Table(name="S")
    for cell in (TableCell(valuetype="string"), TableCell(valuetype="float", value=value)):
        cell.addElement(P(text=shown if cell.getAttribute("value") else "head"))
        row = TableRow()
        row.addElement(cell)
        table.addElement(row)
    document.spreadsheet.addElement(table)
    out = io.BytesIO()
    document.write(out)
    assert cells(read_bytes(out.getvalue(), tmp_path, "f.ods", header_row=1)) == [(text,)]


def test_numbers_of_too_many_digits_are_told_in_every_kind_of_workbook(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("S")
    document = OpenDocumentSpreadsheet()
    table = Table(name="S")
    for place, value in enumerate(("id", "1234567890123456768", "12", "1234567890123456768")):
        row = TableRow()
        kind = {"valuetype": "float", "value": value} if place else {"valuetype": "string"}
        cell = TableCell(**kind)
        cell.addElement(P(text=value))
        row.addElement(cell)
        table.addElement(row)
        sheet.write(place, 0, float(value) if place else value)
    document.spreadsheet.addElement(table)
    for made, name in ((book.save, "f.xls"), (document.write, "f.ods")):
        out = io.BytesIO()
        made(out)
        reading = read_bytes(out.getvalue(), tmp_path, name, header_row=1)
        assert cells(reading) == [("1234567890123460000",), ("12",), ("1234567890123460000",)]
        assert rows_of(reading, "digits-lost") == [2, 4]


def test_open_document_spreadsheets(tmp_path: Path) -> None:
    reading = read_bytes(ods(), tmp_path, "f.ods")
    full = ("00501", "52,00 %", "2020-02-03", "two\nlines")
    assert cells(reading) == [full, full, ("1234.5", "TRUE", "36:05:00", "#N/A")]
    assert (reading.format, reading.sheet, numbers(reading)) == ("ods", "Blatt", [2, 3, 7])
    assert (reading.hidden_rows, rows_of(reading, "error-cell"), balanced(reading)) == (1, [7], True)


def rewritten(part: str, pattern: bytes, replacement: bytes) -> bytes:
    content = xlsx(lambda _, sheet: sheet.write_column(0, 0, ["a", "x"]))
    return changed(content, lambda name, old: re.sub(pattern, replacement, old) if name.endswith(part) else old)


def lying() -> bytes:
    """An archive whose directory says that a part is small."""
    content = bytearray(sheet_xml(HEAD + '<row r="2"><c r="A2" t="str"><v>' + "x" * 3_000_000 + "</v></c></row>"))
    at = content.rfind(b"xl/worksheets/sheet1.xml") - 46
    content[at + 24 : at + 28] = (1000).to_bytes(4, "little")
    return bytes(content)


def bytes_lost() -> bytes:
    """An archive of unpacked parts that lost a few bytes of its first one."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(sheet_xml(HEAD))) as packed, zipfile.ZipFile(out, "w") as plain:
        for name in packed.namelist():
            plain.writestr(name, packed.read(name))
    content = out.getvalue()
    return content[:60] + content[71:]


def misplaced() -> bytes:
    """An archive whose directory points far outside."""
    content = bytearray(sheet_xml(HEAD))
    at = content.rfind(b"xl/worksheets/sheet1.xml") - 46
    content[at + 42 : at + 46] = (2**31 - 1).to_bytes(4, "little")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lambda: sheet_xml(""), "empty"),
        (lambda: sheet_xml(HEAD), "no-rows"),
        (
            lambda: rewritten("workbook.xml", rb"<workbook ", b'<!DOCTYPE w [<!ENTITY a "b">]><workbook '),
            "xml-entities",
        ),
        (
            lambda: rewritten("sheet1.xml", rb"<worksheet ", b'<!DOCTYPE w [<!ENTITY a "b">]><worksheet '),
            "xml-entities",
        ),
        (lambda: rewritten("sheet1.xml", rb"</sheetData>", b""), "damaged"),
        (lambda: rewritten("sheet1.xml", rb'r="A2"', b'r="ZZZZ2"'), "damaged"),
        (lambda: xlsx(lambda *_: None)[:-30], "damaged"),
        (lying, "zip-bomb"),
        (misplaced, "damaged"),
        (bytes_lost, "damaged"),
        (lambda: rewritten("sheet1.xml", rb"UTF-8", b"UT8"), "damaged"),
        (
            lambda: sheet_xml(f'{HEAD}<row r="2"><c r="A2" t="str"><v>{"x" * 34_000_000}</v></c></row>'),
            "cell-too-large",
        ),
        (lambda: b"PK\x03\x04garbage", "damaged"),
        (lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "damaged"),
        (lambda: archive({"word/document.xml": b"<w/>"}), "not-a-table"),
        (lambda: archive({"notes.txt": b"x"}), "not-a-table"),
        (lambda: archive({"xl/workbook.xml": b"<a/>", "xl/media/x.xml": bytes(60_000_000)}), "zip-bomb"),
    ],
)
def test_what_is_no_sound_workbook_is_refused_in_a_sentence(
    content: Callable[[], bytes], code: str, tmp_path: Path
) -> None:
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(content(), tmp_path, "f.xlsx")
    assert fault.value.code == code
    assert fault.value.hint
    assert not list(tmp_path.glob("table-*"))


def archive(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in parts.items():
            made.writestr(name, content)
    return out.getvalue()


def test_cells_at_the_far_corner_take_no_memory(tmp_path: Path) -> None:
    rows = '<row r="2"><c r="A2"><v>1</v></c></row><row r="1048576"><c r="B1048576"><v>2</v></c></row>'
    reading = read_bytes(sheet_xml(HEAD + rows), tmp_path, "f.xlsx")
    assert numbers(reading) == [2, 1_048_576]
    assert balanced(reading)


def test_workbooks_of_other_libraries(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "formula"])
    sheet.append(["a", "=1+1"])
    out = io.BytesIO()
    book.save(out)
    reading = read_bytes(out.getvalue(), tmp_path, "f.xlsx")
    assert (cells(reading), rows_of(reading, "formula-without-result")) == ([("a", "")], [2])


def test_a_field_that_asks_for_hundreds_of_gigabytes_ends_no_process_of_ours(tmp_path: Path) -> None:
    content = bytearray(xls())
    dimensions = content.index(bytes.fromhex("00020e0000000000"))
    content[dimensions + 7] = 4  # the first row lies far below the last
    with pytest.raises(UnreadableFile, match="damaged"):
        read_bytes(bytes(content), tmp_path, "f.xls")


def test_a_sheet_whose_damaged_name_holds_a_nul_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="cannot be read"):
        read_bytes(xls().replace(b"Eins", b"E\0ns"), tmp_path, "a.xls")


def test_a_number_that_is_none_stays_what_is_shown(tmp_path: Path) -> None:
    damaged = changed(ods(), lambda _name, part: part.replace(b'office:value="501"', b'office:value="n:501"'))
    reading = read_bytes(damaged, tmp_path, "a.ods")
    assert "00501" in {cell for row in cells(reading) for cell in row}


NINES = "9" * 5_000


@pytest.mark.parametrize(
    ("row", "head", "more", "kept"),
    [
        (f'<row r="{NINES}"><c><v>1</v></c></row>', "", "", False),
        (f'<row r="2"><c r="{"A" * 200_000}2"><v>1</v></c></row>', "", "", False),
        (f'<row r="2"><c r="A2" s="{NINES}"><v>1</v></c></row>', "", "", True),
        ('<row r="²"><c><v>1</v></c></row>', "", "", True),
        (f'<row r="2"><c r="A2" t="s"><v>{NINES}</v></c><c r="B2"><v>1</v></c></row>', "", "", True),
        ('<row r="2"><c r="A2" t="s"><v>-1</v></c><c r="B2"><v>1</v></c></row>', "", "", True),
        ('<row r="2"><c r="A2"><v>1</v></c></row>', f'<cols><col min="{NINES}" hidden="1"/></cols>', "", True),
        (
            '<row r="2"><c r="A2"><v>1</v></c></row>', "",
            f'<mergeCells><mergeCell ref="{"A" * 100_000}1:B{NINES}"/></mergeCells>', True,
        ),
    ],
    ids=["row", "column", "style", "no-number", "text", "text-before-the-first", "hidden", "merged"],
)  # fmt: skip
def test_numbers_beyond_all_sheets_are_no_reason_to_stop(
    row: str, head: str, more: str, kept: bool, tmp_path: Path
) -> None:
    content = sheet_xml(HEAD + row, head=head, more=more)
    if not kept:
        with pytest.raises(UnreadableFile):
            read_bytes(content, tmp_path, "f.xlsx")
        return
    reading = read_bytes(content, tmp_path, "f.xlsx")
    assert "1" in cells(reading)[0]
