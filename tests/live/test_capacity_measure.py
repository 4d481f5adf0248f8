"""`assistant capacity measure` on a real Ollama with the smallest model: steps 1, 2, 4 through the whole product, and no trace."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from assistant.adapters.model_files import QWEN_CODER_0_5B
from assistant.adapters.ollama_host import OllamaModelHost
from assistant.release.modelfile import parse_modelfile
from tests.journeys.deployment import Deployment
from tests.live.asking import ANSWER_SECONDS, SMALL_PROMPTS
from tests.live.handbook import write_handbook
from tests.live.ollama_process import LiveOllama

NAME = "measure-live"
MODELFILE = (
    f"FROM {QWEN_CODER_0_5B.name}\nPARAMETER num_ctx 2048\nPARAMETER num_thread 1\nPARAMETER temperature 0\n"
    'SYSTEM """抜粋だけを根拠に、短く答えます。"""\n'
)
QUESTIONS = """
- {id: leave, language: ja, question: "有給休暇は何営業日前までに申請しますか?", expected_paths: [人事/休暇.md], must_say: [], must_refuse: false, kind: plain}
- {id: parking, language: en, question: "On which level do visitors park?", expected_paths: [en/parking.md], must_say: [], must_refuse: false, kind: plain}
- {id: fee, language: en, question: "How much is parking for a further hour?", expected_paths: [en/parking.md], must_say: [], must_refuse: false, kind: plain}
- {id: fire, language: ja, question: "火災のときの集合場所はどこですか?", expected_paths: [総務/火災.md], must_say: [], must_refuse: false, kind: plain}
"""


@pytest.mark.long  # twenty answers of a real model, one after the other
def test_one_two_and_four_users_are_measured_with_a_real_model(live_ollama: LiveOllama, tmp_path: Path) -> None:
    live_ollama.create_chat_model_of(QWEN_CODER_0_5B)
    host = OllamaModelHost(url=live_ollama.url, connect_timeout_seconds=60)
    asked = parse_modelfile(MODELFILE)
    settings = {"system": asked.system, "parameters": dict(asked.parameters)}
    asyncio.run(host.make(NAME, base=asked.base_model, settings=settings))
    (tmp_path / "measure.Modelfile").write_text(MODELFILE, encoding="utf-8")
    (tmp_path / "questions.yaml").write_text(QUESTIONS, encoding="utf-8")
    given = SMALL_PROMPTS | {
        "ANSWERS": "ollama",
        "OLLAMA_URL": live_ollama.url,
        "CHAT_MODEL": NAME,
        "MODELFILE": str(tmp_path / "measure.Modelfile"),
        "NUM_PREDICT": "48",
        "MODEL_PARALLEL": "1",
    }
    deployment = Deployment(tmp_path, write_handbook(tmp_path / "documents"), given)
    try:
        with deployment.up("chroma,api"):
            done = deployment.run("ingest", "run", timeout_seconds=ANSWER_SECONDS)
            assert done.returncode == 0, done.stderr
            done = deployment.run(
                "assistant", "capacity", "measure", "--steps", "1,2,4", "--each", "6", "--people", "1", "--target", "600",
                "--questions", str(tmp_path / "questions.yaml"), "--report", str(tmp_path / "report"), "--json",
                timeout_seconds=1500,
            )  # fmt: skip
        told = json.loads(done.stdout)
        print("\n" + (tmp_path / "report" / "report.md").read_text(encoding="utf-8"))
        assert done.returncode == (0 if told["findings"]["people_about"] else 1), done.stderr
        assert [step["users"] for step in told["steps"]] == [1, 2, 4]
        ends = [[sample["end"] for sample in step["samples"]] for step in told["steps"]]
        assert [len(step) for step in ends] == [6, 6, 8]
        # what so small a model writes is not always an answer: then there are quotes, and the report says so
        assert {end for step in ends for end in step} <= {"answered", "quotes"}, told["steps"]
        assert all(step.count("answered") >= len(step) / 2 for step in ends)
        waits = [step["wait_p95_seconds"] for step in told["steps"]]
        assert waits[2] > waits[0], "four users wait for one slot"
        kept = deployment.run("assistant", "capacity", "advise", "--json", "--model", NAME)
        assert json.loads(kept.stdout)["questions"] == 0, "what was asked for the measurement is forgotten"
    finally:
        asyncio.run(host.remove(NAME))
