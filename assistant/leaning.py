"""Does a question of a conversation stand alone, or does it lean on the one before? Pure; knows no model and no talk.

            points back (それ, that) ─────────────────────────────────────────────────▶ leans
            turns to another topic (ところで …, by the way …), or is a keyword (VPN) ──▶ stands alone
question ─▶ names no topic (例外はありますか? Is approval required? 2026年度は?) ───────▶ leans
            breaks off after a condition (休むときは? If I am ill?) ────────────────────▶ leans
            names a topic in one word, and asks nothing of it (パートは?) ──────────────▶ leans
            anything else ────────────────────────────────────────────────────────────▶ stands alone

What only looks like a pointer (領収書があれば, the IT department, is it safe to …) is covered before pointers are looked
for. Every pattern reads a run of one character once. Measured on labelled questions: docs/lab-notes.md, 2026-11-28.
"""

from __future__ import annotations

import re
from itertools import islice

from assistant.errors import Language
from assistant.grammar import language_of
from assistant.guard import asks_whether
from assistant.telling import one_of, people, plain_form, telling_words, topics, with_bare_figures

_SHORT_WORDS = 2
"""Telling words up to which a question of a conversation says too little by itself."""

_GOING_ON: dict[Language, re.Pattern[str]] = {
    "ja": re.compile(
        r"^(?:(?:では|じゃあ?|それでは|それなら|だったら|なら(?!び)|ちなみに|逆に|あと(?!で|から)|また(?!は)|そして|それから|なるほど|恐縮ですが|すみませんが?"
        r"|すいませんが?|(?:恐れ入り|おそれいり|お疲れ様で|ありがとうござい)(?:ます|ました|す)が?|ありがとう|(?:わか|分か)りました|了解(?:です|しました)?"
        r"|(?:それと|あの[ーう~]{0,2}|えっ?と|はい|ok)(?=[、,\s]))[、,。!\s]*)+"
    ),
    "en": re.compile(
        r"^(?:(?:and|but|so|then|ok|okay|also|thanks|thank you|got it|i see|hi|hello|good (?:morning|afternoon))\b[,.!:\s]*)+"
    ),
}
"""Words before a question that say nothing of what it is about."""
_TURNING: dict[Language, re.Pattern[str]] = {
    "ja": re.compile(
        r"^(?:ところで|そういえば|それは(?:そうと|さておき)|(?:それとは)?別(?:の(?:話|質問|件)|件)?(?:に(?=[、,\s])|ですが)|話は?変わ(?:りますが|るけど|って))"
        r"[、,\s]*"
    ),
    "en": re.compile(
        r"^(?:by the way|btw|(?:another|next|new|different) (?:question|topic)|on another (?:note|topic))\b[,.:\s-]*"
    ),
}
"""Words with which people leave the topic."""

_HERE_JA = one_of("会社 職場 ビル 建物 オフィス 事業所 工場 システム サイト アプリ チャット 規程集 資料集")
_HERE_EN = one_of("company office building site workplace plant system app chat assistant handbook year month week")
_MAY_BE_EN = one_of(
    "safe legal illegal ok okay fine possible impossible necessary mandatory compulsory obligatory allowed permitted forbidden required "
    "needed acceptable appropriate advisable better best worth hard difficult easy late early common usual normal important enough true "
    "correct right"
)
_LIKE_POINTERS: dict[Language, re.Pattern[str]] = {
    "ja": re.compile(
        r"おそれ|それ(?:ぞれ|ほど)|これ(?:まで|から)|あれ(?:ば|これ)|(?<=で)あれ|(?<=こ)そこ|そこそこ|こちらで"
        rf"|この(?={_HERE_JA})|「[^「」]*」|『[^『』]*』"
    ),
    "en": re.compile(
        rf"\b{one_of('is was will would can could may might must should')} it (?:{one_of('be still also ever really too generally')} )?"
        rf"{_MAY_BE_EN}(?= (?:to|for|that|if|when)\b)|\bhow \w+ (?:is|was) it(?= to\b)"
        rf"|\b{one_of('does did will would')} it (?:{one_of('usually normally really')} )?"
        rf"(?:{one_of('take cost matter help hurt mean need require')}|make sense)"
        rf"(?= (?:\w+ ){{0,2}}{one_of('to for if when which whether how')}\b)"
        rf"|\bthis {_HERE_EN}\b|\bthose {one_of('who with in of working living joining')}\b|\bhis (?:or|and) her\b"
        r"|\bsame-\w+|\babove(?:-\w+| the\b| \S?\d)|\bones?-|-ones?\b|\bsuch as\b"
    ),
}
"""What holds the letters of a pointer and points at nothing said before."""
_SAID_JA = one_of("担当 手続 書類 条件 期限 方法 様式 用紙 申請 金額 扱 考 理由 規則 ルール 日数")
_BEFORE_THAT_EN = one_of(
    "is was are does did do can could will would should may about after before for with of from like than to in by on under if say mean "
    "explain repeat translate summari[sz]e undo put why how"
)
_POINTERS: dict[Language, re.Pattern[str]] = {
    "ja": re.compile(
        r"それ|これ|あれ|そこ|そちら|こちら|(?:^|[、。\s])(?:そう(?=[なでいしすだ])|そ[のん]|こ[のん]|こう|あの)|上記|前述|先ほど|さっき|(?:ほか|他)に[はも]"
        rf"|同(?:じ|様)(?=[ぁ-ん、。?\s]|$|{_SAID_JA})|^(?:と(?:言|い)うことは|つまり|要するに|い[やえ][、,])"
    ),
    "en": re.compile(
        r"\b(?:they|them|their|theirs|those|these|this|he|she|him|her|his|it|its|former|latter|same|above|otherwise|such)\b"
        rf"|(?:^|\b{_BEFORE_THAT_EN} )that\b|\bthat(?=\W*$)|\belse(?=\W*$)|^(?:no\W+)?i mean(?:t)?\b"
        r"|\b(?:the|that|which|first|second|third|last|next|other|another|each|either|\w+er) one\b|\bones\b"
        r"|\b(?:what|how) about\b|\bwhat if\b"
    ),
}
_POINTERS_READ = 2
_POSSESSIVE_EN = frozenset({"their", "his", "her", "its"})
"""They mostly mean somebody named in the same question: "Can an employee take their laptop home?"."""
_CLAUSE_EN = re.compile(r"\b(?:and|or|but|if|when|because|while)\b")
_LONG_WORD = 8
"""Letters of a Japanese word that names its topic exactly: 金融商品取引業者."""

_CONDITION_JA = re.compile(
    r"(?:場合|とき|(?<![日何同0-9])時|なら|だと|たら|れば|[けせてねべめげ]ば|(?<![例いと])えば|ても|でも)[はもで、]{0,3}$"
)
_ASKED_BEFORE_JA = re.compile(r"(?:どう|どこ|どれ|どの|どちら|だれ|誰|いつ|何|なに)(?!か(?!ら))[^、。]{0,8}$")
"""「どうすれば」, 「どこに出せば」, 「勤続何年なら」 break off after a question, not after a condition."""
_CONDITION_CHARACTERS = 20
"""More than what a condition's last words and the question before them span."""
_HELPING_EN = one_of("is are do does did can could may must should will would")
_CONDITION_EN = re.compile(
    rf"^(?:if|unless|even if|because|in case)\b(?!.*(?:\b{one_of('what who where how why which')}\b|, {_HELPING_EN}\b))"
    rf"|^{one_of('for in on at with without during after before from by under over within until since')} "
    rf"(?!.*(?:, |\b(?:{one_of('what who where when how why which')}|{_HELPING_EN})\b))"
)
_CONDITION_CHARACTERS_EN = 60

_ASKED_OF_IT: dict[Language, re.Pattern[str]] = {
    "ja": re.compile(
        r"(?:いつ|どこ|誰|だれ|いくら|何時(?:まで)?|何|なに|とは)(?:ですか|です|でしょうか|なの|なん|だ|か)?[?。\s]*$"
        r"|(?:について|を)(?:教え|知りた|説明)[^、。]{0,12}$"
        r"|(?:ない|ません|ました|た)(?:の|ん)?(?:です|だ)?(?:が|けど)?[、。\s]{1,2}(?:どう|何を)"
        r"|何[^、。?]{1,4}(?:もら|とれ|あ[るり]|でき|かか|くれ)"
    ),
    "en": re.compile(
        r"^(?:who|what|where|when|how (?:much|long)) (?:is|are|was|were) |^how many |^(?:please )?(?:tell me about|explain|describe) "
    ),
}
"""Who, what, where or when it is, and what to do about it: then one word names the topic. How many may be asked of the topic
before."""
_PLAINLY_WHETHER_JA = re.compile(r"[るうくすむぶつぐ](?:の|か|かな)?\?+\s*$")
_WHICH_JA = re.compile(one_of("どう どこ どれ どの 何 いつ 誰 だれ なぜ いくら"))
_KEYWORDS: dict[Language, re.Pattern[str]] = {
    "ja": re.compile(r"[一-龠々ァ-ヶーa-z0-9._ -]+"),
    "en": re.compile(r"[^\W_][\w'.-]*"),
}
"""What is typed into a search box: no particle, no question mark; in English one word."""
_IT_DEPARTMENT = re.compile(r"\bIT(?:'s)?\b")


def leans_on_talk(question: str) -> bool:
    """Whether a question can be understood only with the one before: it points back, breaks off after a condition, or
    hardly says by itself what it is about."""
    language = language_of(question)
    named = question if question.isupper() else _IT_DEPARTMENT.sub("informatics", question)
    rest = _GOING_ON[language].sub("", plain_form(named, language).strip())
    turned = _TURNING[language].match(rest)
    if turned is not None:
        rest = _GOING_ON[language].sub("", rest[turned.end() :])
    if _points_back(rest, language):
        return True
    words = telling_words(with_bare_figures(rest, language), language)
    named_topics = topics(words, language)
    if named_topics and (turned is not None or _KEYWORDS[language].fullmatch(rest)):
        return False
    if not named_topics or _breaks_off(rest, language):
        return True
    is_short = len(words) < _SHORT_WORDS
    return is_short and not _asks_whether(rest, language) and not _ASKED_OF_IT[language].search(rest)


def _points_back(rest: str, language: Language) -> bool:
    """Whether a pointer comes before two words of the question's own; after them it points at these: "The pump shows E-17. What
    does it mean?"."""
    covered = _LIKE_POINTERS[language].sub(lambda found: "*" * len(found[0]), rest)
    for pointer in islice(_POINTERS[language].finditer(covered), _POINTERS_READ):
        before = rest[: pointer.start()]
        words = telling_words(before, language)
        if len(words) >= _SHORT_WORDS:
            return False
        if language == "ja":
            return all(len(word) < _LONG_WORD for word in words)
        is_possessive = pointer[0] in _POSSESSIVE_EN
        if not is_possessive:  # it may mean what a clause before names: "What is the VPN and how do I get it?"
            words = telling_words("".join(_CLAUSE_EN.split(before)[:-1]), language)
        if not topics(words, language) and not (is_possessive and people(words)):
            return True
    return False


def _breaks_off(rest: str, language: Language) -> bool:
    if language == "en":
        return len(rest) <= _CONDITION_CHARACTERS_EN and bool(_CONDITION_EN.match(rest))
    tail = rest.rstrip("?。!… ")[-_CONDITION_CHARACTERS:]
    condition = _CONDITION_JA.search(tail)
    return condition is not None and not _ASKED_BEFORE_JA.search(tail[: condition.start()])


def _asks_whether(rest: str, language: Language) -> bool:
    is_plain = language == "ja" and _PLAINLY_WHETHER_JA.search(rest) and not _WHICH_JA.search(rest)
    return asks_whether(rest) or bool(is_plain)
