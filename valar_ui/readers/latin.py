"""How likely bytes are text in Latin letters: which letters beyond ASCII each language has, and where those stand.

A score is roughly the natural logarithm of a chance, of the bytes beyond ASCII alone.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

FOREIGN: Final = -8.5
"""A letter that the language does not have."""

STRANGE: Final = -10.0
"""A sign that hardly any text holds."""

UNREADABLE: Final = -8.0
"""A byte that the encoding does not have."""

CONTROL: Final = -16.0
"""A control character."""

MIXED: Final = -1.75
"""Each word of a file in several languages."""

SLIP: Final = -3.0
"""A letter where no language of the region has it."""

MISPLACED: Final = -4.0
"""A capital inside a word, a sign where it never stands."""

INSIDE: Final = -6.0
"""A sign inside a word."""

LONE: Final = -3.0
"""A letter by itself that is no word, or beside a digit."""

CROWDED: Final = -2.5
"""Two letters beyond ASCII side by side."""

CAPITAL: Final = -0.7
"""A capital that begins a word."""

SIGNS: Final = "\u00a0’ “”„…– °«»€‘—´·•§¿¡ £¥¢½²³©®™×±ºªµ¼¾\u00ad Ø‚‹›†‡¶¹¨÷¬¤¦‰"
"""What every language has beside its letters; each blank makes what follows it e times rarer."""

BETWEEN: Final = "’‘´·\u00ad\u00a0"
SELDOM_BETWEEN: Final = "–—…•×€"
"""Signs between two letters."""

NEVER_BEFORE: Final = "ºª²³¹¼½¾£¥¢¬¯¨¸€±ˇ˘˙˝˛¦¤"
NEVER_AFTER: Final = "¿¡„‚£¥¼½¾¬¯¨¸¢‹±ˇ˘˙˝˛¦¤"
"""Signs before and after a letter."""

VOWELS: Final = "aeiouyáàâãäåæéèêëíìîïóòôõöøúùûüýıąęěůőűăāēīūėįų"


@dataclass(frozen=True, slots=True)
class Region:
    """Languages that share encodings."""

    languages: tuple[str, ...]
    """Of each, the letters beyond ASCII from the commonest on; each blank makes what follows it e times rarer."""
    slips: re.Pattern[str]
    """What none of them spells, in small letters: it is another language, misread."""
    words: str
    """Letters that are words."""


WESTERN: Final = Region(
    (
        "äüö ß   é",  # German
        "é è àç ôêîâû œïùëÿ",  # French
        " óíá éñ úü ¿¡ ºª",  # Spanish
        "à òèìéù",  # Italian
        " çãá éíóêõ úôâ àü ºª",  # Portuguese
        " óà èíéçú òïü ·",  # Catalan
        "äöå  é ü",  # Swedish
        "æøå  é",  # Danish
        "øå æ  éòôü",  # Norwegian
        "ä öå",  # Finnish
        " ðáíóæöþú éý",  # Icelandic
        "ë ïé óèü öáçíàê",  # Dutch
        "ë ç",  # Albanian
        " áéíšž ý",  # names from Czechia to Finland
        "’“”–…\u00a0•°£¥ é‘—½²³†‡ ïñç",  # English, and what stands in any text
    ),
    re.compile(
        rf"""
        [èòàæø](?=[{VOWELS}])           # `èerný`
        | (?<=[{VOWELS}])ø              # `mënesiø`
        | [ìù](?=\w)                    # `Budìjovice`
        | ñ(?![{VOWELS}])               # `Gdañsk`
        | ã(?=[^\W\daeious])            # `cãrãmidã`
        | õ(?!e)                        # `minõség`
        | ç(?=[^\W\d{VOWELS}])          # `Rçzekne`
        | (?<![{VOWELS}])ï              # `Ïurica`
        | \bð | \Bþ | þ(?![{VOWELS}rvj]) # `Beþiktaþ`
        | (?<=[{VOWELS}])[²³¹ºª]        # `oraº`
        """,
        re.VERBOSE,
    ),
    words="àèéêòóôöøåáâúýäíæõëüÅØÀÈÉÖÄ",
)
CENTRAL: Final = Region(
    (
        " łąę óśżćń ź",  # Polish
        " íá ěřčéžšý ůú ň ť ďó",  # Czech
        " á íýščéúžťľ ôó ňď äĺ ŕ",  # Slovak
        " áé öóő íüú ű",  # Hungarian
        "ă ţ şîâ",  # Romanian
        " čšž ć đ",  # Croatian, Slovene
    ),
    re.compile(rf"ń(?=[{VOWELS}])"),
    words="őíáéóÁÓ",
)
TURKISH: Final = Region(("ı üş çğöİ   âîû",), re.compile(rf"(?<![{VOWELS}])ğ"), words="")
BALTIC: Final = Region(
    (
        " ėųš žąįū čę",  # Lithuanian
        " āī ēš ūņļ žķ čģ",  # Latvian
        "ä õü ö šž",  # Estonian
    ),
    re.compile(rf"ņ(?![{VOWELS}])"),
    words="öÖ",
)

CANDIDATES: Final[dict[str, tuple[Region, float]]] = {
    "cp1252": (WESTERN, 0.0),
    "cp1250": (CENTRAL, -5.0),
    "cp1254": (TURKISH, -4.0),
    "cp1257": (BALTIC, -6.0),
    "iso8859-2": (CENTRAL, -6.0),
    "mac_roman": (WESTERN, -8.0),
    "cp850": (WESTERN, -8.0),
    "cp852": (CENTRAL, -9.0),
}
"""Encodings that a guess may name: what they are for, and how much rarer they are than the first."""


def scores(text: bytes) -> dict[str, float]:
    """Of each encoding for these words, one a line, some of them beyond ASCII."""
    padded = b"\n" + text + b"\n"
    places = Counter(padded[at - 1 : at + 2] for at in range(1, len(padded) - 1) if padded[at] >= 0x80)
    words = [re.sub(rb"[\x00-\x7f]+", b"", word) for word in text.split(b"\n") if not word.isascii()]
    letters = np.frombuffer(b"".join(words), np.uint8)
    starts = np.cumsum([0, *map(len, words[:-1])])
    return {
        name: prior
        + _in_languages(_chances(name)[:, letters], starts)
        + sum(number * _standing(_characters(name), region.words, place) for place, number in places.items())
        + SLIP * len(region.slips.findall(text.decode(name, "replace").lower()))
        for name, (region, prior) in CANDIDATES.items()
    }


def _in_languages(chances: npt.NDArray[np.float64], starts: npt.NDArray[np.int_]) -> float:
    """All words in the language that suits them best, or each in its own."""
    words = np.add.reduceat(chances, starts, axis=1)
    return float(max(words.sum(axis=1).max(), (words.max(axis=0) + MIXED).sum()))


@lru_cache
def _characters(encoding: str) -> str:
    return bytes(range(256)).decode(encoding, "replace")


@lru_cache
def _chances(encoding: str) -> npt.NDArray[np.float64]:
    """Of each byte (256 columns) in each language (rows)."""
    known = map(_known, CANDIDATES[encoding][0].languages)
    return np.array([[chances.get(it, _unknown(it)) for it in _characters(encoding)] for chances in known])


def _known(letters: str) -> dict[str, float]:
    signs = {it: -3.0 - rank for rank, group in enumerate(SIGNS.split(" ")) for it in group}
    own = {it: -1.5 - rank for rank, group in enumerate(letters.split(" ")) for it in group}
    capitals = {it.upper(): chance - 0.1 for it, chance in own.items() if len(it.upper()) == 1}
    return signs | capitals | own


def _unknown(character: str) -> float:
    if character == "\ufffd":
        return UNREADABLE
    return CONTROL if character < "\xa0" else FOREIGN if character.isalpha() else STRANGE


@lru_cache(maxsize=1 << 14)
def _standing(characters: str, words: str, place: bytes) -> float:
    """What is unlikely of the second of three bytes between the two others."""
    before, it, after = (characters[byte] for byte in place)
    if it.isalpha() and it not in "ºª":
        return _letter_standing(before, it, after, words)
    if before.isalpha() and after.isalpha():
        return 0.0 if it in BETWEEN else INSIDE / 3 if it in SELDOM_BETWEEN else INSIDE
    return MISPLACED * ((after.isalpha() and it in NEVER_BEFORE) or (before.isalpha() and it in NEVER_AFTER))


def _letter_standing(before: str, it: str, after: str, words: str) -> float:
    total = 0.0
    if before > "\x7f" and before.isalpha():
        total += CROWDED * (0.4 if it.isupper() and before.isupper() else 1.0)
    if it.isupper() and not before.isupper():
        total += MISPLACED if before.islower() else CAPITAL
    if it not in "µØ" and (before.isdigit() or after.isdigit()):
        total += LONE
    if it not in words and not before.isalpha() and not after.isalpha():
        total += LONE
    return total
