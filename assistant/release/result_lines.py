"""The results of `assistant evaluate` as a person reads them, in the caller's language. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from assistant.errors import Language, Text
from assistant.release.changes import change_lines

GROUPS = {
    "by_half": Text(ja="半分", en="half"),
    "by_language_pair": Text(ja="言語の組", en="languages"),
    "by_kind": Text(ja="種類", en="kind"),
}
BASELINE = Text(ja="ほかの方式", en="baseline")
SHOWN_NOT_READ = 10


def result_lines(found: Mapping[str, Any], language: Language) -> Iterator[str]:
    """The sums of a run, what of the set was not used, and the changes against a former run if there was one."""
    counts = Text(
        ja=f"質問 {found['questions']} 件、文書 {found['documents']} 件、断片 {found['chunks']} 件",
        en=f"{found['questions']} questions, {found['documents']} documents, {found['chunks']} passages",
    )
    yield f"{found['set']}: {counts.in_language(language)}"
    for name, value in found["metrics"].items():
        low, high = found["intervals"][name]
        between = Text(ja=f"({low:.3f} から {high:.3f})", en=f"({low:.3f} to {high:.3f})")
        yield f"  {name:10} {value:.3f}  {between.in_language(language)}"
    if "p50_ms" in found:
        yield f"  p50 {found['p50_ms']} ms, p95 {found['p95_ms']} ms"
    for group, words in GROUPS.items():
        for name, part in found[group].items():
            yield f"  {words.in_language(language):10} {name:12} {part['questions']:5}  {_scores(part)}"
    for name, part in found.get("baselines", {}).items():
        yield f"  {BASELINE.in_language(language):10} {name:12}        {_scores(part)}"
    if "answers" in found:
        yield from _answer_lines(found["answers"], language)
    yield from _unused_lines(found, language)
    for code, count in found["notices"].items():
        yield f"  ! {code}: {count}"
    if "changes" in found:
        yield from change_lines(found["changes"], language)


def _answer_lines(answers: Mapping[str, Any], language: Language) -> Iterator[str]:
    yield f"  containment {_shown(answers['containment'])}  character F1 {_shown(answers['character_f1'])}"
    yield "  refusal   " + "  ".join(f"{name} {_shown(value)}" for name, value in answers["refusal"].items())
    yield "  citation  " + "  ".join(f"{name} {_shown(value)}" for name, value in answers["citation"].items())
    for asked_in, doubt in answers.get("doubt", {}).items():
        yield f"  doubt {asked_in}  {_doubt(asked_in, doubt).in_language(language)}"
    failed = len(answers["failed"])
    yield Text(ja=f"  失敗 {failed} 件", en=f"  failed {failed}").in_language(language)


def _doubt(asked_in: str, doubt: Mapping[str, Any]) -> Text:
    if not doubt["answerable"]:
        return Text(
            ja="答えのある質問がこの言語にないので、値を決められません",
            en="no limit can be told: no question in this language has an answer in the documents",
        )
    if doubt["refuses_from"] is None:
        return Text(
            ja="答えのある質問 100 問中 95 問を残せる値がありません。asks_first はこのモデルに向きません",
            en="no limit keeps 95 of 100 answerable questions: asks_first is not for this model",
        )
    limit = f"refuses_from_{asked_in} = {doubt['refuses_from']:.2f}"
    return Text(
        ja=f"{limit} で、答えのない {doubt['unanswerable']} 問中 {doubt['caught']} 問、"
        f"ほかの {doubt['answerable']} 問中 {doubt['lost']} 問を断ります",
        en=f"{limit} refuses {doubt['caught']} of {doubt['unanswerable']} that nothing answers, "
        f"and {doubt['lost']} of {doubt['answerable']} others",
    )


def _unused_lines(found: Mapping[str, Any], language: Language) -> Iterator[str]:
    for remark in found.get("remarks", ()):
        yield f"  ! {remark[language]}"
    not_read = found.get("not_read", ())
    if not_read:
        count = len(not_read)
        yield Text(ja=f"  ! 読めなかった文書 {count} 件", en=f"  ! {count} documents were not read").in_language(
            language
        )
        yield from (f"      {each}" for each in not_read[:SHOWN_NOT_READ])


def _scores(part: Mapping[str, Any]) -> str:
    return "  ".join(f"{metric} {value:.3f}" for metric, value in part["metrics"].items())


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
