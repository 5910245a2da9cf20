"""What a .xlsx holds beside its cells: sheets, shared texts, number formats, the calendar it counts in."""

from __future__ import annotations

import posixpath
import re
import zipfile
from dataclasses import dataclass, field
from typing import Final

from valar_ui.readers import numfmt
from valar_ui.readers.reading import Sheet, UnreadableFile
from valar_ui.readers.xmlpass import Attributes, drive, elements, local, new_parser, refuse_large, whole

ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """`_x000D_` and its like become the characters they stand for."""
    if "_x" not in text:
        return text
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)


@dataclass(slots=True)
class Workbook:
    """The parts that all sheets share."""

    sheets: list[tuple[Sheet, str]] = field(default_factory=list)
    """Worksheets with the part that holds each; chart sheets are left away."""
    epoch_1904: bool = False
    formats: list[numfmt.Format] = field(default_factory=list)
    """By style number of a cell."""
    texts: list[str] = field(default_factory=list)
    """Shared texts."""
    recalculates: bool = False
    """Excel is asked to calculate everything when it opens the workbook."""


def open_workbook(archive: zipfile.ZipFile) -> Workbook:
    """Read everything but the sheets; `UnreadableFile` where it is no workbook."""
    names = {name.lower(): name for name in archive.namelist()}
    root = _relations(archive, names, "").get("officeDocument", [("", "xl/workbook.xml")])[0][1]
    if root.lower() not in names:
        raise UnreadableFile(
            "This workbook has no list of sheets: it is damaged.", "Open it in Excel and save it anew.", code="damaged"
        )
    root = names[root.lower()]
    relations = _relations(archive, names, root)
    targets = {identity: (kind, target) for kind, found in relations.items() for identity, target in found}
    workbook = Workbook()

    def see(name: str, attributes: Attributes, above: tuple[str, ...]) -> None:
        if name == "workbookPr":
            workbook.epoch_1904 = attributes.get("date1904", "0").lower() in ("1", "true", "on")
        elif name == "calcPr":
            workbook.recalculates = attributes.get("fullCalcOnLoad", "0").lower() in ("1", "true")
        elif name == "sheet" and above[-1:] == ("sheets",):
            kind, target = targets.get(attributes.get("id", ""), ("", ""))
            if kind == "worksheet" and target.lower() in names:
                visible = attributes.get("state", "visible").lower() == "visible"
                workbook.sheets.append((Sheet(attributes.get("name", ""), visible), names[target.lower()]))

    elements(archive, root, see)
    for kind, take in (("styles", _styles), ("sharedStrings", _texts)):
        part = relations.get(kind, [("", "")])[0][1].lower()
        if part in names:
            take(archive, names[part], workbook)
    return workbook


def _relations(archive: zipfile.ZipFile, names: dict[str, str], part: str) -> dict[str, list[tuple[str, str]]]:
    """Kind of relation → (id, part) of everything a part refers to."""
    folder, _, name = part.rpartition("/")
    where = f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels"
    found: dict[str, list[tuple[str, str]]] = {}
    if where.lower() not in names:
        return found

    def see(name: str, attributes: Attributes, _: tuple[str, ...]) -> None:
        if name == "Relationship" and attributes.get("TargetMode", "").lower() != "external":
            target = attributes.get("Target", "").replace("\\", "/")
            full = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
            kind = attributes.get("Type", "").rstrip("/").rpartition("/")[2]
            found.setdefault(kind, []).append((attributes.get("Id", ""), full))

    elements(archive, names[where.lower()], see)
    return found


def _styles(archive: zipfile.ZipFile, part: str, workbook: Workbook) -> None:
    codes: dict[int, str] = dict(numfmt.BUILT_IN)

    def see(name: str, attributes: Attributes, above: tuple[str, ...]) -> None:
        if name == "numFmt" and above[-1:] == ("numFmts",):
            codes[whole(attributes.get("numFmtId"), 0)] = attributes.get("formatCode", "")
        elif name == "xf" and above[-1:] == ("cellXfs",):
            code = codes.get(whole(attributes.get("numFmtId"), 0), "")
            workbook.formats.append(numfmt.parse(code))

    elements(archive, part, see)


def _texts(archive: zipfile.ZipFile, part: str, workbook: Workbook) -> None:
    """Rich text runs joined, phonetic hints left away."""
    parser = new_parser()
    parts: list[str] = []
    texts = workbook.texts
    reading = phonetic = False

    def start(name: str, _: Attributes) -> None:
        nonlocal reading, phonetic
        name = local(name)
        if name == "t":
            reading = not phonetic
        elif name == "rPh":
            phonetic = True
        elif name == "si":
            parts.clear()

    def end(name: str) -> None:
        nonlocal reading, phonetic
        name = local(name)
        if name == "t":
            reading = False
        elif name == "rPh":
            phonetic = False
        elif name == "si":
            texts.append(unescaped("".join(parts)))

    def text(piece: str) -> None:
        if reading:
            parts.append(piece)
            refuse_large(parts)

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    with archive.open(part) as stream:
        for _ in drive(parser, stream, part):
            pass
