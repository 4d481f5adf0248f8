from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from assistant.errors import EvaluationFailed, SettingsError
from assistant.grammar import language_of
from assistant.quality import golden_questions
from assistant.release.question_sets import corpus_rows, read_question_set
from assistant.text import squeezed
from benchmarks.beir_sets import BeirSet
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


CORPUS = '{"_id": "d1", "title": "", "text": "有給休暇は3営業日前までに申請します。"}\n'
QUERIES = '{"_id": "q1", "text": "休暇の期限は?"}\n'
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t1\n"


def raw_set(
    folder: Path, *, corpus: str = CORPUS, queries: str = QUERIES, qrels: str = QRELS, encoding: str = "utf-8"
) -> Path:
    (folder / "qrels").mkdir(parents=True)
    for name, text in (("corpus.jsonl", corpus), ("queries.jsonl", queries), ("qrels/test.tsv", qrels)):
        (folder / name).write_bytes(text.encode(encoding))
    return folder


@pytest.mark.parametrize(
    "files",
    [
        {"encoding": "utf-8-sig"},
        {"qrels": "q1\td1\t1\n", "encoding": "utf-8-sig"},
        {"qrels": QRELS.replace("\n", "\r\n"), "queries": QUERIES.replace("\n", "\r\n")},
        {"qrels": "\n" + QRELS + "\n", "corpus": "\n" + CORPUS, "queries": QUERIES + "\n\n"},
        {"qrels": "q1\td1\t1.0\n"},
        {"qrels": "q1 \td1 \t1 \nq1\td1\t1\nq1\td2\t-1\n"},
        {"qrels": "7\t8\t1\n", "corpus": CORPUS.replace('"d1"', "8"), "queries": QUERIES.replace('"q1"', "7")},
    ],
    ids=["BOM", "BOM, no header", "CRLF", "blank lines", "1.0", "blanks", "numbers"],
)
def test_a_set_is_read_as_people_save_it(tmp_path: Path, files: dict[str, str]) -> None:
    found = read_question_set(raw_set(tmp_path / "set", **files))
    assert [len(one.relevant) for one in found.questions] == [1]
    assert found.remarks == ()


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"encoding": "cp932"}, r"corpus\.jsonl .*UTF-8"),
        ({"qrels": "q1\t休暇\t1\n", "encoding": "utf-16"}, r"test\.tsv .*UTF-8"),
        ({"corpus": ""}, r"corpus\.jsonl .*no document"),
        ({"queries": ""}, "no question has a relevant document"),
        ({"qrels": "q1\td1\t0\n"}, "no question has a relevant document"),
        ({"qrels": QRELS + "q2\td1\t²\n"}, "line 3: the score ² is no whole number"),
        ({"qrels": "q1\td1\t0.5\n"}, r"line 1: the score 0\.5"),
        ({"qrels": "q1 0 d1 1\n"}, "line 1: not three columns"),
        ({"qrels": "q1\t0\td1\t1\n"}, "line 1: not three columns"),
        ({"qrels": "q1\td1\t1\nq1\td1\t2\n"}, "line 2: an earlier line has another score"),
        ({"corpus": CORPUS * 2}, r"corpus\.jsonl .*line 2: the _id d1"),
        ({"queries": QUERIES * 2}, r"queries\.jsonl .*line 2: the _id q1"),
        ({"queries": '{"_id": null, "text": "x"}'}, "line 1: no _id"),
        ({"queries": '{"_id": "q1", "text": null}'}, "line 1: text is empty"),
        ({"queries": '{"_id": "q1", "text": 5}'}, "line 1: text is no string"),
        ({"queries": "[" * 100_000}, "line 1: no JSON"),
        ({"queries": '{"_id": "q1", "text": "x", "metadata": "y"}'}, "line 1: metadata is no object"),
        ({"queries": '{"_id": "q1", "text": "x", "metadata": {"answerable": "false"}}'}, "line 1: answerable is"),
        ({"queries": '{"_id": "q1", "text": "x", "metadata": {"answerable": false}}'}, "answerable is false, and yet"),
    ],
)
def test_what_cannot_be_measured_is_named_in_both_languages(tmp_path: Path, files: dict[str, str], named: str) -> None:
    with pytest.raises(EvaluationFailed, match=named) as raised:
        read_question_set(raw_set(tmp_path / "set", **files))
    assert re.search("[ぁ-ん]", raised.value.message.ja)


def test_what_of_a_set_is_not_used_is_said(tmp_path: Path) -> None:
    queries = QUERIES + '{"_id": "q2", "text": "誰も答えを見ていない"}\n'
    found = read_question_set(raw_set(tmp_path / "set", queries=queries, qrels=QRELS + "q1\tgone\t1\nq9\td1\t1\n"))
    assert [remark.en for remark in found.remarks] == [
        "1 queries without a relevant document in qrels are left out (q2); what must be refused needs answerable: false.",
        "1 queries of qrels are not in queries.jsonl (q9).",
        "1 documents of qrels are not in corpus.jsonl and count as not found (gone).",
    ]


def test_one_answer_without_a_list_is_one_answer_and_an_empty_one_asks_for_nothing(tmp_path: Path) -> None:
    queries = "".join(
        json.dumps({"_id": f"q{number}", "text": "期限は?", "metadata": {"answers": answers}}) + "\n"
        for number, answers in enumerate(("3営業日前", 3, [""], None))
    )
    qrels = "".join(f"q{number}\td1\t1\n" for number in range(4))
    found = read_question_set(raw_set(tmp_path / "set", queries=queries, qrels=qrels)).questions
    assert [one.references for one in found] == [("3営業日前",), ("3",), (), ()]


def test_a_document_that_is_only_a_title_is_found_by_it(tmp_path: Path) -> None:
    corpus = '{"_id": "d1", "title": "休暇規程"}\n'
    assert list(corpus_rows(raw_set(tmp_path / "set", corpus=corpus) / "corpus.jsonl")) == [
        ("d1", "休暇規程", "休暇規程")
    ]


GOLDEN_ENTRY = "- {id: a, language: ja, question: 期限, expected_paths: a.md, must_say: 3日"


def test_a_golden_question_may_name_one_file_and_one_word_without_a_list(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOLDEN_ENTRY + ", expected_path: b.md}\n", encoding="utf-8-sig")
    found = read_question_set(tmp_path)
    (one,) = found.questions
    assert (dict(one.relevant), one.must_say) == ({"a.md": 1}, ("3日",))
    assert [remark.en for remark in found.remarks] == ["Unknown fields are not used (one.yaml, a: expected_path)."]


def test_a_rebuild_asks_a_golden_question_that_names_one_file_without_a_list(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(GOLDEN_ENTRY + "}\n", encoding="utf-8")
    (asked,) = golden_questions(tmp_path, {"a.md": frozenset({"d_1"})})
    assert asked.document_ids == {"d_1"}
    (tmp_path / "two.yaml").mkdir()
    with pytest.raises(SettingsError, match=r"two\.yaml"):
        golden_questions(tmp_path, {})


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "no list of questions"),
        ("a: 1\n", "no list of questions"),
        ("- x\n", "no list of questions"),
        ("- {id: a,\n\tlanguage: ja}\n", "line 2: no YAML"),
        (GOLDEN_ENTRY + "}\n" + GOLDEN_ENTRY + "}\n", "question a: there is an earlier one"),
        (GOLDEN_ENTRY + ", after: b}\n", "question a: after names b"),
        (GOLDEN_ENTRY + ", must_refuse: 'false'}\n", "question a: must_refuse is"),
        (GOLDEN_ENTRY + ", must_refuse: true}\n", "question a: must_refuse, and yet"),
        (GOLDEN_ENTRY.replace("ja", "fr") + "}\n", "question a: language is"),
        (GOLDEN_ENTRY.replace("期限", "") + "}\n", "question a: no id or no question"),
    ],
)
def test_a_golden_question_that_cannot_be_measured_is_named(tmp_path: Path, text: str, named: str) -> None:
    (tmp_path / "one.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(EvaluationFailed, match=named):
        read_question_set(tmp_path)


def test_golden_questions_in_windows_31j_are_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_bytes((GOLDEN_ENTRY + "}\n").encode("cp932"))
    with pytest.raises(EvaluationFailed, match="UTF-8"):
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


def test_a_golden_question_across_languages_has_no_source_in_its_own() -> None:
    examples = GOLDEN.parents[1] / "examples"
    same = [
        (one.question_id, path)
        for one in read_question_set(GOLDEN).questions
        if one.kind == "cross"
        for path in one.relevant
        if path.endswith((".md", ".txt", ".html", ".csv")) and language_of(shown(examples / path)) == one.language
    ]
    assert same == []


def test_what_the_golden_questions_call_unanswerable_is_not_named_in_the_examples() -> None:
    examples = GOLDEN.parents[1] / "examples"
    texts = {path: shown(path) for path in examples.rglob("*") if path.suffix in (".md", ".txt", ".html", ".csv")}
    named = [
        (word, path.name) for word in ("札幌", "キシレン", "MX-5000", "E-99") for path in texts if word in texts[path]
    ]
    assert len(texts) > 15
    assert named == []


def test_the_parts_of_a_set_hold_each_question_once_and_all_documents() -> None:
    whole = BeirSet(
        {"d": ("", "text")},
        {f"q{number}": (f"question {number}", {"answerable": number % 3 > 0}) for number in range(50)},
        {f"q{number}": ["d"] for number in range(50) if number % 3},
    )
    parts = [whole.part(number, 7) for number in range(1, 8)]
    assert sorted(key for part in parts for key in part.questions) == sorted(whole.questions)
    assert all(part.documents == whole.documents for part in parts)
    for part in parts:
        answerable = [key for key, (_, more) in part.questions.items() if more["answerable"]]
        assert sorted(part.relevant) == sorted(answerable)
        assert 2 <= len(part.questions) - len(answerable) <= 3, "each has its share of those that nothing answers"
