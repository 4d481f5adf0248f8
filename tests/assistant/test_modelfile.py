from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.errors import ModelfileInvalid, ReleaseError, SettingsError
from assistant.release.modelfile import Modelfile, parse_modelfile, read_modelfile
from assistant.release.modelfile_writer import write_modelfile

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "modelfiles/company-assistant.Modelfile"


def test_the_shipped_modelfile_says_its_window_and_its_rules() -> None:
    modelfile = read_modelfile(SHIPPED)
    assert modelfile.base_model == "llama3.1:8b-instruct-q4_K_M"
    assert modelfile.num_ctx == 8192
    assert "情報が不足しているため回答できません" in modelfile.system


def test_full_width_spaces_of_the_system_text_are_kept() -> None:
    assert parse_modelfile('FROM m\nSYSTEM """一　二\n三"""').system == "一　二\n三"
    assert parse_modelfile("FROM m\nSYSTEM 　一　二　").system == "　一　二　"


def test_stop_marks_add_up_and_other_parameters_are_replaced() -> None:
    modelfile = parse_modelfile(
        "FROM m\nPARAMETER stop a\nPARAMETER stop b\nPARAMETER num_ctx 10\nparameter num_ctx 20"
    )
    assert modelfile.parameters == {"stop": ["a", "b"], "num_ctx": 20}


def test_every_instruction_is_read_with_its_type() -> None:
    modelfile = parse_modelfile(
        '# a comment\r\nFROM base:tag\r\n  PARAMETER\ttop_k  40\nPARAMETER use_mmap false\nPARAMETER stop "<|im_end|>"\n'
        'TEMPLATE """{{ .System }}\n{{ .Prompt }}"""  \nMESSAGE user "an\nopen one"\nMESSAGE assistant yes\n'
        'ADAPTER a.gguf\nLICENSE MIT\nLICENSE "two\nlines"\nSYSTEM say "no" to it\n'
    )
    assert modelfile == Modelfile(
        base_model="base:tag",
        parameters={"top_k": 40, "use_mmap": False, "stop": ["<|im_end|>"]},
        system='say "no" to it',
        template="{{ .System }}\n{{ .Prompt }}",
        messages=(("user", "an\nopen one"), ("assistant", "yes")),
        adapters=("a.gguf",),
        licenses=("MIT", "two\nlines"),
    )


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("FROM m\n\nPARAMETER tfs_z 1", 3, 11),
        ("FROM m\n  PARAMETER  mirostat 1", 2, 14),
        ("FROM m\nPARAMETER num_ctx 8192 # window", 2, 19),
        ("FROM m\nPARAMETER num_ctx 3", 2, 19),
        ("FROM m\nPARAMETER num_ctx ８１９２", 2, 19),
        ("FROM m\nPARAMETER num_ctx 8192.5", 2, 19),
        ("FROM m\nPARAMETER temperature 9", 2, 23),
        ("FROM m\nPARAMETER temperature nan", 2, 23),
        ("FROM m\nPARAMETER use_mmap yes", 2, 20),
        ("FROM m\nPARAMETER", 2, 10),
        ("FROM m\nPARAMETER num_ctx", 2, 18),
        ("FROM m\n SYSTM hello", 2, 2),
        ('FROM m\nSYSTEM """never closed', 2, 8),
        ('FROM m\nSYSTEM """closed""" # and then not', 2, 8),
        ("SYSTEM no base", 1, 1),
        ("FROM m\nMESSAGE robot hi", 2, 9),
    ],
)
def test_a_wrong_line_is_named_with_its_column(text: str, line: int, column: int) -> None:
    with pytest.raises(ModelfileInvalid) as caught:
        parse_modelfile(text)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_a_misspelled_parameter_is_told_the_nearest_one() -> None:
    with pytest.raises(ModelfileInvalid) as caught:
        parse_modelfile("FROM m\nPARAMETER num_ctxt 8192")
    assert "num_ctx" in caught.value.hint.en


def test_a_missing_modelfile_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        read_modelfile(tmp_path / "none")
    assert "ASSISTANT_MODELFILE" in caught.value.hint.en


def test_what_is_written_reads_back_as_the_same() -> None:
    shipped = read_modelfile(SHIPPED)
    assert parse_modelfile(write_modelfile(shipped)) == shipped
    chance = random.Random(6)
    pieces = ["一　二", '"', '"""', "\n", " ", "\t", "#", "\r\n", "x", "\u00a0", "\u200d", "FROM m"]
    held = 0
    for _ in range(2000):
        text = "".join(chance.choices(pieces, k=chance.randint(1, 8)))
        modelfile = replace(
            shipped, system=text, template=text, messages=(("user", text),), parameters={"stop": [text], "top_p": 1e-7}
        )
        try:
            written = write_modelfile(modelfile)
        except ReleaseError:
            assert '"\n' in text.replace(" ", "").replace("\t", "").replace("\r", "") or '"' in text
            continue
        held += 1
        assert parse_modelfile(written) == modelfile
    assert held > 1500


def test_a_text_that_no_quotes_can_hold_is_refused_and_not_changed() -> None:
    with pytest.raises(ReleaseError, match="SYSTEM"):
        write_modelfile(Modelfile("m", {}, 'one "\ntwo """\nthree', None))
