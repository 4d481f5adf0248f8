"""What was seen when so many asked at once, and what it means: how many people the machine bears, and what would help. Pure.

    Sample (one question) -> Step (so many users) -> Findings (knee, people at the target, what to do)

Every user asks the next question as soon as the last answer has ended, so n users here load the machine more than n people
at their desks do: figures for people are on the safe side. Verdicts are measured, never a rule about a number of users.
This room must not know HTTP or how a report is written.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from assistant.errors import Text

End = Literal["answered", "quotes", "turned_away", "failed"]

TARGET_SECONDS: Final = 5.0
"""To the first token, p95: what people were promised, and more than they wait for without looking away."""
_GROWTH: Final = 1.1
"""A step that brings less than a tenth more is no gain: that much two runs of one step differ by."""
_ERRORS_SHARE: Final = 0.05
_MOSTLY: Final = 0.5


@dataclass(frozen=True)
class Sample:
    """One question as its asker saw it; seconds. `pieces` of text, each about a token, came in `writing_seconds`.

    `wait_seconds` is what the API says it waited for its turn at the model. A `quotes` answer had no model.
    """

    end: End
    total_seconds: float
    first_token_seconds: float | None = None
    wait_seconds: float = 0.0
    pieces: int = 0
    writing_seconds: float = 0.0
    code: str = ""


@dataclass(frozen=True)
class Step:
    """`users` asking all the time for `seconds`."""

    users: int
    seconds: float
    samples: tuple[Sample, ...]

    def count(self, end: End) -> int:
        """Questions that ended so."""
        return sum(sample.end == end for sample in self.samples)

    @property
    def is_troubled(self) -> bool:
        """More than one in twenty got no generated answer."""
        return self.count("answered") < (1 - _ERRORS_SHARE) * len(self.samples)

    def first_token_seconds(self, share: float) -> float | None:
        """The wait for the first token that this share of answers stayed within; None without any answer."""
        return quantile([s.first_token_seconds for s in self._answered() if s.first_token_seconds is not None], share)

    def wait_seconds(self, share: float) -> float | None:
        """The same of the wait for a turn at the model."""
        return quantile([sample.wait_seconds for sample in self._answered()], share)

    def total_seconds(self, share: float) -> float | None:
        """The same of whole answers."""
        return quantile([sample.total_seconds for sample in self._answered()], share)

    @property
    def tokens_per_second_each(self) -> float | None:
        """How fast an answer is written, median of the answers."""
        paces = [s.pieces / s.writing_seconds for s in self._answered() if s.writing_seconds > 0]
        return quantile(paces, 0.5)

    @property
    def tokens_per_second(self) -> float:
        """What all answers together were written with, pauses and waits included."""
        return sum(sample.pieces for sample in self._answered()) / self.seconds if self.seconds else 0.0

    @property
    def answers_per_minute(self) -> float:
        """Generated answers."""
        return 60 * self.count("answered") / self.seconds if self.seconds else 0.0

    def _answered(self) -> list[Sample]:
        return [sample for sample in self.samples if sample.end == "answered"]


def quantile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that this share of all is at most (nearest rank); None for no values."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)] if values else None


class Advice(StrEnum):
    """What would let more people in. MOVE: to a server that batches, as vLLM."""

    STAY = "stay"
    MEASURE_MORE = "measure_more"
    MEND = "mend"
    ELSEWHERE = "elsewhere"
    RAISE_PARALLEL = "raise_parallel"
    MOVE = "move"


@dataclass(frozen=True)
class Findings:
    """`people` were served at the target; `people_about` lies between the steps. `knee_users`: from there on no more
    answers come, they only come later; None when every step brought more. `reason` says what was seen."""

    target_seconds: float
    people: int
    people_about: int
    knee_users: int | None
    most_answers_per_minute: float
    advice: Advice
    reason: Text


def findings(
    steps: Sequence[Step], *, target_seconds: float, wanted: int, parallel: int, former: Sequence[Step] = ()
) -> Findings:
    """What the steps say. `wanted` people are to be served, `parallel` is what the model server answers at once now, and
    `former` are the steps of a run with another setting or another server, if there is one."""
    knee = _knee(steps)
    people, about = _people(steps, target_seconds)
    most = max((step.answers_per_minute for step in steps), default=0.0)
    advice, reason = _advice(
        steps, people=people, about=about, target=target_seconds, wanted=wanted, parallel=parallel, knee=knee,
        former=former,
    )  # fmt: skip
    return Findings(target_seconds, people, about, knee, most, advice, reason)


def _knee(steps: Sequence[Step]) -> int | None:
    """The step after which no later one brings a tenth more answers."""
    for place, step in enumerate(steps[:-1]):
        if all(later.answers_per_minute < _GROWTH * step.answers_per_minute for later in steps[place + 1 :]):
            return step.users
    return None


def _people(steps: Sequence[Step], target: float) -> tuple[int, int]:
    """The largest step within the target, all smaller ones being so too; and the straight line to the next one."""
    good = 0
    for place, step in enumerate(steps):
        seen = step.first_token_seconds(0.95)
        if seen is None or seen > target or step.is_troubled:
            before = steps[place - 1].first_token_seconds(0.95) if place else None
            if before is None or seen is None or step.is_troubled or seen <= before:
                return good, good
            share = (target - before) / (seen - before)
            return good, good + int(share * (step.users - good))
        good = step.users
    return good, good


def _advice(
    steps: Sequence[Step],
    *,
    people: int,
    about: int,
    target: float,
    wanted: int,
    parallel: int,
    knee: int | None,
    former: Sequence[Step],
) -> tuple[Advice, Text]:
    if about >= wanted:
        return Advice.STAY, Text(
            ja=f"{wanted} 人は今のままで足ります(p95 {target:g} 秒以内で {about} 人)。移す理由はありません。",
            en=f"{wanted} people are served as it is ({about} within {target:g} s at p95). Nothing calls for a move.",
        )
    failing = next((step for step in steps if step.users > people), None)
    if failing is None:
        return Advice.MEASURE_MORE, Text(
            ja=f"{people} 人までしか測っていません。`--steps` を増やして {wanted} 人まで測ってください。",
            en=f"Only {people} people were measured. Measure up to {wanted} with more `--steps`.",
        )
    if failing.is_troubled:
        lost = len(failing.samples) - failing.count("answered")
        return Advice.MEND, Text(
            ja=f"{failing.users} 人で {len(failing.samples)} 問中 {lost} 問が回答になりませんでした。"
            "先に原因(下の表とログ、待ち行列の上限 ASSISTANT_QUEUE_LIMIT)を直してください。",
            en=f"With {failing.users} people {lost} of {len(failing.samples)} questions got no answer of the model. Mend that "
            "first: the table below, the logs, and the length of the line (ASSISTANT_QUEUE_LIMIT).",
        )
    return _advice_of_the_model(failing, steps, parallel=parallel, wanted=wanted, knee=knee, former=former)


def _advice_of_the_model(
    failing: Step, steps: Sequence[Step], *, parallel: int, wanted: int, knee: int | None, former: Sequence[Step]
) -> tuple[Advice, Text]:
    first, waited = failing.first_token_seconds(0.95) or 0.0, failing.wait_seconds(0.95) or 0.0
    if waited < _MOSTLY * first:
        return Advice.ELSEWHERE, Text(
            ja=f"{failing.users} 人での p95 {first:.1f} 秒のうち、順番待ちは {waited:.1f} 秒だけです。残りは検索と質問文の読み込みで、"
            "サーバーを替えても縮みません。プロンプトを短くするか(`assistant capacity advise`)、小さいモデルか速い GPU にしてください。",
            en=f"Of {first:.1f} s (p95, {failing.users} people) only {waited:.1f} s are waiting for a turn. The rest is search and "
            "reading the prompt, which another server does no sooner: a shorter prompt (`assistant capacity advise`), a smaller "
            "model or a faster GPU would.",
        )
    if former:
        return _compared(steps, former, wanted=wanted)
    if parallel < min(wanted, failing.users):
        return Advice.RAISE_PARALLEL, Text(
            ja=f"待ちの大半は順番待ちです(同時 {parallel})。OLLAMA_NUM_PARALLEL と ASSISTANT_MODEL_PARALLEL を上げられるか "
            "`assistant capacity plan` で確かめ、`--against 今回.json` を付けてもう一度測ってください。全体のトークン/秒が"
            "増えなければ、vLLM への移行に意味があります。",
            en=f"Most of the wait is for a turn ({parallel} at once). See with `assistant capacity plan` whether OLLAMA_NUM_PARALLEL "
            "and ASSISTANT_MODEL_PARALLEL can be raised, and measure again with `--against` this run. If tokens/s of all do not "
            "grow then, moving to vLLM pays.",
        )
    return Advice.MOVE, Text(
        ja=f"同時 {parallel} でも、{knee or failing.users} 人から先は回答が増えず、待ちだけが延びます。"
        "まとめて計算するサーバー(vLLM)に移す価値があります。移したら同じ測り方で確かめてください。",
        en=f"Even with {parallel} at once no more answers come beyond {knee or failing.users} people, they only come later. A server "
        "that batches (vLLM) is worth a move; measure it in the same way.",
    )


def _compared(steps: Sequence[Step], former: Sequence[Step], *, wanted: int) -> tuple[Advice, Text]:
    """Two runs, by the most tokens a second that each wrote."""
    now = max((step.tokens_per_second for step in steps), default=0.0)
    then = max((step.tokens_per_second for step in former), default=0.0)
    figures = Text(ja=f"全体で {then:.1f} → {now:.1f} トークン/秒", en=f"{then:.1f} → {now:.1f} tokens/s in all")
    if now < _GROWTH * then:
        return Advice.MOVE, Text(
            ja=f"変更しても全体の速さは増えていません({figures.ja})。このサーバーは {wanted} 人に届かないので、vLLM に移す価値があります。",
            en=f"The change brought no more ({figures.en}). This server does not reach {wanted} people, so moving to vLLM pays.",
        )
    return Advice.RAISE_PARALLEL, Text(
        ja=f"変更で速くなりました({figures.ja})。メモリが許すかぎり同じ向きに進め、もう一度測ってください。",
        en=f"The change brought more ({figures.en}). Go on in that direction while memory allows, and measure again.",
    )


def has_had_enough(steps: Sequence[Step], *, target_seconds: float) -> bool:
    """Whether a larger step would only torment the machine: every second question lost, or six times the target."""
    if not steps:
        return False
    seen = steps[-1].first_token_seconds(0.95)
    return seen is None or seen > 6 * target_seconds or steps[-1].count("answered") < _MOSTLY * len(steps[-1].samples)
