"""A model's stream as people see it: without its thoughts, control characters and half characters."""

from __future__ import annotations

import pytest

from assistant.spoken import Spoken


def shown(*pieces: str) -> str:
    spoken, text = Spoken(), ""
    for piece in pieces:
        said = spoken.add(piece)
        text = said if spoken.is_taken_back else text + said
    return text + spoken.rest()


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("<think>\n3日? [1]\n</think>\n\n3営業日前 [1]。", "3営業日前 [1]。"),
        ("<THINKING>hm</THINKING>yes", "yes"),
        ("はい。<think>hm</think>3日です。", "はい。3日です。"),
        ("hm, 3 days?\n</think>\n\nThree days [1].", "Three days [1]."),
        ("<think>never ends [1]", ""),
        ("a < b, <b>c</b>, <thin", "a < b, <b>c</b>, <thin"),
        ("3日\x00前\x1b[31m\x7f\u202eまで\n\t次", "3日前[31mまで\n\t次"),
        ("家族\U0001f468\u200d\U0001f469です", "家族\U0001f468\u200d\U0001f469です"),
    ],
)
def test_thoughts_and_control_characters_are_left_out_however_the_text_is_cut(
    written: str, expected: str, size: int
) -> None:
    assert shown(*(written[i : i + size] for i in range(0, len(written), size))) == expected


def test_the_halves_of_a_character_are_joined_over_pieces_and_a_lone_half_is_left_out() -> None:
    assert shown("絵\ud83d", "\ude00。") == "絵\U0001f600。"
    assert shown("絵\ud83d", "。", "\ude00") == "絵。"
    assert shown("絵\ud83d") == "絵"
