"""What a file is, by its first bytes; a sentence for what this app does not read."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from valar_ui.readers.jsontext import SPACE
from valar_ui.readers.reading import UnreadableFile

HEAD: Final = 1 << 16
"""Bytes looked at; the table of a web page may stand behind a long style."""

STRANGERS: Final = (
    (b"%PDF", "a PDF document", "Export the table it holds as CSV or Excel."),
    (b"\x89PNG", "a picture", "Upload the spreadsheet itself."),
    (b"\xff\xd8\xff", "a picture", "Upload the spreadsheet itself."),
    (b"GIF8", "a picture", "Upload the spreadsheet itself."),
    (b"{\\rtf", "a text document (RTF)", "Copy its table into a spreadsheet."),
    (b"SQLite format 3\x00", "a SQLite database", "Export a table of it as CSV."),
    (b"ARROW1", "an Arrow file", "Save it as Parquet or CSV."),
    (b"BZh", "compressed with bzip2", "Unpack it first, or use gzip."),
    (b"\xfd7zXZ", "compressed with xz", "Unpack it first, or use gzip."),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "Unpack it first, or use gzip."),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "Unpack it and upload the file inside."),
    (b"Rar!", "a RAR archive", "Unpack it and upload the file inside."),
    (b"Obj\x01", "an Avro file", "Save it as Parquet or CSV."),
    (b"ORC", "an ORC file", "Save it as Parquet or CSV."),
    (b"\x93NUMPY", "an array of NumPy", "Save it as Parquet or CSV."),
    (
        b"version https://git-lfs.github.com",
        "what Git LFS keeps in place of the real file",
        "Download the file itself, with `git lfs pull` or from the web page of the repository.",
    ),
    (b"MZ", "a program", "Upload a spreadsheet."),
    (b"\x7fELF", "a program", "Upload a spreadsheet."),
)


def kind_of(path: Path, name: str) -> str:
    """gzip, zip, ole, parquet or text; `UnreadableFile` for what is known to be something else."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"\x1f\x8b"):
        return "gzip"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return "zip"
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return "ole"
    if head.startswith(b"PAR1"):
        return "parquet"
    for magic, what, hint in STRANGERS:
        if head.startswith(magic):
            raise UnreadableFile(f"This file is {what}, no spreadsheet.", hint, code="not-a-table")
    if head[257:262] == b"ustar":
        raise UnreadableFile(
            "This file is a tar archive, no spreadsheet.", "Unpack it and upload the file inside.", code="not-a-table"
        )
    if head.startswith(b"ID;P") and Path(name).suffix.lower() == ".slk":
        raise UnreadableFile(
            "This file is a SYLK spreadsheet, of a kind that programs wrote in the 1980s.",
            "Open it in Excel and save it as an Excel workbook (.xlsx).",
            code="not-a-table",
        )
    _refuse_markup(head, name)
    return "text"


PAGES: Final = (b"<html", b"<!doctype html", b"<table", b"<meta", b"<head", b"<body")
MARKUP: Final = re.compile(rb"<(?!workbook)[a-z!]")
TABLE: Final = re.compile(rb"<(html|table|tr)[\s>]")
MAIL_HEAD: Final = re.compile(rb"(from|date|mime-version|subject|x-[a-z-]+):")
WEB_ARCHIVE: Final = b"content-type: multipart/related"


def _is_page(start: bytes) -> bool:
    """A web page, or the archive of one (.mht), by its first bytes in lower case."""
    if start.startswith(PAGES) or (start.startswith(b"<?xml") and b"<html" in start):
        return True
    if MARKUP.match(start):
        return TABLE.search(start) is not None
    return MAIL_HEAD.match(start) is not None and WEB_ARCHIVE in start


def _refuse_markup(head: bytes, name: str) -> None:
    start = head.replace(b"\x00", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").lower()
    extension = Path(name).suffix.lower()
    if _is_page(start):
        called = f" named {extension}" if extension else ""
        raise UnreadableFile(
            f"This file is a web page (HTML){called}, not a spreadsheet.",
            "Open it in Excel and save it as an Excel workbook (.xlsx).",
            code="web-page",
        )
    if start.startswith((b"<?xml", b"<workbook")) or (start.startswith(b"<") and extension in (".xml", ".svg", ".kml")):
        if b"urn:schemas-microsoft-com:office:spreadsheet" in start:
            raise UnreadableFile(
                "This file is an XML spreadsheet of Excel 2003.",
                "Open it in Excel and save it as an Excel workbook (.xlsx).",
                code="xml-spreadsheet",
            )
        if b"urn:oasis:names:tc:opendocument" in start:
            raise UnreadableFile(
                "This file is an OpenDocument spreadsheet written as flat XML (.fods).",
                "Open it in LibreOffice and save it as .ods or .xlsx.",
                code="xml-spreadsheet",
            )
        raise UnreadableFile(
            "This file is XML, not a spreadsheet.", "Save it as CSV, Excel or JSON.", code="not-a-table"
        )


SCRIPT: Final = re.compile(r"((var|let|const)\s+\w+|window(\.\w+)+|module\.exports)\s*=\s*[\[{]|export default\s*[\[{]")
LIST_OF_OBJECTS: Final = re.compile(r"\[\s*\{")

LINES: Final = 4
"""Lines that tell JSONL from a JSON document."""

CONTROLS: Final = frozenset(map(chr, {*range(2, 9), *range(14, 26), 27, 127}))
"""Control characters that no program writes into a table."""


def refuse_binary(sample: str) -> None:
    """`UnreadableFile` for bytes whose encoding can only be guessed and that read like no text in it."""
    strange = sum(map(sample.count, CONTROLS))
    if strange > 0.02 * len(sample) and sum(control in sample for control in CONTROLS) > 3:
        raise UnreadableFile(
            "This file is no text: its bytes look like those of a program, a picture or something compressed.",
            "Upload the spreadsheet itself; if it is one, save it as CSV or Excel again.",
            code="not-a-table",
        )


def refuse_nuls(sample: str) -> None:
    """`UnreadableFile` for what consists of NUL characters for a good part: no text, whatever the encoding."""
    if sample.count("\0") > 0.25 * len(sample) and sample.strip("\0 \t\r\n"):
        raise UnreadableFile(
            "This file is no text: much of it is NUL characters, as in files of databases and programs.",
            "Export the table it holds as CSV or Excel.",
            code="not-a-table",
        )


def text_kind(sample: str, name: str) -> str:
    """csv, tsv, json or jsonl, by what the text begins with and then by the name."""
    extension = Path(name).suffix.lower()
    start = sample.lstrip(SPACE)
    lines = [bare for line in start.split("\n", LINES)[:LINES] if (bare := line.lstrip(SPACE)).strip()]
    if extension in (".jsonl", ".ndjson", ".jsonlines"):
        listed = start.startswith("[") and _is_one_list(start, lines)
        return "json" if listed or _are_lists(lines) or _spans_lines(start, lines) else "jsonl"
    if start[:1] in ("{", "["):
        whole_first = bool(lines) and (_is_json(lines[0]) or (start[0] == "{" and _are_objects(lines[1:])))
        follows = len(lines) > 1 and not _are_lists(lines) and not _opens(lines[1:])
        if whole_first and follows and (start[0] == "{" or extension == ".json"):
            return "jsonl"
        if extension == ".json" or (start[0] == "[" and _opens_json_list(start)):
            return "json"
        if start[0] == "{" and start[1:].lstrip(SPACE).startswith('"') and extension not in (".csv", ".tsv", ".tab"):
            return "json"
        if whole_first and start[0] == "{":
            return "json"
    if extension == ".json":
        return "json"
    _refuse_script(start, extension)
    return "tsv" if extension in (".tsv", ".tab") else "csv"


def _refuse_script(start: str, extension: str) -> None:
    """JSON with a name before it, as the archives of some web services have it."""
    if SCRIPT.match(start) or (extension in (".js", ".mjs", ".ts") and not start.startswith(("{", "["))):
        raise UnreadableFile(
            "This file is a JavaScript program, not a table or JSON.",
            "Delete what stands before the first [ and behind the last ], and name it .json.",
            code="not-a-table",
        )


def _spans_lines(start: str, lines: list[str]) -> bool:
    """The first object goes on over several lines, as programs print it for people."""
    if not start.startswith("{") or _is_json(lines[0]) or _are_objects(lines[1:]):
        return False
    if _opens(lines):
        return True
    try:
        return "\n" in start[: json.JSONDecoder().raw_decode(start)[1]]
    except (ValueError, RecursionError):
        return False


def _opens(lines: list[str]) -> bool:
    """An object begins whose first key stands in the next line."""
    return len(lines) > 1 and lines[0].strip() == "{" and lines[1].startswith('"')


def _are_lists(lines: list[str]) -> bool:
    """Each of these lines, more than one, is a list of objects."""
    return len(lines) > 1 and all(LIST_OF_OBJECTS.match(line) and _is_json(line) for line in lines)


def _is_one_list(start: str, lines: list[str]) -> bool:
    """A list over several lines, or all there is in one line: a document, although its name says lines."""
    return not _is_json(lines[0]) or (len(lines) == 1 and _opens_json_list(start))


def _are_objects(lines: list[str]) -> bool:
    """Each of these lines is an object of its own."""
    return bool(lines) and all(line.startswith("{") and _is_json(line) for line in lines)


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except (ValueError, RecursionError):
        return False
    return True


def _opens_json_list(start: str) -> bool:
    return start[1:].lstrip(SPACE)[:1] in ("{", "[")
