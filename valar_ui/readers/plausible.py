"""How likely bytes are text in an encoding: letters by how common they are, and what stands beside them.

A score is roughly the logarithm of a chance. All readings explain the same bytes, so their scores compare.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from valar_ui.readers import latin

SAMPLE: Final = 6_000
"""Bytes looked at."""

FEW: Final = 3
"""Bytes beyond ASCII below which nothing but Latin letters can be told."""

WORD: Final = re.compile(rb'[^\s,;"]*[\x80-\xff][^\s,;"]*')
"""What holds a byte beyond ASCII, up to bytes that are the second half of no character."""

UNREADABLE: Final = -15.0
"""A byte that the encoding does not have."""

MISPLACED: Final = -4.0
"""A capital inside a word, a letter where it never stands."""

LONG_RUN: Final = -1.0
"""Each vowel or consonant after two of them."""

LONE: Final = -3.0
"""A letter of its own with no letter beside it, where that is no word: `SKU 1/ä` is not Hebrew."""

STRANGE: Final = -9.0
"""A character that hardly any text holds."""

EASTERN_PUNCTUATION: Final = "、。，．・：；？！「」『』（）【】《》〈〉“”‘’…—～〜－％　"

RUSSIAN: Final = "оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфёъіїєґўјљњћџђ"
GREEK: Final = "αοιτεσνηυρπκμλςίόάέωδγήύθχώφβξζψϊϋΐΰ"
HEBREW: Final = "יוהלאמרבתשנכעדםפקחןטזגסצךףץ"
ARABIC: Final = "اليمنرتوبعدسفهكقحجةأشصىطخذضزئغثإءظؤآ"

JAPANESE: Final = (
    "日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北午百書先名川千水半男西"
    "電校土木聞食車何南万毎白天母火右読友左休父雨会同事自社発者地業方新場員立開手力問代明動京目通言理体田主題意不作用"
    "度強公持野以思家世多正安院心界教文元重近考画海売知道集別物使品計死特私始朝運終台広住無真有口少町料工建空急止送切"
    "転研足究楽起着店病質待試族銀早映親験英医仕去味写字答夜音注帰古歌買悪図週室歩風紙黒花春赤青館屋色走秋夏習駅洋旅服"
    "夕借曜飲肉貸堂鳥飯勉冬昼茶弟牛魚兄犬妹姉漢商届包壊配遅号能表示予定十分成期部対取合性関法制当回加全実化面数進点力"
    "氏市区県都村様様製購価格注文返換交可良好佐藤鈴木高橋渡辺伊中村小林加吉井松阪神戸横浜番編"
)
CHINESE: Final = (
    "的一是不了人我在有他这为之大来以个中上们到说国和地也子时道出而要于就下得可你年生自会那后能对着事其里所去行过家十用发"
    "天如然作方成者多日都三小军二无同么经法当起与好看学进种将还分此心前面又定见只主没公从知使现向手回情全明间女点长"
    "文动实本工机部它被力民己信很理气高两问外新真意重因水话名才第正体开些业机最物员相样应关通路义给并立场更直把再度系"
    "性代表等市海合位特华京品入门书活内加神老世南西东北山比四五六七八九百千万期次今美强质量非常差快流产服务推荐客态买"
    "价钱便宜东西满意谢谢送货包装太不错喜欢店家姓张王李刘陈杨赵黄周吴伟城号电子司州省区县街编码标题评论数据单元版破损"
)
TAIWANESE: Final = (
    "的一是不了人我在有他這為之大來以個中上們到說國和地也子時道出而要於就下得可你年生自會那後能對著事其裡所去行過家十用發"
    "天如然作方成者多日都三小軍二無同麼經法當起與好看學進種將還分此心前面又定見只主沒公從知使現向手回情全明間女點長"
    "文動實本工機部它被力民己信很理氣高兩問外新真意重因水話名才第正體開些業最物員相樣應關通路義給並立場更直把再度系"
    "性代表等市海合位特華京品入門書活內加神老世南西東北山比四五六七八九百千萬期次今美強質量非常差快流產服務推薦客態買"
    "價錢便宜滿意謝送貨包裝太錯喜歡店姓張王李劉陳楊趙黃周吳偉城號電司州省區縣街編碼標題評論數據單元版但已經損壞請儘處林臺許功"
)
KOREAN: Final = (
    "이다는에의가을고한로지도하사서를은자기리시어아대들해나인그으일있수것정여스전조적과라게부주보만성원장와상구비제제동무"
    "안면우경모공소유오선중연관발내거계생음미치방당했었화국위용니까세요습합감입없않던된될때말물실신학문물교분명반진출회"
    "품질송빨라별로예추천좋매제매서울김박최영철희민준현홍길번호름도시부산재차처체통트드르크그노마바파카타하두두더데개결살속식심십"
)


LONE_HALF_WIDTH: Final = re.compile("(?<![\uff66-\uff9f])[\uff66-\uff9f](?![\uff66-\uff9f])")
"""Half-width kana come in words: a single one is `m²` or `5 °C` misread."""


@dataclass(frozen=True, slots=True)
class Language:
    """What a character says in one language, and next to what it may stand."""

    chance: Callable[[str], float]
    """Of a character beyond ASCII."""
    mixing: float
    """A letter of its own beside one of ASCII."""
    vowels: str = ""
    """Of an alphabet in which neither vowels nor consonants come in long runs."""
    never_first: str = ""
    """Letters that begin no word."""
    always_last: str = ""
    """Letters after which a word ends."""
    alone: str | None = None
    """Letters that are words by themselves; None where any letter may stand alone."""


def _by_rank(letters: str, first: float, step: float) -> dict[str, float]:
    return {letter: first - step * rank for rank, letter in enumerate(letters)}


def _alphabet(letters: str, first: float, step: float, punctuation: str) -> Callable[[str], float]:
    known = _by_rank(letters, first, step)
    capitals = {letter.upper(): chance - 0.1 for letter, chance in known.items() if len(letter.upper()) == 1}
    table = dict.fromkeys(punctuation, -5.0) | {"\u00a0": -6.0} | capitals | known
    return lambda character: table.get(character, STRANGE)


def _japanese(character: str) -> float:
    if "\u3041" <= character <= "\u309e":
        return -3.0
    if "\u30a1" <= character <= "\u30fe":
        return -3.6
    if "\uff66" <= character <= "\uff9f":
        return -3.4 if character in "ｱｲｳｶｸｼｽﾀﾄﾅﾏﾗﾘﾙﾝﾞﾟｰ" else -4.4
    return _ideograph(character, JAPANESE, "euc_jp", 0xB0, 0xCF)


def _chinese(character: str) -> float:
    return _ideograph(character, CHINESE, "gb2312", 0xB0, 0xD7)


def _taiwanese(character: str) -> float:
    return _ideograph(character, TAIWANESE, "big5", 0xA4, 0xC6)


def _korean(character: str) -> float:
    if "\uac00" <= character <= "\ud7a3":
        if character in KOREAN:
            return -4.3
        return -8.2 if character.encode("euc_kr", "ignore")[:1] > b"\xa4" else -12.0
    return -11.0 if "\u3400" <= character <= "\uffdc" else STRANGE


def _ideograph(character: str, common: str, standard: str, low: int, high: int) -> float:
    """A character by its standard, whose first level (lead bytes `low` to `high`) holds the common ones."""
    if character in common:
        return -4.9
    if character in EASTERN_PUNCTUATION:
        return -4.5
    encoded = character.encode(standard, "ignore")
    if "\u4e00" <= character <= "\u9fff":
        return -13.0 if len(encoded) != 2 else -8.2 if low <= encoded[0] <= high else -10.5
    if "\ue000" <= character <= "\uf8ff":
        return UNREADABLE
    return -6.5 if "\uff01" <= character <= "\uff5e" else -11.0


CYRILLIC: Final = Language(
    _alphabet(RUSSIAN, -2.2, 0.11, "«»—–„“”№’…"), -4.0, vowels="оеаиыуяюэёіїє", never_first="ьъы", alone="ивскоуаяіє"
)
HELLENIC: Final = Language(
    _alphabet(GREEK, -2.2, 0.11, "«»—–“”’…·΄"), -4.0, vowels="αοιεηυωάέήίόύώϊϋΐΰ", always_last="ς", alone="οηήό"
)
HEBRAIC: Final = Language(_alphabet(HEBREW, -2.2, 0.13, "—–“”’…״׳"), mixing=-4.0, alone="")
ARABIAN: Final = Language(_alphabet(ARABIC, -2.0, 0.12, "«»—–“”’…،؟؛"), mixing=-4.0, alone="و")
JAPAN: Final = Language(_japanese, mixing=-1.5)
CHINA: Final = Language(_chinese, mixing=-2.0)
TAIWAN: Final = Language(_taiwanese, mixing=-2.0)
KOREA: Final = Language(_korean, mixing=-2.0)

CANDIDATES: Final[dict[str, tuple[Language, float]]] = {
    "cp1251": (CYRILLIC, -1.0),
    "cp1253": (HELLENIC, -1.5),
    "iso8859-7": (HELLENIC, -1.6),
    "koi8_r": (CYRILLIC, -3.0),
    "cp866": (CYRILLIC, -3.0),
    "cp1255": (HEBRAIC, -3.0),
    "cp1256": (ARABIAN, -3.0),
    "cp932": (JAPAN, -1.0),
    "euc_jp": (JAPAN, -2.5),
    "gb18030": (CHINA, -1.0),
    "cp950": (TAIWAN, -1.5),
    "big5hkscs": (TAIWAN, -4.0),
    "cp949": (KOREA, -1.5),
}
"""Encodings of other scripts that a guess may name: their language, and how much rarer they are than Windows-1252."""


def likeliest(text: bytes) -> str:
    """The encoding in which these bytes, whole lines of a file that is not UTF-8, read best."""
    # A word proves no more the hundredth time.
    part = b"\n".join(dict.fromkeys(WORD.findall(text)))
    if not part:
        return "cp1252"
    if len(part) > SAMPLE:
        part = part[: part.rfind(b"\n", 0, SAMPLE) + 1] or part[:SAMPLE]
    plain = _ascii()
    rest = sum(plain.get(chr(byte), 0.0) for byte in part)
    scores = {name: rest + score for name, score in latin.scores(part).items()}
    if sum(byte >= 0x80 for byte in part) >= FEW:
        for name, (language, prior) in CANDIDATES.items():
            scores[name] = prior + _score(part.decode(name, "replace"), language)
    best = max(scores, key=lambda name: scores[name])
    return "cp1252" if text.decode(best, "replace") == text.decode("cp1252", "replace") else best


@lru_cache(maxsize=1)
def _ascii() -> dict[str, float]:
    """What ASCII characters cost that a two-byte character might have swallowed."""
    letters = {chr(code): -3.0 for code in range(0x80) if chr(code).isalpha()}
    return letters | dict.fromkeys("@[\\]^_`{|}~", -5.0)


def _score(decoded: str, language: Language) -> float:
    plain = _ascii()
    chances: dict[str, float] = {}
    total = 0.0
    before, before_own = " ", False
    for character in decoded:
        if character < "\x80":
            total += plain.get(character, 0.0)
            if before_own and character.isalpha():
                total += language.mixing
            before, before_own = character, False
            continue
        chance = chances.get(character)
        if chance is None:
            chance = chances[character] = UNREADABLE if character == "\ufffd" else language.chance(character)
        total += chance
        own = character.isalpha()
        if own:
            upper = character.isupper()
            if not before_own and before.isalpha():
                total += language.mixing
            if upper and not before.isupper():
                total += MISPLACED if before.islower() else -0.7
        before, before_own = character, own
    total += LONE * len(LONE_HALF_WIDTH.findall(decoded))
    if language.alone is not None:
        words = re.findall(r"[^\W\d_]+", decoded.lower())
        total += LONE * sum(len(word) == 1 and word > "\x7f" and word not in language.alone for word in words)
    return total + _spelling(decoded.lower(), language)


def _spelling(decoded: str, language: Language) -> float:
    """What is unlikely in the words of an alphabet: long runs of vowels or consonants, letters in the wrong place."""
    if not language.vowels:
        return 0.0
    total, run, before = 0.0, 0, ""
    for character in decoded:
        own = character > "\x7f" and character.isalpha()
        if not own:
            run, before = 0, ""
            continue
        if (not before and character in language.never_first) or (before and before in language.always_last):
            total += MISPLACED
        run = run + 1 if before and (character in language.vowels) == (before in language.vowels) else 1
        total += LONG_RUN if run > 2 else 0.0
        before = character
    return total
