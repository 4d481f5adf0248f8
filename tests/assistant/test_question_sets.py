from __future__ import annotations

import re
from pathlib import Path

import pytest

from assistant.errors import EvaluationFailed
from assistant.release.question_sets import read_question_set
from assistant.release.scores import squeezed
from tests.assistant.beir import write_beir

GOLDEN = Path(__file__).resolve().parents[2] / "modelfiles" / "golden"
DOCUMENTS = {"d1": ("休暇規程", "有給休暇は3営業日前までに申請します。"), "d2": ("", "The pump stops at 80 degrees.")}


def shown(file: Path) -> str:
    """What a person sees of a text file, UTF-8 or the Shift_JIS of older ones."""
    content = file.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp932")
    return re.sub(r"<[^>]+>", "", text)


def test_a_beir_folder_gives_questions_with_what_answers_them(tmp_path: Path) -> None:
    folder = write_beir(
        tmp_path / "small",
        documents=DOCUMENTS,
        questions={"q1": "いつまでに申請しますか?", "q2": "休暇の期限は?", "q3": "nobody judged this"},
        relevant=[("q1", "d1", 2), ("q2", "d2", 1), ("q2", "d1", 0)],
        metadata={"q1": {"answers": ["3営業日前"]}},
    )
    found = read_question_set(folder)
    assert found.name == "small"
    assert found.corpus == folder / "corpus.jsonl"
    first, second = found.questions
    assert (first.question_id, dict(first.relevant), first.references) == ("q1", {"d1": 2}, ("3営業日前",))
    assert (first.language_pair, second.language_pair) == ("ja-ja", "ja-en")
    assert dict(second.relevant) == {"d2": 1}, "a grade of 0 is no answer"


def test_a_question_that_the_set_calls_unanswerable_must_be_refused(tmp_path: Path) -> None:
    folder = write_beir(
        tmp_path / "small",
        documents=DOCUMENTS,
        questions={"q1": "What stops the pump?", "q2": "Who wrote it?"},
        relevant=[("q1", "d2", 1)],
        metadata={"q2": {"answerable": False}},
    )
    assert [one.must_refuse for one in read_question_set(folder).questions] == [False, True]


def test_a_broken_line_is_named_with_its_number(tmp_path: Path) -> None:
    folder = write_beir(tmp_path / "small", documents=DOCUMENTS, questions={"q": "x"}, relevant=[("q", "d1", 1)])
    with (folder / "queries.jsonl").open("a", encoding="utf-8") as queries:
        queries.write("{half a line\n")
    with pytest.raises(EvaluationFailed, match=r"queries\.jsonl.*line 2"):
        read_question_set(folder)


def test_a_folder_without_questions_is_an_error_that_names_both_layouts(tmp_path: Path) -> None:
    with pytest.raises(EvaluationFailed, match=r"corpus\.jsonl"):
        read_question_set(tmp_path)


def test_the_half_of_a_question_depends_on_its_id_alone(tmp_path: Path) -> None:
    ids = [f"q{number}" for number in range(200)]
    folders = [
        write_beir(
            tmp_path / name,
            documents=DOCUMENTS,
            questions=dict.fromkeys(some, "休暇は?"),
            relevant=[(key, "d1", 1) for key in some],
        )
        for name, some in (("all", ids), ("few", ids[::7]))
    ]
    whole, few = ({one.question_id: one.half for one in read_question_set(f).questions} for f in folders)
    assert {key: whole[key] for key in few} == few
    assert 70 <= sum(half == "tuned" for half in whole.values()) <= 130


def test_the_golden_questions_of_the_examples_cover_every_kind() -> None:
    questions = read_question_set(GOLDEN).questions
    kinds = {one.kind for one in questions}
    assert kinds == {"plain", "cross", "number", "version", "followup", "unanswerable", "restricted"}
    assert len(questions) >= 60
    assert {one.language_pair for one in questions} == {"ja-ja", "en-en", "ja-en", "en-ja"}
    ids = [one.question_id for one in questions]
    assert len(set(ids)) == len(ids)
    assert all(one.after in ids for one in questions if one.kind == "followup")
    assert all(one.must_refuse == (not one.relevant) for one in questions)


def test_what_a_golden_answer_must_say_stands_in_every_document_that_it_may_come_from() -> None:
    examples = GOLDEN.parents[1] / "examples"
    missing = [
        (one.question_id, path, words)
        for one in read_question_set(GOLDEN).questions
        for path in one.relevant
        if path.endswith((".md", ".txt", ".html", ".csv"))
        for words in one.must_say
        if squeezed(words) not in squeezed(shown(examples / path))
    ]
    assert missing == []


def test_every_document_that_the_golden_questions_expect_is_there() -> None:
    examples = GOLDEN.parents[1] / "examples"
    expected = {path for one in read_question_set(GOLDEN).questions for path in one.relevant}
    assert [path for path in sorted(expected) if not (examples / path).is_file()] == []
