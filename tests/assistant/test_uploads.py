"""Names of uploads: kept as they are or refused, and a place of its own for every person."""

from __future__ import annotations

import pytest

from assistant.errors import UploadRefused
from assistant.uploads import NAME_LIMIT_BYTES, place_of, safe_name


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("出張規程.docx", "出張規程.docx"),
        ("C:\\Users\\aiko\\規程 第2版.pdf", "規程 第2版.pdf"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("カ\u3099イド.md", "ガイド.md"),
        (" a.b.tar.csv ", "a.b.tar.csv"),
    ],
)
def test_a_good_name_is_kept_without_its_folders(given: str, kept: str) -> None:
    assert safe_name(given) == kept


@pytest.mark.parametrize(
    "given",
    ["", "..", "規程", ".pdf", ".hidden.pdf", "~$規程.docx", "a.tmp", "Thumbs.db", "con.txt", "COM1.pdf", "a?.pdf"],
)
def test_a_name_without_sense_is_refused_and_never_changed(given: str) -> None:
    assert_refused(given)


@pytest.mark.parametrize("given", ["a\x00.pdf", "a\u202egpj.exe", "a.pdf.", "dir/", "あ" * 70 + ".pdf"])
def test_a_name_that_hides_something_or_is_too_long_is_refused(given: str) -> None:
    assert_refused(given)


def assert_refused(given: str) -> None:
    """Refused, with something to do in both languages."""
    with pytest.raises(UploadRefused) as refused:
        safe_name(given)
    assert refused.value.hint.ja
    assert refused.value.hint.en


def test_no_two_persons_share_a_place_and_no_place_leads_elsewhere() -> None:
    people = ["aiko", "a/b", "a%2Fb", "a_b", "..", ".", "~", "佐藤 愛子", "app:ci", "x" * 300, "x" * 301, "a."]
    places = [place_of(person) for person in people]
    assert len(set(places)) == len(people)
    assert all("/" not in place and not place.startswith((".", "~")) for place in places)
    assert all(len(place.encode()) <= NAME_LIMIT_BYTES for place in places)
    assert (place_of("aiko"), place_of("佐藤 愛子")) == ("aiko", "佐藤 愛子")
