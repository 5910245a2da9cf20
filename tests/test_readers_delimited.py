"""CSV and its kin: encodings, delimiters, quotes, widths, headings; every cell as typed."""

from __future__ import annotations

import csv
import gzip
import io
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.reading import balanced, cells, codes, numbers, read_bytes, rows_of
from valar_ui.jobs import Cancelled
from valar_ui.readers import UnreadableFile, read, source
from valar_ui.readers.delimited import MAX_CELL
from valar_ui.readers.plausible import likeliest

PLAIN = [("1", "ä"), ("2", "x, y")]


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ('id,name\n1,ä\n2,"x, y"\n'.encode(), "utf-8"),
        ('id,name\r\n1,ä\r\n2,"x, y"'.encode("utf-8-sig"), "utf-8"),
        ('id,name\r1,ä\r2,"x, y"\r'.encode(), "utf-8"),
        ('id,name\n1,ä\r\n2,"x, y"\r'.encode(), "utf-8"),
        ('id,name\n1,ä\n2,"x, y"\n'.encode("utf-16"), "utf-16-le"),
        ('\ufeffid,name\n1,ä\n2,"x, y"\n'.encode("utf-16-be"), "utf-16-be"),
        ('id,name\n1,ä\n2,"x, y"\n'.encode("utf-16-le"), "utf-16-le"),
        ('id,name\n1,ä\n2,"x, y"\n'.encode("utf-16-be"), "utf-16-be"),
        ('\ufeffid,name\n1,ä\n2,"x, y"\n'.encode("utf-32-le"), "utf-32-le"),
        ('id,name\n1,ä\n2,"x, y"\n'.encode("utf-32-le"), "utf-32-le"),
        ('id,name\n1,ä\n2,"x, y"\n'.encode("utf-32-be"), "utf-32-be"),
    ],
)
def test_certain_encodings_are_read_silently(content: bytes, encoding: str, tmp_path: Path) -> None:
    reading = read_bytes(content, tmp_path)
    assert (reading.columns, cells(reading), reading.encoding) == (("id", "name"), PLAIN, encoding)
    assert not reading.encoding_guessed
    assert len(reading.report) == 0


GREEK = "Η γρήγορη καφέ αλεπού πηδά πάνω από το τεμπέλικο σκυλί"
RUSSIAN = "Съешь же ещё этих мягких французских булок да выпей чаю"


@pytest.mark.parametrize(
    ("text", "encoding", "line_end"),
    [
        ("Señor Núñez – déjà vu", "cp1252", "\n"),
        ("Crème brûlée à la carte", "mac_roman", "\r"),
        (GREEK, "cp1253", "\n"),
        (RUSSIAN, "cp1251", "\n"),
        (RUSSIAN, "koi8_r", "\n"),
        ("この商品はとても良いですがケースが壊れていました", "cp932", "\n"),
        ("這個產品非常好但是包裝已經損壞了請儘快處理", "cp950", "\n"),
        ("이 제품은 매우 좋지만 상자가 파손되었습니다", "cp949", "\n"),
    ],
)
def test_guessed_encodings_are_told_with_their_cells(text: str, encoding: str, line_end: str, tmp_path: Path) -> None:
    content = line_end.join(["id,text", *(f"{number},{text}" for number in range(1, 9)), "9,plain"]).encode(encoding)
    reading = read_bytes(content, tmp_path)
    assert reading.encoding == encoding
    assert cells(reading)[0] == ("1", text)
    assert reading.encoding_guessed
    assert "encoding-guessed" in codes(reading)
    assert rows_of(reading, "guessed-characters") == list(range(2, 10))


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        *(
            (text, "cp1252")
            for text in ("São Tomé", "Año", "NIÑO, MÜLLER", "Häätö riiuuöö", "“quote” – it’s", "é", "½")
        ),
        *((text, "cp1252") for text in ("Škoda", "Œuvre día", "Þórshöfn, Ísafjörður", "ÇÃO AÇÕES", "£5 – £7", "Größe")),
        *((text, "cp1251") for text in ("Москва, Омск", "МОСКВА, КАЗАНЬ", "плохо всем", "Київ, Львів", "София")),
        *((text, "koi8_r") for text in ("Привет мир", "не работает")),
        *((text, "cp1253") for text in ("Αθήνα, Πάτρα", "ΑΘΗΝΑ, ΠΑΤΡΑ, ΒΟΛΟΣ", "πολύ καλό προϊόν")),
        *((text, "cp932") for text in ("ありがとう", "東京都", "株式会社 東芝", "ﾔﾏﾀﾞ ﾀﾛｳ", "ノートパソコン")),
        *((text, "euc_jp") for text in ("使いやすい", "ノートパソコン、テスト", "品質が悪い")),
        *((text, "gb18030") for text in ("北京市", "质量太差", "笔记本电脑,键盘")),
        *((text, "cp950") for text in ("高雄市三民區", "客服態度", "筆記型電腦")),
        *((text, "cp949") for text in ("서울시", "정말 좋은 제품입니다")),
    ],
)
def test_one_short_cell_is_enough_for_most_encodings(text: str, encoding: str) -> None:
    content = f"id,text\n1,{text}\n".encode(encoding)
    assert content.decode(likeliest(content), "replace") == f"id,text\n1,{text}\n"


def test_bytes_that_windows_1252_lacks_do_not_stop_it(tmp_path: Path) -> None:
    reading = read_bytes(b"id,name\n1,caf\xe9\n2,odd \x81\x8d\n", tmp_path)
    assert cells(reading) == [("1", "café"), ("2", "odd \x81\x8d")]


def test_a_few_broken_bytes_in_utf8_spoil_only_their_cells(tmp_path: Path) -> None:
    good = "".join(f"{number},größe übung\n" for number in range(40)).encode()
    reading = read_bytes(b"id,text\n" + good + b"41,br\xffoken\n", tmp_path)
    assert reading.encoding == "utf-8"
    assert cells(reading)[0] == ("0", "größe übung")
    assert rows_of(reading, "unreadable-character") == [42]


def test_an_encoding_chosen_by_hand(tmp_path: Path) -> None:
    reading = read_bytes("id,name\n1,Ђ\n".encode("cp1251"), tmp_path, encoding="windows-1251")
    assert cells(reading) == [("1", "Ђ")]
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(b"a,b\n1,2\n", tmp_path, encoding="klingon")
    assert fault.value.code == "unknown-encoding"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", ":", "^", "~"])
def test_the_delimiter_is_found(delimiter: str, tmp_path: Path) -> None:
    rows = [["id", "price", "note"], ["007", "1.234", "good"], ["008", "0.5", "NA"], ["009", "", "bad"]]
    content = "\n".join(delimiter.join(row) for row in rows).encode()
    reading = read_bytes(content, tmp_path)
    assert reading.delimiter == delimiter
    assert cells(reading) == [tuple(row) for row in rows[1:]]


def test_decimal_commas_do_not_beat_semicolons(tmp_path: Path) -> None:
    reading = read_bytes(b"a;b\n1,5;2,5\n3,5;4,5\n", tmp_path)
    assert (reading.delimiter, cells(reading)) == (";", [("1,5", "2,5"), ("3,5", "4,5")])


@pytest.mark.parametrize(
    ("heading", "row", "delimiter"),
    [
        ("id;value", "{0};7,5", ";"),
        ("id;v1;v2", "{0};{0},5;1,25", ";"),
        ("a;b;c", "{0},1;{0},5;1,25", ";"),
        ("id;text", "{0};Hello, world, number {0}", ";"),
        ("id\ttext", "{0}\tHello, world {0}", "\t"),
        ("id|a|b", "{0}|1,5|2,5", "|"),
        ("id,tags", "{0},a;b;c", ","),
        ("id,tags", "{0},a|b|c", ","),
        ("Report, 2024\nid;value", "{0};7,5", ";"),
        ("id;address (street, city, country)", "{0};Main St 5, Berlin, DE", ";"),
        ("id;value\n1;2;3", "{0};7,5", ";"),
    ],
)
@pytest.mark.parametrize("count", [3, 250])
def test_the_headings_tell_delimiters_apart_that_part_the_rows_alike(
    heading: str, row: str, delimiter: str, count: int, tmp_path: Path
) -> None:
    content = "\n".join([heading, *(row.format(at) for at in range(count))]).encode()
    reading = read_bytes(content, tmp_path)
    names = next(line for line in heading.split("\n") if delimiter in line).split(delimiter)
    assert (reading.delimiter, reading.columns) == (delimiter, tuple(names))


@pytest.mark.parametrize(
    ("comments", "headings"),
    [
        ("# made by tool 1.2\n# date: 2024, May", "id,text,n"),
        ("# Title, with, commas\n# more\n# date: 2024", "id,text,n"),
        ("# Title, with, commas", "id,text,n"),
        ("", "#id,text,n"),
    ],
)
def test_comments_are_no_headings_and_part_nothing(comments: str, headings: str, tmp_path: Path) -> None:
    content = "\n".join([*filter(None, [comments]), headings, "1,a,5", "# a remark, with a comma", "2,b,6"]).encode()
    reading = read_bytes(content, tmp_path)
    assert (reading.columns, cells(reading)[0]) == (tuple(headings.split(",")), ("1", "a", "5"))
    assert reading.records_above == comments.count("#")
    assert balanced(reading)


def test_a_title_with_a_comma_does_not_hide_the_delimiter(tmp_path: Path) -> None:
    rows = [f"a{at};{at},5;2024-01-{at:02};{at}" for at in range(1, 20)]
    text = "\n".join(["Sales report, 2024", 'Name;"Sum, in EUR";Day;n', *rows])
    reading = read_bytes(text.encode(), tmp_path)
    assert (reading.delimiter, reading.header_row, reading.rows) == (";", 2, 19)
    whole = "\n".join(["id,a,b,range", *(f"1,2,{at},5;{at}" for at in range(20))])
    assert read_bytes(whole.encode(), tmp_path).delimiter == ","
    named = "\n".join(["Sales, 2024", "Name;Why, how?;n", *(f"Ng, Eva{at};x;{at}" for at in range(9))])
    assert read_bytes(named.encode(), tmp_path).delimiter == ";"
    lone = "\n".join(["Comment, long", *(f"{at:05}" for at in range(3))])
    assert read_bytes(lone.encode(), tmp_path).columns == ("Comment, long",)
    quoted = "\n".join(["Sales, 2024", '"id"\t"a, b"', *(f'"{at}"\t"{at},5"' for at in range(9))])
    assert read_bytes(quoted.encode(), tmp_path).delimiter == "\t"
    pipes = "\n".join(["id,tags", *(f"{at},5|6|7" for at in range(20))])
    assert read_bytes(pipes.encode(), tmp_path).delimiter == ","


def test_a_sep_line_is_an_instruction_and_no_row(tmp_path: Path) -> None:
    reading = read_bytes(b"sep=;\r\na;b\r\n1;2\r\n", tmp_path)
    assert (reading.columns, cells(reading), numbers(reading)) == (("a", "b"), [("1", "2")], [2])
    assert reading.table.line(0) == 3


@pytest.mark.parametrize("name", ["||", "tab", "\\t", "pipe"])
def test_a_delimiter_chosen_by_hand(name: str, tmp_path: Path) -> None:
    mark = {"tab": "\t", "\\t": "\t", "pipe": "|"}.get(name, name)
    reading = read_bytes(f'a{mark}b\n1{mark}"2"\n'.encode(), tmp_path, delimiter=name)
    assert cells(reading) == [("1", "2")]


def test_one_column_of_prose_is_not_parted(tmp_path: Path) -> None:
    reading = read_bytes(b"review\nGreat, really\nBad\nGood, cheap, fast\nFine\n", tmp_path)
    assert (reading.columns, reading.delimiter) == (("review",), None)
    assert cells(reading) == [("Great, really",), ("Bad",), ("Good, cheap, fast",), ("Fine",)]


@pytest.mark.parametrize(
    "cell",
    [
        "NA",
        "N/A",
        "None",
        "NULL",
        "null",
        ".",
        "007",
        " x ",
        "1,5",
        "9007199254740993123",
        "=1+1",
        "+49 30",
        "-1",
        "@cmd",
        "TRUE",
        "1e5",
        "\u2028",
        "nan",
        "\x0b",
        "\x1c",
        "\x85",
    ],
)
def test_cells_arrive_as_typed(cell: str, tmp_path: Path) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["id", "value", "other"], ["a", cell, "z"], ["b", "text", ""]])
    assert cells(read_bytes(out.getvalue().encode(), tmp_path))[0] == ("a", cell, "z")


def test_short_and_long_rows(tmp_path: Path) -> None:
    reading = read_bytes(b"a,b,c\n1,2,3\n4,5\n6,7,8,9,\n1,2,3,,\n\n7,8,9\n", tmp_path)
    assert cells(reading) == [("1", "2", "3"), ("4", "5", ""), ("6", "7", "8"), ("1", "2", "3"), ("7", "8", "9")]
    assert numbers(reading) == [2, 3, 4, 5, 7]
    assert (rows_of(reading, "short-row"), rows_of(reading, "long-row")) == ([3], [4])
    assert "trailing-delimiter" in codes(reading)
    assert "9" in next(group for group in reading.report.groups if group.code == "long-row").examples[0].text
    assert reading.records_blank == 1
    assert balanced(reading)


def test_headings_that_are_too_few_leave_no_cell_behind(tmp_path: Path) -> None:
    reading = read_bytes(b"a,b\n1,2,x\n3,4,y\n", tmp_path)
    assert (reading.columns, cells(reading)) == (("a", "b", "Column C"), [("1", "2", "x"), ("3", "4", "y")])
    assert rows_of(read_bytes(b"a,b\n1,2,x\n3,4\n", tmp_path), "long-row") == [2]


def test_a_quote_that_never_closes_is_named_where_it_opens(tmp_path: Path) -> None:
    reading = read_bytes(b'a,b\n1,x\n2,"open\n3,y\n4,"z, ""w"""\n', tmp_path)
    assert cells(reading) == [("1", "x"), ("2", '"open'), ("3", "y"), ("4", 'z, "w"')]
    assert rows_of(reading, "quote-never-closes") == [3]


def test_many_open_quotes_take_no_quadratic_time(tmp_path: Path) -> None:
    content = b"a,b\n" + b"".join(b'%d,"open\n' % number for number in range(20_001))
    reading = read_bytes(content, tmp_path)
    assert len(rows_of(reading, "quote-never-closes")) + reading.records > 10_000


BIG = MAX_CELL + 10_000


@pytest.mark.parametrize(
    "cell", [b"x" * BIG, b'"' + b"x" * BIG + b'"', b'"' + (b"x" * 99 + b"\n") * (BIG // 100) + b'"']
)
def test_a_cell_of_any_size_is_refused_in_a_sentence(cell: bytes, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(b"a,b\n1," + cell + b"\n2,y\n", tmp_path)
    assert fault.value.code == "cell-too-large"
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]


def test_a_quote_that_never_closes_does_not_swallow_a_large_file(tmp_path: Path) -> None:
    content = b'a,b\n1,"open\n' + b"2,%s\n" % (b"y" * 996) * (BIG // 1_000 + 10)
    reading = read_bytes(content, tmp_path)
    assert rows_of(reading, "quote-never-closes") == [2]
    assert cells(reading)[:2] == [("1", '"open'), ("2", "y" * 996)]
    assert balanced(reading)


def test_quotes_that_are_not_doubled_keep_their_text(tmp_path: Path) -> None:
    reading = read_bytes(b'a,b\n1,"he said "no" twice"\n2,fine\n3,5" pipe\n', tmp_path)
    assert cells(reading) == [("1", 'he said "no" twice'), ("2", "fine"), ("3", '5" pipe')]
    assert rows_of(reading, "quote-not-doubled") == [2]


def test_cells_over_several_lines_keep_row_and_line_apart(tmp_path: Path) -> None:
    reading = read_bytes(b'a,b\n1,"x\ny\n\nz"\n2,"p\rq"\n3,r\n', tmp_path)
    assert [row[1] for row in cells(reading)] == ["x\ny\n\nz", "p\rq", "r"]
    assert numbers(reading) == [2, 3, 4]
    assert [reading.table.line(at) for at in range(3)] == [2, 6, 8]


def test_a_space_before_quotes_is_honoured_and_no_other_space_lost(tmp_path: Path) -> None:
    reading = read_bytes(b'"a", "b", "c"\n 1,  2, "x, y"\n3, 4, "z"\n', tmp_path)
    assert (reading.columns, cells(reading)) == (("a", "b", "c"), [(" 1", "  2", "x, y"), ("3", " 4", "z")])


def test_single_quotes_count_at_the_beginning_of_a_line(tmp_path: Path) -> None:
    reading = read_bytes(b"'a';'b'\n'x;y';'z'\n'1;2';'w'\n", tmp_path)
    assert (reading.columns, cells(reading)) == (("a", "b"), [("x;y", "z"), ("1;2", "w")])
    assert len(reading.report) == 0


@pytest.mark.parametrize("line", ["2024-01-01 10:00:{:02} start", "https://x.y/{}", "10:{:02}"])
def test_times_and_addresses_are_not_parted_at_their_colons(line: str, tmp_path: Path) -> None:
    reading = read_bytes("\n".join(line.format(at) for at in range(10, 20)).encode(), tmp_path, "f.txt")
    assert (reading.delimiter, len(reading.columns)) == (None, 1)


def test_single_quotes_and_backslashes_where_the_file_is_consistent(tmp_path: Path) -> None:
    single = read_bytes(b"a,b\n1,'x, y'\n2,z\n3,'it, is'\n", tmp_path)
    assert cells(single) == [("1", "x, y"), ("2", "z"), ("3", "it, is")]
    slashed = read_bytes(b'a,b\n"1","he said \\"no\\", twice"\n"2","z"\n', tmp_path)
    assert cells(slashed) == [("1", 'he said "no", twice'), ("2", "z")]


@pytest.mark.parametrize(
    ("content", "header", "first"),
    [
        (b"Sales report\n\nid,name,n\n1,x,2\n2,y,3\n", 3, 4),
        (b"Report,,\nPeriod: 2024,,\nid,name,note\na,x,p\nb,y,q\n", 3, 4),
        (b"# made by tool\nid,name,n\n1,x,2\n", 2, 3),
        (b"id,name\n1,x\n", 1, 2),
        (b"1,John,12.5\n2,Mary,13.5\n3,Ann,1.25\n", 0, 1),
        (b"country,2010,2011\nFrance,3,4\nSpain,5,6\n", 1, 2),
        (b",var2,,var2\n1,a,2,b\n2,c,3,d\n", 1, 2),
        (b"Firm: X\nPeriod: Y\nIn: EUR\n\nday,text,sum\n2024-01-01,a,5\n2024-01-02,b,6\n\nby ERP\n", 5, 6),
        (b"Export;of:\n\nIBAN;DE1\nName;A\nBank;B\n\nDay;To;Sum;In\n01.02.2024;C, D;-1,5;EUR\n", 7, 8),
        (b",2023,2023,2024,2024\nplace,Q1,Q2,Q1,Q2\nNorth,1,2,3,4\nSouth,5,6,7,8\n", 2, 3),
        (b",2023,,2024,\nplace,Q1,Q2,Q1,Q2\nNorth,1,2,3,4\nSouth,5,6,7,8\n", 2, 3),
        (b",x,x,y\nr1,a,b,c\nr2,d,e,f\n", 1, 2),
        (b"group,10%,20%\na,1,2\nb,3,4\n", 1, 2),
        (b"Sum of sales,Columns,,\nRows,2023,2024,All\nNorth,1,2,3\nSouth,3,4,7\n", 2, 3),
        (b"name,born,,\nAnn,1999,2000,x\nBob,2001,2002,y\n", 1, 2),
        (b"Sales, 2024\n\nid,note,day\n1,x,\n2,y,\n3,z,\n", 3, 4),
        (b"Sales, 2024\nname,n\nx,2\ny,3\n", 2, 3),
        (b"name, city\nAnn, Ulm\nBob, Bern\n", 1, 2),
        (b"name, city\nAnn,Ulm\nBob,Bern\n", 1, 2),
        (b"Table 1\nPeople;;\nGermany;;\nUntil;31.12.2019;31.12.2020\nAll;83;84\nMen;41;41\nby Z\n", 4, 5),
        (b"review,note\ngood,\nbad,late\nfine,\n", 1, 2),
        (b"a,b,c\n1,,\n2,,\nx,y,z\n", 1, 2),
    ],
)
def test_the_row_of_headings_is_proposed(content: bytes, header: int, first: int, tmp_path: Path) -> None:
    reading = read_bytes(content, tmp_path)
    assert (reading.header_row, numbers(reading)[0]) == (header, first)
    assert balanced(reading)


def test_headings_chosen_by_hand(tmp_path: Path) -> None:
    reading = read_bytes(b"x\nid,name\nunits,none\n1,a\n", tmp_path, header_row=2, first_data_row=4)
    assert (reading.columns, cells(reading), numbers(reading)) == (("id", "name"), [("1", "a")], [4])
    assert (reading.records_above, reading.records_heading, balanced(reading)) == (2, 1, True)
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(b"a\n1\n", tmp_path, header_row=9)
    assert fault.value.code == "no-such-row"


def test_the_delimiter_is_found_below_the_row_of_headings_chosen_by_hand(tmp_path: Path) -> None:
    reading = read_bytes("a title\u2028\r\nanother\r\nid;name\r\n1;x\r\n".encode(), tmp_path, header_row=3)
    assert (reading.columns, cells(reading), numbers(reading)) == (("id", "name"), [("1", "x")], [4])


def test_headings_become_unique_names_on_one_line(tmp_path: Path) -> None:
    content = 'a,a,a (2),,"\t\nx\x0b  y ",zero\u200bwidth,\u202enbsp\u00a0z,A\n1,2,3,4,5,6,7,8\n'.encode()
    reading = read_bytes(content, tmp_path)
    assert reading.columns == ("a", "a (3)", "a (2)", "Column D", "x y", "zerowidth", "nbsp z", "A")
    assert {"duplicate-heading", "column-without-name"} <= codes(reading)


def test_what_cannot_be_seen_is_kept_and_flagged(tmp_path: Path) -> None:
    texts = ["nul \0", "zero\u200bwidth", "bidi \u202e", "bom \ufeff", "family 👩\u200d👩\u200d👧", "plain", "\x1b[0m"]
    content = ("id,t\n" + "".join(f"{at},{text}\n" for at, text in enumerate(texts))).encode()
    reading = read_bytes(content, tmp_path)
    assert [row[1] for row in cells(reading)] == texts
    assert (rows_of(reading, "nul-character"), rows_of(reading, "invisible-character")) == ([2], [3, 4, 5])
    assert rows_of(reading, "control-character") == [8]


def test_a_cell_as_long_as_excel_allows_is_suspect(tmp_path: Path) -> None:
    content = f"id,t\n1,{'x' * 32_767}\n2,{'x' * 32_766}\n3,{'x' * 32_768}\n".encode()
    assert rows_of(read_bytes(content, tmp_path), "cell-cut") == [2]


def test_scientific_notation_among_integers_has_lost_digits(tmp_path: Path) -> None:
    reading = read_bytes(
        b"id,f,long\n100,1.5e+3,1.23E+15\n1.00E+05,2.25,1.24E+15\n300,1.75,1.25E+15\n400,1.1,1.1E+15\n500,1,1.1E+15\n",
        tmp_path,
    )
    assert rows_of(reading, "scientific-notation") == [2, 3, 3, 4, 5, 6]
    assert cells(reading)[1][0] == "1.00E+05"


def test_totals_sources_and_comments_are_proposed_not_dropped(tmp_path: Path) -> None:
    content = b"id,name,n,m\n1,x,2,3\n# a remark\n2,y,3,4\n3,z,4,5\nTotal,,9,12\n\nSource: office\n"
    reading = read_bytes(content, tmp_path)
    assert reading.rows == 6
    assert [(footer.row, footer.why) for footer in reading.footers] == [(3, "comment"), (6, "total"), (8, "source")]
    without = read_bytes(content, tmp_path, drop_rows=(3, 6, 8))
    assert (without.rows, without.records_left_out, balanced(without)) == (3, 3, True)


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"id | name\n---+------\n 1 | Ann\n 2 | Bob\n(2 rows)\n", [2, 5]),
        (b"| id | name |\n|----|:----:|\n| 1 | Ann |\n| 2 | Bob |\n", [2]),
        (b"id,a\n1,-\n2,--\n3,---\n", []),
        (b'v,n\n1,x\n\n"Applied filters:\nYear is 2024"\n', [4]),
    ],
)
def test_drawn_lines_and_filters_are_proposed_not_dropped(content: bytes, rows: list[int], tmp_path: Path) -> None:
    assert rows_of(read_bytes(content, tmp_path), "footer-row") == rows


def test_headings_that_come_again_are_named(tmp_path: Path) -> None:
    reading = read_bytes(b"id,name\n1,x\nid,name\n2,y\n", tmp_path)
    assert (rows_of(reading, "repeated-headings"), reading.rows) == ([3], 3)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"\xff\xfe", "empty"),
        (b"a,b\n", "no-rows"),
        (b",,\n,,\n", "empty"),
        (b"   \n \t\n", "empty"),
        (b" , \n,\n" * 200, "empty"),
        (b"%PDF-1.7 x", "not-a-table"),
        (b"<html><table></table></html>", "web-page"),
        (b"\n<!DOCTYPE html><p>", "web-page"),
        (b"<!-- saved -->\n<table><tr><td>a</td></tr></table>", "web-page"),
        (b"<center><TABLE border=1>\n<tr><td>1, 2</td></tr>\n</table></center>", "web-page"),
        (b"<style>" + b"td {}\n" * 2_000 + b"</style><table>\n<tr><td>1</td></tr></table>", "web-page"),
        (b"MIME-Version: 1.0\nContent-Type: multipart/related; boundary=x\n\n--x\n\n<html></html>", "web-page"),
        (b"<?xml version='1.0'?><a/>", "not-a-table"),
        (
            b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'><Table/></Workbook>",
            "xml-spreadsheet",
        ),
        (b"\x89PNG\r\n", "not-a-table"),
        (b"a.csv".ljust(257, b"\0") + b"ustar".ljust(255, b"\0") + b"a,b\n1,2\n", "not-a-table"),
        (
            gzip.compress(b"a.csv".ljust(257, b"\0") + b"ustar".ljust(255, b"\0") + b"a,b\n1,2\n", mtime=0),
            "not-a-table",
        ),
        (b"\x03|\x01\x01" + bytes(28) + b"NAME\0\0\0\0\0\0\0C" + bytes(20) + b"\r Ann  Bob  \x1a", "not-a-table"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n", "not-a-table"),
        (b"window.data = [\n1, 2]", "not-a-table"),
        (
            b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"/>',
            "xml-spreadsheet",
        ),
    ],
)
def test_what_holds_no_rows_is_refused_in_a_sentence(content: bytes, code: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(content, tmp_path)
    assert fault.value.code == code
    assert fault.value.text.endswith((".", ")"))
    assert fault.value.hint
    assert not list(tmp_path.glob("table-*"))


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"ID;PWXL;N;E\r\nP;PGeneral\r\nC;Y1;X1;K1\r\nE\r\n", "f.slk"),
        (b"<rows>\n<row>1</row>\n</rows>", "f.xml"),
    ],
)
def test_other_kinds_are_refused_by_their_names(content: bytes, name: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile):
        read_bytes(content, tmp_path, name)
    assert read_bytes(content, tmp_path, "f.csv").rows


def test_gzip_is_unpacked(tmp_path: Path) -> None:
    content = gzip.compress(b"a,b\n1,") + gzip.compress("ä\n".encode())
    reading = read_bytes(content, tmp_path, "file.csv.gz")
    assert (reading.gzip, reading.format, cells(reading)) == (True, "csv", [("1", "ä")])
    assert sorted(path.suffix for path in tmp_path.iterdir()) == ["", ".arrow"]
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(content[:-6], tmp_path, "file.csv.gz")
    assert fault.value.code == "damaged"


def test_a_gzip_that_grows_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "MAX_UNPACKED", 5_000_000)
    with pytest.raises(UnreadableFile) as fault:
        read_bytes(gzip.compress(bytes(6_000_000)), tmp_path, "f.csv.gz")
    assert fault.value.code == "too-large-unpacked"
    assert [path.name for path in tmp_path.iterdir()] == ["upload"]


def test_progress_rises_and_can_stop_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "big.csv"
    path.write_text("id,text\n" + "".join(f"{number},{'x' * 300}\n" for number in range(24_000)))
    told: list[float] = []
    read(path, name="big.csv", into=tmp_path, progress=told.append)
    assert told == sorted(told)
    assert len(told) > 10
    assert all(0 <= fraction <= 1 for fraction in told)

    def stop(fraction: float) -> None:
        if fraction > 0.5:
            raise Cancelled

    folder = tmp_path / "second"
    folder.mkdir()
    with pytest.raises(Cancelled):
        read(path, name="big.csv", into=folder, progress=stop)
    assert list(folder.iterdir()) == []


CELL = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['"', '""', "a\nb", "x\r\ny", ",", ";", "'", " ", "#", "=1", '"\n', "\u2028", "\\", '\\"', "\ufeff"]
)
TABLES = st.integers(2, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8)
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250, deadline=None)
@given(
    rows=TABLES,
    delimiter=st.sampled_from([",", ";", "\t", "|", ":", "~", " "]),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    line_end=st.sampled_from(["\n", "\r\n", "\r"]),
)
@example(rows=[["x", '\\"'], ["y", "z"]], delimiter=",", quoting=csv.QUOTE_ALL, line_end="\n")
def test_any_table_comes_back_cell_for_cell(
    rows: list[list[str]], delimiter: str, quoting: int, line_end: str, tmp_path: Path
) -> None:
    out = io.StringIO(newline="")
    headings = [f"h{at}" for at in range(len(rows[0]))]
    writer = csv.writer(out, delimiter=delimiter, quoting=quoting, lineterminator=line_end)  # type: ignore[arg-type]  # an int is a quoting
    writer.writerows([headings, *rows])
    kept = [tuple(row) for row in rows if any(row)]
    breaks = {"\r", "\n"} & set("".join(map("".join, rows)))
    ambiguous = not breaks <= set(line_end) and quoting == csv.QUOTE_MINIMAL
    if not kept or ambiguous:  # the csv module of Python 3.11 leaves such a line break without quotes
        return
    reading = read_bytes(out.getvalue().encode(), tmp_path, delimiter=delimiter, header_row=1)
    assert cells(reading) == kept
    assert numbers(reading) == [at + 2 for at, row in enumerate(rows) if any(row)]
    assert balanced(reading)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("size", [400, 3_000, 300_000])
def test_bytes_that_are_no_text_are_refused_in_a_sentence(seed: int, size: int, tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no text") as refusal:
        read_bytes(b"a,b\n\xff" + random.Random(seed).randbytes(size), tmp_path)
    assert refusal.value.code == "not-a-table"


def test_a_few_control_characters_do_not_make_a_text_binary(tmp_path: Path) -> None:
    reading = read_bytes(b"a,b\n" + b"caf\xe9 au lait,\x07 rings \x1b[0m\n" * 20, tmp_path)
    assert reading.rows == 20


@pytest.mark.parametrize("cell", ["SKU 001/ä", "ö", "Größe", "1 m²", "5 °C", "é 3", "No. 7 ß"])
def test_a_few_accents_repeated_are_western(tmp_path: Path, cell: str) -> None:
    content = "id;text\n" + "".join(f"{at};{cell}\n" for at in range(1, 40))
    reading = read_bytes(content.encode("cp1252"), tmp_path)
    assert (reading.encoding, cells(reading)[0]) == ("cp1252", ("1", cell))


@pytest.mark.parametrize(("encoding", "cell"), [("iso2022_jp", "こんにちは"), ("iso2022_kr", "안녕하세요")])
def test_seven_bit_encodings_are_known_by_their_switches(tmp_path: Path, encoding: str, cell: str) -> None:
    reading = read_bytes(f"id,text\n1,{cell}\n".encode(encoding), tmp_path)
    assert (reading.encoding, cells(reading)) == (encoding, [("1", cell)])


def test_rows_with_too_many_cells_are_no_headings(tmp_path: Path) -> None:
    content = b"id,text\na,one\nb,two, and a half,=3\nc,three\nd,four,,4\ne,five\nf,six\n"
    reading = read_bytes(content, tmp_path, "f.csv")
    assert (reading.header_row, reading.columns, reading.rows) == (1, ("id", "text"), 6)
    assert rows_of(reading, "long-row") == [3, 5]
