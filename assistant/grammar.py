"""Which language a question is in, where it holds words of both: that of its grammar, for names are kept in either. Pure."""

from __future__ import annotations

import re
import unicodedata

from assistant.errors import Language
from assistant.text import ENGLISH_GRAMMAR, JAPANESE, JAPANESE_CHARACTER, is_readable, japanese_share

_JAPANESE_FROM = 0.2
"""Share of Japanese letters from which words without any grammar are Japanese; so are those that end in one (「error E-17 対処」)."""
_GRAMMAR_WORD = re.compile(r"(?<![A-Za-z0-9])(?![A-Z]{2,3}(?![A-Za-z]))[A-Za-z]{2,9}(?![A-Za-z0-9])")
"""A word by itself; IT, OR and US are names."""
_ASKS_IN_ENGLISH = re.compile(
    r"[\W_]*(?:(?:what|where|when|who|how)(?:['’]s)?|which|whom|whose|why|is|are|was|were|does|did|can|could|may|must|should|would|has"
    r"|please|i|my|and|so|hi|hello|hey|there|need|lost|find|contact|translate|summari[sz]e|(?-i:[Dd]o (?:I|[a-z'-]+))|(?:have|will) (?:i|we|you|they))(?=\s)",
    re.IGNORECASE,
)
"""A question that begins so is English, whatever Japanese it is about; names begin with To, Do, The, On, List."""
_NAMES = re.compile(r"\s*[A-Z0-9][A-Z0-9._/-]*(?:\s+[A-Z0-9][A-Z0-9._/-]*){0,2}[\s?]*")
_PARTICLE_BEHIND = re.compile("[A-Za-z][)）]?\\s?[のをがはにで](?![っん])")
_LAST_JAPANESE = re.compile(rf"([A-Za-z]+)[)）]?\s?[{JAPANESE}]+[\W_]*$")
_FIRST_WORD = re.compile(r"[\W_]*((?![A-Z]{2,3}(?![A-Za-z]))[A-Za-z]{2,9})(?=\s)")
_HIRAGANA = re.compile("[\u3041-\u309f]")
_JAPANESE_ENDING = re.compile(
    r"(?:[はのをがにでともかねよ]|です|ます|した|ません|ない|たい|する|して|しろ|せよ|とは|には|から|まで|ください|下さい|教えて"
    r"|いつ|どこ|だれ|誰|何|なに|なぜ|いくら|どう|方法|手順|仕方|しかた|やり方|使い方|一覧)[\s?!。…、,.]*$"
)
_QUOTED_PART = re.compile(r"「[^「」]*」|『[^『』]*』|“[^“”]*”|\"[^\"\n]*\"")


def language_of(text: str) -> Language:
    """The language to answer in: that of the question's grammar where it mixes both, for names are kept in either:
    「GitHub Actionsの設定方法は?」 is Japanese, "What is 有給休暇?" is English. What it quotes does not count."""
    whole = unicodedata.normalize("NFKC", text)
    frame = _QUOTED_PART.sub(" ", whole)
    plain = frame if is_readable(frame) else whole
    share = japanese_share(plain)
    if share in (0.0, 1.0):
        return "ja" if share else "en"
    asks_in_english = bool(_ASKS_IN_ENGLISH.match(plain))
    if not asks_in_english and _is_framed_in_japanese(plain):
        return "ja"
    kana = len(_HIRAGANA.findall(plain))
    english = len([word for word in _GRAMMAR_WORD.findall(plain) if word.lower() in ENGLISH_GRAMMAR])
    begins_english, ends_japanese = asks_in_english or _begins_english(plain), bool(_JAPANESE_ENDING.search(plain))
    if begins_english != ends_japanese:
        return "en" if begins_english else "ja"
    if kana or english:
        return "ja" if kana > english or (ends_japanese and kana == english) else "en"
    letters = [character for character in plain if character.isalpha()]
    return "ja" if share >= _JAPANESE_FROM or JAPANESE_CHARACTER.match(letters[-1]) else "en"


def _begins_english(text: str) -> bool:
    first = _FIRST_WORD.match(text)
    return first is not None and first[1].lower() in ENGLISH_GRAMMAR


def is_name_alone(text: str) -> bool:
    """Whether the text is nothing but up to three names in capitals or numbers (VPN, MX-5000C, E-17): in no language."""
    return bool(_NAMES.fullmatch(unicodedata.normalize("NFKC", text)))


def _is_framed_in_japanese(text: str) -> bool:
    """Whether an English name has a Japanese particle behind it (To Doの共有) or is a noun's first half (On Call 当番)."""
    last = _LAST_JAPANESE.search(text)
    before = "" if last is None else last[1].lower()
    return bool(_PARTICLE_BEHIND.search(text)) or (bool(before) and before not in ENGLISH_GRAMMAR)
