"""One normalisation of Japanese and English text for searching and comparing; pure functions.

Stored and displayed text is never changed: only what is compared. Character bigrams carry Japanese (no dictionary, no
lost product names; measured equal to morphological analysis within noise, see docs/lab-notes.md), words and whole
identifiers carry ASCII. Must not know documents, indexes or questions.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from assistant.kanji import with_new_forms

JAPANESE = r"\u3005-\u3007\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
JAPANESE_CHARACTER = re.compile(f"[{JAPANESE}]")
_LATIN = re.compile("[A-Za-z]")
_RUNS = re.compile(rf"[{JAPANESE}]+|[^\W_{JAPANESE}]+(?:[-_./@][^\W_{JAPANESE}]+)*")
WORD_PARTS = re.compile(r"[-_./@]")
_SENTENCE_END = re.compile(
    r"(?<=[。！？｡])(?![。！？!?｡])\s*"  # Japanese end marks
    r"|(?<=[^\x00-\x7f][!?])(?![!?！？])\s*|(?<=[!?])(?![!?！？])(?=\s|[^\x00-\x7f]|\Z)\s*"  # not the one inside of an address: doc?id=12
    rf"|(?<=[{JAPANESE})）」』]．)(?![0-9０-９])\s*"  # the full stop beside ，
    "|(?<=[。！？!?][」』])(?=[「『])"  # one quotation after another
    "|(?<=[.])\\s+(?=[A-Z0-9\"'(])"  # an English full stop before what looks like a beginning
    "|\\n[ \\t]*\\n\\s*"  # a blank line
    # a line end, unless the next line goes on: in lower case, or behind a comma or particle in Japanese that begins nothing
    rf"|\n(?![ \t]*[a-z])(?!(?<=[、，をにはがでへのら]\n)[ \t]*(?![第・])[{JAPANESE}])[ \t]*"
)
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Control characters, and what Unicode calls ignorable by default, the variants of a kanji (葛 with U+E0100) among it: they show
nothing of their own."""
_RADICALS = str.maketrans(
    "⺄⺋⺌⺍⺒⺓⺕⺗⺙⺛⺜⺝⺟⺠⺣⺧⺩⺪⺫⺬⺭⺮⺯⺶⺷⺹⺼⺽⺾⻁⻂⻃⻄⻆⻇⻊⻌⻍⻎⻏⻑⻒⻖⻗⻘⻝⻞⻟⻡⻣⻤⻨⻩⻫⻭⻯⻱⻲",
    "乙㔾小小巳幺彐心攵旡日月母民灬牛王疋目示礻竹糹羊羊耂月臼艹虎衤覀西角角足辶辶辶阝長镸阝雨青食食飠首骨鬼麦黄斉歯竜龜亀",
)
"""The radicals of U+2E80-2EFF that stand for a whole character; NFKC knows only those of U+2F00-2FDF and two of these."""
_RADICAL = re.compile("[\u2e80-\u2fdf]")
ERAS = {"令和": 2018, "平成": 1988, "昭和": 1925, "大正": 1911, "明治": 1867}
_ERA_YEAR = re.compile(r"(令和|平成|昭和|大正|明治)\s*(\d{1,2}|元|[一二三四五六七八九十]{1,3})\s*年")
_KANJI_DIGITS = "〇一二三四五六七八九"
_LAST_LONG_VOWEL = re.compile("ー(?<=[ァ-ヺー]{2}.)(?![ァ-ヺー])")  # of サーバー, not of キー
_DASHES = "‐‒–—―−─⁃"
_TWIN_OF_LONG_VOWEL = re.compile(
    r"[-一](?:(?<=[ァ-ヺー].)(?=[ァ-ヺー])(?![ヶヵケカ][月所年国条])|(?<=[ァ-ヺー]{2}-)(?![\w-]))"
)  # of サ一バ, not of リース一カ月
_KA = re.compile(
    "[ヶヵケカ箇](?:(?<=[\\d一二三四五六七八九十百千数何両].)(?=([月所年国条]))|(?<=[一-鿿][ヶヵケ])(?=[一-鿿]))"
)
_REPEATED = re.compile("[々ゝゞヽヾ](?<=([一-鿿ぁ-ヺ]).)")
_SPACED = re.compile(r"[ \t\u3000](?:(?<=[\W_][㐀-鿿].)|(?<=^[㐀-鿿].))[ \t]{0,2}(?=[㐀-鿿](?:[\W_]|$))")
_ACCENTED = re.compile("[\u00c0-\u024f\u1e00-\u1eff]")
_LETTERS = {"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ħ": "h", "ı": "i"}
"""What people without these letters on their keyboard type; Unicode takes none of them for one with an accent."""
_VU = re.compile("ヴ([ァィェォュ]?)")
_BA = {"ァ": "バ", "ィ": "ビ", "ェ": "ベ", "ォ": "ボ", "ュ": "ビュ", "": "ブ"}
_BY_SOUND = tuple(zip("ァィゥェォャュョッヮヰヱゐゑ", "アイウエオヤユヨツワイエいえ", strict=True))
"""Old systems write small kana large (ｼﾖｳｼﾞ), and names do (キヤノン, 富士フイルム)."""
_BRACKETS = {"(": ")", "（": "）", "「": "」", "『": "』", "[": "]", "［": "］", "【": "】", "〔": "〕", "“": "”"}
_CLOSING = frozenset(_BRACKETS.values())
_BRACKET_CHARACTERS = 300
"""A bracket that closes no sooner is a slip of the pen, and sentences end inside it."""
REMEMBERED_TEXTS = 8_192
REMEMBERED_CHARACTERS = 4_000
"""Each sentence of an answer is compared with each sentence of its passages: they are taken apart once, not a dozen times.
Without it an answer of twelve sentences kept the API's only thread for a second (docs/lab-notes.md, 2026-11-26). Longer texts,
which only an ingestion has, are not kept."""
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:No|Nos|Art|Sec|Fig|Mr|Mrs|Ms|Dr|St|vs|cf|e\.g|i\.e|etc|approx)\.\Z"
    r"|^[ \t>#*・-]{0,8}\(?\d{1,2}\.\Z",  # the number of a list: 1. Open the portal
    re.IGNORECASE | re.MULTILINE,
)
_BEFORE_A_NUMBER = re.compile(
    r"(?:^|[\s(])(?:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun"
    r"|[Ee]xt|[Tt]el|[Vv]er|[Vv]ol|[Rr]ev|[Pp]p?|[Pp]ara|[Bb]ldg|[Rr]m|[Cc]h|App|(?<!\d\s)[Mm](?:ax|in))\.\Z"
)
"""These end nothing before a number; else they may be a sentence's last word, as "in Dec." is."""
_WEEKDAY = re.compile(r"(?:^|[\s(])(?:Mon|Tues?|Wed|Thu(?:rs?)?|Fri|Sat|Sun)\.\Z")
_MONTH_FOLLOWS = re.compile(r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)")
_BEFORE_A_NAME = re.compile(
    r"(?:^|[\s(])(?:[Dd]ept|Inc|Co|Corp|Ltd|Prof|(?:[A-Z]\.)+[A-Z])\.\Z"
    r"|(?:Mr|Mrs|Ms|Dr|Prof|\b[A-Z])\.\s[A-Z]\.\Z|^[ \t]*[A-Z]\.\Z",
    re.MULTILINE,
)
"""These end nothing before a name or a number; before "The" or "It" they do."""
_ABBREVIATION_CHARACTERS = 16
_WORD_AHEAD = re.compile("[A-Z][a-z]*(?![A-Za-z])")
_SMALL_WORDS = frozenset(
    """a an and are as at be by can do does for from has have how i if in is it its of on or that the their this to
    was we what when where which who why will with you your""".split()  # noqa: SIM905  a list of words reads better
)
_SPELLED = re.compile(r"[\u3400-\u9fff々]+|[ァ-ヺー]{2,}")
_ASKING = "何誰幾"
SAYS_NOTHING = frozenset("人年物事者名時所為方言上中次正誤教選")
ENGLISH_GRAMMAR = frozenset(
    """what when where which who whom whose how why is are was were do does did can could may must should will would has
    have the an of in on to for from by with and or my our your please explain tell show list describe summarize compare give
    translate summarise need want into if there any this that these those we you not about""".split()  # noqa: SIM905
)
"""Words that show English grammar around names and Japanese."""
_HIRAGANA_RUN = re.compile(r"^[\u3040-\u309f]+$")


def with_ideographs(text: str) -> str:
    """The text with radicals (⼈, ⻑), as fonts of PDFs leave them behind, replaced by the character meant (人, 長).

    The length stays: one character for one.
    """
    if not _RADICAL.search(text):
        return text
    return _RADICAL.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text.translate(_RADICALS))


def normalise(text: str) -> str:
    """Text for comparing: NFKC, lower case, new forms of kanji, invisible characters and radicals out, dashes and their look-alikes unified.

    The length may change; never use offsets of it in the original.
    """
    plain = with_ideographs(INVISIBLE.sub("", text))
    plain = plain.replace("゛", "\u3099").replace("゜", "\u309a")  # old systems set them after their kana: カ゛
    plain = with_new_forms(unicodedata.normalize("NFKC", plain)).lower().replace("〜", "~")
    for dash in _DASHES:  # far faster than a table: most texts hold none
        plain = plain.replace(dash, "-")
    return plain


def searched(text: str) -> str:
    """Normalised text as the search compares it: katakana by its sound (ヴァ = バ, ィ = イ, サ−バ = サーバ), repeated characters
    written out (佐々木 = 佐佐木), 1ヶ月 = 1か月, 霞ヶ関 = 霞が関, letters without accents, spaced headings (就 業 規 則) whole.

    For comparing with other text that went through here alone: patterns of words are written for `normalise`.
    """
    text = normalise(text)
    if text.isascii():
        return text
    text = _ACCENTED.sub(_without_accent, text).replace("i\u0307", "i")
    text = _TWIN_OF_LONG_VOWEL.sub("ー", _SPACED.sub("", text))
    text = _KA.sub(lambda found: "か" if found[1] else "が", text)
    text = _VU.sub(lambda found: _BA[found[1]], _REPEATED.sub(_repeated, text))
    for written, sounds in _BY_SOUND:
        text = text.replace(written, sounds)
    return text


def _without_accent(found: re.Match[str]) -> str:
    letter = unicodedata.normalize("NFD", found[0])[0]
    return letter if letter.isascii() else _LETTERS.get(letter, found[0])


def _repeated(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", found[1] + "\u3099") if found[0] in "ゞヾ" else found[1]


def with_western_years(text: str) -> str:
    """Normalised text in which each era year is followed by its western year: 令和8年 -> 令和8年 2026年."""

    def add_western(match: re.Match[str]) -> str:
        return f"{match[0]} {ERAS[match[1]] + year_in_era(match[2])}年"

    return _ERA_YEAR.sub(add_western, text)


def year_in_era(words: str) -> int:
    """The number of an era year: 元 is 1, 十二 is 12, 二十一 is 21."""
    if words.isdecimal():
        return int(words)
    tens, has_tens, ones = words.rpartition("十")
    many = (_KANJI_DIGITS.find(tens) if tens else 1) if has_tens else 0
    return 1 if words == "元" else 10 * many + (_KANJI_DIGITS.find(ones) if ones else 0)


def spelled_for_terms(text: str, *, has_years: bool = True) -> str:
    """The text as its terms are taken from it; a term can be looked for in it as it is. サーバー = サーバ, 令和8年 = 令和8年 2026年.

    Without `has_years` it is the former alone, for whoever looks for no year.
    """
    text = searched(text)
    if text.isascii():
        return text
    return _LAST_LONG_VOWEL.sub("", with_western_years(text) if has_years else text)


def lexical_terms(text: str, *, for_query: bool = False) -> list[str]:
    """Terms of the lexical index: character bigrams for Japanese, words, word parts and whole identifiers for ASCII.

    A query leaves out English small words and bigrams of hiragana alone, which match everything and say nothing,
    unless nothing else would be left.
    """
    terms: list[str] = []
    for run in _RUNS.findall(spelled_for_terms(text)):
        terms.extend(_bigrams(run) if JAPANESE_CHARACTER.match(run) else _words(run))
    return (_telling(terms) or terms) if for_query else terms


def telling_terms(text: str) -> list[str]:
    """The terms of a text that say something; none of 「はい、できます」."""
    return _telling(lexical_terms(text))


def _telling(terms: Sequence[str]) -> list[str]:
    return [term for term in terms if term not in _SMALL_WORDS and not _HIRAGANA_RUN.match(term)]


def _bigrams(run: str) -> list[str]:
    pairs = [run[i : i + 2] for i in range(len(run) - 1)]
    return pairs or [run]


def spelled_words(text: str) -> list[str]:
    """Words of a Japanese question as far as its scripts tell them apart, normalised, each once: runs of kanji, kanji before
    kana (落 of 落ちる), runs of katakana, words and numbers of ASCII. Without what only asks (何, 誰, 教えて)."""
    words: list[str] = []
    for run in _SPELLED.findall(_LAST_LONG_VOWEL.sub("", searched(text))):
        word = run.lstrip(_ASKING)
        if word and word not in SAYS_NOTHING:
            words.append(word)
    words += [term for term in lexical_terms(text, for_query=True) if term.isascii()]
    return list(dict.fromkeys(words))


def query_weight(term: str) -> float:
    """How much a term of a question counts: a word or number of ASCII three times, as a Japanese word of four characters
    has three bigrams. Between ASCII words alone it makes no difference. Measured: docs/lab-notes.md, 2026-11-26."""
    return 3.0 if len(term) > 1 and term.isascii() else 1.0


def _words(run: str) -> list[str]:
    parts = [singular(part) for part in WORD_PARTS.split(run) if part]
    return parts if len(parts) == 1 else [run, *parts]


def singular(word: str) -> str:
    """Light English stemming (plural s only): more would cost precision on product names."""
    if len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word.isalpha():
        return word[:-1]
    return word


def japanese_share(text: str) -> float:
    """Share of Japanese characters among letters and kanji, 0 to 1; 0 for text without any."""
    japanese = len(JAPANESE_CHARACTER.findall(text))
    latin = len(_LATIN.findall(text))
    return japanese / (japanese + latin) if japanese + latin else 0.0


def is_readable(text: str) -> bool:
    """Whether the text holds at least one letter or digit of any script."""
    return any(unicodedata.category(c)[0] in "LN" for c in text)


def sentence_spans(text: str) -> list[tuple[int, int]]:
    """(start, end) of each sentence in `text`, without surrounding blanks; Japanese and English ends, and line ends.

    What stands in brackets belongs to the sentence around it, and an abbreviation's full stop ends nothing.
    """
    return list(_sentence_spans(text) if len(text) <= REMEMBERED_CHARACTERS else _sentence_spans.__wrapped__(text))


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _sentence_spans(text: str) -> tuple[tuple[int, int], ...]:
    spans: list[tuple[int, int]] = []
    position = 0
    enclosed = _merged(_enclosed(text))
    ends = [(match.start(), match.end()) for match in _SENTENCE_END.finditer(text) if _is_end(text, match, enclosed)]
    for stop, following in [*ends, (len(text), len(text))]:
        piece = text[position:stop]
        if piece.strip():
            start = position + len(piece) - len(piece.lstrip())
            spans.append((start, start + len(piece.strip())))
        position = following
    return tuple(spans)


def _is_end(text: str, match: re.Match[str], enclosed: list[tuple[int, int]]) -> bool:
    if "\n" in match[0]:
        return True
    place = match.start()
    around = bisect_left(enclosed, (place, 0)) - 1
    if around >= 0 and place <= enclosed[around][1]:
        return False
    return text[place - 1] != "." or not _is_abbreviated(text, place, match.end())


def _is_abbreviated(text: str, place: int, following: int) -> bool:
    """Whether the full stop before `place` belongs to an abbreviation or a list's number, and not to a sentence."""
    first = max(0, place - _ABBREVIATION_CHARACTERS)
    if _ABBREVIATION.search(text, first, place):
        return True
    if text[following].isdecimal() or text[following] == "(":
        return bool(_BEFORE_A_NUMBER.search(text, first, place) or _BEFORE_A_NAME.search(text, first, place))
    if _WEEKDAY.search(text, first, place) and _MONTH_FOLLOWS.match(text, following):
        return True
    word = _WORD_AHEAD.match(text, following)
    begins = word is not None and word[0].lower() in _SMALL_WORDS | ENGLISH_GRAMMAR
    return not begins and bool(_BEFORE_A_NAME.search(text, first, place))


def _enclosed(text: str) -> list[tuple[int, int]]:
    """(place of the opening, place of the closing bracket) of each pair that closes on its line."""
    pairs: list[tuple[int, int]] = []
    opened: list[int] = []
    awaited: Counter[str] = Counter()
    for place, character in enumerate(text):
        if character == "\n":
            opened.clear()
            awaited.clear()
        elif character in _BRACKETS:
            opened.append(place)
            awaited[_BRACKETS[character]] += 1
        elif character in _CLOSING and awaited[character]:
            closes = ""
            while closes != character:
                first = opened.pop()
                closes = _BRACKETS[text[first]]
                awaited[closes] -= 1
            if place - first <= _BRACKET_CHARACTERS:
                pairs.append((first, place))
    return pairs


def _merged(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same places without overlaps, in their order."""
    merged: list[tuple[int, int]] = []
    for first, last in sorted(pairs):
        if merged and first < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def squeezed(text: str) -> str:
    """The normalised text without blanks."""
    return "".join(normalise(text).split())


def letters_of(text: str) -> str:
    """Normalised letters, digits and kanji without anything between them."""
    return "".join(character for character in normalise(text) if character.isalnum())


def character_bigrams(text: str) -> set[str]:
    """Bigrams of the normalised text without blanks and marks; used to tell how much of one text is in another."""
    kept = letters_of(text)
    return {kept[i : i + 2] for i in range(len(kept) - 1)} or ({kept} if kept else set())


def overlap(of: str, within: str) -> float:
    """Share of the bigrams of `of` that also occur in `within`, 0 to 1."""
    wanted = _remembered_bigrams(of)
    return len(wanted & _remembered_bigrams(within)) / len(wanted) if wanted else 0.0


@lru_cache(maxsize=REMEMBERED_TEXTS)
def _remembered_bigrams(text: str) -> frozenset[str]:
    return frozenset(character_bigrams(text))


def without_control_characters(text: str) -> str:
    """The text without control characters and lone surrogates; line ends and tabs stay, emoji stay whole."""
    unified = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(c for c in unified if c in "\n\t" or unicodedata.category(c) not in {"Cc", "Cs"})
