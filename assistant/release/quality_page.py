"""docs/reference/quality.md from the figures that `make quality` kept: a table of what is found. Pure."""

from __future__ import annotations

from typing import Any

GOALS = {
    "jsquad": {"Hit@5": 0.985},
    "lawqa_jp": {"Hit@5": 0.90, "nDCG@10": 0.83},
    "anthropic_docs": {"Hit@5": 0.93, "Recall@5": 0.75},
    "clapnq": {"Hit@5": 0.97},
}
NAMES = {
    "bm25_blanks": "BM25, words between blanks",
    "dense": "vectors alone",
    "naive_rrf": "naive rank fusion",
    "ensemble": "EnsembleRetriever recipe",
}


def quality_page(kept: dict[str, Any]) -> str:
    """The page; `kept` are the sums of each set by its name, as `assistant evaluate --json` has them."""
    lines = [
        "# What is found",
        "",
        "Search alone, on public question sets, by `assistant evaluate` (see [the guide](../guides/quality.md)); measured",
        "with `make quality`. Each set has a deployment of its own. Hit@5 / Recall@5 / nDCG@10 of documents. Constants were",
        "tuned on one half of each set; the other half, `held out`, is the figure that counts.",
        "",
        "| set | questions | all | tuned half | held out | 95 % of held-out Hit@5 | goal |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [_row(name, found) for name, found in kept.items()]
    lines += ["", "Beside it, on the same passages and vectors in the same run, what other products do by default:", ""]
    lines += ["| set | this product | " + " | ".join(NAMES.values()) + " |", "|---" * (len(NAMES) + 2) + "|"]
    lines += [
        f"| {name} | {_scores(found)} | " + " | ".join(_scores(found["baselines"][each]) for each in NAMES) + " |"
        for name, found in kept.items()
        if "baselines" in found
    ]
    lines += ["", "By languages (question-document) and kind of question:", "", "| set | group | questions | scores |"]
    lines += ["|---|---|---|---|"]
    for name, found in kept.items():
        for group in ("by_language_pair", "by_kind"):
            if len(found[group]) > 1:
                lines += [
                    f"| {name} | {each} | {part['questions']} | {_scores(part)} |"
                    for each, part in found[group].items()
                ]
    embedders = sorted({found["embedder"] for found in kept.values()})
    lines += ["", f"Embedder: `{'`, `'.join(embedders)}`.", *_notes(), *_answered(kept)]
    return "\n".join(lines) + "\n"


def _row(name: str, found: dict[str, Any]) -> str:
    halves = found["by_half"]
    held = halves.get("held_out", found)
    low, high = held["intervals"]["Hit@5"]
    goals = ", ".join(f"{metric} {value:g}" for metric, value in GOALS.get(name, {}).items()) or "-"
    tuned = _scores(halves["tuned"]) if "tuned" in halves else "-"
    return f"| {name} | {found['questions']} | {_scores(found)} | {tuned} | {_scores(held)} | {low:.3f}-{high:.3f} | {goals} |"


def _scores(part: dict[str, Any]) -> str:
    return " / ".join(f"{value:.3f}" for value in part["metrics"].values())


def _answered(kept: dict[str, Any]) -> list[str]:
    """What a chat model made of some sets, where that was measured."""
    rows = [_answers_row(name, found["answers"]) for name, found in kept.items() if found.get("answers")]
    if not rows:
        return []
    limits = [
        f"| {name} | {language} | {doubt['refuses_from'] or '-'} | {doubt['caught']} of {doubt['unanswerable']} | "
        f"{doubt['lost']} of {doubt['answerable']} |"
        for name, found in kept.items()
        for language, doubt in found.get("answers", {}).get("doubt", {}).items()
    ]
    return [
        "",
        "## What is answered and refused",
        "",
        "By `assistant evaluate` with a chat model. Refusals: precision / recall / F1 of refusing what nothing in the documents",
        "answers, with `asks_first` off. Citations: validity (the mark leads to a passage in which the quote stands literally) /",
        "precision / recall of the right document.",
        "",
        "| set | model | questions | refusals | citations |",
        "|---|---|---|---|---|",
        *rows,
        *(_limits(limits) if limits else ()),
    ]


def _limits(rows: list[str]) -> list[str]:
    return [
        "",
        "The model's doubt, with `asks_first`: the lowest limit that refuses at most one answerable question in twenty, and what it",
        "refuses by itself (see [the guide](../guides/quality.md)):",
        "",
        "| set | questions in | limit | refused of those that nothing answers | of the others |",
        "|---|---|---|---|---|",
        *rows,
    ]


def _answers_row(name: str, answers: dict[str, Any]) -> str:
    refusal, citation = (
        " / ".join("-" if value is None else f"{value:.3f}" for value in answers[part].values())
        for part in ("refusal", "citation")
    )
    return f"| {name} | {answers['model']} | {answers['questions']} | {refusal} | {citation} |"


def _notes() -> list[str]:
    return [
        "",
        "- `lawqa_jp` asks with the question's own sentence. 18 of its 140 questions are `次のうち、正しいもの(誤っているもの)を",
        "  教えてください。` and nothing else, so that Hit@5 can be .871, and .877 with luck; `lawqa_jp_choices` has the four choices in the question.",
        "- `clapnq` searches the passages of its answerable and unanswerable questions together.",
        "- `commerce_*`: titles of a support site's articles in one language, asked for the articles in the other.",
        "- `golden`: the questions of `modelfiles/golden` on `examples/`; follow-ups are asked as they stand.",
        "- Baselines get this product's passages (title and headings in front) and vectors; only their way of ranking is theirs.",
    ]
