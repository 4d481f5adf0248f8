"""What every lexical index promises (ports.LexicalIndex), and what the real one on disk adds to it."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import tantivy

from assistant.adapters import lexical
from assistant.adapters.lexical import TantivyLexicalIndex
from assistant.errors import StoreDamaged, StoreUnavailable
from assistant.ports import Holders, LexicalIndex
from assistant.reach import Reach
from assistant.spellings import TERMS_ID

ENTRIES = [
    ("leave", "休暇規程", "年次有給休暇は、取得日の3営業日前までに所属長へ申請する。"),
    ("travel", "旅費規程", "出張の旅費は、帰社後5営業日以内に精算する。ホテル代は実費とする。"),
    ("vpn", "VPN guide", "Connect the TX-100/A client with your certificate. Ask support@example.test for help."),
    ("safety", "安全衛生", "ヘルメットを着用する。火災のときは119番に通報する。"),
]


NAME, OTHER = "chunks-a", "chunks-b"


def found(index: LexicalIndex, text: str, *, limit: int = 10, name: str = NAME) -> list[str]:
    """Ids found, best first."""
    return [chunk_id for chunk_id, _ in asyncio.run(index.search(name, text, limit=limit))]


@pytest.fixture
def filled(lexical_index: LexicalIndex) -> LexicalIndex:
    """Each index with the four entries."""
    lexical_index.write(NAME, add=ENTRIES, delete=[])
    return lexical_index


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("有給休暇はいつまでに申請しますか?", "leave"),
        ("出張の精算の期限", "travel"),
        ("How do I connect the VPN client?", "vpn"),
        ("TX-100/A", "vpn"),
        ("ｔｘ－１００", "vpn"),
        ("ヘルメット", "safety"),
    ],
)
def test_the_entry_that_shares_the_rarest_terms_comes_first(filled: LexicalIndex, question: str, first: str) -> None:
    assert found(filled, question)[0] == first


def test_scores_are_above_0_and_fall(filled: LexicalIndex) -> None:
    hits = asyncio.run(filled.search(NAME, "営業日 申請 精算 client", limit=10))

    scores = [score for _, score in hits]
    assert len(hits) >= 2
    assert all(score > 0 for score in scores)
    assert scores == sorted(scores, reverse=True)


def test_a_word_in_the_title_counts_more_than_one_in_the_text(lexical_index: LexicalIndex) -> None:
    lexical_index.write(
        NAME,
        add=[("text", "その他", "その他\n慶弔休暇について"), ("title", "慶弔休暇", "慶弔休暇\nその他について")],
        delete=[],
    )

    assert found(lexical_index, "慶弔休暇")[0] == "title"


def test_the_holders_of_a_text_are_those_of_its_rarest_term(filled: LexicalIndex) -> None:
    known = filled.holders(NAME, ["営業日", "申請", "TX-100/A", "VPN helmet", "ヘルメット", "……"])
    assert known.entries == 4
    assert known.of == {"営業日": 2, "申請": 1, "TX-100/A": 1, "VPN helmet": 0, "ヘルメット": 1, "……": 0}
    assert filled.holders(OTHER, ["申請"]) == Holders(0, {"申請": 0})


def test_what_shares_nothing_is_not_found(filled: LexicalIndex) -> None:
    assert found(filled, "xylophone") == []


def test_an_id_that_is_added_again_has_only_its_last_text(filled: LexicalIndex) -> None:
    filled.write(
        NAME, add=[("vpn", "駐車場", "駐車場は地下二階です。"), ("vpn", "食堂", "食堂は十階です。")], delete=[]
    )

    assert found(filled, "TX-100/A certificate") == []
    assert found(filled, "駐車場") == []
    assert found(filled, "食堂")[0] == "vpn"
    assert sorted(filled.all_ids(NAME)) == sorted(chunk_id for chunk_id, _, _ in ENTRIES)


def test_an_id_that_is_deleted_and_added_in_one_write_is_there(filled: LexicalIndex) -> None:
    filled.write(NAME, add=[("leave", "休暇", "新しい休暇の規程")], delete=["leave", "never"])

    assert "leave" in set(filled.all_ids(NAME))
    assert found(filled, "所属長へ申請") == []


def test_deleted_ids_are_found_no_more(filled: LexicalIndex) -> None:
    filled.write(NAME, add=[], delete=["leave"])

    assert "leave" not in found(filled, "有給休暇の申請")
    assert "leave" not in set(filled.all_ids(NAME))


def test_a_write_that_fails_half_way_changes_nothing(filled: LexicalIndex) -> None:
    def broken() -> Iterator[tuple[str, str, str]]:
        yield ("new", "新規", "新しい文書")
        raise KeyError("parser")

    with pytest.raises(KeyError):
        filled.write(NAME, add=broken(), delete=["leave"])

    assert sorted(filled.all_ids(NAME)) == sorted(chunk_id for chunk_id, _, _ in ENTRIES)
    filled.write(NAME, add=[("new", "新規", "新しい文書")], delete=[])
    assert "new" in set(filled.all_ids(NAME))


def test_a_dropped_index_is_empty_and_can_be_filled_again(filled: LexicalIndex) -> None:
    filled.drop(NAME)
    assert list(filled.all_ids(NAME)) == []
    assert found(filled, "有給休暇") == []

    filled.write(NAME, add=ENTRIES[:1], delete=[])
    assert found(filled, "有給休暇") == ["leave"]


def test_indexes_of_two_generations_know_nothing_of_each_other(filled: LexicalIndex) -> None:
    filled.write(OTHER, add=[("leave", "休暇", "休暇の届出は総務へ")], delete=[])
    assert found(filled, "総務", name=OTHER) == ["leave"]
    assert found(filled, "総務") == []
    assert list(filled.all_ids(OTHER)) == ["leave"]

    filled.drop(OTHER)

    assert found(filled, "総務", name=OTHER) == []
    assert len(set(filled.all_ids(NAME))) == len(ENTRIES)
    filled.drop("chunks-never-made")


def test_a_new_index_is_empty(lexical_index: LexicalIndex) -> None:
    assert list(lexical_index.all_ids(NAME)) == []
    assert found(lexical_index, "有給休暇") == []


@pytest.mark.parametrize(
    "odd",
    [
        "",
        " \n\t",
        "?!()[]{}\"'+-:*~^\\/",
        "😀👨‍👩‍👧",
        "title:休暇 AND NOT (body:*",
        "\ud800\0\x1b",
        "a" * 20_000,
        "ﷺ" * 5_000,
        "-".join("abcdefgh" for _ in range(2_000)),
    ],
    ids=[
        "empty",
        "blank",
        "syntax",
        "emoji",
        "query language",
        "broken",
        "one long word",
        "ligatures",
        "one identifier",
    ],
)
def test_no_question_is_too_odd(filled: LexicalIndex, odd: str) -> None:
    assert isinstance(found(filled, odd), list)
    filled.write(NAME, add=[("odd", odd, odd)], delete=[])
    assert "odd" in set(filled.all_ids(NAME))


def test_a_very_long_question_still_finds_what_it_names(filled: LexicalIndex) -> None:
    noise = "".join(chr(0x4E00 + number % 2000) + chr(0x5E00 + number % 1999) for number in range(10_000))

    assert found(filled, noise + "有給休暇の申請", limit=1) == ["leave"]


@pytest.mark.parametrize("versions_in_reach", [1, 3, 1_200])
def test_only_what_is_in_reach_is_found_however_many_better_hits_are_not(
    lexical_index: LexicalIndex, versions_in_reach: int
) -> None:
    better = [(f"other-{n}:00000", "駐車場", "駐車場の駐車場") for n in range(400)]
    own = [(f"own-{n}:00000", "", f"駐車場は地下{n}階と、ほかにもいくつかの場所にあります。") for n in range(1_200)]
    lexical_index.write(NAME, add=[*better, *own], delete=[])
    reach = Reach({f"own-{n}": 1 for n in range(versions_in_reach)}, versions_in_reach, 1_600)

    hits = asyncio.run(lexical_index.search(NAME, "駐車場", limit=10, reach=reach))

    assert len(hits) == min(10, versions_in_reach)
    assert all(reach.holds(chunk_id) for chunk_id, _ in hits)
    everything = asyncio.run(lexical_index.search(NAME, "駐車場", limit=2_000))
    assert [score for _, score in hits] == [score for chunk_id, score in everything if reach.holds(chunk_id)][:10]


def test_nothing_in_reach_is_nothing_found(filled: LexicalIndex) -> None:
    assert asyncio.run(filled.search(NAME, "有給休暇", limit=10, reach=Reach({}, 0, 4))) == []


def test_no_more_than_the_limit_is_found(filled: LexicalIndex) -> None:
    assert len(found(filled, "規程 営業日 有給 旅費", limit=1)) == 1
    assert found(filled, "有給休暇", limit=0) == []


# -- tantivy ----------------------------------------------------------------------------------------------------------

WRITE = (
    "import sys; from pathlib import Path; from assistant.adapters.lexical import TantivyLexicalIndex as I\n"
    "I(Path(sys.argv[1])).write('chunks-a', add=[('other', '別', '別のプロセスの文書')], delete=['leave'])\n"
)
HOLD = (
    "import sys; from pathlib import Path; from assistant.adapters.lexical import TantivyLexicalIndex as I\n"
    "def slow():\n"
    "    print('holding', flush=True); sys.stdin.readline(); yield ('other', 't', 't')\n"
    "I(Path(sys.argv[1])).write('chunks-a', add=slow(), delete=[])\n"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a filled index on disk."""
    TantivyLexicalIndex(tmp_path / "lexical").write(NAME, add=ENTRIES, delete=[])
    return tmp_path / "lexical"


def test_a_reader_sees_what_another_process_has_committed(root: Path) -> None:
    reader = TantivyLexicalIndex(root)
    assert found(reader, "有給休暇") == ["leave"]

    subprocess.run([sys.executable, "-c", WRITE, str(root)], check=True)

    assert found(reader, "有給休暇") == []
    assert found(reader, "別のプロセス")[0] == "other"


def test_a_second_writer_is_told_that_another_process_writes_and_waits_a_moment_first(root: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdin is not None
    holder.stdout.readline()
    impatient = TantivyLexicalIndex(root, lock_wait_seconds=0.2)
    try:
        with pytest.raises(StoreUnavailable) as caught:
            impatient.write(NAME, add=[], delete=["vpn"])
        with pytest.raises(StoreUnavailable):
            impatient.drop(NAME)
        assert not caught.value.permanent
        assert "別のプロセス" in caught.value.message.ja
        assert found(impatient, "有給休暇") == ["leave"]
    finally:
        holder.communicate("\n", timeout=30)

    impatient.write(NAME, add=[], delete=["vpn"])
    assert "vpn" not in set(impatient.all_ids(NAME))


@pytest.mark.parametrize(
    ("victim", "damage"),
    [
        (victim, damage)
        for victim in ("meta.json", ".managed.json", "*.store", "*.term", "*.idx")
        for damage in ("emptied", "removed", "overwritten")
        if (victim, damage) != (".managed.json", "removed")  # tantivy writes this list anew by itself
    ],
)
def test_a_damaged_index_says_so_and_can_be_dropped(root: Path, victim: str, damage: str) -> None:
    for path in (root / NAME).glob(victim):
        if damage == "removed":
            path.unlink()
        else:
            path.write_bytes(b"" if damage == "emptied" else b"\xff" * 64)
    index = TantivyLexicalIndex(root)

    with pytest.raises(StoreUnavailable) as caught:
        found(index, "有給休暇")
    assert caught.value.permanent
    assert "ingest rebuild" in caught.value.hint.ja

    index.drop(NAME)
    index.write(NAME, add=ENTRIES, delete=[])
    assert found(index, "有給休暇") == ["leave"]


def test_a_file_in_place_of_the_folder_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "lexical").write_text("not a folder", encoding="utf-8")

    with pytest.raises(StoreUnavailable) as caught:
        TantivyLexicalIndex(tmp_path / "lexical").write(NAME, add=ENTRIES, delete=[])

    assert "lexical" in caught.value.message.ja


def test_a_folder_that_is_removed_under_a_running_reader_is_an_empty_index(root: Path) -> None:
    reader = TantivyLexicalIndex(root)
    assert found(reader, "有給休暇") == ["leave"]
    for path in (root / NAME).iterdir():
        path.unlink()
    (root / NAME).rmdir()

    assert found(reader, "有給休暇") == []


def test_the_index_of_an_older_release_becomes_that_of_the_generation(root: Path) -> None:
    for path in (root / NAME).iterdir():
        path.rename(root / path.name)
    (root / NAME).rmdir()
    index = TantivyLexicalIndex(root)

    index.adopt(NAME)
    index.adopt(NAME)

    assert found(index, "有給休暇") == ["leave"]
    assert [path.name for path in root.iterdir()] == [NAME]


def test_an_index_of_an_earlier_layout_says_so_and_is_written_anew_by_the_next_ingestion(
    tmp_path: Path,
) -> None:
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("chunk_id", stored=True, tokenizer_name="raw", index_option="basic")
    (tmp_path / NAME).mkdir()
    tantivy.Index(builder.build(), path=str(tmp_path / NAME))
    index = TantivyLexicalIndex(tmp_path)

    with pytest.raises(StoreDamaged, match="another release") as caught:
        found(index, "有給休暇")
    assert "壊れて" not in caught.value.message.ja
    assert "ingest run" in caught.value.hint.en
    with pytest.raises(StoreDamaged, match="another release"):
        list(index.all_ids(NAME))
    index.drop(NAME)
    index.write(NAME, add=ENTRIES, delete=[])

    assert found(index, "有給休暇") == ["leave"]


def test_an_index_that_is_made_of_other_terms_is_one_of_another_release(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lexical, "TERMS_ID", TERMS_ID + 1)

    with pytest.raises(StoreDamaged, match="another release"):
        found(TantivyLexicalIndex(root), "有給休暇")


def test_a_search_makes_no_folder(tmp_path: Path) -> None:
    index = TantivyLexicalIndex(tmp_path / "lexical")

    assert found(index, "有給休暇") == []
    assert list(index.all_ids(NAME)) == []
    index.drop(NAME)

    assert list(tmp_path.iterdir()) == []
