"""What a clause says of its own sources: that they are silent, or that whoever writes cannot answer. Pure; knows no passages.

    sentence ─▶ clauses ─┬ cannot_answer  「情報が不足しているため回答できません」, "I cannot tell …"
                         ├ silence        「…は明記されていません」, "… is not mentioned": a refusal, unless the source denies just that
                         └ neither        an answer; so is what is told of a silence: 「記載がない場合は…」, "Requests that do not state …"

A Japanese clause says it at its end, and patterns are held to the end: 「…ない場合」 and 「…ない手当」 go on and say something else. An
English one says it anywhere, but not under a condition, which is taken out first.

Every repetition has a bound or follows a fixed word: an answer of one word again and again is read in a moment.
"""

from __future__ import annotations

import re

from assistant.marks import MARK
from assistant.text import normalise, sentence_spans

_QUOTED = re.compile(r"「[^「」]*」|『[^『』]*』|“[^“”]*”|\"[^\"]*\"")
_BLANKS = re.compile(r"\s+")
_CLAUSE_END = re.compile(
    r"(?:が|けれども?|けど|ものの|ため|ので|から|一方で?)[、,]|(?<=です|ます|せん|した)が|;\s?"
    r"|,?\s(?:but|although|though|whereas|however|so|therefore)\b,?\s?|,?\sand\s(?=(?:the (?:passages|documents)|there|it|i)\b)"
)
_CONCESSION = re.compile(r"^(?:although|though|while)\s([^,]{1,200}),\s")
_CONDITION = re.compile(r"\b(?:if|when|where|unless|until|once|in case|as long as)\b[^,]{0,300}")


def own_words(sentence: str) -> str:
    """The sentence, normalised, without marks and without what it quotes."""
    plain = normalise(_QUOTED.sub("", MARK.sub("", sentence))).replace("’", "'")
    return _BLANKS.sub(" ", plain).strip()


def clauses(sentence: str) -> list[str]:
    """Its own words, cut where one statement ends and another begins: 「…が、…」, "…, but …", "Although …, …"."""
    parts = _CLAUSE_END.split(_CONCESSION.sub(r"\1; ", own_words(sentence)))
    return [clause for part in parts if (clause := part.strip())]


def _any(*patterns: str) -> str:
    return f"(?:{'|'.join(patterns)})"


# Japanese: what is denied, the negation, and what may still follow it in its clause.
_NOT = "(?:ない|なく|ません|らず|ず)"
_END = r"(?:でした|です|ます|だ|である|の|な|もの|よう|こと|ため|ので|から|が|と思われます|と考えられます)*[\W_]*$"
_TOLD = (
    "(?:情報[がはも])?(?:(?:記載|明記|明示|記述|言及|掲載|説明|規定|提供|提示)(?:され|し)|書かれ|書い|載っ|載せられ|触れ(?:られ)?|示され|含まれ|含ん"
    "|定め(?:られ)?|述べ(?:られ)?|明らかに(?:され|なっ))[てで]は?(?:い|おり?|あり?)?"
)
"""A state (「記載されていない」). A rule (「記載しない」, 「記載されません」) is something that a source states."""
_TELLING = "(?:記載|記述|言及|明記|明示|説明|情報|規定|定め|答え|回答|該当)(?:事項|内容|箇所|など)?[がはも]?[、,]?"
_PLACE = r"(?:[^\s。、]{1,15}?(?:に|では|から)は?)?"
_ABSENT = (
    "(?:一切|特に|全く)?(?:ありません|ございません|ない|なく|なし|無し|存在し(?:ません|ない)|見当たり?(?:ません|らない|らず)"
    "|見つか(?:りません|らない|らず|っていません)|(?:見受け|得)られ(?:ません|ない))"
)
_KNOWN = _any(
    "(?:確認|判断|特定|回答|お?答え|判別|断定|把握|推測|案内|読み取り?)(?:する)?(?:こと)?[がはも]?(?:でき|出来|いたし|致し|し)(?:ません|ない|ず|かね(?:ます|る))",
    "(?:読み取れ|読み取ることができ|答えられ)(?:ません|ない|ず)",
    "[分わ]か(?:りません|らない|らず)",
    "(?:定か|明らか)では?(?:ない|ありません)",
)
_SCARCE = "情報[がはの]?(?:不足|足り(?:ません|ない|ず)|不十分|十分では?(?:ない|ありません|なく))(?:して(?:いる|います|おり(?:ます)?))?"
_SILENT_JA = re.compile(
    _any(
        _TOLD + _NOT,
        _TELLING + _PLACE + _ABSENT,
        "抜粋[^。]{0,80}?[はが]" + _ABSENT,
        _KNOWN,
        _SCARCE,
        "不明確?|未記載|未掲載|(?:回答|判断)不[能可]",
    )
    + _END
)
_CANNOT_ANSWER_JA = re.compile(
    rf"{_SCARCE}[^。場時と]{{0,12}}?(?:ので|から|が|ため|おり|いて|く)[、,\s]*[^。]{{0,80}}?{_KNOWN}{_END}"
)

# English: who tells, that it does not, and what is not told.
_MATERIAL = (
    "(?:passages?|excerpts?|documents?|sources?|texts?|context|information|polic(?:y|ies)|manuals?|handbooks?|guidelines?|guides?|rules?"
    "|articles?|sections?|answers?|materials?)"
)
_SAY = (
    "(?:mention|say|state|specify|discuss|address|answer|tell|describe|explain|indicate|clarify|define|detail|name)s?"
)
_HOLD = "(?:contain|include|provide|give|cover|list|show|offer|set out)s?"
_SAID = (
    "(?:mentioned|said|stated|specified|discussed|addressed|answered|described|explained|indicated|clarified|defined|detailed|named"
    "|included|provided|given|covered|listed|shown|found|available|clear|known|contained)"
)
_DOES_NOT = r"(?<!that )(?<!which )(?<!who )\b(?:(?:do|does|did)(?: not|n't)\s(?:\w+\s){0,2}?|fails?\sto\s)"
_HERE = rf"(?=\s?[.!)]*$|,|\s(?:explicitly|anywhere|there|here|whether|what|how|who|why|which)\b|\s(?:in|by|from|within)\s(?:\w+\s){{0,4}}?{_MATERIAL}\b)"
"""After "is not given": the end, or whose silence it is; "is not given to third parties" says something else."""
_FACTS = "(?:information|mention|details?|indications?|reference)"
_KNOW = (
    "(?:answer|determine|tell|say|find|see|provide|give|confirm|verify|identify|infer|establish|locate|know|specify)"
)
_CANNOT = r"(?:can ?not|can't|could not|couldn't|unable to|not able to)\s(?:\w+\s){0,2}?"
_SILENT_EN = re.compile(
    _any(
        rf"\b{_MATERIAL}\b[^.]{{0,60}}?{_DOES_NOT}(?:{_SAY}|{_HOLD})\b",
        rf"\b{_MATERIAL}\b[^.]{{0,60}}?\b(?:{_HOLD}\s(?:no|nothing|insufficient)|lacks?|(?:is|are) silent)\b",
        rf"\b(?:no|nothing|none|neither)\s(?:\w+\s){{0,4}}?{_MATERIAL}\s(?:\w+\s){{0,2}}?(?:{_SAY}|{_HOLD})\b",
        rf"(?:^|\b(?:it|they|this)\s){_DOES_NOT}{_SAY}\b",
        rf"{_DOES_NOT}(?:mention|specify)\b",
        rf"\b(?:is|are|was|were)(?: not|n't)\s(?:\w+\s){{0,2}}?{_SAID}{_HERE}",
        r"\b(?:is|are|remains?)\s(?:unknown|unclear|unspecified)\b",
        rf"(?:\b(?:no|insufficient)|(?:\bnot|n't) (?:any|enough))\s(?:\w+\s){{0,2}}?{_FACTS}\b",
        r"\b(?:can ?not|can't|could not|not possible to|we (?:are )?unable to)\s(?:be\s)?(?:\w+ly\s)?"
        r"(?:answer|determine|tell|found|inferr?|confirm|establish)e?d?\b",
        rf"^\W*(?:{_CANNOT}{_KNOW}\b|(?:n/a|unknown|unclear|unspecified|not\s{_SAID}){_HERE})",
    )
)
_CANNOT_ANSWER_EN = re.compile(
    _any(
        rf"\bi(?:'m| am| was|)\s{_CANNOT}{_KNOW}\b",
        r"\bi (?:do not|don't|did not|didn't) (?:know|see|find|have (?:\w+\s){0,2}?information)\b",
        rf"\bi (?:have|found|see) no (?:\w+\s){{0,2}}?{_FACTS}\b",
    )
)


def cannot_answer(clause: str) -> bool:
    """Whether whoever writes the clause says that he cannot answer."""
    return bool(_CANNOT_ANSWER_JA.search(clause) or _CANNOT_ANSWER_EN.search(clause))


def silence(clause: str) -> str:
    """The words of the clause which say that something is not written or not known; "" for none. A source may say just that."""
    found = _SILENT_JA.search(clause) or _SILENT_EN.search(_CONDITION.sub("", clause).strip())
    return found[0] if found else ""


_OWN_MATERIAL = re.compile(
    r"抜粋|(?:提供|提示|与え)[^。、]{0,6}?た(?:情報|文書|資料)|\b(?:passages?|excerpts?|(?:provided|given) (?:text|context|documents?))\b"
)


def names_passages(text: str) -> bool:
    """Whether the text speaks of what a model was given to read, which hardly a document does."""
    return bool(_OWN_MATERIAL.search(text))


_DENIAL = re.compile(
    r"ない|なく|ません|な[しき]|(?<![必まいわ])ず(?=[、。に]|$)|不[可要明]|禁|未[定記登]|対象外|除[くき外]|以外|空欄"
    r"|\b(?:not|no|none|never|neither|nor|nothing|without|unless|lack\w*|silent|free of|exclud\w*|except|cannot|insufficient"
    r"|un(?:known|clear|specified|able))\b|n't\b"
)
_DENIES_NOTHING = re.compile(
    r"(?:なければ|なくては|ねば)な(?:らない|りません|らず)|少な[いく]|だけでなく|(?:no|not) (?:later|more|less|earlier) than|not only|\bno\. ?\d"
)


def denials(text: str) -> list[str]:
    """The sentences of a source that deny something, in their own words: 「含めない」, "lacking", but not 「しなければならない」."""
    sentences = [own_words(text[start:end]) for start, end in sentence_spans(text)]
    return [sentence for sentence in sentences if _DENIAL.search(_DENIES_NOTHING.sub("", sentence))]


_KINDS = tuple(
    re.compile(rf"{japanese}|\b(?:{english})")
    for japanese, english in (
        ("不明|[分わ]か|判断|特定|確認|読み取|推測|把握|定か|明らか|未定", "unknown|unclear|know|clear|determin|tell"),
        (
            "情報|データ|[記載]|言及|明示|説明|書[かい]|触れ|述べ|示[さす]|含|添付|付属|提供|空欄",
            "information|data|details?|mention|sa(?:y|id)|stat(?:e|ing)|specif|discuss|address|descri|explain|indicat|silent|show|record|writ"
            "|contain|includ|cover|provid|giv|offer",
        ),
        ("規定|定め|設け", "rule|defin|set"),
        ("回答|答[えら]|応じ|案内|受け付け", "answer|repl(?:y|ies)|respon[ds]"),
    )
)
"""Knowing, telling, ruling, answering."""


def is_of_kind(clause: str, denial: str) -> bool:
    """Whether a source's denial is of the kind that the clause is silent about: who forbids food in the canteen denies nothing
    about what is known of it. A clause that cannot answer is met only by one that cannot either."""
    if cannot_answer(clause):
        return cannot_answer(denial)
    words = silence(clause)
    kinds = [kind for kind in _KINDS if kind.search(words)]
    return not kinds or any(kind.search(denial) for kind in kinds)
