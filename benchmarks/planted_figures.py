"""Answers whose figures are right, the same answers spelled otherwise, and the same with one figure changed. Seeded.

Three sources: the golden questions on `examples/` (the sentence that says what must be said), right choices of lawqa_jp
with their statutes, and people's answers of ClapNQ with their articles. Sets that are not on this machine are left out.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from assistant.domain import Passage
from assistant.figures import Figure, figures_of, source_keys
from assistant.marks import MARK
from assistant.text import normalise, sentence_spans
from ingest.chunk import make_chunks
from ingest.parsers import ParseLimits, parse_file
from tests.ingest.reading import SHARED_DATA
from tests.journeys.deployment import ROOT

SEED = 20261127
_DIGIT_RUN = re.compile(r"[0-9０-９]+")
_FULL_WIDTH = str.maketrans("0123456789,", "０１２３４５６７８９，")
_KANJI = "〇一二三四五六七八九"


@dataclass(frozen=True)
class SourcedAnswer:
    """An answer that cites passage 1, and the passages that it was offered."""

    origin: str
    text: str
    question: str
    passages: tuple[Passage, ...]


def sourced_answers() -> list[SourcedAnswer]:
    """Every right answer that holds at least one figure which its sources say."""
    made = [*_golden(), *_lawqa(), *_clapnq()]
    return [answer for answer in made if changeable(answer)]


def changeable(answer: SourcedAnswer) -> list[Figure]:
    """The figures of the answer that hold digits and that the sources say."""
    known = source_keys(f"{p.title}\n{' '.join(p.heading_path)}\n{p.text}" for p in answer.passages[:1])
    unmarked = MARK.sub(lambda mark: " " * len(mark[0]), answer.text)
    return [figure for figure in figures_of(unmarked) if _DIGIT_RUN.search(figure.text) and figure.keys & known]


def planted(answers: list[SourcedAnswer], *, count: int) -> Iterator[tuple[SourcedAnswer, str]]:
    """`count` answers with one figure changed, and the changed figure; the three sources take turns."""
    dice = random.Random(SEED)
    by_origin: dict[str, list[SourcedAnswer]] = {}
    for answer in answers:
        by_origin.setdefault(answer.origin, []).append(answer)
    queues = [dice.sample(group, len(group)) for group in by_origin.values()]
    made = 0
    while made < count:
        for queue in queues:
            answer = queue.pop()
            changed = _changed(answer, dice.choice(changeable(answer)), dice)
            if changed is not None and made < count:
                yield changed
                made += 1


def respelled(answer: SourcedAnswer, dice: random.Random) -> SourcedAnswer:
    """The answer with its figures in another spelling of the same value: full width, kanji, without separators."""
    text = answer.text
    for figure in reversed(changeable(answer)):
        spelled = _spelled(figure.text, dice)
        if {k for f in figures_of(spelled) for k in f.keys} & figure.keys:
            text = text[: figure.start] + spelled + text[figure.end :]
    return replace(answer, text=text)


def _spelled(figure: str, dice: random.Random) -> str:
    ways = [figure.translate(_FULL_WIDTH), figure.replace(",", "")]
    if re.fullmatch(r"\d(?:営業日|日|か月|年|人|回|時間|週間|円)", figure):
        ways.append(_KANJI[int(figure[0])] + figure[1:])
    if (era := re.match(r"(20[2-9]\d)年", figure)) and int(era[1]) > 2019:
        ways.append(f"令和{int(era[1]) - 2018}年" + figure[era.end() :])
    if (era := re.match(r"令和(\d+)年", figure)) is not None:
        ways.append(f"{2018 + int(era[1])}年" + figure[era.end() :])
    if (yen := re.fullmatch(r"(\d+),000円", figure)) is not None:
        ways.append(f"{yen[1]}千円" if int(yen[1]) < 10 else figure)
    if (yen := re.fullmatch(r"(\d+)0,000円", figure)) is not None:
        ways.append(f"{yen[1]}万円")
    return dice.choice(ways)


def _changed(answer: SourcedAnswer, figure: Figure, dice: random.Random) -> tuple[SourcedAnswer, str] | None:
    runs = list(_DIGIT_RUN.finditer(figure.text))
    for _ in range(100):
        run = dice.choice(runs)
        value = int(normalise(run[0]))
        other = dice.choice([value + 1, max(0, value - 1), value + dice.randint(2, 9), value * 10, value * 2])
        changed = figure.text[: run.start()] + f"{other:0{len(run[0])}d}" + figure.text[run.end() :]
        keys = {key for found in figures_of(changed) for key in found.keys}
        if other != value and keys and not keys & figure.keys:
            text = answer.text[: figure.start] + changed + answer.text[figure.end :]
            return replace(answer, text=text), changed
    return None  # alone, the changed figure cannot be read


def _golden() -> Iterator[SourcedAnswer]:
    for asked in yaml.safe_load((ROOT / "modelfiles/golden/examples.yaml").read_text(encoding="utf-8")):
        wanted = [normalise(words) for words in asked["must_say"]]
        for name in asked["expected_paths"]:
            if "スキャン" in name:
                continue  # text recognition is not what is measured
            chunks = _chunks(name)
            place = next((i for i, c in enumerate(chunks) if all(w in normalise(c.text) for w in wanted)), None)
            if place is None:
                continue
            best = chunks[place]
            spans = [best.text[a:b] for a, b in sentence_spans(best.text)]
            said = [sentence for sentence in spans if any(words in normalise(sentence) for words in wanted)]
            others = [chunk for i, chunk in enumerate(chunks) if i != place][:5]
            text = " ".join(f"{sentence.rstrip('。.')} [1]。" for sentence in said[:2])
            yield SourcedAnswer("golden", text, asked["question"], (best, *others))
            break


def _chunks(name: str) -> list[Passage]:
    parsed = parse_file(ROOT / "examples" / name, relative_path=name, limits=ParseLimits())
    return [
        _passage(chunk.text, title=parsed.title, heading_path=chunk.heading_path, number=n)
        for n, chunk in enumerate(make_chunks(parsed, path=name), start=1)
    ]


def _lawqa() -> Iterator[SourcedAnswer]:
    for row in _rows(SHARED_DATA / "lawqa_jp/selection.json", key="samples"):
        choices = dict(re.findall(r"^([a-d])[ \s](.+)$", row["選択肢"], flags=re.MULTILINE))
        if row["output"] in choices:
            passage = _passage(row["コンテキスト"], title=row["ファイル名"])
            yield SourcedAnswer("lawqa_jp", f"{choices[row['output']].rstrip('。')} [1]。", row["問題文"], (passage,))


def _clapnq() -> Iterator[SourcedAnswer]:
    for row in _rows(SHARED_DATA / "clapnq/clapnq_dev_answerable.jsonl"):
        passage = _passage("\n".join(p["text"] for p in row["passages"]), title=row["passages"][0]["title"])
        yield SourcedAnswer("clapnq", row["output"][0]["answer"].strip(), row["input"], (passage,))


def _rows(path: Path, *, key: str = "") -> list[dict[str, Any]]:
    if not path.exists():
        return []
    text = path.read_text(encoding="utf-8")
    return list(json.loads(text)[key]) if key else [json.loads(line) for line in text.splitlines() if line.strip()]


def _passage(text: str, *, title: str, heading_path: tuple[str, ...] = (), number: int = 1) -> Passage:
    return Passage(
        chunk_id=f"c{number}", document_id=f"d{number}", version_id="v", ordinal=number, title=title, folder="f",
        path=title, page=None, heading_path=heading_path, text=text, start=0, end=len(text), rank=number, score=1.0,
    )  # fmt: skip
