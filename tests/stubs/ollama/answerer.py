"""The "model": reads a prompt and answers from the passages in it, the same way every time. Knows no HTTP.

What it reads, in the last user turn:

* passages: blocks from a line ``<passage number="N" …>`` to ``</passage>``, or lines ``[N] text``;
* the question: after the last line that begins with ``質問:`` or ``Question:``;
* the language of the answer: the last line outside passages with 「日本語」 or "English" in it, else the question's.

What it says: the sentence of the passages that shares most with the question, and `` [N]``; the fixed refusal when
that is too little; the question itself where there is one but no passage (as a rewriting step expects); without both, a
short echo. A system message that asks for "the single word X" gets X; one that asks for a long text gets one.
"""

from __future__ import annotations

import itertools
import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

REFUSAL_JA = "情報が不足しているため回答できません"
REFUSAL_EN = "I cannot answer because the documents do not contain enough information."
LONG_SENTENCE = "{}番目の段落では、同じ主題を別の面から述べます。"
ECHO_END = "を受け取りました。参照できる文書が渡されていないため、内容についてはお答えできません。"
LEAST_SHARE = 0.34
"""Part of the question's features that the best sentence and its passage must have, else refusal."""
LEAST_SENTENCE_SHARE = 0.15
PASSAGE_SHARE_WEIGHT = 0.4
LONG_ANSWER_SENTENCES = 400

PASSAGE_BLOCK = re.compile(
    r"""<passage\b((?:"[^"]*"|'[^']*'|[^>"'])*)>(.*?)(?:</passage>|\Z)""",
    re.DOTALL,
)
PASSAGE_NUMBER = re.compile(r"""\bnumber\s*=\s*["']?(\d+)""")
PASSAGE_LINE = re.compile(r"^\[(\d+)\][ 　]*(.+)$", re.MULTILINE)
QUESTION = re.compile(r"^[ 　#*]*(?:質問|Question)[ 　]*[:：][ 　]*(.*)$", re.MULTILINE | re.IGNORECASE)
TURN_HEAD = re.compile(r"<\|im_start\|>(\w+)\n|<\|start_header_id\|>(\w+)<\|end_header_id\|>\n\n")
TURN_END = re.compile(r"<\|im_end\|>|<\|eot_id\|>")
SINGLE_WORD = re.compile(r"single word (\w+)")
ASKS_LONG = re.compile(r"長く|詳細に|\bat length\b|\blong text\b")
SENTENCE_END = re.compile(r"(?<=[。！？!?])(?![」）)』\]])|(?<=[a-z0-9)\"]\.)\s+|\n+")
JAPANESE = re.compile(r"[ぁ-ゖァ-ヺ一-龥々]")
CJK_RUN = re.compile(r"[ぁ-ゖァ-ヺー一-龥々]+")
LATIN_WORD = re.compile(r"[a-z0-9]+")
HIRAGANA = re.compile(r"[ぁ-ゖ]")
STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be by can do does for from have how i if in is it may me my must not of on or our shall "
        "should so that the their them there they this to was we what when where which who will with would you your",
    )
)


@dataclass(frozen=True)
class Passage:
    """One numbered block of the prompt."""

    number: int
    text: str


def answer(prompt: str, *, answer_format: Any = None) -> str:
    """What the model says to the rendered prompt; with a format ("json" or a JSON Schema), a document of it."""
    if answer_format:
        return json_instance(answer_format)
    system, user = _turns(prompt)
    word = SINGLE_WORD.search(system)
    if word:
        return word[1]
    passages, question = found_passages(user), _question(user)
    if passages and question:
        best = best_sentence(question, passages)
        return best if best else _refusal(user, question)
    if question:
        return question
    if ASKS_LONG.search(user):
        return "".join(LONG_SENTENCE.format(number) for number in range(1, LONG_ANSWER_SENTENCES))
    return f"「{user.strip()[:40]}」{ECHO_END}"


def found_passages(user: str) -> list[Passage]:
    """The numbered passages of a user turn, in order."""
    numbered = [(PASSAGE_NUMBER.search(head), text) for head, text in PASSAGE_BLOCK.findall(user)]
    blocks = [Passage(int(number[1]), text.strip()) for number, text in numbered if number]
    return blocks or [Passage(int(number), text) for number, text in PASSAGE_LINE.findall(user)]


def best_sentence(question: str, passages: list[Passage]) -> str | None:
    """The sentence that shares most with the question, with its mark; None where the best shares too little."""
    asked = features(question)
    whole = sum(asked.values())
    if not whole:
        return None
    best, best_share = None, LEAST_SHARE
    for passage in passages:
        around = _shared(asked, features(passage.text)) / whole
        for sentence in _sentences(passage.text):
            inside = _shared(asked, features(sentence)) / whole
            share = inside + PASSAGE_SHARE_WEIGHT * (around - inside)
            if inside >= LEAST_SENTENCE_SHARE and share > best_share:
                best, best_share = f"{sentence} [{passage.number}]", share
    return best


def features(text: str) -> dict[str, float]:
    """What a text is about: pairs of Japanese characters (kana pairs count little) and Latin words, with weights."""
    plain = unicodedata.normalize("NFKC", text).lower()
    found: dict[str, float] = {}
    for run in CJK_RUN.findall(plain):
        for first, second in itertools.pairwise(run):
            kana = len(HIRAGANA.findall(first + second))
            found[first + second] = (1.0, 0.3, 0.05)[kana]
    for word in LATIN_WORD.findall(plain):
        if word not in STOP_WORDS:
            found[word[:6]] = 1.0
    return found


def json_instance(schema: Any) -> str:
    """The smallest document of a JSON Schema, or of "json"."""
    return json.dumps(_instance(schema if isinstance(schema, dict) else {"type": "object"}), ensure_ascii=False)


def _instance(schema: dict[str, Any]) -> Any:
    if "const" in schema:
        return schema["const"]
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type", "object" if "properties" in schema else "string")
    if isinstance(kind, list):
        kind = kind[0]
    if kind == "object":
        return {name: _instance(each) for name, each in (schema.get("properties") or {}).items()}
    if kind == "array":
        return [_instance(schema.get("items") or {}) for _ in range(int(schema.get("minItems", 0)))]
    simple: dict[str, Any] = {"boolean": False, "integer": 0, "number": 0, "null": None}
    return simple.get(kind, "text")


def _turns(prompt: str) -> tuple[str, str]:
    """All that the system said, and the last user turn; a prompt whose user turn was cut is the user's."""
    heads = list(TURN_HEAD.finditer(prompt))
    if not heads:
        return "", prompt
    ends = [*(head.start() for head in heads[1:]), len(prompt)]
    said: dict[str, list[str]] = {}
    for head, end in zip(heads, ends, strict=True):
        said.setdefault(head[1] or head[2], []).append(TURN_END.sub("", prompt[head.end() : end]))
    users = said.get("user") or [TURN_END.sub("", TURN_HEAD.sub("", prompt))]
    return "\n\n".join(said.get("system", [])), users[-1]


def _question(user: str) -> str:
    outside = PASSAGE_BLOCK.sub("", user)
    matches = list(QUESTION.finditer(outside))
    if not matches:
        return ""
    same_line = matches[-1][1].strip()
    return same_line or next((line.strip() for line in outside[matches[-1].end() :].splitlines() if line.strip()), "")


def _refusal(user: str, question: str) -> str:
    for line in reversed(PASSAGE_BLOCK.sub("", user).splitlines()):
        is_japanese, is_english = "日本語" in line, "English" in line
        if is_japanese != is_english and question not in line:
            return REFUSAL_JA if is_japanese else REFUSAL_EN
    return REFUSAL_JA if JAPANESE.search(question) else REFUSAL_EN


def _sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in SENTENCE_END.split(text) if len(sentence.strip()) > 1]


def _shared(asked: dict[str, float], present: dict[str, float]) -> float:
    return sum(weight for feature, weight in asked.items() if feature in present)
