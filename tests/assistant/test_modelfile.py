from __future__ import annotations

from pathlib import Path

import pytest

from assistant.errors import ModelfileInvalid, SettingsError
from assistant.release.modelfile import parse_modelfile, read_modelfile

ROOT = Path(__file__).parents[2]


def test_the_shipped_modelfile_says_its_window_and_its_rules() -> None:
    modelfile = read_modelfile(ROOT / "modelfiles/company-assistant.Modelfile")
    assert modelfile.base_model == "llama3.1:8b-instruct-q4_K_M"
    assert modelfile.num_ctx == 8192
    assert "情報が不足しているため回答できません" in modelfile.system


def test_full_width_spaces_of_the_system_text_are_kept() -> None:
    assert parse_modelfile('FROM m\nSYSTEM """一　二\n三"""').system == "一　二\n三"


def test_stop_marks_add_up_and_other_parameters_are_replaced() -> None:
    modelfile = parse_modelfile(
        "FROM m\nPARAMETER stop a\nPARAMETER stop b\nPARAMETER num_ctx 10\nparameter num_ctx 20"
    )
    assert modelfile.parameters == {"stop": ["a", "b"], "num_ctx": 20}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM m\n\nPARAMETER tfs_z 1", 3),
        ("FROM m\nPARAMETER num_ctx 8192 # window", 2),
        ("FROM m\nPARAMETER temperature 9", 2),
        ("FROM m\nSYSTM hello", 2),
        ('FROM m\nSYSTEM """never closed', 2),
        ("SYSTEM no base", 1),
        ("FROM m\nMESSAGE robot hi", 2),
    ],
)
def test_a_wrong_line_is_named(text: str, line: int) -> None:
    with pytest.raises(ModelfileInvalid) as caught:
        parse_modelfile(text)
    assert caught.value.line == line


def test_a_missing_modelfile_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_modelfile(tmp_path / "none")
    assert "ASSISTANT_MODELFILE" in caught.value.hint.en
