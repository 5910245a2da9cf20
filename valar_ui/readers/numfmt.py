"""Numbers as Excel shows them: 15 digits, ISO dates, zero padding, percent and text where the format says so."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import Enum
from functools import lru_cache
from typing import Final

from valar_ui.readers import fractionfmt

BUILT_IN: Final = {
    9: "0%",
    10: "0.00%",
    12: "# ?/?",
    13: "# ??/??",
    **dict.fromkeys(range(14, 18), "yyyy-mm-dd"),
    **dict.fromkeys((18, 19, 20, 21), "h:mm:ss"),
    22: "yyyy-mm-dd h:mm",
    **dict.fromkeys(range(27, 32), "yyyy-mm-dd"),
    **dict.fromkeys((32, 33, 34, 35), "h:mm:ss"),
    36: "yyyy-mm-dd",
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    **dict.fromkeys(range(50, 59), "yyyy-mm-dd"),
}
"""The formats that a workbook names by number only and that change how a number reads."""

UNSPOKEN: Final = re.compile(r'"[^"]*"|\\.|_.|\*.')
BRACKETS: Final = re.compile(r"\[(?!h+\]|m+\]|s+\])[^\]]*\]", re.IGNORECASE)
ELAPSED: Final = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
CURRENCY: Final = re.compile(r"\[\$([^\]-]*)(?:-[^\]]*)?\]")
CONDITION: Final = re.compile(r"\[(<=|>=|<>|<|>|=)\s*(-?\d+(?:\.\d+)?)\]")
TOKEN: Final = re.compile(r'"([^"]*)"|\\(.)|_(.)|\*(.)|([0#?]+)|([Gg][Ee][Nn][Ee][Rr][Aa][Ll])|(.)', re.DOTALL)

Token = tuple[str, str]
"""What a piece of a format is (`digits`, `general`, `literal`, `scale`, `group`, or `text` as it stands) and itself."""


class Kind(Enum):
    """What a format makes of a number."""

    GENERAL = "general"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"
    DURATION = "duration"
    SHOWN = "shown"
    FRACTION = "fraction"


@dataclass(frozen=True, slots=True)
class Format:
    """One number format, as far as it matters."""

    kind: Kind
    sections: tuple[str, ...] = ()


GENERAL: Final = Format(Kind.GENERAL)


@lru_cache(maxsize=4_096)
def parse(code: str) -> Format:
    """What a format code asks for; anything not understood is general."""
    if len(code) > 500 or code.strip().lower() in ("general", "@", ""):
        return GENERAL
    bare = UNSPOKEN.sub("", BRACKETS.sub("", code))
    if ELAPSED.search(bare):
        return Format(Kind.DURATION)
    letters = bare.split(";")[0].lower()
    letters = re.sub(r"general|a/p|am/pm|上午/下午", lambda match: "" if match[0] == "general" else "h", letters)
    has_date = re.search(r"[yd]|e(?![+-])|b1|b2|mmm", letters) is not None
    has_time = re.search(r"[hs]", letters) is not None
    if has_date or has_time or re.fullmatch(r"m+", letters.strip()):
        return Format(Kind.DATETIME if has_date and has_time else Kind.TIME if has_time else Kind.DATE)
    sections = tuple(_sections(code))
    if fraction := fractionfmt.parts(UNSPOKEN.sub("", BRACKETS.sub("", sections[0]))):
        return Format(Kind.FRACTION, fraction)
    conditions = [CONDITION.search(section) is not None for section in sections[:3]]
    if any(conditions):
        known = conditions[0] and not any(re.search(r"\[[<>=]", CONDITION.sub("", section)) for section in sections)
        return Format(Kind.SHOWN, sections) if known and any(map(_worth_showing, sections)) else GENERAL
    return Format(Kind.SHOWN, sections) if _worth_showing(sections[0]) else GENERAL


def _sections(code: str) -> list[str]:
    """The parts between semicolons that are not in quotes."""
    parts, start, quoted, at = [], 0, False, 0
    while at < len(code):
        character = code[at]
        if character == '"':
            quoted = not quoted
        elif character == "\\" and not quoted:
            at += 1
        elif character == ";" and not quoted:
            parts.append(code[start:at])
            start = at + 1
        at += 1
    return [*parts, code[start:]]


def _worth_showing(section: str) -> bool:
    """Percent, zero padding or literal text; plain decimals and grouping stay 15 digits.

    So does a number shown in thousands without a word or currency beside it: it would look a thousand times smaller.
    """
    plain = UNSPOKEN.sub("", BRACKETS.sub("", section))
    if re.search(r"[eE][+-]|/|\?", plain):
        return False
    whole = "".join(re.findall("[0#]", plain.split(".")[0]))
    quoted = re.search(r'"[^"]*[^\s"][^"]*"|\\[^\s\\]|\[\$[^\]-]+', section) is not None
    bare = re.search(r"[%$+(]|[0#]-[0#]|[a-z]|[^\x00-\x7f\s]", re.sub("general", "", plain.lower())) is not None
    if re.search(r"[0#],+(?:[^0#,]|$)", plain):
        return re.search(r'"[^"]*\w[^"]*"|\\\w|[$€£¥]', section) is not None
    return quoted or bare or len(whole.lstrip("#")) > 1


def number(raw: str) -> str:
    """A number as Excel keeps it: at most 15 digits, no `.0`; the text itself where it is none."""
    if len(raw) <= 15 and raw.isascii() and raw.isdigit() and (raw[0] != "0" or raw == "0"):
        return raw
    try:
        value = float(raw)
    except ValueError:
        return raw
    return plain(value)


def plain(value: float) -> str:
    """15 significant digits without an exponent, except where Excel itself needs one."""
    text = f"{value:.15g}"
    if "e" in text:
        exponent = int(text.partition("e")[2])
        if -10 < exponent < 21:
            return format(Decimal(text), "f")
        return text.upper()
    return "0" if text == "-0" else text


def is_rounded(value: float) -> bool:
    """An integer of more than 15 digits, of which Excel keeps 15."""
    return 1e15 <= abs(value) < 1e21 and value.is_integer()


def show(value: float, form: Format) -> str:
    """A number in a format of kind SHOWN; 15 digits where the format would round some away."""
    section, signed = _section_for(value, form.sections)
    if section is None:
        return plain(value)
    try:
        text = _shown(Decimal(plain(abs(value))), section)
    except (InvalidOperation, ValueError):
        text = None
    if text is None:
        return plain(value)
    return "-" + text if signed and value < 0 else text


def _section_for(value: float, sections: tuple[str, ...]) -> tuple[str | None, bool]:
    """The section for a number, and whether a minus stands before it; None where none is for it."""
    if CONDITION.search(sections[0]):
        for section in sections[:3]:
            condition = CONDITION.search(section)
            if condition is None or _holds(value, condition[1], float(condition[2])):
                negative = condition is not None and condition[1] in ("<", "<=", "=") and float(condition[2]) <= 0
                return section, not negative
        return None, True
    if value < 0 and len(sections) > 1:
        return sections[1], False
    return sections[2 if value == 0 and len(sections) > 2 else 0], True


def _holds(value: float, sign: str, bound: float) -> bool:
    if sign == "<>":
        return value != bound
    return ("<" in sign and value < bound) or (">" in sign and value > bound) or ("=" in sign and value == bound)


def _shown(value: Decimal, section: str) -> str | None:
    """One section filled in; None where digits would be lost or the section is not understood."""
    section = BRACKETS.sub("", CURRENCY.sub(lambda match: '"' + match[1] + '"', section))
    tokens = _tokens(section)
    kinds = [kind for kind, _ in tokens]
    if ("text", "@") in tokens or ("digits" in kinds and "general" in kinds) or kinds.count("general") > 1:
        return None
    if "digits" not in kinds:
        return "".join(format(value, "f") if kind == "general" else text for kind, text in tokens).strip()
    percent, scale = tokens.count(("text", "%")), kinds.count("scale")
    value = value.scaleb(2 * percent - 3 * scale)
    tokens = [token for token in tokens if token[0] != "scale"]
    point = next((at for at, token in enumerate(tokens) if token == ("text", ".")), len(tokens))
    places = sum(len(text) for kind, text in tokens[point:] if kind == "digits")
    rounded = value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    if rounded != value:
        if not percent and not scale:
            return None
        rounded = value.normalize()
    whole, _, fraction = format(rounded, "f").partition(".")
    if point == len(tokens) and fraction:
        point = max(at for at, (kind, _) in enumerate(tokens) if kind == "digits") + 1
        tokens[point:point] = [("text", "."), ("digits", "0" * len(fraction))]
    return (_whole(whole, tokens[:point]) + _fraction(fraction, tokens[point:])).strip()


def _tokens(section: str) -> list[Token]:
    """The pieces of a section; a comma between digits groups them, one after the last leaves thousands away."""
    found = [_token(match) for match in TOKEN.finditer(section)]
    point = found.index(("text", ".")) if ("text", ".") in found else len(found)
    digits = [at for at, (kind, _) in enumerate(found) if kind == "digits"]
    whole = [at for at in digits if at < point]
    for at, token in enumerate(found):
        if token == ("text", ","):
            between = whole and whole[0] < at < whole[-1]
            behind = any(at > last and all(text == "," for _, text in found[last + 1 : at]) for last in digits)
            found[at] = ("group", ",") if between else ("scale", ",") if behind else token
    return found


def _token(match: re.Match[str]) -> Token:
    quoted, escaped, space, fill, digits, general, other = match.groups()
    if digits is not None:
        return "digits", digits
    if general is not None:
        return "general", general
    if space is not None:
        return "literal", " "
    if fill is not None:
        return "literal", ""
    if other is not None:
        return "text", other
    return "literal", quoted if quoted is not None else escaped


def _whole(digits: str, tokens: list[Token]) -> str:
    """Digits put into their places from the right; commas part thousands."""
    pattern = "".join(text for kind, text in tokens if kind == "digits")
    needed = len(pattern.lstrip("#?"))
    digits = digits.lstrip("0").rjust(needed, "0")
    if ("group", ",") in tokens:
        parts: list[str] = []
        while len(digits) > 3:
            parts.insert(0, digits[-3:])
            digits = digits[:-3]
        digits = ",".join([digits, *parts])
        first = next(at for at, token in enumerate(tokens) if token[0] == "digits")
        last = max(at for at, token in enumerate(tokens) if token[0] == "digits")
        before = "".join(text for _, text in tokens[:first])
        after = "".join(text for _, text in tokens[last + 1 :])
        return before + digits + after
    out: list[str] = []
    left, places, seen = digits, len(pattern), 0
    for kind, text in reversed(tokens):
        if kind != "digits":
            out.append(text)
            continue
        seen += len(text)
        if seen >= places:
            out.append(left)
            left = ""
        else:
            out.append(left[-len(text) :])
            left = left[: -len(text)]
    return "".join(reversed(out))


def _fraction(digits: str, tokens: list[Token]) -> str:
    pattern = "".join(text for kind, text in tokens if kind == "digits")
    kept = digits
    while kept and len(kept) > pattern.rfind("0") + 1 and kept.endswith("0"):
        kept = kept[:-1]
    out, placed = "", False
    for kind, text in tokens:
        if kind == "digits":
            out += "" if placed else kept
            placed = True
        elif (kind, text) == ("text", ".") and not placed:
            out += "." if kept else ""
        else:
            out += text
    return out


def when(serial: float, kind: Kind, *, epoch_1904: bool) -> str | None:
    """A date, time or duration in ISO form; None where the number is no date."""
    if kind is Kind.DURATION or (kind is Kind.TIME and 1 <= abs(serial) < 366):
        return _duration(serial)
    if serial < 0 or serial >= 2_958_466:
        return None
    milliseconds = round(serial * 86_400_000)
    days, rest = divmod(milliseconds, 86_400_000)
    clock = _clock(rest)
    if kind is Kind.TIME and days == 0:
        return clock
    if epoch_1904:
        start = datetime(1904, 1, 1)
    elif days == 60:
        return "1900-02-29" if rest == 0 and kind is Kind.DATE else f"1900-02-29 {clock}"
    else:
        start = datetime(1899, 12, 31) if days < 60 else datetime(1899, 12, 30)
    if days == 0 and not epoch_1904:
        return clock if rest else ("1900-01-00" if kind is Kind.DATE else "00:00:00")
    try:
        day = (start + timedelta(days=days)).strftime("%Y-%m-%d")
    except OverflowError:
        return None
    return day if rest == 0 and kind is Kind.DATE else f"{day} {clock}"


def _clock(milliseconds: int) -> str:
    seconds, thousandths = divmod(milliseconds, 1000)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return text + (f".{thousandths:03}".rstrip("0") if thousandths else "")


def _duration(days: float) -> str:
    milliseconds = round(abs(days) * 86_400_000)
    seconds, thousandths = divmod(milliseconds, 1000)
    text = f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    text += f".{thousandths:03}".rstrip("0") if thousandths else ""
    return "-" + text if days < 0 and milliseconds else text


def formatted(raw: str, form: Format, *, epoch_1904: bool) -> str:
    """The text of a number cell, from the number as the file writes it."""
    if form.kind is Kind.GENERAL:
        return number(raw)
    try:
        value = float(raw)
    except ValueError:
        return raw
    if form.kind is Kind.SHOWN:
        return show(value, form)
    if form.kind is Kind.FRACTION:
        return fractionfmt.text(value, *form.sections) or plain(value)
    return when(value, form.kind, epoch_1904=epoch_1904) or plain(value)
