"""The guard on 100 planted changes of figures, and on the same answers unchanged and merely spelled otherwise.

Goals: changes caught >= .95, false alarms <= .05 of the unchanged answers.
"""

from __future__ import annotations

import json
import random
import sys
import time

from assistant.guard import unsourced
from benchmarks.planted_figures import SEED, SourcedAnswer, planted, respelled, sourced_answers

PLANTED = 100
GOAL_CAUGHT = 0.95
GOAL_FALSE_ALARMS = 0.05


def alarms(answer: SourcedAnswer) -> list[str]:
    """The figures of the answer that the guard points at."""
    found = unsourced(answer.text, answer.passages, asked=[answer.question])
    return [answer.text[notice.start : notice.end] for notice in found if notice.code == "number_not_in_sources"]


def main(*, is_told: bool) -> None:
    """Prints one JSON line; with `--all`, also what was missed and what was a false alarm."""
    answers = sourced_answers()
    dice = random.Random(SEED)
    false_alarms = [(answer, alarms(answer)) for answer in answers]
    spelled = [(answer, alarms(answer)) for answer in (respelled(a, dice) for a in answers)]
    started = time.process_time()
    changed = [(answer, figure, alarms(answer)) for answer, figure in planted(answers, count=PLANTED)]
    seconds = time.process_time() - started
    missed = [(answer, figure) for answer, figure, found in changed if not found]
    if is_told:
        for answer, figure in missed:
            print("missed", answer.origin, repr(figure), answer.text[:160], file=sys.stderr)
        for answer, found in [*false_alarms, *spelled]:
            if found:
                print("false", answer.origin, found, answer.text[:160], file=sys.stderr)
    line = {
        "benchmark": "guard",
        "answers": len(answers),
        "planted": len(changed),
        "caught": round(1 - len(missed) / len(changed), 3),
        "goal_caught": GOAL_CAUGHT,
        "false_alarms": round(sum(bool(found) for _, found in false_alarms) / len(answers), 3),
        "false_alarms_respelled": round(sum(bool(found) for _, found in spelled) / len(answers), 3),
        "goal_false_alarms": GOAL_FALSE_ALARMS,
        "cpu_ms_per_answer": round(1000 * seconds / len(changed), 2),
    }
    print(json.dumps(line))


if __name__ == "__main__":
    main(is_told="--all" in sys.argv)
