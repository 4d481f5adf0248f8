"""Three questions that every release must answer well before people are sent to it. Pure.

They bring their own passages, so they need no index and say the same on every machine: a fact in Japanese and one in
English must be said and cited, and a question that the passage does not answer must be refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from assistant.domain import Passage
from assistant.errors import Language, Text
from assistant.pack import stable_prefix
from assistant.refusal import refuses
from assistant.releases import Tried
from assistant.text import normalise

ANSWER_TOKENS = 96
"""Twice what the longest right answer takes of a Japanese vocabulary; a model that goes on and on has failed."""
_MARK = re.compile(r"[\[［【]\s*1\s*[\]］】]")
_QUESTION: dict[Language, str] = {"ja": "質問:", "en": "Question:"}
_SAYS_NOT = re.compile(
    r"(?:不足|記載|書かれて|分か|わか|情報|回答でき|答えられ)[^。]{0,20}(?:ません|ない|できません)"
    r"|\b(?:cannot|can't|not|no)\b[^.]{0,60}\b(?:answer|contain|mention|state|specif|provide|information|enough)"
)


@dataclass(frozen=True)
class Probe:
    """A question, the passage that goes with it, and what a right answer holds; None: it must be refused."""

    name: str
    language: Language
    title: str
    passage: str
    question: str
    says: str | None

    @property
    def prompt(self) -> str:
        """The prompt as the product words it."""
        prefix = stable_prefix((_passage(self.title, self.passage),), self.language)
        return f"{prefix}\n\n{_QUESTION[self.language]} {self.question}"

    def problem(self, tried: Tried) -> Text | None:
        """What is wrong with the answer; None when it is right."""
        said = tried.text.strip()
        shown = said[:80] or "(empty)"
        if not tried.is_whole:
            return Text(ja=f"回答が終わりません: {shown}", en=f"the answer does not end: {shown}")
        if self.says is None:
            if refuses(said) or _SAYS_NOT.search(normalise(said)):
                return None
            return Text(ja=f"答えのない質問に答えました: {shown}", en=f"it answered what no passage says: {shown}")
        if self.says not in normalise(said).replace(",", ""):
            return Text(ja=f"抜粋の事実を言いません: {shown}", en=f"it does not say what the passage says: {shown}")
        return None

    def cites(self, tried: Tried) -> bool:
        """Whether the answer names its passage."""
        return self.says is None or bool(_MARK.search(tried.text))


PROBES = (
    Probe(
        "fact_ja", "ja", "備品貸出規程", "会議室用のプロジェクターは、総務部で一回につき 14 日間まで借りられます。",
        "プロジェクターは何日間借りられますか?", "14",
    ),
    Probe(
        "fact_en", "en", "Parking rules", "The monthly fee for a parking space at the Osaka office is 8,500 yen.",
        "How much is the monthly fee for a parking space at the Osaka office?", "8500",
    ),
    Probe(
        "refusal_ja", "ja", "清掃当番", "三階の給湯室は、毎週金曜日の夕方に当番が清掃します。",
        "海外出張の日当はいくらですか?", None,
    ),
)  # fmt: skip
"""The third is the one that a changed SYSTEM breaks most easily."""


def _passage(title: str, text: str) -> Passage:
    return Passage(
        chunk_id="probe",
        document_id="probe",
        version_id="probe",
        ordinal=0,
        title=title,
        folder="",
        path="",
        page=None,
        heading_path=(),
        text=text,
        start=0,
        end=len(text),
        rank=1,
        score=1.0,
    )
