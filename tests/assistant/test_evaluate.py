from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assistant.domain import (
    Answer,
    AnswerMode,
    Citation,
    ContextUse,
    Event,
    Failed,
    Finished,
    Passage,
    Question,
    SearchResult,
    Timings,
)
from assistant.errors import EvaluationFailed, ModelTimeout, SettingsError, Text
from assistant.evaluating import MADE_HERE, Choices, kept_folder, run, write_documents
from assistant.release.changes import change_lines, changes, read_results
from assistant.release.compare import Compared, compare
from assistant.release.evaluate import Course, ask_all, results, search_all
from assistant.release.grades import Grade, sum_up
from assistant.release.question_sets import Asked, QuestionSet
from assistant.release.recipes import Baselines, Held
from assistant.release.result_lines import result_lines
from assistant.settings import Settings
from tests.assistant.beir import write_beir
from tests.assistant.passages import passage

QUESTIONS = (
    Asked("deadline", "期限は?", "ja", {"a.md": 1}, must_say=("3日前",), language_pair="ja-ja"),
    Asked("and-then", "では病気なら?", "ja", {"b.md": 1}, must_say=("当日",), kind="followup", after="deadline"),
    Asked("salary", "社長の給与は?", "ja", {}, must_refuse=True, kind="unanswerable"),
)
CHOSEN = QuestionSet("test", QUESTIONS)


def found(*names: str) -> tuple[Passage, ...]:
    return tuple(
        replace(passage(f"{name} の 3日前 まで", number=rank), path=f"{name}.md", chunk_id=f"{name}:{rank}", start=0)
        for rank, name in enumerate(names, start=1)
    )


def answer(question: Question, passages: tuple[Passage, ...], *, text: str, cited: bool = True) -> Answer:
    first = passages[0]
    citation = Citation(
        1, first.chunk_id, first.document_id, first.version_id, "t", first.path, None, (), first.text[:3], 0, 3
    )
    return Answer(
        text=text, refused=not cited, reason=None, mode=AnswerMode.GENERATED, language="ja",
        citations=(citation,) if cited else (), passages=passages, context=ContextUse(0, 0, "none", 0, 0), notices=(),
        release_id="r", model="m", answer_id="a", conversation_id=question.conversation_id or "c_" + question.text,
        request_id="", timings=Timings(0.0, 0.0, None, 1.0),
    )  # fmt: skip


class Assistant:
    """Finds and answers what it was told to; remembers the conversations."""

    def __init__(self) -> None:
        self.conversations: list[str | None] = []

    async def search(self, question: Question, limit: int) -> SearchResult:
        names = {"期限は?": ("x", "a", "a"), "では病気なら?": ("c",)}[question.text]
        return SearchResult(found(*names), (), 0.01)

    async def ask(self, question: Question) -> AsyncGenerator[Event, None]:
        self.conversations.append(question.conversation_id)
        if question.text == "では病気なら?":
            yield Failed(ModelTimeout(Text("遅い", "slow"), Text("待つ", "wait")))
        elif question.text == "期限は?":
            yield Finished(answer(question, found("a"), text="3日前までです [1]。"))
        else:
            yield Finished(answer(question, found("a"), text="情報が不足しています", cited=False))


def path_of(one: Passage) -> str:
    return one.path


def untold(done: int, total: int) -> None:
    assert done <= total


def evaluated(assistant: Assistant) -> dict[str, Any]:
    async def run() -> dict[str, Any]:
        course = await search_all(CHOSEN, assistant.search, key_of=path_of, told=untold)
        await ask_all(CHOSEN, assistant.ask, course, key_of=path_of, told=untold)
        return results(CHOSEN, course)

    return asyncio.run(run())


def test_documents_are_ranked_by_their_best_passage_and_unanswerable_questions_stay_out() -> None:
    scored = evaluated(Assistant())
    assert scored["questions"] == 2
    assert scored["metrics"] == {"Hit@5": 0.5, "Recall@5": 0.5, "nDCG@10": pytest.approx(0.3155)}
    assert scored["per_question"]["deadline"]["found"] == ["x.md", "a.md"]
    assert set(scored["by_kind"]) == {"plain", "followup"}


def test_answers_are_graded_and_a_failed_one_counts_as_wrong() -> None:
    answers = evaluated(Assistant())["answers"]
    assert answers["containment"] == 0.5
    assert answers["failed"] == {"and-then": "model_timeout"}
    assert answers["refusal"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert answers["citation"] == {"validity": 1.0, "precision": 1.0, "recall": 1.0}


def asked_once(*, must_refuse: bool) -> Asked:
    return Asked("q", "期限は?", "ja", {}, must_refuse=must_refuse)


def graded(doubt: float | None) -> Grade:
    return Grade("", "generated", False, 0.0, 0.0, 0, 0, 0, (), 0.0, doubt)


@pytest.mark.parametrize(
    ("answerable", "unanswerable", "limit", "lost", "caught"),
    [
        ([0.1] * 19 + [0.9], [0.05, 0.5, 0.9], 0.11, 1, 2),
        ([0.1] * 18 + [0.6, 0.9], [0.05, 0.5, 0.9], 0.61, 1, 1),
        ([1.0, 0.0], [1.0], None, 0, 0),
        ([], [0.2], None, 0, 0),
    ],
)
def test_the_limit_of_doubt_that_a_set_speaks_for_loses_at_most_one_answer_in_twenty(
    answerable: list[float], unanswerable: list[float], limit: float | None, lost: int, caught: int
) -> None:
    asked = {
        str(place): asked_once(must_refuse=place >= len(answerable)) for place in range(len(answerable + unanswerable))
    }
    grades = {str(place): graded(doubt) for place, doubt in enumerate(answerable + unanswerable)}
    found = sum_up(asked, grades)["doubt"]["ja"]
    assert (found["refuses_from"], found["lost"], found["caught"]) == (limit, lost, caught)


def test_a_model_that_was_not_asked_first_has_no_limit_of_doubt() -> None:
    assert "doubt" not in sum_up({"a": asked_once(must_refuse=False)}, {"a": graded(None)})


def test_a_followup_is_asked_in_the_conversation_of_its_forerunner() -> None:
    assistant = Assistant()
    evaluated(assistant)
    assert assistant.conversations == [None, "c_期限は?", None]


def test_two_runs_are_compared_question_by_question(tmp_path: Path) -> None:
    now = evaluated(Assistant())
    former = json.loads(json.dumps(now))
    former["per_question"]["deadline"] |= {"Hit@5": 0.0, "nDCG@10": 0.0}
    (tmp_path / "former.json").write_text(json.dumps(former), encoding="utf-8-sig")
    changed = changes(read_results(tmp_path / "former.json"), now)
    assert (changed["compared"], changed["metrics"]["Hit@5"]) == (3, 0.5)
    assert [entry["id"] for entry in changed["better"]] == ["deadline"]
    assert changed["worse"] == changed["changed"] == changed["only_now"] == []
    assert any("better" in line and "期限" in line for line in change_lines(changed, "en"))
    assert any("改善" in line for line in change_lines(changed, "ja"))


def test_only_questions_in_the_same_words_are_compared() -> None:
    now = evaluated(Assistant())
    former = json.loads(json.dumps(now))
    former["per_question"]["deadline"]["question"] = "別の質問"
    former["per_question"]["other"] = {"question": "ほかの集の質問", "Hit@5": 0.0}
    former["metrics"] = {"Hit@5": 0.0}
    changed = changes(former, now)
    assert changed["metrics"] == {"Hit@5": 0.0, "Recall@5": 0.0, "nDCG@10": 0.0}, "of the one question in both"
    assert (changed["only_former"], changed["only_now"]) == (["deadline", "other"], ["deadline"])
    former["per_question"] = {"x": {"question": "?"}}
    assert list(change_lines(changes(former, now), "en")) == ["No question is in both runs: nothing to compare."]


def test_a_question_that_failed_in_one_run_alone_is_a_change() -> None:
    now = evaluated(Assistant())
    former = json.loads(json.dumps(now))
    row = former["per_question"]["and-then"]
    row["answer"] = {**now["per_question"]["deadline"]["answer"]}
    del row["failed"]
    (entry,) = changes(former, now)["worse"]
    assert (entry["id"], entry["scores"]) == ("and-then", {"failed": ["-", "model_timeout"]})
    assert [each["id"] for each in changes(now, former)["better"]] == ["and-then"]


def test_a_run_of_an_earlier_version_with_fewer_scores_is_compared_by_those() -> None:
    now = evaluated(Assistant())
    former = json.loads(json.dumps(now))
    del former["metrics"]
    for row in former["per_question"].values():
        row.pop("Recall@5", None)
        row.get("answer", {}).pop("character_f1", None)
    changed = changes(former, now)
    assert changed["metrics"] == {"Hit@5": 0.0, "nDCG@10": 0.0}
    assert changed["worse"] == changed["better"] == changed["changed"] == []


@pytest.mark.parametrize("text", ["[1]", "{}", '{"per_question": []}', '{"per_question": {"a": 1}}', "", "\x00"])
def test_a_file_that_is_no_former_run_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationFailed, match=r"x\.json"):
        read_results(tmp_path / "x.json")


def test_a_set_that_only_asks_for_refusals_has_no_figure_of_search_and_none_of_words() -> None:
    chosen = QuestionSet("test", QUESTIONS[2:])
    course = Course()
    asyncio.run(ask_all(chosen, Assistant().ask, course, key_of=path_of, told=untold))
    scored = results(chosen, course)
    assert (scored["questions"], scored["metrics"], "p50_ms" in scored) == (0, {}, False)
    assert scored["answers"]["refusal"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0}
    assert scored["answers"]["containment"] is scored["answers"]["character_f1"] is None
    lines = list(result_lines(scored | {"documents": 1, "chunks": 1}, "ja"))
    assert "  containment -  character F1 -" in lines


def test_a_question_that_asks_for_no_words_says_nothing_about_words() -> None:
    asked = {"a": asked_once(must_refuse=False), "b": replace(asked_once(must_refuse=False), must_say=("3日前",))}
    said = replace(graded(None), containment=1.0, character_f1=1.0)
    assert sum_up(asked, {"a": graded(None), "b": said})["containment"] == 1.0
    assert sum_up(asked, {"a": graded(None), "b": None})["containment"] == 0.0, "a failed answer counts"


def test_results_are_told_in_the_language_of_the_caller() -> None:
    found = evaluated(Assistant()) | {"documents": 3, "chunks": 4, "not_read": ["d5: empty"]}
    found["remarks"] = [{"ja": "使わない質問", "en": "left out"}]
    found["answers"]["doubt"] = {
        "ja": {"refuses_from": None, "answerable": 0, "lost": 0, "unanswerable": 2, "caught": 0}
    }
    japanese, english = ("\n".join(result_lines(found, language)) for language in ("ja", "en"))
    assert "質問 2 件、文書 3 件" in japanese
    assert "値を決められません" in japanese
    assert "使わない質問" in japanese
    assert "2 questions, 3 documents" in english
    assert "no limit can be told" in english
    assert "left out" in english
    assert "d5: empty" in japanese
    assert "d5: empty" in english
    assert not re.search("[ぁ-んァ-ヶ]", english)


def test_a_draft_is_right_when_it_says_the_words_in_any_width_and_wrong_when_it_refuses() -> None:
    texts = {"a": "３日前までです [1]。", "b": "週2日です [3]。", "c": "情報が不足しています"}

    async def ask(question: Question) -> AsyncGenerator[Event, None]:
        yield Finished(answer(question, found("a"), text=texts[question.text], cited=question.text != "c"))

    words = {"a": ("3日前",), "b": ("3",), "c": ()}
    asked = [Compared(text, "ja", "golden", must_say) for text, must_say in words.items()]
    rows = asyncio.run(compare(asked, published=None, draft=ask))["questions"]
    assert [row["draft"]["is_right"] for row in rows] == [True, False, False]


SETTINGS = Settings(_env_file=None)  # type: ignore[call-arg]


def small_set(folder: Path, count: int) -> Path:
    documents = {f"d{number}": ("", f"文書 {number}") for number in range(count)}
    return write_beir(folder, documents=documents, questions={"q": "文書は?"}, relevant=[("q", "d0", 1)])


@pytest.mark.parametrize("there", ["var/ledger.db", "documents/規程.md"])
def test_a_folder_that_holds_anything_else_is_not_kept_into(tmp_path: Path, there: str) -> None:
    file = tmp_path / "company" / there
    file.parent.mkdir(parents=True)
    file.write_text("the company's own", encoding="utf-8")
    chosen = small_set(tmp_path / "set", 1)
    with pytest.raises(SettingsError, match="company holds something else"):
        run(SETTINGS, Choices(chosen, is_retrieval_only=True, keep=tmp_path / "company"))
    assert [path for path in (tmp_path / "company").rglob("*") if path.is_file()] == [file]


def test_a_folder_that_was_kept_with_other_documents_is_not_asked_with_both(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
    kept = tmp_path / "kept"
    kept_folder(kept, documents=tmp_path / "one")
    kept_folder(kept, documents=tmp_path / "x" / ".." / "one")
    with pytest.raises(SettingsError, match=str(tmp_path / "one")):
        kept_folder(kept, documents=tmp_path / "other")
    with pytest.raises(SettingsError, match="other documents"):
        kept_folder(kept)
    (kept / MADE_HERE).write_text("", encoding="utf-8")  # as a former version left it
    kept_folder(kept, documents=tmp_path / "other")


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(SettingsError, match="cannot be written"):
        run(SETTINGS, Choices(small_set(tmp_path / "set", 1), is_retrieval_only=True, keep=tmp_path / "file" / "x"))


def test_options_that_would_do_nothing_are_refused(tmp_path: Path) -> None:
    golden = tmp_path / "golden.yaml"
    golden.write_text("- {id: a, question: 期限, expected_paths: a.md}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="no deployment to keep"):
        run(SETTINGS, Choices(golden, is_retrieval_only=True, keep=tmp_path / "kept"))
    with pytest.raises(SettingsError, match="brings its own documents"):
        run(SETTINGS, Choices(small_set(tmp_path / "set", 1), is_retrieval_only=True, documents=tmp_path))


def test_a_kept_folder_loses_the_documents_that_the_set_has_no_more(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    first = write_documents(small_set(tmp_path / "long", 3) / "corpus.jsonl", folder)
    assert write_documents(small_set(tmp_path / "short", 1) / "corpus.jsonl", folder) == dict(list(first.items())[:1])
    assert [path.relative_to(folder).as_posix() for path in folder.rglob("*.md")] == list(first)[:1]


def test_each_baseline_does_what_its_product_does() -> None:
    held = [
        Held("ja", "有給休暇は三営業日前までに申請"),
        Held("en", "apply for leave three days ahead"),
        Held("x", "pump"),
    ]
    recipes = Baselines(held, np.eye(3, dtype=np.float32))
    ranked = recipes.ranked("有給休暇の申請", np.array([0.6, 0.8, 0.0], dtype=np.float32))
    assert ranked["dense"] == ["en", "ja", "x"]
    assert len(ranked["bm25_blanks"]) == 3, "texts that share no word get a place"
    assert ranked["naive_rrf"][0] == "ja"
    assert recipes.ranked("leave pump", np.array([1.0, 0, 0], dtype=np.float32))["bm25_blanks"][0] == "x"
