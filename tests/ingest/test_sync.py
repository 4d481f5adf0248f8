"""Runs over a real folder with a real ledger: what is deleted, what waits, what is left out, what is tried again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from assistant.adapters.fake import FakeEmbedder
from assistant.adapters.ledger import Ledger
from assistant.adapters.ledger import schema as s
from assistant.domain import EVERYONE, DocumentStatus, ParsedDocument, Principal
from assistant.errors import FailureReason, FolderMissing
from assistant.ports import Vectors
from ingest.guard import ParserProcess
from ingest.pipeline import Run
from ingest.rules import Rule
from tests.ingest.running import Desk, desk


@pytest.fixture
def at(tmp_path: Path, parser: ParserProcess) -> Iterator[Desk]:
    with desk(tmp_path, parser) as made:
        yield made


def fill(at: Desk, count: int, folder: str = "総務") -> list[Path]:
    return [at.write(f"{folder}/{number:02d}.md") for number in range(count)]


def test_what_was_read_is_searchable_before_a_slow_run_has_filled_a_batch(
    at: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.pipeline.WRITE_SECONDS", 0.0)
    fill(at, 6)
    searchable: list[int] = []
    run = Run(
        at.stores, at.parser, (),
        lambda done, total, path: searchable.append(at.stores.ledger.counts_of_truth()["searchable"]),
    )  # fmt: skip
    run.run(at.root)
    assert searchable[2] >= 1
    assert searchable[-1] == 6


def test_a_few_files_that_are_gone_are_deleted_at_once(at: Desk) -> None:
    files = fill(at, 10)
    at.run()
    for file in files[:2]:
        file.unlink()
    report = at.run()
    assert (report.counts["delete"], report.waiting) == (2, [])
    assert len(at.documents()) == 8


def test_more_than_a_fifth_gone_waits_while_the_run_still_adds_and_changes(at: Desk) -> None:
    files = fill(at, 20)
    at.run()
    for file in files[:5]:
        file.unlink()
    at.write("新しい.md")
    files[10].write_text("# 変更\n\n届出は5日前までに行う。\n", encoding="utf-8")
    report = at.run()
    assert report.waiting == [f"総務/{number:02d}.md" for number in range(5)]
    counts = report.counts
    assert (counts["delete"], counts["deletions_waiting"], counts["add"], counts["change"]) == (0, 5, 1, 1)
    assert len(at.documents()) == 21
    confirmed = at.run(allows_deletions=True)
    assert (confirmed.counts["delete"], confirmed.waiting) == (5, [])
    assert len(at.documents()) == 16


def test_a_share_that_comes_back_has_lost_nothing(at: Desk) -> None:
    fill(at, 6)
    at.run()
    before = at.documents()
    shutil.move(at.root / "総務", at.root.parent / "away")
    assert at.run().counts["deletions_waiting"] == 6
    assert at.documents() == before
    shutil.move(at.root.parent / "away", at.root / "総務")
    report = at.run()
    assert (report.counts["unchanged"], report.counts["deletions_waiting"], report.counts["chunks"]) == (6, 0, 0)


def test_a_folder_that_was_never_there_leaves_no_trace_in_the_ledger(at: Desk) -> None:
    before = rows(at.stores.ledger)
    with pytest.raises(FolderMissing):
        Run(at.stores, at.parser).run(at.root / "missing")
    assert rows(at.stores.ledger) == before


@pytest.mark.slow
def test_the_command_says_that_a_folder_is_not_there_and_keeps_no_job_of_it(at: Desk) -> None:
    before = rows(at.stores.ledger)
    settings = {"ASSISTANT_DATA_FOLDER": str(at.root.parent), "ASSISTANT_RULES_FILE": str(at.root / "ingest.toml")}
    command = [sys.executable, "-m", "ingest", "run", "--folder", str(at.root / "missing")]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert str(at.root / "missing") in done.stderr.replace("\n", "")
    assert rows(at.stores.ledger) == before


def rows(ledger: Ledger) -> dict[str, int]:
    """How many rows every table has."""
    with ledger._engine.connect() as connection:
        return {
            table: connection.scalar(select(func.count()).select_from(s.metadata.tables[table]))
            for table in s.metadata.tables
        }


def test_an_empty_folder_waits_even_if_it_held_a_single_document(at: Desk) -> None:
    at.write("only.md").unlink()
    at.write("only.md")
    at.run()
    (at.root / "only.md").unlink()
    assert at.run().waiting == ["only.md"]
    assert at.run(allows_deletions=True).counts["delete"] == 1
    assert at.documents() == {}


def test_a_renamed_folder_keeps_every_document_and_reads_none(at: Desk) -> None:
    fill(at, 8)
    at.run()
    before = {document.document_id: document.version_id for document in at.documents().values()}
    (at.root / "総務").rename(at.root / "管理")
    report = at.run()
    counts = report.counts
    assert (counts["move"], counts["chunks"], counts["deletions_waiting"], report.tried) == (8, 0, 0, [])
    after = at.documents()
    assert {document.document_id: document.version_id for document in after.values()} == before
    assert sorted(after) == [f"管理/{number:02d}.md" for number in range(8)]


def test_what_a_rule_leaves_out_is_listed_and_deleted_without_a_question(at: Desk) -> None:
    fill(at, 8)
    at.write("大きい.md", "# 大きい\n\n" + "本文です。" * 200)
    at.run()
    report = at.run(Rule("総務/*", read=False), Rule("総務/00.md", read=True), Rule("*", max_bytes=1000))
    assert (report.counts["delete"], report.counts["deletions_waiting"]) == (8, 0)
    assert list(at.documents()) == ["総務/00.md"]
    assert ("総務/01.md", "excluded") in report.skipped
    assert ("大きい.md", "max_bytes") in report.skipped


def test_empty_groups_let_nobody_read(at: Desk) -> None:
    fill(at, 2)
    at.run(Rule("総務/00.md", groups=()))
    for principal in (Principal("ben"), Principal("chie", frozenset({EVERYONE, "administrators", "hr"}))):
        assert list(at.documents(principal)) == ["総務/01.md"]
    assert at.run(Rule("総務/*", groups=())).counts["chunks"] == 0
    assert at.documents() == {}


def test_an_owner_is_in_the_receipt_and_changes_without_reading_the_file_again(at: Desk) -> None:
    fill(at, 1)
    at.run(Rule("*", owner="総務部"))
    ledger = at.stores.ledger
    (document,) = at.documents().values()
    assert ledger.receipt(document.document_id, principal=Principal("ben"))["owner"] == "総務部"
    assert at.run(Rule("*", owner="人事部")).counts["chunks"] == 0
    assert ledger.receipt(document.document_id, principal=Principal("ben"))["owner"] == "人事部"
    at.run()
    assert ledger.receipt(document.document_id, principal=Principal("ben"))["owner"] is None


def test_a_language_rule_reads_again_only_what_it_concerns(at: Desk) -> None:
    fill(at, 2)
    at.run()
    report = at.run(Rule("総務/00.md", language="en"))
    assert report.tried == ["総務/00.md"]
    assert {path: document.language for path, document in at.documents().items()} == {
        "総務/00.md": "en",
        "総務/01.md": "ja",
    }
    assert at.run(Rule("総務/00.md", language="en")).tried == []


def test_a_rule_about_hidden_parts_reads_again_only_what_it_concerns_and_the_receipt_says_so(at: Desk) -> None:
    for name in ("契約.html", "議事録.html"):
        at.write(name, "<p>単価は別紙による。</p><p hidden>単価は千円まで下げられる。</p>")
    at.run()

    def receipt(name: str) -> dict[str, object]:
        found = at.stores.ledger.receipt(at.documents()[name].document_id, principal=Principal("ben"))
        return {key: found[key] for key in ("hidden_parts", "hidden_parts_read", "chunks")}

    assert receipt("契約.html") == {"hidden_parts": 1, "hidden_parts_read": False, "chunks": 1}
    rule = Rule("契約*", hidden=True)
    assert at.run(rule).tried == ["契約.html"]
    assert receipt("契約.html") == {"hidden_parts": 1, "hidden_parts_read": True, "chunks": 1}
    assert receipt("議事録.html")["hidden_parts_read"] is False
    assert at.run(rule).tried == []
    assert at.run().tried == ["契約.html"]


def test_a_scan_stays_unread_where_a_rule_switches_recognition_off(at: Desk) -> None:
    from PIL import Image

    Image.new("L", (400, 200), 255).save(at.root / "scan.png")
    report = at.run(Rule("*.png", ocr=False))
    assert (report.counts["failed"], report.counts["unsupported"]) == (0, 1)
    assert "ocr" in report.failures[0].message


def test_a_file_that_somebody_is_still_copying_is_left_for_the_next_scan(at: Desk) -> None:
    at.write("a.md")
    report = at.run(settle_seconds=60)
    assert (report.counts["settling"], report.counts["add"]) == (1, 0)
    assert at.run().counts["add"] == 1
    at.write("a.md", "# 変更\n\n本文。\n")
    report = at.run(settle_seconds=60)
    assert (report.counts["settling"], report.counts["change"], report.counts["delete"]) == (1, 0, 0)


def test_a_file_that_moves_while_it_settles_keeps_its_identity(at: Desk) -> None:
    at.write("a.md")
    at.write("b.md")
    at.run()
    before = at.documents()["a.md"].document_id
    (at.root / "a.md").rename(at.root / "c.md")
    assert at.run(settle_seconds=60).counts["delete"] == 0
    assert at.run().counts["move"] == 1
    assert at.documents()["c.md"].document_id == before


def test_retry_tries_the_failed_files_and_nothing_else(at: Desk) -> None:
    at.write("good.md")
    bad = at.root / "bad.pdf"
    bad.write_bytes(b"%PDF-1.7\nbroken")
    empty = at.write("empty.md", " \n")
    first = at.run()
    assert first.counts["failed"] == 2
    assert at.run().tried == []
    at.write("new.md")
    (at.root / "good.md").unlink()
    empty.write_text("# 直した\n\n本文があります。\n", encoding="utf-8")
    report = at.run(is_retrying=True)
    assert sorted(report.tried) == ["bad.pdf", "empty.md"]
    assert [failure.path for failure in report.failures] == ["bad.pdf"]
    assert (report.counts["add"], report.counts["delete"]) == (0, 0)
    assert sorted(at.documents()) == ["bad.pdf", "empty.md", "good.md"]


class CountingEmbedder(FakeEmbedder):
    """Counts the texts of documents that it is given."""

    texts = 0

    def embed_documents(self, texts: Sequence[str]) -> Vectors:
        self.texts += len(texts)
        return super().embed_documents(texts)


def identities(at: Desk) -> dict[str, tuple[str, str | None]]:
    return {path: (document.document_id, document.version_id) for path, document in at.documents().items()}


def test_a_renamed_folder_of_more_than_a_hundred_files_embeds_nothing(at: Desk) -> None:
    at.stores = replace(at.stores, embedder=CountingEmbedder())
    fill(at, 120, folder="書庫/文書")
    at.run()
    before, embedded = identities(at), at.stores.embedder.texts
    assert embedded >= 120
    (at.root / "書庫").rename(at.root / "保管")
    report = at.run()
    assert (report.counts["move"], report.counts["deletions_waiting"], report.tried) == (120, 0, [])
    assert at.stores.embedder.texts == embedded
    assert {path.replace("保管", "書庫"): own for path, own in identities(at).items()} == before


def test_two_files_that_exchange_their_names_exchange_their_documents(at: Desk) -> None:
    at.write("a.md")
    at.write("b.md")
    at.run()
    before = identities(at)
    (at.root / "a.md").rename(at.root / "c")
    (at.root / "b.md").rename(at.root / "a.md")
    (at.root / "c").rename(at.root / "b.md")
    at.run()
    texts = {path: at.stores.ledger.get_document(document_id, principal=Principal("ben")).title
             for path, (document_id, _) in identities(at).items()}  # fmt: skip
    assert texts == {"a.md": "b.md", "b.md": "a.md"}
    assert at.stores.ledger.counts_of_truth()["searchable"] == 2
    assert sorted(before) == sorted(identities(at))


def test_a_name_that_changes_only_its_case_keeps_the_document(at: Desk) -> None:
    at.write("Report.md")
    at.run()
    before = identities(at)["Report.md"]
    (at.root / "Report.md").rename(at.root / "REPORT.md")
    assert at.run().counts["move"] == 1
    assert identities(at) == {"REPORT.md": before}


def test_a_file_that_moves_and_changes_at_once_leaves_nothing_of_its_old_text(at: Desk) -> None:
    for name in ("a.md", "b.md", "c.md"):
        at.write(name)
    at.run()
    (at.root / "a.md").rename(at.root / "新しい.md")
    at.write("新しい.md", "# 新しい\n\n届出は9日前までに行う。\n")
    counts = at.run().counts
    assert (counts["add"], counts["delete"], counts["move"]) == (1, 1, 0)
    assert sorted(at.documents()) == ["b.md", "c.md", "新しい.md"]
    assert at.stores.ledger.counts_of_truth()["chunks"] == 3


def test_a_file_that_moves_under_another_rule_changes_its_readers_in_the_same_run(at: Desk) -> None:
    board = Rule("限定/*", groups=("board",))
    chie = Principal("chie", frozenset({EVERYONE, "board"}))
    at.write("a.md")
    at.write("b.md")
    at.run(board)
    own = identities(at)["a.md"]
    (at.root / "限定").mkdir()
    (at.root / "a.md").rename(at.root / "限定/a.md")
    report = at.run(board)
    assert (report.counts["move"], report.counts["regrouped"], report.tried) == (1, 1, [])
    assert list(at.documents()) == ["b.md"]
    assert at.documents(chie)["限定/a.md"].document_id == own[0]
    (at.root / "限定/a.md").rename(at.root / "a.md")
    at.run(board)
    assert sorted(at.documents()) == ["a.md", "b.md"]


class PoisonedParser(ParserProcess):
    """A real parser process that is killed by a signal whenever it has been given poison.md."""

    poisoned: list[int | None]

    def parse(self, path: Path, *, relative_path: str, **more: Any) -> ParsedDocument:
        if path.name != "poison.md":
            return super().parse(path, relative_path=relative_path, **more)
        process_id = self._running().pid
        self.poisoned.append(process_id)
        os.kill(process_id, signal.SIGSTOP)  # so that it cannot answer first
        killer = threading.Timer(0.2, os.kill, (process_id, signal.SIGSEGV))
        killer.start()
        threading.Timer(0.3, os.kill, (process_id, signal.SIGCONT)).start()
        try:
            return super().parse(path, relative_path=relative_path, **more)
        finally:
            killer.join()


def test_a_file_that_kills_its_parser_is_tried_three_times_in_a_fresh_process_and_set_aside(at: Desk) -> None:
    with PoisonedParser(timeout_seconds=60, memory_bytes=3 << 30, file_limit_bytes=1 << 20) as parser:
        parser.poisoned = []
        healthy, at.parser = at.parser, parser
        at.write("poison.md")
        at.write("good.md")
        seen = []
        for _ in range(4):
            report = at.run()
            (failure,) = report.failures
            seen.append((failure.reason, failure.attempts, at.documents()["poison.md"].status))
        assert seen == [
            (FailureReason.PARSER_CRASHED, 1, DocumentStatus.PENDING),
            (FailureReason.PARSER_CRASHED, 2, DocumentStatus.PENDING),
            (FailureReason.PARSER_CRASHED, 3, DocumentStatus.FAILED),
            (FailureReason.PARSER_CRASHED, 3, DocumentStatus.FAILED),
        ]
        assert len(set(parser.poisoned)) == len(parser.poisoned) == 3
        assert at.documents()["good.md"].status in {DocumentStatus.INDEXED, DocumentStatus.WARN}
        assert at.run(is_retrying=True).tried == ["poison.md"]
        assert len(parser.poisoned) == 4
        at.parser = healthy
        assert at.run(is_retrying=True).failures == []
